/*
 * Checker of pure ACKs: each has a segment with text, SYN or FIN that it answers, or octets that
 * the user has read. A segment that takes no sequence space is answered too when it cannot be
 * right, but not without end, or two stacks would go on answering each other (RFC 5961 7; reset.c
 * has two budgets of 10 in 5 s).
 */
#ifndef CHECK_STORM_H
#define CHECK_STORM_H

#include <stdint.h>

struct storm_watch {
    uint32_t credit; /* pure ACKs that there is a reason for */
    uint64_t span_ns;
    uint32_t spent; /* others since then */
};

/* Something that may be answered by an ACK. */
void storm_reason(struct storm_watch *s);

/* A pure ACK is sent. */
void storm_ack(struct storm_watch *s, uint64_t now_ns);

#endif
