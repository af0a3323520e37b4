/*
 * The retransmission timeout: RFC 6298 sections 2, 3 and 5.5-5.7, in integer microseconds. For the
 * connection that owns the timer.
 *
 * base_us has the minimum in it; the maximum (2.5) is applied in rto_get. Neither starts nor stops
 * the timer (5.1-5.4, 5.6).
 */
#include "rto.h"

#include "minmax.h"

/* G: a perfectly steady round trip must not make RTO equal to SRTT, or the slightest jitter of the
 * thread that runs us would look like a loss. */
#define RTO_GRANULARITY_US 1000
#define TS_TICK_NS         NS_PER_MS
#define RTO_AFTER_SYN_NS   (3 * NS_PER_S)

static uint32_t add_sat(uint32_t a, uint64_t b)
{
    return (uint32_t)min_u64(a + b, UINT32_MAX);
}

/* RFC 6298 2.2, 2.3. a - a/n + b/n stays within [0, UINT32_MAX] for every a and b. */
static void take_sample(struct rto *r, uint32_t rtt_us, uint32_t var_min_us)
{
    if (!r->has_sample) {
        r->srtt_us = rtt_us;
        r->rttvar_us = rtt_us / 2;
        r->has_sample = true;
    } else {
        uint32_t err = r->srtt_us > rtt_us ? r->srtt_us - rtt_us : rtt_us - r->srtt_us;
        r->rttvar_us = r->rttvar_us - r->rttvar_us / 4 + err / 4;
        r->srtt_us = r->srtt_us - r->srtt_us / 8 + rtt_us / 8;
    }
    r->base_us = add_sat(r->srtt_us, max_u64(var_min_us, UINT64_C(4) * r->rttvar_us));
}

void rto_init(struct rto *r, uint64_t initial_ns)
{
    *r = (struct rto){.base_us = time_us(initial_ns)};
}

uint64_t rto_get(const struct rto *r, uint64_t max_ns)
{
    uint64_t base_ns = r->base_us * NS_PER_US;
    if (r->backoff >= 64 || base_ns > max_ns >> r->backoff)
        return max_ns;
    return base_ns << r->backoff;
}

void rto_sent(struct rto_timed *timed, seq_t end, uint64_t now_ns)
{
    if (timed->timing)
        return;
    *timed = (struct rto_timed){.timing = true, .end = end, .at_ns = now_ns};
}

void rto_resent(struct rto_timed *timed, seq_t from, seq_t end, bool ts, uint64_t now_ns)
{
    if (!timed->timing)
        timed->end = end;
    if (seq_lt(from, timed->end))
        timed->at_ns = now_ns;
    timed->timing = timed->again = ts;
}

bool rto_acked(struct rto *r, struct rto_timed *timed, seq_t ack, uint64_t ts_rtt_ns,
               uint64_t var_min_ns, uint64_t now_ns)
{
    if (!timed->timing || seq_lt(ack, timed->end))
        return false;
    timed->timing = false;
    uint64_t rtt_ns = now_ns > timed->at_ns ? now_ns - timed->at_ns : 0;
    if (timed->again && (ts_rtt_ns == 0 || ts_rtt_ns > rtt_ns + TS_TICK_NS))
        return false;
    r->backoff = 0;
    take_sample(r, time_us(rtt_ns), max_u32(time_us(var_min_ns), RTO_GRANULARITY_US));
    return true;
}

void rto_backoff(struct rto *r)
{
    if (r->backoff < UINT8_MAX)
        r->backoff++;
}

void rto_after_syn(struct rto *r)
{
    r->backoff = 0;
    if (!r->has_sample)
        r->base_us = max_u32(r->base_us, time_us(RTO_AFTER_SYN_NS));
}
