"""The gateway dies under a connection and another station takes its address over, without a word to
anybody (RFC 1122 3.3.1.4): TCP's advice at R1 (RFC 9293 3.8.3 (b)) has us look for it, long before
what we remember of it is old."""
import time

from programs import HOST2, PORT, V6, Program, check, echoclient, in_node, kernel_server, \
    run_all, sockets, until

NEW = "02:00:00:00:00:99"

# Only after so long, seconds, is a neighbour that was confirmed asked again by itself: CONFIRMED_NS
# in lib/link/neigh.c.
CONFIRMED = 30

QUESTIONS = "icmp6[0] == 135" if V6 else "arp[6:2] == 1"  # to tcpdump


def test_another_station():
    with kernel_server("host2", HOST2), echoclient("host1", HOST2, PORT, "--trace") as client:
        client.type("hello\n")
        client.says("hello\n")
        # Everything is acknowledged, or the router would speak for host2, and be heard.
        until(lambda: sockets("host2", "ESTAB", HOST2, f":{PORT}")[0][2] == "0", "all acknowledged")
        old = in_node("router", "cat", "/sys/class/net/router-veth1/address").strip()
        with Program("host1", "tcpdump", "--immediate-mode", "-lenni", "host1-veth1",
                     "-Q", "out", QUESTIONS) as dump:
            dump.tells("listening on")
            in_node("router", "ip", "link", "set", "dev", "router-veth1", "address", NEW)
            began = time.monotonic()
            client.type("are you there?\n")
            client.says("are you there?\n")
            took = time.monotonic() - began
            client.end()
            asked = [line.split(b"> ")[1][:17].decode() for line in dump.out.splitlines()]
        check(took < CONFIRMED / 3, f"after {took} s")
        # The old station directly, and when it doesn't answer everybody.
        check(old in asked and asked[-1] != old, f"asked {asked}, the old one is {old}")
        print(f"after {took:.1f} s, asked {asked}", flush=True)


def test_it_was_not_the_gateway():
    """It answers that it is still there: nothing changes, and nobody else is asked."""
    with kernel_server("host2", HOST2), echoclient("host1", HOST2, PORT, "--trace") as client:
        client.type("hello\n")
        client.says("hello\n")
        in_node("router", "nft", "add", "table", "inet", "mute")
        in_node("router", "nft", "add", "chain", "inet", "mute", "forward",
                "{ type filter hook forward priority 0; policy drop; }")
        with Program("host1", "tcpdump", "--immediate-mode", "-lenni", "host1-veth1",
                     "-Q", "out", QUESTIONS) as dump:
            dump.tells("listening on")
            client.type("are you there?\n")
            until(lambda: client.err.count(b" retransmit ") >= 4, f"{client} tries")
            in_node("router", "nft", "delete", "table", "inet", "mute")
            client.says("are you there?\n")
            client.end()
            router = in_node("router", "cat", "/sys/class/net/router-veth1/address").strip()
            asked = {line.split(b"> ")[1][:17].decode() for line in dump.out.splitlines()}
            check(asked == {router}, f"asked {asked}, the router is {router}")


run_all(globals(), families=True)
