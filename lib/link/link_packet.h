/*
 * The link to the real network: AF_PACKET on all Ethernet devices of a network namespace
 * (packet(7), netdevice(7)). Super-segments and checksums are left to the kernel by the virtio
 * header (PACKET_VNET_HDR); next hops and their Ethernet addresses come from route.c and neigh.c.
 *
 * Called by runtime/ and by the example `handshake`. Thread rules as in link.h, and
 * link_packet_set_ports, _own and _read_counters may be called by any thread at any time, the first
 * two one at a time.
 */
#ifndef LINK_PACKET_H
#define LINK_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"
#include "link.h"

struct route_table;

/* Consecutive ports of one address. A wildcard (0.0.0.0, ::) stands for what is a local address of
 * its family when a packet arrives. */
struct port_range {
    struct ip_addr addr;
    uint16_t first, last;
};

struct link_packet_counters {
    uint64_t sent, received;
    /* Packets to send that were thrown away: */
    uint64_t malformed;    /* no IP or TCP header in the head, or longer than IP allows */
    uint64_t no_route;     /* or a device that is down, ... see route.h */
    uint64_t no_neighbour; /* waited in vain for the next hop's Ethernet address, or had no room */
    uint64_t refused;      /* by the kernel: too long for the device, device gone, ... */
    /* Packets that arrived and were thrown away: */
    uint64_t overflow;  /* we were too slow for the socket's queue */
    uint64_t truncated; /* longer than 64 KiB */
    uint64_t foreign;   /* passed the filter, but not ours: address, port, protocol or device */
};

/*
 * A link for the calling thread's network namespace, which receives nothing but ICMP errors until
 * link_packet_set_ports. Needs CAP_NET_RAW there. Negative errno; err, of errlen octets, then says
 * what failed and why.
 *
 * l->poll_fd() is a socket: it polls writable when send() may take packets again.
 */
int link_packet_create(struct link **out, char *err, size_t errlen);

/* From now on receives TCP to these ports only, instead of those set before; copies v. -ENOBUFS:
 * the filter can't hold so many (about 1000 ranges); -ENOMEM. On error all stays as it was. */
int link_packet_set_ports(struct link *l, const struct port_range *v, size_t n);

/*
 * Makes addr, which nobody has, an address of this link until it is destroyed: answers ARP requests
 * and Neighbour Solicitations for it on the device through which the kernel's route to it leaves,
 * and receives all that is for it. Twice is as once.
 *
 * -EADDRNOTAVAIL: it is on none of the networks this host is on, or this host's own, or not an
 * address for one host. -EADDRINUSE: another host answers for it. Asks three times within 0.3 s,
 * and waits so long: RFC 5227 2.1.1 wants up to 7 s and RFC 4862 5.4 one, but a bind() waits for
 * this. Another thread has to be in recv() all the time, or no answer is heard. Afterwards nobody
 * is asked any more: who takes the address later has it as well.
 */
int link_packet_own(struct link *l, const struct ip_addr *addr);

/* Whether link_packet_own() has made it one. As that, one call at a time. */
bool link_packet_has(const struct link *l, const struct ip_addr *addr);

/* The routes this link uses, for the source address and MTU of a new connection. */
struct route_table *link_packet_routes(const struct link *l);

void link_packet_read_counters(struct link *l, struct link_packet_counters *out);

#endif
