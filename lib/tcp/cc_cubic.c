/*
 * CUBIC (RFC 9438), with HyStart++ (RFC 9406) for the first slow start. Called through cc_cubic
 * only, as cc_newreno.c is. The curve is in cubic.c.
 *
 * All is octets: where RFC 9438 4.4 and 4.5 have cwnd grow per ACK, it grows here per SMSS that the
 * ACK covers, as in Linux, because receivers acknowledge more than one at once.
 *
 * RFC 9438 4.10 says slow start as long as cwnd is no more than ssthresh; with congestion avoidance
 * from ssthresh on we follow RFC 5681 3.1, which leaves it open, because a reduction ends there
 * (4.6), and congestion avoidance is to follow it (3.1).
 */
#include "cc.h"

#include "cubic.h"
#include "minmax.h"
#include "nstime.h"

/* 4.7: `cwnd` was there before the reduction. Fast convergence is always on: whether there are
 * other flows a sender can't know. */
static void remember(struct cubic *q, uint32_t cwnd)
{
    /* (1 + beta) / 2 */
    q->w_max = cwnd < q->w_max ? (uint32_t)(UINT64_C(17) * cwnd / 20) : cwnd;
    q->cwnd_prior = cwnd;
    q->timed_out = false; /* the stage to come is the first after this */
}

/* 4.6, with beta 0.7. */
static uint32_t reduced(const struct cc *c, uint32_t flight)
{
    return max_u32((uint32_t)(UINT64_C(7) * flight / 10), 2 * c->mss);
}

static void cubic_loss(struct cc *c, uint32_t flight, uint64_t now_ns)
{
    (void)now_ns;
    uint32_t cwnd = c->cwnd;
    c->ssthresh = reduced(c, flight);
    c->cwnd = min_u32(c->ssthresh, CC_CWND_MAX);
    cc_congested(c);
    remember(&c->cubic, cwnd);
}

/* 4.8 */
static void cubic_timeout(struct cc *c, uint32_t flight, bool first, uint64_t now_ns)
{
    (void)now_ns;
    uint32_t cwnd = c->cwnd;
    c->cwnd = c->mss;
    cc_congested(c);
    if (first) {
        c->ssthresh = reduced(c, flight);
        remember(&c->cubic, cwnd);
    }
    c->cubic.timed_out = true;
}

/* RFC 9406 4.2, and ackrate.h. */
static void first_slow_start(struct cc *c, const struct cc_ack *ack)
{
    bool begins = hystart_round_begins(&c->hystart, ack->una);
    bool found = ackrate_acked(&c->ackrate, c->cwnd, begins, ack);
    uint32_t n = cc_counted(c, ack);
    if (hystart_css(&c->hystart))
        n /= HYSTART_CSS_GROWTH_DIVISOR;
    cc_grow(c, min_u32(n, ackrate_room(&c->ackrate, c->cwnd)));
    if (hystart_acked(&c->hystart, ack->una, ack->nxt, ack->rtt_ns) || found) {
        cc_congested(c);
        c->ssthresh = max_u32(c->cwnd, 2 * c->mss);
        c->cubic.cwnd_prior = c->cwnd; /* RFC 9438 4.10 */
    }
}

/* The plateau is here after a timeout (4.8) and after HyStart++ (4.10). So it is where cwnd has
 * outgrown W_max: after silence it has come down to a window that is still larger. */
static void begin_stage(struct cc *c, uint32_t now_us)
{
    struct cubic *q = &c->cubic;
    if (q->timed_out || q->w_max < c->cwnd)
        q->w_max = c->cwnd;
    q->timed_out = false;
    q->k_ms = cubic_k_ms(q->w_max - c->cwnd, c->mss);
    q->w_est = c->cwnd;
    q->t_us = 0;
    q->last_us = now_us;
    c->stage = CC_AVOIDANCE;
}

/* Figure 4, in whole segments as cc_newreno.c has it: W_est grows by one for each cwnd / alpha
 * octets, where alpha is 3 * (1 - beta) / (1 + beta), 9/17, and 1 from cwnd_prior on. */
static void grow_estimate(struct cc *c, uint32_t octets)
{
    struct cubic *q = &c->cubic;
    uint32_t enough = q->w_est < q->cwnd_prior ? (uint32_t)(UINT64_C(17) * c->cwnd / 9) : c->cwnd;
    c->acked += octets;
    if (c->acked >= enough) {
        c->acked -= enough;
        q->w_est = min_u32(q->w_est + c->mss, CC_CWND_MAX);
    }
}

/* 4.4, 4.5: towards where the curve will be in a round trip. Rounded up: where it is flat, small
 * ACKs would else not move cwnd at all. It stays below target all the same. */
static void follow_curve(struct cc *c, uint32_t octets, uint32_t srtt_us)
{
    const struct cubic *q = &c->cubic;
    uint64_t at_ms = ((uint64_t)q->t_us + srtt_us) / 1000;
    uint64_t target = cubic_window(q->w_max, q->k_ms, at_ms, c->mss);
    target = min_u64(max_u64(target, c->cwnd), (uint64_t)c->cwnd + c->cwnd / 2);
    cc_grow(c, (uint32_t)(((target - c->cwnd) * octets + c->cwnd - 1) / c->cwnd));
}

/* 4.2, 4.3. t leaves out what is longer than a round trip, too: while cwnd is in use there is at
 * least one ACK in each, so before that nothing was in flight, or nothing came back. */
static void avoid_congestion(struct cc *c, uint32_t octets, const struct cc_ack *ack)
{
    struct cubic *q = &c->cubic;
    uint32_t now_us = (uint32_t)(ack->now_ns / NS_PER_US);
    uint32_t srtt_us = time_us(ack->srtt_ns);
    if (c->stage != CC_AVOIDANCE)
        begin_stage(c, now_us);
    uint32_t since_us = min_u32(now_us - q->last_us, srtt_us);
    q->last_us = now_us;
    if (octets == 0)
        return;
    q->t_us = q->t_us > UINT32_MAX - since_us ? UINT32_MAX : q->t_us + since_us;
    octets = min_u32(octets, c->cwnd);
    grow_estimate(c, octets);
    if (cubic_window(q->w_max, q->k_ms, q->t_us / 1000, c->mss) < q->w_est)
        c->cwnd = max_u32(c->cwnd, q->w_est);
    else
        follow_curve(c, octets, srtt_us);
}

static void cubic_acked(struct cc *c, const struct cc_ack *ack)
{
    if (c->stage == CC_FIRST_SLOW_START) {
        first_slow_start(c, ack);
        return;
    }
    uint32_t octets = ack->used ? ack->octets : 0;
    if (c->cwnd < c->ssthresh)
        octets = cc_slow_start(c, ack);
    if (c->cwnd >= c->ssthresh)
        avoid_congestion(c, octets, ack);
}

const struct cc_ops cc_cubic = {
    .name = "cubic",
    .acked = cubic_acked,
    .loss = cubic_loss,
    .timeout = cubic_timeout,
};
