"""IP datagrams with TCP or ICMP in them: made from their fields, and taken apart."""
import ipaddress
import struct
from dataclasses import dataclass, field

from .errors import Failure

TCP, ICMP, ICMPV6 = 6, 1, 58
TTL = 255
ECHOED = 8  # octets of TCP that an ICMP error of ours quotes (RFC 792)

FLAG_BITS = {'F': 0x001, 'S': 0x002, 'R': 0x004, 'P': 0x008, '.': 0x010, 'U': 0x020, 'E': 0x040,
             'W': 0x080, 'A': 0x100}


def flag_text(bits):
    return ''.join(c for c in 'FSRP.UEWA' if bits & FLAG_BITS[c])


def checksum(octets):
    """RFC 1071"""
    if len(octets) % 2:
        octets += b'\0'
    total = sum(struct.unpack(f'>{len(octets) // 2}H', octets))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def pseudo_header(source, target, protocol, length):
    """RFC 9293 3.1, RFC 8200 8.1"""
    if source.version == 4:
        return source.packed + target.packed + struct.pack('>BBH', 0, protocol, length)
    return source.packed + target.packed + struct.pack('>II', length, protocol)


def ip_header(source, target, protocol, length, tos=0, ttl=TTL):
    if source.version == 6:
        return struct.pack('>IHBB', 6 << 28 | tos << 20, length, protocol, ttl) + source.packed \
            + target.packed
    header = struct.pack('>BBHHHBBH', 0x45, tos, 20 + length, 0, 0, ttl, protocol, 0) \
        + source.packed + target.packed
    return header[:10] + struct.pack('>H', checksum(header)) + header[12:]


@dataclass
class Segment:
    source: object  # ipaddress
    target: object
    source_port: int
    target_port: int
    seq: int
    ack: int
    flags: int
    window: int
    urgent: int = 0
    options: list = field(default_factory=list)
    payload: bytes = b''
    reserved: int = 0
    tos: int = 0
    ttl: int = TTL
    time_us: int = 0

    def ends(self):
        return self.source, self.source_port, self.target, self.target_port

    def has(self, letter):
        return bool(self.flags & FLAG_BITS[letter])

    def text(self):
        """As the language has it."""
        flags = flag_text(self.flags) or '-'
        text = f'{flags} {self.seq}:{(self.seq + len(self.payload)) & 0xffffffff}' \
               f'({len(self.payload)}) ack {self.ack} win {self.window}'
        if self.urgent:
            text += f' urg {self.urgent}'
        return text + (f' <{",".join(option_text(o) for o in self.options)}>' if self.options else '')

    def build(self):
        options = b''.join(self.options)
        size = 20 + len(options)
        words = size // 4 << 12 | self.flags
        header = struct.pack('>HHIIHHHH', self.source_port, self.target_port, self.seq, self.ack, words,
                             self.window, 0, self.urgent) + options
        body = header + self.payload
        total = checksum(pseudo_header(self.source, self.target, TCP, len(body)) + body)
        body = body[:16] + struct.pack('>H', total) + body[18:]
        return ip_header(self.source, self.target, TCP, len(body), self.tos, self.ttl) + body


def option_text(octets):
    kind = octets[0]
    if kind == 2:
        return f'mss {struct.unpack(">H", octets[2:])[0]}'
    if kind == 3:
        return f'wscale {octets[2]}'
    if kind == 5:
        blocks = struct.iter_unpack('>II', octets[2:])
        return 'sack ' + ' '.join(f'{left}:{right}' for left, right in blocks)
    if kind == 8:
        value, echo = struct.unpack('>II', octets[2:])
        return f'TS val {value} ecr {echo}'
    if kind == 34:
        return f'FO {octets[2:].hex()}'
    return {0: 'eol', 1: 'nop', 4: 'sackOK'}.get(kind, f'kind {kind} {octets[2:].hex()}')


def split_options(octets):
    options = []
    while octets:
        size = 1 if octets[0] < 2 else octets[1] if len(octets) > 1 else 0
        if size < 1 or size > len(octets) or (octets[0] > 1 and size < 2):
            raise Failure(f'TCP options {octets.hex()} are broken')
        options.append(bytes(octets[:size]))
        octets = octets[size:]
    return options


def parse_ip(octets):
    """(source, target, protocol, tos, ttl, what follows)"""
    if len(octets) < 20:
        raise Failure(f'a packet of {len(octets)} octets')
    if octets[0] >> 4 == 6:
        first, length, protocol, ttl = struct.unpack('>IHBB', octets[:8])
        if length + 40 != len(octets):
            raise Failure(f'IPv6: {length} octets of payload in a packet of {len(octets)}')
        return (ipaddress.IPv6Address(bytes(octets[8:24])), ipaddress.IPv6Address(bytes(octets[24:40])),
                protocol, first >> 20 & 0xff, ttl, octets[40:])
    if octets[0] != 0x45:
        raise Failure(f'IPv4: version and header length {octets[0]:#x}')
    tos, length, _, fragment, ttl, protocol = struct.unpack('>BHHHBB', octets[1:10])
    if length != len(octets):
        raise Failure(f'IPv4: length {length} in a packet of {len(octets)} octets')
    if fragment & 0x3fff:
        raise Failure('a fragment')
    if checksum(octets[:20]):
        raise Failure('bad outbound IP checksum')
    return (ipaddress.IPv4Address(bytes(octets[12:16])), ipaddress.IPv4Address(bytes(octets[16:20])),
            protocol, tos, ttl, octets[20:])


def parse(octets, time_us):
    """A Segment, or None for a packet that is not TCP."""
    source, target, protocol, tos, ttl, body = parse_ip(octets)
    if protocol != TCP:
        return None
    if checksum(pseudo_header(source, target, TCP, len(body)) + body):
        raise Failure('bad outbound TCP checksum')
    source_port, target_port, seq, ack, words, window, _, urgent = struct.unpack('>HHIIHHHH', body[:20])
    size = (words >> 12) * 4
    if size < 20 or size > len(body):
        raise Failure(f'TCP: data offset {size}')
    return Segment(source, target, source_port, target_port, seq, ack, words & 0x1ff, window, urgent,
                   split_options(body[20:size]), bytes(body[size:]), words >> 9 & 7, tos, ttl, time_us)


# ---- ICMP errors ----

TYPES_V4 = {
    'echo_reply': 0, 'unreachable': 3, 'source_quench': 4, 'redirect': 5, 'echo_request': 8,
    'time_exceeded': 11, 'parameter_problem': 12,
}
CODES_V4 = {name: code for code, name in enumerate([
    'net_unreachable', 'host_unreachable', 'protocol_unreachable', 'port_unreachable', 'frag_needed',
    'source_route_failed', 'net_unknown', 'host_unknown', 'source_host_isolated', 'net_prohibited',
    'host_prohibited', 'net_unreachable_for_tos', 'host_unreachable_for_tos', 'packet_filtered',
    'precedence_violation', 'precedence_cutoff'])}
TYPES_V6 = {
    'unreachable': 1, 'packet_too_big': 2, 'time_exceeded': 3, 'parameter_problem': 4,
    'echo_request': 128, 'echo_reply': 129,
}
CODES_V6 = {
    'net_unreachable': 0, 'no_route': 0, 'admin_prohibited': 1, 'not_neighbour': 2,
    'address_unreachable': 3, 'port_unreachable': 4, 'exceeded_hop_limit': 0, 'exceeded_frag_time': 1,
    'header_field': 0, 'unknown_next_header': 1, 'unknown_option': 2,
}


def named(name, table, prefix):
    if name is None:
        return 0
    if name.startswith(prefix):
        return int(name[len(prefix):])
    if name not in table:
        raise Failure(f'ICMP has no {name} that the player knows')
    return table[name]


def icmp_error(packet, source, target, quoted):
    """`packet` of the script, from source to target, with the beginning of a Segment that target has
    sent: its IP header and 8 octets, and packet.length more."""
    v4 = source.version == 4
    kind = named(packet.icmp_type, TYPES_V4 if v4 else TYPES_V6, 'type_')
    code = named(packet.icmp_code, CODES_V4 if v4 else CODES_V6, 'code_')
    if v4:
        rest = struct.pack('>HH', packet.icmp_id, packet.icmp_mtu or 0)
    else:
        rest = struct.pack('>I', packet.icmp_mtu or 0)
    ports = struct.pack('>HHI', quoted.source_port, quoted.target_port, quoted.seq)
    inner = ip_header(quoted.source, quoted.target, TCP, 20 + packet.length, ttl=TTL) \
        + ports[:ECHOED] + bytes(packet.length)
    body = struct.pack('>BBH', kind, code, 0) + rest + inner
    sum_over = body if v4 else pseudo_header(source, target, ICMPV6, len(body)) + body
    body = body[:2] + struct.pack('>H', checksum(sum_over)) + body[4:]
    return ip_header(source, target, ICMP if v4 else ICMPV6, len(body), packet.tos) + body
