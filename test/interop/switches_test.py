"""Timestamps, SACK, window scaling and ECN, each on or off at either end, between ours and the kernel's
TCP and among ours: what both have is used, and all arrives over a path that loses text and marks
packets."""
import itertools

from lab import damage
from programs import HOST1, HOST2, IP, check, run_all
from socktool import Lost, Marking, Tool, Wire

SWITCHES = ("tcp_timestamps", "tcp_sack", "tcp_ecn", "tcp_window_scaling")
ALL, NONE = frozenset(SWITCHES), frozenset()
SETS = [frozenset(s for s, on in zip(SWITCHES, each) if on)
        for each in itertools.product((True, False), repeat=len(SWITCHES))]
LENGTH = 150000
TEXT = {"ip": "ip length > 60", "ip6": "ip6 length > 40"}[IP]  # IPv6's is without its header
SYN, SYN6 = "tcp[tcpflags] & tcp-syn != 0", "ip6[6] = 6 and ip6[53] & 2 != 0"


def end(node, who, on):
    if who == "nstcp":
        return Tool(node, who, *(f"{s}={1 if s in on else -1}" for s in SWITCHES))
    for switch in SWITCHES:
        damage(node, "sysctl_write", f"ipv4/{switch}", "1" if switch in on else "0")
    return Tool(node, who)


def carry(tools):
    """Either end opens a connection, and both send by each."""
    for client, addr in ((0, HOST2), (1, HOST1)):
        listener = tools[1 - client].listen(addr)
        one = tools[client].connect(addr)
        other = listener.accept()
        calls = [one.start("send", LENGTH, 1), other.start("send", LENGTH, 2),
                 one.start("recv", LENGTH, 2), other.start("recv", LENGTH, 1)]
        for call in calls:
            call.ok()
        one.close()
        other.fails("END", "recv", 1, 1)
        other.close()
        listener.close()


def both_ways(wire, ends):
    """ends: who, and with which."""
    what = ", ".join(f"{who} with {sorted(on)}" for who, on in ends)
    print(what, flush=True)
    before = len(wire.lines())
    with end("host1", *ends[0]) as one, end("host2", *ends[1]) as two:
        carry((one, two))
    wire.settle()
    both = ends[0][1] & ends[1][1]
    answers = [line for line in wire.lines()[before:] if "Flags [S." in line]
    check(len(answers) == 2, f"{what}: {answers}")
    for line in answers:
        check(("TS val" in line) == ("tcp_timestamps" in both), f"{what}: {line}")
        check(("sackOK" in line) == ("tcp_sack" in both), f"{what}: {line}")
        check(("wscale" in line) == ("tcp_window_scaling" in both), f"{what}: {line}")
        check(("[S.E]" in line) == ("tcp_ecn" in both), f"{what}: {line}")


def over_a_bad_path(pairs):
    """Of the packets with text every 31st is lost, and of those that are ECT every 7th is marked."""
    with Lost(TEXT, "numgen inc mod 31 == 0") as lost, Marking() as marked, \
            Wire("host1", f"({SYN}) or ({SYN6})") as wire:
        for ends in pairs:
            both_ways(wire, ends)
        check(lost.packets() > 0 and marked.packets() > 0, "nothing was lost, or nothing marked")


def each_set(who, other):
    """One end with each set, the other with all; and with nothing."""
    over_a_bad_path([*[((who, on), (other, ALL)) for on in SETS], ((who, ALL), (other, NONE))])


def test_ours():
    each_set("nstcp", "kernel")


def test_the_kernels():
    over_a_bad_path([(("nstcp", ALL), ("kernel", on)) for on in SETS[1:-1]])


def test_among_ours():
    each_set("nstcp", "nstcp")


run_all(globals(), families=True)
