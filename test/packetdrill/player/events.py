"""What a script consists of, as the parser makes it and the runner plays it."""
from dataclasses import dataclass, field

# The kinds of time an event can have.
ABSOLUTE, RELATIVE, ANY, ABSOLUTE_RANGE, RELATIVE_RANGE = range(5)

# Of a value that the script leaves open.
ELLIPSIS = ...


@dataclass
class Event:
    line: int
    time_kind: int
    time_us: int
    time_end_us: int
    action: object  # Packet, Syscall, Command or Code

    def is_inbound(self):
        return isinstance(self.action, Packet) and self.action.inbound


@dataclass
class Packet:
    inbound: bool
    kind: str = 'tcp'  # or icmp
    flags: str = ''
    ace: int = None  # the number that stands for the three ECN flags (AccECN)
    seq: int = 0
    length: int = 0
    ack: int = 0
    window: int = None  # None: not looked at
    urgent: int = 0
    options: list = field(default_factory=list)  # of (kind, octets); None: not looked at
    ports: tuple = (0, 0)
    tos: int = 0
    tos_check: str = None  # None, 'ecn', 'ect01', 'tos'
    ttl: int = None
    icmp_type: str = None
    icmp_code: str = None
    icmp_mtu: int = None
    icmp_id: int = 0


@dataclass
class Syscall:
    name: str
    args: list
    result: object
    error: str = None
    end_us: int = None  # of a call that blocks

    def blocks(self):
        return self.end_us is not None


@dataclass
class Command:
    line: str


@dataclass
class Code:
    text: str


@dataclass
class Script:
    events: list
    init: Command = None
    cleanup: Command = None

    def commands(self):
        actions = [self.init] + [e.action for e in self.events] + [self.cleanup]
        return [a.line for a in actions if isinstance(a, Command)]


@dataclass
class Struct:
    """{key=value, ...}; a key with arguments, msg_iov(1), has them in the value's place before it."""
    members: dict


@dataclass
class Word:
    """A constant."""
    name: str


@dataclass
class Or:
    values: list


@dataclass
class Call:
    """htons(8080), inet_addr("1.2.3.4")"""
    name: str
    args: list
