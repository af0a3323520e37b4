"""Links of other MTUs than 1500, narrow places on the way (RFC 1191, RFC 8201), and ICMP errors,
true and forged (RFC 5927): with the kernel's router and the kernel's TCP. Less than 1280 is IPv4's
alone."""
import os
import re
import socket
import struct
import sys

from programs import CLIENT, HOST1, HOST2, PORT, TERM, V6, Program, check, echoclient, echoserver, \
    family, in_node, kernel_client, kernel_server, name, nc_listens, pattern, run_all, until
from socktool import Lost, Tool, Wire

LENGTH = 1 << 20
TOO_BIG = b"(too big for the path)"
NETS = ("fd00:0:0:1::/64", "fd00:0:0:2::/64") if V6 else ("10.0.0.0/24", "10.0.1.0/24")
METRIC = ("metric", "256") if V6 else ()  # the kernel's own, to be replaced
HEADERS = 60 if V6 else 40
NARROW = 1280 if V6 else 1000


def narrow(mtu):
    """The router forwards no larger packets, though all devices have 1500: a veth whose end has
    less would throw larger frames away without a word."""
    for net, device in zip(NETS, ("router-veth1", "router-veth2")):
        in_node("router", "ip", "route", "replace", net, "dev", device, *METRIC, "mtu", "lock",
                str(mtu))


def first_again(program):
    """Why our program first sent something again."""
    reasons = re.findall(rb" retransmit seq=.*?(\(.*\))\n", program.err)
    return reasons[0] if reasons else None


def echoes(mtu):
    """Our client meets the narrow place with its first full segments, recovers before any timer
    runs out, and gets all of its text back. On a machine so busy that a message from the router
    takes 200 ms it may try again: a client of its own has nothing to remember."""
    data = pattern(LENGTH)
    for _ in range(3):
        with echoclient("host1", HOST2, PORT, "--trace") as client:
            client.process.stdin.write(data)
            client.end()
            check(client.out == data, f"MTU {mtu}: {len(client.out)} octets, other ones")
            if (why := first_again(client)) == TOO_BIG:
                return
    check(False, f"MTU {mtu}: first again: {why}")


def learned(server):
    server.signal(TERM)
    server.end()
    check(TOO_BIG in server.err, f"first again: {first_again(server)}")


def through(mtu):
    """Ours to the kernel, ours to ours, with text both ways."""
    narrow(mtu)
    with kernel_server("host2", HOST2):
        echoes(mtu)
    with echoserver("host2", HOST2, PORT, "--trace") as server:
        echoes(mtu)
        learned(server)


def from_the_kernel(mtu):
    """In a lab of its own: once the kernel knows the path's MTU it announces an MSS of no more
    (RFC 1191 6.4 says otherwise), so that nothing of ours would be too big."""
    narrow(mtu)
    with echoserver("host1", HOST1, PORT, "--trace") as server:
        said = kernel_client("host2", HOST1, PORT, LENGTH)
        check(said == "same", f"kernel to ours, MTU {mtu}: {said}")
        learned(server)


def test_narrow():
    through(NARROW)


def test_narrow_from_the_kernel():
    from_the_kernel(NARROW)


def test_576_ipv4():
    through(576)


def test_576_from_the_kernel_ipv4():
    from_the_kernel(576)


def test_router_device():
    """The router's device itself is smaller than the hosts'. Only towards host2: what host2 sends
    has to be small, for the router's end of the veth takes no more."""
    in_node("router", "ip", "link", "set", "dev", "router-veth2", "mtu", str(NARROW))
    with nc_listens("host2", HOST2) as sink, echoclient("host1", HOST2, PORT, "--trace") as client:
        data = pattern(LENGTH)
        client.process.stdin.write(data)
        client.end_of_input()
        until(lambda: len(sink.out) == LENGTH, f"{sink} gets all")
        sink.end()
        client.end()
        check(sink.out == data, "other octets")
        check(TOO_BIG in client.err, f"first again: {first_again(client)}")


def test_narrower_later():
    """In the middle of a connection, twice."""
    with kernel_server("host2", HOST2), echoclient("host1", HOST2, PORT, "--trace") as client:
        data = pattern(LENGTH)
        for i, mtu in enumerate((1500, 1400, 1280) if V6 else (1500, 1200, 700)):
            narrow(mtu)
            client.process.stdin.write(data)
            client.process.stdin.flush()
            until(lambda: len(client.out) == (i + 1) * LENGTH, f"{client}: MTU {mtu}")
            until(lambda: client.err.count(TOO_BIG) >= i, f"{client}: MTU {mtu}")
        client.end()
        check(client.out == 3 * data, "other octets")


def test_next_connection_knows():
    """A server's second connection to the same host begins with what the first has learned."""
    narrow(NARROW)
    with echoserver("host2", HOST2, PORT, "--trace") as server:
        echoes(NARROW)
        before = server.err.count(TOO_BIG)
        check(before > 0, "the first has learned")
        echoes(NARROW)
        check(server.err.count(TOO_BIG) == before, "the second had to learn again")


def test_black_hole():
    """tcp_mtu_probing: what a path swallows without a word goes on in smaller packets after R1
    retransmissions (RFC 4821 7.7); or, with -1, as it was."""
    for value, found in ((-1, False), (1, True)):
        with Lost("meta length > 1400"), Wire("host1") as wire, Tool("host2", "kernel") as kernels, \
                Tool("host1", "nstcp", f"tcp_mtu_probing={value}") as ours:
            listener = kernels.listen(HOST2)
            one = ours.connect(HOST2)
            other = listener.accept()
            sending = one.start("send", 1400, 1)
            if found:
                other.start("recv", 1400, 1).ok()
                sending.ok()
                continue
            wire.settle()
            first = wire.segments(node="host1", flags="S")[0].seq + 1
            until(lambda: len(wire.segments(node="host1", seq=first)) > 5, "five times again")
            lengths = {seg.length for seg in wire.segments(node="host1", seq=first) if seg.length}
            check(min(lengths) > 1300, f"{value}: {lengths}")


# ---- MTUs of the devices ----

def set_mtus(left, right):
    for node, device, mtu in (("host1", "host1-veth1", left), ("router", "router-veth1", left),
                              ("router", "router-veth2", right), ("host2", "host2-veth1", right)):
        in_node(node, "ip", "link", "set", "dev", device, "mtu", str(mtu))


def mss_of(run):
    """The MSS options of SYN and SYN-ACK while run() connects once, as tcpdump reads them."""
    with Program("router", "tcpdump", "--immediate-mode", "-Unni", "router-veth1", "-v", "-c", "2",
                 "(ip and tcp[tcpflags] & tcp-syn != 0) or "
                 "(ip6 proto 6 and ip6[53] & 2 != 0)") as dump:
        dump.tells("listening on")
        run()
        dump.ends_by_itself()
    return [int(mss) for mss in re.findall(rb"mss (\d+)", dump.out)]


def check_mtus(left, right):
    """Each end announces its own link (MUST-67), and text of all sizes goes through."""
    set_mtus(left, right)
    want = [left - HEADERS, right - HEADERS]
    with kernel_server("host2", HOST2):
        got = mss_of(transfer)
        check(got == want, f"client: MSS {got}, not {want}")
    with echoserver("host2", HOST2):
        got = mss_of(transfer)
        check(got == want, f"both: MSS {got}, not {want}")
    with echoserver("host1", HOST1):
        got = mss_of(lambda: check(kernel_client("host2", HOST1, PORT, LENGTH) == "same", "text"))
        check(got == want[::-1], f"server: MSS {got}, not {want[::-1]}")


def transfer():
    data = pattern(LENGTH)
    with Program("host1", CLIENT, HOST2, PORT) as client:
        client.process.stdin.write(data)
        client.end()
        check(client.out == data, f"{len(client.out)} octets, other ones")


def test_mtu_9000():
    check_mtus(9000, 9000)


def test_mtu_576_ipv4():
    check_mtus(576, 576)


def test_mtu_unequal():
    for left, right in ((1500, 9000), (9000, 1280 if V6 else 576), (1280, 1500)):
        check_mtus(left, right)


def test_device_among_others():
    """A connection from outside has the MTU of the device its SYN came by, not the smallest of
    all."""
    in_node("host1", "ip", "link", "add", "small", "mtu", "1300", "type", "veth", "peer", "other")
    in_node("host1", "ip", "link", "set", "small", "up")
    with echoserver("host1", HOST1):
        got = mss_of(lambda: kernel_client("host2", HOST1, PORT, LENGTH))
        check(got == 2 * [1500 - HEADERS], f"MSS {got}")


def test_device_shrinks():
    """Under a connection: its own link then says what a router would. First one segment that gets
    no answer at all, then many. It has to be one: of several in one, which are for the device to
    cut, the link says nothing."""
    with kernel_server("host2", HOST2), echoclient("host1", HOST2, PORT, "--trace") as client:
        client.type("hello\n")
        client.says("hello\n")
        for node in ("host1", "router"):
            in_node(node, "ip", "link", "set", "dev", f"{node}-veth1", "mtu", str(NARROW))
        text = "x" * 1399 + "\n"
        client.type(text)
        client.says(text)
        client.tells(TOO_BIG.decode())  # the trace may be read later than the text
        data = pattern(LENGTH)
        client.process.stdin.write(data)
        client.end()
        check(client.out == b"hello\n" + text.encode() + data, "other octets")


# ---- ICMP errors in answer to a SYN ----

def reject(reason):
    """The router refuses our SYNs so."""
    in_node("router", "nft", "add", "table", "inet", "no")
    in_node("router", "nft", "add", "chain", "inet", "no", "forward",
            "{ type filter hook forward priority 0; }")
    in_node("router", "nft", "add", "rule", "inet", "no", "forward", "tcp", "dport", str(PORT),
            "reject", "with", "icmpv6" if V6 else "icmp", "type", reason)


def test_hard_error():
    """SHLD-26: a port that is unreachable refuses at once."""
    reject("port-unreachable")
    with echoclient("host1", HOST2, PORT, "--trace") as client:
        client.end(status=1)
        check(b"Connection refused" in client.err, str(client))
        check(client.err.count(b" sent ") == 1, f"more than one SYN: {client}")


def test_soft_error():
    """MUST-56: a host that is unreachable may be reached by the next SYN. The kernel's connect()
    fails here."""
    reject("addr-unreachable" if V6 else "host-unreachable")
    said = kernel_client("host1", HOST2)
    check(said == "OSError", f"the kernel's: {said}")
    with kernel_server("host2", HOST2), echoclient("host1", HOST2, PORT, "--trace") as client:
        client.tells("retransmit")
        in_node("router", "nft", "delete", "table", "inet", "no")
        client.type("hello\n")
        client.says("hello\n")
        client.end()


# ---- Forged errors ----

def checksum(octets):
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return 0xffff ^ total


def forge(port, seq, mtu):
    """Run in a node: "too big", about a segment of host1's to host2. The kernel has the checksum of
    ICMPv6."""
    ends = socket.inet_pton(family(HOST1), HOST1) + socket.inet_pton(family(HOST2), HOST2)
    tcp = struct.pack("!HHI", int(port), PORT, int(seq) & 0xffffffff)
    if V6:
        quoted = struct.pack("!IHBB", 6 << 28, 1460, 6, 64) + ends + tcp
        message = struct.pack("!BBHI", 2, 0, 0, int(mtu)) + quoted
    else:
        quoted = struct.pack("!BBHHHBBH", 0x45, 0, 1500, 0, 0x4000, 64, 6, 0) + ends + tcp
        message = struct.pack("!BBHHH", 3, 4, 0, 0, int(mtu)) + quoted
        message = message[:2] + struct.pack("!H", checksum(message)) + message[4:]
    protocol = socket.IPPROTO_ICMPV6 if V6 else socket.IPPROTO_ICMP
    with socket.socket(family(HOST1), socket.SOCK_RAW, protocol) as raw:
        raw.sendto(message, (HOST1, 0))


def test_forged():
    """RFC 5927 4.1: believed only when it is about a segment in flight, and of an MTU that can be."""
    true, least = (1280, 1280) if V6 else (600, 68)
    with kernel_server("host2", HOST2), echoclient("host1", HOST2, PORT, "--trace") as client:
        client.type("hello\n")
        client.says("hello\n")
        in_node("router", "nft", "add", "table", "inet", "mute")
        in_node("router", "nft", "add", "chain", "inet", "mute", "forward",
                "{ type filter hook forward priority 0; policy drop; }")
        text = "x" * 1399 + "\n"
        client.type(text)
        sent = re.compile(f" sent {re.escape(name(HOST1, ''))}".encode() +
                          rb"(\d+) > \S+ \S+ seq=(\d+) .*payload_len=1400")
        until(lambda: sent.search(client.err), f"{client} sends")
        port, seq = (int(n) for n in sent.search(client.err).groups())

        def send(*args):
            in_node("router", sys.executable, os.path.abspath(__file__), "forge",
                    *(str(arg) for arg in args))

        forged = (port, seq - 1, true), (port, seq + 1400, true), (port, seq + 0x80000000, true), \
            (port ^ 1, seq, true), (port, seq, least - 1), (port, seq, 1500)
        for i, args in enumerate(forged, 1):
            send(*args)
            until(lambda: client.err.count(b"dropped (ICMP: ") == i, f"{client}: {args}")
        check(TOO_BIG not in client.err, f"a forged one is believed: {client}")
        send(port, seq, true)
        client.tells(TOO_BIG.decode())
        in_node("router", "nft", "delete", "table", "inet", "mute")
        client.says(text)
        client.end()


if sys.argv[1:2] == ["forge"]:
    forge(*sys.argv[2:])
else:
    run_all(globals(), families=True)
