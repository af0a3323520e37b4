/*
 * Where a packet goes: source address, device, next hop and MTU for a destination, as the kernel's
 * routing tables say (rtnetlink(7), RTM_GETROUTE), and which addresses are this host's own.
 *
 * Answers are remembered until anything about links, addresses, routes or rules changes, so that a
 * packet does not cost a question to the kernel. Called by link_packet.c, by runtime/ for the
 * source address and MTU of a connection, and by the example `handshake`. Thread-safe.
 *
 * Routes are looked up by destination alone: policy rules that look at the source address or a
 * mark, and the shares of a multipath route, are not followed packet by packet.
 */
#ifndef ROUTE_H
#define ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"
#include "ether.h"

struct route {
    struct ip_addr source;   /* of ours, preferred towards the destination (RFC 6724) */
    struct ip_addr next_hop; /* a gateway, or the destination itself when it is on the link; without
                                its zone, which is ifindex */
    uint32_t mtu;            /* octets of an IP packet: the device's, or less if the route or, for
                                IPv6, the link's routers say so */
    uint32_t ifindex;
    struct mac_addr mac; /* the device's */
};

struct route_table;

/* For the calling thread's network namespace. Negative errno. */
int route_create(struct route_table **out);

/* t may be NULL. */
void route_destroy(struct route_table *t);

/*
 * The route to dst; to a link-local address without a zone, the kernel's first. now: ns of any
 * monotonic clock, always the same one; changes are noticed within 10 ms of it, or at once after
 * route_refresh(). A question to the kernel (some us) for a destination not seen lately.
 *
 * -EADDRNOTAVAIL: dst is an address of this host, which cannot be reached over a link
 * -ENETUNREACH:   no route, or no address of ours to use it with; or dst is a multicast, broadcast
 *                 or wildcard address
 * -EHOSTUNREACH, -EACCES, -EINVAL: a route of type unreachable, prohibit, blackhole
 * -ENETDOWN:      the device is down
 * -EOPNOTSUPP:    the device is not an Ethernet
 * -EAFNOSUPPORT:  an IPv4 route whose gateway has an IPv6 address
 */
int route_lookup(struct route_table *t, const struct ip_addr *dst, uint64_t now, struct route *out);

/* The kernel is asked for the route to dst again at the next route_lookup, whether or not a change
 * has been heard of. */
void route_forget(struct route_table *t, const struct ip_addr *dst);

/* Notices changes now: what a connect() asks for before route_lookup. One system call. */
void route_refresh(struct route_table *t);

/* Whether packets to addr are for this host. Cost and `now` as route_lookup. */
bool route_is_local(struct route_table *t, const struct ip_addr *addr, uint64_t now);

/* This host's addresses, loopback left out: fills v, returns how many there are (which may be more
 * than max), or a negative errno. Asks the kernel every time. */
int route_local_addrs(struct route_table *t, struct ip_addr *v, size_t max);

/* The MTU of a device whose packets are to be taken: an Ethernet that is not part of a bridge or
 * bond, which would show every packet a second time. 0: any other device. */
uint32_t route_device_mtu(struct route_table *t, uint32_t ifindex, uint64_t now);

/* The smallest MTU of those devices; 1500 when there is none. */
uint32_t route_min_mtu(struct route_table *t);

#endif
