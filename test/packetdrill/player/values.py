"""A script's expressions as what the calls take: numbers, and memory in the shape of structs."""
import ctypes as c
import ipaddress
import socket
import struct

from . import events as ev
from . import symbols
from .errors import Failure, ScriptError
from .table import EpollEvent, Iovec, Msghdr, Pollfd



def number(value):
    if isinstance(value, int):
        return value
    if isinstance(value, ev.Word):
        found = symbols.number(value.name)
        if found is None:
            raise ScriptError(f'no constant {value.name}')
        return found
    if isinstance(value, ev.Or):
        result = 0
        for part in value.values:
            result |= number(part)
        return result
    if isinstance(value, ev.Call) and value.name == 'htons':
        return socket.htons(number(value.args[0]))
    raise ScriptError(f'a number expected, not {value!r}')


def bracketed(value):
    """The number in [number]."""
    if not isinstance(value, list) or len(value) != 1:
        raise ScriptError(f'[number] expected, not {value!r}')
    return number(value[0])


def is_null(value):
    """Of a buffer: ... or NULL."""
    if value is ev.ELLIPSIS:
        return False
    if number(value) == 0:
        return True
    raise ScriptError('... or NULL expected for a buffer')


def buffer(value, size):
    """size octets of zero; None for NULL."""
    return None if is_null(value) else c.create_string_buffer(max(size, 1))


def sockaddr(family, address, port):
    """family: of the socket; an IPv4 address becomes an IPv4-mapped one in AF_INET6."""
    if family == socket.AF_INET:
        return c.create_string_buffer(
            struct.pack('=H', family) + struct.pack('>H', port) + address.packed + bytes(8), 16)
    packed = address.packed if address.version == 6 else b'\0' * 10 + b'\xff\xff' + address.packed
    return c.create_string_buffer(
        struct.pack('=H', family) + struct.pack('>HI', port, 0) + packed + bytes(4), 28)


def read_sockaddr(octets):
    """(address, port), an IPv4-mapped address as IPv4."""
    family, = struct.unpack('=H', octets[:2])
    port, = struct.unpack('>H', octets[2:4])
    if family == socket.AF_INET:
        return ipaddress.IPv4Address(bytes(octets[4:8])), port
    if family == socket.AF_INET6:
        address = ipaddress.IPv6Address(bytes(octets[8:24]))
        return address.ipv4_mapped or address, port
    raise Failure(f'an address of family {family}')


def iovec(value):
    """([{..., N}, ...]) as an array of struct iovec, its buffers, and how many."""
    if not isinstance(value, list):
        raise ScriptError('an array of {..., size} expected')
    buffers = []
    for item in value:
        if not isinstance(item, list) or len(item) != 2 or item[0] is not ev.ELLIPSIS:
            raise ScriptError('{..., size} expected')
        buffers.append(c.create_string_buffer(max(number(item[1]), 1)))
    array = (Iovec * max(len(value), 1))(*[
        Iovec(c.cast(b, c.c_void_p), number(item[1])) for b, item in zip(buffers, value)])
    return array, buffers, len(value)


def msghdr(value, name):
    """A struct msghdr, and what it points to. name: the peer's address, or None."""
    if not isinstance(value, ev.Struct):
        raise ScriptError('{msg_name(...)=..., msg_iov(n)=[...], msg_flags=...} expected')
    array, buffers, n = iovec(value.members.get('msg_iov', []))
    if value.members.get('msg_control'):
        raise ScriptError('msg_control is not played')
    msg = Msghdr(c.cast(name, c.c_void_p) if name else None, len(name) if name else 0,
                 c.cast(array, c.c_void_p), n, None, 0, number(value.members.get('msg_flags', 0)))
    return msg, (array, buffers, name)


def pollfds(value, live_fd):
    """The array, and the revents that are expected."""
    fds, expected = (Pollfd * max(len(value), 1))(), []
    for i, item in enumerate(value):
        if not isinstance(item, ev.Struct):
            raise ScriptError('{fd=..., events=..., revents=...} expected')
        fds[i].fd = live_fd(number(item.members['fd']))
        fds[i].events = number(item.members['events'])
        expected.append(number(item.members.get('revents', 0)))
    return fds, expected


def epoll_event(value, live_fd):
    if not isinstance(value, ev.Struct) or 'events' not in value.members:
        raise ScriptError('{events=..., fd=...} expected')
    event = EpollEvent(events=number(value.members['events']))
    for key in ('ptr', 'u32', 'u64'):
        if key in value.members:
            event.data = number(value.members[key])
            return event
    event.data = live_fd(number(value.members['fd']))
    return event


def option_value(value):
    """Of setsockopt: an int, a struct linger, a string or an address."""
    if isinstance(value, list):
        return c.create_string_buffer(struct.pack('=i', c.c_int(bracketed(value)).value), 4)
    if isinstance(value, str):
        octets = value.encode('latin-1')
        return c.create_string_buffer(octets, len(octets) + 1)
    if isinstance(value, ev.Struct) and 'onoff' in value.members:
        return c.create_string_buffer(struct.pack(
            '=ii', number(value.members['onoff']), number(value.members['linger'])), 8)
    raise ScriptError(f'an option of this kind is not played: {value!r}')
