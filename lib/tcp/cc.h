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
#include <stdint.h>

#define CC_SSTHRESH_INITIAL UINT32_MAX /* RFC 5681 3.1: arbitrarily high */
#define CC_CWND_MAX         (UINT32_C(1) << 30)

/* At most so many SMSS of acknowledged octets count per ACK in slow start: receivers acknowledge
 * once per super-segment, so RFC 5681's one SMSS per ACK would crawl (RFC 3465, RFC 9406 4.2). */
#define CC_ABC_LIMIT 8

struct cc;

struct cc_ops {
    const char *name; /* as TCP_CONGESTION takes it */

    /* `bytes` new octets were acknowledged outside of recovery, while cwnd was in use. */
    void (*acked)(struct cc *c, uint32_t bytes, uint64_t now_ns);

    /* A loss was inferred from duplicate ACKs with `flight` octets outstanding: sets ssthresh
     * (RFC 5681 eqn. 4) and cwnd to it. */
    void (*loss)(struct cc *c, uint32_t flight, uint64_t now_ns);

    /* The retransmission timer ran out. first: not yet for this segment; only then ssthresh changes
     * (RFC 5681 3.1). cwnd becomes one SMSS, the loss window. */
    void (*timeout)(struct cc *c, uint32_t flight, bool first, uint64_t now_ns);
};

struct cc {
    const struct cc_ops *ops;
    uint32_t mss; /* SMSS */
    uint32_t cwnd, ssthresh;
    uint32_t acked; /* octets acknowledged in congestion avoidance since cwnd last grew */

    /* SMSS that count per ACK in slow start: CC_ABC_LIMIT, but 1 while recovery.h repairs what a
     * timeout has found lost (RFC 3465 2.3: such ACKs cover text that arrived long before). */
    uint32_t abc_limit;
};

extern const struct cc_ops cc_newreno; /* RFC 5681, with byte counting */

/* The initial window of RFC 6928: 10 SMSS, 2 of large ones; 1 SMSS when the SYN was lost. */
void cc_init(struct cc *c, const struct cc_ops *ops, uint32_t mss, bool syn_lost);

/* The effective MSS has changed. */
void cc_set_mss(struct cc *c, uint32_t mss);

/* RFC 5681 4.1: nothing was sent for more than one RTO: back to at most the initial window. */
void cc_idle(struct cc *c);

#endif
