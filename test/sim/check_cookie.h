/*
 * Checkers of SYN-ACKs that no connection sends: SYN cookies (RFC 4987 3.6) go only where the plan
 * has them, for a SYN that was sent, and agree to nothing that they forget.
 */
#ifndef CHECK_COOKIE_H
#define CHECK_COOKIE_H

#include "world.h"

/* Of the connections with e's four-tuple the one that a cookie with this ACK is to begin. */
struct end *cookie_asked_by(struct end *e, seq_t ack);

/* Whether the ACK that has just come brings back, by chance, what a cookie of its four-tuple would
 * have for a number now: eight of 2^24 do (RFC 4987 appendix A as in tcp/cookie.c, written again).
 * Not after the listener's options have changed. */
bool cookie_fits(const struct host *h, const struct flow *flow);

/* e sends a SYN, which is a cookie when there is no connection. The epoch of its number. */
uint32_t cookie_syn_sent(struct end *e, const struct seg *seg, bool cookie);

#endif
