"""echoclient and echoserver as programs: many clients, clients that do not read, ends of all kinds,
messages, exit status."""
import itertools
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

from programs import CLIENT, HOST1, HOST2, INT, NETNS, PATIENCE, PORT, SERVER, TERM, Program, \
    check, echoclient, echoserver, family, in_node, kernel_client, kernel_server, name, nc_listens, \
    run_all, until

SANITIZE = os.environ.get("SANITIZE", "")


def clients(addr, port, count):
    """Run in a node: that many connections at once, each of which sends and gets back a line."""
    count = int(count)
    socks = [socket.create_connection((addr, int(port)), timeout=PATIENCE) for _ in range(count)]
    for i, sock in enumerate(socks):
        sock.sendall(b"%d\n" % i)
    for i, sock in enumerate(socks):
        check(sock.recv(100) == b"%d\n" % i, "the same")
    print("all", flush=True)
    sys.stdin.read()
    for sock in socks:
        check(sock.recv(100) == b"", "closed in order by the server")
    print("closed", flush=True)


def test_many_clients():
    """Any number at once; at SIGTERM all are closed, with FIN and not with RST."""
    with echoserver("host1", HOST1) as server, \
            Program("host2", sys.executable, __file__, "clients", HOST1, PORT, 500) as many:
        many.says("all\n")
        server.signal(TERM)
        server.end()
        check(many.end() == "all\nclosed\n", str(many))


def hoard(addr, port):
    """Run in a node: sends until nothing more is taken, and reads nothing."""
    sock = socket.create_connection((addr, int(port)), timeout=1)
    try:
        while True:
            sock.send(bytes(65536))
    except TimeoutError:
        print("full", flush=True)
    sys.stdin.read()


def test_client_that_does_not_read():
    with echoserver("host1", HOST1), \
            Program("host2", sys.executable, __file__, "hoard", HOST1, PORT) as hoarder:
        hoarder.says("full")
        check(kernel_client("host2", HOST1, PORT, 1 << 20) == "same", "the others go on")


def test_ends():
    """SIGINT as well; an idle connection does not keep the server, nor does a second signal."""
    for number in (INT, TERM):
        with echoserver("host1", HOST1) as server, echoclient("host2", HOST1) as client:
            client.type("x")
            client.says("x")
            server.signal(number)
            server.end()
            check(client.end(status=1) == "x", "the client prints what came")
            check(b"closed the connection before the end" in client.err, str(client))


def test_reset():
    """The peer's RST: said, and status 1."""
    code = ("import socket,struct; l=socket.create_server(('%s',%d),family=%d); "
            "print('listening on',flush=True); s=l.accept()[0]; s.recv(9); "
            "s.setsockopt(1,13,struct.pack('ii',1,0)); s.close(); input()" %
            (HOST2, PORT, family(HOST2)))
    with Program("host2", sys.executable, "-c", code) as server:
        server.says("listening on")
        with echoclient("host1", HOST2) as client:
            client.type("x")
            client.ends_by_itself()
            client.end(status=1)
            check(b"Connection reset by peer" in client.err, str(client))


def test_output_that_fails():
    """A full disk and a closed pipe: a message, and the connection is closed in order."""
    with kernel_server("host2", HOST2):
        with open("/dev/full", "wb") as full, echoclient("host1", HOST2, stdout=full) as client:
            client.type("x")
            client.ends_by_itself()
            client.end(status=1)
            check(b"No space left on device" in client.err, str(client))
        out, into = os.pipe()
        os.close(out)
        with echoclient("host1", HOST2, stdout=into) as client:
            os.close(into)
            client.type("x")
            client.ends_by_itself()
            client.end(status=1)
            check(b"Broken pipe" in client.err, str(client))


def closed(redirections, node, program, *args):
    """A run of the program with descriptors closed by the shell; they belong to nobody."""
    return subprocess.run([NETNS, "exec", node, "sh", "-c", f'exec "$@" {redirections}', "sh",
                           program, *args], input="x", capture_output=True, text=True, timeout=30,
                          check=False)


def test_closed_descriptors(trace="/tmp/trace"):
    """Without standard input or output: said, and no socket of the stack takes their place."""
    with kernel_server("host2", HOST2):
        for redirections, what in (("<&-", "read standard input: Bad file descriptor"),
                                   (">&-", "write standard output: Bad file descriptor"),
                                   ("<&- >&-", "Bad file descriptor")):
            done = closed(redirections, "host1", CLIENT, f"--trace={trace}", HOST2, str(PORT))
            check(done.returncode == 1 and what in done.stderr, f"{redirections}: {done}")
            check(os.path.getsize(trace) > 0, f"{redirections}: no trace")
            os.unlink(trace)
        done = closed("2>&-", "host1", CLIENT, HOST2, str(PORT))
        check(done.returncode == 0 and done.stdout == "x", str(done))


def test_output_that_does_not_wait():
    """A pipe that somebody has made non-blocking: its reader is waited for."""
    out, into = os.pipe()
    os.set_blocking(into, False)
    length = 1 << 20
    with kernel_server("host2", HOST2), echoclient("host1", HOST2, stdout=into) as client:
        os.close(into)
        typist = threading.Thread(target=client.type, args=("x" * length,))
        typist.start()
        time.sleep(0.3)  # until the pipe is full; too short a time only tests less
        back = 0
        while back < length and (data := os.read(out, 65536)):
            back += len(data)
        check(back == length, f"{back} octets; {client}")
        typist.join()
        client.end()
    os.close(out)


def test_usage():
    for program in (CLIENT, SERVER):
        done = subprocess.run([program, "--help"], capture_output=True, text=True, check=False)
        check(done.returncode == 0 and done.stdout.startswith("usage: "), str(done))
        for args in ([], [HOST1], [HOST1, "0"], [HOST1, "65536"], [HOST1, "7x"], ["host1", "7"],
                     [HOST1, "7", "8"], ["--bad", HOST1, "7"], [HOST1 + ".", "7"],
                     ["--timeout", "0", HOST1, "7"], ["--timeout=-1", HOST1, "7"],
                     ["--timeout", "1s", HOST1, "7"], ["--timeout", "nan", HOST1, "7"],
                     ["--timeout=", HOST1, "7"], [HOST1, "7", "--timeout"],
                     ["--timeouts", "1", HOST1, "7"]):
            done = subprocess.run([program, *args], capture_output=True, text=True, check=False)
            check(done.returncode == 2 and done.stderr.count("\n") == 1 and not done.stdout,
                  f"{args}: {done}")
            for word, says in (("--bad", "no such option: --bad;"), ("8", "too many: 8;")):
                check(word not in args or says in done.stderr, f"{args}: {done}")
        done = subprocess.run([program, "--trace=/nowhere/x", HOST1, "7"], capture_output=True,
                              text=True, check=False)
        check(done.returncode == 1 and "/nowhere/x: No such file" in done.stderr, str(done))
    done = subprocess.run([CLIENT, "--freebind", HOST1, "7"], capture_output=True, text=True, check=False)
    check(done.returncode == 2 and "no such option: --freebind;" in done.stderr, str(done))


def test_trace_file():
    with tempfile.NamedTemporaryFile() as trace, kernel_server("host2", HOST2), \
            echoclient("host1", HOST2, PORT, f"--trace={trace.name}") as client:
        client.type("x\n")
        check(client.end() == "x\n" and not client.err, str(client))
        check(b"SYN-SENT > ESTABLISHED" in trace.read(), "the trace")


def drops(node, what):
    """From now on the node throws away what it forwards, if it matches."""
    in_node(node, "nft", "add", "table", "inet", "drops")
    in_node(node, "nft", "add", "chain", "inet", "drops", "forward",
            "{ type filter hook forward priority 0; }")
    in_node(node, "nft", "add", "rule", "inet", "drops", "forward", *what, "drop")


def ends_after(client, since, seconds, text):
    """It says that and ends with status 1, so long after `since`; up to 8 s later on a busy
    machine."""
    client.ends_by_itself()
    took = time.monotonic() - since
    client.end(status=1)
    said = [line for line in client.err.decode().splitlines() if not line.startswith("[")]
    check(len(said) == 1 and said[0].startswith(text), str(client))
    check(seconds - 0.1 < took < seconds + 8, f"{took} s; {client}")


def test_timeout_of_connect():
    drops("router", ())
    since = time.monotonic()
    with echoclient("host1", HOST2, PORT, "--timeout", "1.5", "--trace") as client:
        ends_after(client, since, 1.5, f"echoclient: connect to {name(HOST2)}: timed out; ")
        check(client.err.count(b" retransmit seq=") == 1, str(client))


def test_timeout_of_what_is_not_acknowledged():
    """All is lost after the first exchange. The silence before that is no reason to give up, and
    what happens to the reset at the end is none to wait."""
    with kernel_server("host2", HOST2), \
            echoclient("host1", HOST2, PORT, "--timeout=1", "--trace") as client:
        client.type("x")
        client.says("x")
        try:
            client.process.wait(2.5)
            check(False, f"it gave up while nothing was to be done: {client}")
        except subprocess.TimeoutExpired:
            pass
        drops("router", ())
        since = time.monotonic()
        client.type("y")
        ends_after(client, since, 1, f"echoclient: receive from {name(HOST2)}: timed out; ")
        check(client.err.count(b" retransmit seq=") >= 2, str(client))


def test_timeout_of_a_server_that_does_not_read():
    """It acknowledges all that fits, and every probe of its window. What has been given up is not
    waited for at the end."""
    with nc_listens("host2", HOST2) as nc, \
            echoclient("host1", HOST2, PORT, "--timeout", "1", "--trace") as client:
        nc.signal(signal.SIGSTOP)
        typist = threading.Thread(target=endless, args=(client,), daemon=True)
        typist.start()
        client.ends_by_itself()
        typist.join()
        client.end(status=1)
        said = [line for line in client.err.decode().splitlines() if not line.startswith("[")]
        check(len(said) == 1 and
              said[0].startswith(f"echoclient: send to {name(HOST2)}: timed out; "), str(client))
        check(b"(user timeout)" not in client.err, f"it waited once more: {client}")
        nc.signal(signal.SIGCONT)


def endless(client):
    try:
        while True:
            client.process.stdin.write(bytes(1 << 20))
    except BrokenPipeError:
        pass


def test_timeout_of_a_server_that_does_not_close():
    with nc_listens("host2", HOST2) as nc, \
            echoclient("host1", HOST2, PORT, "--timeout", "0.5") as client:
        nc.signal(signal.SIGSTOP)
        client.type("x")
        client.end_of_input()
        ends_after(client, time.monotonic(), 0.5,
                   f"echoclient: receive from {name(HOST2)}: timed out; ")


def test_timeout_of_the_server():
    """It closes the connection of a silent client, in order, and goes on."""
    with echoserver("host1", HOST1, PORT, "--timeout", "1") as server:
        with echoclient("host2", HOST1) as silent:
            silent.type("x")
            silent.says("x")
            silent.ends_by_itself()
            check(b"closed the connection before the end" in silent.err, str(silent))
        check(kernel_client("host2", HOST1) == "same", str(server))


def threads(pid):
    """A program's threads; without those of the thread sanitizer, one of which never rests."""
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/comm", encoding="ascii") as file:
            if task == str(pid) or file.read() == "nstcp\n" or "thread" not in SANITIZE:
                yield "-p", task


def calls(pids, seconds):
    """The system calls that these programs' threads return from in that time, by strace."""
    tasks = [list(threads(pid)) for pid in pids]
    check(all(len(task) > 1 for task in tasks), f"no receive thread: {tasks}")
    with tempfile.NamedTemporaryFile("r") as log:
        tracer = subprocess.Popen(["strace", "-o", log.name, *itertools.chain(*sum(tasks, []))],
                                  stderr=subprocess.PIPE)
        for _ in sum(tasks, []):
            said = tracer.stderr.readline()
            check(b"attached" in said, f"strace says {said}")
        try:
            tracer.wait(seconds)
        except subprocess.TimeoutExpired:
            tracer.terminate()
        tracer.wait()
        tracer.stderr.close()
        return [line for line in log if " = " in line and "restart_syscall" not in line]


def lasting_neighbours():
    """The router knows host1 and host2 for ever; else it would ask again 5 s after the first use."""
    for node, device, addr in (("host1", "router-veth1", HOST1), ("host2", "router-veth2", HOST2)):
        mac = in_node(node, "cat", f"/sys/class/net/{node}-veth1/address").strip()
        in_node("router", "ip", "neigh", "replace", addr, "lladdr", mac, "dev", device, "nud",
                "permanent")


def test_idle():
    """An idle connected pair does not wake up: 10 s in which no thread of a server, which listens as
    well, or of two clients that have sent something returns from a system call. The only wait here
    that can't end early."""
    lasting_neighbours()
    with kernel_server("host2", HOST2), echoserver("host1", HOST1) as server, \
            echoclient("host2", HOST1) as client, echoclient("host1", HOST2) as other:
        for program in (client, other):
            program.type("x")
            program.says("x")
        pids = [program.process.pid for program in (server, client, other)]
        until(lambda: not calls(pids, 0.5), "the last acknowledgement has gone")
        for _ in range(3):  # a new device's kernel may still have something to say to everybody
            if not (seen := calls(pids, 10)):
                break
        check(not seen, "they wake up:\n" + "".join(seen))
        for program in (client, other):
            program.type("y")
            program.says("xy")


if sys.argv[1:2] in (["clients"], ["hoard"]):
    globals()[sys.argv[1]](*sys.argv[2:])
else:
    run_all(globals(), families=True)
