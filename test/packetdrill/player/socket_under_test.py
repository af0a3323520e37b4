"""What the player knows of a socket: its descriptors, its ends, and how numbers of the script become
numbers of the connection and back.

Sequence numbers of a script are absolute in segments with SYN and relative to the first SYN in all
others. The peer's ISN is the script's own; ours the stack chooses.
"""
import enum

from .errors import Failure
from .wire import FLAG_BITS, Segment


class State(enum.Enum):
    NEW = 1
    LISTENING = 2
    SYN_RECEIVED = 3  # of the script: the first packet of a passive connection
    SYNACK_SENT = 4
    ESTABLISHED = 5   # the handshake's last ACK was sent to it
    CONNECTING = 6    # connect was called
    SYN_SENT = 7
    CONNECTED = 8


MASK = 0xffffffff


class Socket:
    def __init__(self, state, script_fd=-1, live_fd=-1):
        self.state = state
        self.script_fd, self.live_fd = script_fd, live_fd
        self.closed = False
        self.local, self.local_port = None, 0
        self.remote, self.remote_port = None, 0
        self.script_local_isn = self.live_local_isn = 0
        self.remote_isn = 0
        self.stamps = {}  # outbound TS values: the script's, the stack's
        self.first_stamps = None
        self.last_in = None   # Segment
        self.last_out = None

    def is_ours(self, seg):
        return seg.ends() == (self.local, self.local_port, self.remote, self.remote_port)

    # ---- Sequence numbers ----

    def local_offset(self, syn):
        return self.live_local_isn - (self.script_local_isn if syn else 0)

    def remote_offset(self, syn):
        return 0 if syn else self.remote_isn

    # ---- TCP options ----

    def _map_option(self, octets, ack_offset, stamp):
        if octets[0] == 5:
            numbers = [(int.from_bytes(octets[i:i + 4], 'big') + ack_offset) & MASK
                       for i in range(2, len(octets), 4)]
            return octets[:2] + b''.join(n.to_bytes(4, 'big') for n in numbers)
        if octets[0] == 8:
            value, echo = int.from_bytes(octets[2:6], 'big'), int.from_bytes(octets[6:10], 'big')
            value, echo = stamp(value, echo)
            return octets[:2] + value.to_bytes(4, 'big') + echo.to_bytes(4, 'big')
        return octets

    def _inbound_stamp(self, packet, scaled):
        """The echo is one of the stack's stamps, which the script has seen under another name."""
        def stamp(value, echo):
            if '.' not in packet.flags:
                return value, echo
            if echo in self.stamps:
                return value, self.stamps[echo]
            if scaled and self.first_stamps:
                script, live = self.first_stamps
                return value, (echo - script + live) & MASK
            raise Failure(f'unable to infer live TS ecr for script TS ecr {echo}')
        return stamp

    def learn_stamp(self, script, live):
        if script is None or live is None:
            return
        self.stamps[script] = live
        if self.first_stamps is None:
            self.first_stamps = (script, live)

    # ---- Packets ----

    def inbound(self, packet, scaled_stamps):
        """A packet of the script's as one for the stack."""
        syn = 'S' in packet.flags
        flags = sum(FLAG_BITS[c] for c in packet.flags)
        if packet.ace:
            flags |= (packet.ace & 1) << 6 | (packet.ace >> 1 & 1) << 7 | (packet.ace >> 2) << 8
        ack = packet.ack
        if '.' in packet.flags:
            ack += self.local_offset(syn)
        stamp = self._inbound_stamp(packet, scaled_stamps)
        return Segment(
            self.remote, self.local, packet.ports[0] or self.remote_port,
            packet.ports[1] or self.local_port, (packet.seq + self.remote_offset(syn)) & MASK,
            ack & MASK, flags, packet.window, packet.urgent,
            [self._map_option(o, self.local_offset(syn), stamp) for o in packet.options],
            bytes(packet.length), 0, packet.tos, packet.ttl or 255)

    def to_script(self, seg):
        """Changes a segment of the stack's to the script's numbers; timestamps stay as they are."""
        syn = seg.has('S')
        seg.seq = (seg.seq - self.local_offset(syn)) & MASK
        if seg.has('.'):
            seg.ack = (seg.ack - self.remote_offset(syn)) & MASK
        seg.options = [self._map_option(o, -self.remote_offset(syn), lambda v, e: (v, e))
                       for o in seg.options]
        return seg

    def reset(self):
        """The RST with which packetdrill ends a connection."""
        if self.last_in and self.last_in.has('.'):
            seen = self.last_in
            seq = seen.seq + seen.has('S') + seen.has('F') + len(seen.payload)
            ack, window = seen.ack, seen.window
        elif self.last_out and self.last_out.has('.'):
            seq, ack, window = self.last_out.ack, self.last_out.seq, 0
        else:
            seq, ack, window = 0, (self.last_out.seq if self.last_out else 0) + 1, 0
        return Segment(self.remote, self.local, self.remote_port, self.local_port, seq & MASK,
                       ack & MASK, FLAG_BITS['R'] | FLAG_BITS['.'], window)
