/*
 * The retransmission timeout: RTT samples, SRTT, RTTVAR, backoff (RFC 6298; RFC 9293 MUST-18).
 *
 * One segment at a time is timed. Karn's rule: a timed segment that is sent again is no longer
 * timed. The timer itself is the connection's; this file only says how long it runs.
 */
#ifndef RTO_H
#define RTO_H

#include <stdbool.h>
#include <stdint.h>

#include "seq.h"

struct rto {
    uint64_t srtt_ns, rttvar_ns; /* RFC 6298 2; 0 before the first sample */
    uint64_t base_ns;            /* RTO before backoff */
    uint32_t backoff;            /* times the timer has run out since the last sample */
    uint64_t var_min_ns, max_ns;
    bool has_sample;
    bool timing;
    seq_t timed_end; /* the sample is taken when an ACK reaches this */
    uint64_t timed_at_ns;
};

/* initial_ns: RTO before the first sample (RFC 6298 2.1). var_min_ns: so much at least RTO is above
 * SRTT; never less than G. RFC 6298 2.4 has a minimum for RTO as a whole; Linux has it for the
 * variance; so do we, because on a path whose round trip alone is longer than the minimum the
 * whole's would leave no time at all for an ACK that is delayed. */
void rto_init(struct rto *r, uint64_t initial_ns, uint64_t var_min_ns, uint64_t max_ns);

/* How long the timer runs now: base << backoff, at most max_ns. */
uint64_t rto_get(const struct rto *r);

/* Text, SYN or FIN up to `end` is sent for the first time: time it, unless something is timed. */
void rto_sent(struct rto *r, seq_t end, uint64_t now_ns);

/* Something is sent again. Karn's rule (RFC 6298 3) forbids a sample from it; what lies behind it
 * gives none either, because its ACK waits until the loss is repaired: such samples are as long as
 * the RTO and would make it grow without end. */
void rto_resent(struct rto *r);

/* An ACK for something new, up to `ack`, has arrived: true when it gave a sample, which alone ends
 * the backoff: an ACK of what was sent twice may be late for the first sending, because the path
 * has become slower than the RTO. */
bool rto_acked(struct rto *r, seq_t ack, uint64_t now_ns);

/* RFC 6298 5.5: the timer has run out. */
void rto_backoff(struct rto *r);

/* RFC 6298 5.7: the SYN had to be sent again and is acknowledged now: the RTO of the data begins at
 * 3 s at least while there is no sample. Ends the backoff. */
void rto_after_syn(struct rto *r);

#endif
