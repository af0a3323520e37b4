/*
 * Loss recovery without SACK: limited transmit (RFC 3042), fast retransmit and fast recovery (RFC
 * 5681 3.2) with NewReno's partial acknowledgements (RFC 6582), and what is to be sent again after
 * a timeout.
 *
 * Keeps the range that is to be sent again, [nxt, end): one segment for a fast retransmit or a
 * partial ACK, everything outstanding after a timeout. Knows no queue and no connection.
 */
#ifndef RECOVERY_H
#define RECOVERY_H

#include <stdbool.h>
#include <stdint.h>

#include "cc.h"
#include "seq.h"

#define RECOVERY_DUP_THRESH 3

enum recovery_mode {
    RECOVERY_OPEN, /* no loss known */
    RECOVERY_CWR,  /* cwnd was reduced for ECN-Echo, and not all of that window is acknowledged */
    RECOVERY_FAST, /* fast recovery: cwnd is inflated */
    RECOVERY_RTO,  /* after a timeout, until everything sent before it is acknowledged */
    RECOVERY_MTU,  /* the same after the path's MTU has become less, which is no loss */
};

/* Nothing is known to be lost. */
static inline bool recovery_is_whole(enum recovery_mode mode)
{
    return mode == RECOVERY_OPEN || mode == RECOVERY_CWR;
}

struct recovery {
    enum recovery_mode mode : 8;
    bool partial_seen; /* RFC 6582 3.2 step 3: only the first partial ACK restarts the timer */
    uint32_t dup_acks;
    seq_t recover;  /* RFC 6582 3.2: highest sequence sent when recovery began */
    seq_t nxt, end; /* to be sent again; empty when equal */
};

/* iss: recover begins there (RFC 6582 3.2 step 1). */
void recovery_init(struct recovery *r, seq_t iss);

/* Whether nothing would be lost by beginning anew with una - 1. */
bool recovery_forgets(const struct recovery *r, seq_t una);

/* A duplicate ACK by RFC 5681 2's definition. Enters fast recovery at the third one, unless that
 * lies before recover; inflates cwnd afterwards. True when a retransmission of the segment at una
 * was scheduled. */
bool recovery_dup_ack(struct recovery *r, struct cc *c, seq_t una, seq_t nxt, uint64_t now_ns);

/* Limited transmit (RFC 3042 2): so many octets of new text may be in flight beyond cwnd: a segment
 * for each of the first two duplicate ACKs, when the third one would begin fast recovery. */
uint32_t recovery_beyond_cwnd(const struct recovery *r, const struct cc *c, seq_t una);

/* An ACK of new data, or none, told by ECN-Echo of congestion that nothing was done about (RFC 3168
 * 6.1.2): reduces cwnd with `flight` octets outstanding before it. What is found lost in that
 * window does not reduce it again. */
void recovery_echo(struct recovery *r, struct cc *c, uint32_t flight, seq_t una, seq_t nxt,
                   uint64_t now_ns);

/* What an ACK for new data means. */
struct recovery_ack {
    uint32_t delivered; /* octets that the peer has got: with SACK, less those it has told before */
    uint64_t rtt_ns;    /* a sample of the round trip, with SACK; 0: none */
    bool grow;          /* outside of fast recovery: the caller lets cc grow */
    bool restart_timer; /* RFC 6582 3.2 step 3 */
    bool undone;        /* the last reduction is taken back */
    uint32_t twice;     /* segments of what the peer says it has got twice (D-SACK) */
};

/* SND.UNA has moved from old_una to una. Partial ACK: schedules the next segment and deflates.
 * Full ACK: leaves recovery with cwnd as RFC 6582 3.2 step 3 (2) says. */
struct recovery_ack recovery_new_ack(struct recovery *r, struct cc *c, seq_t old_una, seq_t una,
                                     seq_t nxt);

/* The retransmission timer ran out: everything in [una, nxt) is to be sent again. first: as in
 * cc_ops.timeout. */
void recovery_timeout(struct recovery *r, struct cc *c, seq_t una, seq_t nxt, bool first,
                      uint64_t now_ns);

/* Everything in [una, nxt) is to be sent again without a sign of congestion: the peer's window has
 * opened after it was shut, or a FIN has crossed ours. Mode and recover stay. */
void recovery_resend(struct recovery *r, seq_t una, seq_t nxt);

/* All that is in flight goes again without a sign of congestion, so ssthresh does not fall; but no
 * ACKs are under way that would pace it, so one segment goes, and slow start leads to where cwnd
 * was (RFC 1191 6.4). mode: that before. */
void recovery_slow_start(struct cc *c, enum recovery_mode mode);

/* What is in flight was too big for the path: everything in [una, nxt) is to be sent again, in
 * segments of c->mss, so. */
void recovery_too_big(struct recovery *r, struct cc *c, seq_t una, seq_t nxt);

/* Whether something is to be sent again. */
static inline bool recovery_pending(const struct recovery *r)
{
    return seq_lt(r->nxt, r->end);
}

/* [r->nxt, end) was sent again. */
void recovery_resent(struct recovery *r, seq_t end);

/* Octets taken to be in the network: all outstanding but those in [r->nxt, r->end), so after a
 * timeout only what was sent since. In fast recovery simply nxt - una, since cwnd is inflated
 * instead; the segment at una (r->nxt == una) is then sent again without regard to cwnd, the rest
 * of a longer range is not. */
uint32_t recovery_flight(const struct recovery *r, seq_t una, seq_t nxt);

#endif
