"""A script's tokens as events."""
import re
import struct

from . import events as ev
from .errors import ScriptError
from .lexer import tokens

TCP_FLAGS = '.FSRPEWAU'
ECN = {'noecn': 0, 'ect1': 1, 'ect0': 2, 'ce': 3}


def us(text):
    return int(float(text) * 1e6)


class Parser:
    def __init__(self, text, defines, name):
        self.tokens = tokens(text, defines)
        self.at = 0
        self.name = name

    # ---- Tokens ----

    @property
    def token(self):
        return self.tokens[self.at]

    def fail(self, wanted):
        t = self.token
        raise ScriptError(f'{self.name}:{t.line}: {wanted} expected, {t.value!r} found')

    def next(self):
        self.at += 1
        return self.tokens[self.at - 1]

    def is_char(self, char, ahead=0):
        t = self.tokens[min(self.at + ahead, len(self.tokens) - 1)]
        return t.kind == 'char' and t.value == char

    def is_word(self, *words):
        return self.token.kind == 'word' and self.token.value in words

    def accept(self, char):
        if self.is_char(char):
            return self.next()
        return None

    def expect(self, char):
        return self.accept(char) or self.fail(f'"{char}"')

    def accept_word(self, *words):
        return self.next() if self.is_word(*words) else None

    def word(self):
        return self.next().value if self.token.kind == 'word' else self.fail('a word')

    def integer(self):
        return self.next().value if self.token.kind == 'integer' else self.fail('a number')

    # ---- The script ----

    def script(self):
        script = ev.Script([])
        if self.token.kind == 'command':
            script.init = ev.Command(self.next().value)
        while self.token.kind != 'end':
            if self.token.kind == 'command' and script.events:
                script.cleanup = ev.Command(self.next().value)
                if self.token.kind != 'end':
                    self.fail('the end after the cleanup command')
            else:
                script.events.append(self.event())
        if not script.events:
            self.fail('an event')
        return script

    def event(self):
        line = self.token.line
        kind, start, end = self.event_time()
        action = self.action()
        if end is not None and end < start:
            raise ScriptError(f'{self.name}:{line}: the time range is backwards')
        outbound = isinstance(action, ev.Packet) and not action.inbound
        if kind in (ev.ANY, ev.ABSOLUTE_RANGE, ev.RELATIVE_RANGE) and not outbound:
            raise ScriptError(f'{self.name}:{line}: such a time is for outbound packets only')
        return ev.Event(line, kind, start, end, action)

    def time(self):
        if self.token.kind not in ('float', 'integer'):
            self.fail('a time')
        value = self.next().value
        if float(value) < 0:
            self.fail('a time that is not negative')
        return us(value)

    def event_time(self):
        if self.accept('*'):
            return ev.ANY, 0, None
        relative = bool(self.accept('+'))
        start = self.time()
        if not self.accept('~'):
            return (ev.RELATIVE if relative else ev.ABSOLUTE), start, None
        if relative:
            self.expect('+')
        return (ev.RELATIVE_RANGE if relative else ev.ABSOLUTE_RANGE), start, self.time()

    def action(self):
        if self.is_char('<') or self.is_char('>'):
            return self.packet()
        if self.token.kind == 'command':
            return ev.Command(self.next().value)
        if self.token.kind == 'code':
            return ev.Code(self.next().value)
        return self.syscall()

    # ---- Packets ----

    def packet(self):
        packet = ev.Packet(inbound=self.next().value == '<')
        self.ip_info(packet)
        if self.is_word('ipv4', 'ipv6', 'gre', 'GREv0', 'mpls', 'udp'):
            raise ScriptError(f'{self.name}:{self.token.line}: {self.token.value} packets are not '
                              'played')
        if self.accept_word('icmp'):
            self.icmp(packet)
        else:
            self.tcp(packet)
        return packet

    def ip_info(self, packet):
        close = ')' if self.is_char('(') else ']'
        if not (self.accept('(') or self.accept('[')):
            return
        while True:
            word = self.word()
            if word in ECN:
                packet.tos, packet.tos_check = ECN[word], 'ecn'
            elif word == 'ect01':
                packet.tos_check = 'ect01'
            elif word == 'tos':
                packet.tos, packet.tos_check = self.integer(), 'tos'
            elif word == 'ttl':
                packet.ttl = self.integer()
            elif word == 'flowlabel':
                self.integer()
            else:
                self.fail('tos, ttl, flowlabel or an ECN codepoint')
            if not self.accept(','):
                break
        self.expect(close)

    def tcp(self, packet):
        if self.token.kind == 'integer' and self.is_char('>', 1):
            source = self.integer()
            self.next()
            packet.ports = (source, self.integer())
        packet.flags, packet.ace = self.flags()
        packet.seq, packet.length = self.sequence()
        if self.accept_word('ack'):
            packet.ack = self.integer()
        if self.accept_word('win'):
            packet.window = self.integer()
        elif packet.inbound:
            self.fail('win')
        if self.accept_word('urg'):
            packet.urgent = self.integer()
        packet.options = self.options()
        if packet.options is None and packet.inbound:
            self.fail('TCP options of a packet to be sent')
        if packet.options and sum(len(o) for o in packet.options) % 4:
            self.fail('TCP options that are padded to a multiple of 4 octets')

    def flags(self):
        """The letters, and the number that may stand for E, W and A."""
        if self.accept('-'):
            return '', None
        text = ''
        if self.token.kind in ('word', 'integer') and not self.is_char('.'):
            text = str(self.next().value)
        if self.accept('.'):
            text += '.'
        elif self.token.kind == 'float':
            text += self.next().value
        digits = [c for c in text if c.isdigit()]
        letters = ''.join(c for c in text if not c.isdigit())
        if not text or len(digits) > 1 or any(c not in TCP_FLAGS for c in letters):
            self.fail('TCP flags')
        return letters, int(digits[0]) or None if digits else None

    def sequence(self):
        start = self.integer()
        self.expect(':')
        end = self.integer()
        self.expect('(')
        length = self.integer()
        self.expect(')')
        if end != start + length:
            self.fail(f'{start}:{start + length}({length})')
        return start, length

    def options(self):
        """Each as its octets."""
        if not self.accept('<'):
            return []
        if self.token.kind == 'ellipsis':
            self.next()
            self.expect('>')
            return None
        options = [self.option()]
        while self.accept(','):
            options.append(self.option())
        self.expect('>')
        return options

    def option(self):
        word = self.word()
        if word == 'nop':
            return b'\x01'
        if word == 'eol':
            return b'\x00'
        if word == 'mss':
            return struct.pack('>BBH', 2, 4, self.integer())
        if word == 'wscale':
            return struct.pack('>BBB', 3, 3, self.integer())
        if word == 'sackOK':
            return b'\x04\x02'
        if word == 'sack':
            blocks = b''
            while self.token.kind == 'integer':
                left = self.integer()
                self.expect(':')
                blocks += struct.pack('>II', left, self.integer())
            return struct.pack('>BB', 5, 2 + len(blocks)) + blocks
        if word == 'TS':
            self.accept_word('val') or self.fail('val')
            value = self.integer()
            self.accept_word('ecr') or self.fail('ecr')
            return struct.pack('>BBII', 8, 10, value, self.integer())
        if word == 'FO':
            return self.fast_open()
        return self.fail('a TCP option')

    def fast_open(self):
        text = str(self.token.value) if self.token.kind in ('word', 'integer') else ''
        if not re.fullmatch('([0-9a-fA-F]{2})*', text):
            self.fail('a cookie of hexadecimal digits')
        if text:
            self.next()
        return struct.pack('>BB', 34, 2 + len(text) // 2) + bytes.fromhex(text)

    def icmp(self, packet):
        packet.kind = 'icmp'
        packet.icmp_type = self.word()
        if self.token.kind == 'word' and not self.is_word('mtu', 'id'):
            packet.icmp_code = self.word()
        if self.accept_word('mtu'):
            packet.icmp_mtu = self.integer()
        if self.accept_word('id'):
            packet.icmp_id = self.integer()
        if self.accept('['):
            packet.seq, packet.length = self.sequence()
            self.expect(']')

    # ---- System calls ----

    def syscall(self):
        end = None
        if self.token.kind == 'ellipsis':
            self.next()
            end = self.time()
        name = self.word()
        self.expect('(')
        args = []
        while not self.is_char(')'):
            args.append(self.expression())
            if not self.accept(','):
                break
        self.expect(')')
        self.expect('=')
        call = ev.Syscall(name, args, self.expression(), end_us=end)
        if self.token.kind == 'word':
            call.error = self.word()
        self.note()
        return call

    def note(self):
        """Text in parentheses, for the reader."""
        if not self.accept('('):
            return
        while not self.accept(')'):
            if self.token.kind == 'end':
                self.fail('")"')
            self.next()

    def expression(self):
        values = [self.operand()]
        while self.accept('|'):
            values.append(self.operand())
        return values[0] if len(values) == 1 else ev.Or(values)

    def operand(self):
        if self.token.kind == 'ellipsis':
            self.next()
            return ev.ELLIPSIS
        if self.token.kind == 'integer':
            return self.integer()
        if self.token.kind == 'string':
            return self.string()
        if self.accept('['):
            return self.listed(']')
        if self.accept('{'):
            return self.braced()
        name = self.word()
        if not self.accept('('):
            return ev.Word(name)
        return ev.Call(name, self.listed(')'))

    def string(self):
        text = self.next().value
        while self.token.kind == 'string':
            text += self.next().value
        if self.token.kind == 'ellipsis':
            self.next()
        return text.encode().decode('unicode_escape')

    def listed(self, close):
        values = []
        while not self.is_char(close):
            values.append(self.expression())
            if not self.accept(','):
                break
        self.expect(close)
        return values

    def braced(self):
        """A struct when the first member has a name, else a list."""
        members, values = {}, []
        while not self.is_char('}'):
            value = self.expression()
            if self.accept('='):
                name = value.name if isinstance(value, (ev.Word, ev.Call)) else self.fail('a name')
                members[name] = self.expression()
            else:
                values.append(value)
            if not self.accept(','):
                break
        self.expect('}')
        return ev.Struct(members) if members else values


def parse(text, defines, name):
    return Parser(text, defines, name).script()
