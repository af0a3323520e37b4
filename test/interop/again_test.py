"""The next connection of the same addresses and ports, while one side still remembers the last; and
nstcp_destroy, the end of all connections of a program."""
from programs import HOST1, HOST2, IP, check, in_node, run_all, sockets, until
from socktool import Lost, Tool, Wire, World, forgets, pair

MIB = 1 << 20


def killed_and_again(remembered, until_seen):
    """Connects from port 50000, brings the kernel's side into a state by remembered(ours, kernels),
    kills our program, and connects from the same port with a new one, whose sequence numbers have
    nothing to do with the last one's. Again and again, until every way of until_seen was taken:
    "at once", the kernel took the SYN; "challenge", it answered with an ACK, we with RST, and SYN
    again (RFC 9293 3.5.2 group 2, RFC 5961 4.2, RFC 6191 3); "refused"."""
    seen = set()
    with Tool("host2", "kernel") as kernel:
        listener = kernel.listen(HOST2, 40000)
        for _ in range(20):
            if seen == until_seen:
                return
            with Tool("host1", "nstcp", "trace") as ours, Tool("host1", "nstcp") as new, \
                    Wire("host1") as wire:
                first = ours.socket(HOST1, 50000)
                first.ok("connect", HOST2, 40000)
                old = listener.accept()
                remembered(first, old)
                ours.kill()
                wire.settle()
                before = len(wire.segments())
                again = new.socket(HOST1, 50000)
                connecting = again.start("connect", HOST2, 40000).wait()
                wire.settle()
                segs = wire.segments()[before:]
                mine = [seg.flags for seg in segs if seg.node == "host1"]
                if connecting.error == "ECONNREFUSED":
                    seen.add("refused")
                else:
                    check(connecting.error == "OK", f"{connecting}")
                    check(mine in (["S", "."], ["S", "R", "S", "."]), f"{mine}")
                    seen.add("challenge" if "R" in mine else "at once")
                    accepted = listener.accept()
                    again.ok("send", 1000, 1)
                    accepted.ok("recv", 1000, 1)
                    again.close()
                    accepted.fails("END", "recv", 1, 1)
                    accepted.ok("linger", "on", 0)  # no TIME-WAIT of the kernel's is left
                    accepted.close()
                if old.number >= 0:
                    old.start("close").wait()
            print("again:", *mine, flush=True)
    check(seen == until_seen, f"only {seen}")


def test_peer_still_established():
    """The old connection dies of our RST; its user is told so."""
    killed_and_again(lambda ours, kernels: None, {"challenge"})


def test_peer_in_close_wait():
    def closed(ours, kernels):
        ours.ok("shutdown", "wr")
        kernels.fails("END", "recv", 1, 1)
        until(lambda: ours.tool.traced("> FIN-WAIT-2 "), "the kernel takes its time to acknowledge")
    killed_and_again(closed, {"challenge"})


def test_peer_in_fin_wait_2():
    def closed(ours, kernels):
        kernels.ok("shutdown", "wr")
        ours.fails("END", "recv", 1, 1)
    killed_and_again(closed, {"challenge"})


def closes_first(ours, kernels):
    kernels.close()
    ours.fails("END", "recv", 1, 1)
    ours.close()
    until(lambda: sockets("host2", "TIME-WAIT", ":50000"), "the kernel is in TIME-WAIT")
    kernels.number = -1


def test_peer_in_time_wait():
    """A SYN beyond the last sequence number is taken at once (RFC 9293 3.6.1 MAY-2), another one is
    answered with an ACK: half of our new processes get the one, half the other."""
    killed_and_again(closes_first, {"at once", "challenge"})


def test_same_process_peer_in_time_wait():
    """Our sequence numbers go on where they were (RFC 6528): the kernel takes the SYN at once."""
    with World() as world:
        for _ in range(3):
            with Wire("host1") as wire:
                ours, kernels = pair(world.ours, world.kernels, 40000, 50000)
                closes_first(ours, kernels)
                wire.settle()
                check("R" not in "".join(wire.ends("host1")), "no RST")


def test_kernel_again_while_ours_is_in_time_wait():
    """From the same port: our TIME-WAIT gives way to a SYN beyond the last sequence number (3.6.1
    MAY-2)."""
    with World() as world:
        listener = world.ours.listen(HOST1, 40000)
        for i in range(3):
            kernels = world.kernels.socket(HOST2, 50000)
            kernels.ok("connect", HOST1, 40000)
            ours = listener.accept()
            kernels.ok("send", 1000, i)
            ours.ok("recv", 1000, i)
            ours.close()
            kernels.fails("END", "recv", 1, 1)
            kernels.close()
            world.reaches(ours, "TIME-WAIT")


def test_kernel_again_while_ours_is_established():
    """The kernel has forgotten the connection, as after a crash, and opens it anew from the same
    port: we answer with an ACK, it with RST, our user is told, and the kernel's next SYN opens a new
    one (RFC 9293 3.5.1, figure 9; RFC 5961 4.2). The kernel sends that SYN within milliseconds of
    our ACK; we send ours when the retransmission timer runs out, after 1 s."""
    with World() as world, Wire("host1") as wire:
        listener = world.ours.listen(HOST1, 40000)
        kernels = world.kernels.socket(HOST2, 50000)
        kernels.ok("connect", HOST1, 40000)
        ours = listener.accept()
        forgets(kernels)
        wire.settle()
        before = len(wire.segments())
        again = world.kernels.socket(HOST2, 50000)
        again.ok("connect", HOST1, 40000)
        ours.fails("ECONNRESET", "recv", 1, 1)
        accepted = listener.accept()
        again.ok("send", 1000, 1)
        accepted.ok("recv", 1000, 1)
        wire.settle()
        segs = [(seg.node, seg.flags) for seg in wire.segments()[before:]]
        check(segs[:6] == [("host2", "S"), ("host1", "."), ("host2", "R"), ("host2", "S"),
                           ("host1", "S."), ("host2", ".")], f"{segs}")


def test_from_ones_own_time_wait():
    """The side that is in TIME-WAIT itself can't use the port pair again. We say EADDRINUSE, as
    POSIX has it for an address pair in use. The kernel's gives way, where both have timestamps
    (without, it says EADDRNOTAVAIL): its SYN has a newer one, and we take it."""
    with World() as world:
        for tool, other, error in ((world.ours, world.kernels, "EADDRINUSE"),
                                   (world.kernels, world.ours, None)):
            addr, peer = (HOST1, HOST2)[::1 if tool is world.ours else -1]
            listener = other.listen(peer, 40000)
            sock = tool.socket(addr, 50000)
            sock.ok("connect", peer, 40000)
            accepted = listener.accept()
            sock.close()
            accepted.fails("END", "recv", 1, 1)
            accepted.close()
            if tool is world.ours:
                world.reaches(sock, "TIME-WAIT")
            else:
                until(lambda: sockets("host2", "TIME-WAIT"), "the kernel in TIME-WAIT")
            sock = tool.socket(addr, 50000)
            if error:
                sock.fails(error, "connect", peer, 40000)
            else:
                sock.ok("connect", peer, 40000)
                listener.accept()


def test_exit_without_destroy():
    """As a crash: nothing is said, and the kernel's next segment is answered with RST by our host's
    kernel. Text that was queued and not sent is lost."""
    for how in ("exit", "end of input"):
        with World() as world:
            for ours, kernels in world.connections():
                ours.ok("send", 1000, 1)
                kernels.ok("recv", 1000, 1)
                if how == "exit":
                    world.ours.start("exit")
                world.ours.end()
                world.wire.settle()
                world.sent(ours)
                kernels.ok("send", 1, 1)
                kernels.fails("ECONNRESET", "recv", 1, 1)
                world.sent(ours, "R")
                break


def test_destroy_in_order():
    """Everything is acknowledged in time: 0, FIN and no RST, though the peers do not close; what was
    closed before counts, too."""
    with World() as world, Wire("host1") as world.wire:
        reading = []
        for port in (40000, 40001):
            ours, kernels = pair(world.ours, world.kernels, port)
            ours.ok("nonblock", 1)
            queued = ours.start("send", 16 * MIB, 1).wait()
            check(queued.error == "EAGAIN", f"{queued}")
            if port == 40000:
                ours.close()
            reading.append((kernels, queued.result))
        quitting = world.ours.start("quit", 30000)
        for kernels, length in reading:
            check(quitting.waits(), "something is not acknowledged")
            kernels.ok("recv", length, 1)
            kernels.fails("END", "recv", 1, 1)
        quitting.ok()
        world.wire.settle()
        check(world.wire.ends("host1") == ["F.", "F."], f"{world.wire.ends('host1')}")


def test_destroy_at_its_limit():
    """The kernel's user does not read: at the limit ETIMEDOUT, and RST."""
    with World() as world:
        for ours, kernels in world.connections():
            ours.ok("nonblock", 1)
            ours.start("send", 16 * MIB, 1).fails("EAGAIN")
            check(world.ours.quit(700).error == "ETIMEDOUT", "not in time")
            world.sent(ours, "R.")
            kernels.start("recv", 16 * MIB, 1).fails("ECONNRESET")
            break


def test_destroy_with_a_peer_that_is_gone():
    """Nobody acknowledges, and nobody hears the RST either; later our host's kernel says it."""
    with World() as world:
        for ours, kernels in world.connections():
            with Lost(IP, "saddr", HOST1):
                ours.ok("send", 1000, 1)
                check(world.ours.quit(700).error == "ETIMEDOUT", "not in time")
            kernels.ok("send", 1, 1)
            kernels.fails("ECONNRESET", "recv", 1, 1)
            break


run_all(globals(), families=True)
