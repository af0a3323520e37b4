/*
 * Congestion control as RFC 5681 has it, with acknowledged octets counted (RFC 3465 2.1-2.3,
 * RFC 9406 4.2). Called through cc_newreno only, by the connection and by recovery.c, which adds
 * and takes away fast recovery's inflation itself.
 *
 * Does not pace, that is pacing.h's.
 */
#include "cc.h"

#include "minmax.h"

/* RFC 3465 2.1. One ACK counts for at most one window, so that cwnd never grows by more than one
 * SMSS per ACK (RFC 5681 3.1) and `acked` stays below cwnd. */
static void avoid_congestion(struct cc *c, uint32_t octets)
{
    c->stage = CC_AVOIDANCE;
    c->acked += min_u32(octets, c->cwnd);
    if (c->acked >= c->cwnd) {
        c->acked -= c->cwnd;
        cc_grow(c, c->mss);
    }
}

static void newreno_acked(struct cc *c, const struct cc_ack *ack)
{
    uint32_t octets = ack->octets;
    if (!ack->used)
        return;
    if (c->cwnd < c->ssthresh)
        octets = cc_slow_start(c, ack);
    if (c->cwnd >= c->ssthresh)
        avoid_congestion(c, octets);
}

/* RFC 5681 equation (4). */
static uint32_t reduced(const struct cc *c, uint32_t flight)
{
    uint32_t floor = 2 * c->mss;
    return flight / 2 > floor ? flight / 2 : floor;
}

static void newreno_loss(struct cc *c, uint32_t flight, uint64_t now_ns)
{
    (void)now_ns;
    c->ssthresh = reduced(c, flight);
    c->cwnd = min_u32(c->ssthresh, CC_CWND_MAX);
    cc_congested(c);
}

static void newreno_timeout(struct cc *c, uint32_t flight, bool first, uint64_t now_ns)
{
    (void)now_ns;
    if (first)
        c->ssthresh = reduced(c, flight);
    c->cwnd = c->mss;
    cc_congested(c);
}

const struct cc_ops cc_newreno = {
    .name = "reno",
    .acked = newreno_acked,
    .loss = newreno_loss,
    .timeout = newreno_timeout,
};
