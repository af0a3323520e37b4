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

    def test_usage(self):
        result = subprocess.run([*DEMO, '--nonsense'], capture_output=True, timeout=60)
        self.assertEqual((result.returncode, result.stdout), (2, b''))


if __name__ == '__main__':
    unittest.main()
