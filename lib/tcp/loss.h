/*
 * What was lost, for the connection: with SACK by sack_recovery.h, without by recovery.h. For the
 * files that send, take ACKs and keep timers; a SYN that is sent again is recovery.h's alone.
 */
#ifndef LOSS_H
#define LOSS_H

#include "tcb.h"

/* Both sides have said SACK-permitted, and are synchronized. */
static inline bool loss_by_sack(const struct tcb *t)
{
    return t->sack && tcb_synchronized(t);
}

/* And the peer is told of what has come twice (RFC 2883). */
static inline bool loss_tells_twice(const struct tcb *t)
{
    return loss_by_sack(t) && t->common->config->dsack;
}

/* Octets taken to be in the network (RFC 5681's FlightSize, RFC 6675's pipe). */
uint32_t loss_flight(const struct tcb *t);

/* What may be in the network: cwnd, and what limited transmit lets go beyond. */
uint32_t loss_cwnd(const struct tcb *t);

/* The shortest round trip of the last minutes; 0: not known, as without SACK. */
uint64_t loss_min_rtt_ns(const struct tcb *t);

/* Whether text has been seen to arrive in another order than it was sent in (RFC 8985 6.2). */
bool loss_reorders(const struct tcb *t);

/* Whether something points to a loss: recovery, or what may begin it. */
bool loss_suspected(const struct tcb *t);

/* What is to be sent again next. */
struct missing {
    seq_t from, end;
    bool at_once; /* whatever cwnd is, one segment */
    const char *why;
};
bool loss_missing(const struct tcb *t, struct missing *m);

/* [from, end) was sent; what lies below `nxt`, SND.NXT before, not for the first time. */
void loss_sent(struct tcb *t, seq_t from, seq_t end, seq_t nxt, uint64_t now_ns);

/* An ACK with SEG.ACK = SND.UNA, which it has moved from old_una, or which is a duplicate by RFC
 * 5681 2, or neither. Whether cwnd may grow, and whether the retransmission timer starts anew. */
struct recovery_ack loss_acked(struct tcb *t, const struct seg *seg, seq_t old_una, bool duplicate,
                               uint64_t now_ns);

/* The retransmission timer has run out; first: for this segment. */
void loss_timeout(struct tcb *t, bool first, uint64_t now_ns);

/* The timers of RFC 8985: what is due, and when the next is. */
void loss_tick(struct tcb *t, uint64_t now_ns);
uint64_t loss_deadline(const struct tcb *t);

/* RFC 8985 7.2: after new text, and after an ACK that advances. */
void loss_schedule_probe(struct tcb *t, uint64_t now_ns);

/* All of [SND.UNA, SND.NXT) is to be sent again, without a sign of congestion: see recovery.h. */
void loss_resend(struct tcb *t);
void loss_too_big(struct tcb *t);

/* The connection is established; it rests; or it sends nothing any more. */
void loss_begin(struct tcb *t, struct busy *b);
bool loss_forgets(const struct tcb *t);
bool loss_unclear(const struct tcb *t); /* sack_recovery_unclear() */
void loss_rest(struct tcb *t);          /* what is kept of it, and of cc, goes to t->cc_rest */
void loss_end(struct busy *b);

/* NULL, or the text of an invariant that does not hold. */
const char *loss_check(const struct tcb *t);

#endif
