"""guard: ports are ours alone, and of nobody when we are gone; everybody else is unharmed."""
import sys

from common import TOOL, Beside, beside, check, client, run_all, server, tables, tool
from lab import in_node, netns

ADDR = "10.0.1.1"
ADDR6 = "fd00:0:0:2::1"


def test_in_use():
    """Whoever comes second gets EADDRINUSE, and the sentence names what and why."""
    for addr, port in ((ADDR, f"{ADDR}:7000"), (ADDR6, f"[{ADDR6}]:7000"),
                       ("0.0.0.0", "0.0.0.0:7000"), ("::", "[::]:7000")):
        with beside("host2", "hold", addr, 7000):
            done = tool("host2", "hold", addr, 7000)
            check(done.stdout == f"bind {port}: Address already in use\n", done.stdout)
    with beside("host2", "hold", "0.0.0.0", 7000):
        check("in use" in tool("host2", "hold", ADDR, 7000).stdout, "wildcard, then address")
        with beside("host2", "hold", ADDR6, 7000):
            pass  # another family
    with server("host2", ADDR, 7000):
        check("in use" in tool("host2", "hold", ADDR, 7000).stdout, "kernel server")
        with beside("host2", "hold", ADDR, 7001):
            pass


def test_kernel_cannot_take_it():
    """Not even with SO_REUSEADDR, which create_server sets."""
    with beside("host2", "hold", ADDR, 7000):
        try:
            with server("host2", ADDR, 7000):
                check(False, "the kernel got our port")
        except SystemExit as end:
            check("not ready" in str(end), str(end))


def test_time_wait_is_no_obstacle():
    with server("host2", ADDR, 7000):
        check(client("host1", ADDR, 7000) == "HELLO", "kernel TCP")
    check("7000" in in_node("host2", "ss", "-tan", "state", "time-wait"), "no TIME-WAIT to test")
    with beside("host2", "hold", ADDR, 7000):
        pass


def test_addresses():
    done = tool("host2", "hold", "10.0.1.77", 7000)
    check(done.stdout == "bind 10.0.1.77:7000: Cannot assign requested address\n", done.stdout)
    with beside("host2", "hold", "10.0.1.77", 7000, "free"):
        check("10.0.1.77 . 7000" in in_node("host2", "nft", "list", "ruleset"), "free")
    for addr in ("127.0.0.1", "224.0.0.1", "255.255.255.255", "::1", "ff02::1"):
        for free in ((), ("free",)):
            done = tool("host2", "hold", addr, 7000, *free)
            check("Cannot assign requested address" in done.stdout, f"{addr}: {done.stdout}")


def test_hidden_from_the_kernel():
    """The kernel does not answer for a held port: a client hears nothing at all, not even RST."""
    for held, addr in ((ADDR, ADDR), (ADDR6, ADDR6), ("0.0.0.0", ADDR), ("::", ADDR6)):
        check(client("host1", addr, 7000) == "ConnectionRefusedError", f"{addr} before")
        with beside("host2", "hold", held, 7000) as holder:
            check(client("host1", addr, 7000, 0.5) == "TimeoutError", f"{held} held")
            check(holder.end() == "released\n", "release")
        check(client("host1", addr, 7000) == "ConnectionRefusedError", f"{addr} afterwards")


def test_wildcard_follows_addresses():
    """An address that comes later belongs to the wildcard as well."""
    with beside("host2", "hold", "0.0.0.0", 7000):
        in_node("host2", "ip", "addr", "add", "10.0.1.3/24", "dev", "host2-veth1")
        check(client("host1", "10.0.1.3", 7000, 0.5) == "TimeoutError", "new address")
        check(client("host1", "10.0.1.3", 7001) == "ConnectionRefusedError", "other port")


def test_kernel_servers_unharmed():
    in_node("host2", "ip", "addr", "add", "10.0.1.2/24", "dev", "host2-veth1")
    with server("host2", ADDR, 7001), server("host2", "10.0.1.2", 7000), \
            beside("host2", "hold", ADDR, 7000):
        check(client("host1", ADDR, 7001) == "HELLO", "another port")
        check(client("host1", "10.0.1.2", 7000) == "HELLO", "the same port of another address")
        check(client("host2", ADDR, 7001) == "HELLO", "over lo")


def test_transit_unharmed():
    """What only passes through is none of ours, whatever its port."""
    with server("host2", ADDR, 7000), beside("router", "hold", "0.0.0.0", 7000):
        check(client("host1", ADDR, 7000) == "HELLO", "through the router")
        check(client("host1", "10.0.0.254", 7000, 0.5) == "TimeoutError", "to the router")


def test_killed():
    """kill -9 leaves neither table nor port."""
    with beside("host2", "hold", ADDR, 7000) as holder, beside("host2", "blocks", 1):
        check(tables("host2").count("nstcp-") == 2, tables("host2"))
        holder.kill()
        check(tables("host2").count("nstcp-") == 1, "the other one's table stays")
    check(tables("host2") == "", tables("host2"))
    with server("host2", ADDR, 7000):
        check(client("host1", ADDR, 7000) == "HELLO", "the port is free again")


def test_table_is_nobody_elses():
    """Not even root's `nft flush ruleset` takes it away while we live."""
    with beside("host2", "hold", ADDR, 7000):
        in_node("host2", "nft", "flush", "ruleset")
        check(client("host1", ADDR, 7000, 0.5) == "TimeoutError", "flushed")


def test_too_many_files():
    done = netns("exec", "host2", "sh", "-c", f"ulimit -n 60; exec {TOOL} blocks 1")
    check(done.stdout == "claim a block of 64 ports: Too many open files\n", done.stdout)


def blocks(n):
    with beside("host2", "blocks", n) as holder:
        return [int(line) for line in holder.lines]


def test_blocks():
    """Blocks don't overlap, and lie where they should: first on top, then below the kernel's."""
    with beside("host2", "blocks", 14) as holder:
        first = [int(line) for line in holder.lines] + blocks(14)
    ports = [port for start in first for port in range(start, start + 64)]
    check(len(ports) == len(set(ports)), f"blocks overlap: {first}")
    check(all(61000 <= port <= 65535 for port in ports), f"{first}")
    starts = {blocks(1)[0] for _ in range(8)}
    check(len(starts) > 1, f"always the same block: {starts}")


def test_blocks_leave_ports_alone():
    """Reserved ports are not taken, nor those that somebody has."""
    with open("/etc/services", encoding="utf-8") as file:
        services = {int(word.split("/")[0]) for line in file for word in line.split()[1:2]
                    if word.endswith("/tcp")}
    reserved = "61000-62999,63000-65535"
    in_node("host2", "sh", "-c",
            f"echo {reserved} > /proc/sys/net/ipv4/ip_local_reserved_ports")
    first = blocks(4)
    for start in first:
        block = set(range(start, start + 64))
        check(1024 <= start and max(block) < 32768, f"{start} is not below the kernel's range")
        check(not block & services, f"{start}: {block & services}")


ECHO = """
import socket, sys
s = socket.create_server((sys.argv[1], int(sys.argv[2])))
print("ready", flush=True)
c, _ = s.accept()
s.close()
while text := c.recv(100):
    c.sendall(text)
"""
TALK = """
import socket, sys
c = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=2)
print("ready", flush=True)
for line in sys.stdin:
    c.sendall(line.encode())
    print(c.recv(100).decode(), end="", flush=True)
"""


def test_blocks_spare_connections():
    """A connection of the kernel's lives on where its listener has left, as an FTP server's does."""
    in_node("host2", "sh", "-c", "echo 1024-60999,61064-65535 >"
                                 " /proc/sys/net/ipv4/ip_local_reserved_ports")
    check(blocks(1) == [61000], "the only block there is")
    with Beside("host2", sys.executable, "-c", ECHO, ADDR, "61032"), \
            Beside("host1", sys.executable, "-c", TALK, ADDR, "61032") as talker:
        check(talker.say("before") == "before", "the kernel's connection")
        done = tool("host2", "blocks", 1)
        check(done.stdout == "claim a block of 64 ports: Address already in use\n", done.stdout)
        check(talker.say("after") == "after", "the kernel's connection afterwards")


def test_ephemeral_hidden():
    with beside("host2", "blocks", 1) as holder:
        first = int(holder.lines[0])
        for port in (first, first + 63):
            check(client("host1", ADDR, port, 0.5) == "TimeoutError", f"{port}")
            check(client("host1", ADDR6, port, 0.5) == "TimeoutError", f"{port}")
        check(client("host1", ADDR, first - 1) == "ConnectionRefusedError", "the one before")


if __name__ == "__main__":
    run_all(globals())
