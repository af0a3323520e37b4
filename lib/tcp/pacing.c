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

/* In percent. */
static uint16_t gain(const struct tcb *t, const struct cc *cc)
{
    const struct tcp_config *c = t->common->config;
    return cc->cwnd < cc->ssthresh ? c->pacing_ss_ratio : c->pacing_ca_ratio;
}

static bool spreads(const struct tcb *t, const struct cc *cc)
{
    return gain(t, cc) > 0 && t->settings->max_pacing_rate != PACING_NONE &&
           rto_srtt_ns(&t->rto) >= PACING_AT_ONCE_NS;
}

bool pacing_spreads(const struct tcb *t)
{
    return spreads(t, &t->busy->cc);
}

static bool limited(const struct tcb *t)
{
    uint64_t most = t->settings->max_pacing_rate;
    return most != PACING_NONE && most != PACING_UNLIMITED;
}

/* Octets that go in a hundred round trips. */
static uint64_t hundred_rounds(const struct tcb *t, const struct cc *cc)
{
    return (uint64_t)cc->cwnd * gain(t, cc);
}

static uint64_t round_trip_ns(const struct tcb *t)
{
    return time_min(rto_srtt_ns(&t->rto), SRTT_MAX_NS);
}

/* How long so many octets take, at most 10 * 65535; 0: no time. */
static uint64_t takes_ns(const struct tcb *t, uint32_t octets)
{
    const struct cc *cc = &t->busy->cc;
    uint64_t spread_ns =
        spreads(t, cc) ? octets * (100 * round_trip_ns(t)) / hundred_rounds(t, cc) : 0;
    uint64_t limit_ns = limited(t) ? octets * NS_PER_S / t->settings->max_pacing_rate : 0;
    return max_u64(spread_ns, limit_ns);
}

uint64_t pacing_rate(const struct tcb *t, const struct cc *cc)
{
    uint64_t rate = limited(t) ? t->settings->max_pacing_rate : PACING_UNLIMITED;
    if (spreads(t, cc))
        rate = min_u64(rate, hundred_rounds(t, cc) * (NS_PER_S / NS_PER_US) /
                                 (100 * round_trip_ns(t) / NS_PER_US));
    return rate;
}

uint32_t pacing_super_max(const struct tcb *t)
{
    uint64_t octets = pacing_rate(t, &t->busy->cc) / (NS_PER_S / PACING_AT_ONCE_NS);
    return (uint32_t)min_u64(max_u64(octets, UINT64_C(2) * t->snd.mss), UINT32_MAX);
}

void pacing_begin(struct pacing *p)
{
    *p = (struct pacing){0};
}

bool pacing_unspent(const struct tcb *t, uint64_t now_ns)
{
    return !limited(t) || t->busy->pacing.gone_ns <= now_ns;
}

bool pacing_holds(struct tcb *t, uint64_t now_ns)
{
    struct pacing *p = &t->busy->pacing;
    bool may = t->octets_acked > 0 && (limited(t) || loss_flight(t) > 0);
    p->waits = may && p->go_ns > now_ns;
    return p->waits;
}

void pacing_sent(struct tcb *t, uint32_t len, uint64_t now_ns)
{
    struct pacing *p = &t->busy->pacing;
    p->waits = false;
    uint64_t ns = takes_ns(t, len);
    if (ns == 0)
        return;
    uint64_t burst_ns = max_u64(takes_ns(t, AT_ONCE_SEGMENTS * t->snd.mss), PACING_AT_ONCE_NS);
    p->gone_ns = max_u64(p->gone_ns, now_ns) + ns;
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
