/*
 * Congestion control: how much may be in flight (RFC 5681). What was lost and what to send again is
 * recovery.h's matter.
 *
 * An algorithm is a const table of calls over struct cc. Counts are octets. All arithmetic
 * saturates and keeps cwnd >= 1 SMSS, ssthresh >= 2 SMSS.
 */
#ifndef CC_H
#define CC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ackrate.h"
#include "hystart.h"
#include "seq.h"

#define CC_SSTHRESH_INITIAL UINT32_MAX /* RFC 5681 3.1: arbitrarily high */
#define CC_CWND_MAX         (UINT32_C(1) << 30)

/* At most so many SMSS of acknowledged octets count per ACK in slow start: receivers acknowledge
 * once per super-segment, so RFC 5681's one SMSS per ACK would crawl (RFC 3465, RFC 9406 4.2).
 * Where pacing spreads what an ACK lets go, all of them count (RFC 9406 4.3). */
#define CC_ABC_LIMIT 8

struct cc;

/* New text was acknowledged, outside of fast recovery. */
struct cc_ack {
    uint32_t octets;
    bool used;       /* cwnd was in use, so it may grow (RFC 9438 5.8) */
    bool paced;      /* what it lets go is */
    seq_t una, nxt;  /* SND.UNA after it, SND.NXT */
    uint64_t rtt_ns; /* the sample that it gives; 0: none */
    uint64_t srtt_ns;
    uint64_t now_ns;
};

struct cc_ops {
    const char *name; /* as TCP_CONGESTION takes it */

    void (*acked)(struct cc *c, const struct cc_ack *ack);

    /* A loss was inferred from duplicate ACKs with `flight` octets outstanding: sets ssthresh
     * (RFC 5681 eqn. 4, RFC 9438 4.6) and cwnd to it. */
    void (*loss)(struct cc *c, uint32_t flight, uint64_t now_ns);

    /* The retransmission timer ran out. first: not yet for this segment; only then ssthresh changes
     * (RFC 5681 3.1). cwnd becomes one SMSS, the loss window. */
    void (*timeout)(struct cc *c, uint32_t flight, bool first, uint64_t now_ns);
};

enum cc_stage {
    CC_FIRST_SLOW_START, /* ssthresh is CC_SSTHRESH_INITIAL: no sign of congestion yet */
    CC_SLOW_START,       /* and fast recovery: congestion avoidance is to begin */
    CC_AVOIDANCE,        /* a stage of congestion avoidance has begun */
};

/* What CUBIC knows, by RFC 9438 4.1.2's names. */
struct cubic {
    uint32_t w_max; /* 0: undefined */
    uint32_t cwnd_prior;
    bool timed_out; /* the next stage is the first after a timeout (4.8) */

    /* Of the stage. */
    uint32_t k_ms;
    uint32_t w_est;
    uint32_t t_us;    /* without the time in which cwnd was not in use; UINT32_MAX: or more */
    uint32_t last_us; /* when an ACK last came, modulo 2^32 */
};

/* Everything about an algorithm is here and nothing elsewhere: who finds that a reduction was
 * spurious may put a copy from before it back (RFC 9438 4.9.2). */
struct cc {
    const struct cc_ops *ops;
    uint32_t mss; /* SMSS */
    uint32_t cwnd, ssthresh;

    /* Octets acknowledged in this stage of congestion avoidance since cwnd last grew; with CUBIC:
     * since W_est did. */
    uint32_t acked;

    /* SMSS that count per ACK in slow start: CC_ABC_LIMIT, but 1 while recovery.h repairs what a
     * timeout has found lost (RFC 3465 2.3: such ACKs cover text that arrived long before). */
    uint8_t abc_limit;
    enum cc_stage stage : 8;
    bool cwr; /* cwnd was reduced, and no new text has told the peer yet (RFC 3168 6.1.2) */

    union {
        struct { /* of CUBIC, in the first slow start */
            struct hystart hystart;
            struct ackrate ackrate;
        };
        struct cubic cubic; /* from then on */
    };
};

/* What a connection that rests keeps of it. When it goes on, a stage of congestion avoidance begins
 * anew, below W_max where it was on the curve, and HyStart++ with a new round. */
struct cc_rest {
    uint32_t cwnd, ssthresh;
    uint32_t w_max; /* cubic's */
    uint16_t mss;   /* SMSS of then */
    bool first : 1; /* CC_FIRST_SLOW_START */
    bool cwr : 1;
    /* RACK's, for which there is room here; rack_rest(). */
    bool reordering_seen : 1;
    uint8_t reo_wnd_persist : 5;
    uint8_t reo_wnd_mult;
};

extern const struct cc_ops cc_newreno; /* "reno": RFC 5681, with byte counting */
extern const struct cc_ops cc_cubic;   /* "cubic": RFC 9438, with HyStart++ (RFC 9406) */

/* The algorithm of this name, of `len` octets; NULL: there is none. */
const struct cc_ops *cc_find(const char *name, size_t len);

/* The initial window of RFC 6928: 10 SMSS, 2 of large ones; 1 SMSS when the SYN was lost. */
void cc_init(struct cc *c, const struct cc_ops *ops, uint32_t mss, bool syn_lost);

void cc_rest(const struct cc *c, struct cc_rest *r);

/* It goes on, with this algorithm and SMSS, whatever they were. */
void cc_resume(struct cc *c, const struct cc_rest *r, const struct cc_ops *ops, uint32_t mss);

/* What cc_ops has for a sign of congestion; and the peer is to be told. */
void cc_loss(struct cc *c, uint32_t flight, uint64_t now_ns);
void cc_timeout(struct cc *c, uint32_t flight, bool first, uint64_t now_ns);

/* The same of ECN-Echo, with `flight` octets outstanding before: as of a loss, but that cwnd goes
 * down to one SMSS (RFC 3168 6.1.2, RFC 9438 4.6). */
void cc_echo(struct cc *c, uint32_t flight, uint64_t now_ns);

/* The effective MSS has changed. */
void cc_set_mss(struct cc *c, uint32_t mss);

/* Another algorithm from now on: as in Linux, cwnd and ssthresh stay. */
void cc_change(struct cc *c, const struct cc_ops *ops);

/* RFC 5681 4.1: nothing was sent for more than one RTO: back to at most the initial window. */
void cc_idle(struct cc *c);

/* cwnd or ssthresh was set by others than the algorithm: the stage of congestion avoidance is over,
 * and what HyStart++ knew of the round trips was that of another window. */
void cc_stage_over(struct cc *c);

/* ---- For the algorithms ---- */

/* The first slow start is over, and so is the stage of congestion avoidance. */
void cc_congested(struct cc *c);

/* cwnd += n, up to CC_CWND_MAX. n <= CC_CWND_MAX. */
void cc_grow(struct cc *c, uint32_t n);

/* Octets of the ACK that open cwnd in slow start: RFC 9406 4.2's min(N, L * SMSS). */
uint32_t cc_counted(const struct cc *c, const struct cc_ack *ack);

/* Slow start, while cwnd < ssthresh, up to that; returns the octets that are left for congestion
 * avoidance. */
uint32_t cc_slow_start(struct cc *c, const struct cc_ack *ack);

#endif
