"""What the tests of `impair` share: to say what is to be done, to ask what was, to work in a node."""
import re
import socket
import subprocess
import sys

from lab import NETNS, check, ok

A4, B4, B6 = "10.0.0.1", "10.0.1.1", "fd00:0:0:2::1"


def impair(*args):
    """What it says that it does."""
    return ok("impair", *args).strip()


def all_counters():
    """{"host1": {"packets": n, "lost": n, ...}, "host2": ..., "overflow": n} as `impair` has them."""
    text = ok("impair")
    found = {to: {name: int(n) for n, name in re.findall(r"(\d+) (\w+)", columns)}
             for to, columns in re.findall(r"^to (\w+): (.*)$", text, re.M)}
    found["overflow"] = int(re.search(r"^overflow: (\d+)$", text, re.M).group(1))
    return found


def balance(counted):
    """Those of what goes to host2: nothing has gone astray."""
    c = counted["host2"]
    check(c["packets"] + c["dup"] == c["out"] + c["lost"] + c["queue"] + c["mtu"], f"{counted}")
    check(c["waiting"] == 0 and counted["overflow"] == 0, f"{counted}")
    return c


def counters():
    """{"host1": (packets, lost), "host2": ..., "overflow": n}"""
    found = all_counters()
    for to in ("host1", "host2"):
        found[to] = (found[to]["packets"], found[to]["lost"])
    return found


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def background(node, here, *argv, **options):
    """This function of the script `here`, in a node; it says "ready" when it is."""
    process = subprocess.Popen([NETNS, "exec", node, sys.executable, here, *argv],
                               stdout=subprocess.PIPE, text=True, **options)
    check(process.stdout.readline() == "ready\n", f"{argv} did not start")
    return process
