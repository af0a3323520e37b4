/* IPv4 (RFC 791) and IPv6 (RFC 8200) headers, as one struct for both. */
#ifndef IP_H
#define IP_H

#include <stdbool.h>
#include <stdint.h>

#include "addr.h"
#include "bytes.h"

#define IP4_HDR_LEN    20
#define IP6_HDR_LEN    40
#define IP4_MF         0x2000 /* more fragments; in the same field as */
#define IP4_OFFSET     0x1fff /* where in its packet a fragment begins, in units of 8 octets */
#define IP_PROTO_ICMP  1
#define IP_PROTO_TCP   6
#define IP_PROTO_ICMP6 58
#define IP_TTL_DEFAULT 64 /* time to live or hop limit, where nobody says */

struct ip_hdr {
    struct ip_addr src, dst;
    uint8_t proto;        /* of what follows the header and any IPv6 extension headers */
    uint8_t ttl;          /* or hop limit */
    uint8_t tos;          /* DSCP and ECN; or traffic class */
    bool df;              /* IPv4: don't fragment */
    uint32_t id;          /* identification: of 16 bits for IPv4; for IPv6, of fragments only */
    uint32_t payload_len; /* octets after the headers, by the header's own account */
    uint32_t offset;      /* of a fragment: where in the whole packet's payload it begins, octets */
    bool more;            /* of a fragment: it is not the last */
    struct bytes options; /* IPv4's: a multiple of 4 octets, 40 at most; see ip_options.h */
};

/* Why a packet was refused; each is counted by its name. */
enum ip_error {
    IP_OK = 0,
    IP_SHORT = -1,        /* cut before the end of its header or of its stated length */
    IP_VERSION = -2,      /* neither 4 nor 6 */
    IP_HDR_LEN = -3,      /* IHL below 5, or a length smaller than the header */
    IP_BAD_CHECKSUM = -4, /* IPv4 header checksum */
    IP_FRAGMENT = -5,     /* a fragment: whole is what stack/reassembly makes of it */
    IP_EXTENSION = -6,    /* IPv6: extension headers broken, too many, or not to be gone past */
    IP_MAPPED = -7,       /* IPv6: an IPv4-mapped address, which never is on the wire */
    IP_LINK_LOCAL = -8    /* IPv6: a link-local one whose 54 bits are not 0; the zone is there */
};

/*
 * Reads the header, IPv4 options (not looked into: MUST-50) and IPv6 extension headers (hop-by-hop,
 * destination options, routing with no segments left, atomic fragments; at most 8 of them).
 * total_len: octets of the whole packet, of which `r` may hold only the first part, as long as that
 * covers the headers. Octets beyond the length stated in the header (Ethernet padding) don't count.
 * On IP_OK, r stands behind the headers and holds no padding; on IP_FRAGMENT too, behind the
 * fragment header, and *h is filled. Linear in the headers' length. An
 * extension header of another kind ends the walk as if it were the protocol; IPv6 jumbograms (RFC
 * 2675) are refused.
 */
enum ip_error ip_parse(struct reader *r, size_t total_len, struct ip_hdr *h);

/* The same for the packet that an ICMP error quotes: it may be cut anywhere behind its headers, and
 * an IPv4 header's checksum is not looked at, as a router may have counted its TTL down. */
enum ip_error ip_parse_quoted(struct reader *r, struct ip_hdr *h);

/* Writes a header without extension headers, its addresses without their zones: 20 octets and the
 * options for IPv4 (checksum included), 40 for IPv6, by the family of h->dst. payload_len must fit
 * 16 bits with the header (IPv4). */
void ip_emit(struct writer *w, const struct ip_hdr *h);

/* Without options. */
static inline size_t ip_hdr_len(const struct ip_addr *dst)
{
    return ip_addr_is_v4(dst) ? IP4_HDR_LEN : IP6_HDR_LEN;
}

#endif
