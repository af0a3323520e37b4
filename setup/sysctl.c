/* sysctl.c - /proc/sys/net, which shows every reader the switches of his own namespace.
 *
 * See proc(5) and the kernel's Documentation/networking/ip-sysctl.rst. A new namespace inherits
 * much from the machine (net.core.devconf_inherit_init_net): on a machine that forwards, or has
 * IPv6 switched off, a lab would come out differently. So every switch that matters is written,
 * also where its value is the usual one; a switch that stands right is left alone, which lets the
 * lab live with a /proc/sys that is read-only.
 */
#include "sysctl.h"

#include "say.h"
#include "topology.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ROOT       "/proc/sys/net/"
#define FORWARD_V4 "ipv4/ip_forward"
#define FORWARD_V6 "ipv6/conf/all/forwarding"

bool sysctl_has_ipv6(void)
{
    return access(ROOT "ipv6/conf", F_OK) == 0;
}

static int read_switch(const char *key)
{
    char path[128], digit = 0;
    snprintf(path, sizeof(path), ROOT "%s", key);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t n = read(fd, &digit, 1);
    close(fd);
    return n == 1 ? digit - '0' : -1;
}

static int write_switch(const struct ns *ns, const char *key, bool on)
{
    char path[128];
    if (read_switch(key) == on)
        return 0;
    snprintf(path, sizeof(path), ROOT "%s", key);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool written = fd >= 0 && write(fd, on ? "1" : "0", 1) == 1;
    int err = errno;
    if (fd >= 0)
        close(fd);
    return written ? 0 : say_failed(ns->name, strerror(err), "write %d to %s", on, path);
}

static int come_home(const struct ns *ns, int home, int result)
{
    if (ns_enter(home) < 0)
        return say_failed(ns->name, strerror(errno), "return from the namespace");
    return result;
}

int sysctl_set_node(struct ns *ns, int home, bool forwards, bool ipv6)
{
    if (ns_enter(ns->fd) < 0)
        return say_failed(ns->name, strerror(errno), "enter the namespace");
    int err = write_switch(ns, FORWARD_V4, forwards);
    if (!err && ipv6)
        err = write_switch(ns, "ipv6/conf/all/disable_ipv6", false);
    if (!err && ipv6)
        err = write_switch(ns, FORWARD_V6, forwards);
    return come_home(ns, home, err);
}

int sysctl_set_dev(struct ns *ns, int home, const char *dev, bool ipv6)
{
    /* No address of its own making beside the link-local one, no packets asking for routers, and
     * no second of duplicate address detection before the link-local one works. */
    static const char *const off[] = {"disable_ipv6", "accept_dad", "accept_ra",
                                      "router_solicitations"};
    int err = 0;
    if (!ipv6)
        return 0;
    if (ns_enter(ns->fd) < 0)
        return say_failed(ns->name, strerror(errno), "enter the namespace");
    for (size_t i = 0; !err && i < sizeof(off) / sizeof(off[0]); i++) {
        char key[96];
        snprintf(key, sizeof(key), "ipv6/conf/%s/%s", dev, off[i]);
        err = write_switch(ns, key, false);
    }
    return come_home(ns, home, err);
}

int sysctl_forwards(struct ns *ns, int home, bool ipv6)
{
    if (ns_enter(ns->fd) < 0)
        return 0;
    int on = read_switch(FORWARD_V4) == 1 ? 1 << V4 : 0;
    if (ipv6 && read_switch(FORWARD_V6) == 1)
        on |= 1 << V6;
    return come_home(ns, home, on);
}
