"""3.7.3: the lines typed at our client appear at `nc`.

In the notes this mirrors they did not. An earlier client had never closed its connection; `nc`
serves one connection at a time, was still serving that one, and the new one waited in its listen
queue, where the kernel acknowledges everything and nobody reads. The first test is that trap, the
last ones show that our client does not set it."""
from programs import HOST1, HOST2, INT, KILL, TERM, check, echoclient, established, nc_listens, \
    run_all, sockets, until


def one_at_a_time():
    """nc that takes one connection after the other (-k) and reads no input (-d)."""
    return nc_listens("host2", HOST2, 40000, "-k", "-d")


def test_lines_appear():
    with nc_listens("host2", HOST2) as nc, echoclient("host1", HOST2) as client:
        client.type("first line\n")
        nc.says("first line\n")
        client.type("second line\n")
        nc.says("first line\nsecond line\n")
        nc.type("answer\n")
        client.says("answer\n")


def test_a_connection_never_closed_holds_nc():
    with one_at_a_time() as nc:
        with echoclient("host1", HOST2) as earlier:
            earlier.type("earlier\n")
            nc.says("earlier\n")
            earlier.signal(KILL)  # no FIN, no RST
            earlier.end(status=-KILL)
        established("host2", HOST1, HOST2)  # so the kernel of host2 still believes
        with echoclient("host1", HOST2, 40000, "--trace") as client:
            client.type("later\n")
            client.tells(" event Acked")  # sent, received, acknowledged,
            until(lambda: [s for s in sockets("host2", "ESTAB") if s[1] == "6"], "it waits unread")
            check(b"later" not in nc.out, "nc reads a second connection beside the first")


def closes(end):
    with one_at_a_time() as nc:
        with echoclient("host1", HOST2) as earlier:
            earlier.type("earlier\n")
            nc.says("earlier\n")
            end(earlier)
        with echoclient("host1", HOST2) as client:
            client.type("later\n")
            nc.says("later\n")


def test_ours_closes_at_the_end_of_its_input():
    closes(lambda client: client.end())


def test_ours_closes_at_ctrl_c():
    def end(client):
        client.signal(INT)
        client.ends_by_itself()
        client.end(status=1)
    closes(end)


def test_ours_closes_at_sigterm():
    def end(client):
        client.signal(TERM)
        client.ends_by_itself()
        client.end(status=1)
    closes(end)


run_all(globals(), families=True)
