"""What the stack has sent against what the script expects, as strictly as packetdrill."""
from . import events as ev
from .errors import Failure
from .wire import FLAG_BITS, option_text

STAMP = 8


def check(name, expected, actual):
    if expected != actual:
        raise Failure(f'live packet field {name}: expected: {expected} vs actual: {actual}')


def stamp_of(options):
    """(value, index) of the timestamp option, or (None, None)."""
    for i, octets in enumerate(options or []):
        if octets[0] == STAMP:
            return int.from_bytes(octets[2:6], 'big'), i
    return None, None


def same_kind(seg, before):
    """Whether a segment may be one with the segment before it: packetdrill puts together what the
    script has as one."""
    check('TCP options length', sum(map(len, before.options)), sum(map(len, seg.options)))
    for letter in 'SR.UEA':
        check(f'flag {letter}', before.has(letter), seg.has(letter))
    check('seq', (before.seq + len(before.payload)) & 0xffffffff, seg.seq)
    check('ack', before.ack, seg.ack)
    check('window', before.window, seg.window)
    check('urgent pointer', before.urgent, seg.urgent)


def merge(segments):
    """Several segments as one: headers of the last, the sequence number and CWR of the first."""
    whole = segments[-1]
    whole.payload = b''.join(s.payload for s in segments)
    whole.seq = segments[0].seq
    whole.flags = whole.flags & ~FLAG_BITS['W'] | segments[0].flags & FLAG_BITS['W']
    return whole


def check_tos(packet, seg):
    if packet.tos_check == 'ect01' and seg.tos & 3 not in (1, 2):
        raise Failure(f'live packet field ip_ecn: expected: 1 or 2 vs actual: {seg.tos & 3}')
    if packet.tos_check == 'ecn':
        check('ip_ecn', packet.tos, seg.tos & 3)
    if packet.tos_check == 'tos':
        check('tos', packet.tos, seg.tos)
    if packet.ttl is not None:
        check('ttl', packet.ttl, seg.ttl)


def check_flags(packet, seg):
    for letter in 'FSRP.U':
        check(f'flag {letter}', letter in packet.flags, seg.has(letter))
    if packet.ace is not None:
        bits = seg.flags >> 6
        check('tcp_ace', packet.ace, bits & 7)
        return
    for letter in 'EWA':
        check(f'flag {letter}', letter in packet.flags, seg.has(letter))


def check_options(packet, seg, config):
    """In this order, with the same values; of timestamps only where --tcp_ts_tick_usecs asks for it."""
    if packet.options is None:
        return
    expected = [option_text(o) for o in packet.options]
    actual = [option_text(o) for o in seg.options]
    if [o[0] for o in packet.options] != [o[0] for o in seg.options]:
        raise Failure(f'bad outbound TCP options: expected: <{",".join(expected)}> '
                      f'vs actual: <{",".join(actual)}>')
    for mine, theirs in zip(packet.options, seg.options):
        if mine[0] != STAMP and mine != theirs:
            raise Failure(f'bad value of an outbound TCP option: expected: {option_text(mine)} '
                          f'vs actual: {option_text(theirs)}')
    value, _ = stamp_of(packet.options)
    live, _ = stamp_of(seg.options)
    tick = config.tcp_ts_tick_usecs
    if tick and value is not None and abs(live - value) * tick > config.tolerance_usecs:
        raise Failure('bad outbound TCP timestamp value')


def check_packet(packet, seg, config):
    """seg: in the script's numbers."""
    check_tos(packet, seg)
    check_flags(packet, seg)
    check('reserved bits', 0, seg.reserved)
    check('seq', packet.seq, seg.seq)
    check('ack', packet.ack, seg.ack)
    if packet.window is not None:
        check('window', packet.window, seg.window)
    check('urgent pointer', packet.urgent, seg.urgent)
    check('payload length', packet.length, len(seg.payload))
    check_options(packet, seg, config)
    if seg.payload.strip(b'\0'):
        raise Failure('incorrect outbound data payload')


def seconds(time_us):
    return f'{time_us / 1e6:.6f}'


def check_time(event, last, actual_us, config, what, end_us=None):
    """Times of the script, in us from its start. last: the event before this one, or None. end_us: of a
    system call that blocks, in place of the event's own."""
    if event.time_kind == ev.ANY:
        return
    expected = event.time_us if end_us is None else end_us
    tolerance = config.tolerance_usecs
    if last is not None:
        tolerance = max(tolerance, int(config.tolerance_percent / 100 * (expected - last)))
    latest = expected
    if end_us is None and event.time_kind in (ev.ABSOLUTE_RANGE, ev.RELATIVE_RANGE):
        latest = event.time_end_us
    if not expected - tolerance <= actual_us <= latest + tolerance:
        span = seconds(expected) + (f'~{seconds(latest)}' if latest != expected else '')
        raise Failure(f'timing error: expected {what} at {span} sec but happened at '
                      f'{seconds(actual_us)} sec; tolerance {seconds(tolerance)} sec')
