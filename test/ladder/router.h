/*
 * ICMP messages that arrive at a host (hosts.h), from routers and others on the way:
 *
 *     hears(&a, .kind = ICMP_TOO_BIG, .seq = 1, .mtu = 600);
 */
#ifndef ROUTER_H
#define ROUTER_H

#include "hosts.h"
#include "icmp.h"

#define ROUTER_ADDR ip_addr_v4(0x0a0001fe) /* 10.0.1.254; for IPv6 it is the peer that speaks */

/* An error about a segment of ours. */
struct message {
    enum icmp_kind kind;
    uint8_t type, code; /* as on the wire, instead of kind, where type is not 0 */
    uint32_t seq, mtu;  /* seq: relative, of the segment quoted */
    uint32_t len;       /* of the packet quoted; 0: 1040 */
    struct ip_addr to;  /* all 0: whom the quoted packet came from */
    unsigned cut;       /* octets missing at the end */
    bool damaged;
};
#define hears(p, ...) host_hears(HERE, (p), (struct message){__VA_ARGS__})
void host_hears(struct where w, const struct peer *p, struct message m);

/* Any message, with so many octets missing at the end, or the last one wrong. */
void host_hears_icmp(struct where w, struct ip_hdr *ip, const struct icmp *m, unsigned cut,
                     bool damaged);

#endif
