"""Text of all sizes, to and from the kernel's TCP, whole and unchanged."""
import subprocess

from programs import CLIENT, HOST1, HOST1_6, HOST2, HOST2_6, NETNS, PORT, TERM, check, echoserver, \
    echoclient, in_node, kernel_client, kernel_server, pattern, run_all

SIZES = (1, 2, 1447, 1448, 1449, 65535, 65536, 1 << 20, (3 << 20) + 17)


def echoes(addr, length, port=PORT):
    """Our client sends that much and prints the same."""
    data = pattern(length)
    done = subprocess.run([NETNS, "exec", "host1", CLIENT, addr, str(port)], input=data,
                          capture_output=True, timeout=120, check=False)
    check(done.returncode == 0, f"{length} to {addr}: {done.returncode} {done.stderr}")
    check(done.stdout == data, f"{length} to {addr}: {len(done.stdout)} octets, other ones")


def test_client():
    with kernel_server("host2", HOST2):
        for length in (0, *SIZES):
            echoes(HOST2, length)


def test_client_ipv6():
    with kernel_server("host2", HOST2_6):
        for length in (1, 65536, 1 << 20):
            echoes(HOST2_6, length)


def test_client_64_mib():
    with kernel_server("host2", HOST2):
        echoes(HOST2, 64 << 20)


def test_server():
    with echoserver("host1", HOST1):
        for length in (0, *SIZES):
            said = kernel_client("host2", HOST1, PORT, length)
            check(said == "same", f"{length}: {said}")
        for length in (1, 1448, 60000):
            said = kernel_client("host2", HOST1, PORT, length, "half-close-first")
            check(said == "same", f"{length}, half-closed first: {said}")


def test_server_both_families():
    with echoserver("host1", "::"):
        for addr in (HOST1, HOST1_6):
            for length in (1, 65536, 1 << 20):
                said = kernel_client("host2", addr, PORT, length)
                check(said == "same", f"{addr}, {length}: {said}")


def test_server_64_mib():
    with echoserver("host1", "0.0.0.0"):
        said = kernel_client("host2", HOST1, PORT, 64 << 20)
        check(said == "same", said)


def test_ours_to_ours():
    with echoserver("host2", HOST2):
        for length in (1, 65536, 1 << 20, 64 << 20):
            echoes(HOST2, length)


def loses(one_in):
    """The router throws every so-manieth packet away, of both directions together."""
    in_node("router", "nft", "add", "table", "inet", "loss")
    in_node("router", "nft", "add", "chain", "inet", "loss", "forward",
            "{ type filter hook forward priority 0; }")
    in_node("router", "nft", "add", "rule", "inet", "loss", "forward",
            "numgen", "inc", "mod", str(one_in), "==", "0", "drop")


def test_lossy_path():
    """To the kernel, from the kernel, and among us; and the trace says what was sent again."""
    loses(31)
    with kernel_server("host2", HOST2):
        echoes(HOST2, 1 << 20)
        with echoclient("host1", HOST2, PORT, "--trace") as client:
            client.process.stdin.write(pattern(1 << 20))
            client.end()
            client.tells(" retransmit seq=")
    with echoserver("host2", "0.0.0.0", 40001) as server:
        said = kernel_client("host1", HOST2, 40001, 1 << 20)
        check(said == "same", said)
        echoes(HOST2, 1 << 20, 40001)
        server.signal(TERM)
        server.end()


def test_busy_device():
    """A device slower than we are, with a short queue: we wait for it, nothing is lost on the way
    out, nothing has to be sent again."""
    in_node("host1", "tc", "qdisc", "replace", "dev", "host1-veth1", "root", "tbf", "rate",
            "500mbit", "burst", "70k", "limit", "100kb")
    with kernel_server("host2", HOST2), \
            echoclient("host1", HOST2, PORT, "--trace") as client:
        data = pattern(4 << 20)
        client.process.stdin.write(data)
        client.end()
        check(client.out == data, f"{len(client.out)} octets, other ones")
        check(b" retransmit seq=" not in client.err, "sent again")
    check("dropped 0," not in in_node("host1", "tc", "-s", "qdisc", "show", "dev", "host1-veth1"),
          "the queue was never full")


run_all(globals())
