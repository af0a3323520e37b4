/* exec.c - `exec NODE CMD...`: the same as `ip netns exec NODE CMD...`, without iproute2.
 *
 * See setns(2), ip-netns(8). The command also gets a /sys that shows the node's devices. The
 * files of /etc/netns are not looked at.
 */
#include "exec.h"

#include "ns.h"
#include "say.h"
#include "topology.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#define NO_LAB                                                                                     \
    "no lab here; make one (as root): ./setup/netns.sh up, or run everything in a private one: "   \
    "./setup/netns.sh run CMD"

void exec_argv(char **argv)
{
    execvp(argv[0], argv);
    int err = errno;
    say_failed(argv[0], strerror(err), "start");
    _exit(err == ENOENT ? 127 : 126);
}

int exec_enter(const char *node, const char *doing)
{
    struct ns ns;
    int home = ns_home();
    if (home < 0)
        return say_failed(node, strerror(errno), "%s", doing);
    switch (ns_look(&ns, node, home)) {
    case NS_OURS:
        if (ns_enter(ns.fd) < 0)
            return say_failed(node, strerror(errno), "%s: enter the namespace", doing);
        ns_close(&ns);
        close(home);
        return 0;
    case NS_FOREIGN:
        return say_failed(node, "exists and is not ours", "%s", doing);
    case NS_UNKNOWN:
        return say_refused(node, errno, doing);
    case NS_NONE:
    case NS_STALE:
        break;
    }
    return say_failed(node, NO_LAB, "%s", doing);
}

int exec_in_node(const char *node, char **argv)
{
    if (topo_find(node) < 0) {
        say_failed(node, "no such node in the lab; there are host1, router and host2", "exec");
        return 2;
    }
    if (exec_enter(node, "exec") < 0)
        return 1;
    if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_SLAVE | MS_REC, NULL) < 0) {
        say_failed(node, strerror(errno), "exec: private mounts");
        return 1;
    }
    /* Where a /sys for this namespace is refused (a container), the old one stays. */
    mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    exec_argv(argv);
}
