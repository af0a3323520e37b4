"""The ends of a connection as its two users bring them about, ours in host1 against the kernel's in
host2, client and server each: the segments that pass, the states, and what either user is told. What
the kernel does otherwise than we do is said where it shows."""
import select

from programs import IP, check, run_all, until
from socktool import ADDR, Lost, World, pair

MIB = 1 << 20
HUNG_UP = select.POLLIN | select.POLLERR | select.POLLHUP


def fins_of(node):
    """What Lost takes for the FINs of a node."""
    return f"{IP} saddr {ADDR[node]} tcp flags & fin == fin"


def four_segments(world, first, second):
    """FIN, ACK of it, FIN, ACK of it: RFC 9293 3.6, figure 12."""
    nodes = first.tool.node, second.tool.node
    ends = [seg for seg in world.wire.ending_once() if "F" in seg.flags]
    check([(seg.node, seg.flags) for seg in ends] == [(node, "F.") for node in nodes],
          f"two FINs: {ends}")
    for fin, answerer in zip(ends, nodes[::-1]):
        acked = (fin.seq + fin.length + 1) % (1 << 32)
        until(lambda n=answerer, a=acked: world.wire.segments(node=n, ack=a),
              f"{answerer} acknowledges {fin}")


def test_one_after_the_other():
    """Either side first: the four segments, and TIME-WAIT is with who was first (3.6, MUST-13)."""
    with World() as world:
        for first, second in world.both_ways():
            first.ok("send", 1000, 1)
            second.ok("recv", 1000, 1)
            first.close()
            world.reaches(first, "FIN-WAIT-2")
            world.reaches(second, "CLOSE-WAIT")
            second.fails("END", "recv", 1, 1)
            second.close()
            world.reaches(first, "TIME-WAIT")
            world.reaches(second, "CLOSED")
            world.sent(first, "F.")
            world.sent(second, "F.")
            four_segments(world, first, second)


def test_time_wait_ends():
    """After two MSL (here 2 x 200 ms) ours is gone; the kernel's has a fixed 60 s."""
    with World("msl=200") as world:
        for ours, kernels in world.connections():
            ours.close()
            kernels.fails("END", "recv", 1, 1)
            world.reaches(ours, "FIN-WAIT-2")
            kernels.close()
            until(lambda: world.ours.err.count(b"state TIME-WAIT > CLOSED") > 0, "2 MSL are over")
            world.ours.err.clear()
            world.sent(ours, "F.")
            world.sent(kernels, "F.")


def test_both_at_once():
    """Whether the FINs cross or not: two FINs, no RST, and both are told END. When they do, ours goes
    again with the ACK of the other."""
    with World() as world:
        for _ in range(5):
            for one, other in world.both_ways():
                for sock in (one, other):
                    sock.started = sock.start("shutdown", "wr")
                for sock in (one, other):
                    sock.started.ok()
                for sock in (one, other):
                    sock.fails("END", "recv", 1, 1)
                    sock.close()
                for sock in (one, other):
                    until(lambda n=sock.tool.node: world.wire.ends(n), "a FIN")
                world.wire.settle()
                check(world.wire.ends("host1") in (["F."], ["F.", "F."]), f"{world.wire.lines()}")
                # The kernel's ACK may come behind its FIN, from its other CPU. We answer it, and to
                # that answer it says RST, as it has forgotten the connection.
                ends = [seg.flags for seg in world.wire.ending_once("host2")]
                check(ends in (["F."], ["F.", "R"]), f"{world.wire.lines()}")


def test_crossing_fins():
    """The router loses one side's FIN until the other's has crossed it: CLOSING, then TIME-WAIT
    (3.6, figure 13). Our ACK of the FIN that crosses carries ours again, the kernel's does not."""
    with World() as world:
        for closing, other in world.both_ways():
            with Lost(fins_of(closing.tool.node)):
                closing.close()
                world.reaches(closing, "FIN-WAIT-1")
                other.ok("shutdown", "wr")
                world.reaches(other, "FIN-WAIT-2")
                world.reaches(closing, "CLOSING")
            world.reaches(closing, "TIME-WAIT")
            world.reaches(other, "TIME-WAIT")
            other.fails("END", "recv", 1, 1)
            other.close()
            world.wire.settle()
            check("R" not in str(world.wire.ends("host1") + world.wire.ends("host2")), "no RST")


def test_half_closed():
    """One side is done sending, the other sends on: all of it arrives, both ways round."""
    with World() as world:
        for done, sender in world.both_ways():
            done.ok("send", 5000, 1)
            done.ok("shutdown", "wr")
            done.fails("EPIPE", "send", 1, 1)
            sender.ok("recv", 5000, 1)
            sender.fails("END", "recv", 1, 1)
            world.reaches(done, "FIN-WAIT-2")
            sending = sender.start("send", 8 * MIB, 2, 100000)
            done.ok("recv", 8 * MIB, 2, 50000)
            sending.ok()
            check(done.events(HUNG_UP | select.POLLRDHUP) == 0, "the other direction is open")
            sender.close()
            done.fails("END", "recv", 1, 2)
            world.reaches(done, "TIME-WAIT")
            done.close()
            world.sent(done, "F.")
            world.sent(sender, "F.")


def test_half_closed_both_ways_with_data():
    """Both are done sending while data is still under way: all of it arrives, then the ends."""
    with World() as world:
        for one, other in world.both_ways():
            calls = [sock.start("send", 4 * MIB, seed) for seed, sock in enumerate((one, other))]
            calls += [sock.start("recv", 4 * MIB, 1 - seed) for seed, sock in
                      enumerate((one, other))]
            for call, sock in zip(calls, (one, other)):
                call.ok()
                sock.ok("shutdown", "wr")
            for call in calls[2:]:
                call.ok()
            for sock in (one, other):
                sock.fails("END", "recv", 1, 0)
                sock.close()


def test_abort():
    """SO_LINGER of 0 (RFC 9293 3.10.5): one RST, no FIN, and the other is told once."""
    with World() as world:
        for aborts, other in world.both_ways():
            aborts.ok("linger", "on", 0)
            aborts.close()
            world.sent(aborts, "R.")
            world.reaches(other, "CLOSED")
            check(other.events(HUNG_UP, 10000) == HUNG_UP, "poll: an error, and over")
            other.fails("ECONNRESET", "recv", 1, 1)
            other.fails("END", "recv", 1, 1)
            other.fails("EPIPE", "send", 1, 1)
            other.close()
            world.wire.settle()
            world.sent(aborts, "R.")
            world.sent(other)


def test_abort_with_data_under_way():
    """The sender aborts while its window is full of data: RST, and the other is told."""
    with World() as world:
        for aborts, other in world.both_ways():
            aborts.ok("nonblock", 1)
            until(lambda a=aborts: a.start("send", MIB, 1).wait().error == "EAGAIN", "queues full")
            aborts.ok("linger", "on", 0)
            aborts.close()
            world.reaches(other, "CLOSED")
            answer = other.start("recv", 64 * MIB, 1).fails("ECONNRESET")
            check(answer.result > 0, "what had arrived can be read first")
            other.close()


def test_unread_at_close():
    """A close with unread data: RST and no FIN, so that the sender learns of the loss (RFC 1122
    4.2.2.13, RFC 9293 3.6.1 SHLD-3)."""
    with World() as world:
        for closes, sender in world.both_ways():
            sender.ok("send", 1000, 1)
            check(closes.events(select.POLLIN, 10000) == select.POLLIN, "there is something to read")
            closes.close()
            world.sent(closes, "R.")
            sender.fails("ECONNRESET", "recv", 1, 1)
            sender.close()
            world.wire.settle()
            world.sent(closes, "R.")


def test_data_after_close():
    """The same for data that arrives when nobody can read it any more: after our FIN."""
    with World() as world:
        for closes, sender in world.both_ways():
            closes.close()
            world.reaches(closes, "FIN-WAIT-2")
            sender.fails("END", "recv", 1, 1)
            sender.ok("send", 1000, 1)
            world.sent(closes, "F.", "R") # the kernel too, which has only a small record of it left
            world.reaches(sender, "CLOSED")
            check(sender.events(HUNG_UP, 10000) == HUNG_UP, "poll: an error, and over")
            # RFC 9293 3.10.7.4 second; the kernel says EPIPE to who has heard the end already.
            sender.fails("ECONNRESET" if sender.tool is world.ours else "EPIPE", "send", 1, 1)
            sender.fails("EPIPE", "send", 1, 1)
            sender.close()


def test_shutdown_rd_then_data():
    """shutdown(SHUT_RD) is no end on the wire: nothing is sent, and what arrives is acknowledged.
    We throw it away; the kernel lets it be read all the same."""
    with World() as world:
        for deaf, sender in world.both_ways():
            deaf.ok("shutdown", "rd")
            deaf.fails("END", "recv", 1, 1)
            sender.ok("send", 1000, 1)
            world.wire.settle()
            data, = world.wire.segments(node=sender.tool.node, length=1000)
            acked = (data.seq + 1000) % (1 << 32)
            until(lambda d=deaf, a=acked: world.wire.segments(node=d.tool.node, ack=a), "the ACK")
            if deaf.tool.who == "kernel":
                deaf.ok("recv", 1000, 1)
            deaf.fails("END", "recv", 1, 1)
            sender.close()
            world.reaches(sender, "FIN-WAIT-2")
            deaf.close()
            world.sent(sender, "F.")
            world.sent(deaf, "F.")


def test_listener_closed_with_connections_waiting():
    """Connections that nobody has accepted are reset with their listener; those that had found no
    room are told that nobody listens (RST in answer to their SYN)."""
    for ours_listens in (True, False):
        with World() as world:
            server, client = (world.ours, world.kernels)[::1 if ours_listens else -1]
            listener = server.listen(ADDR[server.node], 40000, 3)
            # The kernel takes one more than the backlog; we take the backlog.
            socks = [client.socket() for _ in range(3 if ours_listens else 4)]
            for sock in socks:
                sock.ok("connect", ADDR[server.node], 40000)
            late = client.socket()
            connecting = late.start("connect", ADDR[server.node], 40000)
            waiting = client.start("poll", late.number, select.POLLOUT, 300).ok()
            check(connecting.waits(), f"there was room: {waiting}")
            listener.close()
            connecting.fails("ECONNREFUSED")
            for sock in socks:
                sock.fails("ECONNRESET", "recv", 1, 1)


run_all(globals(), families=True)
