"""The constants that scripts use, with Linux's numbers."""
import errno
import fcntl
import select
import socket
import termios

# What Python's modules do not have, or not under this name.
OTHERS = {
    'SOL_IP': 0, 'SOL_TCP': 6, 'SOL_UDP': 17, 'SOL_IPV6': 41,
    'SO_PEERNAME': 28, 'SO_TIMESTAMPING': 37, 'SO_MAX_PACING_RATE': 47, 'SO_MEMINFO': 55,
    'SO_ZEROCOPY': 60, 'SO_BSDCOMPAT': 14, 'SO_NO_CHECK': 11, 'SO_TIMESTAMP': 29,
    'MSG_FASTOPEN': 0x20000000, 'MSG_ZEROCOPY': 0x4000000, 'MSG_NOSIGNAL': 0x4000,
    'IP_MTU_DISCOVER': 10, 'IP_PMTUDISC_DONT': 0, 'IP_PMTUDISC_WANT': 1, 'IP_PMTUDISC_DO': 2,
    'IP_PMTUDISC_PROBE': 3, 'IP_RECVERR': 11, 'IP_MTU': 14, 'IP_FREEBIND': 15,
    'IPV6_MTU_DISCOVER': 23, 'IPV6_MTU': 24, 'IPV6_RECVERR': 25, 'IPV6_HOPLIMIT': 52,
    'TCP_CC_INFO': 26, 'TCP_TIMESTAMP': 24, 'TCP_FASTOPEN_CONNECT': 30, 'TCP_INQ': 36,
    'TCP_CM_INQ': 36, 'TCP_MD5SIG': 14, 'TCP_THIN_LINEAR_TIMEOUTS': 16, 'TCP_THIN_DUPACK': 17,
    'TCP_INFINITE_SSTHRESH': 0x7fffffff,
    'SIOCINQ': termios.FIONREAD, 'FIONREAD': termios.FIONREAD, 'SIOCOUTQ': termios.TIOCOUTQ,
    'FIONBIO': termios.FIONBIO,
    'O_RDONLY': 0, 'O_WRONLY': 1, 'O_RDWR': 2, 'O_ACCMODE': 3, 'O_NONBLOCK': 0o4000,
    'EPOLL_CTL_ADD': 1, 'EPOLL_CTL_DEL': 2, 'EPOLL_CTL_MOD': 3,
    'SPLICE_F_MOVE': 1, 'SPLICE_F_NONBLOCK': 2, 'SPLICE_F_MORE': 4,
    'NULL': 0,
}

# Of tcpi_state and tcpi_ca_state, for Python code.
TCP_STATES = {name: number for number, name in enumerate(
    ['TCP_ESTABLISHED', 'TCP_SYN_SENT', 'TCP_SYN_RECV', 'TCP_FIN_WAIT1', 'TCP_FIN_WAIT2',
     'TCP_TIME_WAIT', 'TCP_CLOSE', 'TCP_CLOSE_WAIT', 'TCP_LAST_ACK', 'TCP_LISTEN', 'TCP_CLOSING'],
    1)}
CA_STATES = {name: number for number, name in enumerate(
    ['TCP_CA_Open', 'TCP_CA_Disorder', 'TCP_CA_CWR', 'TCP_CA_Recovery', 'TCP_CA_Loss'])}
INFO_OPTIONS = {'TCPI_OPT_TIMESTAMPS': 1, 'TCPI_OPT_SACK': 2, 'TCPI_OPT_WSCALE': 4,
                'TCPI_OPT_ECN': 8, 'TCPI_OPT_ECN_SEEN': 16, 'TCPI_OPT_SYN_DATA': 32}

PREFIXES = ('AF_', 'PF_', 'SOCK_', 'IPPROTO_', 'SOL_', 'SO_', 'MSG_', 'SHUT_', 'IP_', 'IPV6_', 'TCP_',
            'E', 'POLL', 'EPOLL', 'F_', 'FD_')


def number(word):
    """The constant's value, None when there is none of this name."""
    if word in OTHERS:
        return OTHERS[word]
    if word.startswith(PREFIXES):
        for module in (socket, errno, select, fcntl):
            value = getattr(module, word, None)
            if isinstance(value, int):
                return int(value)
    return None
