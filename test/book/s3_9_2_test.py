"""3.9.2: the four segments of a close, and TIME-WAIT, in our trace and on the wire.

FIN, its ACK, FIN, its ACK; a peer that has nothing more to say may send the second and the third
as one (RFC 9293 figure 12, 3.6). The side whose FIN was first waits in TIME-WAIT (3.6.1)."""
import subprocess
import sys
import tempfile

from programs import HOST1, HOST2, PORT, V6, Program, check, echoclient, echoserver, kernel_client, \
    family, nc_listens, run_all, until

SYN, FIN, RST, ACK = 2, 1, 4, 16


class Wire:
    """Every segment at host1, in order."""

    def __init__(self, folder):
        self.path = f"{folder}/wire.pcap"
        self.dump = Program("host1", "tcpdump", "-Z", "root", "-U", "-i", "host1-veth1", "-w",
                            self.path, "tcp", "port", str(PORT))
        self.dump.tells("listening")

    def rows(self):
        """[(from, flags, seq, ack, length of the text)]"""
        done = subprocess.run(
            ["tshark", "-r", self.path, "-Y", "tcp", "-T", "fields",
             "-e", "ipv6.src" if V6 else "ip.src",
             "-e", "tcp.flags", "-e", "tcp.seq_raw", "-e", "tcp.ack_raw", "-e", "tcp.len"],
            capture_output=True, text=True, check=False)
        rows = [line.split("\t") for line in done.stdout.splitlines()]
        return [(row[0], int(row[1], 16), *map(int, row[2:])) for row in rows if len(row) == 5]

    def close_of(self, first, second):
        """Waits for a whole close in this order and checks it; returns how many segments it had."""
        until(lambda: self.ended(), "the last ACK is in the record")
        rows = self.rows()
        check(not any(flags & RST for _, flags, *_ in rows), f"a RST: {rows}")
        fins = [row for row in rows if row[1] & FIN]
        check([row[0] for row in fins] == [first, second], f"the FINs: {fins}")
        check(fins[1][3] == fins[0][2] + fins[0][4] + 1, f"the second FIN acknowledges: {fins}")
        after = rows[rows.index(fins[0]):]
        alone = [row for row in after[:after.index(fins[1])]
                 if row[0] == second and row[3] == fins[1][3]]
        last = rows[-1]
        check(last[0] == first and last[3] == fins[1][2] + fins[1][4] + 1, f"the last ACK: {rows}")
        return 4 if alone else 3

    def ended(self):
        rows = self.rows()
        fins = [i for i, row in enumerate(rows) if row[1] & FIN]
        return len(fins) >= 2 and len(rows) > fins[-1] + 1


def states(client):
    """Where the trace says that the connection went."""
    return client.err.decode()


def in_order(text, *words):
    at = 0
    for word in words:
        at = text.find(word, at)
        check(at >= 0, f"{word} does not follow, of {words}, in\n{text}")


def test_ours_closes_first_against_nc():
    """nc ends when we do, so that its FIN may carry the ACK of ours. TIME-WAIT is ours."""
    with tempfile.TemporaryDirectory() as folder:
        wire = Wire(folder)
        with wire.dump, nc_listens("host2", HOST2, PORT) as nc:
            with echoclient("host1", HOST2, PORT, "--trace") as client:
                client.type("one line\n")
                nc.says("one line\n")
                client.end()
            wire.close_of(HOST1, HOST2)
            in_order(states(client), "FIN-WAIT-1", "TIME-WAIT")


READS_TO_THE_END = """
import socket, sys
server = socket.create_server((sys.argv[1], int(sys.argv[2])), family=int(sys.argv[3]))
print("ready", flush=True)
sock = server.accept()[0]
while sock.recv(1000): pass
sys.stdin.readline()
"""


def test_ours_closes_first_and_the_kernel_later():
    with tempfile.TemporaryDirectory() as folder:
        wire = Wire(folder)
        with wire.dump, Program("host2", sys.executable, "-c", READS_TO_THE_END, HOST2,
                                PORT, int(family(HOST2))) as kernel:
            kernel.says("ready")
            with echoclient("host1", HOST2, PORT, "--trace") as client:
                client.type("one line\n")
                client.end_of_input()
                client.tells("FIN-WAIT-2")  # acknowledged, and no more than that
                kernel.end()
                client.end()
            check(wire.close_of(HOST1, HOST2) == 4, f"not four segments: {wire.rows()}")
            in_order(states(client), "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT")


def test_ours_closes_second_against_nc():
    """nc closes first (-N: at the end of its input, which is now): we go through LAST-ACK."""
    with tempfile.TemporaryDirectory() as folder:
        wire = Wire(folder)
        with wire.dump, nc_listens("host2", HOST2, PORT, "-N") as nc:
            with echoclient("host1", HOST2, PORT, "--trace") as client:
                client.type("one line\n")
                nc.says("one line\n")
                nc.end_of_input()
                client.tells("LAST-ACK")  # it has seen nc's end, and not ours, which comes now
                client.end(status=1)  # there was no end of the input before nc's
            check(wire.close_of(HOST2, HOST1) == 4, "our FIN came with our ACK")
            in_order(states(client), "CLOSE-WAIT", "LAST-ACK")
            check("TIME-WAIT" not in states(client), "TIME-WAIT is the other's")


def test_ours_with_ours():
    with tempfile.TemporaryDirectory() as folder:
        wire = Wire(folder)
        with wire.dump, echoserver("host2", HOST2, PORT, "--trace") as server:
            with echoclient("host1", HOST2, PORT, "--trace") as client:
                client.type("one line\n")
                client.says("one line\n")
                client.end()
            wire.close_of(HOST1, HOST2)
            in_order(states(client), "FIN-WAIT-1", "TIME-WAIT")
            server.tells("LAST-ACK")
            in_order(states(server), "CLOSE-WAIT", "LAST-ACK")


def test_the_kernel_closes_first_at_our_server():
    with tempfile.TemporaryDirectory() as folder:
        wire = Wire(folder)
        with wire.dump, echoserver("host1", HOST1, PORT, "--trace") as server:
            check(kernel_client("host2", HOST1) == "same", "no echo")
            wire.close_of(HOST2, HOST1)
            in_order(states(server), "CLOSE-WAIT", "LAST-ACK")


run_all(globals(), families=True)
