#!/usr/bin/env python3
"""Runs scripts that are not ours with packetdrill itself, against the shared object.

    foreign.py OBJECT PRELOAD

NSTCP_PACKETDRILL_SCRIPTS names a folder: all *.pkt in it and below are run. NSTCP_PACKETDRILL_OPTIONS
has further options for packetdrill, such as --so_flags=... or -D CODE=... . Each script has a network
namespace of its own with a tun0, which scripts of the kernel's configure, and is run where it lies.
packetdrill locks its memory and asks for a real-time priority: who is not root needs RLIMIT_MEMLOCK.

A line for each script, PASS or FAIL. Status 0: all passed. 1: some failed. 77, skipped: there is no
packetdrill on the PATH, or no folder.
"""
import os
import shlex
import shutil
import subprocess
import sys

SKIPPED = 77
PATIENCE_S = 60

# As root of a namespace that ends with the script. Not every kernel has dummy devices.
IN_NAMESPACE = ['unshare', '--net', 'sh', '-c', '''
ip link set lo up
ip link add tun0 type dummy 2>/dev/null || ip link add tun0 type veth peer name tun0-peer
exec "$@"''', 'sh']
ROOTLESS = ['--user', '--map-root-user']


def skip(why):
    print(f'skipped: {why}')
    sys.exit(SKIPPED)


def scripts_below(folder):
    found = [os.path.join(path, f) for path, _, files in os.walk(folder) for f in files]
    return sorted(f for f in found if f.endswith('.pkt'))


def run(packetdrill, script, so, preload, options):
    """Whether it passed, and what was said."""
    wrapper = IN_NAMESPACE if os.geteuid() == 0 else IN_NAMESPACE[:1] + ROOTLESS + IN_NAMESPACE[1:]
    command = wrapper + ['env', f'LD_PRELOAD={preload}', packetdrill, f'--so_filename={so}', *options,
                         os.path.basename(script)]
    try:
        done = subprocess.run(command, cwd=os.path.dirname(script), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=PATIENCE_S, check=False)
    except subprocess.TimeoutExpired as e:
        return False, f'{e.stdout or ""}no end after {PATIENCE_S} s\n'
    return done.returncode == 0, done.stdout


def main():
    so, preload = (os.path.abspath(path) for path in sys.argv[1:3])
    packetdrill = shutil.which('packetdrill')
    folder = os.environ.get('NSTCP_PACKETDRILL_SCRIPTS')
    if not folder:
        skip('NSTCP_PACKETDRILL_SCRIPTS names no folder with scripts for packetdrill')
    if not packetdrill:
        skip('packetdrill is not on the PATH: https://github.com/google/packetdrill has it')
    scripts = scripts_below(os.path.abspath(folder))
    if not scripts:
        print(f'{folder}: no *.pkt in it')
        sys.exit(1)
    options = shlex.split(os.environ.get('NSTCP_PACKETDRILL_OPTIONS', ''))
    failed = 0
    for script in scripts:
        ok, told = run(packetdrill, script, so, preload, options)
        failed += not ok
        print(f'{"" if ok else told}{"PASS" if ok else "FAIL"} {script}', flush=True)
    print(f'{len(scripts) - failed} passed, {failed} failed')
    sys.exit(failed > 0)


if __name__ == '__main__':
    main()
