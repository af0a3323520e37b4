"""The table of interface.h: the shared object as Python calls it."""
import ctypes as c
import os

INT, LONG, PTR, SIZE, UINT = c.c_int, c.c_ssize_t, c.c_void_p, c.c_size_t, c.c_uint

# Member, result, arguments after the first, which is userdata.
CALLS = [
    ('free', None, []),
    ('socket', INT, [INT, INT, INT]),
    ('bind', INT, [INT, PTR, UINT]),
    ('listen', INT, [INT, INT]),
    ('accept', INT, [INT, PTR, PTR]),
    ('connect', INT, [INT, PTR, UINT]),
    ('read', LONG, [INT, PTR, SIZE]),
    ('readv', LONG, [INT, PTR, INT]),
    ('recv', LONG, [INT, PTR, SIZE, INT]),
    ('recvfrom', LONG, [INT, PTR, SIZE, INT, PTR, PTR]),
    ('recvmsg', LONG, [INT, PTR, INT]),
    ('write', LONG, [INT, PTR, SIZE]),
    ('writev', LONG, [INT, PTR, INT]),
    ('send', LONG, [INT, PTR, SIZE, INT]),
    ('sendto', LONG, [INT, PTR, SIZE, INT, PTR, UINT]),
    ('sendmsg', LONG, [INT, PTR, INT]),
    ('fcntl', INT, [INT, INT, c.c_long]),
    ('ioctl', INT, [INT, c.c_ulong, PTR]),
    ('close', INT, [INT]),
    ('shutdown', INT, [INT, INT]),
    ('getsockopt', INT, [INT, INT, INT, PTR, PTR]),
    ('setsockopt', INT, [INT, INT, INT, PTR, UINT]),
    ('poll', INT, [PTR, c.c_ulong, INT]),
    ('netdev_send', INT, [PTR, SIZE]),
    ('netdev_receive', INT, [PTR, PTR, PTR]),
    ('usleep', INT, [UINT]),
    ('gettimeofday', INT, [PTR, PTR]),
    ('epoll_create', INT, [INT]),
    ('epoll_ctl', INT, [INT, INT, INT, PTR]),
    ('epoll_wait', INT, [INT, PTR, INT, INT]),
    ('pipe', INT, [PTR]),
    ('splice', INT, [INT, PTR, INT, PTR, SIZE, UINT]),
]


class Timeval(c.Structure):
    _fields_ = [('sec', c.c_long), ('usec', c.c_long)]


class Iovec(c.Structure):
    _fields_ = [('base', PTR), ('len', SIZE)]


class Msghdr(c.Structure):
    _fields_ = [('name', PTR), ('namelen', UINT), ('iov', PTR), ('iovlen', SIZE), ('control', PTR),
                ('controllen', SIZE), ('flags', INT)]


class Pollfd(c.Structure):
    _fields_ = [('fd', INT), ('events', c.c_short), ('revents', c.c_short)]


class EpollEvent(c.Structure):
    _pack_ = 1
    _fields_ = [('events', c.c_uint32), ('data', c.c_uint64)]


class RawTable(c.Structure):
    _fields_ = [('userdata', PTR)] + [
        (name, c.CFUNCTYPE(result, PTR, *arguments, use_errno=True))
        for name, result, arguments in CALLS]


class Table:
    """Its calls, without userdata: table.socket(domain, type, protocol)."""

    def __init__(self, path, flags, preload=None):
        """preload: the library to be loaded before, as LD_PRELOAD would."""
        self.preload = c.CDLL(preload, mode=c.RTLD_GLOBAL, use_errno=True) if preload else None
        self.library = c.CDLL(path, mode=os.RTLD_NOW | os.RTLD_LOCAL | os.RTLD_NODELETE
                              | os.RTLD_DEEPBIND)
        self.raw = RawTable()
        init = self.library.packetdrill_interface_init
        init.restype = None
        init(flags.encode() if flags is not None else None, c.byref(self.raw))

    def __getattr__(self, name):
        call, userdata = getattr(self.raw, name), self.raw.userdata
        return lambda *args: call(userdata, *args)

    def now_us(self):
        tv = Timeval()
        self.gettimeofday(c.byref(tv), None)
        return tv.sec * 1000000 + tv.usec

    def libc(self, name):
        """The C library's call, as packetdrill would find it."""
        return getattr(self.preload or c.CDLL(None, use_errno=True), name)
