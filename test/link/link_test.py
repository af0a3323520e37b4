"""The packet link through the router of a lab: super-segments, the filter, devices, routes."""
import sys
import time

import common
from common import Beside, beside, check, numbers, run_all, tool
from lab import DEVICES, damage, in_node

ADDR = "10.0.1.1"
ADDR6 = "fd00:0:0:2::1"
LEN = 64000
TIMES = 40


def transfer(listen, addr, mss, times=TIMES, length=LEN, *memory):
    """Sends from host1 to host2; returns what the listener saw."""
    with beside("host2", "listen", listen, 7000, times * length) as listener:
        sent = numbers(tool("host1", "send", addr, 7000, times, length, mss, *memory).stdout)
        check(sent["sent"] == times and sent["refused"] == 0, f"{sent}")
        got = numbers(listener.end())
    check(got["octets"] == times * length and got["bad"] == 0, f"{listen}: {got}")
    check(got["foreign"] == 0 and got["overflow"] == 0, f"{listen}: {got}")
    return {**got, "whole": sent["whole"]}


def test_super_segments():
    """They reach the other end whole: one packet there for each that was sent."""
    for listen, addr, mss in ((ADDR, ADDR, 1448), (ADDR6, ADDR6, 1428), ("0.0.0.0", ADDR, 1448),
                              ("::", ADDR6, 1428), (ADDR, ADDR, 536)):
        got = transfer(listen, addr, mss)
        check(got["packets"] == TIMES == got["super"], f"{listen} {mss}: {got}")


def test_small_packets():
    got = transfer(ADDR, ADDR, 1448, times=200, length=1448)
    check(got["packets"] == 200 and got["super"] == 0, f"{got}")


def test_pieces():
    """The kernel takes a large frame into one piece of memory, but for the first ones, which wait
    for the neighbour's address. Where it has none, that is tried once in 1024, and nothing is
    lost."""
    got = transfer(ADDR, ADDR, 1448)
    check(TIMES - 4 <= got["whole"] < TIMES, f"{got}")
    got = transfer(ADDR, ADDR, 1448, TIMES, LEN, "scarce")
    check(got["whole"] == 1 and got["packets"] == TIMES, f"{got}")
    got = transfer(ADDR, ADDR, 1448, 1100, 5000, "scarce")
    check(got["whole"] == 2 and got["packets"] == 1100, f"{got}")


def test_placed():
    """Text that is waited for goes straight there, also behind what was too short for that, and
    what there is no room for any more, when there is some again."""
    large, small = 64000, 1504
    octets = TIMES // 2 * (large + small)
    for room in octets, 100000:
        for source, addr, mss in (("10.0.0.1", ADDR, 1448), ("fd00:0:0:1::1", ADDR6, 1428)):
            with beside("host2", "listen", addr, 7000, octets, source, room) as listener:
                tool("host1", "send", addr, 7000, TIMES, f"{large},{small}", mss)
                got = numbers(listener.end())
            check(got["octets"] == octets and got["bad"] == 0, f"{addr} {room}: {got}")
            check(got["placed"] == TIMES // 2 * large, f"{addr} {room}: {got}")


def test_longest():
    """As much text as there can be, which with IPv6 makes the longest packet there is."""
    transfer(ADDR, ADDR, 1448, times=3, length=65415)
    transfer(ADDR6, ADDR6, 1428, times=3, length=65415)


def test_without_offloads():
    """The kernel then segments and sums in software; what arrives is the same."""
    for node, devices in DEVICES.items():
        for dev in devices:
            damage(node, "offloads_off", dev)
    for addr, mss in ((ADDR, 1448), (ADDR6, 1428)):
        got = transfer(addr, addr, mss)
        check(got["packets"] >= TIMES * LEN // mss, f"not segmented: {got}")
        check(got["cwr"] == TIMES, f"CWR is for the first packet of each: {got}")


OFFLOADS = """
import socket, sys
VNET_HDR = 263, 15  # SOL_PACKET, PACKET_VNET_HDR
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.setsockopt(*VNET_HDR, 1)
print("ready", flush=True)
while True:
    kind = s.recv(70000)[1]
    if kind:
        print(kind, flush=True)
"""


def test_gso_ecn():
    """What a device is told of a super-segment with CWR: VIRTIO_NET_HDR_GSO_ECN beside its kind."""
    for addr, mss, kind in ((ADDR, 1448, 1 | 0x80), (ADDR6, 1428, 4 | 0x80)):
        with Beside("host2", sys.executable, "-c", OFFLOADS) as seen:
            transfer(addr, addr, mss, times=1)
            check(seen.process.stdout.readline() == f"{kind}\n", f"not {kind:#x}")


def listens(listen, addr, port=7000, node="host2"):
    """What a listener in the node sees of one packet sent from host1."""
    with beside(node, "listen", listen, 7000, 100) as listener:
        tool("host1", "send", addr, port, 1, 100, 1448)
        return numbers(listener.end())


def test_only_ours():
    check(listens(ADDR, ADDR)["octets"] == 100, "to us")
    for listen, addr, port in ((ADDR, ADDR, 7001), (ADDR, ADDR, 6999), ("10.0.1.2", ADDR, 7000),
                               ("::", ADDR, 7000), ("0.0.0.0", ADDR6, 7000),
                               (ADDR6, ADDR6, 7001), ("fd00:0:0:2::2", ADDR6, 7000)):
        got = listens(listen, addr, port)
        check(got["octets"] == 0 and got["bad"] == 0, f"{listen} got {addr}:{port}: {got}")


def test_transit_is_not_ours():
    """What the router forwards is not for the wildcard there."""
    got = listens("0.0.0.0", ADDR, node="router")
    check(got["octets"] == 0 and got["foreign"] >= 1, f"{got}")
    check(listens("0.0.0.0", "10.0.0.254", node="router")["octets"] == 100, "to the router")
    check(listens("0.0.0.0", "10.0.1.254", node="router")["octets"] == 100, "its other address")


def test_no_loopback_from_the_wire():
    """Addresses of loopback are local, but not where packets come over a wire."""
    mac = in_node("host2", "cat", "/sys/class/net/host2-veth1/address").strip()
    for listen, addr, other, loopback in (("0.0.0.0", ADDR, "10.0.0.1", "127.0.0.1"),
                                          ("::", ADDR6, "fd00:0:0:1::1", "::1")):
        with beside("host2", "listen", listen, 7000, 100) as listener:
            for src, dst in ((other, addr), (other, loopback), (loopback, addr)):
                in_node("router", sys.executable, common.__file__, "send_syn", "router-veth2", mac,
                        src, dst, "7000")
            got = numbers(listener.end())
        check(got["packets"] == 1 and got["foreign"] == 2, f"{listen}: {got}")


def test_vlan_tags():
    """A tag with a priority and no VLAN is for this device as it is for the kernel's TCP."""
    mac = in_node("host2", "cat", "/sys/class/net/host2-veth1/address").strip()
    for tag, packets in (("8100e000", 1), ("81000000", 1), ("81000001", 0), ("8100e00a", 0)):
        with beside("host2", "listen", ADDR, 7000, 100) as listener:
            in_node("router", sys.executable, common.__file__, "send_syn", "router-veth2", mac,
                    "10.0.0.1", ADDR, "7000", tag)
            got = numbers(listener.end())
        check(got["packets"] == packets, f"{tag}: {got}")


def test_devices_come_and_go():
    """Down and up again, one that is new, one that is deleted: the listener hears on."""
    def ip(node, *argv):
        in_node(node, "ip", *argv)

    with beside("host2", "listen", "0.0.0.0", 7000, 300) as listener:
        tool("host1", "send", ADDR, 7000, 1, 100, 1448)
        ip("host2", "link", "set", "host2-veth1", "down")
        ip("host2", "link", "set", "host2-veth1", "up")
        ip("host2", "route", "add", "default", "via", "10.0.1.254")
        tool("host1", "send", ADDR, 7000, 1, 100, 1448)
        ip("host2", "link", "add", "late", "type", "veth", "peer", "name", "late-r")
        ip("host2", "link", "set", "late-r", "netns", "router")
        ip("host2", "addr", "add", "10.0.7.1/24", "dev", "late")
        ip("host2", "link", "set", "late", "up")
        ip("router", "addr", "add", "10.0.7.254/24", "dev", "late-r")
        ip("router", "link", "set", "late-r", "up")
        tool("host1", "send", "10.0.7.1", 7000, 1, 100, 1448)
        got = numbers(listener.end())
        check(got["octets"] == 300, f"{got}")


def test_unreachable():
    """What nobody answers for is dropped and counted, not sent and not in the way."""
    sent = numbers(tool("host1", "send", "10.0.0.99", 7000, 6, 100, 1448).stdout)
    check(sent["sent"] == 0 and sent["no_neighbour"] == 2, f"4 wait, 2 are dropped: {sent}")
    in_node("host1", "ip", "route", "add", "unreachable", "10.0.9.0/24")
    check(tool("host1", "send", "10.0.9.1", 7000, 1, 100, 1448).stdout == "no route\n", "route")


def test_nobody_of_many():
    """Each packet is answered whose neighbour does not answer, though they go at one time: the SYNs
    of connections that were begun together do, again and again."""
    check(numbers(tool("host1", "nobody", "10.0.0.100", 5).stdout) == {"answers": 5}, "five")
    check(numbers(tool("host1", "nobody", "10.0.0.110", 12).stdout) == {"answers": 8}, "and no more")


def test_routes_follow():
    """A route that is remembered is forgotten when anything changes."""
    def ip(*argv):
        in_node("host1", "ip", *argv)
        time.sleep(0.05)

    with beside_watch("10.0.1.1") as watch:
        check(watch.say() == "10.0.0.1 via 10.0.0.254 mtu 1500 local 1", "first")
        ip("route", "add", "10.0.1.0/24", "via", "10.0.0.77", "mtu", "1400")
        check(watch.say() == "10.0.0.1 via 10.0.0.77 mtu 1400 local 1", "a new route")
        ip("route", "del", "10.0.1.0/24")
        ip("link", "set", "host1-veth1", "mtu", "1300")
        check(watch.say() == "10.0.0.1 via 10.0.0.254 mtu 1300 local 1", "the device's MTU")
        ip("addr", "add", "10.0.0.2/24", "dev", "host1-veth1")
        ip("route", "replace", "10.0.1.1/32", "via", "10.0.0.254", "src", "10.0.0.2")
        check(watch.say() == "10.0.0.2 via 10.0.0.254 mtu 1300 local 1", "a source address")
        for kind, says in (("unreachable", "No route to host"), ("blackhole", "Invalid argument"),
                           ("prohibit", "Permission denied")):
            ip("route", "replace", kind, "10.0.1.1/32")
            check(watch.say() == says, f"{kind}")
        ip("route", "del", "10.0.1.1/32")
        ip("addr", "add", "10.0.1.1/32", "dev", "lo")
        check(watch.say() == "Cannot assign requested address", "an address of our own")
        ip("addr", "del", "10.0.1.1/32", "dev", "lo")
        ip("link", "set", "host1-veth1", "down")
        check(watch.say() == "Network is unreachable", "no route left")
    for addr, says in (("10.0.0.255", "Network is unreachable"),
                       ("224.0.0.1", "Network is unreachable"),
                       ("127.0.0.1", "Cannot assign requested address"),
                       ("::1", "Cannot assign requested address")):
        with beside_watch(addr) as watch:
            check(watch.say() == says, addr)


def test_ipv6_routes_follow():
    """The kernel's choice of the source (RFC 6724), gateway and MTU (RFC 4861 4.6.4), as it changes."""
    def ip(*words):
        in_node("host1", "ip", "-6", *words)
        time.sleep(0.05)

    first, deprecated, gateway = "fd00:0:0:1::1", "fd00:0:0:1::9", "fd00:0:0:1::fe"
    with beside_watch(ADDR6) as watch:
        check(watch.say() == f"{first} via {gateway} mtu 1500 local 1", "first")
        ip("addr", "add", f"{deprecated}/64", "dev", "host1-veth1", "nodad", "preferred_lft", "0")
        check(watch.say() == f"{first} via {gateway} mtu 1500 local 1", "one that is deprecated")
        ip("route", "add", ADDR6, "via", gateway, "src", deprecated, "mtu", "1400")
        check(watch.say() == f"{deprecated} via {gateway} mtu 1400 local 1", "a new route")
        ip("route", "replace", ADDR6, "via", "fe80::fe", "dev", "host1-veth1")
        check(watch.say() == f"{first} via fe80::fe mtu 1500 local 1", "a link-local gateway")
        # What a router advertises changes it like this, and is announced, which this is not.
        in_node("host1", "sysctl", "-qw", "net.ipv6.conf.host1-veth1.mtu=1300")
        ip("addr", "del", f"{deprecated}/64", "dev", "host1-veth1")
        check(watch.say() == f"{first} via fe80::fe mtu 1300 local 1", "IPv6's MTU")
        ip("route", "replace", "unreachable", ADDR6)
        check(watch.say() == "No route to host", "unreachable")
    with beside_watch("fe80::fe") as watch:
        check(watch.say().startswith("fe80::"), "a link-local source")
    with beside_watch("10.0.1.1") as watch:
        check(watch.say() == "10.0.0.1 via 10.0.0.254 mtu 1500 local 1", "IPv4 has its own MTU")


def beside_watch(addr):
    """A `linktool watch` whose first answer, given unasked, has been read."""
    watch = common.Beside("host1", common.TOOL, "watch", addr, waits=False)
    watch.process.stdout.readline()
    return watch


if __name__ == "__main__":
    run_all(globals())
