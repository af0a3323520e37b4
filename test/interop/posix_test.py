"""The socket calls as the kernel's TCP has them: posix runs every scenario over the kernel's calls
and over ours, and what it prints has to be the same, but for what DEVIATIONS says and why.

The other end is the kernel's TCP or ours; and with ours there the kernel's own lines must not
change either. With arguments, US THEM SCENARIOS, prints those lines."""
import os
import re
import subprocess
import sys

from lab import NETNS, check

POSIX = os.environ["POSIX"]

# Where the kernel's line begins with a match of the first, ours has the third in place of the
# second. Each must be needed.
DEVIATIONS = (
    (r"(new|bound|listening|listener shut down|refused while waiting|dissolved): send(msg)?\b",
     r"= EPIPE", "= ENOTCONN",
     "POSIX send(): ENOTCONN for a socket that is not connected; EPIPE when it no longer is"),
    (r".*: connect AF_UNSPEC|connecting: shutdown (RD|WR|RDWR)",
     r"after: OUT\|WRNORM\|ERR\|HUP; error left: \w+", "after: OUT|WRNORM|HUP; error left: 0",
     "whoever dissolves a connection knows of it: there is no error to be told"),
    (r"(new|bound|listener shut down|refused while waiting|dissolved): shutdown (RD|RDWR) ",
     r"after: IN\|RDNORM\|OUT\|WRNORM\|RDHUP\|HUP", "after: OUT|WRNORM|HUP",
     "a call that fails (ENOTCONN) changes nothing"),
    (r"(reset.*|refused(, told)?|peer closed, shut down WR|shut down WR, peer closed|"
     r"at the mark, reset): bind", r"= 0", "= EINVAL",
     "POSIX bind(): EINVAL for a socket that is bound, or has been shut down"),
    (r"(listener shut down|reset after peer closed|refused.*|dissolved): SIOCOUTQ", r"= \d+", "= 0",
     "nothing waits in a queue of no connection; Linux has what its variables held before"),
    (r"SHUT_RD: what (was unread|came after)", r"= 3 '...'", "= 0 ''",
     "POSIX shutdown(): SHUT_RD disables further receive operations; in Linux recv goes on"),
    (r"(urgent|at the mark).*: shutdown (RD|RDWR) = 0 ", r"after: IN\|RDNORM\|PRI", "after: IN|RDNORM",
     "the same: what was urgent is thrown away with the rest"),
    (r".*: (IPV6_\w+|level 77|read back)", r"= EOPNOTSUPP", "= ENOPROTOOPT",
     "POSIX getsockopt(): ENOPROTOOPT, as Linux itself says in setsockopt"),
    (r"buffers: SO_(SND|RCV)BUF", r"= 100000 octets", "= 50000 octets",
     "Linux doubles what is set, to have room for its own accounts (socket(7))"),
    (r"SO_REUSEADDR: connect to the same", r"= EADDRNOTAVAIL", "= EADDRINUSE",
     "POSIX connect(): EADDRINUSE for addresses that are in use"),
    (r"SO_REUSEADDR: every address", r"= 0", "= EADDRINUSE",
     "we hold the port of the one address by a socket of the kernel, which takes no part in it"),
    (r"IP_OPTIONS (sent|accepted): \w+ after a change", r"to 10\.0\.1\.1, 83", "to 10.0.0.254, 83",
     "RFC 9293 SHLD-24: the last route holds; Linux goes on to the first hop of the one before"),
    (r"IP_OPTIONS (sent|accepted): \w+ after a change", r"to 10\.0\.0\.254,($| 07)",
     r"to 10.0.1.1,\1", "the same"),
    (r"protocol unreachable: send", "= ENOPROTOOPT", "= ECONNREFUSED",
     "a host without TCP refuses as well"),
    (r"(source route failed|host unknown|host isolated): (SO_ERROR|recv)",
     "= (EOPNOTSUPP|EHOSTDOWN|ENONET)", "= EHOSTUNREACH",
     "kinds of which the next step is the same"),
    (r"R1: poll", r"= OUT\|WRNORM", "= OUT|WRNORM|ERR",
     "RFC 9293 3.8.3 (e): who asks for reports hears of R1, of which Linux has none"),
    (r"R1: SO_ERROR =", "= none", "= ETIMEDOUT", "the same"),
    (r"TCP_SYNCNT: (by default|read back)", "= 6$", "= 7",
     "RFC 9293 MUST-23: at least three minutes of SYNs, which are seven"),
    (r"TCP_QUICKACK: by default", "= 1", "= 0",
     "RFC 9293 SHLD-18: ACKs are delayed unless asked otherwise; Linux begins with quick ones, and "
     "changes its mind by itself"),
    (r"reset after peer closed", r"EPIPE|= 32", lambda m: {"EPIPE": "ECONNRESET"}.get(m[0], "= 104"),
     "RFC 9293 3.10.7.4: \"connection reset\" in CLOSE-WAIT as well"),
    (r"connect: name", r"0\.0\.0\.0:some port", "0.0.0.0:0",
     "an attempt that has failed holds no port"),
)


PAIRS = (("nstcp", "kernel"), ("nstcp", "nstcp"), ("kernel", "nstcp"))

# They go by real time, and on a busy machine a thread may be late at one of the six thousand lines:
# so often scenarios that are not the same are run again, of all.
AGAIN = 2


def posix(*args):
    """What posix prints."""
    done = subprocess.run([NETNS, "run", POSIX, *args], capture_output=True, text=True,
                          timeout=120, check=False)
    check(done.returncode == 0, f"posix {' '.join(args)}: {done.returncode} {done.stderr}")
    return done.stdout.splitlines()


def expected(line, used):
    """Our line, by the kernel's."""
    for deviation in DEVIATIONS:
        begin, kernels, our, _ = deviation
        if re.match(begin, line) and re.search(kernels, line):
            used.add(deviation)
            line = re.sub(kernels, our, line, count=1)
    return line


def differences(wanted, got):
    """Pairs of lines that are not the same."""
    if len(wanted) != len(got):
        return [f"expected: {len(wanted)} lines\n     got: {len(got)}"]
    return [f"expected: {w}\n     got: {g}" for w, g in zip(wanted, got) if w != g]


def compared(scenarios):
    """How many lines, the deviations that the kernel's need, and where ours are others."""
    used = set()
    kernels = posix("kernel", "kernel", scenarios)
    wanted = [expected(line, used) for line in kernels]
    failed = []
    for ours, theirs in PAIRS:
        got = posix(ours, theirs, scenarios)
        if ours == "kernel":
            got = [expected(line, set()) for line in got]
        failed += [f"{ours} to {theirs}: {text}" for text in differences(wanted, got)]
    return len(kernels), used, failed


def main():
    if len(sys.argv) == 4:
        print("\n".join(posix(*sys.argv[1:])))
        return
    needed, count, again = set(), 0, AGAIN
    for scenarios in posix("list"):
        n, used, failed = compared(scenarios)
        while failed:
            text = "\n".join([f"{scenarios}: {len(failed)} of {n} lines", *failed[:40]])
            check(again > 0, text)
            again -= 1
            print(f"again: {text}")
            n, used, failed = compared(scenarios)
        needed |= used
        count += n
    check(needed == set(DEVIATIONS), f"deviations of no use: {set(DEVIATIONS) - needed}")
    print(f"{count} lines")


main()
