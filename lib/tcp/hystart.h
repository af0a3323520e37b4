/*
 * HyStart++ (RFC 9406): tells from the round trips when slow start has found the capacity of the
 * path, before packets are lost. Knows no window: cc_cubic.c grows it. The rate of the ACKs tells
 * sooner, where they come close together: ackrate.h.
 *
 * With less than N_RTT_SAMPLE samples in a round it never speaks. With SACK each ACK gives one
 * (sack_recovery.h); without it rto.h times one segment a round trip, and slow start ends by a
 * loss.
 */
#ifndef HYSTART_H
#define HYSTART_H

#include <stdbool.h>
#include <stdint.h>

#include "seq.h"

#define HYSTART_CSS_GROWTH_DIVISOR 4

/* All zero: at the beginning. RTTs are in microseconds; 0 stands for infinity. */
struct hystart {
    seq_t window_end;    /* windowEnd */
    uint32_t last_us;    /* lastRoundMinRTT */
    uint32_t current_us; /* currentRoundMinRTT */
    uint32_t css_us;     /* cssBaselineMinRtt; infinity outside of CSS */
    uint8_t samples;     /* rttSampleCount, which stops at N_RTT_SAMPLE */
    uint8_t css_rounds;  /* complete ones */
    bool begun;          /* windowEnd is set */
};

/* An ACK in slow start or CSS: SND.UNA and SND.NXT after it, and the RTT that it gives as a sample;
 * 0: none. True when CSS has had its rounds: congestion avoidance begins. */
bool hystart_acked(struct hystart *h, seq_t una, seq_t nxt, uint64_t rtt_ns);

/* Whether an ACK up to here begins a round: hystart_acked() has not seen it yet. */
static inline bool hystart_round_begins(const struct hystart *h, seq_t una)
{
    return !h->begun || seq_lt(h->window_end, una);
}

/* In Conservative Slow Start: cwnd grows by so much less. */
static inline bool hystart_css(const struct hystart *h)
{
    return h->css_us > 0;
}

#endif
