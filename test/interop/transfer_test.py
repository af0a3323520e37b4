"""Text of all sizes, to and from the kernel's TCP, whole and unchanged."""
import os
import subprocess
import time

from lab import damage
from programs import ANY, CLIENT, HOST1, HOST1_4, HOST1_6, HOST2, IP, NETNS, PORT, TERM, V6, \
    check, echoserver, echoclient, in_node, kernel_client, kernel_server, pattern, run_all
from socktool import Marking, Rule

SIZES = (1, 2, 1447, 1448, 1449, 65535, 65536, 1 << 20, (3 << 20) + 17)


def cpu_seconds(program):
    """User and system time of a program and the children it has waited for."""
    total = 0
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as f:
                words = f.read().split(b"\0")
            with open(f"/proc/{entry}/stat", encoding="ascii") as f:
                fields = f.read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if words[:len(program.argv)] == [arg.encode() for arg in program.argv]:
            total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def echoes(addr, length, port=PORT):
    """Our client sends that much and prints the same."""
    data = pattern(length)
    done = subprocess.run([NETNS, "exec", "host1", CLIENT, addr, str(port)], input=data,
                          capture_output=True, timeout=120, check=False)
    check(done.returncode == 0, f"{length} to {addr}: {done.returncode} {done.stderr}")
    check(done.stdout == data, f"{length} to {addr}: {len(done.stdout)} octets, other ones")


def test_client():
    with kernel_server("host2", HOST2):
        for length in (0, *SIZES):
            echoes(HOST2, length)


def test_client_64_mib():
    with kernel_server("host2", HOST2):
        echoes(HOST2, 64 << 20)


def test_server():
    with echoserver("host1", HOST1):
        for length in (0, *SIZES):
            said = kernel_client("host2", HOST1, PORT, length)
            check(said == "same", f"{length}: {said}")
        for length in (1, 1448, 60000):
            said = kernel_client("host2", HOST1, PORT, length, "half-close-first")
            check(said == "same", f"{length}, half-closed first: {said}")


def test_server_both_families():
    with echoserver("host1", "::"):
        for addr in (HOST1_4, HOST1_6):
            for length in (1, 65536, 1 << 20):
                said = kernel_client("host2", addr, PORT, length)
                check(said == "same", f"{addr}, {length}: {said}")


def test_server_64_mib():
    with echoserver("host1", ANY):
        said = kernel_client("host2", HOST1, PORT, 64 << 20)
        check(said == "same", said)


def test_ours_to_ours():
    with echoserver("host2", HOST2):
        for length in (1, 65536, 1 << 20, 64 << 20):
            echoes(HOST2, length)


def netstat(node, name):
    """A counter of the node's kernel, of those that `nstat` shows."""
    for line in in_node(node, "cat", "/proc/net/snmp6").splitlines():
        if line.split()[0] == name:
            return int(line.split()[1])
    lines = [line.split() for line in in_node(node, "cat", "/proc/net/netstat").splitlines()]
    for names, values in zip(lines[::2], lines[1::2]):
        if name in names:
            return int(values[names.index(name)])
    return None


def test_marking_path():
    """RFC 3168: the kernel asks for ECN, and the router marks what is ECT, in both directions: our
    text arrives marked there, and we tell it of what arrives marked here."""
    damage("host2", "sysctl_write", "ipv4/tcp_ecn", "1")
    with Marking(), echoserver("host1", HOST1):
        said = kernel_client("host2", HOST1, PORT, 1 << 20)
        check(said == "same", said)
    marked = netstat("host2", "Ip6InCEPkts" if V6 else "InCEPkts")
    told = netstat("host2", "TCPDeliveredCE")
    check(marked > 0, "none of our text was ECT")
    check(told > 0, "we have told the kernel of no mark")


def test_lossy_path():
    """To the kernel, from the kernel, and among us; and the trace says what was sent again. The router
    throws away every 31st packet of both directions together, and of the larger ones from host1 the
    fourth, so that host1 surely has to send text again."""
    with Rule("every_31st", "numgen inc mod 31 == 0", "drop"), \
            Rule("fourth", f"{IP} saddr {HOST1} meta length > 1000 numgen inc mod 10000 == 3", "drop"):
        with kernel_server("host2", HOST2):
            with echoclient("host1", HOST2, PORT, "--trace") as client:
                client.process.stdin.write(pattern(8 << 20))
                client.end()
                client.tells(" retransmit seq=")
            echoes(HOST2, 1 << 20)
        with echoserver("host2", ANY, 40001) as server:
            said = kernel_client("host1", HOST2, 40001, 1 << 20)
            check(said == "same", said)
            echoes(HOST2, 1 << 20, 40001)
            server.signal(TERM)
            server.end()


def test_busy_device():
    """A device slower than we are, with a short queue that refuses packets when it is full."""
    in_node("host1", "tc", "qdisc", "replace", "dev", "host1-veth1", "root", "tbf", "rate",
            "500mbit", "burst", "70k", "limit", "100kb")
    with kernel_server("host2", HOST2), \
            echoclient("host1", HOST2) as client:
        data = pattern(4 << 20)
        client.process.stdin.write(data)
        client.end()
        check(client.out == data, f"{len(client.out)} octets, other ones")
    check("dropped 0," not in in_node("host1", "tc", "-s", "qdisc", "show", "dev", "host1-veth1"),
          "the queue was never full")


def test_device_that_refuses():
    """Packets longer than the device ever takes: they are lost, as on a wire, and no more is. We do
    not spin meanwhile, the short ones get through, and all of it once the obstacle is gone."""
    in_node("host1", "tc", "qdisc", "replace", "dev", "host1-veth1", "root", "tbf", "rate",
            "500mbit", "burst", "1000b", "limit", "100kb")
    with kernel_server("host2", HOST2), echoclient("host1", HOST2) as client:
        client.type("short\n")
        client.says("short\n")
        used = cpu_seconds(client)
        data = pattern(10000)
        client.process.stdin.write(data)
        client.process.stdin.flush()
        time.sleep(1)
        used = cpu_seconds(client) - used
        check(used < 0.3, f"{used} s of CPU time in a second of waiting")
        in_node("host1", "tc", "qdisc", "del", "dev", "host1-veth1", "root")
        client.end()
        check(client.out == b"short\n" + data, f"{len(client.out)} octets, other ones")


run_all(globals(), families=True)
