#!/usr/bin/env python3
"""The player's verdicts: scripts that have to pass, and scripts that have to fail, with what it has to
say about them. Each is a handshake with the variant behind it."""
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))

OPEN = '''0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < S 0:0(0) win 8000 <mss 1000>
+0 > S. 0:0(0) ack 1 <mss 1460>
+.2 < . 1:1(0) ack 1 win 8000
+0 accept(3, ..., ...) = 4
'''

PASS = {
    'comments': '/* one\n two */ // three\n' + OPEN,
    'options at the beginning': '--tolerance_usecs=5000 // why\n--ip_version=ipv4\n' + OPEN,
    'any options': OPEN.replace('<mss 1460>', '<...>'),
    'any time': OPEN + '+0 write(4, ..., 10) = 10\n* > P. 1:11(10) ack 1\n* > P. 1:11(10) ack 1',
    'absolute time': OPEN + '.5 write(4, ..., 10) = 10\n.5 > P. 1:11(10) ack 1',
    'absolute range': OPEN + '.5 write(4, ..., 10) = 10\n.5~.6 > P. 1:11(10) ack 1',
    'relative range': OPEN + '.5 write(4, ..., 10) = 10\n+0~+.1 > P. 1:11(10) ack 1\n'
                      '+.5~+.7 > P. 1:11(10) ack 1',
    'tolerance of 4 ms': OPEN + '+0 write(4, ..., 10) = 10\n+.003 > P. 1:11(10) ack 1',
    'tolerance of 12.5 %': OPEN + '+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 1\n'
                           '+.66 > P. 1:11(10) ack 1',
    'merged': OPEN + '+0 write(4, ..., 2500) = 2500\n+0 > P. 1:2501(2500) ack 1',
    'not merged': '--strict_segments\n' + OPEN + '+0 write(4, ..., 2500) = 2500\n'
                  '+0 > . 1:1001(1000) ack 1\n+0 > . 1001:2001(1000) ack 1\n'
                  '+0 > P. 2001:2501(500) ack 1',
    'extra packets at the end': OPEN + '+0 write(4, ..., 10) = 10',
    'window': '--so_flags=rcvbuf=5000\n' + OPEN.replace('ack 1 <mss', 'ack 1 win 5000 <mss'),
    'define': OPEN + '+0 SEND(4, ..., N) = N\n+0 > P. 1:11(10) ack 1',
    'errno with text': OPEN + '+0 recv(4, ..., 9, MSG_DONTWAIT) = -1 EAGAIN (Try, or do not)',
    'errno alone': OPEN + '+0 recv(4, ..., 9, MSG_DONTWAIT) = -1 EAGAIN',
    'flags in words': OPEN + '+0 fcntl(4, F_GETFL) = 0x02 (flags O_RDWR|O_EXCL)',
    'null': OPEN + '+0 < . 1:11(10) ack 1 win 8000\n+0 recv(4, NULL, 10, MSG_TRUNC) = 10',
    'iovecs': OPEN + '+0 writev(4, [{..., 5}, {..., 7}], 2) = 12\n+0 > P. 1:13(12) ack 1\n'
              '+.1 < . 1:21(20) ack 13 win 8000\n+0 readv(4, [{..., 5}, {..., 30}], 2) = 20',
    'messages': OPEN + '+0 sendmsg(4, {msg_name(...)=..., msg_iov(2)=[{..., 5}, {..., 7}], '
                'msg_flags=0}, 0) = 12\n+0 > P. 1:13(12) ack 1\n+.1 < . 1:9(8) ack 13 win 8000\n'
                '+0 recvmsg(4, {msg_name(...)=..., msg_iov(1)=[{..., 50}], msg_flags=0}, 0) = 8',
    'linger': OPEN + '+0 setsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=1, linger=3}, 8) = 0',
    'code': OPEN + '+0 %{\nn = 3\nassert tcpi_state == TCP_ESTABLISHED }%\n+0 %{ assert n == 3 }%',
    'command': '`true`\n' + OPEN + '+0 `test -e /proc/sys/net`\n`true`',
    'tos and ttl': OPEN + '+0 write(4, ..., 10) = 10\n+0 > [noecn] P. 1:11(10) ack 1\n'
                   '+.1 < [ect0] . 1:11(10) ack 11 win 8000\n+0 write(4, ..., 10) = 10\n'
                   '+0 > (ttl 64) P. 11:21(10) ack 11',
    'urgent pointer': OPEN + '+0 < U. 1:11(10) ack 1 win 8000 urg 5',
    'options to the stack': OPEN + '+0 < . 1:11(10) ack 1 win 8000 <sack 11:21 31:41,nop,nop>\n'
                            '+0 < . 11:21(10) ack 1 win 8000 <nop,nop,TS val 1 ecr 0>',
}
PASS['options to the stack'] = PASS['options to the stack'].rsplit('\n', 1)[0]

# What stands behind the handshake, and a part of the message.
FAIL = {
    'flag': ('+0 write(4, ..., 10) = 10\n+0 > . 1:11(10) ack 1', 'field flag P: expected: False'),
    'seq': ('+0 write(4, ..., 10) = 10\n+0 > P. 2:12(10) ack 1', 'field seq: expected: 2'),
    'ack': ('+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 2', 'field ack: expected: 2'),
    'too long': ('+0 write(4, ..., 10) = 10\n+0 > P. 1:10(9) ack 1', 'payload length: expected: 9'),
    'too short': ('+0 write(4, ..., 10) = 10\n+0 > P. 1:12(11) ack 1', 'seq: expected: 11'),
    'unequal pieces': ('+0 write(4, ..., 1500) = 1500\n+0 setsockopt(4, SOL_TCP, TCP_NODELAY, [1], 4) '
                       '= 0\n+0 write(4, ..., 1500) = 1500\n+0 > P. 1:3001(3000) ack 1',
                       'fragment payload: 1000 octets, then 500'),
    'window': ('+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 1 win 7', 'window: expected: 7'),
    'urgent': ('+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 1 urg 1', 'urgent pointer'),
    'ecn': ('+0 write(4, ..., 10) = 10\n+0 > [ect0] P. 1:11(10) ack 1', 'ip_ecn: expected: 2'),
    'ttl': ('+0 write(4, ..., 10) = 10\n+0 > [ttl 9] P. 1:11(10) ack 1', 'ttl: expected: 9'),
    'option': ('+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 1 <nop,nop,sackOK>',
               'bad outbound TCP options: expected: <nop,nop,sackOK>'),
    'too late': ('+0 write(4, ..., 10) = 10\n+.01 > P. 1:11(10) ack 1', 'timing error'),
    'too early': ('+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 1\n+.5 > P. 1:11(10) ack 1',
                  'timing error: expected outbound packet'),
    'out of range': ('+0 write(4, ..., 10) = 10\n+.1~+.2 > P. 1:11(10) ack 1', 'timing error'),
    'not expected': ('+0 < . 11:21(10) ack 1 win 8000\n+0 < . 1:11(10) ack 1 win 8000\n'
                     '+0 > . 1:1(0) ack 21', 'field ack: expected: 21 vs actual: 1'),
    'never': ('+0 > . 1:1(0) ack 1', 'no packet comes any more'),
    'result': ('+0 write(4, ..., 10) = 9', 'Expected result 9 but got 10'),
    'error instead': ('+0 recv(4, ..., 9, MSG_DONTWAIT) = 9',
                      'Expected result 9 but got -1 with errno EAGAIN'),
    'errno': ('+0 recv(4, ..., 9, MSG_DONTWAIT) = -1 EPIPE (Broken pipe)',
              'Expected errno EPIPE (Broken pipe) but got EAGAIN'),
    'option value': ('+0 getsockopt(4, SOL_TCP, TCP_MAXSEG, [999], [4]) = 0',
                     'Bad getsockopt optval: expected: 999 actual: 1000'),
    'option length': ('+0 getsockopt(4, SOL_SOCKET, SO_ERROR, [0], [8]) = 0',
                      'Bad getsockopt optlen: expected: 8 actual: 4'),
    'ioctl': ('+0 ioctl(4, SIOCINQ, [3]) = 0', 'Bad ioctl optval: expected: 3 actual: 0'),
    'revents': ('+0 poll([{fd=4, events=POLLIN|POLLOUT, revents=POLLIN}], 1, 0) = 1',
                'Expected revents of 0x1 but got 0x4 for pollfd 0'),
    'epoll': ('+0 epoll_create(1) = 5\n+0 epoll_ctl(5, EPOLL_CTL_ADD, 4, {events=EPOLLOUT, fd=4}) = 0\n'
              '+0 epoll_wait(5, {events=EPOLLIN, fd=4}, 1, 0) = 1', 'expected: 0x1 actual: 0x4'),
    'msg_flags': ('+0 < . 1:11(10) ack 1 win 8000\n+0 recvmsg(4, {msg_name(...)=..., '
                  'msg_iov(1)=[{..., 50}], msg_flags=MSG_TRUNC}, 0) = 10', 'Expected msg_flags'),
    'code': ('+0 %{ assert tcpi_state == TCP_LISTEN }%', 'error in Python code'),
    'command': ('+0 `false`\n+0 close(4) = 0', '`false` returned non-zero status 1'),
    'ends late': ('+0...0.100 read(4, ..., 10) = 10\n+.2 < . 1:11(10) ack 1 win 8000',
                  'timing error: expected system call return'),
    'does not end': ('+0...0.100 read(4, ..., 10) = 10', 'exiting while a blocking system call'),
    'main thread waits': ('+0 read(4, ..., 10) = 10', "main thread waits for what can't come"),
    'fd': ('+0 close(7) = 0', 'unable to find fd with script fd 7'),
    'duplicate fd': ('+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 4', 'duplicate fd 4 in script'),
    'constant': ('+0 getsockopt(4, SOL_SOCKET, SO_NONSENSE, [0], [4]) = 0', 'no constant SO_NONSENSE'),
    'call': ('+0 sendfile(4, 5, [0], 10) = 10', 'no system call sendfile'),
    'arguments': ('+0 close(4, 5) = 0', 'close: too many positional arguments'),
    'time backwards': ('+0 close(4) = 0\n.5 close(3) = 0\n.4 listen(3, 1) = 0', 'time goes backward'),
    'numbers': ('+0 < . 1:5(3) ack 1 win 8000', '1:4(3) expected'),
    'padding': ('+0 < . 1:4(3) ack 1 win 8000 <nop>', 'multiple of 4'),
    'no window': ('+0 < . 1:4(3) ack 1', 'win expected'),
    'open options': ('+0 < . 1:4(3) ack 1 win 8000 <...>', 'TCP options of a packet to be sent'),
    'flags': ('+0 < X. 1:4(3) ack 1 win 8000', 'TCP flags expected'),
    'range of a call': ('+0~+1 close(4) = 0', 'for outbound packets only'),
    'udp': ('+0 < udp (100)', 'udp packets are not played'),
    'character': ('+0 < . 1:4(3) ack 1 win 8000 \xa7', "character"),
}


def play(scripts, *args):
    """For each script, by name, what the player said of it."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in scripts.items():
            with open(os.path.join(folder, name + '.pkt'), 'w', encoding='utf-8') as f:
                f.write(text + '\n')
        done = subprocess.run([sys.executable, os.path.join(HERE, 'play.py'), *sys.argv[1:], *args, folder],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    told, lines = {}, []
    for line in done.stdout.split('\n'):
        lines.append(line)
        verdict = re.match(r'(PASS|FAIL) .*/(.*)\.pkt \(', line)
        if verdict:
            told[verdict.group(2)] = '\n'.join(lines)
            lines = []
    if done.returncode != ('FAIL ' in done.stdout):
        print(f'status {done.returncode}:\n{done.stdout}')
        sys.exit(1)
    return told


def main():
    wrong = []

    def must(told, name, verdict, message=''):
        said = told.get(name, 'nothing')
        if f'{verdict} /' not in said or message not in said:
            wrong.append(f'{name}: {verdict} with "{message}" expected, but\n{said}')

    told = play(PASS, '-D', 'SEND=write', '-D', 'N=10')
    for name in PASS:
        must(told, name, 'PASS')
    told = play({name: OPEN + text for name, (text, _) in FAIL.items()})
    for name, (_, message) in FAIL.items():
        must(told, name, 'FAIL', message)
    must(play({'refused': '`true`\n' + OPEN}, '--commands', 'refuse'), 'refused', 'FAIL',
         'commands are refused: true')
    must(play({'skipped': '`false`\n' + OPEN}, '--commands', 'skip'), 'skipped', 'PASS')
    print('\n'.join(wrong))
    print(f'{len(PASS) + len(FAIL) + 2} scripts, {len(wrong)} wrong verdicts')
    sys.exit(bool(wrong))


if __name__ == '__main__':
    main()
