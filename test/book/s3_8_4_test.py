"""3.8.4: echo. What is typed at our client comes back from our server, line by line, and the trace
of both shows what the book's does."""
from programs import HOST1, HOST2, PORT, TERM, check, echoclient, echoserver, name, run_all


def test_lines_come_back():
    with echoserver("host1", HOST1) as server:
        with echoclient("host2", HOST1) as client:
            for line in ("hello\n", "how are you?\n", "bye\n"):
                client.type(line)
                client.says(line)
            check(client.end() == "hello\nhow are you?\nbye\n", "nothing else is printed")
        server.signal(TERM)
        check(server.end() == f"listening on {name(HOST1)}\n", "the server ends in order")


def test_the_other_way():
    with echoserver("host2", HOST2), echoclient("host1", HOST2) as client:
        client.type("hello\n")
        client.says("hello\n")


def test_trace():
    with echoserver("host1", HOST1, PORT, "--trace") as server:
        with echoclient("host2", HOST1, PORT, "--trace") as client:
            client.type("hello\n")
            client.says("hello\n")
            client.end()
            for words in (" SYN seq=", " SYN|ACK seq=", " payload_len=6", " FIN|ACK seq=",
                          " event ConnectionCompleted", " event Acked", " event DataArrived",
                          " state SYN-SENT > ESTABLISHED ", " state ESTABLISHED > FIN-WAIT-1 ",
                          " event ConnectionClosed"):
                client.tells(words)
        server.signal(TERM)
        server.end()
        for words in (" state LISTEN > SYN-RECEIVED ", " state SYN-RECEIVED > ESTABLISHED ",
                      " event DataArrived", " state ESTABLISHED > CLOSE-WAIT ",
                      " state CLOSE-WAIT > LAST-ACK ", " state LAST-ACK > CLOSED "):
            server.tells(words)
        for line in server.err.decode().splitlines():
            check(".c:" in line, f"no place in the source: {line}")


run_all(globals(), families=True)
