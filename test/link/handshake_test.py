"""The example `handshake` against the kernel's TCP."""
import time

from common import HANDSHAKE, check, run_all, server, tables
from lab import netns


def handshake(*argv):
    return netns("exec", "host1", HANDSHAKE, *argv)


def shown(done):
    """The packets it shows, as (sent or received, flags)."""
    return [tuple(line.split()) for line in done.stdout.splitlines()
            if line.startswith(("sent ", "received "))]


def test_established_and_closed():
    for addr in ("10.0.1.1", "fd00:0:0:2::1"):
        with server("host2", addr, 40000):
            done = handshake(addr, "40000")
        check(done.returncode == 0, f"{addr}: {done.returncode} {done.stderr}")
        packets = shown(done)
        check(packets[:4] == [("sent", "SYN"), ("received", "SYN|ACK"), ("sent", "ACK"),
                              ("sent", "FIN|ACK")], f"{addr}: {packets}")
        check(("received", "FIN|ACK") in packets, f"{addr}: {packets}")
        check(packets[-1] == ("sent", "ACK"), f"{addr}: {packets}")
        check("The connection is closed." in done.stdout, done.stdout)
        check("options: MSS 14" in done.stdout, done.stdout)
        check(tables("host1") == "", tables("host1"))


def test_refused():
    done = handshake("10.0.1.1", "40001")
    check(done.returncode == 1, f"{done.returncode}")
    check(done.stderr == "handshake: connection refused; nobody listens there: start the server first\n", done.stderr)
    check(shown(done) == [("sent", "SYN"), ("received", "RST|ACK")], done.stdout)


def test_no_answer():
    """An address that nobody has, behind the router and on our own link."""
    for addr in ("10.0.1.99", "10.0.0.99"):
        start = time.monotonic()
        done = handshake(addr, "40000")
        took = time.monotonic() - start
        check(done.returncode == 1, f"{done.returncode}")
        check(done.stderr == "handshake: within 5 s no answer came; "
              "is the other host up, and the way to it?\n", done.stderr)
        check(4.9 < took < 7, f"{addr}: {took} s")


def test_no_way():
    for addr, says in (("10.0.0.1", "an address of this host"), ("127.0.0.1", "of this host"),
                       ("224.0.0.1", "Network is unreachable"), ("::", "Network is unreachable")):
        done = handshake(addr, "40000")
        check(done.returncode == 1 and says in done.stderr, f"{addr}: {done.stderr}")
        check(shown(done) == [], done.stdout)


def test_usage():
    check(handshake("--help").returncode == 0, "--help")
    check(handshake("--help").stdout.startswith("usage: handshake [--pcap FILE] ADDR PORT"), "--help")
    for argv in ([], ["10.0.1.1"], ["10.0.1.1", "0"], ["10.0.1.1", "65536"], ["10.0.1.1", "x"],
                 ["host2", "80"], ["10.0.1.1", "80", "81"]):
        done = handshake(*argv)
        check(done.returncode == 2 and "usage" in done.stderr, f"{argv}: {done.returncode}")


if __name__ == "__main__":
    run_all(globals())
