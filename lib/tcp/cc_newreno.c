/*
 * Congestion control as RFC 5681 has it, with acknowledged octets counted (RFC 3465 2.1-2.3,
 * RFC 9406 4.2). Called through cc_newreno only, by the connection and by recovery.c, which adds
 * and takes away fast recovery's inflation itself.
 *
 * Does not pace: a burst is as large as an ACK allows.
 */
#include "cc.h"

#include "minmax.h"

/* n <= CC_CWND_MAX. */
static void grow(struct cc *c, uint32_t n)
{
    if (c->cwnd < CC_CWND_MAX)
        c->cwnd = min_u32(c->cwnd + n, CC_CWND_MAX);
}

/* Slow start up to ssthresh; returns the octets that are left for congestion avoidance. Letting all
 * of them open the window would overshoot ssthresh by up to abc_limit SMSS; dropping them would
 * cost a part of a round trip. Counting them on is exact. */
static uint32_t slow_start(struct cc *c, uint32_t bytes)
{
    uint32_t count = min_u32(bytes, c->abc_limit * c->mss);
    uint32_t step = min_u32(count, c->ssthresh - c->cwnd);
    grow(c, step);
    return count - step;
}

/* RFC 3465 2.1. One ACK counts for at most one window, so that cwnd never grows by more than one
 * SMSS per ACK (RFC 5681 3.1) and `acked` stays below cwnd. */
static void avoid_congestion(struct cc *c, uint32_t bytes)
{
    c->acked += min_u32(bytes, c->cwnd);
    if (c->acked >= c->cwnd) {
        c->acked -= c->cwnd;
        grow(c, c->mss);
    }
}

static void newreno_acked(struct cc *c, uint32_t bytes, uint64_t now_ns)
{
    (void)now_ns;
    if (c->cwnd < c->ssthresh)
        bytes = slow_start(c, bytes);
    if (c->cwnd >= c->ssthresh)
        avoid_congestion(c, bytes);
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
    c->acked = 0;
}

static void newreno_timeout(struct cc *c, uint32_t flight, bool first, uint64_t now_ns)
{
    (void)now_ns;
    if (first)
        c->ssthresh = reduced(c, flight);
    c->cwnd = c->mss;
    c->acked = 0;
}

const struct cc_ops cc_newreno = {
    .name = "reno",
    .acked = newreno_acked,
    .loss = newreno_loss,
    .timeout = newreno_timeout,
};
