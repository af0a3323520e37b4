/*
 * Pacing: a window's worth of new text goes spread over the round trip, not in bursts that fill the
 * queues on the way. It has no timer of its own: until its time comes nothing goes, and
 * tcp_deadline() says so.
 *
 * No RFC on TCP has it; RFC 9002 7.7 has for QUIC, with Linux's gains: the rate is cwnd in SRTT and
 * a fifth more, so that cwnd and not pacing is what bounds; twice as much in slow start, which
 * doubles cwnd in a round trip (tcp_config.pacing_ca_ratio, .pacing_ss_ratio). A burst of ten
 * segments goes at once, as an initial window does (RFC 6928), and so does what is a millisecond's.
 * Hence a connection with a small window, which learns of losses by what follows them, is not held
 * back. What is sent again goes by PRR (RFC 6937) or slow start.
 *
 * A super-segment is a burst as well, and has a millisecond's text: it would take the place in a
 * queue that eight flows have to share.
 *
 * The user's limit (SO_MAX_PACING_RATE) holds back in the same way, where round trips are short and
 * where nothing is in flight as well: new text, for what was sent again too, but not probes.
 * PACING_NONE: the connection is not paced.
 */
#ifndef PACING_H
#define PACING_H

#include <stdbool.h>
#include <stdint.h>

#include "nstime.h"

/* Shorter round trips are not spread over. */
#define PACING_AT_ONCE_NS NS_PER_MS

struct tcb;
struct cc;

struct pacing {
    uint64_t gone_ns; /* when all that was sent has gone at the rate, if that is to come */
    uint64_t go_ns;   /* new text may go from then on */
    bool waits;       /* there is some */
};

/* Whether round trips, of which there have been some, are so short that there is nothing to be
 * spread over: less than a millisecond. */
bool pacing_at_once(const struct tcb *t);

/* Whether new text goes spread over the round trip. */
bool pacing_spreads(const struct tcb *t);

/* Most text in one super-segment, at least two of the MSS; UINT32_MAX: any. */
uint32_t pacing_super_max(const struct tcb *t);

/* The rate that this congestion window makes, octets in a second; PACING_UNLIMITED: none. */
uint64_t pacing_rate(const struct tcb *t, const struct cc *cc);

/* As if nothing had been sent so far. */
void pacing_begin(struct pacing *p);

/* Whether nothing is to be remembered: all has gone by the user's limit, or there is none. */
bool pacing_unspent(const struct tcb *t, uint64_t now_ns);

/* Whether new text, of which there is some, has to wait. Not while nothing is acknowledged yet,
 * nor, but for the user's limit, while nothing is in flight. */
bool pacing_holds(struct tcb *t, uint64_t now_ns);

/* `len` octets of text go. */
void pacing_sent(struct tcb *t, uint32_t len, uint64_t now_ns);

/* When it need not wait any longer; TIME_NEVER: it doesn't. To be told when that has come. */
uint64_t pacing_deadline(const struct pacing *p);
void pacing_tick(struct pacing *p, uint64_t now_ns);

#endif
