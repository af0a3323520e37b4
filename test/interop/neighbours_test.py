"""Neighbours on the link, for both families: ARP (RFC 826) and neighbour discovery (RFC 4861)."""
import socket

from programs import HANDSHAKE, PORT, Program, check, echoclient, echoserver, in_node, \
    kernel_client, kernel_server, netns, run_all, until
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


def link_local(node, device):
    """The kernel's link-local address there."""
    words = in_node(node, "ip", "-6", "-o", "addr", "show", "dev", device, "scope", "link").split()
    return words[words.index("inet6") + 1].split("/")[0]


def add(node, device, addr):
    in_node(node, "ip", "addr", "add", f"{addr}/64", "dev", device, "nodad")


def test_link_local_client():
    """RFC 4007: the link is part of the address; the source is of that link, too."""
    router = f"{link_local('router', 'router-veth1')}%host1-veth1"
    us = f"{link_local('host1', 'host1-veth1')}%host1-veth1"
    with kernel_server("router", "::"):
        with echoclient("host1", router) as client:
            client.type("hello\n")
            client.says("hello\n")
            client.end()
        with Tool("host1", "nstcp") as ours:
            sock = ours.connect(router)
            check(sock.ok("peer").text == f"{router} {PORT}", sock.ok("peer").text)
            check(sock.ok("name").text.split()[0] == us, sock.ok("name").text)
            sock = ours.socket(us, 0)  # it is bound to a link
            sock.ok("connect", router.split("%")[0], PORT)
            check(sock.ok("peer").text == f"{router} {PORT}", sock.ok("peer").text)
            sock = ours.socket(domain=6)
            sock.fails("EINVAL", "connect", router.split("%")[0], PORT)
            sock.fails("EADDRNOTAVAIL", "connect", us, PORT)
            sock.fails("EINVAL", "bind", us.split("%")[0], 0)
            sock.fails("EADDRNOTAVAIL", "bind", router, 0)
        with Program("host1", HANDSHAKE, router, PORT) as client:
            client.says("The connection is closed.")
            client.end()


def test_link_local_server():
    us, device = link_local("host1", "host1-veth1"), "host1-veth1"
    for addr in ("::", f"{us}%{device}"):
        with echoserver("host1", addr):
            said = kernel_client("router", f"{us}%router-veth1", PORT, 1 << 20)
            check(said == "same", f"{addr}: {said}")
    with Tool("host1", "nstcp") as ours:
        listener = ours.listen("::")
        with Program("router", "nc", f"{us}%router-veth1", PORT):
            said = listener.ok("accept").text.split()[0]
            check(said == f"{link_local('router', 'router-veth1')}%{device}", said)


def test_one_address_on_two_links():
    """The same addresses and ports on two links are two connections; and a port is ours on the one
    link and the kernel's on the other."""
    for device in ("router-veth1", "router-veth2"):
        add("router", device, "fe80::1")
    for node in ("host1", "host2"):
        add(node, f"{node}-veth1", "fe80::5")
    with Tool("router", "nstcp") as ours, Tool("host1", "kernel") as one, \
            Tool("host2", "kernel") as two:
        listener = ours.listen("::")
        ends = []
        for tool in (one, two):
            theirs = tool.socket(f"fe80::5%{tool.node}-veth1", 50000)
            theirs.ok("connect", f"fe80::1%{tool.node}-veth1", PORT)
            ends.append((theirs, listener.accept()))
        names = {our.ok("peer").text for _, our in ends}
        check(names == {"fe80::5%router-veth1 50000", "fe80::5%router-veth2 50000"}, str(names))
        for seed, (theirs, our) in enumerate(ends):
            for sender, receiver in ((theirs, our), (our, theirs)):
                sender.ok("send", 100000, seed)
                receiver.ok("recv", 100000, seed)
        sock = ours.listen("fe80::1%router-veth1", 40001)
        with kernel_server("router", "fe80::1%router-veth2", 40001):
            for node, whose in (("host1", "ours"), ("host2", "the kernel's")):
                done = netns("exec", node, "nc", "-zw20", f"fe80::1%{node}-veth1", "40001")
                check(done.returncode == 0, f"{node}: {whose}, {done}")
        check(sock.ok("accept").text.startswith("fe80::"), "ours")
        sock.ok("nonblock")
        sock.fails("EAGAIN", "accept")


run_all(globals())
