"""3.7.5: what is lost is sent again, later and later; then the caller is told.

The book drops packets by a rule and looks at its retransmissions. Here the router loses them
(`netns.sh impair`), and the waits are read off the wire, between our host and the router."""
import hashlib
import subprocess
import tempfile
import time

from programs import HOST2, PORT, Program, check, echoclient, echoserver, kernel_server, \
    nc_listens, netns, pattern, run_all, until


class Wire:
    """Our segments as they leave host1: (time, flags, sequence number, length of the text)."""

    def __init__(self, folder):
        self.path = f"{folder}/wire.pcap"
        self.dump = Program("host1", "tcpdump", "-Z", "root", "-U", "-B", "65536", "-i",
                            "host1-veth1", "-w", self.path, "tcp", "and", "dst", "port", str(PORT))
        self.dump.tells("listening")

    def segments(self):
        done = subprocess.run(
            ["tshark", "-r", self.path, "-Y", "tcp", "-T", "fields", "-e", "frame.time_epoch",
             "-e", "tcp.flags", "-e", "tcp.seq_raw", "-e", "tcp.len"],
            capture_output=True, text=True, check=False)
        rows = [line.split("\t") for line in done.stdout.splitlines()]
        return [(float(at), int(flags, 16), int(seq), int(length))
                for at, flags, seq, length in (row for row in rows if len(row) == 4)]


def impair(*args):
    done = netns("impair", *args)
    check(done.returncode == 0, f"impair: {done.stderr}")


def waits(times):
    return [later - earlier for earlier, later in zip(times, times[1:])]


def near(found, wanted):
    """Timers run out late, never early; a busy machine is late by more."""
    return len(found) >= len(wanted) and all(
        want * 0.98 < wait < want * 1.1 + 0.3 for wait, want in zip(found, wanted))


def test_a_connect_is_tried_again_after_1_2_and_4_s():
    with tempfile.TemporaryDirectory() as folder:
        wire = Wire(folder)
        with wire.dump:
            impair("--loss", "100%")
            begun = time.monotonic()
            with echoclient("host1", HOST2, PORT, "--trace", "--timeout", "10") as client:
                client.end_of_input()
                client.ends_by_itself()
                took = time.monotonic() - begun
                client.end(status=1)
                trace = client.err.decode()
            until(lambda: len(wire.segments()) >= 4, "four SYNs are in the record")
            syns = [s for s in wire.segments() if s[1] & 2]
    check(near(waits([s[0] for s in syns]), [1, 2, 4]), f"waits {waits([s[0] for s in syns])}")
    check(len(syns) == 4 and len({s[2] for s in syns}) == 1, f"not one SYN four times: {syns}")
    check(trace.count("retransmit") >= 3, f"the trace shows no three retransmissions:\n{trace}")
    check("timed out" in trace, f"it does not say why:\n{trace}")
    check(9.9 < took < 14, f"gave up after {took} s, not 10")


def test_text_is_sent_again_each_wait_twice_the_one_before():
    """RFC 6298 5.5: the RTO doubles. It begins at what was measured, 200 ms at the least."""
    with tempfile.TemporaryDirectory() as folder:
        wire = Wire(folder)
        with wire.dump, nc_listens("host2", HOST2, PORT) as nc:
            with echoclient("host1", HOST2, PORT, "--trace", "--timeout", "8") as client:
                client.type("before\n")
                nc.says("before\n")
                client.tells(" event Acked")
                impair("--loss", "100%")
                begun = time.monotonic()
                client.type("lost\n")
                client.end_of_input()
                client.ends_by_itself()
                took = time.monotonic() - begun
                client.end(status=1)
                trace = client.err.decode()
            check(b"lost" not in nc.out, "something came through")
            until(lambda: len([s for s in wire.segments() if s[3]]) >= 5, "all is in the record")
            rows = [s for s in wire.segments() if s[3]]
    last = [s for s in rows if s[2] == rows[-1][2]]
    found = waits([s[0] for s in last])
    ratios = [b / a for a, b in zip(found[-3:], found[-2:])]
    check(len(last) >= 5, f"three retransmissions and more: {rows}")
    check(all(1.7 < ratio < 2.3 for ratio in ratios), f"waits {found}")
    check(trace.count("retransmit") >= 3, f"the trace shows no three retransmissions:\n{trace}")
    check("timed out" in trace, f"it does not say why:\n{trace}")
    check(7.9 < took < 14, f"gave up after {took} s, not 8")


def echoes(server, towards):
    """Half a megabyte and back, while a fifth of the packets in one direction is lost."""
    data = pattern(500_000)
    with server("host2", HOST2), tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        impair("--loss", "20%", "--dir", towards, "--seed", "1")
        begun = time.monotonic()
        with open(file.name, "rb") as stdin, echoclient("host1", HOST2, stdin=stdin) as client:
            client.process.wait(60)
            took = time.monotonic() - begun
            client.end()
            digests = [hashlib.sha256(octets).hexdigest() for octets in (data, client.out)]
        lost = netns("impair").stdout
    check(digests[0] == digests[1], f"not what was sent: {len(client.out)} octets")
    check(f"to {towards}: " in lost and ", 0 lost, " in lost, f"what was lost: {lost}")
    print(f"{server.__name__} 20% to {towards}: {took:.1f} s; {lost!r}", flush=True)


def test_a_fifth_lost_on_the_way_there():
    echoes(echoserver, "host2")


def test_a_fifth_lost_on_the_way_back():
    echoes(echoserver, "host1")


def test_a_fifth_lost_on_the_way_to_the_kernel():
    echoes(kernel_server, "host2")


run_all(globals(), families=True)
