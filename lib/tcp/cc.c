/*
 * What every congestion control algorithm shares: the initial window (RFC 6928), a change of the
 * MSS and the restart after idleness (RFC 5681 3.1, 4.1). For the connection. How the window grows
 * and shrinks is each algorithm's own.
 */
#include "cc.h"

#include "check.h"
#include "minmax.h"

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
    c->acked = 0;
}

void cc_idle(struct cc *c)
{
    uint32_t restart = initial_window(c->mss);
    if (c->cwnd <= restart)
        return;
    c->cwnd = restart;
    c->acked = 0;
}
