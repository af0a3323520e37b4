/*
 * What a link answers to a packet that is too big for its device, or whose next hop does not say
 * where it is: what a router would (RFC 1191 4, RFC 4443 3.2; RFC 1812 5.2.7.1, RFC 4861 7.2.2). So
 * whoever sent it learns of it in one way only, near or far. Called by link_packet_tx.c.
 */
#ifndef REFUSE_H
#define REFUSE_H

#include "icmp.h"
#include "packet.h"

#define REFUSE_MAX (2 * IP6_HDR_LEN + ICMP_HDR_LEN + ICMP_QUOTE_MIN)

/* Whether p, on its way out, has packets longer than mtu. */
bool refuse_wanted(const struct packet *p, uint32_t mtu);

/* Writes the ICMP message, from p's destination to its source; returns its length, or 0 when p is
 * not one of ours. mtu: for ICMP_TOO_BIG. */
size_t refuse_emit(uint8_t out[REFUSE_MAX], const struct packet *p, enum icmp_kind why,
                   uint32_t mtu);

#endif
