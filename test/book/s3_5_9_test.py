"""3.5.9: our client connects to `nc -l`. The handshake is ours to the last packet, and the kernel,
which knows nothing of it, sends no RST: without the book's iptables rule and with all offloads on."""
from programs import HOST1, HOST2, check, echoclient, established, nc_listens, resets, run_all


def test_client_to_nc():
    rst = resets("host1", "host1-veth1")
    with nc_listens("host2", HOST2, 40000, "-N") as nc, \
            echoclient("host1", HOST2, 40000, "--trace") as client:
        established("host2", HOST1, HOST2)
        client.tells(" state SYN-SENT > ESTABLISHED ")
        client.tells(" event ConnectionCompleted")
        story = client.err.decode()
        places = [story.index(words) for words in
                  (" state CLOSED > SYN-SENT ", " SYN seq=", " SYN|ACK seq=", " ACK seq=")]
        check(places == sorted(places), f"the handshake in order: {story}")
        client.end_of_input()
        client.tells(" state ESTABLISHED > FIN-WAIT-1 ")
        nc.end_of_input()
        client.end()
        check(rst() == 0, "RST segments on the wire")


run_all(globals(), families=True)
