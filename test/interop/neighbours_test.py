"""Neighbours on the link, for both families: ARP (RFC 826) and neighbour discovery (RFC 4861)."""
import socket

from programs import PORT, in_node, kernel_server, run_all, until
from socktool import Tool

# Addresses on host1's link that nobody has.
NOBODY = {"10.0.0.99": "24", "fd00:0:0:1::99": "64"}
RECVERR = {4: (0, 11), 6: (41, 25)}  # IP_RECVERR of IPPROTO_IP, IPV6_RECVERR of IPPROTO_IPV6


def test_nobody_there():
    """RFC 4861 7.2.2: unreachable, by ICMP of our own, when three questions had no answer. The
    connection goes on (RFC 9293 MUST-56), and finds who comes up late."""
    with Tool("host1", "nstcp") as ours:
        attempts = {}
        for addr in NOBODY:
            sock = attempts[addr] = ours.socket(domain=6 if ":" in addr else 4)
            sock.ok("set", *RECVERR[sock.domain], 1)
            sock.ok("nonblock")
            sock.fails("EINPROGRESS", "connect", addr, PORT)
        for addr, sock in attempts.items():
            errors = set()

            def told():
                errors.add(sock.ok("get", int(socket.SOL_SOCKET), int(socket.SO_ERROR)).text)
                return "113" in errors  # EHOSTUNREACH
            until(told, lambda: f"{addr}: unreachable, and not {errors}")
            sock.fails("EALREADY", "connect", addr, PORT)
        for addr, length in NOBODY.items():
            in_node("router", "ip", "addr", "add", f"{addr}/{length}", "dev", "router-veth1",
                    *(["nodad"] if ":" in addr else []))
        with kernel_server("router", "0.0.0.0"), kernel_server("router", "::"):
            for addr, sock in attempts.items():
                until(lambda: sock.events(4) == 4, f"{addr}: connected")  # POLLOUT
                sock.close()


run_all(globals())
