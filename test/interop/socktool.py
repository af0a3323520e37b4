"""Python's side of socktool.c: a program in a node whose sockets, the kernel's or ours, are called
from here; and what tcpdump sees of their segments."""
import collections
import os
import re
import socket
import sys
import threading
import time

from programs import HOST1, HOST2, IP, KILL, PATIENCE, V6, Program, check, in_node, sockets, until

TOOL = os.environ["SOCKTOOL"]
DEVICE = {"host1": "host1-veth1", "host2": "host2-veth1"}
ADDR = {"host1": HOST1, "host2": HOST2}
NODE = {addr: node for node, addr in ADDR.items()}

Answer = collections.namedtuple("Answer", "result error text")


class Pending:
    """A call under way."""

    def __init__(self, tool, words):
        self.tool, self.words, self.answer, self.done = tool, words, None, threading.Event()

    def wait(self, patience=PATIENCE):
        """Its answer, once it has one."""
        end = time.monotonic() + patience
        while not self.done.wait(0.2):
            check(self.tool.process.poll() is None and time.monotonic() < end,
                  f"no answer to {self.words}: {self.tool}")
        return self.answer

    def ok(self):
        answer = self.wait()
        check(answer.error == "OK", f"{self.words}: {answer}: {self.tool}")
        return answer

    def fails(self, *errors):
        answer = self.wait()
        check(answer.error in errors, f"{self.words}: {answer} and not {errors}: {self.tool}")
        return answer

    def waits(self):
        return not self.done.is_set()


class Sock:
    """A socket of a Tool."""

    def __init__(self, tool, number, domain=4):
        self.tool, self.number, self.domain = tool, number, domain

    def start(self, command, *args):
        return self.tool.start(command, self.number, *args)

    def ok(self, command, *args):
        return self.start(command, *args).ok()

    def fails(self, error, command, *args):
        """The call fails with one of these errors, divided by "|"."""
        return self.start(command, *args).fails(*error.split("|"))

    def accept(self):
        return Sock(self.tool, self.ok("accept").result, self.domain)

    def port(self):
        return int(self.ok("name").text.split()[1])

    def close(self):
        self.ok("close")

    def events(self, asked, timeout_ms=0):
        """poll(2) of this one socket."""
        return int(self.ok("poll", asked, timeout_ms).text)


class Tool(Program):
    """A socktool in a node."""

    def __init__(self, node, who, *options):
        self.node, self.who = node, who
        self.pending, self.line, self.last_tag = {}, b"", 0
        self.ready = threading.Event()
        super().__init__(node, TOOL, who, *options)
        check(self.ready.wait(PATIENCE), f"{self} is not ready")

    def gather(self, stream, into):
        while data := os.read(stream.fileno(), 65536):
            into += data
            if into is self.out:
                *lines, self.line = (self.line + data).split(b"\n")
                for line in lines:
                    self.answered(line.decode())

    def answered(self, line):
        if line == "ready":
            self.ready.set()
            return
        tag, result, error, text = line.split(" ", 3)
        pending = self.pending.pop(tag)
        pending.answer = Answer(int(result), error, text)
        pending.done.set()

    def start(self, *words):
        self.last_tag += 1
        pending = self.pending[str(self.last_tag)] = Pending(self, words)
        self.type(f"{self.last_tag} {' '.join(map(str, words))}\n")
        return pending

    def socket(self, addr=None, port=None, domain=None):
        """A new socket, bound if there is an address."""
        domain = domain or (6 if (":" in addr if addr else V6) else 4)
        sock = Sock(self, self.start("socket", domain).ok().result, domain)
        if addr:
            sock.ok("set", int(socket.SOL_SOCKET), int(socket.SO_REUSEADDR), 1)
            sock.ok("bind", addr, port)
        return sock

    def listen(self, addr, port=40000, backlog=128):
        sock = self.socket(addr, port)
        sock.ok("listen", backlog)
        return sock

    def connect(self, addr, port=40000):
        sock = self.socket(domain=6 if ":" in addr else 4)
        sock.ok("connect", addr, port)
        return sock

    def quit(self, timeout_ms=5000):
        """nstcp_destroy, and the end."""
        answer = self.start("quit", timeout_ms).wait()
        self.end()
        return answer

    def kill(self):
        self.signal(KILL)
        self.end(status=-KILL)

    def traced(self, text):
        return text.encode() in self.err


def pair(client, server, port=40000, local_port=None):
    """A connection of two Tools: the client's socket and the server's."""
    listener = server.listen(ADDR[server.node], port)
    connecting = client.socket(ADDR[client.node], local_port) if local_port else client.socket()
    connecting.ok("connect", ADDR[server.node], port)
    accepted = listener.accept()
    listener.close()
    return connecting, accepted


Segment = collections.namedtuple("Segment", "node sport dport flags seq ack length")
LINE = re.compile(r"IP6? ([0-9a-f.:]+)\.(\d+) > [0-9a-f.:]+\.(\d+): Flags \[([SFRPUEW.]+)\], "
                  r"(?:seq (\d+)(?::\d+)?, )?(?:ack (\d+), )?.*length (\d+)")


class Wire(Program):
    """What passes on a node's device, as tcpdump sees it."""

    def __init__(self, node, what="tcp", device=None):
        self.node = node
        # The headers only: of whole super-segments it has room for a few, and loses others.
        super().__init__(node, "tcpdump", "-i", device or DEVICE[node], "-n", "-S", "-l", "-Z",
                         "root", "-s", "128", "--immediate-mode", f"({what}) or udp dst port 9")
        until(lambda: b"listening on" in self.err, f"{self} listens")
        self.marks = 0

    def settle(self):
        """Waits until everything that has passed so far has been printed."""
        self.marks += 1
        in_node(self.node, sys.executable, "-c", "import socket; socket.socket(2, 2).sendto(b'x', "
                f"('10.0.{'0' if self.node == 'host1' else '1'}.254', 9))")
        until(lambda: self.out.count(b".9: ") >= self.marks, lambda: f"the mark: {self}")

    def lines(self):
        return [line for line in self.out.decode().splitlines() if ": Flags [" in line]

    def segments(self, **where):
        """Those with these values. node: who sent it; flags: as tcpdump prints them, less the P."""
        found = []
        for line in self.lines():
            m = LINE.search(line)
            check(m, f"not understood: {line}")
            src, sport, dport, flags, seq, ack, length = m.groups()
            seg = Segment(NODE[src], int(sport), int(dport), flags.replace("P", ""), int(seq or 0),
                          int(ack or 0), int(length))
            if all(getattr(seg, key) == value for key, value in where.items()):
                found.append(seg)
        return found

    def sees(self, text, condition):
        """Waits until the condition holds for the segments."""
        until(lambda: condition(self.segments()), lambda: f"{text}:\n" + "\n".join(self.lines()))

    def ends(self, node):
        """The flags of every segment with FIN or RST that the node has sent, in order."""
        return [seg.flags for seg in self.ending(node)]

    def ending(self, node=None):
        """The segments with FIN or RST that the node, or anybody, has sent, in order."""
        return [seg for seg in self.segments() if set("FR") & set(seg.flags) and
                node in (None, seg.node)]

    def ending_once(self, node=None):
        """The same; a FIN that goes again because its ACK is late (RFC 8985 7.3) counts once."""
        fins, found = set(), []
        for seg in self.ending(node):
            fin = (seg.node, seg.sport, seg.dport, seg.seq + seg.length)
            if "F" not in seg.flags or fin not in fins:
                found.append(seg)
            fins.add(fin)
        return found

    def ports(self):
        """Both of the connection that is seen first."""
        until(self.segments, "a segment")
        first = self.segments()[0]
        return first.sport, first.dport


class Rule:
    """While the `with` lasts the router does with what the words of nft match what these say."""

    def __init__(self, table, match, do):
        self.table, self.rule = table, f"{match} counter {do}"

    def __enter__(self):
        in_node("router", "nft", f"add table inet {self.table}; add chain inet {self.table} forward "
                "{ type filter hook forward priority 0; }; "
                f"add rule inet {self.table} forward {self.rule}")
        return self

    def packets(self):
        """How many it was."""
        rule = in_node("router", "nft", "list", "table", "inet", self.table)
        return int(re.search(r"counter packets (\d+)", rule)[1])

    def __exit__(self, *_):
        in_node("router", "nft", f"delete table inet {self.table}")


class Lost(Rule):
    """It throws them away."""

    def __init__(self, *words):
        super().__init__("lost", " ".join(words), "drop")


class Marking(Rule):
    """It marks every 7th packet that is ECT (RFC 3168)."""

    def __init__(self):
        super().__init__("marks", f"{IP} ecn ect0 numgen inc mod 7 == 0", f"{IP} ecn set ce")


class World:
    """A Tool of ours in host1, one of the kernel's in host2, and what passes between them."""

    def __init__(self, *options):
        self.ours = Tool("host1", "nstcp", "trace", *options)
        self.kernels = Tool("host2", "kernel")
        self.wire = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for program in (self.ours, self.kernels):
            program.__exit__()

    def connections(self):
        """One that we have opened, then one that the kernel has: our socket and the kernel's."""
        for connect in (lambda: pair(self.ours, self.kernels, 40000),
                        lambda: pair(self.kernels, self.ours, 40001)[::-1]):
            with Wire("host1") as self.wire:
                yield connect()

    def both_ways(self):
        """The same, each once as (ours, the kernel's) and once as (the kernel's, ours)."""
        for turn in (1, -1):
            for connection in self.connections():
                yield connection[::turn]

    def sent(self, sock, *flags):
        """Waits until that is all which sock's side has sent to end the connection."""
        node = sock.tool.node
        until(lambda: [seg.flags for seg in self.wire.ending_once(node)] == list(flags),
              lambda: f"{node}: {flags}; the segments:\n" + "\n".join(self.wire.lines()))

    def reaches(self, sock, state):
        """Waits until the connection is in that state: the kernel's as ss has it, where CLOSED is
        to have gone; ours by the last change of state in the trace."""
        if sock.tool.who == "kernel":
            ports = [f":{port}" for port in self.wire.ports()]
            until(lambda: [s[0] for s in sockets("host2", *ports)] == [state] * (state != "CLOSED"),
                  lambda: f"the kernel's connection in {state}: {sockets('host2')}")
            return

        def last():
            lines = [line for line in sock.tool.err.decode().splitlines() if " state " in line]
            return lines and f"> {state} " in lines[-1]
        until(last, lambda: f"{state}: {sock.tool}")


def forgets(sock):
    """An abort whose RST is lost: as if its host had crashed, the other side does not know."""
    with Lost(f"{IP} saddr {ADDR[sock.tool.node]}"):
        sock.ok("linger", "on", 0)
        sock.close()
