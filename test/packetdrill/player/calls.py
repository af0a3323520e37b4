"""The system calls of a script: their arguments for the stack, their results against the script's."""
import ctypes as c
import errno
import inspect
import os
import struct

from . import events as ev
from . import symbols
from . import values as v
from .errors import Failure, ScriptError
from .socket_under_test import Socket, State
from .table import EpollEvent

STORAGE = 128  # sizeof (struct sockaddr_storage)


def error_name(number):
    return f'{errno.errorcode.get(number, number)} ({os.strerror(number)})'


class Calls:
    """One method for each call, named as the call. They get the script's arguments; `invoke` makes the
    call proper."""

    def __init__(self, runner):
        self.runner = runner
        self.table = runner.table
        self.sockets = []     # struct state of packetdrill, newest first
        self.other_fds = {}   # script's to live: epolls, pipes
        self.result = None    # of the call, as the script has it
        self.error = None

    # ---- Descriptors ----

    def find(self, script_fd):
        for sock in self.sockets:
            if not sock.closed and sock.script_fd == script_fd:
                return sock
        return None

    def live_fd(self, script_fd):
        sock = self.find(script_fd)
        if sock:
            return sock.live_fd
        if script_fd in self.other_fds:
            return self.other_fds[script_fd]
        raise Failure(f'unable to find fd with script fd {script_fd}')

    def fd(self, value):
        return self.live_fd(v.number(value))

    def add_other(self, script_fd, live_fd):
        if script_fd in self.other_fds or self.find(script_fd):
            raise Failure(f'duplicate fd {script_fd} in script')
        self.other_fds[script_fd] = live_fd

    # ---- The call ----

    def run(self, call):
        method = getattr(self, 'call_' + call.name, None)
        if method is None:
            raise ScriptError(f'no system call {call.name} in the player')
        self.call = call
        try:
            inspect.signature(method).bind(*call.args)
        except TypeError as e:
            raise ScriptError(f'{call.name}: {e}') from None
        method(*call.args)

    def invoke(self, name, *args, is_fd=False):
        """Makes it and compares result and errno."""
        call = self.call
        c.set_errno(0)
        result = self.runner.around(call, lambda: getattr(self.table, name)(*args))
        error = c.get_errno()
        expected = v.number(call.result)
        told = f' with errno {error_name(error)}' if result < 0 else ''
        if is_fd and expected >= 0:
            if result < 0:
                raise Failure(f'Expected non-negative result but got {result}{told}')
        elif result != expected:
            raise Failure(f'Expected result {expected} but got {result}{told}')
        if call.error is not None:
            wanted = symbols.number(call.error)
            if wanted is None:
                raise ScriptError(f'no error {call.error}')
            if error != wanted:
                raise Failure(f'Expected errno {error_name(wanted)} but got {error_name(error)}')
        return result

    # ---- Sockets ----

    def call_socket(self, domain, kind, protocol):
        family = self.runner.domain if domain is ev.ELLIPSIS else v.number(domain)
        live = self.invoke('socket', family, v.number(kind), v.number(protocol), is_fd=True)
        if live < 0:
            return
        script = v.number(self.call.result)
        if self.find(script) or script in self.other_fds:
            raise Failure(f'duplicate fd {script} in script')
        sock = Socket(State.NEW, script, live)
        self.sockets.insert(0, sock)
        self.runner.under_test = sock

    def call_bind(self, fd, _addr, _len):
        config = self.runner.config
        addr = v.sockaddr(self.runner.domain, config.local, config.bind_port)
        self.invoke('bind', self.fd(fd), addr, len(addr))

    def call_listen(self, fd, backlog):
        self.invoke('listen', self.fd(fd), v.number(backlog))
        sock = self.find(v.number(fd))
        if sock:
            sock.state = State.LISTENING

    def call_accept(self, fd, _addr, _len):
        addr = c.create_string_buffer(STORAGE)
        size = c.c_uint(STORAGE)
        live = self.invoke('accept', self.fd(fd), addr, c.byref(size), is_fd=True)
        if live < 0:
            return
        peer = v.read_sockaddr(addr.raw)
        for sock in self.sockets:
            if sock.state in (State.SYNACK_SENT, State.ESTABLISHED):
                if peer != (sock.remote, sock.remote_port):
                    raise Failure(f'accept: peer {peer} instead of '
                                  f'{(sock.remote, sock.remote_port)}')
                sock.script_fd, sock.live_fd = v.number(self.call.result), live
                return
        raise Failure('unable to find socket matching accept() call')

    def connecting(self, fd, family=ev.ELLIPSIS):
        """The address to connect to; the socket's next SYN belongs to it."""
        config = self.runner.config
        sock = self.find(v.number(fd))
        if sock is None:
            raise Failure(f'no socket {fd}')
        if family is not ev.ELLIPSIS and v.number(family) == 0:
            sock.state = State.NEW
            return c.create_string_buffer(struct.pack('=H', 0), STORAGE)
        if sock.state == State.NEW:
            sock.state = State.CONNECTING
            sock.remote, sock.remote_port = config.remote, config.connect_port
        return v.sockaddr(self.runner.domain, config.remote, config.connect_port)

    def call_connect(self, fd, addr, _len):
        live = self.fd(fd)
        to = self.connecting(fd, addr)
        self.invoke('connect', live, to, len(to))

    def call_shutdown(self, fd, how):
        self.invoke('shutdown', self.fd(fd), v.number(how))

    def call_close(self, fd):
        script = v.number(fd)
        self.invoke('close', self.live_fd(script))
        sock = self.find(script)
        if sock:
            sock.closed = True
        else:
            del self.other_fds[script]

    # ---- Text ----

    def call_read(self, fd, buf, count):
        n = v.number(count)
        self.invoke('read', self.fd(fd), v.buffer(buf, n), n)

    def call_readv(self, fd, iov, count):
        array, _buffers, n = v.iovec(iov)
        self.check_count('iov_count', v.number(count), n)
        self.invoke('readv', self.fd(fd), array, n)

    def call_recv(self, fd, buf, count, flags):
        n = v.number(count)
        self.invoke('recv', self.fd(fd), v.buffer(buf, n), n, v.number(flags))

    def call_recvfrom(self, fd, buf, count, flags, _addr, _len):
        n = v.number(count)
        addr, size = c.create_string_buffer(STORAGE), c.c_uint(STORAGE)
        self.invoke('recvfrom', self.fd(fd), v.buffer(buf, n), n, v.number(flags), addr,
                    c.byref(size))

    def call_recvmsg(self, fd, msg, flags):
        header, _kept = v.msghdr(msg, c.create_string_buffer(STORAGE))
        expected = header.flags
        self.invoke('recvmsg', self.fd(fd), c.byref(header), v.number(flags))
        if header.flags != expected:
            raise Failure(f'Expected msg_flags {expected:#010x} but got {header.flags:#010x}')

    def call_write(self, fd, buf, count):
        n = v.number(count)
        self.invoke('write', self.fd(fd), v.buffer(buf, n), n)

    def call_writev(self, fd, iov, count):
        array, _buffers, n = v.iovec(iov)
        self.check_count('iov_count', v.number(count), n)
        self.invoke('writev', self.fd(fd), array, n)

    def call_send(self, fd, buf, count, flags):
        n = v.number(count)
        self.invoke('send', self.fd(fd), v.buffer(buf, n), n, v.number(flags))

    def call_sendto(self, fd, buf, count, flags, addr, _len):
        n, live = v.number(count), self.fd(fd)
        to = self.connecting(fd, addr)
        self.invoke('sendto', live, v.buffer(buf, n), n, v.number(flags), to, len(to))

    def call_sendmsg(self, fd, msg, flags):
        live = self.fd(fd)
        header, _kept = v.msghdr(msg, self.connecting(fd))
        if header.flags:
            raise Failure('sendmsg ignores msg_flags field in msghdr')
        self.invoke('sendmsg', live, c.byref(header), v.number(flags))

    def check_count(self, name, count, n):
        if count != n:
            raise ScriptError(f'{name} {count} does not match {n}-element array')

    # ---- Options ----

    def call_fcntl(self, fd, command, arg=0):
        self.invoke('fcntl', self.fd(fd), v.number(command), v.number(arg))

    def call_ioctl(self, fd, request, value=None):
        live = c.c_int(-1)
        self.invoke('ioctl', self.fd(fd), v.number(request), c.byref(live))
        if value is not None and v.bracketed(value) != live.value:
            raise Failure(f'Bad ioctl optval: expected: {v.bracketed(value)} actual: {live.value}')

    def call_getsockopt(self, fd, level, name, value, size):
        length = v.bracketed(size)
        live, live_length = c.create_string_buffer(length + 1), c.c_uint(length)
        self.invoke('getsockopt', self.fd(fd), v.number(level), v.number(name), live,
                    c.byref(live_length))
        if live_length.value != length:
            raise Failure(f'Bad getsockopt optlen: expected: {length} actual: {live_length.value}')
        if isinstance(value, str):
            if live.raw[:length] != value.encode('latin-1'):
                raise Failure(f'Bad getsockopt optval: expected: {value!r} '
                              f'actual: {live.raw[:length]!r}')
            return
        if length != 4:
            raise ScriptError(f'getsockopt of {length} octets is not played')
        actual, = struct.unpack('=i', live.raw[:4])
        if actual != c.c_int(v.bracketed(value)).value:
            raise Failure(f'Bad getsockopt optval: expected: {v.bracketed(value)} actual: {actual}')

    def call_setsockopt(self, fd, level, name, value, size):
        self.invoke('setsockopt', self.fd(fd), v.number(level), v.number(name), v.option_value(value),
                    v.number(size))

    # ---- Waiting ----

    def call_poll(self, fds, count, timeout):
        array, expected = v.pollfds(fds, self.live_fd)
        self.check_count('nfds', v.number(count), len(expected))
        self.invoke('poll', array, len(expected), v.number(timeout))
        for i, wanted in enumerate(expected):
            if array[i].revents != wanted:
                raise Failure(f'Expected revents of {wanted:#x} but got {array[i].revents:#x} for '
                              f'pollfd {i}')

    def call_epoll_create(self, size):
        live = self.invoke('epoll_create', v.number(size), is_fd=True)
        if live >= 0:
            self.add_other(v.number(self.call.result), live)

    def call_epoll_ctl(self, epfd, op, fd, event):
        live = v.epoll_event(event, self.live_fd)
        self.invoke('epoll_ctl', self.fd(epfd), v.number(op), self.fd(fd), c.byref(live))

    def call_epoll_wait(self, epfd, event, most, timeout):
        wanted = v.epoll_event(event, self.live_fd)
        live = (EpollEvent * max(v.number(most), 1))()
        self.invoke('epoll_wait', self.fd(epfd), live, v.number(most), v.number(timeout))
        if live[0].events != wanted.events:
            raise Failure(f'epoll_event->events does not match script: expected: {wanted.events:#x} '
                          f'actual: {live[0].events:#x}')
        if live[0].data != wanted.data:
            raise Failure(f'epoll_event->data does not match script: expected: {wanted.data:#x} '
                          f'actual: {live[0].data:#x}')

    # ---- Pipes ----

    def call_pipe(self, ends):
        live = (c.c_int * 2)()
        if self.invoke('pipe', live) == 0:
            for script, fd in zip(ends, live):
                self.add_other(v.number(script), fd)

    def call_splice(self, fd_in, off_in, fd_out, off_out, size, flags):
        offsets = c.c_longlong(v.number(off_in)), c.c_longlong(v.number(off_out))
        self.invoke('splice', self.fd(fd_in), c.byref(offsets[0]), self.fd(fd_out),
                    c.byref(offsets[1]), v.number(size), v.number(flags))
