/*
 * Loss recovery with SACK: what recovery.h is without. Losses are told by RACK-TLP (RFC 8985) from
 * the scoreboard; fast recovery goes by RFC 6675's rules with PRR (RFC 6937), and so does cwnd
 * after ECN-Echo (RFC 3168); a reduction that D-SACKs or timestamps show to have been for nothing
 * is undone (RFC 3522, RFC 4015).
 *
 * Knows no queue and no connection. Between its calls the records cover [SND.UNA, SND.NXT).
 */
#ifndef SACK_RECOVERY_H
#define SACK_RECOVERY_H

#include <stdbool.h>
#include <stdint.h>

#include "cc.h"
#include "eifel.h"
#include "prr.h"
#include "rack.h"
#include "recovery.h"
#include "seg.h"

struct sack_recovery {
    struct scoreboard board;
    struct rack rack;
    struct prr prr;
    enum recovery_mode mode : 8;
    seq_t recover; /* SND.NXT when recovery began (RFC 6675 5's RecoveryPoint); when it is over it
                    * follows SND.UNA */
    seq_t una;     /* SND.UNA then */

    /* Undo: while it may be found that all was for nothing. */
    bool may_undo;
    seq_t again, again_end; /* what was sent again lies between */
    uint32_t resent;        /* octets of it, less those the peer says it has got twice */
    seq_t undo_end;         /* once that is acknowledged, no D-SACK of it is to come */
    struct cc before;       /* what an undo brings back */
    struct eifel eifel;

    /* The most that was outstanding in the round trip in which text was last sent, up to there. */
    uint32_t load;
    seq_t load_end;
};

/* tcp_recovery: see rack.h. */
void sack_recovery_init(struct sack_recovery *r, struct mem *mem, seq_t una, uint8_t tcp_recovery);
void sack_recovery_finish(struct sack_recovery *r);

/* Whether nothing would be lost by beginning anew, with nothing outstanding, but for what
 * rack_rest() keeps. */
bool sack_recovery_forgets(const struct sack_recovery *r);

/* A probe was the last segment again, and no ACK has told yet whether that was lost. */
bool sack_recovery_unclear(const struct sack_recovery *r);

/* It begins anew when more is sent: it is said now that the segment was lost (RFC 8985 7.4.2). */
void sack_recovery_rest(struct sack_recovery *r, struct cc *c, uint64_t now_ns);

/* An ACK, and what is known beside it. */
struct sack_ack {
    const struct seg *seg;
    seq_t una, nxt;       /* SND.UNA after it, SND.NXT */
    bool advances;        /* SND.UNA has moved */
    bool duplicate;       /* by RFC 5681 2 */
    uint64_t echo_end_ns; /* what its timestamp echoes went before that; TIME_NEVER: not known */
    bool echo;            /* it has ECN-Echo */
    bool news;            /* of which nothing is known yet: see recovery_echo() */
    uint32_t outstanding; /* octets, before it */
    uint32_t wnd_max;     /* MAX.SND.WND */
    uint64_t srtt_ns, now_ns;
};

/* What it means: see recovery.h. */
struct recovery_ack sack_recovery_ack(struct sack_recovery *r, struct cc *c,
                                      const struct sack_ack *ack);

/* The end of the reordering window: like an ACK that says nothing new. */
void sack_recovery_reo_timeout(struct sack_recovery *r, struct cc *c, seq_t una, seq_t nxt,
                               uint64_t srtt_ns, uint64_t now_ns);

/* The retransmission timer ran out; first: as in cc_ops.timeout. */
void sack_recovery_timeout(struct sack_recovery *r, struct cc *c, seq_t una, seq_t nxt, bool first,
                           uint64_t srtt_ns, uint64_t now_ns);

/* All that is not SACKed is to be sent again: the same as recovery_resend(), recovery_too_big(). */
void sack_recovery_resend(struct sack_recovery *r);
void sack_recovery_too_big(struct sack_recovery *r, struct cc *c, seq_t nxt);

/* [from, end) was sent, of which what lies below `nxt` not for the first time. */
void sack_recovery_sent(struct sack_recovery *r, seq_t from, seq_t end, seq_t nxt, uint64_t now_ns);

/* Whether a probe (RFC 8985 7.2) is to be scheduled: after new text, or an ACK that advances. */
bool sack_recovery_probes(const struct sack_recovery *r);

#endif
