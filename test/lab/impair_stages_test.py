"""`impair`, stage by stage, on the wire: what the unit tests show in virtual time comes true here.

Times are compared on the machine's own clock; a busy machine makes them longer, never shorter."""
import hashlib
import json
import os
import select
import socket
import statistics
import subprocess
import sys
import time

from impairs import A4, B4, B6, all_counters, background, balance, family, impair
from lab import check, in_node, inside, ok

HERE = os.path.abspath(__file__)
MS = 1e6  # in ns


# What runs in the nodes.

def collect(address, seconds_of_silence):
    """Prints as JSON the datagrams that came: their number, when they were sent and when they came.
    The end is so much silence after the end of stdin."""
    with socket.socket(family(address), socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        sock.bind((address, 7))
        print("ready", flush=True)
        found, sources, silence = [], [sock, sys.stdin], None
        while ready := select.select(sources, [], [], silence)[0]:
            if sock in ready:
                number, sent = sock.recv(2000)[:40].split()
                found.append((int(number), int(sent), time.monotonic_ns()))
            elif sys.stdin in ready:
                sources, silence = [sock], float(seconds_of_silence)
        print(json.dumps(found))


def emit(address, first, count, gap_us, length):
    """Datagrams of that length, so long after each other."""
    with socket.socket(family(address), socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
        begun = time.monotonic()
        for i in range(int(count)):
            wait = begun + i * int(gap_us) / 1e6 - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            text = b"%d %d " % (int(first) + i, time.monotonic_ns())
            sock.sendto(text.ljust(int(length)), (address, 7))


def sized(address, length):
    """A datagram that must not be cut; prints the path's MTU as the kernel then has it."""
    six = family(address) == socket.AF_INET6
    with socket.socket(family(address), socket.SOCK_DGRAM) as sock:
        level = socket.IPPROTO_IPV6 if six else socket.IPPROTO_IP
        sock.setsockopt(level, 23 if six else 10, 2)  # IPV6_MTU_DISCOVER, IP_MTU_DISCOVER: DO
        sock.setsockopt(level, 25 if six else 11, 1)  # IPV6_RECVERR, IP_RECVERR
        sock.settimeout(1)
        sock.connect((address, 9))
        sock.send(bytes(int(length)))
        try:
            sock.recv(1)
        except OSError:
            pass
        print(sock.getsockopt(level, 24 if six else 14))  # IPV6_MTU, IP_MTU


def source(address, size):
    data = os.urandom(1 << 20) * (int(size) >> 20)
    with socket.create_connection((address, 7), timeout=60) as sock:
        sock.sendall(data)
    print(hashlib.sha256(data).hexdigest())


def sink(address):
    digest = hashlib.sha256()
    with socket.create_server((address, 7), family=family(address)) as server:
        print("ready", flush=True)
        conn = server.accept()[0]
        while data := conn.recv(1 << 16):
            digest.update(data)
    print(digest.hexdigest())


# The tests.

def send(count, gap_us=0, length=100, first=0, address=B4):
    in_node("host1", sys.executable, HERE, "emit", address, str(first), str(count), str(gap_us),
            str(length))


def receive(address=B4, silence=0.5):
    return background("host2", HERE, "collect", address, str(silence), stdin=subprocess.PIPE)


def came(receiver):
    return json.loads(receiver.communicate(timeout=60)[0])


def through(*args, **options):
    """What of the datagrams comes out of a router that is impaired so, in the order of coming."""
    impair(*args, "--dir", "host2")
    receiver = receive(options.get("address", B4))
    send(**options)
    return came(receiver)


def transits(rows):
    return [(here - sent) / MS for _, sent, here in rows]


def test_delay_and_jitter():
    rows = through("--delay", "20ms", count=200, gap_us=3000)
    found = transits(rows)
    check(len(rows) == 200, f"{len(rows)} of 200")
    check(min(found) >= 20, f"too early: {min(found)} ms")
    check(statistics.median(found) < 22, f"median {statistics.median(found)} ms, not 20")
    print(f"delay 20ms: {min(found):.3f} to {max(found):.3f} ms, median {statistics.median(found):.3f}")
    rows = through("--delay", "20ms", "--jitter", "5ms", count=200, gap_us=3000)
    found = transits(rows)
    check([n for n, _, _ in rows] == list(range(200)), "jitter changed the order")
    check(min(found) >= 15 and statistics.median(found) < 25, f"{found}")
    check(max(found) - min(found) > 5, f"no jitter: {found}")


def test_rate_and_queue():
    """300 packets at once, 1514 octets each with Ethernet's, take 182 ms of 20 Mbit/s, never less; and
    50 places are 50 places."""
    rows = through("--rate", "20mbit", count=300, length=1472)
    mbit = 300 * 1514 * 8 / ((rows[-1][2] - rows[0][1]) / 1e9) / 1e6
    print(f"rate 20mbit: {mbit:.2f} Mbit/s")
    check(len(rows) == 300, f"{len(rows)} of 300")
    check(5 < mbit <= 20, f"{mbit} Mbit/s")  # less where the sender was held up
    rows = through("--rate", "10mbit", "--queue", "50p", count=400, length=1472)
    c = balance(all_counters())
    check(c["queue"] == 400 - len(rows) and c["queue"] > 200, f"{c}")
    check([n for n, _, _ in rows][:51] == list(range(51)), "one on the link and 50 in the queue")


def test_policer():
    """30 kB may go at once, and nothing waits."""
    rows = through("--rate", "1mbit,30kb", "--queue", "0", count=200, length=1472)
    check(20 <= len(rows) < 60, f"{len(rows)} came through")
    check(balance(all_counters())["queue"] == 200 - len(rows), f"{all_counters()}")


def test_mtu():
    """Above 1400 octets: an answer (RFC 1191, RFC 4443 3.2), or a black hole."""
    for address, header in ((B4, 28), (B6, 48)):
        for args, learned in ((("1400,silent",), "1500"), (("1400",), "1400")):
            impair("--mtu", *args)
            check(in_node("host1", sys.executable, HERE, "sized", address, str(1400 - header)).strip()
                  == "1500", f"{address}: 1400 octets are refused")
            told = in_node("host1", sys.executable, HERE, "sized", address, str(1401 - header)).strip()
            check(told == learned, f"{address} {args}: an MTU of {told}")
            check(balance(all_counters())["mtu"] == 1, f"{all_counters()}")


def test_copies():
    rows = through("--dup", "20%", "--seed", "1", count=1000, gap_us=300)
    numbers = [n for n, _, _ in rows]
    check(sorted(set(numbers)) == list(range(1000)), "some did not come")
    check(len(numbers) - 1000 == balance(all_counters())["dup"], f"{len(numbers)}, {all_counters()}")
    check(120 < len(numbers) - 1000 < 280, f"{len(numbers) - 1000} copies of 1000")
    check(numbers == sorted(numbers), "a copy came out of order")
    rows = through("--dup", "100%", address=B6, count=20, gap_us=300)
    check([n for n, _, _ in rows] == [i // 2 for i in range(40)], f"IPv6: {rows}")


def test_flipped_bits():
    """Each is found by the checksum of IP or UDP, so that as many are missing."""
    rows = through("--corrupt", "30%", "--seed", "1", count=1000, gap_us=300)
    c = balance(all_counters())
    check(1000 - len(rows) == c["corrupt"], f"{len(rows)} came, {c}")
    check(220 < c["corrupt"] < 380, f"{c}")
    check([n for n, _, _ in rows] == sorted(n for n, _, _ in rows), "another order")


def test_reorder():
    """A tenth is 20 ms late, and is overtaken by those that are not."""
    rows = through("--reorder", "10%,20ms", "--seed", "1", count=500, gap_us=2000)
    check(sorted(n for n, _, _ in rows) == list(range(500)), "some did not come, or twice")
    late = [row for row in rows if (row[2] - row[1]) / MS >= 20]
    c = balance(all_counters())
    check(20 < c["late"] < 90 and len(late) >= c["late"], f"{len(late)} are late, {c}")
    overtaken = sum(before[0] > after[0] for before, after in zip(rows, rows[1:]))
    check(overtaken > 10, f"only {overtaken} were overtaken")


def test_change_and_end():
    """What is on its way keeps its moment; `off` sends it at once."""
    impair("--delay", "2s", "--dir", "host2")
    receiver = receive(silence=3)
    send(10)
    impair("--loss", "0")
    check(all_counters()["host2"]["waiting"] == 10, f"{all_counters()}")
    check("   10 waiting" in ok("status"), ok("status"))
    send(10, first=10)
    rows = came(receiver)
    check([n for n, _, _ in rows] == [*range(10, 20), *range(10)], f"{rows}")
    check(all(t >= 2000 for t in transits(rows[10:])), "the first did not wait")
    impair("--delay", "1000s", "--dir", "host2")
    receiver = receive(silence=3)
    send(10)
    ok("impair", "off")
    check([n for n, _, _ in came(receiver)] == list(range(10)), "off lost what was on its way")


def test_all_at_once():
    """Super-segments through every stage: TCP brings them whole."""
    for here, there, address in (("host1", "host2", B4), ("host2", "host1", A4)):
        impair("--delay", "1ms", "--jitter", "500us", "--loss", "0.5%", "--burst", "2", "--dup", "1%",
               "--corrupt", "0.5%", "--reorder", "1%,1ms", "--rate", "200mbit", "--queue", "256kb",
               "--mtu", "1300", "--seed", "1")
        receiver = background(there, HERE, "sink", address)
        sent = in_node(here, sys.executable, HERE, "source", address, str(4 << 20), timeout=60)
        check(sent == receiver.communicate(timeout=60)[0], f"{address}: not what was sent")
        c = all_counters()[there]
        check(min(c[name] for name in ("lost", "dup", "corrupt", "late")) > 0, f"{c}")
        check(c["mtu"] > 0 or address == A4, f"{c}")  # the first teaches both the MTU


def test():
    # Those that teach the hosts a smaller MTU come last.
    for each in (test_delay_and_jitter, test_rate_and_queue, test_policer, test_copies,
                 test_flipped_bits, test_reorder, test_change_and_end, test_mtu, test_all_at_once):
        each()


if len(sys.argv) > 1:
    globals()[sys.argv[1]](*sys.argv[2:])
else:
    inside(test)
