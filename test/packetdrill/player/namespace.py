"""A network namespace for a script: its sysctls are nobody else's."""
import ctypes
import os

from .errors import Failure

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000


def enter():
    """As root of it; who is not root becomes that in a user namespace."""
    uid, gid = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET | (CLONE_NEWUSER if uid else 0)):
        raise Failure(f'unshare: {os.strerror(ctypes.get_errno())}; --commands skip does without it')
    if uid:
        for file, text in (('setgroups', 'deny'), ('uid_map', f'0 {uid} 1'), ('gid_map', f'0 {gid} 1')):
            with open(f'/proc/self/{file}', 'w', encoding='ascii') as f:
                f.write(text)
