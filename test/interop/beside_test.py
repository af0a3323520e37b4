"""Beside the kernel's TCP: whoever has nothing to do with us does not notice us, and nothing of us
is left behind."""
from programs import ANY, HOST1, HOST2, KILL, PORT, TERM, check, echoclient, echoserver, in_node, \
    kernel_client, kernel_server, name, netns, run_all, tables, until, SERVER, CLIENT, V6

SECOND = "fd00:0:0:1::2" if V6 else "10.0.0.2"  # of host1
ROUTER = (("fd00:0:0:1::fe", "host1"), ("fd00:0:0:2::fe", "host2")) if V6 else \
    (("10.0.0.254", "host1"), ("10.0.1.254", "host2"))


def test_refused():
    """By the kernel where no program of ours has the port."""
    with echoclient("host1", HOST2) as client:
        client.end(status=1)
        check(client.err.decode() == f"echoclient: connect to {name(HOST2)}: Connection refused; "
              "nobody listens there: start the server first\n", str(client))
    check(kernel_client("host2", HOST1) == "ConnectionRefusedError", "nothing of ours is there")


def test_refused_by_us():
    """A port of ours on which nobody listens is answered by us: the server ends, its socket is
    closed at once, and its last connection still has the port."""
    with echoserver("host1", HOST1) as server, echoclient("host2", HOST1) as client:
        client.type("hello\n")
        client.says("hello\n")
        server.signal(TERM)
        server.end()
        client.end(status=1)
    check(kernel_client("host2", HOST1) == "ConnectionRefusedError", "the kernel's again")


def test_own_address():
    """Not over lo yet, and it says so."""
    with echoserver("host1", HOST1), echoclient("host1", HOST1) as client:
        client.end(status=1)
        check(b"Cannot assign requested address" in client.err, str(client))


def test_other_ports_and_addresses():
    """The kernel's TCP on another port, and on the same port of a second address."""
    in_node("host1", "ip", "addr", "add", SECOND + ("/64" if V6 else "/24"), "dev", "host1-veth1",
            *(["nodad"] if V6 else []))
    with kernel_server("host1", HOST1, 40001), kernel_server("host1", SECOND), \
            echoserver("host1", HOST1):
        for addr, port in ((HOST1, 40001), (SECOND, PORT), (HOST1, PORT)):
            said = kernel_client("host2", addr, port, 1 << 20)
            check(said == "same", f"{addr}:{port}: {said}")
        said = kernel_client("host1", HOST1, 40001, 1 << 20)  # over lo
        check(said == "same", f"over lo: {said}")
        with kernel_server("host2", HOST2, 40002):
            said = kernel_client("host1", HOST2, 40002, 1 << 20)
            check(said == "same", f"out of our host: {said}")


def test_transit():
    """The router runs a server of ours and forwards others' traffic to the same port."""
    with echoserver("router", ANY) as server, kernel_server("host2", HOST2):
        for length in (1, 4 << 20):
            said = kernel_client("host1", HOST2, PORT, length)
            check(said == "same", f"through the router: {said}")
        for addr, node in ROUTER:
            said = kernel_client(node, addr, PORT, 1 << 20)
            check(said == "same", f"to the router at {addr}: {said}")
        with echoclient("host1", HOST2) as client:
            client.type("through\n")
            client.says("through\n")
            client.end()
        server.signal(TERM)
        server.end()


def test_two_programs_on_one_port():
    with echoserver("host1", HOST1):
        for addr in (HOST1, ANY, "::"):
            done = netns("exec", "host1", SERVER, addr, str(PORT))
            check(done.returncode == 1 and "Address already in use" in done.stderr, str(done))
        with echoserver("host1", HOST1, 40001):  # two programs on two ports
            for port in (PORT, 40001):
                check(kernel_client("host2", HOST1, port, 100000) == "same", f"port {port}")
    with kernel_server("host1", HOST1):
        done = netns("exec", "host1", SERVER, HOST1, str(PORT))
        check(done.returncode == 1 and "Address already in use" in done.stderr, str(done))


def test_kill_leaves_nothing():
    before = tables("host1")
    with echoserver("host1", HOST1) as server, echoclient("host1", HOST2) as client:
        client.ends_by_itself()  # refused
        check(tables("host1") != before, "there is a table to be left behind")
        check(kernel_client("host2", HOST1, PORT, 1000) == "same", "it works")
        server.signal(KILL)
        server.end(status=-KILL)
    until(lambda: tables("host1") == before, "the table is gone")
    with kernel_server("host1", HOST1):
        check(kernel_client("host2", HOST1, PORT, 1000) == "same", "the kernel has the port again")
    with echoserver("host1", HOST1):
        check(kernel_client("host2", HOST1, PORT, 1000) == "same", "and then we again")


def test_rights():
    """Without the rights it says what is missing."""
    for program in (CLIENT, SERVER):
        done = netns("exec", "host1", "setpriv", "--bounding-set=-all", "--inh-caps=-all", program,
                     HOST1, str(PORT))
        check(done.returncode == 1 and "Operation not permitted" in done.stderr and
              "run it as root, or inside ./setup/netns.sh run" in done.stderr, str(done))


run_all(globals(), families=True)
