"""A script's Python code, %{ ... }%, and the TCP_INFO that it looks at.

packetdrill takes the figures when the code's time has come, and runs all code of a script after its
last event, as one program.
"""
import ctypes as c
import struct
import sys
import traceback

from . import symbols
from .errors import Failure

TCP_LEVEL, TCP_INFO, TCP_CC_INFO, SOL_SOCKET, SO_MEMINFO = 6, 11, 26, 1, 55

# struct tcp_info of linux/tcp.h: 8 octets of which the last two are bits, then these.
WORDS = ['rto', 'ato', 'snd_mss', 'rcv_mss', 'unacked', 'sacked', 'lost', 'retrans', 'fackets',
         'last_data_sent', 'last_ack_sent', 'last_data_recv', 'last_ack_recv', 'pmtu', 'rcv_ssthresh',
         'rtt', 'rttvar', 'snd_ssthresh', 'snd_cwnd', 'advmss', 'reordering', 'rcv_rtt', 'rcv_space',
         'total_retrans']
LONGS = ['pacing_rate', 'max_pacing_rate', 'bytes_acked', 'bytes_received']
WORDS_2 = ['segs_out', 'segs_in', 'notsent_bytes', 'min_rtt', 'data_segs_in', 'data_segs_out']
LONGS_2 = ['delivery_rate', 'busy_time', 'rwnd_limited', 'sndbuf_limited']
WORDS_3 = ['delivered', 'delivered_ce']
LONGS_3 = ['bytes_sent', 'bytes_retrans']
WORDS_4 = ['dsack_dups', 'reord_seen', 'rcv_ooopack', 'snd_wnd']
LAYOUT = '=' + f'{len(WORDS)}I{len(LONGS)}Q{len(WORDS_2)}I{len(LONGS_2)}Q{len(WORDS_3)}I' \
    f'{len(LONGS_3)}Q{len(WORDS_4)}I'
NAMES = WORDS + LONGS + WORDS_2 + LONGS_2 + WORDS_3 + LONGS_3 + WORDS_4
INFO_SIZE = 280

MEMINFO = ['RMEM_ALLOC', 'RCVBUF', 'WMEM_ALLOC', 'SNDBUF', 'FWD_ALLOC', 'WMEM_QUEUED', 'OPTMEM',
           'BACKLOG', 'DROPS']


def variables(octets):
    """tcpi_... by name"""
    state, ca_state, retransmits, probes, backoff, options, scales, limited = octets[:8]
    found = dict(state=state, ca_state=ca_state, retransmits=retransmits, probes=probes,
                 backoff=backoff, options=options, snd_wscale=scales & 15, rcv_wscale=scales >> 4,
                 delivery_rate_app_limited=limited & 1)
    found.update(zip(NAMES, struct.unpack_from(LAYOUT, octets, 8)))
    return {'tcpi_' + name: value for name, value in found.items()}


def ask(getsockopt, fd, level, name, size):
    value, length = c.create_string_buffer(size), c.c_uint(size)
    if getsockopt(fd, level, name, value, c.byref(length)) < 0:
        raise Failure(f"can't find getsockopt to get TCP info: level {level}, option {name}")
    return value.raw, length.value


class CodeRunner:
    def __init__(self, getsockopt, name):
        self.getsockopt = getsockopt
        self.name = name
        self.pieces = []  # (line, text, variables)

    def collect(self, fd, line, text):
        octets, size = ask(self.getsockopt, fd, TCP_LEVEL, TCP_INFO, INFO_SIZE)
        if size < INFO_SIZE:
            raise Failure(f'TCP_INFO of {size} octets; packetdrill wants {INFO_SIZE}')
        figures = variables(octets)
        ask(self.getsockopt, fd, TCP_LEVEL, TCP_CC_INFO, 20)
        memory, size = ask(self.getsockopt, fd, SOL_SOCKET, SO_MEMINFO, 4 * len(MEMINFO))
        if size < 4 * len(MEMINFO):
            raise Failure(f'SO_MEMINFO of {size} octets')
        figures.update(zip(['SK_MEMINFO_' + name for name in MEMINFO],
                           struct.unpack(f'={len(MEMINFO)}I', memory)))
        self.pieces.append((line, text, figures))

    def execute(self):
        space = {}
        for line, text, figures in self.pieces:
            space.update(symbols.TCP_STATES)
            space.update(symbols.CA_STATES)
            space.update(symbols.INFO_OPTIONS)
            space.update(figures)
            try:
                exec(compile(text, f'{self.name}:{line}', 'exec'), space)
            except Exception as e:
                traceback.print_exc(limit=-1, file=sys.stderr)
                used = sorted(name for name in figures if name in text)
                shown = ', '.join(f'{name} = {figures[name]}' for name in used)
                raise Failure(f'error in Python code: {e!r} with {shown}') from None
