/*
 * The packet descriptor: what crosses the border between the engine and a link. It begins at the IP
 * header and refers to memory, it does not hold it; only what output() builds as a header is
 * inline.
 *
 * Ownership: on the way in the memory belongs to the link until the call returns. On the way out it
 * belongs to the engine until the engine's next call. A packet with its head in `store` points into
 * itself: it is filled and read where it lies, never copied as a struct.
 */
#ifndef PACKET_H
#define PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "bytes.h"
#include "seg.h"

/* IPv6 header 40 and TCP header 60, or IPv4 header 60 and TCP header 60. */
#define PACKET_HEAD_MAX 120

enum packet_csum {
    CSUM_FULL,     /* the checksum field is final: verify it, or send it as it is */
    CSUM_PARTIAL,  /* it holds the sum of the pseudo header only; the device finishes it */
    CSUM_VERIFIED, /* on the way in only: the device has verified it */
};

struct packet {
    struct bytes head;               /* IP header, TCP header; on the way in also the text's start,
                                        as far as it lies in the same piece of memory */
    struct bytes body[SEG_REFS_MAX]; /* what follows; one less on the way in when head has text */
    uint8_t n_body;
    uint8_t csum;      /* enum packet_csum */
    uint16_t gso_size; /* text octets per packet of a super-segment; 0: this is one packet */
    uint32_t mtu;      /* on the way in only: of the device it came by; 0: the link's */
    uint32_t zone;     /* of its link-local addresses (addr.h): the device it came or goes by */
    uint8_t store[PACKET_HEAD_MAX]; /* where output() builds the head */
};

/* What a link can do for the engine. */
struct link_caps {
    uint32_t mtu;       /* largest IP packet on the wire, octets, where no route or device says */
    uint32_t super_max; /* most text octets in one super-segment; 0: one packet at a time; as any
                         * packet it is 65535 octets long at most, with its headers */
    bool csum_offload;  /* takes CSUM_PARTIAL */
};

/* Octets of the whole packet, IP header included. */
static inline size_t packet_len(const struct packet *p)
{
    size_t len = p->head.len;
    for (unsigned i = 0; i < p->n_body; i++)
        len += p->body[i].len;
    return len;
}

#endif
