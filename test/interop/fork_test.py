"""A program that forks: the child owns nothing, so what ends with the parent ends with it, though the
child lives on. Also, how a process ends: in order, without a word, by kill -9."""
import os
import re
import signal
import sys
from contextlib import contextmanager

from programs import HOST1, KILL, PORT, Program, check, in_node, kernel_client, kernel_server, \
    netns, run_all, tables, until

FORKER = os.environ["FORKER"]
TALK = """
import socket, sys
c = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=20)
print("connected", flush=True)
try:
    for line in sys.stdin:
        c.sendall(line.encode())
        print(c.recv(100).decode() or "the end", flush=True)
except OSError as error:
    print(type(error).__name__, flush=True)
"""


def forker():
    program = Program("host1", FORKER, HOST1, PORT)
    program.says("ready\n")
    return program


def talker():
    """A client of the kernel's TCP, connected, that sends each line and prints what comes back."""
    program = Program("host2", sys.executable, "-c", TALK, HOST1, PORT)
    program.says("connected\n")
    return program


def echoed(program, text):
    program.type(text + "\n")
    program.says(text + "\n")


@contextmanager
def child_of(program, what):
    """Has it fork; the child's process id. The child is there until the `with` ends."""
    program.type(what + "\n")
    until(lambda: re.search(rb"child (\d+)\n", program.out), f"{program}: a child")
    child = int(re.search(rb"child (\d+)\n", program.out).group(1))
    try:
        yield child
        os.kill(child, 0)
    finally:
        os.kill(child, KILL)


def kernel_has_the_port():
    """The kernel's TCP may take it, and serves there."""
    with kernel_server("host1", HOST1):
        check(kernel_client("host2", HOST1, PORT, 1000) == "same", "the kernel's server")


def held():
    done = netns("exec", "host1", FORKER, HOST1, str(PORT))
    return "Address already in use" in done.stdout


def after_the_parent(end):
    """The parent ends while its child lives: nothing is left but the child."""
    before = tables("host1")
    with forker() as parent, talker() as peer:
        echoed(peer, "before")
        with child_of(parent, "fork"):
            echoed(peer, "between")
            check(tables("host1") != before and held(), "there is something to be left behind")
            end(parent)
            check(tables("host1") == before, f"left: {tables('host1')}")
            peer.type("after\n")
            peer.says("ConnectionResetError")
            kernel_has_the_port()


def test_parent_killed():
    def end(parent):
        parent.signal(KILL)
        parent.process.wait()
    after_the_parent(end)


def test_parent_exits():
    """Without nstcp_destroy: as a crash."""
    def end(parent):
        parent.type("exit\n")
        check(parent.process.wait() == 0, f"{parent}: status")
    after_the_parent(end)


def test_parent_destroys():
    """The port is free and the peer has its FIN while parent and child both live."""
    before = tables("host1")
    with forker() as parent, talker() as peer:
        echoed(peer, "before")
        with child_of(parent, "fork"):
            parent.type("destroy\n")
            parent.says("destroyed\n")
            check(tables("host1") == before, f"left: {tables('host1')}")
            kernel_has_the_port()
            peer.type("after\n")  # the FIN came first
            peer.says("the end\n")


def test_parent_goes_on():
    """The child's end takes nothing from the parent, whether it disowned its copies or not."""
    for what in ("fork", "disown"):
        with forker() as parent, talker() as peer:
            echoed(peer, "before")
            with child_of(parent, what) as child:
                echoed(peer, "between")
                links = [os.readlink(f"/proc/{child}/fd/{fd}")
                         for fd in os.listdir(f"/proc/{child}/fd")]
                inodes = in_node("host1", "awk", "NR > 1 { print $9 }", "/proc/net/packet").split()
                mine = sum(f"socket:[{inode}]" in links for inode in inodes)
                check(mine == (what == "fork"), f"{what}: {mine} packet sockets in the child")
            echoed(peer, "after")
            check(held(), "still held")


def test_stack_of_the_childs_own():
    """It outlives the parent's."""
    with forker() as parent, child_of(parent, "own"):
        parent.signal(KILL)
        parent.process.wait()
        kernel_has_the_port()
        check(tables("host1").count("nstcp-") == 1, tables("host1"))
        with Program("host2", sys.executable, "-c", TALK, HOST1, PORT + 1) as peer:
            peer.says("connected\n")


def test_exec():
    """Every descriptor is close-on-exec: 3 is the folder that ls reads."""
    with forker() as parent, talker() as peer:
        echoed(peer, "before")
        parent.type("exec\n")
        parent.says("executed\n")
        said = parent.out.decode().split()
        check(said == ["ready", "0", "1", "2", "3", "executed"], f"{said}")
        echoed(peer, "after")


def status(pid, task):
    """A thread's lines in proc(5)."""
    with open(f"/proc/{pid}/task/{task}/status", encoding="ascii") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file)


def test_not_the_programs():
    """What the ports are held by is in a table of its own: RLIMIT_NOFILE is the program's to use.
    And no signal for the program ends up in a thread of ours."""
    with forker() as parent:
        pid = parent.process.pid
        fds, blocked = {}, {}
        for task in os.listdir(f"/proc/{pid}/task"):
            of = status(pid, task)
            fds[of["Name"]] = len(os.listdir(f"/proc/{pid}/task/{task}/fd"))
            blocked[of["Name"]] = int(of["SigBlk"], 16)
        # 0 to 2 are kept from everybody, then netlink and the port.
        check(fds["nstcp-keeper"] == 5 and fds["nstcp"] == fds["forker"], f"{fds}")
        for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
            for name in "nstcp", "nstcp-keeper":
                check(blocked[name] >> number - 1 & 1, f"{name}: {number}")


run_all(globals(), families=True)
