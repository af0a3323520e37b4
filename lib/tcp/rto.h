/*
 * The retransmission timeout: RTT samples, SRTT, RTTVAR, backoff (RFC 6298; RFC 9293 MUST-18).
 *
 * One segment at a time is timed. Karn's rule: a timed segment that is sent again is no longer
 * timed, but by its timestamp where there is one. The timer itself is the connection's; this file
 * only says how long it runs.
 */
#ifndef RTO_H
#define RTO_H

#include <stdbool.h>
#include <stdint.h>

#include "nstime.h"
#include "seq.h"

/* In microseconds: 32 bits of them are more than an hour. */
struct rto {
    uint32_t srtt_us, rttvar_us; /* RFC 6298 2; 0 before the first sample */
    uint32_t base_us;            /* RTO before backoff */
    uint8_t backoff;             /* times the timer has run out since the last sample */
    bool has_sample;
};

/* The segment that is timed. */
struct rto_timed {
    bool timing;
    bool again;     /* it was sent again, so by timestamp only */
    seq_t end;      /* the sample is taken when an ACK reaches this */
    uint64_t at_ns; /* when it went, or what lies before it and is to be acknowledged first */
};

/* initial_ns: RTO before the first sample (RFC 6298 2.1). */
void rto_init(struct rto *r, uint64_t initial_ns);

static inline uint64_t rto_srtt_ns(const struct rto *r)
{
    return r->srtt_us * NS_PER_US;
}

static inline uint64_t rto_rttvar_ns(const struct rto *r)
{
    return r->rttvar_us * NS_PER_US;
}

/* How long the timer runs now: base << backoff, at most max_ns. */
uint64_t rto_get(const struct rto *r, uint64_t max_ns);

/* Text, SYN or FIN up to `end` is sent for the first time: time it, unless something is timed. */
void rto_sent(struct rto_timed *timed, seq_t end, uint64_t now_ns);

/* [from, end) is sent again. Karn's rule (RFC 6298 3) forbids a sample from it; what lies behind it
 * gives none either, because its ACK waits until the loss is repaired: such samples are as long as
 * the RTO and would make it grow without end. With timestamps (ts) the echo may tell that what was
 * sent last is what was acknowledged: that is a sample, still one in a round trip. */
void rto_resent(struct rto_timed *timed, seq_t from, seq_t end, bool ts, uint64_t now_ns);

/* An ACK for something new, up to `ack`, has arrived: true when it gave a sample, which alone ends
 * the backoff: an ACK of what was sent twice may be late for the first sending, because the path
 * has become slower than the RTO. var_min_ns: so much at least RTO is above SRTT; never less than
 * G. RFC 6298 2.4 has a minimum for RTO as a whole; Linux has it for the variance; so do we,
 * because on a path whose round trip alone is longer than the minimum the whole's would leave no
 * time at all for an ACK that is delayed.
 *
 * ts_rtt_ns: what its timestamp tells (RFC 7323 4.1), 0: nothing. It is asked only for what was
 * sent again: else our own clock is finer than its ms, and as one sample in a round trip is what
 * RFC 6298 means, more would gain nothing (RFC 7323 4.2). Nor does an echo from before the last
 * sending give a sample: it may be that the ACK of an earlier one was lost (Appendix E). */
bool rto_acked(struct rto *r, struct rto_timed *timed, seq_t ack, uint64_t ts_rtt_ns,
               uint64_t var_min_ns, uint64_t now_ns);

/* RFC 6298 5.5: the timer has run out. */
void rto_backoff(struct rto *r);

/* RFC 6298 5.7: the SYN had to be sent again and is acknowledged now: the RTO of the data begins at
 * 3 s at least while there is no sample. Ends the backoff. */
void rto_after_syn(struct rto *r);

#endif
