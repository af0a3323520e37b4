"""Ends that no user has asked for: a program killed, a host that vanishes, a program of ours that
ends without its stack, and what becomes of the other side, of the port and of the next connection
from it."""
import select
import subprocess

from programs import HOST1, HOST2, IP, check, in_node, kernel_client, kernel_server, run_all, sockets, \
    tables, until
from socktool import Lost, Wire, World, forgets, pair

MIB = 1 << 20
FROM1, FROM2 = f"{IP} saddr {HOST1}", f"{IP} saddr {HOST2}"
FIN, SYN = "tcp flags & fin == fin", "tcp flags & syn == syn"
GONE = "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH"


def test_kernels_program_killed():
    """Its kernel closes for it: a FIN, and RST to what comes later; at once RST if text is unread."""
    for unread in (False, True):
        with World() as world:
            connections = list(world.connections())
            for ours, _ in connections:
                if unread:
                    ours.ok("send", 1000, 1)
            until(lambda: not unread or len([s for s in sockets("host2", "ESTAB")
                                             if s[1] == "1000"]) == 2, "it has arrived")
            world.kernels.kill()
            for ours, _ in connections:
                ours.fails("ECONNRESET" if unread else "END", "recv", 1, 1)
                if not unread:
                    ours.ok("send", 1000, 1)
                    # What can be read, the end, is there already: only the reset is waited for.
                    check(ours.events(0, 10000) & select.POLLERR, "reset")
                    ours.fails("ECONNRESET", "send", 1, 1)
                ours.fails("EPIPE", "send", 1, 1)


def test_peers_host_vanishes():
    """Its end of the wire is gone: no answer for the user timeout. Waiting for text alone nobody
    notices; what is not acknowledged is an error, once, and the connection is over."""
    with World("user_timeout=1500") as world:
        connections = list(world.connections())
        in_node("router", "ip", "link", "del", "router-veth2")
        receiving = [ours.start("recv", 1, 1) for ours, _ in connections]
        for ours, _ in connections:
            check(ours.ok("send", 1000, 1), "it is queued")
        for call in receiving:
            call.fails(*GONE)
        for ours, _ in connections:
            ours.fails("EPIPE", "send", 1, 1)
            ours.close()
        check(world.ours.quit().error == "OK", "nothing is left to be waited for")


def test_peers_namespace_destroyed():
    """The peer's program, its kernel's TCP and its end of the wire end together, without a word."""
    with World("user_timeout=1500") as world:
        connections = list(world.connections())
        for _, kernels in connections:
            kernels.ok("linger", "on", 0)  # nothing is left to be sent, which would keep it alive
        with Lost(FROM2):
            world.kernels.kill()
            subprocess.run(["ip", "netns", "del", "host2"], check=True)
            until(lambda: "router-veth2" not in in_node("router", "ip", "-brief", "link"),
                  "the namespace is gone")
        for ours, _ in connections:
            ours.ok("send", 1000, 1)
        for ours, _ in connections:
            ours.fails("|".join(GONE), "recv", 1, 1)
            ours.fails("EPIPE", "send", 1, 1)
            ours.close()
        check(world.ours.quit().error == "OK", "nothing is left to be waited for")


def test_our_wire_vanishes():
    """The same with our own device: the stack lives on, and says no to what is new."""
    with World("user_timeout=1500") as world:
        connections = list(world.connections())
        in_node("router", "ip", "link", "del", "router-veth1")
        for ours, _ in connections:
            ours.ok("send", 1000, 1)
        for ours, _ in connections:
            ours.fails("|".join(GONE), "recv", 1, 1)
        world.ours.socket().fails("|".join(GONE), "connect", HOST2, 40000)
        check(world.ours.quit().error == "OK", "nothing is left to be waited for")


def test_half_open():
    """One side has forgotten the connection: the other learns it when it sends (RFC 9293 3.5.1,
    figure 10). Of a port of ours it is we who answer, not the kernel of our host."""
    with World() as world:
        for forgetful, other in world.both_ways():
            forgets(forgetful)
            other.ok("send", 1000, 1)
            other.fails("ECONNRESET", "recv", 1, 1)
            other.close()
            world.wire.settle()
            check(world.wire.ends(forgetful.tool.node)[-1] == "R", "RST <SEQ=SEG.ACK>")


def killed_in(state, make, speaks=None):
    """make() brings a connection of ours on port 40000 or 50000 into the state; then ours is killed,
    and what was lost on the way is lost no more. speaks(): the kernel's side sends what it would
    send now; our host's kernel answers with RST, as after a reboot, unless it is None."""
    before = tables("host1")
    with World() as world, Wire("host1") as world.wire:
        lost = []
        sock, kernels = make(world, lost)
        if sock:
            world.reaches(sock, state)
        check(tables("host1") != before, "there is a table to be left behind")
        world.ours.kill()
        until(lambda: tables("host1") == before, "the table is gone")
        for loss in lost:
            loss.__exit__()
        if speaks:
            speaks(kernels)
            world.wire.sees(f"{state}: RST", lambda segs: [
                seg for seg in segs if seg.node == "host1" and "R" in seg.flags])
        for port in (40000, 50000):
            with kernel_server("host1", HOST1, port):
                check(kernel_client("host2", HOST1, port, 1000) == "same", f"port {port} is free")


def listening(world, _):
    world.ours.listen(HOST1)
    return None, None


def lose(lost, *words):
    lost.append(Lost(*words).__enter__())


def syn_sent(world, lost):
    """The kernel has answered our SYN, and the router has lost that."""
    world.kernels.listen(HOST2)
    lose(lost, FROM2)
    sock = world.ours.socket(HOST1, 50000)
    sock.start("connect", HOST2, 40000)
    until(lambda: sockets("host2", "SYN-RECV"), "our SYN has arrived")
    return sock, None


def syn_received(world, lost):
    """We have answered the kernel's SYN, and the router has lost that."""
    world.ours.listen(HOST1)
    lose(lost, FROM1)
    sock = world.kernels.socket()
    sock.connecting = sock.start("connect", HOST1, 40000)
    until(lambda: world.ours.traced("> SYN-RECEIVED "), "the kernel's SYN has arrived")
    return None, sock


def established(world, _):
    return pair(world.ours, world.kernels, 40000, 50000)


def fin_wait_1(world, lost):
    ours, kernels = established(world, lost)
    lose(lost, FROM1, FIN)
    ours.close()
    return ours, kernels


def fin_wait_2(world, lost):
    ours, kernels = established(world, lost)
    ours.close()
    kernels.fails("END", "recv", 1, 1)
    return ours, kernels


def close_wait(world, lost):
    ours, kernels = established(world, lost)
    kernels.ok("shutdown", "wr")
    return ours, kernels


def last_ack(world, lost):
    ours, kernels = close_wait(world, lost)
    ours.fails("END", "recv", 1, 1)
    lose(lost, FROM1, FIN)
    ours.close()
    return ours, kernels


def closing(world, lost):
    ours, kernels = fin_wait_1(world, lost)
    kernels.ok("shutdown", "wr")
    return ours, kernels


def time_wait(world, lost):
    """Our ACK of the kernel's FIN is lost, and the kernel will send the FIN again."""
    ours, kernels = fin_wait_2(world, lost)
    world.reaches(ours, "FIN-WAIT-2")
    lose(lost, FROM1)
    kernels.close()
    return ours, kernels


def test_killed_while_listening():
    killed_in("LISTEN", listening)


def test_killed_in_syn_sent():
    """The kernel sends its SYN-ACK again by itself."""
    killed_in("SYN-SENT", syn_sent, lambda _: None)
    check(not sockets("host2", "SYN-RECV"), "and forgets it")


def test_killed_in_syn_received():
    killed_in("SYN-RECEIVED", syn_received, lambda sock: sock.connecting.fails("ECONNREFUSED"))


def test_killed_in_established():
    def speaks(kernels):
        kernels.ok("send", 1, 1)
        kernels.fails("ECONNRESET", "recv", 1, 1)
    killed_in("ESTABLISHED", established, speaks)


def sends(kernels):
    kernels.ok("send", 1, 1)
    check(kernels.events(select.POLLIN, 10000) & select.POLLERR, "reset")


def test_killed_in_fin_wait_1():
    killed_in("FIN-WAIT-1", fin_wait_1, sends)


def test_killed_in_fin_wait_2():
    killed_in("FIN-WAIT-2", fin_wait_2, sends)


def test_killed_in_close_wait():
    """The kernel waits for a FIN that never comes, and has nothing to say that could be answered."""
    killed_in("CLOSE-WAIT", close_wait)


def test_killed_in_last_ack():
    killed_in("LAST-ACK", last_ack)


def test_killed_in_closing():
    killed_in("CLOSING", closing)


def test_killed_in_time_wait():
    """The kernel sends its FIN again by itself."""
    killed_in("TIME-WAIT", time_wait, lambda _: None)


run_all(globals(), families=True)
