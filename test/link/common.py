"""What the tests of link/ and guard/ share, on top of lab.py: programs that run in a node beside
the test, kernel TCP servers among them. Everything runs in a private lab."""
import os
import signal
import socket
import struct
import subprocess
import sys

from lab import NETNS, check, in_node, netns

TOOL = os.environ["LINKTOOL"]
HANDSHAKE = os.environ["HANDSHAKE"]

SERVER = """
import socket, sys
s = socket.create_server((sys.argv[1], int(sys.argv[2])),
                         family=socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET)
print("ready", flush=True)
while True:
    c, _ = s.accept()
    c.sendall(c.recv(100).upper())
    c.close()
"""
CLIENT = """
import socket, sys
try:
    c = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=float(sys.argv[3]))
    c.sendall(b"hello")
    print(c.recv(100).decode())
    c.recv(100)  # the server closes first, and has the TIME-WAIT
except OSError as error:
    print(type(error).__name__)
"""


class Beside:
    """A program in a node, started and ready; killed when the `with` ends."""

    def __init__(self, node, *argv, waits=True):
        self.process = subprocess.Popen([NETNS, "exec", node, *argv], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.lines = []
        while waits and (line := self.process.stdout.readline()) != "ready\n":
            check(line, f"{argv}: not ready: {self.lines}")
            self.lines.append(line.strip())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def say(self, text=""):
        """Gives it a line of input and returns the line it answers."""
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def end(self):
        """Ends its input and returns what else it prints."""
        return self.process.communicate(timeout=20)[0]


def server(node, addr, port):
    """A server of the kernel's TCP."""
    return Beside(node, sys.executable, "-c", SERVER, addr, str(port))


def client(node, addr, port, timeout=5):
    """What a client of the kernel's TCP gets: HELLO, or the name of an error."""
    return in_node(node, sys.executable, "-c", CLIENT, addr, str(port), str(timeout)).strip()


def tool(node, *argv):
    """The finished linktool."""
    return netns("exec", node, TOOL, *map(str, argv))


def beside(node, *argv):
    return Beside(node, TOOL, *map(str, argv))


def numbers(line):
    """The pairs of "name value" in a line."""
    words = line.split()
    return dict(zip(words[::2], map(int, words[1::2])))


def tables(node):
    """The nftables tables there."""
    return in_node(node, "nft", "list", "tables")


def checksum(octets):
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return struct.pack("!H", ~total & 0xFFFF)


def send_syn(dev, mac, src, dst, port, tag=""):
    """One SYN in a frame of our own making, whatever the kernel thinks of its addresses."""
    v6 = ":" in src
    family = socket.AF_INET6 if v6 else socket.AF_INET
    src, dst = socket.inet_pton(family, src), socket.inet_pton(family, dst)
    tcp = struct.pack("!HHIIBBHHH", 1000, int(port), 0, 0, 0x50, 2, 1000, 0, 0)
    tcp = tcp[:16] + checksum(src + dst + struct.pack("!HH", 6, len(tcp)) + tcp) + tcp[18:]
    if v6:
        ip = struct.pack("!IHBB", 6 << 28, len(tcp), 6, 64) + src + dst
    else:
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0) + src + dst
        ip = ip[:10] + checksum(ip) + ip[12:]
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
        sock.bind((dev, 0))
        sock.send(bytes.fromhex(mac.replace(":", "")) + b"\2\0\0\0\0\1" + bytes.fromhex(tag) +
                  (b"\x86\xdd" if v6 else b"\x08\0") + ip + tcp)


def run_all(tests):
    """Runs every test_... of a module, each in a private lab of its own: this script again."""
    if len(sys.argv) == 2:
        tests[sys.argv[1]]()
        return
    for name in [name for name in tests if name.startswith("test_")]:
        done = subprocess.run([NETNS, "run", sys.executable, *sys.argv, name], check=False)
        check(done.returncode == 0, name)
        print("[       OK ]", name, flush=True)  # as cmocka says it


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
