#!/usr/bin/env python3
"""SYNs from addresses that nobody has, to a host of the lab (RFC 4987 2.2): for flood_test.py, in a node.

    flood.py ADDR PORT N

The addresses are of the node's own network, from .100 on, ten ports each.
"""
import ipaddress
import socket
import struct
import sys

FROM = {4: "10.0.1.100", 6: "fd00:0:0:2::100"}
PORTS = 10


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def syn(source, target, port, number):
    """A packet; IPv4's own checksum and lengths are the kernel's to fill in."""
    head = struct.pack("!HHLLBBHHH", 1024 + number % PORTS, port, number << 16, 0, 5 << 4, 2, 65535, 0, 0)
    pseudo = source.packed + target.packed + (
        struct.pack("!BBH", 0, socket.IPPROTO_TCP, len(head)) if source.version == 4 else
        struct.pack("!LL", len(head), socket.IPPROTO_TCP))
    head = head[:16] + struct.pack("!H", checksum(pseudo + head)) + head[18:]
    if source.version == 4:
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(head), 0, 0, 64, socket.IPPROTO_TCP, 0,
                         source.packed, target.packed)
    else:
        ip = struct.pack("!LHBB16s16s", 6 << 28, len(head), socket.IPPROTO_TCP, 64, source.packed,
                         target.packed)
    return ip + head


def main(addr, port, n):
    target = ipaddress.ip_address(addr)
    first = ipaddress.ip_address(FROM[target.version])
    family = socket.AF_INET if target.version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        for i in range(int(n)):
            raw.sendto(syn(first + i // PORTS, target, int(port), i), (addr, 0))


main(*sys.argv[1:])
