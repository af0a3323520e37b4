/*
 * What a stack needs of the machine it lives on, besides a link: which address to speak from, and
 * ports that nobody else answers for. host_kernel is the machine we share with the kernel's TCP;
 * tests have one of their own.
 *
 * All calls answer 0, where nothing else is said, or a negative errno. They may talk to the kernel
 * and take milliseconds, so runtime/ makes them without the stack's lock, one at a time (a lock of
 * their own).
 */
#ifndef HOST_H
#define HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "addr.h"

struct host;

struct host_ops {
    /* The address to speak from to dst, and the MTU of the first link (0: the link's own).
     * -ENETUNREACH; -EADDRNOTAVAIL for an address of this machine, which can't be reached yet. */
    int (*route)(struct host *h, const struct ip_addr *dst, struct ip_addr *src, uint32_t *mtu);

    /* Keeps a port (of a local address or a wildcard) from everybody else until the host is
     * destroyed; what this host holds already stays held. IPv6's wildcard is IPv4's as well, unless
     * v6only. -EADDRINUSE, -EADDRNOTAVAIL, -EACCES. */
    int (*hold)(struct host *h, const struct ip_addr *addr, uint16_t port, bool v6only);

    /* Makes addr this machine's until the host is destroyed, if no machine has it. Takes some 0.3
     * s. 1: nobody but us answers for it; 0: it was this machine's before, and nothing has changed.
     * -EADDRINUSE: another machine or program has it. -EADDRNOTAVAIL: it is on none of our
     * networks, or not an address for one machine. */
    int (*own)(struct host *h, const struct ip_addr *addr);

    /* As hold() for a block of ephemeral ports, on every address. -EADDRNOTAVAIL: none is left. */
    int (*claim)(struct host *h, uint16_t *first, uint16_t *count);

    /* Gives all ports back. */
    void (*destroy)(struct host *h);
};

struct host {
    const struct host_ops *ops;
};

#endif
