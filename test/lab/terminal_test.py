"""`run` and `shell` at a terminal: ^C, ^Z and a shell's job control work as without a lab."""
import os
import pty
import select
import signal
import sys
import time

from lab import NETNS, check


class Terminal:
    """A shell at a new pseudo-terminal: the one a person starts netns.sh from."""

    def __init__(self):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(PS1="outer> ", SHELL="/bin/sh", TERM="dumb")
            os.execv("/bin/sh", ["sh", "-i"])
        self.seen = ""

    def expect(self, text, seconds=10):
        end = time.monotonic() + seconds
        while text not in self.seen:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                check(False, f"{text!r} did not come; so far: {self.seen!r}")
            self.seen += os.read(self.fd, 4096).decode()
        self.seen = self.seen.split(text, 1)[1]

    def type(self, text):
        os.write(self.fd, text.encode())

    def run(self, line, answer):
        """Types a line whose output, unlike its echo, contains the answer."""
        self.type(line + "\n")
        self.expect(answer)


def foreground(terminal, name):
    """Waits until a process of that name has the terminal: only then is a ^C for it."""
    for _ in range(500):
        group = os.tcgetpgrp(terminal.fd)
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                    left, _, right = file.read().rpartition(")")
            except OSError:
                continue
            if left.split("(", 1)[1] == name and int(right.split()[2]) == group:
                return
        time.sleep(0.01)
    check(False, f"{name} does not have the terminal")


def test_run(terminal):
    terminal.type(f"{NETNS} run sleep 100\n")
    foreground(terminal, "sleep")
    terminal.type("\x03")
    terminal.run("echo status $((0 + $?))", "status 130")

    terminal.type(f"{NETNS} run sh -c 'trap \"echo caught $((1 + 1))\" INT; sleep 100; echo $((3 * 3))9'\n")
    foreground(terminal, "sleep")
    terminal.type("\x03")
    terminal.expect("caught 2")
    terminal.expect("99")  # it went on after its own handler: nobody else ended it
    terminal.run("echo status $((0 + $?))", "status 0")

    terminal.type(f"{NETNS} run sleep 2.5\n")
    foreground(terminal, "sleep")
    terminal.type("\x1a")
    terminal.expect("Stopped")
    terminal.run("jobs; echo $((40 + 2))", "42")
    terminal.type("fg\n")
    foreground(terminal, "sleep")
    terminal.run("echo status $((0 + $?))", "status 0")


def test_shell(terminal):
    terminal.type(f"PS1='inner> ' {NETNS} shell\n")
    terminal.expect("inner> ")
    terminal.run("echo lab $((0 + 1)) $NSTCP_LAB", "lab 1 private")
    terminal.type("sleep 100\n")
    foreground(terminal, "sleep")
    terminal.type("\x03")
    terminal.run("echo status $((0 + $?))", "status 130")
    terminal.type("sleep 100\n")
    foreground(terminal, "sleep")
    terminal.type("\x1a")
    terminal.expect("Stopped")
    terminal.type("fg\n")
    foreground(terminal, "sleep")
    terminal.type("\x03")
    terminal.run("exit 5", "outer> ")
    terminal.run("echo status $((0 + $?))", "status 5")
    # A script has no job control to take the terminal back with, and can read from it again.
    terminal.type(f"sh -c '{NETNS} shell; read answer; echo got $answer'\n")
    terminal.expect("private lab")
    terminal.run("", "> ")
    terminal.type("exit\nthis\n")
    terminal.expect("got this")


def test_hangup(terminal):
    terminal.type(f"{NETNS} shell\n")
    terminal.expect("private lab")
    terminal.type("sleep 100\n")
    foreground(terminal, "sleep")
    os.close(terminal.fd)
    for _ in range(500):
        if os.waitpid(terminal.pid, os.WNOHANG)[0]:
            return
        time.sleep(0.01)
    os.kill(terminal.pid, signal.SIGKILL)
    check(False, "it lives on without its terminal")


one = Terminal()
one.expect("outer> ")
for test in (test_run, test_shell, test_hangup):
    test(one)
sys.exit(0)
