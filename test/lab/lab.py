"""What the lab's tests share: to call the program, to look, to damage.

Every test runs inside a private lab that it made itself (`netns run`), so that neither the
machine's /run/netns nor its devices are ever touched. Only the program and Python are needed: no
ip, no ping. As a script, `lab.py WHAT ARGS...` damages the namespace it runs in.
"""
import ctypes
import fcntl
import os
import signal
import socket
import struct
import subprocess
import sys

signal.signal(signal.SIGHUP, signal.SIG_DFL)  # which nohup would have us pass on, ignored
NETNS = os.environ["NETNS"]
NODES = ("host1", "router", "host2")
DEVICES = {"host1": ("host1-veth1",), "router": ("router-veth1", "router-veth2"),
           "host2": ("host2-veth1",)}
DIR = "/run/netns"
CLONE_NEWNET = 0x40000000
MS_BIND = 0x1000
libc = ctypes.CDLL(None, use_errno=True)


def fail(text):
    sys.exit(f"FAILED: {text}")


def check(condition, text):
    if not condition:
        fail(text)


def netns(*args, timeout=30, **options):
    """Calls the program; returns the finished process with its output as text."""
    return subprocess.run([NETNS, *args], capture_output=True, text=True, timeout=timeout,
                          stdin=options.pop("stdin", subprocess.DEVNULL), check=False, **options)


def ok(*args, **options):
    """Calls the program, which must succeed; returns what it printed."""
    done = netns(*args, **options)
    check(done.returncode == 0, f"netns {' '.join(args)}: {done.returncode}: {done.stderr}")
    return done.stdout


def refused(*args, says, status=1, **options):
    """Calls the program, which must fail with one line that holds every one of `says`."""
    done = netns(*args, **options)
    check(done.returncode == status, f"netns {' '.join(args)}: ended with {done.returncode}")
    lines = done.stderr.splitlines()
    check(len(lines) == 1 and lines[0].startswith("netns: "), f"not one line: {done.stderr!r}")
    for text in says:
        check(text in lines[0], f"{text!r} is not in {lines[0]!r}")


def inside(test):
    """Runs the test inside a private lab, by starting this script again in one."""
    if os.environ.get("NSTCP_LAB_TEST") != "inside":
        os.environ["NSTCP_LAB_TEST"] = "inside"
        os.execv(NETNS, [NETNS, "run", sys.executable, *sys.argv])
    test()


def in_node(node, *argv, **options):
    """What argv prints in that node."""
    return ok("exec", node, *argv, **options)


def damage(node, *what):
    in_node(node, sys.executable, os.path.abspath(__file__), *what)


def verdict():
    """The last line of `status`."""
    return ok("status").splitlines()[-1].strip()


SERVER = """
import socket, sys
s = socket.create_server((sys.argv[1], 7), family=int(sys.argv[2]))
print("ready", flush=True)
c, _ = s.accept()
c.sendall(c.recv(100).upper())
"""
CLIENT = """
import socket, sys
c = socket.create_connection((sys.argv[1], 7), timeout=5)
c.sendall(b"hello")
print(c.recv(100).decode())
"""


def talks(server, client, address, family):
    """A connection of the kernel's TCP from one node to another carries data both ways."""
    argv = [NETNS, "exec", server, sys.executable, "-c", SERVER, address, str(int(family))]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        done = netns("exec", client, sys.executable, "-c", CLIENT, address)
        process.kill()
    return done.stdout == "HELLO\n"


def check_whole():
    """The lab is complete: it says so, and it carries TCP both ways over both families."""
    check(verdict() == "The lab is up.", f"status says: {verdict()}\n{ok('status')}")
    for server, client, v4, v6 in (("host2", "host1", "10.0.1.1", "fd00:0:0:2::1"),
                                   ("host1", "host2", "10.0.0.1", "fd00:0:0:1::1")):
        check(talks(server, client, v4, socket.AF_INET), f"{client} does not reach {v4}")
        check(talks(server, client, v6, socket.AF_INET6), f"{client} does not reach {v6}")


def call(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def name_foreign_namespace(name, kind="net"):
    """A namespace under that name that is not the lab's."""
    path = f"{DIR}/{name}"
    with open(path, "w", encoding="ascii"):
        pass
    if os.fork() == 0:
        if kind == "net":
            call(libc.unshare(CLONE_NEWNET))
        call(libc.mount(f"/proc/self/ns/{kind}".encode(), path.encode(), b"none", MS_BIND, None))
        os._exit(0)
    check(os.wait()[1] == 0, "could not make a namespace")


def unmount(name):
    call(libc.umount2(f"{DIR}/{name}".encode(), 2))


def ioctl(request, argument, family=socket.AF_INET):
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        return fcntl.ioctl(sock, request, argument)


def link_delete(dev):
    """RTM_DELLINK by name, spelled out: this must not depend on what it tests."""
    name = dev.encode() + b"\0"
    attr = struct.pack("HH", 4 + len(name), 3) + name
    attr += b"\0" * (-len(attr) % 4)
    body = struct.pack("BxHiII", 0, 0, 0, 0, 0) + attr
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as sock:
        sock.send(struct.pack("IHHII", 16 + len(body), 17, 5, 1, 0) + body)
        error = struct.unpack_from("i", sock.recv(4096), 16)[0]
    check(error == 0, f"deleting {dev}: {error}")


def attr(kind, value):
    """A netlink attribute."""
    return struct.pack("HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)


def veth_add(dev, index, peer, peer_index, pid):
    """RTM_NEWLINK of a veth pair with these indexes, one end where that process is."""
    other = struct.pack("BxHiII", 0, 0, int(peer_index), 0, 0) + \
        attr(3, peer.encode() + b"\0") + attr(19, struct.pack("I", int(pid)))
    body = struct.pack("BxHiII", 0, 0, int(index), 0, 0) + attr(3, dev.encode() + b"\0") + \
        attr(18, attr(1, b"veth") + attr(2, attr(1, other)))
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as sock:
        sock.send(struct.pack("IHHII", 16 + len(body), 16, 0x605, 1, 0) + body)
        error = struct.unpack_from("i", sock.recv(4096), 16)[0]
    check(error == 0, f"adding {dev}: {error}")


def link_down(dev):
    ioctl(0x8914, struct.pack("16sH14x", dev.encode(), 0))  # SIOCSIFFLAGS


def link_rename(dev, new):
    ioctl(0x8923, struct.pack("16s16s", dev.encode(), new.encode()))  # SIOCSIFNAME


def offloads_off(dev):
    """SIOCETHTOOL: receive and transmit checksums, segmentation, and merging on receipt."""
    for command in (0x15, 0x17, 0x1F, 0x24, 0x2C):
        value = ctypes.create_string_buffer(struct.pack("II", command, 0))
        ioctl(0x8946, struct.pack("16sP16x", dev.encode(), ctypes.addressof(value)))


def addr4_set(dev, address):
    """SIOCSIFADDR; 0.0.0.0 takes the address away."""
    ioctl(0x8916, struct.pack("16sHH4s8x", dev.encode(), socket.AF_INET, 0,
                              socket.inet_aton(address)))


def addr6_delete(dev, address):
    ioctl(0x8936, struct.pack("16sIi", socket.inet_pton(socket.AF_INET6, address), 64,
                              socket.if_nametoindex(dev)), socket.AF_INET6)  # SIOCDIFADDR


def route_reject(address, request=0x890B):
    """SIOCADDRT of a route that says unreachable; SIOCDELRT, 0x890C, takes it away."""
    to = struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(address))
    flags = 0x1 | 0x4 | 0x200  # RTF_UP, RTF_HOST, RTF_REJECT
    ioctl(int(request), struct.pack("L16s16s16sHhLPhPLLH", 0, to, b"", b"", flags, 0, 0, 0, 0, 0,
                                    0, 0, 0))


def route_default(gateway, metric):
    """SIOCADDRT of one more default route."""
    zero = struct.pack("HH4s8x", socket.AF_INET, 0, b"")
    via = struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(gateway))
    ioctl(0x890B, struct.pack("L16s16s16sHhLPhPLLH", 0, zero, via, zero, 0x3, 0, 0, 0,
                              int(metric) + 1, 0, 0, 0, 0))


def sysctl_write(key, value):
    with open(f"/proc/sys/net/{key}", "w", encoding="ascii") as file:
        file.write(value)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
