"""A flood of forged SYNs (RFC 4987): honest clients come through, the kernel's and our own, while all
half-open connections that a listener may have are of addresses that nobody has."""
import os
import sys

from programs import HOST1, PORT, check, echoclient, echoserver, in_node, kernel_client, run_all, until

HALF_OPEN = 128
SYNS = 1000
FLOOD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "flood.py")


def flood():
    in_node("host2", sys.executable, FLOOD, HOST1, str(PORT), str(SYNS))


def half_open(server):
    return server.err.count(b"> SYN-RECEIVED")


def test_kernels_clients():
    """With timestamps, as they have them, nothing is lost of what was agreed: a megabyte goes and comes."""
    with echoserver("host1", HOST1, PORT, "--trace") as server:
        flood()
        until(lambda: half_open(server) == HALF_OPEN, lambda: f"{half_open(server)} half open")
        for ts in ("1", "0"):
            in_node("host2", "sysctl", "-qw", f"net.ipv4.tcp_timestamps={ts}")
            for length in (1, 1 << 20):
                said = kernel_client("host2", HOST1, PORT, length)
                check(said == "same", f"timestamps {ts}, {length} octets: {said}")
            flood()
        in_node("host2", "sysctl", "-qw", "net.ipv4.tcp_timestamps=1")


def test_our_client():
    with echoserver("host1", HOST1) as server:
        flood()
        with echoclient("host2", HOST1) as client:
            client.type("through\n")
            client.says("through\n")
            client.end()
        check(server.process.poll() is None, "the server is there")


run_all(globals(), families=True)
