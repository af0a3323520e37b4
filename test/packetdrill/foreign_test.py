#!/usr/bin/env python3
"""foreign.py with a packetdrill that is a shell script: what it is called with, and its verdict.

    foreign_test.py PRELOAD
"""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
PRELOAD = os.path.abspath(sys.argv[1])

STUB = '''#!/bin/sh
for script; do :; done
echo "$LD_PRELOAD $*"
test -e "$script" && test -d /proc/sys/net/ipv4/conf/tun0 && ! grep -q fails "$script"
'''


def foreign(path, env):
    clean = {k: v for k, v in os.environ.items() if not k.startswith('NSTCP_PACKETDRILL')}
    clean['PATH'] = path
    done = subprocess.run([sys.executable, os.path.join(HERE, 'foreign.py'), '/the/object.so', PRELOAD],
                          env={**clean, **env}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False)
    return done.returncode, done.stdout


def check(what, condition, told):
    if not condition:
        print(f'{what}:\n{told}')
        sys.exit(1)


def main():
    with tempfile.TemporaryDirectory() as tmp:
        scripts = os.path.join(tmp, 'scripts', 'area')
        os.makedirs(scripts)
        path = os.environ['PATH']
        there = {'NSTCP_PACKETDRILL_SCRIPTS': os.path.dirname(scripts)}

        status, told = foreign(path, {})
        check('no folder', status == 77 and told.startswith('skipped: ') and told.count('\n') == 1, told)
        status, told = foreign('/usr/bin:/bin:/usr/sbin:/sbin', there)
        check('no packetdrill', status == 77 and 'packetdrill is not on the PATH' in told, told)

        stub = os.path.join(tmp, 'packetdrill')
        with open(stub, 'w', encoding='ascii') as f:
            f.write(STUB)
        os.chmod(stub, 0o755)
        path = tmp + ':' + path
        status, told = foreign(path, there)
        check('an empty folder', status == 1 and 'no *.pkt in it' in told, told)

        for name, text in (('b.pkt', 'passes'), ('a.pkt', 'fails'), ('c.txt', 'fails')):
            with open(os.path.join(scripts, name), 'w', encoding='ascii') as f:
                f.write(text)
        status, told = foreign(path, {**there, 'NSTCP_PACKETDRILL_OPTIONS': '--so_flags="mtu=900" -v'})
        check('one of two fails', status == 1 and told == (
            f'{PRELOAD} --so_filename=/the/object.so --so_flags=mtu=900 -v a.pkt\n'
            f'FAIL {scripts}/a.pkt\nPASS {scripts}/b.pkt\n1 passed, 1 failed\n'), told)
        os.remove(os.path.join(scripts, 'a.pkt'))
        status, told = foreign(path, there)
        check('all pass', status == 0 and told.endswith('1 passed, 0 failed\n'), told)


if __name__ == '__main__':
    main()
