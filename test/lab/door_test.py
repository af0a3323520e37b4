"""netns.sh, the front door: finds its program, builds it when absent, says what is missing."""
import os
import shutil
import subprocess
import tempfile

from lab import check

SCRIPT = os.environ["NETNS_SH"]
TOOLS = ("sh", "dirname", "find", "grep", "tail", "flock", "touch")


def door(*args, **env):
    return subprocess.run([SCRIPT, *args], capture_output=True, text=True, timeout=110, cwd="/",
                          env={**os.environ, **env}, check=False)


def test(folder):
    build = os.path.join(folder, "build")
    tools = os.path.join(folder, "tools")
    os.mkdir(tools)
    for tool in TOOLS:
        os.symlink(shutil.which(tool), os.path.join(tools, tool))
    done = door("--help", NSTCP_BUILD=build, PATH=tools)
    check(done.returncode == 1 and done.stdout == "", f"without meson: {done.returncode}")
    check(done.stderr.startswith("netns: build: meson: not found") and
          done.stderr.count("\n") == 1, f"what it says: {done.stderr!r}")

    done = door("--help", NSTCP_BUILD=build)
    check(done.returncode == 0 and done.stderr == "", f"building it: {done.stderr}")
    check(done.stdout.startswith("usage: netns.sh"), f"help: {done.stdout!r}")
    # Now there is nothing to build: it needs no tools any more.
    done = door("run", "/bin/sh", "-c", "exit 3", NSTCP_BUILD=build, PATH=tools)
    check(done.returncode == 3, f"run: {done.returncode}: {done.stderr}")
    check(door("sideways", NSTCP_BUILD=build).returncode == 2, "wrong usage")


with tempfile.TemporaryDirectory() as temporary:
    test(temporary)
