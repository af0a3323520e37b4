"""IP_FREEBIND and IPV6_FREEBIND: an address that the kernel does not have is ours, for ARP and
neighbour discovery (RFC 826, RFC 4861), for ping (RFC 1122 3.2.2.6, RFC 4443 4.2) and for TCP."""
import filecmp
import os
import re
import tempfile

from lab import check, in_node, netns
from programs import HOST1, HOST1_6, HOST2, HOST2_6, KILL, PORT, SERVER, TERM, Program, \
    echoserver, established, fileclient, fileserver, kernel_client, kernel_server, run_all, tables, \
    until
from socktool import Tool

TOOL = os.environ["FREEBIND"]
OURS, OURS_6 = "10.0.0.77", "fd00:0:0:1::77"
FREEBIND = {4: (0, 15), 6: (41, 78)}  # IP_FREEBIND of IPPROTO_IP, IPV6_FREEBIND of IPPROTO_IPV6
FAMILIES = ((OURS, HOST1, HOST2), (OURS_6, HOST1_6, HOST2_6))


def pings(node, addr, *options):
    """Whether one of a few pings is answered, and none of them twice."""
    done = netns("exec", node, "ping", "-n", "-c", "3", "-i", "0.2", "-W", "2", *options, addr)
    check("DUP" not in done.stdout, done.stdout)
    return done.returncode == 0


def forget(addr):
    """The router's memory of who has the address."""
    netns("exec", "router", "ip", "neigh", "del", addr, "dev", "router-veth1")


def forwarding(node):
    for name in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
        in_node(node, "sh", "-c", f"echo 1 >/proc/sys/net/{name}")


def complaints(addr):
    """Counts what host1's kernel would send the router about packets to an address that it does
    not have: redirects and "unreachable". A function that says how many there were so far."""
    family, types = ("ip6", "icmpv6 type { 1, 3, 137 }") if ":" in addr else \
        ("ip", "icmp type { redirect, destination-unreachable, time-exceeded }")
    table = family, "complaints"
    in_node("router", "nft", "add", "table", *table)
    in_node("router", "nft", "add", "chain", *table, "in",
            "{ type filter hook prerouting priority -500; }")
    in_node("router", "nft", "add", "rule", *table, "in", "iifname", "router-veth1", types,
            "counter")
    return lambda: int(re.search(r"counter packets (\d+)", in_node(
        "router", "nft", "list", "table", *table)).group(1))


def test_owned():
    """Only while the program runs; also where the kernel forwards what is not its own."""
    counts = {addr: complaints(addr) for addr, _, _ in FAMILIES}
    for forwards in (False, True):
        if forwards:
            forwarding("host1")
        before = tables("host1")
        for addr, host1, _ in FAMILIES:
            forget(addr)
            check(not pings("router", addr), f"{addr}: nobody has it")
            with echoserver("host1", addr, PORT, "--freebind") as server:
                before_all = counts[addr]()
                for node in ("router", "host2"):
                    check(pings(node, addr), f"{addr} from {node}")
                    said = kernel_client(node, addr, PORT, 1 << 20)
                    check(said == "same", f"{node} to {addr}: {said}")
                    said = kernel_client(node, addr, 40001)
                    check(said == "ConnectionRefusedError", f"{addr}, nobody listens: {said}")
                # The kernel's own addresses are none of our business.
                with kernel_server("host1", host1):
                    check(kernel_client("host2", host1) == "same", "the kernel's TCP")
                check(pings("host2", host1), "the kernel's ping")
                check(counts[addr]() == before_all, "host1's kernel says nothing about it")
                server.signal(KILL)
                server.end(status=-KILL)
            until(lambda: tables("host1") == before, "the table is gone")
            check(not pings("router", addr), f"{addr}: nobody has it any more")


def test_neighbour_entry():
    """The peer learns our device's Ethernet address, by asking and by what we tell unasked."""
    mac = in_node("host1", "cat", "/sys/class/net/host1-veth1/address").strip()
    for addr, _, _ in FAMILIES:
        option = "-6" if ":" in addr else "-4"

        def entry():
            return in_node("router", "ip", option, "neigh", "show", addr)
        in_node("router", "ip", "neigh", "add", addr, "lladdr", "02:00:00:00:00:99", "dev",
                "router-veth1", "nud", "stale")  # who had it before
        with echoserver("host1", addr, PORT, "--freebind") as server:
            until(lambda: mac in entry(), "the announcement")
            forget(addr)
            check(pings("router", addr), "the answer to a question")
            check(mac in entry(), entry())
            # From another address of the router: an ARP request with another sender.
            other = "fd00:0:0:1::253" if ":" in addr else "10.0.0.253"
            in_node("router", "ip", "addr", "add", other + ("/64" if ":" in addr else "/24"), "dev",
                    "router-veth1", *(["nodad"] if ":" in addr else []))
            # The router's kernel joins the group of a new address a little later (RFC 4861 7.2.1).
            until(lambda: pings("router", addr, "-I", other), f"from {other}")
            server.signal(TERM)
            server.end()


def test_connect():
    for addr, _, host2 in FAMILIES:
        with kernel_server("host2", host2), \
                Program("host1", TOOL, "connect", addr, host2, PORT) as client:
            client.says(f"from {addr}\nsame\n")
            established("host2", addr)
            client.end()


def test_connect_on_link():
    """To a neighbour, whose Ethernet address is asked for in the name of the address."""
    for addr, router, family, asks in (
            (OURS, "10.0.0.254", "arp", "arp operation request arp saddr ip"),
            (OURS_6, "fd00:0:0:1::fe", "ip6", "icmpv6 type nd-neighbor-solicit ip6 saddr")):
        in_node("router", "nft", "add", "table", family, "asked")
        in_node("router", "nft", "add", "chain", family, "asked", "in",
                "{ type filter hook input priority 0; }")
        in_node("router", "nft", "add", "rule", family, "asked", "in", asks, addr,
                "arp daddr ip 10.0.0.254" if family == "arp" else "", "counter")
        with kernel_server("router", router), \
                Program("host1", TOOL, "connect", addr, router, PORT) as client:
            client.says(f"from {addr}\nsame\n")
            client.end()
        rules = in_node("router", "nft", "list", "table", family, "asked")
        check("counter packets 0 " not in rules, rules)


def bind(node, addr, *plain):
    return in_node(node, TOOL, "bind", addr, *plain).strip()


def test_errors():
    cannot, in_use = "Cannot assign requested address", "Address already in use"
    for addr, host1, host2 in FAMILIES:
        check(bind("host1", addr, "plain") == cannot, f"{addr} without the option")
        check(bind("host1", addr) == "bound", addr)
        check(bind("host1", addr, "plain") == cannot, "the stack that had it is gone")
        check(bind("host1", host1) == "bound", "an address of the kernel's, as without the option")
        check(bind("host1", host2) == cannot, "of no network of ours")
    for addr in ("10.0.0.254", "fd00:0:0:1::fe"):
        check(bind("host1", addr) == in_use, f"{addr}: the router's")
    for addr in ("0.0.0.0", "::"):
        check(bind("host1", addr) == "bound", addr)
    for addr in ("127.0.0.2", "224.0.0.1", "255.255.255.255", "10.0.0.255", "0.0.0.1", "240.0.0.1",
                 "::1", "ff02::1", "2001:db8::1", "192.0.2.1"):
        said = bind("host1", addr)
        check(said == cannot, f"{addr}: {said}")
    check(tables("host1") == "", "nothing is left")


def test_of_no_connection():
    """Addresses that no connection can have are refused at a port that is named as well as at one
    that we choose, which is held for every address already."""
    with Tool("host1", "nstcp") as ours:
        ours.socket(HOST1, 0)  # the ports of our choice are there
        for addr in ("127.0.0.1", "127.1.2.3", "10.0.0.255", "::1", "::ffff:127.0.0.1",
                     "::ffff:10.0.0.255"):
            for free in (0, 1):
                for port in (0, 23000):
                    sock = ours.socket(domain=6 if ":" in addr else 4)
                    sock.ok("set", *FREEBIND[sock.domain], free)
                    sock.fails("EADDRNOTAVAIL", "bind", addr, port)
        for addr in (HOST1, HOST1_6, "::ffff:10.0.0.1"):
            for port in (0, 23000):
                ours.socket(addr, port).close()


def test_elsewhere():
    """A stack stays in its network namespace, wherever the thread is that calls bind."""
    for addr, router in ((OURS, "10.0.0.254"), (OURS_6, "fd00:0:0:1::fe")):
        for wanted, said in ((addr, "bound\n"), (router, "Address already in use\n")):
            done = netns("exec", "host1", TOOL, "elsewhere", wanted)
            check((done.returncode, done.stdout) == (0, said), f"{wanted}: {done}")


def test_files():
    for addr, _, _ in FAMILIES:
        with tempfile.TemporaryDirectory() as folder:
            copy = os.path.join(folder, "copy")
            with fileserver("host1", addr, copy, "--freebind") as server, \
                    fileclient("host2", addr, TOOL) as client:
                client.ends_by_itself()
                client.end()
                server.ends_by_itself()
                server.end()
            check(filecmp.cmp(copy, TOOL, False), addr)


def test_two_programs():
    """An address has one owner: nobody else could know who is to answer a ping or a SYN."""
    for addr, host1, _ in FAMILIES:
        with echoserver("host1", addr, PORT, "--freebind") as server:
            done = netns("exec", "host1", SERVER, "--freebind", addr, "40001")
            check(done.returncode == 1 and "Address already in use" in done.stderr, str(done))
            check(bind("host1", addr.replace("77", "78")) == "bound", "another address")
            with echoserver("host1", host1):
                check(kernel_client("host2", host1) == "same", "another program, another address")
            check(pings("router", addr), "it is still the first one's")
            check(kernel_client("router", addr) == "same", "likewise")
            server.signal(TERM)
            server.end()
        check(bind("host1", addr) == "bound", "free again")
        done = netns("exec", "host1", TOOL, "twice", addr)
        check(done.stdout == "Cannot assign requested address\n", f"two sockets: {done}")


def test_later_address():
    """A device's MTU, address and so on may change meanwhile: the route says what to answer."""
    with echoserver("host1", OURS, PORT, "--freebind"):
        check(pings("router", OURS), "at first")
        in_node("host1", "ip", "link", "set", "host1-veth1", "address", "02:00:00:00:00:42")
        forget(OURS)
        until(lambda: pings("router", OURS), "with another Ethernet address")
        check("02:00:00:00:00:42" in in_node("router", "ip", "neigh", "show", OURS), "as told")


run_all(globals())
