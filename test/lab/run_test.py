"""`run`: the command's status, and nothing left behind, however it ends."""
import os
import signal
import subprocess
import sys
import time

from lab import NETNS, NODES, check, netns, ok, refused

MARK = f"nstcp-lab-test-{os.getpid()}"
# The command leaves a daemon that has left its session and ignores every polite signal.
DAEMON = f"""
import os, signal, sys, time
if os.fork() == 0:
    os.setsid()
    for sig in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(sig, signal.SIG_IGN)
    print("ready", flush=True)
    time.sleep(100)  # {MARK}
time.sleep(float(sys.argv[1]))
"""


def marked():
    """The processes, seen from outside, that the mark is in."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                if MARK.encode() in file.read():
                    found.append(int(pid))
        except OSError:
            pass
    return found


def surroundings():
    """What of the machine a lab could stray into: devices, mounts, names."""
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        mounts = file.read()
    names = os.listdir("/run/netns") if os.path.exists("/run/netns") else None
    return sorted(os.listdir("/sys/class/net")), mounts, names


def check_gone(what):
    for _ in range(100):  # SIGKILL of the outermost process is not the end of the innermost
        if not marked():
            return
        time.sleep(0.02)
    check(False, f"{what}: processes are left: {marked()}")


def test_status():
    check(netns("run", "true").returncode == 0, "true")
    check(netns("run", "sh", "-c", "exit 7").returncode == 7, "exit 7")
    check(netns("run", "sh", "-c", "kill -9 $$").returncode == 137, "killed")
    check(netns("run", "sh", "-c", "kill -TERM $$").returncode == 143, "terminated")
    refused("run", "/nonesuch", says=["/nonesuch", "No such file"], status=127)
    refused("run", "/etc/passwd", says=["/etc/passwd", "Permission denied"], status=126)
    for args in (["run"], ["exec", "host1"], ["up", "now"], ["sideways"]):
        refused(*args, says=["--help"], status=2)
    check("usage: netns.sh" in ok("--help"), "help")


def test_world():
    check(ok("run", "sh", "-c", "echo $NSTCP_LAB; ls /run/netns").split() ==
          ["private", *sorted(NODES)], "what the command sees")
    check(ok("run", "cat", stdin=subprocess.PIPE) == "", "standard input")
    # The command itself is in no node and not on the machine's network either.
    devices = ok("run", "cat", "/proc/net/dev").splitlines()[2:]
    check([line.split(":")[0].strip() for line in devices] == ["lo"], f"devices: {devices}")
    nested = ok("run", NETNS, "run", NETNS, "status").splitlines()
    check(nested[-1].strip() == "The lab is up.", "a lab in a lab")
    again = ok("run", "sh", "-c", f"{NETNS} down && {NETNS} up && {NETNS} status")
    check("The lab is up." in again, "up and down inside run")


def test_leftovers():
    done = netns("run", sys.executable, "-c", DAEMON, "0.1")
    check(done.stdout == "ready\n", done.stderr)
    check(not marked(), "a daemon outlived its command")


def test_signals():
    for sig, status in ((signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129),
                        (signal.SIGKILL, -9)):
        for shell in ([], ["sh", "-c", '"$@"; exit', "sh"]):
            argv = [NETNS, "run", *shell, sys.executable, "-c", DAEMON, "100"]
            with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                  text=True) as process:
                check(process.stdout.readline() == "ready\n", "not started")
                check(len(marked()) >= 3, "the mark does not show")
                process.send_signal(sig)
                ended = process.wait(10)
            check(ended == status, f"signal {sig}: ended with {ended}, not {status}")
            check_gone(f"signal {sig}")


def test_early_signal():
    """A signal while the lab is still being built ends it as well."""
    for delay in (0, 0.002, 0.005, 0.01, 0.02):
        with subprocess.Popen([NETNS, "run", "sh", "-c", "sleep 100; :", MARK], stderr=subprocess.DEVNULL) as p:
            time.sleep(delay)
            p.send_signal(signal.SIGTERM)
            check(p.wait(10) in (143, -15), f"ended with {p.returncode}")
        check_gone("early signal")


def test_eight():
    """Eight side by side, each with its own world; the hardware addresses tell them apart."""
    script = f"{NETNS} exec host1 cat /sys/class/net/host1-veth1/address; sleep 0.3; {NETNS} status"
    running = [subprocess.Popen([NETNS, "run", "sh", "-c", script], stdout=subprocess.PIPE,
                                text=True) for _ in range(8)]
    outputs = [process.communicate(timeout=60)[0] for process in running]
    check(all(process.returncode == 0 for process in running), "one failed")
    check(all("The lab is up." in output for output in outputs), "one is not up")
    check(len({output.split()[0] for output in outputs}) == 8, "two shared a lab")


before = surroundings()
for test in (test_status, test_world, test_leftovers, test_signals, test_early_signal, test_eight):
    test()
check(surroundings() == before, f"not as before: {before} {surroundings()}")
