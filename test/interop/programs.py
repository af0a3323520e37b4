"""What the tests of book/ and interop/ share, on top of lab.py: programs that run in a node beside
the test, ours and the kernel's. Nothing waits for a fixed time: every wait is for a condition, and
ends in failure when it does not come about."""
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time

from lab import NETNS, check, fail, in_node, netns

CLIENT = os.environ["ECHOCLIENT"]
SERVER = os.environ["ECHOSERVER"]
FILE_CLIENT = os.environ["FILECLIENT"]
FILE_SERVER = os.environ["FILESERVER"]
HANDSHAKE = os.environ["HANDSHAKE"]
HOST1_6, HOST2_6 = "fd00:0:0:1::1", "fd00:0:0:2::1"
# The family of a test: run_all() says which.
V6 = os.environ.get("NSTCP_FAMILY") == "6"
HOST1_4, HOST2_4 = "10.0.0.1", "10.0.1.1"
HOST1, HOST2 = (HOST1_6, HOST2_6) if V6 else (HOST1_4, HOST2_4)
ANY = "::" if V6 else "0.0.0.0"
IP = "ip6" if V6 else "ip"  # to nft
PORT = 40000
PATIENCE = 30  # seconds until something that should happen is said not to happen


def name(addr, port=PORT):
    """As the examples print it."""
    return f"[{addr}]:{port}" if ":" in addr else f"{addr}:{port}"


def until(condition, text):
    """Waits until condition() holds. text: what it is, or a function that says how it stands."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            fail(f"did not come about: {text() if callable(text) else text}")
        time.sleep(0.01)


class Program:
    """A program in a node. Its output is gathered while it runs; it is killed when the `with`
    ends, if it has not ended by itself."""

    def __init__(self, node, *argv, **options):
        self.argv = [str(arg) for arg in argv]
        self.out, self.err = bytearray(), bytearray()
        self.process = subprocess.Popen(
            [NETNS, "exec", node, *self.argv], stdin=options.pop("stdin", subprocess.PIPE),
            stdout=options.pop("stdout", subprocess.PIPE),
            stderr=options.pop("stderr", subprocess.PIPE), **options)
        self.readers = [threading.Thread(target=self.gather, args=pair, daemon=True) for pair in
                        ((self.process.stdout, self.out), (self.process.stderr, self.err))
                        if pair[0]]
        for reader in self.readers:
            reader.start()

    @staticmethod
    def gather(stream, into):
        while data := os.read(stream.fileno(), 65536):
            into += data

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.end(any_status=True)

    def type(self, text):
        """What somebody types at its terminal."""
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def says(self, text):
        """Waits until it has printed the text."""
        until(lambda: text.encode() in self.out, f"{self}: {text!r}")

    def tells(self, text):
        """The same on standard error, where the trace is."""
        until(lambda: text.encode() in self.err, f"{self}: {text!r}")

    def signal(self, number):
        self.process.send_signal(number)

    def end_of_input(self):
        if self.process.stdin and not self.process.stdin.closed:
            try:
                self.process.stdin.close()
            except BrokenPipeError:
                pass

    def ends_by_itself(self):
        """Waits for its end, though its input goes on."""
        until(lambda: self.process.poll() is not None, f"{self} ends")

    def end(self, status=0, any_status=False):
        """Ends its input, waits for its end, expects that status; returns what it printed."""
        self.end_of_input()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            check(any_status, f"{self} does not end")
        for reader in self.readers:
            reader.join()
        for stream in (self.process.stdout, self.process.stderr):
            if stream:
                stream.close()
        check(any_status or self.process.returncode == status, f"{self}: ended")
        return self.out.decode(errors="replace")

    def __str__(self):
        return (f"{' '.join(self.argv)} (status {self.process.poll()}, printed "
                f"{bytes(self.out[-2000:])!r}, {self.err[-4000:].decode(errors='replace')})")


def echoserver(node, addr, port=PORT, *options):
    """Ours, listening."""
    server = Program(node, SERVER, *options, addr, port)
    server.says("listening on ")
    return server


def echoclient(node, addr, port=PORT, *options, **more):
    return Program(node, CLIENT, *options, addr, port, **more)


def fileserver(node, addr, file, *options, **more):
    """Ours, listening."""
    server = Program(node, FILE_SERVER, *options, addr, PORT, file, **more)
    server.says("listening on ")
    return server


def fileclient(node, addr, file, *options, **more):
    return Program(node, FILE_CLIENT, *options, addr, PORT, file, **more)


def sockets(node, *words):
    """The kernel's TCP sockets in a node that have all these words in their line: lists of
    state, recv-q, send-q, local, peer."""
    lines = in_node(node, "ss", "-Htan").splitlines()
    return [line.split() for line in lines if all(word in line for word in words)]


def nc_listens(node, addr, port=PORT, *options, **more):
    """netcat of the kernel's TCP, listening."""
    nc = Program(node, "nc", *options, "-l", addr, port, **more)
    until(lambda: sockets(node, "LISTEN", addr, f":{port}"), f"{nc} listens")
    return nc


def established(node, *words):
    until(lambda: sockets(node, "ESTAB", *words), f"{node}: established {words}")


# The kernel's TCP as an echo server and client, in Python: run as `programs.py WHAT ADDR PORT ...`.

def family(addr):
    import socket
    return socket.AF_INET6 if ":" in addr else socket.AF_INET


def serve_kernel(addr, port):
    import socket
    where = socket.getaddrinfo(addr, int(port), family(addr))[0][4]  # with the link of fe80::1%LINK
    listener = socket.create_server(where, family=family(addr), backlog=128)
    print("listening on", addr, flush=True)

    def echo(sock):
        while data := sock.recv(65536):
            sock.sendall(data)
        sock.close()

    while True:
        threading.Thread(target=echo, args=(listener.accept()[0],), daemon=True).start()


def pattern(length):
    """Octets that are the same every time and do not repeat soon."""
    return random.Random(length).randbytes(length)


def connect_kernel(addr, port, length="5", how="echo"):
    """Prints "same" when what was sent came back; the error's name when there was one."""
    import socket
    try:
        sock = socket.create_connection((addr, int(port)), timeout=PATIENCE)
        data = pattern(int(length))
        if how == "half-close-first":  # all is to come back after our FIN, too
            check(len(data) <= 65536, "more than the queues hold")
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
        else:
            threading.Thread(target=lambda: (sock.sendall(data), sock.shutdown(socket.SHUT_WR)),
                             daemon=True).start()
        back = bytearray()
        while piece := sock.recv(1 << 20):
            back += piece
        print("same" if back == data else f"{len(back)} octets, other ones", flush=True)
    except OSError as error:
        print(type(error).__name__, flush=True)


def kernel_server(node, addr, port=PORT):
    server = Program(node, sys.executable, __file__, "serve_kernel", addr, port)
    server.says("listening on ")
    return server


def kernel_client(node, addr, port=PORT, length=5, how="echo"):
    """What it prints: "same", or the name of an error."""
    done = netns("exec", node, sys.executable, __file__, "connect_kernel", addr, str(port),
                 str(length), how, timeout=120)
    return done.stdout.strip() or done.stderr


def tables(node):
    """The nftables tables there."""
    return in_node(node, "nft", "list", "tables")


def resets(node, device):
    """Counts RST segments on a device from now on: a function that says how many there were."""
    in_node(node, "nft", "add", "table", "netdev", "count")
    for hook in ("ingress", "egress"):
        in_node(node, "nft", "add", "chain", "netdev", "count", hook,
                f"{{ type filter hook {hook} device {device} priority -500; }}")
        in_node(node, "nft", "add", "rule", "netdev", "count", hook,
                "tcp", "flags", "&", "rst", "==", "rst", "counter")
    return lambda: sum(int(n) for n in re.findall(
        r"counter packets (\d+)", in_node(node, "nft", "list", "table", "netdev", "count")))


def families_of(test):
    """Both, or the one that its name ends in; of these, where the environment has NSTCP_FAMILY, only
    that."""
    named = re.search(r"_ipv([46])$", test)
    return [family for family in (named[1] if named else "46")
            if family == os.environ.get("NSTCP_FAMILY", family)]


def run_all(tests, families=False):
    """Runs every test_... of a module, each in a private lab of its own: this script again. families:
    over IPv4 and over IPv6, see families_of(); else a test has addresses of both."""
    if len(sys.argv) == 2:
        tests[sys.argv[1]]()
        return
    for test in [test for test in tests if test.startswith("test_")]:
        for family in families_of(test) if families else ["4"]:
            print(f"NSTCP_FAMILY={family} {test}", flush=True)
            done = subprocess.run([NETNS, "run", sys.executable, *sys.argv, test], check=False,
                                  env={**os.environ, "NSTCP_FAMILY": family})
            check(done.returncode == 0, test)
            print("[       OK ]", test, flush=True)  # as cmocka says it


TERM, INT, KILL = signal.SIGTERM, signal.SIGINT, signal.SIGKILL

if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
