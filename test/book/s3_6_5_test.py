"""3.6.5: `nc` connects to our server; then our client does."""
from programs import HOST1, HOST2, Program, check, echoclient, echoserver, established, resets, \
    run_all


def test_nc_to_server():
    rst = resets("host1", "host1-veth1")
    with echoserver("host1", HOST1, 40000, "--trace") as server, \
            Program("host2", "nc", HOST1, 40000):
        established("host2", HOST1, HOST2)
        server.tells(" state SYN-RECEIVED > ESTABLISHED ")
        server.tells(" event ConnectionCompleted")
        check(rst() == 0, "RST segments on the wire")


def test_ours_to_ours():
    rst = resets("host1", "host1-veth1")
    with echoserver("host1", HOST1, 40000, "--trace") as server, \
            echoclient("host2", HOST1, 40000, "--trace") as client:
        server.tells(" state SYN-RECEIVED > ESTABLISHED ")
        client.tells(" state SYN-SENT > ESTABLISHED ")
        client.end()
        check(rst() == 0, "RST segments on the wire")


run_all(globals(), families=True)
