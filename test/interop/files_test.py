"""fileserver and fileclient: files of all sizes, among us and with `nc`, whole and unchanged; and
what they print meanwhile."""
import hashlib
import os
import pty
import re
import subprocess
import tempfile
import threading

from programs import FILE_CLIENT, FILE_SERVER, HOST1, HOST2, PORT, TERM, \
    Program, check, fileclient, fileserver, in_node, nc_listens, pattern, run_all

SIZES = (0, 1, 1448, 65536, (3 << 20) + 17)
MIB = 1 << 20


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Files:
    """A directory with `source` of that size, and where `copy` is to be."""

    def __init__(self, size):
        self.folder = tempfile.TemporaryDirectory()
        self.source, self.copy = (os.path.join(self.folder.name, name) for name in
                                  ("source", "copy"))
        block, self.size = pattern(min(size, 16 * MIB)), size
        with open(self.source, "wb") as file:
            for i in range(0, size, 16 * MIB):  # each block turned by another angle
                file.write((block[i // 997:] + block[:i // 997])[:size - i])
        self.sum = sha256(self.source)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def arrived(self, what):
        """The copy is like the source, and nothing else is there. Takes it away."""
        check(sha256(self.copy) == self.sum, f"{what}, {self.size} octets: another file")
        names = sorted(os.listdir(self.folder.name))
        check(names == ["copy", "source"], f"{what}: {names}")
        os.unlink(self.copy)


def result(word, size):
    return re.compile(rf"{word} {size} octets in \d+\.\d{{3}} s, \d+\.\d MB/s\n")


def ours_to_ours(files, sender, receiver, addr):
    with fileserver(receiver, addr, files.copy) as server, \
            fileclient(sender, addr, files.source) as client:
        check(result("sent", files.size).fullmatch(client.end()), str(client))
        files.arrived(f"ours to ours, {addr}")  # the client knows that it is there
        said = server.end().split("\n", 1)
        check(said[0] == f"listening on {f'[{addr}]' if ':' in addr else addr}:{PORT}" and
              result("stored", files.size).fullmatch(said[1]), str(server))
        check(not client.err and not server.err, f"{client} {server}")  # no terminal: no progress


def ours_to_nc(files, addr):
    with open(files.copy, "wb") as copy, nc_listens("host2", addr, stdout=copy) as nc, \
            fileclient("host1", addr, files.source) as client:
        check(result("sent", files.size).fullmatch(client.end()), str(client))
        nc.end()
        files.arrived(f"ours to nc, {addr}")


def nc_to_ours(files, addr):
    with open(files.source, "rb") as source, fileserver("host1", addr, files.copy) as server, \
            Program("host2", "nc", "-N", addr, PORT, stdin=source) as nc:
        nc.end()
        server.end()
        files.arrived(f"nc to ours, {addr}")


def test_sizes():
    for size in SIZES:
        with Files(size) as files:
            ours_to_ours(files, "host1", "host2", HOST2)
            ours_to_ours(files, "host2", "host1", HOST1)
            ours_to_nc(files, HOST2)
            nc_to_ours(files, HOST1)


def test_1_gib():
    with Files(1 << 30) as files:
        ours_to_ours(files, "host1", "host2", HOST2)
        ours_to_ours(files, "host2", "host1", HOST1)
        ours_to_nc(files, HOST2)
        nc_to_ours(files, HOST1)


def test_standard_input():
    """A pipe, of which nobody knows the length; and one somebody has made non-blocking."""
    with Files(3 * MIB) as files:
        for blocking in (True, False):
            out, into = os.pipe()
            os.set_blocking(out, blocking)
            with fileserver("host2", HOST2, files.copy) as server, \
                    fileclient("host1", HOST2, "-", stdin=out) as client:
                os.close(out)
                with open(files.source, "rb") as source, open(into, "wb") as pipe:
                    pipe.write(source.read())
                check(result("sent", files.size).fullmatch(client.end()), str(client))
                server.end()
                files.arrived("from a pipe")


def test_devices_and_fifos():
    """What is not a regular file is read until its end. A FIFO's writer may come late."""
    with Files(0) as files:
        with fileserver("host2", HOST2, files.copy), \
                fileclient("host1", HOST2, "/dev/null") as client:
            client.end()
            files.arrived("from /dev/null")
    with Files(2 * MIB) as files:
        fifo = os.path.join(files.folder.name, "fifo")
        os.mkfifo(fifo)
        with fileserver("host2", HOST2, files.copy) as server, \
                fileclient("host1", HOST2, fifo, "--trace") as client:
            client.tells("> ESTABLISHED")
            client.signal(TERM)  # also a client that waits for the writer
            client.ends_by_itself()
            client.end(status=1)
            server.end(status=1)
        with fileserver("host2", HOST2, files.copy) as server, \
                fileclient("host1", HOST2, fifo) as client:
            with open(files.source, "rb") as source, open(fifo, "wb") as pipe:
                pipe.write(source.read())
            check(result("sent", files.size).fullmatch(client.end()), str(client))
            server.end()
        os.unlink(fifo)
        files.arrived("from a FIFO")


def on_terminal(run):
    """What is written on the terminal that run(its descriptor) gives a program."""
    ours, theirs = pty.openpty()
    drawn = bytearray()

    def gather():
        try:
            while data := os.read(ours, 65536):
                drawn.extend(data)
        except OSError:  # the last one has closed it
            pass
    reader = threading.Thread(target=gather, daemon=True)
    reader.start()
    run(theirs)
    os.close(theirs)
    reader.join()
    os.close(ours)
    return drawn.decode()


def slow(node, device):
    in_node(node, "tc", "qdisc", "replace", "dev", device, "root", "tbf", "rate", "80mbit",
            "burst", "100k", "limit", "300kb")


RATE = r"\d+(?:\.\d)? (?:octets|kB|MB|GB)/s"


def test_progress_of_the_client():
    """2 s at 10 MB/s: drawn again a few times, with an end in sight; at last it is wiped."""
    slow("host1", "host1-veth1")
    with Files(20 * MIB) as files, fileserver("host2", HOST2, files.copy) as server:
        def run(terminal):
            with fileclient("host1", HOST2, files.source, stderr=terminal) as client:
                check(result("sent", files.size).fullmatch(client.end()), str(client))
        drawn = on_terminal(run)
        server.end()
        files.arrived("slowly")
    lines = drawn.split("\r")
    check(lines[0] == "" and lines[-1] == "\x1b[K", repr(drawn))
    shown = re.compile(rf"(\d+\.\d) ([kM])B of 21\.0 MB \((\d+) %\), {RATE}"
                       r"(, 0:\d\d:\d\d left)?\x1b\[K")
    shares = []
    for line in lines[1:-1]:
        found = shown.fullmatch(line)
        check(found, repr(line))
        done = float(found[1]) / (1000 if found[2] == "k" else 1)
        check(abs(done / 20.97 - float(found[3]) / 100) < 0.02, repr(line))
        shares.append(int(found[3]))
    check(shares == sorted(shares) and len(set(shares)) >= 3, f"{shares}")


def test_progress_of_the_server():
    """It does not know how much there will be. Drawn five times a second at most."""
    slow("host1", "host1-veth1")
    with Files(10 * MIB) as files:
        seconds = []

        def run(terminal):
            with fileserver("host2", HOST2, files.copy, stderr=terminal) as server, \
                    fileclient("host1", HOST2, files.source) as client:
                client.end()
                seconds.append(float(re.search(r" in (.*) s,", server.end())[1]))
        drawn = on_terminal(run)
        files.arrived("slowly")
    lines = drawn.split("\r")
    check(lines[0] == "" and lines[-1] == "\x1b[K", repr(drawn))
    for line in lines[1:-1]:
        check(re.fullmatch(rf"\d+\.\d [kM]B, {RATE}\x1b\[K", line), repr(line))
    check(2 <= len(lines) - 2 <= 5 * seconds[0], f"{len(lines) - 2} times in {seconds} s")


def test_usage():
    for program in (FILE_CLIENT, FILE_SERVER):
        done = subprocess.run([program, "--help"], capture_output=True, text=True, check=False)
        check(done.returncode == 0 and "[OPTIONS] ADDR PORT FILE\n" in done.stdout, str(done))
        for args in ([], [HOST1], [HOST1, "7"], [HOST1, "7", "file", "more"],
                     [HOST1, "0", "file"], ["host1", "7", "file"], ["--bad", HOST1, "7", "file"],
                     [HOST1, "7", "--timeout"], ["--timeout", "x", HOST1, "7", "file"],
                     [HOST1, "7", "file", "--pcap"]):
            done = subprocess.run([program, *args], capture_output=True, text=True, check=False)
            check(done.returncode == 2 and done.stderr.count("\n") == 1 and not done.stdout,
                  f"{args}: {done}")


run_all(globals(), families=True)
