"""Everything without root: the other tests again, as a user who has no rights at all.

Ends with 77 (skipped) where the kernel allows no user namespace to such a user.
"""
import os
import shutil
import subprocess
import sys
import tempfile

from lab import NETNS, check

CLONE_NEWUSER = 0x10000000
NOBODY = {"user": 65534, "group": 65534, "extra_groups": []} if os.getuid() == 0 else {}
HERE = os.path.dirname(os.path.abspath(__file__))


def as_nobody(*argv, **options):
    return subprocess.run(argv, timeout=120, check=False, text=True, stdin=subprocess.DEVNULL,
                          **NOBODY, **options)


def python_for_nobody():
    """root's own Python may lie where nobody else can reach it."""
    for python in (sys.executable, "/usr/bin/python3"):
        try:
            if as_nobody(python, "-c", "").returncode == 0:
                return python
        except PermissionError:
            pass
    return check(False, "no Python that an ordinary user may run")


def may_make_user_namespaces(python):
    probe = f"import ctypes; raise SystemExit(ctypes.CDLL(None).unshare({CLONE_NEWUSER}) != 0)"
    return as_nobody(python, "-c", probe).returncode == 0


def refused_as_nobody(*args, says):
    done = as_nobody(*args, capture_output=True)
    check(done.returncode == 1, f"{args}: ended with {done.returncode}")
    check(len(done.stderr.splitlines()) == 1, f"not one line: {done.stderr!r}")
    for text in says:
        check(text in done.stderr, f"{text!r} is not in {done.stderr!r}")


def test(folder):
    python = python_for_nobody()
    program = os.path.join(folder, "netns")
    refused_as_nobody(program, "up", says=["up", "run as root", "netns.sh run CMD"])
    refused_as_nobody(program, "down", says=["down", "run as root"])
    if not may_make_user_namespaces(python):
        refused_as_nobody(program, "run", "true", says=["user namespace", "run as root"])
        print("skipped: this kernel gives user namespaces to root only")
        sys.exit(77)
    env = {**os.environ, "NETNS": program, "NSTCP_LAB_ROOTLESS": "1"}
    for script in ("world_test.py", "mend_test.py", "run_test.py", "stress_test.py",
                   "impair_test.py", "impair_stages_test.py"):
        done = as_nobody(python, "-B", os.path.join(folder, script), env=env)
        check(done.returncode == 0, f"{script} without root")


with tempfile.TemporaryDirectory() as temporary:
    os.chmod(temporary, 0o755)
    shutil.copy(NETNS, os.path.join(temporary, "netns"))
    for name in os.listdir(HERE):
        if name.endswith(".py"):
            shutil.copy(os.path.join(HERE, name), temporary)
    test(temporary)
