"""Data between ours and the kernel's TCP: client and server each, sender and receiver each, over both
families, of all sizes, with any size of the calls, with readers that stop, many at once, and over
devices of all kinds."""
import os
import random
import re
import select

from lab import DEVICES, damage
from programs import HOST1, HOST2, V6, check, in_node, run_all, until
from socktool import ADDR, Tool, Wire

KIB, MIB = 1 << 10, 1 << 20
LARGEST_CALL = 256 * KIB

# One octet, and around what a segment, a window without scale and the queues hold.
SIZES = (1, 2, 535, 536, 537, 1439, 1440, 1441, 1459, 1460, 1461, 2920, 2921, 14601, 65534, 65535,
         65536, 65537, 256 * KIB - 1, 256 * KIB, 256 * KIB + 1, MIB + 1, 4 * MIB + 3)


class Ends:
    """A program of ours in host1, one of the kernel's in host2, each with a listener."""

    def __init__(self):
        self.tools = Tool("host1", "nstcp"), Tool("host2", "kernel")
        self.addrs = HOST1, HOST2
        # Room for the 200: beyond it the kernel answers with SYN cookies and forgets whom it could
        # not queue, until they send something.
        self.listeners = [tool.listen(addr, backlog=512)
                          for tool, addr in zip(self.tools, self.addrs)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for tool in self.tools:
            tool.__exit__()

    def pair(self, client):
        """A connection that ours (client is 0) or the kernel's (1) opens: the client's socket and
        the server's."""
        sock = self.tools[client].connect(self.addrs[1 - client])
        return sock, self.listeners[1 - client].accept()

    def each(self):
        """All four: one opened by either side, whose client or server sends."""
        for client in (0, 1):
            for turn in (1, -1):
                yield self.pair(client)[::turn]


def carries(sender, receiver, length, seed=1, most_sent="", most_read=""):
    """All of it arrives as it was, then the end, and nothing comes back."""
    sending = sender.start("send", length, seed, most_sent)
    answer = receiver.start("recv", length, seed, most_read).wait()
    check(answer.error == "OK", f"{length} octets, seed {seed}, by {sender.tool.who}: {answer}")
    sending.ok()
    sender.close()
    receiver.fails("END", "recv", 1, seed)
    receiver.close()


def test_sizes():
    with Ends() as ends:
        for length in SIZES:
            for sender, receiver in ends.each():
                carries(sender, receiver, length)


def test_64_mib():
    with Ends() as ends:
        for sender, receiver in ends.each():
            carries(sender, receiver, 64 * MIB)


def test_random_call_sizes():
    """Both directions at once; each call its own size, from 1 to a few or to many octets."""
    seed = int(os.environ.get("SEED", random.SystemRandom().randrange(1 << 30)))
    print(f"SEED={seed}", flush=True)
    chance = random.Random(seed)
    with Ends() as ends:
        for one, other in ends.each():
            calls = []
            for seed, (sender, receiver) in enumerate(((one, other), (other, one))):
                length = chance.randrange(200 * KIB, 2 * MIB)
                most = [chance.choice((20, 1500, 5000, 70000, LARGEST_CALL)) for _ in "ab"]
                print(sender.tool.who, "sends", length, most, flush=True)
                # 20 octets a call, of 2 MiB, are too many calls for a sanitizer.
                length = min(length, 2000 * min(most))
                calls.append(sender.start("send", length, seed, most[0]))
                calls.append(receiver.start("recv", length, seed, most[1]))
            for call in calls:
                call.ok()
            one.close()
            other.close()


def zero_windows(wire):
    return len([line for line in wire.lines() if " win 0," in line])


def fill(sender):
    """Sends until nothing more is taken for a while, longer than the first probe of a shut window
    takes; returns how much that was."""
    sent = 0
    sender.ok("nonblock", 1)
    while sender.events(select.POLLOUT, 300):
        sent += sender.start("send", 64 * MIB, 1).fails("EAGAIN").result
    sender.ok("nonblock", 0)
    return sent


def test_readers_that_stop():
    """The window shuts and opens again, several times: nothing is lost, nothing comes twice."""
    with Ends() as ends:
        for sender, receiver in ends.each():
            with Wire(receiver.tool.node, "src host " + ADDR[receiver.tool.node]) as wire:
                on_its_way = 0
                for length in (100 * KIB, MIB + 7, 1):
                    wire.settle()
                    shut = zero_windows(wire)
                    on_its_way += fill(sender)
                    until(lambda: zero_windows(wire) > shut, "a shut window")
                    length = min(length, on_its_way)
                    receiver.ok("recv", length, 1, 30000)
                    on_its_way -= length
                sending = sender.start("send", MIB, 1)
                receiver.ok("recv", on_its_way + MIB, 1)
                sending.ok()
                sender.close()
                receiver.fails("END", "recv", 1, 1)
                receiver.close()


def test_readers_that_are_slow():
    """A pause after every call: the window is all but shut all the time."""
    with Ends() as ends:
        transfers = []
        for sender, receiver in ends.each():
            transfers.append((sender, sender.start("send", 3 * MIB, 1),
                              receiver.start("recv", 3 * MIB, 1, 60000, 1000)))
        for sender, sending, receiving in transfers:
            receiving.ok()
            sending.ok()


def test_200_at_once():
    """200 clients of the kernel's to one server of ours, and 200 in one stack of ours."""
    with Ends() as ends:
        for client in (0, 1):
            socks = [ends.tools[client].socket() for _ in range(200)]
            calls = [sock.start("connect", ends.addrs[1 - client], 40000) for sock in socks]
            servers = {}
            for _ in socks:
                answer = ends.listeners[1 - client].start("accept").ok()
                servers[int(answer.text.split()[1])] = answer.result
            for call in calls:
                call.ok()
            calls = []
            for i, sock in enumerate(socks):
                number = servers[sock.port()]
                calls += [sock.start("send", 20000 + i, i),
                          ends.tools[1 - client].start("recv", number, 20000 + i, i),
                          ends.tools[1 - client].start("send", number, 30000 + i, i),
                          sock.start("recv", 30000 + i, i)]
            for call in calls:
                call.ok()
            for i, sock in enumerate(socks):
                sock.close()
            for number in servers.values():
                ends.tools[1 - client].start("recv", number, 1, 1).fails("END")
                ends.tools[1 - client].start("close", number).ok()


def set_mtu(left, right):
    """Of both ends of the wires between host1 and the router, and between the router and host2."""
    for node, device, mtu in (("host1", "host1-veth1", left), ("router", "router-veth1", left),
                              ("router", "router-veth2", right), ("host2", "host2-veth1", right)):
        in_node(node, "ip", "link", "set", device, "mtu", str(mtu))


def some_sizes(ends, mtu):
    for length in (1, mtu - 40, mtu - 39, 65535, MIB + 1):
        for sender, receiver in ends.each():
            carries(sender, receiver, length)


def test_offloads_off():
    """No checksum is left to a device, and no segmentation."""
    for node in DEVICES:
        for device in DEVICES[node]:
            damage(node, "offloads_off", device)
    with Ends() as ends:
        some_sizes(ends, 1500)
    with Ends() as ends:
        for sender, receiver in ends.each():
            carries(sender, receiver, 8 * MIB)


def test_mtu():
    """Small, large, and unequal on the two sides of the router, where the smaller one's MSS makes it
    work without a word from the router (RFC 9293 3.7.1, MUST-14, MUST-67)."""
    mtus = [(9000, 9000), (9000, 1500), (1500, 9000), (1280, 9000)]
    for left, right in mtus if V6 else mtus + [(576, 576), (576, 1500), (1500, 576)]:
        set_mtu(left, right)
        with Wire("host1") as wire, Ends() as ends:
            some_sizes(ends, min(left, right))
            wire.settle()
            mss = {m for line in wire.lines() for m in re.findall(r"mss (\d+)", line)}
            headers = 60 if V6 else 40
            check(mss == {str(left - headers), str(right - headers)}, f"{left}, {right}: MSS {mss}")


run_all(globals(), families=True)
