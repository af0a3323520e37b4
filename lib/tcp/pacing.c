/* Pacing. See pacing.h. Called by output and timeout. */
#include "pacing.h"

#include "loss.h"
#include "minmax.h"

#define AT_ONCE_NS       NS_PER_MS
#define AT_ONCE_SEGMENTS 10

/* Octets a second; UINT64_MAX: as many as may be. Within less than a millisecond there is nothing
 * to be spread over. */
static uint64_t rate(const struct tcb *t)
{
    const struct cc *cc = &t->busy->cc;
    uint64_t srtt_ns = rto_srtt_ns(&t->rto);
    if (!t->common->config->pacing || srtt_ns < AT_ONCE_NS)
        return UINT64_MAX;
    uint64_t tenths = cc->cwnd < cc->ssthresh ? 20 : 12;
    return cc->cwnd * tenths * (NS_PER_S / 10) / srtt_ns;
}

uint32_t pacing_super_max(const struct tcb *t)
{
    uint64_t r = rate(t);
    if (r == UINT64_MAX)
        return UINT32_MAX;
    return max_u32((uint32_t)(r / (NS_PER_S / AT_ONCE_NS)), 2u * t->snd.mss);
}

bool pacing_holds(const struct tcb *t, uint64_t now_ns)
{
    return t->busy->pacing.go_ns > now_ns && t->octets_acked > 0 && loss_flight(t) > 0;
}

void pacing_sent(struct tcb *t, uint32_t len, uint64_t now_ns)
{
    struct pacing *p = &t->busy->pacing;
    uint64_t r = rate(t);
    p->waits = false;
    if (r == UINT64_MAX)
        return;
    uint64_t burst_ns = AT_ONCE_SEGMENTS * t->snd.mss * NS_PER_S / r;
    p->gone_ns = (p->gone_ns > now_ns ? p->gone_ns : now_ns) + len * NS_PER_S / r;
    p->go_ns = p->gone_ns - (burst_ns > AT_ONCE_NS ? burst_ns : AT_ONCE_NS);
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
