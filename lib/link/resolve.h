/*
 * The frames by which neighbours' Ethernet addresses are asked for and told: ARP (RFC 826), and
 * Neighbour Solicitation and Advertisement (RFC 4861 4.3, 4.4). Bytes only: neigh.c decides, and
 * link_packet.c sends and calls. The kernel answers what others ask about this host's addresses;
 * here are the answers for those that it does not have.
 */
#ifndef RESOLVE_H
#define RESOLVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"
#include "bytes.h"
#include "ether.h"
#include "neigh.h"
#include "route.h"

#define RESOLVE_FRAME_MAX 96

/* Writes the frame that asks for r->next_hop's address; to: only this neighbour, NULL for all.
 * r->source may be a wildcard, to ask without being known: whoever answers has the address (RFC
 * 5227 2.1.1, RFC 4862 5.4.2). */
void resolve_emit(struct writer *w, const struct route *r, const struct mac_addr *to);

/* What a neighbour tells. */
struct resolve_news {
    enum neigh_claim claim;
    struct ip_addr ip;
    bool has_mac; /* false: it is there, at the address that is known */
    struct mac_addr mac;
    struct ip_addr to; /* whom it told; an answer to us only if this is one of our addresses */
};

/* Reads an ARP packet, a Neighbour Advertisement, or what a Solicitation says of its sender; false
 * when the frame is none of them, or broken. */
bool resolve_parse(const uint8_t *frame, size_t len, struct resolve_news *out);

/* What somebody asks. */
struct resolve_question {
    struct ip_addr target; /* who has this? */
    struct ip_addr from;   /* a wildcard: it is somebody who wants to have the address */
    struct mac_addr mac;   /* the answer goes there */
};

/* Reads an ARP request or a Neighbour Solicitation; false when the frame is neither, or broken. */
bool resolve_parse_question(const uint8_t *frame, size_t len, struct resolve_question *out);

/* Writes the answer: `mac` has it. */
void resolve_emit_answer(struct writer *w, const struct resolve_question *q,
                         const struct mac_addr *mac);

/* Writes to everybody on the link, unasked, that mac has ip (RFC 5227 2.3, RFC 4861 7.2.6). */
void resolve_emit_news(struct writer *w, const struct ip_addr *ip, const struct mac_addr *mac);

#endif
