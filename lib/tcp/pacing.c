/* Pacing. See pacing.h. Called by output and timeout. */
#include "pacing.h"

#include "loss.h"
#include "minmax.h"

#define AT_ONCE_SEGMENTS 10

/* A round trip of more is not spread over: so the products below have room. */
#define SRTT_MAX_NS (100 * NS_PER_S)

bool pacing_at_once(const struct tcb *t)
{
    uint64_t srtt_ns = rto_srtt_ns(&t->rto);
    return srtt_ns > 0 && srtt_ns < PACING_AT_ONCE_NS;
}

bool pacing_spreads(const struct tcb *t)
{
    return t->common->config->pacing && rto_srtt_ns(&t->rto) >= PACING_AT_ONCE_NS;
}

/* A round trip's octets, ten times: at the rate so many go in ten round trips. */
static uint64_t ten_rounds(const struct cc *cc)
{
    return (uint64_t)cc->cwnd * (cc->cwnd < cc->ssthresh ? 20 : 12);
}

static uint64_t round_trip_ns(const struct tcb *t)
{
    return time_min(rto_srtt_ns(&t->rto), SRTT_MAX_NS);
}

/* How long so many octets take, at most 10 * 65535. */
static uint64_t takes_ns(const struct tcb *t, uint32_t octets)
{
    return octets * (10 * round_trip_ns(t)) / ten_rounds(&t->busy->cc);
}

uint32_t pacing_super_max(const struct tcb *t)
{
    if (!pacing_spreads(t))
        return UINT32_MAX;
    uint64_t octets = ten_rounds(&t->busy->cc) * PACING_AT_ONCE_NS / (10 * round_trip_ns(t));
    return max_u32((uint32_t)octets, 2u * t->snd.mss);
}

bool pacing_holds(struct tcb *t, uint64_t now_ns)
{
    struct pacing *p = &t->busy->pacing;
    p->waits = p->go_ns > now_ns && t->octets_acked > 0 && loss_flight(t) > 0;
    return p->waits;
}

void pacing_sent(struct tcb *t, uint32_t len, uint64_t now_ns)
{
    struct pacing *p = &t->busy->pacing;
    p->waits = false;
    if (!pacing_spreads(t))
        return;
    uint64_t burst_ns = max_u64(takes_ns(t, AT_ONCE_SEGMENTS * t->snd.mss), PACING_AT_ONCE_NS);
    p->gone_ns = max_u64(p->gone_ns, now_ns) + takes_ns(t, len);
    p->go_ns = p->gone_ns > burst_ns ? p->gone_ns - burst_ns : 0;
}

uint64_t pacing_deadline(const struct pacing *p)
{
    return p->waits ? p->go_ns : TIME_NEVER;
}

void pacing_tick(struct pacing *p, uint64_t now_ns)
{
    if (pacing_deadline(p) <= now_ns)
        p->waits = false;
}
