"""IP fragments (RFC 791 3.2, RFC 8200 4.5): the kernel's TCP sends without DF, and the router cuts
what does not fit. What host1's kernel sees of it does not make it say anything."""
import json
import random
import re
import select
import socket
import struct
import sys
import time

from lab import check, in_node
from programs import HOST1, HOST1_6, HOST2, PORT, TERM, echoclient, echoserver, kernel_client, \
    kernel_server, run_all

ROUTER, ROUTER_6 = "10.0.0.254", "fd00:0:0:1::fe"


def setting(node, name, value):
    in_node(node, "sh", "-c", f"echo {value} >/proc/sys/net/{name}")


def fragmenting(mtu):
    """host2's segments arrive at host1 in fragments. A function that says how many there were. The
    device keeps its MTU: from the other end it would drop what is longer without a word."""
    setting("host2", "ipv4/ip_no_pmtu_disc", 1)
    in_node("router", "ip", "route", "replace", "10.0.0.0/24", "dev", "router-veth1", "src", ROUTER,
            "mtu", str(mtu))

    def made():
        names, values = [line.split() for line in in_node(
            "router", "cat", "/proc/net/snmp").splitlines() if line.startswith("Ip:")]
        return int(dict(zip(names, values))["FragCreates"])
    return made


def bad_answers():
    """Counts RST and ICMP errors from host1 at the router from now on."""
    table = "netdev", "bad"
    in_node("router", "nft", "add", "table", *table)
    in_node("router", "nft", "add", "chain", *table, "in",
            "{ type filter hook ingress device router-veth1 priority -500; }")
    for what in ("tcp flags & rst == rst", "icmp type != { echo-request, echo-reply }"):
        in_node("router", "nft", "add", "rule", *table, "in", what, "counter")
    return lambda: sum(int(n) for n in re.findall(
        r"counter packets (\d+)", in_node("router", "nft", "list", "table", *table)))


def transfer():
    """1 MiB to us and back, in both roles."""
    for addr, options in ((HOST1, ()), ("0.0.0.0", ()), ("10.0.0.77", ("--freebind",))):
        with echoserver("host1", addr, PORT, *options) as server:
            to = HOST1 if addr == "0.0.0.0" else addr
            said = kernel_client("host2", to, PORT, 1 << 20)
            check(said == "same", f"to {addr}: {said}")
            server.signal(TERM)
            server.end()
    text = "".join(random.Random(3).choices("abcdefgh\n", k=1 << 20)) + "\n"
    with kernel_server("host2", HOST2), echoclient("host1", HOST2) as client:
        client.type(text)
        check(client.end() == text, "the kernel's echo")


def test_transfer():
    for mtu in (1400, 576, 300):
        made = fragmenting(mtu)
        before, bad = made(), bad_answers()
        setting("host1", "ipv4/ipfrag_time", 1)  # the kernel's, so that we see what it says then
        transfer()
        check(made() - before > 4 * (1 << 20) / 1460, "there were fragments")
        time.sleep(2)  # the kernel's time for those it has kept
        check(bad() == 0, "no RST, no ICMP error")
        in_node("router", "nft", "delete", "table", "netdev", "bad")


def test_loss():
    """Every 50th fragment is lost; the rest of its packet is of no use, and TCP sends it again."""
    made = fragmenting(576)
    table = "netdev", "loss"
    in_node("router", "nft", "add", "table", *table)
    in_node("router", "nft", "add", "chain", *table, "out",
            "{ type filter hook egress device router-veth1 priority 0; }")
    in_node("router", "nft", "add", "rule", *table, "out",
            "ip frag-off & 0x3fff != 0 numgen inc mod 50 == 0 counter drop")
    transfer()
    check(made() > 4 * (1 << 20) / 1460, "there were fragments")
    lost = re.search(r"counter packets (\d+)", in_node("router", "nft", "list", "table", *table))
    check(int(lost.group(1)) > 100, "some were lost")


# Fragments of our own making: `fragments_test.py wire ...` runs in the router.

def checksum(octets):
    octets += b"\0" * (len(octets) % 2)
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ip_fragment(src, dst, payload, at, end):
    """payload[at:end] with an IP header of its own."""
    piece, more = payload[at:end], end < len(payload)
    if len(src) == 16:
        return struct.pack("!IHBB", 6 << 28, 8 + len(piece), 44, 64) + src + dst + \
            struct.pack("!BBHI", 6, 0, at | more, 7) + piece
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(piece), 7, more << 13 | at >> 3, 64, 6, 0)
    return ip[:10] + struct.pack("!H", checksum(ip + src + dst)) + src + dst + piece


def wire(mac, src, dst, port, client_port, pieces, patience):
    """Sends a SYN in these pieces to host1, and prints the flags of the segments that come back."""
    family = socket.AF_INET6 if ":" in src else socket.AF_INET
    src, dst = socket.inet_pton(family, src), socket.inet_pton(family, dst)
    syn = struct.pack("!HHIIBBHHH", int(client_port), int(port), 1, 0, 0x50, 2, 1000, 0, 0)
    syn += bytes(SYN_LEN - len(syn))
    pseudo = src + dst + struct.pack("!II", len(syn), 6)
    syn = syn[:16] + struct.pack("!H", checksum(pseudo + syn)) + syn[18:]
    ether = b"\x86\xdd" if family == socket.AF_INET6 else b"\x08\0"
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as sock:
        sock.bind(("router-veth1", 3))
        for at, end in json.loads(pieces):
            sock.send(bytes.fromhex(mac.replace(":", "")) + b"\2\0\0\0\0\1" + ether +
                      ip_fragment(src, dst, syn, at, end))
        until = time.monotonic() + float(patience)
        while (left := until - time.monotonic()) > 0 and select.select([sock], [], [], left)[0]:
            frame, (_, _, kind, _, _) = sock.recvfrom(2000)
            tcp = frame[14 + (40 if family == socket.AF_INET6 else 20):]
            ours = frame[12:14] == ether and frame[14:].find(dst + src) in (8, 12) and \
                tcp[2:4] == struct.pack("!H", int(client_port))
            if kind != socket.PACKET_OUTGOING and ours:
                print(tcp[13])


SYN_LEN = 120
SYN_ACK = str(0x12)


def answers(host1, port, client_port, pieces, patience=0.5):
    mac = in_node("host1", "cat", "/sys/class/net/host1-veth1/address").strip()
    return in_node("router", sys.executable, __file__, "wire", mac,
                   ROUTER_6 if ":" in host1 else ROUTER, host1, str(port), str(client_port),
                   json.dumps(pieces), str(patience)).split()


def test_hand_made():
    """To a port of ours."""
    for host1 in (HOST1, HOST1_6):
        with echoserver("host1", host1):
            for i, pieces in enumerate((
                    [(0, 40), (40, SYN_LEN)],
                    [(40, SYN_LEN), (0, 40)],
                    [(80, SYN_LEN), (40, 80), (40, 80), (0, 40)])):
                said = answers(host1, PORT, 1000 + i, pieces)
                check(SYN_ACK in said, f"{host1} {pieces}: {said}")
            for i, pieces in enumerate((
                    [(0, 40), (48, SYN_LEN)],    # a gap
                    [(0, 40), (32, SYN_LEN)],    # an overlap: RFC 5722
                    [(0, 16), (16, SYN_LEN)])):  # a TCP header in two: RFC 1858
                said = answers(host1, PORT, 2000 + i, pieces)
                check(said == [], f"{host1} {pieces}: {said}")


def test_port_of_the_kernel():
    """The kernel's answer is the only one: a port that we do not have is not ours to refuse."""
    for host1 in (HOST1, HOST1_6):
        with kernel_server("host1", host1, 40001), echoserver("host1", host1):
            for i, pieces in enumerate(([(0, 40), (40, SYN_LEN)], [(40, SYN_LEN), (0, 40)])):
                said = answers(host1, 40001, 1000 + i, pieces)
                check(said and set(said) == {SYN_ACK}, f"{host1} {pieces}: {said}")


if sys.argv[1:2] == ["wire"]:
    wire(*sys.argv[2:])
else:
    run_all(globals())
