"""`up` mends any half-built lab, `down` removes it; what is not ours is never touched."""
import fcntl
import os
import signal
import socket
import stat
import struct
import subprocess
import time

from lab import (DIR, MS_BIND, NETNS, NODES, addr4_set, call, check, check_whole, damage, in_node,
                 inside, ioctl, libc, link_delete, name_foreign_namespace, netns, ok, refused, talks,
                 unmount, verdict, veth_add)


def stale_name():
    unmount("host1")


def no_name():
    unmount("router")
    os.unlink(f"{DIR}/router")


def bare_namespace():
    damage("host2", "link_delete", "host2-veth1")
    damage("host2", "link_down", "lo")


def one_end_renamed():
    damage("router", "link_down", "router-veth1")
    damage("router", "link_rename", "router-veth1", "elsewhere")


def strangers():
    """Devices of the right names and the right indexes, whose other ends are somewhere else."""
    for node, dev, index, other in (("host1", "host1-veth1", 7, 9), ("router", "router-veth1", 9, 7)):
        if f"{dev}\n" in in_node(node, "ls", "/sys/class/net"):
            damage(node, "link_delete", dev)
        damage(node, "veth_add", dev, str(index), f"stray-{node}", str(other), str(os.getpid()))


# Each leaves a lab that is neither up nor down.
DAMAGES = {
    "a name without its namespace": stale_name,
    "a name gone": no_name,
    "a namespace without devices": bare_namespace,
    "a pair deleted": lambda: damage("router", "link_delete", "router-veth1"),
    "one end under another name": one_end_renamed,
    "ends that are not each other's": strangers,
    "a device down": lambda: damage("host1", "link_down", "host1-veth1"),
    "another device down": lambda: damage("router", "link_down", "router-veth2"),
    "an IPv4 address gone": lambda: damage("router", "addr4_set", "router-veth2", "0.0.0.0"),
    "an IPv6 address gone": lambda: damage("host2", "addr6_delete", "host2-veth1", "fd00:0:0:2::1"),
    "IPv4 forwarding off": lambda: damage("router", "sysctl_write", "ipv4/ip_forward", "0"),
    "IPv6 forwarding off": lambda: damage("router", "sysctl_write", "ipv6/conf/all/forwarding",
                                          "0"),
    "IPv6 off": lambda: damage("host1", "sysctl_write", "ipv6/conf/all/disable_ipv6", "1"),
    "a host that forwards": lambda: damage("host1", "sysctl_write", "ipv4/ip_forward", "1"),
}


def test_damages():
    for name, do in DAMAGES.items():
        do()
        check(verdict().startswith("The lab is half built"), f"{name}: status says {verdict()}")
        ok("up")
        check(verdict() == "The lab is up.", f"{name}: not mended:\n{ok('status')}")
        check_whole()
    for name, do in DAMAGES.items():
        do()
        ok("down")
        check(os.listdir(DIR) == [], f"{name}: down left {os.listdir(DIR)}")
        ok("up")


def test_foreign():
    """Whatever has one of our names and not our mark."""
    path = f"{DIR}/host2"

    def refuse():
        before = os.lstat(path)
        refused("up", says=["host2 exists and is not ours"])
        refused("down", says=["host2 exists and is not ours"])
        after = os.lstat(path)
        check((before.st_ino, before.st_dev, before.st_mode) ==
              (after.st_ino, after.st_dev, after.st_mode), "it was touched")
        check(os.listdir(DIR) == ["host2"], f"up left {os.listdir(DIR)}")
        check("exists and is not ours" in ok("status"), "status does not say so")
        refused("exec", "host2", "true", says=["exists and is not ours"])

    ok("down")
    for kind in ("net", "uts"):
        name_foreign_namespace("host2", kind)
        refuse()
        unmount("host2")
        os.unlink(path)
    with open(path, "w", encoding="ascii") as file:
        file.write("somebody's")
    refuse()
    os.unlink(path)
    os.mkdir(path)
    refuse()
    check(stat.S_ISDIR(os.stat(path).st_mode), "the directory is gone")
    os.rmdir(path)
    os.symlink("/dev/null", path)
    refuse()
    os.unlink(path)

    # In the middle of a lab of ours: down takes ours away and leaves the other.
    ok("up")
    unmount("host2")
    os.unlink(path)
    name_foreign_namespace("host2")
    refused("up", says=["host2 exists and is not ours"])
    check(set(os.listdir(DIR)) == set(NODES), "up took something away")
    refused("down", says=["host2 exists and is not ours"])
    check(os.listdir(DIR) == ["host2"], "down left something of ours")
    unmount("host2")
    os.unlink(path)
    ok("up")


def test_names_outside():
    """A device and an address of our names where `up` was called are nobody's business either."""
    veth_add("host1-veth1", 77, "router-veth1", 78, os.getpid())
    addr4_set("host1-veth1", "10.0.0.1")
    for command in ("down", "up", "up"):
        ok(command)
        address = ioctl(0x8915, struct.pack("16s24x", b"host1-veth1"))[20:24]  # SIOCGIFADDR
        check(socket.inet_ntoa(address) == "10.0.0.1", f"{command}: the address")
        check(socket.if_nametoindex("host1-veth1") == 77, f"{command}: the device")
        check(socket.if_nametoindex("router-veth1") == 78, f"{command}: its other end")
    check_whole()
    link_delete("host1-veth1")


def test_second_default():
    """A default route that the kernel does not follow is nobody's business."""
    damage("host1", "route_default", "10.0.0.77", "100")
    check(verdict() == "The lab is up.", ok("status"))


def test_mounted_twice():
    """A name that several namespaces are mounted on goes at once."""
    path = f"{DIR}/host1".encode()
    call(libc.mount(path, path, b"none", MS_BIND, None))
    ok("down")
    check(os.listdir(DIR) == [], f"down left {os.listdir(DIR)}")
    ok("up")


def test_waiting():
    """Who waits for another `up` or `down` can be told to stop."""
    lock = os.open(DIR, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    with subprocess.Popen([NETNS, "up"]) as waiting:
        time.sleep(0.2)
        waiting.terminate()
        time.sleep(0.5)
        stopped = waiting.poll()
        os.close(lock)
    check(stopped == -signal.SIGTERM, f"{stopped}")


def test_undo():
    """A step that fails says so in the kernel's words, and what was made before it is gone."""
    damage("router", "link_delete", "router-veth1")
    damage("host1", "route_reject", "10.0.0.254")
    refused("up", says=["default route via 10.0.0.254: host1: Nexthop has invalid gateway"])
    check("host1-veth1" not in in_node("host1", "ls", "/sys/class/net").split(), "pair not undone")
    check(set(os.listdir(DIR)) == set(NODES), "what was there before is gone")
    damage("host1", "route_reject", "10.0.0.254", str(0x890C))
    ok("up")

    # No third namespace: the two made before it go.
    if os.environ.get("NSTCP_LAB_ROOTLESS"):
        ok("down")
        limit = "/proc/sys/user/max_net_namespaces"
        with open(limit, "r+", encoding="ascii") as file:
            old = file.read()
            file.seek(0)
            file.write("3")
        refused("up", says=["new network namespace", "No space left on device"])
        check(os.listdir(DIR) == [], f"left: {os.listdir(DIR)}")
        with open(limit, "w", encoding="ascii") as file:
            file.write(old)
        ok("up")


def test_without_ipv6():
    """A kernel without IPv6, as far as the program can see."""
    ok("down")
    call(libc.mount(b"none", b"/proc/sys/net/ipv6", b"tmpfs", 0, None))
    done = netns("up")
    check(done.returncode == 0, done.stderr)
    check(done.stderr.startswith("netns: ") and done.stderr.count("\n") == 1 and
          "IPv6" in done.stderr, f"what it says: {done.stderr!r}")
    check("fd00" not in ok("status") and verdict() == "The lab is up.", ok("status"))
    check(talks("host2", "host1", "10.0.1.1", socket.AF_INET), "IPv4 alone does not work")
    call(libc.umount2(b"/proc/sys/net/ipv6", 0))
    check(verdict().startswith("The lab is half built"), "the missing IPv6 is not seen")
    ok("up")


def test():
    test_damages()
    test_foreign()
    test_names_outside()
    test_second_default()
    test_mounted_twice()
    test_waiting()
    test_undo()
    test_without_ipv6()
    check_whole()


inside(test)
