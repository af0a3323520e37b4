/* sysctl.h - the kernel's switches of one namespace and of its devices. */
#ifndef NETNS_SYSCTL_H
#define NETNS_SYSCTL_H

#include "ns.h"

#include <stdbool.h>

/* Whether the kernel speaks IPv6 at all, in the caller's namespace. */
bool sysctl_has_ipv6(void);

/* Forwarding on or off. 0, or -1 after saying why. home: the namespace to come back to. */
int sysctl_set_node(struct ns *ns, int home, bool forwards, bool ipv6);

/* What a device needs before it comes up. The same results. */
int sysctl_set_dev(struct ns *ns, int home, const char *dev, bool ipv6);

/* Which families the namespace forwards: bits 1 << V4, 1 << V6; none when it cannot be asked. */
int sysctl_forwards(struct ns *ns, int home, bool ipv6);

#endif
