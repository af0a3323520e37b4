"""Plays a script's events, in packetdrill's order and with its use of the clock."""
import os
import socket
import subprocess
import sys
import ctypes as c

from . import compare
from . import events as ev
from . import wire
from .calls import Calls
from .errors import Failure, ScriptError
from .info import CodeRunner
from .socket_under_test import Socket, State
from .syscall_thread import SyscallThread

START_US = 250      # from now, when a script begins
SPIN_US = 20        # the end of each wait, which is spent asking for the time
PACKET_MAX = 65536
REMOTE_PORT = 40123  # the peer's, of the first passive connection; further ones count up
MAX_WAIT_US = 0xffffffff


class Runner:
    def __init__(self, script, config, table, name, commands):
        """commands: 'run' or 'skip' what stands in backticks."""
        self.script, self.config, self.table, self.name = script, config, table, name
        self.commands = commands
        self.domain = socket.AF_INET if config.ip_version == 'ipv4' else socket.AF_INET6
        self.under_test = None
        self.event = self.last_event = None
        self.num_events = 0
        self.next_port = REMOTE_PORT
        self.calls = Calls(self)
        self.code = CodeRunner(table.libc('getsockopt'), name)
        self.thread = SyscallThread(self)

    # ---- Time ----

    def now_us(self):
        return self.table.now_us()

    def script_now_us(self):
        return self.now_us() - self.start_us

    def last_time_us(self):
        return self.last_event.time_us if self.last_event else None

    def adjust(self, event):
        """A relative time counts from now; between packets to the stack from the one before."""
        if event.time_kind not in (ev.ANY, ev.RELATIVE, ev.RELATIVE_RANGE):
            return
        last = self.last_event
        if last and last.is_inbound() and event.is_inbound():
            offset = last.time_us
        else:
            offset = self.script_now_us()
        event.time_us += offset
        if event.time_kind == ev.RELATIVE_RANGE:
            event.time_end_us += offset
        if event.time_kind == ev.RELATIVE and isinstance(event.action, ev.Syscall) \
                and event.action.blocks():
            event.action.end_us += offset

    def wait_for(self, event):
        at = self.start_us + event.time_us
        while (left := at - self.now_us()) > 0:
            if self.num_events > 0 and left > SPIN_US:
                self.table.usleep(min(left - SPIN_US, MAX_WAIT_US))
        if self.num_events > 0:
            compare.check_time(event, self.last_time_us(), self.script_now_us(), self.config,
                               type(event.action).__name__.lower())

    # ---- Packets ----

    def say(self, direction, seg, time_us):
        if self.config.verbose:
            print(f'{direction} {compare.seconds(time_us)} {seg.text()}', flush=True)

    def socket_of(self, packet):
        """The script's packets belong to the newest socket; the first one to a listener is the
        beginning of a connection, the first SYN after connect() that of another."""
        sock = self.under_test
        if packet.kind == 'tcp' and packet.inbound and (
                sock is None or sock.state == State.LISTENING):
            sock = Socket(State.SYN_RECEIVED)
            sock.local, sock.local_port = self.config.local, self.config.bind_port
            sock.remote, sock.remote_port = self.config.remote, self.next_port
            self.next_port += 1
            sock.remote_isn = packet.seq
            self.calls.sockets.insert(0, sock)
            self.under_test = sock
        elif packet.kind == 'tcp' and not packet.inbound and 'S' in packet.flags \
                and '.' not in packet.flags and sock and sock.state == State.CONNECTING:
            sock.state = State.SYN_SENT
            sock.script_local_isn = packet.seq
        if sock is None:
            raise Failure('no matching socket for script packet')
        if packet.inbound and sock.local is None:
            raise Failure('packet for a socket that neither listens nor connects')
        return sock

    def inject(self, packet):
        sock = self.socket_of(packet)
        self.wait_for(self.event)
        if packet.kind == 'icmp':
            quoted = wire.Segment(sock.local, sock.remote, sock.local_port, sock.remote_port,
                                  (packet.seq + sock.local_offset(False)) & 0xffffffff, 0, 0, 0)
            self.send(wire.icmp_error(packet, sock.remote, sock.local, quoted))
            return
        if sock.state == State.SYNACK_SENT and '.' in packet.flags:
            sock.state = State.ESTABLISHED
        elif sock.state == State.SYN_SENT and 'S' in packet.flags and '.' in packet.flags:
            sock.state = State.CONNECTED
            sock.remote_isn = packet.seq
        seg = sock.inbound(packet, self.config.tcp_ts_ecr_scaled)
        sock.last_in = seg
        self.say('inbound injected', seg, self.script_now_us())
        self.send(seg.build())

    def send(self, octets):
        if self.table.netdev_send(octets, len(octets)):
            raise Failure('netdev_send failed')

    def receive(self):
        """The next segment that belongs to the socket under test."""
        room = c.create_string_buffer(PACKET_MAX)
        while True:
            size, time_us = c.c_size_t(PACKET_MAX), c.c_longlong(0)
            if self.table.netdev_receive(room, c.byref(size), c.byref(time_us)):
                continue
            if size.value == 0:
                raise Failure('no packet comes any more')
            seg = wire.parse(room.raw[:size.value], time_us.value)
            if seg and self.belongs(seg):
                return seg

    def belongs(self, seg):
        sock = self.under_test
        if sock.is_ours(seg):
            return True
        if sock.state == State.SYN_SENT and seg.has('S') and not seg.has('.') and \
                (seg.target, seg.target_port) == (sock.remote, sock.remote_port):
            sock.local, sock.local_port = seg.source, seg.source_port
            sock.live_local_isn = seg.seq
            return True
        return False

    def expect(self, packet):
        if packet.kind == 'icmp':
            raise ScriptError('outbound ICMP is not played')
        sock = self.socket_of(packet)
        is_synack = sock.state == State.SYN_RECEIVED and 'S' in packet.flags and '.' in packet.flags
        if is_synack:
            sock.script_local_isn = packet.seq
        segments, got = [], 0
        while not segments or (got < packet.length and not self.config.strict_segments):
            seg = self.receive()
            if is_synack:
                sock.state = State.SYNACK_SENT
                sock.live_local_isn = seg.seq
                is_synack = False
            sock.last_out = wire.Segment(**vars(seg))
            sock.to_script(seg)
            self.say('outbound sniffed', seg, seg.time_us - self.start_us)
            if segments:
                compare.same_kind(seg, segments[-1])
                if len(seg.payload) < packet.length - got and \
                        len(seg.payload) != len(segments[-1].payload):
                    raise Failure(f'fragment payload: {len(segments[-1].payload)} octets, then '
                                  f'{len(seg.payload)}')
            segments.append(seg)
            got += len(seg.payload)
        self.verify(sock, packet, compare.merge(segments) if len(segments) > 1 else segments[0])

    def verify(self, sock, packet, seg):
        script_stamp, _ = compare.stamp_of(packet.options)
        live_stamp, at = compare.stamp_of(seg.options)
        sock.learn_stamp(script_stamp, live_stamp)
        if script_stamp is not None and live_stamp is not None:
            script, live = sock.first_stamps
            value = (script + live_stamp - live) & 0xffffffff
            seg.options[at] = seg.options[at][:2] + value.to_bytes(4, 'big') + seg.options[at][6:]
        actual_us = seg.time_us - self.start_us
        try:
            compare.check_packet(packet, seg, self.config)
            compare.check_time(self.event, self.last_time_us(), actual_us, self.config,
                               'outbound packet')
        except Failure as e:
            told = f'{e}\n  actual packet: {compare.seconds(actual_us)} {seg.text()}'
            if 'packet' not in self.config.non_fatal:
                raise Failure(told) from None
            print(f'{self.name}:{self.event.line}: warning: {told}', file=sys.stderr)

    # ---- System calls ----

    def around(self, call, make):
        """The call proper: on the second thread when it is expected to block."""
        return self.thread.make(make) if call.blocks() else make()

    def start_call(self, event):
        if event.action.blocks():
            self.thread.start(event)
        else:
            self.thread.wait_until_idle()
            self.make_call(event)

    def make_call(self, event):
        self.wait_for(event)
        self.calls.run(event.action)

    # ---- Commands and code ----

    def command(self, command):
        if self.commands == 'skip':
            return
        done = subprocess.run(command.line, shell=True)
        if done.returncode:
            raise Failure(f'`{command.line}` returned non-zero status {done.returncode}')

    # ---- The script ----

    def step(self, event):
        action = event.action
        if isinstance(action, ev.Packet):
            self.inject(action) if action.inbound else self.expect(action)
        elif isinstance(action, ev.Syscall):
            self.start_call(event)
        elif isinstance(action, ev.Command):
            self.wait_for(event)
            self.command(action)
        else:
            self.wait_for(event)
            if self.under_test is None:
                raise Failure('no socket to use for code')
            self.code.collect(self.under_test.live_fd, event.line, action.text)

    def check_order(self, event):
        if self.last_event is None and event.time_us != 0:
            raise ScriptError('first event should be at time 0')
        absolute = (ev.ABSOLUTE, ev.ABSOLUTE_RANGE)
        if self.last_event and event.time_kind in absolute and \
                self.last_event.time_kind in absolute and event.time_us < self.last_event.time_us:
            raise ScriptError('time goes backward')

    def play(self):
        if self.script.init:
            self.command(self.script.init)
        self.start_us = self.now_us() + START_US
        for event in self.script.events:
            self.event = event
            try:
                self.check_order(event)
                self.adjust(event)
                self.step(event)
            except (Failure, ScriptError) as e:
                raise type(e)(f'{self.name}:{event.line}: {e}') from None
            self.last_event = event
            self.num_events += 1
        if self.script.cleanup:
            self.command(self.script.cleanup)
        self.code.execute()
        self.tear_down()

    def tear_down(self):
        """The C library's close, newest first, and a RST for each connection."""
        self.thread.stop()
        close = self.table.libc('close')
        for sock in self.calls.sockets:
            if sock.live_fd >= 0 and not sock.closed and close(sock.live_fd):
                raise Failure(f'close: {os.strerror(c.get_errno())}')
            if sock.local_port and sock.remote_port:
                self.send(sock.reset().build())
        self.table.free()
