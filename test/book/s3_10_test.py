"""3.10: a file is sent and arrives as it was. The book sends one from a client to a server of its
own and compares; here also to and from `nc`, and through a path that loses."""
import hashlib
import os
import tempfile

from programs import HOST1, HOST2, PORT, Program, check, fileclient, fileserver, in_node, \
    name, nc_listens, pattern, run_all

SIZE = 5 << 20


class Walk:
    """A file of 5 MiB that is to arrive as `copy`."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.file, self.copy = (os.path.join(self.folder.name, name) for name in ("file", "copy"))
        with open(self.file, "wb") as file:
            file.write(pattern(SIZE))
        return self

    def __exit__(self, *_):
        with open(self.copy, "rb") as copy:
            got = hashlib.sha256(copy.read()).hexdigest()
        check(got == hashlib.sha256(pattern(SIZE)).hexdigest(), "the file is the same")
        self.folder.cleanup()


def test_file_client_to_file_server():
    with Walk() as walk, fileserver("host2", HOST2, walk.copy) as server, \
            fileclient("host1", HOST2, walk.file) as client:
        check(client.end().startswith(f"sent {SIZE} octets in "), str(client))
        said = server.end().splitlines()
        check(said[0] == f"listening on {name(HOST2)}" and
              said[1].startswith(f"stored {SIZE} octets in "), str(server))


def test_with_nc():
    with Walk() as walk, open(walk.copy, "wb") as copy, \
            nc_listens("host2", HOST2, stdout=copy) as nc, \
            fileclient("host1", HOST2, walk.file) as client:
        client.end()
        nc.end()
    with Walk() as walk, open(walk.file, "rb") as file, \
            fileserver("host1", HOST1, walk.copy) as server, \
            Program("host2", "nc", "-N", HOST1, PORT, stdin=file) as nc:
        nc.end()
        server.end()


def test_lossy_path():
    """Every 20th packet is thrown away: the trace tells what was sent again."""
    in_node("router", "nft", "add", "table", "inet", "loss")
    in_node("router", "nft", "add", "chain", "inet", "loss", "forward",
            "{ type filter hook forward priority 0; }")
    in_node("router", "nft", "add", "rule", "inet", "loss", "forward",
            "numgen", "inc", "mod", "20", "==", "19", "drop")
    with Walk() as walk, fileserver("host2", HOST2, walk.copy) as server, \
            fileclient("host1", HOST2, walk.file, "--trace") as client:
        client.end()
        server.end()
        check(b" retransmit seq=" in client.err, "something was lost")


run_all(globals(), families=True)
