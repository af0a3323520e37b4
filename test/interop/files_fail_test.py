"""fileserver and fileclient when something is in the way: whoever dies in the middle, a disk that is
full, names that are taken. No part of a file ever has the name of the whole, nothing else is left,
and both ends say that it failed."""
import glob
import os
import signal
import stat
import subprocess
import tempfile

from programs import FILE_SERVER, HOST1, HOST2, INT, KILL, NETNS, PORT, TERM, Program, check, \
    fileclient, fileserver, name, nc_listens, run_all, until


def in_folder(test):
    """The test gets a directory of its own, and the name of a file in it."""
    def run():
        with tempfile.TemporaryDirectory() as folder:
            test(folder, os.path.join(folder, "copy"))
    return run


def empty(folder, text):
    check(os.listdir(folder) == [], f"{text}: {os.listdir(folder)}")


def fails(program, *words):
    """Ends with status 1 and one line that has these words."""
    program.ends_by_itself()
    program.end(status=1)
    said = program.err.decode()
    check(said.count("\n") == 1 and all(word in said for word in words), f"{words}: {program}")


def some_arrives(folder, octets=100000):
    """Waits until the server has written that much, under another name."""
    def size():
        return sum(os.path.getsize(name) for name in
                   glob.glob(os.path.join(folder, ".fileserver.*")))
    until(lambda: size() >= octets, "the server writes")


@in_folder
def test_server_ended(folder, copy):
    """By a signal: nothing is left, and the client is told by a reset."""
    for number in (INT, TERM, signal.SIGHUP):
        with fileserver("host2", HOST2, copy) as server, \
                fileclient("host1", HOST2, "/dev/zero") as client:
            some_arrives(folder)
            server.signal(number)
            fails(server, "fileserver: interrupted")
            fails(client, f"fileclient: send to {name(HOST2)}: Connection reset by peer")
            empty(folder, "server ended")


@in_folder
def test_server_ended_after_all_was_sent(folder, copy):
    """The client has sent its FIN and waits for that of the server, which is stopped: not a FIN but
    a reset must end that wait."""
    with fileserver("host2", HOST2, copy) as server, fileclient("host1", HOST2, "-") as client:
        client.type("x")
        some_arrives(folder, 1)
        os.mkdir(copy)  # now its name is taken
        client.end_of_input()
        fails(server, f"fileserver: store {copy}: Is a directory")
        fails(client, f"fileclient: store at {name(HOST2)}: Connection reset by peer")
        os.rmdir(copy)
        empty(folder, "name taken")


@in_folder
def test_server_ended_while_it_waits(folder, copy):
    for number in (INT, TERM):
        with fileserver("host2", HOST2, copy) as server:
            server.signal(number)
            fails(server, "fileserver: interrupted")
            empty(folder, "nobody came")


@in_folder
def test_server_killed(folder, copy):
    """Nothing but the other name can be left."""
    with fileserver("host2", HOST2, copy) as server, \
            fileclient("host1", HOST2, "/dev/zero") as client:
        some_arrives(folder)
        server.signal(KILL)
        server.end(status=-KILL)
        fails(client, "fileclient: send to ", "Connection reset by peer")
        check(len(os.listdir(folder)) == 1 and not os.path.exists(copy), str(os.listdir(folder)))


@in_folder
def test_client_ended(folder, copy):
    """What it has sent is not all: it must not look as if it were. Also while it waits for more
    input."""
    for number in (INT, TERM):
        for file in ("/dev/zero", "-"):
            with fileserver("host2", HOST2, copy) as server, \
                    fileclient("host1", HOST2, file) as client:
                if file == "-":
                    client.process.stdin.write(bytes(100000))
                    client.process.stdin.flush()
                some_arrives(folder)
                client.signal(number)
                fails(client, "fileclient: interrupted")
                fails(server, f"fileserver: receive on {name(HOST2)}: Connection reset by peer")
                empty(folder, "client ended")


@in_folder
def test_client_killed(folder, copy):
    """What was under way may come back as a reset by the client's kernel. Where nothing was, only
    the time limit ends it."""
    with fileserver("host2", HOST2, copy, "--timeout", "2") as server, \
            fileclient("host1", HOST2, "/dev/zero") as client:
        some_arrives(folder)
        client.signal(KILL)
        client.end(status=-KILL)
        fails(server, f"fileserver: receive on {name(HOST2)}: ")
        empty(folder, "client killed")


@in_folder
def test_input_that_fails(folder, copy):
    """Reading it: an error in the middle is no end of the file."""
    with fileserver("host2", HOST2, copy) as server, \
            fileclient("host1", HOST2, "/proc/self/mem") as client:
        fails(client, "fileclient: read /proc/self/mem: Input/output error")
        fails(server, "Connection reset by peer")
        empty(folder, "input fails")
    for file, why in ((folder, "Is a directory"), (copy, "No such file or directory")):
        with fileclient("host1", HOST2, file) as client:
            fails(client, f"fileclient: read {file}: {why}")


@in_folder
def test_nc_killed(folder, copy):
    """With text that it has not read: its kernel sends a reset."""
    with open(copy, "wb") as out, nc_listens("host2", HOST2, stdout=out) as nc, \
            fileclient("host1", HOST2, "/dev/zero") as client:
        until(lambda: os.path.getsize(copy) > 0, "it arrives")
        nc.signal(signal.SIGSTOP)
        nc.signal(KILL)
        fails(client, "fileclient: send to ", "Connection reset by peer")


@in_folder
def test_timeouts(folder, copy):
    """A client that is silent, a server that does not read, and one that does not close."""
    with fileserver("host2", HOST2, copy, "--timeout", "1") as server, \
            fileclient("host1", HOST2, "-") as client:
        client.type("x")
        fails(server, f"fileserver: receive on {name(HOST2)}: timed out")
        client.type("x")
        fails(client, "Connection reset by peer")
        empty(folder, "silent client")
    for file, what in (("/dev/zero", "send to"), ("/dev/null", "store at")):
        with nc_listens("host2", HOST2) as nc:
            nc.signal(signal.SIGSTOP)
            with fileclient("host1", HOST2, file, "--timeout", "1") as client:
                fails(client, f"fileclient: {what} {name(HOST2)}: timed out")
            nc.signal(KILL)


@in_folder
def test_second_client(folder, copy):
    """It is refused; the first one is not disturbed."""
    with fileserver("host2", HOST2, copy) as server, fileclient("host1", HOST2, "-") as client:
        client.type("x")
        some_arrives(folder, 1)
        with fileclient("host1", HOST2, "/dev/null") as second:
            fails(second, f"fileclient: connect to {name(HOST2)}: Connection refused")
        client.end()
        server.end()
        with open(copy, encoding="ascii") as file:
            check(file.read() == "x", "the first one's")


@in_folder
def test_full_disk(folder, copy):
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "small", folder], check=True)
    try:
        full_disk(folder, copy)
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def full_disk(folder, copy):
    with fileserver("host2", HOST2, copy) as server, \
            fileclient("host1", HOST2, "/dev/zero") as client:
        fails(server, f"fileserver: write {copy}: No space left on device")
        fails(client, f"fileclient: send to {name(HOST2)}: Connection reset by peer")
        empty(folder, "disk full")
    limited = ["sh", "-c", 'ulimit -f 100; exec "$@"', "sh"]
    with Program("host2", *limited, FILE_SERVER, HOST2, PORT, copy) as server:
        server.says("listening on ")
        with fileclient("host1", HOST2, "/dev/zero") as client:
            fails(server, f"fileserver: write {copy}: File too large")
            fails(client, "Connection reset by peer")
        empty(folder, "limit of file size")


def refuses(copy, why):
    """Before anybody could connect, by a server that may not do all that root may."""
    done = subprocess.run(
        [NETNS, "exec", "host2", "setpriv", "--bounding-set", "-dac_override", "--inh-caps",
         "-dac_override", FILE_SERVER, HOST2, str(PORT), copy], capture_output=True, text=True,
        timeout=30, stdin=subprocess.DEVNULL, check=False)
    check(done.returncode == 1 and done.stdout == "" and
          done.stderr == f"fileserver: write {copy}: {why}\n", f"{copy}: {done}")


@in_folder
def test_names_that_are_refused(folder, copy):
    os.mkdir(copy, 0o555)
    refuses(copy, "Is a directory")
    refuses(copy + "/", "Is a directory")
    refuses(copy + "/x", "Permission denied")
    refuses(copy + "/x/y", "No such file or directory")
    refuses(copy + "2/", "Is a directory")
    refuses("", "No such file or directory")
    refuses("/dev/null", "Invalid argument")
    refuses(os.path.join(folder, "n" * 256), "File name too long")
    os.rmdir(copy)
    with open(copy, "wb"):
        os.chmod(copy, 0o444)
    refuses(copy, "Permission denied")
    os.unlink(copy)
    os.symlink("nowhere", copy)
    refuses(copy, "No such file or directory")
    os.unlink(copy)
    empty(folder, "refused")


def stores(file, umask=0o022):
    with Program("host2", "sh", "-c", f'umask {umask:o}; exec "$@"', "sh", FILE_SERVER, HOST2,
                 PORT, file, cwd=os.path.dirname(file)) as server:
        server.says("listening on ")
        with fileclient("host1", HOST2, "-") as client:
            client.type("new")
            client.end()
        server.end()


@in_folder
def test_names_that_exist(folder, copy):
    """A file is replaced, not written over; a link goes on leading to it. The bits of the new one
    are those the umask leaves."""
    for umask, mode in ((0o022, 0o644), (0o077, 0o600), (0, 0o666)):
        with open(copy, "w+", encoding="ascii") as old:
            old.write("old")
            old.seek(0)
            stores(copy, umask)
            check(old.read() == "old", "who has the old one open reads it to its end")
        check(stat.S_IMODE(os.stat(copy).st_mode) == mode, oct(os.stat(copy).st_mode))
    link = os.path.join(folder, "link")
    os.symlink("copy", link)
    with open(copy, "w", encoding="ascii") as old:
        old.write("old")
    stores(link)
    check(os.readlink(link) == "copy", "still a link")
    with open(copy, encoding="ascii") as new:
        check(new.read() == "new", "where it leads")
    check(sorted(os.listdir(folder)) == ["copy", "link"], str(os.listdir(folder)))


run_all(globals(), families=True)
