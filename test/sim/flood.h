/*
 * A flood of SYNs with forged addresses at a host's listener (RFC 4987 2.2). They come from nowhere
 * and are not part of the net: what answers them is looked at, and goes no further. Guesses at SYN
 * cookies are among them.
 */
#ifndef FLOOD_H
#define FLOOD_H

#include "world.h"

/* One batch of it after the other, as the plan says. */
void flood(struct host *h);

/* Whether this flow, seen from the host, is with nobody who exists. */
bool flood_is(const struct world *w, const struct flow *flow);

/* The host has sent seg to such a one. sock_id 0: without a connection. */
void flood_answered(struct host *h, const struct seg *seg, uint32_t sock_id);

#endif
