/*
 * The frames by which neighbours' Ethernet addresses are asked for and told: ARP (RFC 826), and
 * Neighbour Solicitation and Advertisement (RFC 4861 4.3, 4.4). Bytes only: neigh.c decides, and
 * link_packet.c sends and calls. The kernel answers what others ask about this host.
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

/* Writes the frame that asks for r->next_hop's address; to: only this neighbour, NULL for all. */
void resolve_emit(struct writer *w, const struct route *r, const struct mac_addr *to);

/* What a neighbour tells. */
struct resolve_news {
    enum neigh_claim claim;
    struct ip_addr ip;
    struct mac_addr mac;
    struct ip_addr to; /* whom it told; an answer to us only if this is one of our addresses */
};

/* Reads an ARP packet or a Neighbour Advertisement; false when the frame is neither, or broken. */
bool resolve_parse(const uint8_t *frame, size_t len, struct resolve_news *out);

#endif
