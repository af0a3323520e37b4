"""The lab again and again, many hands at once, and every step of `up` failing in turn (by strace)."""
import itertools
import os
import subprocess
import tempfile

from lab import DIR, NETNS, check, check_whole, inside, ok, verdict

TIMES = 50
# Of these, every call that `up` makes is made to fail once.
CALLS = ("unshare", "mount", "setns", "socket", "bind", "sendto", "recvmsg", "write", "mkdir", "flock")


def state():
    """What a lab that has come and gone must not have changed."""
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        # Without the mounts' numbers.
        mounts = sorted(" ".join(line.split()[3:5]) for line in file)
    return mounts, sorted(os.listdir(DIR))


def namespaces():
    """In how many network namespaces there are processes, as far as this one can see."""
    found = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            found.add(os.readlink(f"/proc/{pid}/ns/net"))
        except OSError:
            pass
    return len(found)


def test_up_and_down():
    ok("down")
    before, processes = state(), namespaces()
    for i in range(TIMES):
        check(ok("up") == "" and verdict() == "The lab is up.", f"the {i}th time up: {verdict()}")
        check(ok("down") == "" and state() == before, f"the {i}th time down: {state()}")
    check(namespaces() == processes, "somebody lives in a namespace that is gone")
    ok("up")
    check_whole()


def at_once(*commands):
    running = [subprocess.Popen([NETNS, command], stderr=subprocess.PIPE, text=True)
               for command in commands]
    said = [process.communicate(timeout=60)[1] for process in running]
    check(all(process.returncode == 0 for process in running) and not any(said), f"{said}")


def test_at_once():
    """`up` and `down` wait for each other: the lab is whole or gone, never in between."""
    for _ in range(5):
        ok("down")
        at_once(*["up"] * 8)
        check(verdict() == "The lab is up.", verdict())
        at_once(*["up", "down"] * 4)
        check(verdict() in ("The lab is up.", "The lab is down."), verdict())
        at_once(*["down"] * 8)
        check(os.listdir(DIR) == [], f"left: {os.listdir(DIR)}")
    ok("up")
    check_whole()


def up_without(call, number, log):
    """`up`, whose number-th call of that name fails; None when there are not so many."""
    done = subprocess.run(["strace", "-qq", "-o", log, "-e", f"trace={call}", "-e",
                           f"inject={call}:error=ENOMEM:when={number}", NETNS, "up"],
                          capture_output=True, text=True, timeout=30, check=False)
    with open(log, encoding="utf-8") as file:
        return done if "(INJECTED)" in file.read() else None


def check_step(done, before, step):
    """It says in one line what failed, and what it had made is gone; or it did without."""
    if done.returncode == 0:
        check(verdict() == "The lab is up.", f"{step}: {verdict()}\n{ok('status')}")
        return
    said = done.stderr.splitlines()
    check(done.returncode == 1 and len(said) == 1 and said[0].startswith("netns: "),
          f"{step}: {done.returncode}: {done.stderr}")
    check(state() == before, f"{step}: left {state()}")


def test_each_step_fails():
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        ok("down")
        before = state()
        for call in CALLS:
            for number in itertools.count(1):
                ok("down")
                check(state() == before, f"{call} {number}: before: {state()}")
                done = up_without(call, number, os.path.join(folder, "log"))
                if not done:
                    break
                check_step(done, before, f"{call} {number}")
                failed += done.returncode
    check(failed > 50, f"only {failed} steps could fail")
    ok("up")
    check_whole()


def test():
    test_up_and_down()
    test_at_once()
    test_each_step_fails()


inside(test)
