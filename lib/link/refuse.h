/*
 * What a link answers to a packet that is too big for its device: what a router with such a device
 * would (RFC 1191 4, RFC 4443 3.2). So whoever sent it learns of a smaller MTU in one way only,
 * near or far. Called by link_packet_tx.c.
 */
#ifndef REFUSE_H
#define REFUSE_H

#include "icmp.h"
#include "packet.h"

#define REFUSE_MAX (2 * IP6_HDR_LEN + ICMP_HDR_LEN + ICMP_QUOTE_MIN)

/* Whether p, on its way out, has packets longer than mtu. */
bool refuse_wanted(const struct packet *p, uint32_t mtu);

/* Writes the ICMP message, from p's destination to its source; returns its length, or 0 when p is
 * not one of ours. */
size_t refuse_emit(uint8_t out[REFUSE_MAX], const struct packet *p, uint32_t mtu);

#endif
