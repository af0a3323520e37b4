/*
 * The retransmission timeout: RFC 6298 sections 2, 3 and 5.5-5.7, in integer nanoseconds. For the
 * connection that owns the timer.
 *
 * base_ns has the minimum in it; the maximum (2.5) is applied in rto_get. Neither starts nor stops
 * the timer (5.1-5.4, 5.6).
 */
#include "rto.h"

#include "nstime.h"

/* G: a perfectly steady round trip must not make RTO equal to SRTT, or the slightest jitter of the
 * thread that runs us would look like a loss. */
#define RTO_GRANULARITY_NS (1 * NS_PER_MS)
#define RTO_AFTER_SYN_NS   (3 * NS_PER_S)

static uint64_t add_sat(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* RFC 6298 2.2, 2.3. a - a/n + b/n stays within [0, UINT64_MAX] for every a and b. */
static void take_sample(struct rto *r, uint64_t rtt_ns)
{
    if (!r->has_sample) {
        r->srtt_ns = rtt_ns;
        r->rttvar_ns = rtt_ns / 2;
        r->has_sample = true;
    } else {
        uint64_t err = r->srtt_ns > rtt_ns ? r->srtt_ns - rtt_ns : rtt_ns - r->srtt_ns;
        r->rttvar_ns = r->rttvar_ns - r->rttvar_ns / 4 + err / 4;
        r->srtt_ns = r->srtt_ns - r->srtt_ns / 8 + rtt_ns / 8;
    }
    uint64_t k_rttvar = r->rttvar_ns > UINT64_MAX / 4 ? UINT64_MAX : 4 * r->rttvar_ns;
    r->base_ns = add_sat(r->srtt_ns, time_max(r->var_min_ns, k_rttvar));
}

void rto_init(struct rto *r, uint64_t initial_ns, uint64_t var_min_ns, uint64_t max_ns)
{
    *r = (struct rto){
        .base_ns = initial_ns,
        .var_min_ns = time_max(var_min_ns, RTO_GRANULARITY_NS),
        .max_ns = max_ns,
    };
}

uint64_t rto_get(const struct rto *r)
{
    if (r->backoff >= 64 || r->base_ns > r->max_ns >> r->backoff)
        return r->max_ns;
    return r->base_ns << r->backoff;
}

void rto_sent(struct rto *r, seq_t end, uint64_t now_ns)
{
    if (r->timing)
        return;
    r->timing = true;
    r->timed_end = end;
    r->timed_at_ns = now_ns;
}

void rto_resent(struct rto *r)
{
    r->timing = false;
}

bool rto_acked(struct rto *r, seq_t ack, uint64_t now_ns)
{
    if (!r->timing || seq_lt(ack, r->timed_end))
        return false;
    r->timing = false;
    r->backoff = 0;
    take_sample(r, now_ns > r->timed_at_ns ? now_ns - r->timed_at_ns : 0);
    return true;
}

void rto_backoff(struct rto *r)
{
    if (r->backoff < UINT32_MAX)
        r->backoff++;
}

void rto_after_syn(struct rto *r)
{
    r->backoff = 0;
    if (!r->has_sample)
        r->base_ns = time_max(r->base_ns, RTO_AFTER_SYN_NS);
}
