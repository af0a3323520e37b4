/*
 * What every congestion control algorithm shares: the initial window (RFC 6928), slow start, a
 * change of the MSS and the restart after idleness (RFC 5681 3.1, 4.1), their names. For the
 * connection. How the window grows and shrinks otherwise is each algorithm's own.
 */
#include "cc.h"

#include <string.h>

#include "check.h"
#include "minmax.h"

const struct cc_ops *cc_find(const char *name, size_t len)
{
    static const struct cc_ops *const all[] = {&cc_cubic, &cc_newreno};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (strlen(all[i]->name) == len && memcmp(all[i]->name, name, len) == 0)
            return all[i];
    }
    return NULL;
}

/* RFC 6928 2. */
static uint32_t initial_window(uint32_t mss)
{
    return min_u32(10 * mss, max_u32(2 * mss, 14600));
}

/* SMSS comes from a 16-bit option or an MTU; with 0 nothing could ever be sent. */
static uint32_t valid_mss(uint32_t mss)
{
    return CHECK(mss > 0 && mss <= UINT16_MAX) ? mss : 1;
}

void cc_init(struct cc *c, const struct cc_ops *ops, uint32_t mss, bool syn_lost)
{
    mss = valid_mss(mss);
    *c = (struct cc){
        .ops = ops,
        .mss = mss,
        .cwnd = syn_lost ? mss : initial_window(mss),
        .ssthresh = CC_SSTHRESH_INITIAL,
        .abc_limit = CC_ABC_LIMIT,
    };
}

void cc_rest(const struct cc *c, struct cc_rest *r)
{
    bool first = c->stage == CC_FIRST_SLOW_START;
    *r = (struct cc_rest){
        .cwnd = c->cwnd,
        .ssthresh = c->ssthresh,
        .w_max = first || c->cubic.timed_out ? 0 : c->cubic.w_max,
        .mss = (uint16_t)c->mss,
        .first = first,
        .cwr = c->cwr,
    };
}

/* cwnd_prior, where W_est begins to grow as fast as cwnd, is W_max but for fast convergence. */
void cc_resume(struct cc *c, const struct cc_rest *r, const struct cc_ops *ops, uint32_t mss)
{
    *c = (struct cc){
        .ops = ops,
        .mss = r->mss,
        .cwnd = r->cwnd,
        .ssthresh = r->ssthresh,
        .abc_limit = CC_ABC_LIMIT,
        .cwr = r->cwr,
        .stage = r->first ? CC_FIRST_SLOW_START : CC_SLOW_START,
    };
    if (!r->first)
        c->cubic = (struct cubic){.w_max = r->w_max, .cwnd_prior = r->w_max};
    if (mss != r->mss)
        cc_set_mss(c, mss);
}

void cc_loss(struct cc *c, uint32_t flight, uint64_t now_ns)
{
    c->ops->loss(c, flight, now_ns);
    c->cwr = true;
}

void cc_timeout(struct cc *c, uint32_t flight, bool first, uint64_t now_ns)
{
    c->ops->timeout(c, flight, first, now_ns);
    c->cwr = true;
}

/* Below 2 SMSS cwnd is halved, whatever the algorithm does above. */
void cc_echo(struct cc *c, uint32_t flight, uint64_t now_ns)
{
    cc_loss(c, flight, now_ns);
    if (c->cwnd <= 2 * c->mss)
        c->cwnd = max_u32(min_u32(c->cwnd, flight / 2), c->mss);
}

/* RFC 5681 3.1: a smaller MSS takes cwnd down in proportion, so that as many segments as before may
 * be in flight and not more. A larger one leaves the octets as they are. */
void cc_set_mss(struct cc *c, uint32_t mss)
{
    mss = valid_mss(mss);
    if (mss < c->mss)
        c->cwnd = (uint32_t)((uint64_t)c->cwnd * mss / c->mss);
    if (c->cwnd < mss)
        c->cwnd = mss;
    if (c->ssthresh < 2 * mss)
        c->ssthresh = 2 * mss;
    c->mss = mss;
    cc_stage_over(c);
}

void cc_change(struct cc *c, const struct cc_ops *ops)
{
    *c = (struct cc){
        .ops = ops,
        .mss = c->mss,
        .cwnd = c->cwnd,
        .ssthresh = c->ssthresh,
        .abc_limit = c->abc_limit,
        .cwr = c->cwr,
        .stage = c->stage == CC_FIRST_SLOW_START ? CC_FIRST_SLOW_START : CC_SLOW_START,
    };
}

void cc_idle(struct cc *c)
{
    uint32_t restart = initial_window(c->mss);
    if (c->cwnd <= restart)
        return;
    c->cwnd = restart;
    cc_stage_over(c);
}

void cc_stage_over(struct cc *c)
{
    if (c->stage == CC_AVOIDANCE)
        c->stage = CC_SLOW_START;
    if (c->stage == CC_FIRST_SLOW_START) {
        c->hystart = (struct hystart){0};
        c->ackrate = (struct ackrate){0};
    }
    c->acked = 0;
}

void cc_congested(struct cc *c)
{
    if (c->stage == CC_FIRST_SLOW_START)
        c->cubic = (struct cubic){0};
    c->stage = CC_SLOW_START;
    c->acked = 0;
}

void cc_grow(struct cc *c, uint32_t n)
{
    if (c->cwnd < CC_CWND_MAX)
        c->cwnd = min_u32(c->cwnd + n, CC_CWND_MAX);
}

uint32_t cc_counted(const struct cc *c, const struct cc_ack *ack)
{
    if (!ack->used)
        return 0;
    if (ack->paced && c->abc_limit == CC_ABC_LIMIT)
        return ack->octets;
    return min_u32(ack->octets, c->abc_limit * c->mss);
}

/* Letting all of the octets open the window would overshoot ssthresh by up to abc_limit SMSS;
 * dropping them would cost a part of a round trip. Counting them on is exact. */
uint32_t cc_slow_start(struct cc *c, const struct cc_ack *ack)
{
    uint32_t count = cc_counted(c, ack);
    uint32_t step = min_u32(count, c->ssthresh - c->cwnd);
    cc_grow(c, step);
    return count - step;
}
