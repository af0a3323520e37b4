"""`impair`: the router loses what it was told to lose, forwards the rest once, and can be undone."""
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

from impairs import A4, B4, B6, background, counters, family, impair
from lab import (DEVICES, NETNS, check, check_whole, in_node, inside, link_delete, netns, ok, refused)

HERE = os.path.abspath(__file__)


def forwarders():
    """The processes of that name."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/comm", encoding="ascii") as file:
                if file.read() == "impair\n":
                    found.append(int(pid))
        except OSError:
            pass
    return found


def wait_gone(pids, what):
    end = time.monotonic() + 10
    while set(forwarders()) & set(pids):
        check(time.monotonic() < end, f"{what}: a forwarder lives on")
        time.sleep(0.01)


# What runs in the nodes.

def count_datagrams(address, seconds_of_silence):
    """Prints as JSON what came: the number in each datagram and its TTL or hop limit."""
    with socket.socket(family(address), socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        if family(address) == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
        else:
            sock.setsockopt(socket.IPPROTO_IP, 12, 1)  # IP_RECVTTL
        sock.bind((address, 7))
        print("ready", flush=True)
        found = []
        try:
            while True:
                data, ancillary, _, _ = sock.recvmsg(100, 100)
                if data == b"end":
                    break
                found.append((int(data), int.from_bytes(ancillary[0][2], "little")))
                sock.settimeout(float(seconds_of_silence))
        except TimeoutError:
            pass
        print(json.dumps(found))


def send_datagrams(address, count):
    with socket.socket(family(address), socket.SOCK_DGRAM) as sock:
        for i in range(int(count)):
            sock.sendto(b"%d" % i, (address, 7))
            if i % 50 == 49:
                time.sleep(0.002)  # so that no buffer on the way is what loses


def sink(address):
    """Prints the SHA-256 of what one connection brings."""
    digest = hashlib.sha256()
    with socket.create_server((address, 7), family=family(address)) as server:
        print("ready", flush=True)
        conn = server.accept()[0]
        while data := conn.recv(1 << 16):
            digest.update(data)
    print(digest.hexdigest())


def source(address, size):
    """Sends that many octets in large pieces, so that super-frames are made."""
    data = bytes(range(256)) * 4096
    digest, left = hashlib.sha256(), int(size)
    with socket.create_connection((address, 7), timeout=60) as sock:
        while left > 0:
            sock.sendall(data[:left])
            digest.update(data[:left])
            left -= len(data)
    print(digest.hexdigest())


def offloads(dev, on):
    """Transmission offloads, by SIOCETHTOOL: checksums (ETHTOOL_STXCSUM), scatter-gather, TSO."""
    import array
    import fcntl
    import struct
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for command in (0x17, 0x19, 0x1f) if on == "1" else (0x1f, 0x17):
            value = array.array("B", struct.pack("II", command, int(on)))
            fcntl.ioctl(sock, 0x8946, struct.pack("16sP", dev.encode(), value.buffer_info()[0]))


def expired(address):
    """Sends a datagram that may not pass the router; prints the ICMP error it gets."""
    with socket.socket(family(address), socket.SOCK_DGRAM) as sock:
        if family(address) == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, 1)
            sock.setsockopt(socket.IPPROTO_IPV6, 25, 1)  # IPV6_RECVERR
        else:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 1)
            sock.setsockopt(socket.IPPROTO_IP, 11, 1)  # IP_RECVERR
        sock.settimeout(10)
        sock.connect((address, 9))
        sock.send(b"x")
        try:
            sock.recv(1)
        except OSError:
            _, ancillary, _, _ = sock.recvmsg(100, 500, socket.MSG_ERRQUEUE)
            print(*ancillary[0][2][4:7])  # origin, type, code of sock_extended_err


def set_mtu(dev, mtu):
    import fcntl
    import struct
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, 0x8922, struct.pack("16si12x", dev.encode(), int(mtu)))  # SIOCSIFMTU


def too_long(address, length):
    """Sends a datagram with DF; prints the MTU that the router then tells."""
    six = family(address) == socket.AF_INET6
    with socket.socket(family(address), socket.SOCK_DGRAM) as sock:
        level = socket.IPPROTO_IPV6 if six else socket.IPPROTO_IP
        sock.setsockopt(level, 23 if six else 10, 2)  # IPV6_MTU_DISCOVER, IP_MTU_DISCOVER: DO
        sock.setsockopt(level, 25 if six else 11, 1)
        sock.settimeout(10)
        sock.connect((address, 9))
        sock.send(bytes(int(length)))
        try:
            sock.recv(1)
        except OSError:
            pass
        print(sock.getsockopt(level, 24 if six else 14))  # IPV6_MTU, IP_MTU


# The tests.

def datagrams(address, count):
    """[(number, TTL)] of those that arrived at host2."""
    receiver = background("host2", HERE, "count_datagrams", address, "2")
    in_node("host1", sys.executable, HERE, "send_datagrams", address, str(count))
    return json.loads(receiver.communicate(timeout=60)[0])


def test_loss():
    """About P in a hundred, the same ones by the same seed, none twice, TTL counted down once."""
    count, percent = 3000, 20
    patterns = {}
    for seed in ("7", "7", "8"):
        check(impair("--loss", f"{percent}%", "--dir", "host2", "--seed", seed) ==
              f"loss {percent}% to host2, seed {seed}", "what it says")
        before = counters()
        check(before["host2"] == (0, 0), f"counters do not begin anew: {before}")
        came = datagrams(B4, count)
        check(all(ttl == 63 for _, ttl in came), f"TTL: {set(ttl for _, ttl in came)}")
        numbers = [n for n, _ in came]
        check(len(set(numbers)) == len(numbers), "some came twice")
        after = counters()
        check(after["host2"][0] == count and after["host1"][0] == 0, f"counted: {after}")
        check(after["host2"][1] == count - len(came), f"lost {count - len(came)}, said {after}")
        check(after["overflow"] == 0, f"own losses: {after}")
        lost = count - len(numbers)
        # Binomial: 600 +- 22; five of these are once in a million.
        check(abs(lost - 600) < 110, f"seed {seed}: lost {lost} of {count}")
        check(patterns.setdefault(seed, numbers) == numbers, "the same seed, other losses")
    check(patterns["7"] != patterns["8"], "another seed, the same losses")

    impair("--loss", "20%", "--dir", "host2", "--seed", "7")
    came = datagrams(B6, count)
    check(all(hops == 63 for _, hops in came), "hop limit")
    # Both families are one sequence; a Neighbour Discovery of the routers' is not forwarded.
    check([n for n, _ in came] == patterns["7"], "IPv6: the same seed, other losses")


def test_directions():
    """100 % in one direction is nothing there, and nothing lost in the other."""
    impair("--loss", "100", "--dir", "host2")
    check(datagrams_none(B4), "100 % let something pass")
    impair("--loss", "100", "--dir", "host1")
    check([n for n, _ in datagrams(B4, 100)] == list(range(100)), "the other direction loses too")
    impair("--loss", "0.1%", "--seed", "1")
    check("loss 0.1% to host1 and host2, seed 1" in ok("impair"), "decimals")
    impair("--loss", "0")
    check_whole()


def datagrams_none(address):
    """Whether none of 100 datagrams arrives; the end is said when no loss is any more."""
    receiver = background("host2", HERE, "count_datagrams", address, "9")
    in_node("host1", sys.executable, HERE, "send_datagrams", address, "100")
    check(counters()["host2"] == (100, 100), f"counted: {counters()}")
    impair("off")
    in_node("host1", sys.executable, "-c", "import socket\n"
            f"socket.socket(type=socket.SOCK_DGRAM).sendto(b'end', ('{address}', 7))")
    return json.loads(receiver.communicate(timeout=60)[0]) == []


def capture(node, dev, path):
    process = subprocess.Popen([NETNS, "exec", node, "tcpdump", "-Z", "root", "-U",
                                "-B", "65536", "-i", dev, "-w", path, "ip or ip6"], stderr=subprocess.PIPE, text=True)
    while "listening" not in (line := process.stderr.readline()):
        check(line, "tcpdump did not start")
    return process


def end_capture(process, path):
    """Ends it when all that was sent until now is in the file: what comes last says so."""
    in_node("host1", sys.executable, "-c", "import socket\n"
            f"socket.socket(type=socket.SOCK_DGRAM).sendto(b'the last one', ('{B4}', 9))")
    end = time.monotonic() + 20
    while True:
        with open(path, "rb") as file:
            if b"the last one" in file.read():
                break
        check(time.monotonic() < end, "tcpdump does not come to the end")
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    process.wait(20)
    process.stderr.close()


def fields(path, what, *names):
    """What tshark finds, as rows of text."""
    argv = ["tshark", "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-r", path,
            "-Y", what, "-T", "fields"] + [a for name in names for a in ("-e", name)]
    out = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60).stdout
    return [line.split("\t") for line in out.splitlines()]


def check_packets(path, size):
    """What host2 saw from host1: no packet above the MTU, none twice, good checksums."""
    rows = fields(path, "tcp.dstport == 7", "frame.len", "ip.id", "tcp.seq_raw", "tcp.len",
                  "tcp.checksum.status", "ip.checksum.status", "tcp.flags.push", "tcp.flags.fin",
                  "tcp.analysis.retransmission")
    check(len(rows) > size // 1500, f"only {len(rows)} packets")
    check(max(int(row[0]) for row in rows) <= 1514, "a packet longer than the MTU")
    check(all(row[4] in ("1", "Good") for row in rows), "a TCP checksum is bad")
    check(all(row[5] in ("", "1", "Good") for row in rows), "an IP checksum is bad")
    text = [row for row in rows if int(row[3]) > 0]
    ids = [(row[1], row[2], row[3]) for row in text if row[1]]
    check(len(set(ids)) == len(ids), "the same packet twice")
    flags = [[row[i] in ("1", "True") for row in rows] for i in (6, 7)]
    check(0 < sum(flags[0]) < len(text) / 2, f"{sum(flags[0])} PSH on {len(text)} packets")
    fins = {row[2] for row in rows if row[7] in ("1", "True")}  # one may be sent again
    check(len(fins) == 1, f"FIN at {fins}")


def test_bulk(folder):
    """A megabyte or eight, offloads on and off, both families, intact and in packets of the MTU."""
    size = 8 << 20
    rootless = "NSTCP_LAB_ROOTLESS" in os.environ  # tcpdump wants groups that a mapped root has not
    impair("--loss", "0")
    for address in (B4, B6):
        for on in ("1", "0"):
            for node in ("host1", "host2"):
                in_node(node, sys.executable, HERE, "offloads", DEVICES[node][0], on)
            path = os.path.join(folder, f"{family(address)}-{on}.pcap")
            watcher = capture("host2", DEVICES["host2"][0], path) if not rootless else None
            receiver = background("host2", HERE, "sink", address)
            sent = in_node("host1", sys.executable, HERE, "source", address, str(size))
            came = receiver.communicate(timeout=60)[0]
            check(sent == came, f"{address}, offloads {on}: not what was sent")
            if watcher:
                end_capture(watcher, path)
                check_packets(path, size)
    for node in ("host1", "host2"):
        in_node(node, sys.executable, HERE, "offloads", DEVICES[node][0], "1")
    # Without root the buffer is a small one; what it loses is counted, and TCP sends it again.
    check(rootless or counters()["overflow"] == 0, f"own losses: {counters()}")
    check(counters()["host2"][0] > 4 * size // 1500, f"super-frames counted as one: {counters()}")


def test_router():
    """The router goes on being one: RFC 1812 5.3.1, RFC 4443 3.3; RFC 1191, RFC 8201; its own."""
    impair("--loss", "0")
    check(in_node("host1", sys.executable, HERE, "expired", B4).split() == ["2", "11", "0"],
          "no ICMP time exceeded")
    check(in_node("host1", sys.executable, HERE, "expired", B6).split() == ["3", "3", "0"],
          "no ICMPv6 time exceeded")
    in_node("router", sys.executable, HERE, "set_mtu", "router-veth2", "1300")
    for address in (B4, B6):
        check(in_node("host1", sys.executable, HERE, "too_long", address, "1400").strip() == "1300",
              f"{address}: no frag-needed")
    in_node("router", sys.executable, HERE, "set_mtu", "router-veth2", "1500")
    impair("--loss", "100")
    for address in ("10.0.0.254", "fd00:0:0:1::fe"):
        in_node("host1", "ping", "-c", "1", "-W", "5", address)
    impair("off")


def test_fresh():
    """Right after `up`, when no neighbour is known yet, nothing is lost."""
    ok("down")
    ok("up")
    impair("--loss", "0")
    for address in (B4, B6):
        in_node("host1", "ping", "-c", "1", "-W", "5", address)


def test_ends():
    """off, kill -9, the namespace's name, a device: the kernel forwards, and nobody is left."""
    impair("--loss", "100")
    ok("impair", "off")
    wait_gone(forwarders(), "off")
    check(impair() == "off" and ok("impair", "off") == "", "off, again")
    check_whole()

    impair("--loss", "100")
    pid, = forwarders()
    check("impaired: loss 100% to host1 and host2" in ok("status"), ok("status"))
    os.kill(pid, signal.SIGKILL)
    wait_gone([pid], "kill -9")
    check_whole()
    check(impair() == "off" and "impaired" not in ok("status"), "status after kill -9")

    for end in (lambda: ok("down"), lambda: in_node("router", sys.executable, HERE, "link_delete",
                                                    "router-veth1"),
                lambda: (subprocess.run(["umount", "/run/netns/router"], check=True),
                         os.unlink("/run/netns/router"))):
        impair("--loss", "100")
        pids = forwarders()
        end()
        wait_gone(pids, "an end of the lab")
        ok("up")
        check_whole()
        check(impair() == "off", "a new lab is impaired")
    check(forwarders() == [], "a forwarder is left")


def test_concurrent():
    """Eight at once: all are content, and one forwarder does what one of them said."""
    for _ in range(5):
        running = [subprocess.Popen([NETNS, "impair", "--loss", str(i), "--seed", str(i)],
                                    stdout=subprocess.PIPE, text=True) for i in range(8)]
        said = [process.communicate(timeout=30)[0].strip() for process in running]
        check(all(process.returncode == 0 for process in running), f"one failed: {said}")
        check(len(forwarders()) == 1, f"forwarders: {forwarders()}")
        check(ok("impair").splitlines()[0] in said, "what none of them said")
        impair("off")


def test_errors():
    for value in ("101%", "x", "-1", "", "%", "1%%", "1e1", "nan", "0x5", "0.00001%", "1 "):
        refused("impair", "--loss", value, says=["--loss", "percentage"], status=2)
    refused("impair", "--loss", "1", "--dir", "mars", says=["mars", "host1"], status=2)
    for seed in ("x", "-1", "", "18446744073709551616"):
        refused("impair", "--loss", "1", "--seed", seed, says=["--seed"], status=2)
    check(ok("impair", "--help") == ok("--help"), "help")
    for args, text in ((["--dir", "host1"], "--loss"), (["--loss"], "value"), (["on"], "on"),
                       (["--delay", "5"], "unit"), (["--rate", "5"], "100mbit"),
                       (["--jitter", "5ms"], "--delay"), (["--burst", "4"], "--loss"),
                       (["--queue", "5p"], "--rate"), (["--mtu", "5"], "68"),
                       (["--rain", "5"], "--rain"), (["off", "now"], "off: now")):
        refused("impair", *args, says=[text, "--help"], status=2)
    ok("down")
    for args in ([], ["off"], ["--loss", "5"]):
        refused("impair", *args, says=["impair", "router", "no lab here"])
    ok("up")


def test_outlives_nothing():
    """`run` ends, and so does the forwarder: nothing of it holds the caller's pipe either."""
    before = forwarders()
    done = netns("run", "sh", "-c", f"{NETNS} impair --loss 5 --seed 1", timeout=30)
    check(done.stdout == "loss 5% to host1 and host2, seed 1\n", f"{done.stdout}{done.stderr}")
    wait_gone(set(forwarders()) - set(before), "the end of run")


def test():
    for each in (test_errors, test_concurrent, test_loss, test_directions, test_router, test_ends,
                 test_fresh, test_outlives_nothing):
        each()
    with tempfile.TemporaryDirectory() as folder:
        test_bulk(folder)


if len(sys.argv) > 1:
    globals()[sys.argv[1]](*sys.argv[2:])
else:
    inside(test)
