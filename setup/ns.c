/* ns.c - network namespaces with a name under /run/netns, where `ip netns` finds them.
 *
 * See network_namespaces(7), setns(2), ip-netns(8). A name is an empty file with the namespace
 * (/proc/self/ns/net) mounted on it. The mark is the alias of lo, and it is set before the mount:
 * there is no moment in which a name of ours is without it. This file knows no topology.
 */
#include "ns.h"

#include "link.h"
#include "say.h"
#include "topology.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define SELF "/proc/self/ns/net"

struct path {
    char text[64];
};

static struct path path_of(const char *name)
{
    struct path path;
    snprintf(path.text, sizeof(path.text), NS_DIR "/%s", name);
    return path;
}

int ns_home(void)
{
    return open(SELF, O_RDONLY | O_CLOEXEC);
}

int ns_enter(int fd)
{
    return setns(fd, CLONE_NEWNET);
}

void ns_close(struct ns *ns)
{
    nl_close(&ns->nl);
    if (ns->fd >= 0)
        close(ns->fd);
    ns->fd = -1;
}

/* Shared, so that a name taken away here goes away in every other mount namespace too. */
static int share_mounts(void)
{
    if (mount("", NS_DIR, "none", MS_SHARED | MS_REC, NULL) == 0)
        return 0;
    if (errno != EINVAL) /* EINVAL: not a mount yet, so mount it on itself */
        return -1;
    if (mount(NS_DIR, NS_DIR, "none", MS_BIND | MS_REC, NULL) < 0)
        return -1;
    return mount("", NS_DIR, "none", MS_SHARED | MS_REC, NULL);
}

int ns_dir_make(void)
{
    bool made = mkdir(NS_DIR, 0755) == 0;
    if ((made || errno == EEXIST) && share_mounts() == 0)
        return 0;
    int err = errno;
    if (made)
        rmdir(NS_DIR);
    return say_refused(NS_DIR, err, "make the directory of namespaces");
}

/* Opens a conversation with the namespace ns->fd, and comes home. */
static int open_nl(struct ns *ns, int home)
{
    if (ns_enter(ns->fd) < 0)
        return -1;
    int ok = nl_open(&ns->nl, NETLINK_ROUTE);
    int err = errno;
    if (ns_enter(home) < 0)
        return -1;
    errno = err;
    return ok;
}

/* Whether lo has it: NS_OURS or NS_FOREIGN, or NS_UNKNOWN with errno set. */
static enum ns_state look_for_mark(struct nl *nl)
{
    struct link_info lo;
    int err = link_get(nl, "lo", &lo);
    if (err < 0) {
        errno = -err;
        return NS_UNKNOWN;
    }
    return strcmp(lo.alias, TOPO_MARK) == 0 ? NS_OURS : NS_FOREIGN;
}

enum ns_state ns_look(struct ns *ns, const char *name, int home)
{
    struct path path = path_of(name);
    struct statfs fs;
    struct stat st;

    *ns = (struct ns){.name = name, .fd = -1};
    if (lstat(path.text, &st) < 0)
        return errno == ENOENT ? NS_NONE : NS_UNKNOWN;
    if (!S_ISREG(st.st_mode))
        return NS_FOREIGN;
    ns->fd = open(path.text, O_RDONLY | O_CLOEXEC);
    if (ns->fd < 0 || fstatfs(ns->fd, &fs) < 0)
        return NS_UNKNOWN;

    enum ns_state state = NS_FOREIGN;
    if (fs.f_type != NSFS_MAGIC)
        state = st.st_size == 0 ? NS_STALE : NS_FOREIGN;
    else if (open_nl(ns, home) < 0) /* EINVAL: a namespace, but not of the network */
        state = errno == EINVAL ? NS_FOREIGN : NS_UNKNOWN;
    else if ((state = look_for_mark(&ns->nl)) == NS_OURS)
        return NS_OURS;
    int err = errno;
    ns_close(ns);
    errno = err;
    return state;
}

/* In the new namespace: sets the mark, then gives the namespace its name. */
static int mark_and_name(struct ns *ns, const char *file)
{
    if (nl_open(&ns->nl, NETLINK_ROUTE) < 0)
        return say_failed(ns->name, strerror(errno), "netlink socket");
    if (link_set_up(ns, "lo") < 0)
        return -1;
    if (mount(SELF, file, "none", MS_BIND, NULL) < 0)
        return say_failed(file, strerror(errno), "mount the namespace");
    return 0;
}

int ns_make(struct ns *ns, const char *name, int home)
{
    struct path path = path_of(name);

    *ns = (struct ns){.name = name, .fd = -1};
    int file = open(path.text, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0444);
    if (file < 0)
        return say_failed(path.text, strerror(errno), "create");
    close(file);

    int made = unshare(CLONE_NEWNET);
    if (made < 0)
        say_failed(name, strerror(errno), "new network namespace");
    else {
        ns->fd = ns_home();
        made = ns->fd < 0 ? say_failed(name, strerror(errno), "open " SELF)
                          : mark_and_name(ns, path.text);
        if (ns_enter(home) < 0)
            made = say_failed(name, strerror(errno), "return from the namespace");
    }
    if (made < 0) {
        ns_close(ns);
        ns_remove(name);
    }
    return made;
}

int ns_remove(const char *name)
{
    struct path path = path_of(name);
    /* As often as something is mounted there; EINVAL: nothing is, any more. */
    while (umount2(path.text, MNT_DETACH | UMOUNT_NOFOLLOW) == 0) {
    }
    if (errno != EINVAL)
        return say_failed(path.text, strerror(errno), "unmount");
    if (unlink(path.text) < 0 && errno != ENOENT)
        return say_failed(path.text, strerror(errno), "remove");
    return 0;
}
