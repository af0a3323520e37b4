/*
 * Neighbour Solicitation and Neighbour Advertisement of IPv6 over Ethernet (RFC 4861 4.3, 4.4; RFC
 * 2464), from the IPv6 header on.
 */
#ifndef ND_H
#define ND_H

#include "addr.h"
#include "ether.h"

#define ND_SOLICITATION  135
#define ND_ADVERTISEMENT 136

/* Flags of an advertisement (4.4). */
#define ND_ROUTER    0x80u
#define ND_SOLICITED 0x40u /* it answers a solicitation of the destination's */
#define ND_OVERRIDE  0x20u /* in place of another Ethernet address that is known */

#define ND_LEN_MAX 72 /* octets, of what nd_emit writes */

struct nd {
    uint8_t type;
    uint8_t flags; /* 0 in a solicitation */
    struct ip_addr src, dst, target;
    bool has_mac; /* an option says which Ethernet address it has: a solicitation's sender, or an
                     advertisement's target */
    struct mac_addr mac;
};

/* Reads a message of either type that is valid by RFC 4861 7.1.1 or 7.1.2, and is no fragment (RFC
 * 6980). False: it is to be ignored. r may hold padding behind it. Linear in its length. */
bool nd_parse(struct reader *r, struct nd *m);

/* Writes m, with its checksum and a hop limit of 255. */
void nd_emit(struct writer *w, const struct nd *m);

/* The multicast address at which an address is asked for (RFC 4861 2.3, RFC 4291 2.7.1). */
struct ip_addr nd_solicited_node(const struct ip_addr *a);

/* The Ethernet address of a multicast address (RFC 2464 7). */
struct mac_addr nd_multicast_mac(const struct ip_addr *a);

#endif
