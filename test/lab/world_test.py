"""The lab is the book's world, in IPv4 and IPv6, and `up` and `down` may be repeated."""
import os

from lab import DEVICES, DIR, NODES, check, check_whole, in_node, inside, netns, ok, refused, verdict


def fingerprint():
    """What a lab made anew would not have the same: indexes and hardware addresses."""
    return [in_node(node, "cat", f"/sys/class/net/{dev}/{what}")
            for node in NODES for dev in DEVICES[node] for what in ("ifindex", "address")]


def check_kernel():
    """The kernel's own files say the same as status."""
    addresses = {"host1": "fd000000000000010000000000000001", "host2": "fd000000000000020000000000000001",
                 "router": "fd0000000000000100000000000000fe"}
    for node in NODES:
        table = in_node(node, "cat", "/proc/net/if_inet6").splitlines()
        check(any(line.startswith(addresses[node]) for line in table), f"{node}: {table}")
        for line in table:
            check(not int(line.split()[4], 16) & 0x40, f"{node}: tentative: {line}")
        forwards = in_node(node, "cat", "/proc/sys/net/ipv4/ip_forward",
                           "/proc/sys/net/ipv6/conf/all/forwarding").split()
        check(forwards == ["1" if node == "router" else "0"] * 2, f"{node}: forwarding {forwards}")
        for dev in DEVICES[node]:
            check(in_node(node, "cat", f"/sys/class/net/{dev}/ifalias") == "nstcp lab\n", dev)
            check(in_node(node, "cat", f"/proc/sys/net/ipv6/conf/{dev}/accept_ra") == "0\n", dev)


def test():
    check(os.environ["NSTCP_LAB"] == "private", "NSTCP_LAB")
    check(sorted(os.listdir(DIR)) == sorted(NODES), "names")
    check_whole()
    check_kernel()
    status = ok("status")
    for text in ("10.0.0.1/24", "10.0.0.254/24", "10.0.1.254/24", "10.0.1.1/24",
                 "fd00:0:0:1::1/64", "fd00:0:0:1::fe/64", "fd00:0:0:2::fe/64", "fd00:0:0:2::1/64",
                 "forwarding on", "default via 10.0.1.254", "rx", "dropped"):
        check(text in status, f"{text} is not in\n{status}")
    check(all(len(line) <= 80 for line in status.splitlines()), "wider than a terminal")
    status = ok("status", env={**os.environ, "LC_ALL": "C"})
    check(status.isascii(), "status is not ASCII where the locale is C")

    before = fingerprint()
    check(ok("up") == "" and ok() == "", "up says something")
    check(fingerprint() == before, "a whole lab was made anew")
    ok("down")
    check(os.listdir(DIR) == [] and verdict() == "The lab is down.", "something is left")
    ok("down")
    refused("exec", "host1", "true", says=["host1", "no lab here", "netns.sh run CMD"])
    ok("up")
    check_whole()

    check(netns("exec", "host1", "sh", "-c", "exit 9").returncode == 9, "exec's status")
    check(netns("exec", "host1", "/nonesuch").returncode == 127, "exec of nothing")
    refused("exec", "mars", "true", says=["mars", "host1, router and host2"], status=2)


inside(test)
