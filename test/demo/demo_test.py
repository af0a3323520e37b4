#!/usr/bin/env python3
"""README's first command: stdout is the echoed lines and nothing else, as root and without."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = sys.argv.pop()
DEMO = [os.path.join(ROOT, 'setup', 'demo.sh')]
NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--']
OWN_LINES = b'hello\nhoge\n'


def demo(stdin, prefix=(), **more):
    return subprocess.run([*prefix, *DEMO], capture_output=True, timeout=300, **stdin, **more)


class Demo(unittest.TestCase):
    def echoed(self, result, lines):
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        self.assertEqual(result.stdout, lines)

    def test_input(self):
        lines = b'one\n\ntwo, without a newline at the end'
        self.echoed(demo({'input': lines}), lines)

    def test_no_input(self):
        self.echoed(demo({'stdin': subprocess.DEVNULL}), OWN_LINES)

    def test_stdin_closed(self):
        closed = subprocess.run(['sh', '-c', 'exec "$0" <&-', *DEMO], capture_output=True,
                                timeout=300)
        self.echoed(closed, OWN_LINES)

    def unprivileged(self, writable):
        with tempfile.TemporaryDirectory() as home:
            os.chmod(home, 0o777)
            copy = os.path.join(home, 'a checkout')
            shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns('build*', '.git'))
            os.chmod(copy, 0o777 if writable else 0o555)
            prefix = NOBODY if os.geteuid() == 0 else []
            env = dict(os.environ, HOME=home, TMPDIR=home)
            result = subprocess.run([*prefix, os.path.join(copy, 'setup', 'demo.sh')], env=env,
                                    input=OWN_LINES, capture_output=True, timeout=300)
            os.chmod(copy, 0o777)
            self.echoed(result, OWN_LINES)
            self.assertEqual(os.path.exists(os.path.join(copy, 'build')), writable)

    def test_unprivileged(self):
        self.unprivileged(True)

    def test_checkout_of_somebody_else(self):
        self.unprivileged(False)

    def test_input_is_the_clients(self):
        """No other child is given it: here all would read it to its end."""
        with tempfile.TemporaryDirectory() as greedy:
            os.chmod(greedy, 0o755)
            for name in ('dirname', 'find', 'grep', 'mkdir', 'mktemp', 'rm', 'sleep'):
                path = os.path.join(greedy, name)
                with open(path, 'w', encoding='ascii') as file:
                    file.write(f'#!/bin/sh\n/bin/cat >/dev/null\nexec {shutil.which(name)} "$@"\n')
                os.chmod(path, 0o755)
            env = dict(os.environ, PATH=greedy + ':' + os.environ['PATH'])
            self.echoed(demo({'input': b'mine\n'}, env=env), b'mine\n')

    def test_build_of_two_owners(self):
        """The user's own build folder, in which root has built since."""
        if os.geteuid() != 0:
            self.skipTest('needs root')
        with tempfile.TemporaryDirectory() as home:
            tree = os.path.join(home, 'a tree')
            shutil.copytree(ROOT, tree, ignore=lambda _, names: [
                name for name in names if name.startswith(('build', '.git'))])
            os.mkdir(os.path.join(tree, 'build'))
            subprocess.run(['chown', '-R', '65534:65534', home], check=True)
            script = os.path.join(tree, 'setup', 'demo.sh')
            env = dict(os.environ, HOME=home, TMPDIR=home)
            for prefix in ([], NOBODY):
                result = subprocess.run([*prefix, script], input=b'x', capture_output=True,
                                        timeout=300, env=env)
                self.echoed(result, b'x')
                os.utime(os.path.join(tree, 'examples', 'cli.c'))  # something to build again

    def test_usage(self):
        result = subprocess.run([*DEMO, '--nonsense'], capture_output=True, timeout=60)
        self.assertEqual((result.returncode, result.stdout), (2, b''))


if __name__ == '__main__':
    unittest.main()
