"""--pcap of every example: what tshark reads from the record."""
import os
import subprocess
import tempfile

from programs import CLIENT, FILE_SERVER, HANDSHAKE, HOST1, HOST2, KILL, NETNS, PORT, \
    SERVER, TERM, Program, check, echoclient, fileclient, fileserver, in_node, \
    kernel_client, kernel_server, netns, pattern, run_all, until

IN, OUT = 1, 2  # tshark's frame.packet_flags_direction
FIELDS = ("frame.packet_flags_direction", "frame.time_epoch", "ip.src", "ipv6.src", "tcp.srcport",
          "tcp.dstport", "tcp.flags", "tcp.len", "tcp.seq_raw", "tcp.checksum.status",
          "ip.checksum.status", "_ws.malformed", "frame.protocols")
SYN, FIN, RST, ACK = 2, 1, 4, 16


class Record:
    """A name for a record, and what is in it."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.name = os.path.join(self.folder.name, "record.pcapng")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def read(self, whole=True):
        """A dict per packet. All are well-formed, have good checksums, and go up in time."""
        fields = [word for field in FIELDS for word in ("-e", field)]
        done = subprocess.run(
            ["tshark", "-r", self.name, "-o", "tcp.check_checksum:TRUE", "-o",
             "ip.check_checksum:TRUE", "-T", "fields", *fields], capture_output=True, text=True,
            timeout=60, check=False)
        check(done.returncode == 0 or not whole, str(done.stderr))
        packets = []
        for line in done.stdout.splitlines():
            packet = dict(zip(FIELDS, line.split("\t")))
            good = packet["tcp.checksum.status"] == "1" and \
                packet["ip.checksum.status"] in ("1", "") and not packet["_ws.malformed"]
            check(good and packet["frame.protocols"].startswith("raw:ip"), line)
            packets.append({
                "direction": int(packet["frame.packet_flags_direction"], 0),
                "time": packet["frame.time_epoch"],
                "from": (packet["ip.src"] or packet["ipv6.src"], int(packet["tcp.srcport"])),
                "port": int(packet["tcp.dstport"]), "flags": int(packet["tcp.flags"], 16),
                "len": int(packet["tcp.len"]), "seq": int(packet["tcp.seq_raw"])})
        times = [float(packet["time"]) for packet in packets]
        check(times == sorted(times), "times go up")
        check(all(len(packet["time"].split(".")[1]) == 9 for packet in packets), "nanoseconds")
        return packets


def text_octets(packets, direction):
    """How much text went that way, each octet counted once."""
    return len({octet for packet in packets if packet["direction"] == direction
                for octet in range(packet["seq"], packet["seq"] + packet["len"])})


def flags(packets):
    return [(packet["direction"], packet["flags"] & (SYN | FIN | RST | ACK))
            for packet in packets]


def test_handshake():
    with Record() as record, kernel_server("host2", HOST2):
        done = netns("exec", "host1", HANDSHAKE, "--pcap", record.name, HOST2, str(PORT))
        check(done.returncode == 0, done.stderr)
        said = [tuple(line.split()) for line in done.stdout.splitlines()
                if line.startswith(("sent ", "received "))]
        bits = {"SYN": SYN, "SYN|ACK": SYN | ACK, "ACK": ACK, "FIN|ACK": FIN | ACK}
        expected = [(OUT if which == "sent" else IN, bits[what]) for which, what in said]
        check(flags(record.read()) == expected and len(expected) >= 6, f"{said}")


def test_both_ends():
    """A client's and a server's record of the same connection: each packet that the one sent the
    other received, and all of the text is there, super-segments in one piece."""
    size = 1 << 20
    with Record() as ours, Record() as theirs:
        with Program("host2", SERVER, "--pcap", theirs.name, HOST2, PORT) as server:
            server.says("listening on ")
            with echoclient("host1", HOST2, PORT, f"--pcap={ours.name}") as client:
                data = pattern(size)
                client.process.stdin.write(data)
                client.end()
                check(client.out == data, "the same")
            server.signal(TERM)
            server.end()
        sent, received = ours.read(), theirs.read()
        check({p["from"][0] for p in sent if p["direction"] == OUT} == {HOST1}, "from us")
        check({p["from"] for p in sent if p["direction"] == IN} == {(HOST2, PORT)}, "to us")
        check(flags(sent)[:3] == [(OUT, SYN), (IN, SYN | ACK), (OUT, ACK)], str(sent[:3]))
        for packets, direction in ((sent, OUT), (sent, IN), (received, IN), (received, OUT)):
            check(text_octets(packets, direction) == size, f"all, {direction}")
        check(max(packet["len"] for packet in sent) > 10000, "a super-segment")
        check(max(packet["len"] for packet in received) > 10000, "a super-segment")
        gone = [(p["seq"], p["flags"], p["len"]) for p in sent if p["direction"] == OUT]
        come = [(p["seq"], p["flags"], p["len"]) for p in received if p["direction"] == IN]
        check(gone == come, "the same packets in the same order")


def test_from_the_kernel():
    """Checksums that a local kernel leaves unfinished are filled in."""
    with Record() as record, Program("host1", SERVER, "--pcap", record.name, HOST1,
                                     PORT) as server:
        server.says("listening on ")
        check(kernel_client("host2", HOST1, PORT, 300000) == "same", str(server))
        packets = record.read()  # while it runs
        for direction in (IN, OUT):
            check(text_octets(packets, direction) == 300000, f"{direction}")


def test_file_programs():
    with Record() as ours, Record() as theirs:
        copy = ours.name + ".copy"
        with fileserver("host2", HOST2, copy, "--pcap", theirs.name) as server, \
                fileclient("host1", HOST2, "-", "--pcap", ours.name) as client:
            client.process.stdin.write(pattern(100000))
            client.end()
            server.end()
        check(text_octets(ours.read(), OUT) == text_octets(theirs.read(), IN) == 100000, "all")


def test_growing_and_killed():
    """It can be read at any time, and after kill -9: whole blocks."""
    in_node("host1", "tc", "qdisc", "replace", "dev", "host1-veth1", "root", "tbf", "rate", "8mbit",
            "burst", "100k", "limit", "300kb")
    with Record() as record, kernel_server("host2", HOST2), \
            echoclient("host1", HOST2, PORT, "--pcap", record.name) as client:
        client.type("line\n")
        client.says("line\n")
        check(text_octets(record.read(), OUT) == text_octets(record.read(), IN) == 5, "so far")
        with open("/dev/zero", "rb") as zeros, \
                echoclient("host1", HOST2, PORT, "--pcap", record.name + "2", stdin=zeros,
                           stdout=subprocess.DEVNULL) as busy:
            record.name += "2"
            until(lambda: os.path.exists(record.name) and os.path.getsize(record.name) > 300000,
                  "it grows")
            for _ in range(3):
                check(len(record.read(whole=False)) > 10, "while it grows")
            busy.signal(KILL)
            busy.end(status=-KILL)
            before = record.read(whole=False)
            check(flags(before)[0] == (OUT, SYN) and len(before) > 10, "after kill -9")


def test_record_that_fails():
    """A full disk and a reader that goes away: the connection does not care; the trace says so."""
    with kernel_server("host2", HOST2), tempfile.TemporaryDirectory() as folder:
        fifo = os.path.join(folder, "fifo")
        os.mkfifo(fifo)
        with Program("host1", "sh", "-c", f'exec 3<>{fifo}; exec "$@" 3<&-', "sh", CLIENT,
                     "--trace", "--pcap", fifo, HOST2, PORT) as client:
            with open(fifo, "rb"):
                client.type("x")
                client.says("x")
            client.process.stdin.write(pattern(100000))
            client.end()
            check(len(client.out) == 100001, str(client))
            check(client.err.count(b" event PcapEnded: Broken pipe") == 1, str(client))
        limited = ["sh", "-c", 'ulimit -f 40; exec "$@"', "sh"]
        with Record() as record, Program("host1", *limited, CLIENT, "--trace=/dev/null", "--pcap",
                                         record.name, HOST2, PORT) as client:
            client.process.stdin.write(pattern(100000))
            client.end()
            check(len(client.out) == 100000, str(client))
            check(0 < text_octets(record.read(), OUT) < 100000, "up to the last whole block")


def test_usage():
    for program in (CLIENT, SERVER, HANDSHAKE, FILE_SERVER):
        file = ["/tmp/x"] if program == FILE_SERVER else []
        done = subprocess.run([NETNS, "exec", "host1", program, "--pcap", "/nowhere/x", HOST2,
                               str(PORT), *file], capture_output=True, text=True, check=False)
        check(done.returncode == 1 and "/nowhere/x: No such file" in done.stderr, str(done))
        done = subprocess.run([NETNS, "exec", "host1", program, "--pcap", "/dev/full", HOST2,
                               str(PORT), *file], capture_output=True, text=True, check=False)
        check(done.returncode == 1 and "No space left" in done.stderr, str(done))
        done = subprocess.run([program, "--pcap"], capture_output=True, text=True, check=False)
        check(done.returncode == 2, str(done))


run_all(globals(), families=True)
