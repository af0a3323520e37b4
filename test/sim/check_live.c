/* See check_live.h. */
#include "check_live.h"

#include "nstime.h"

static uint64_t r2(const struct world *w)
{
    uint64_t ns = 0;
    for (uint32_t i = 0; i < w->plan.n_hosts; i++) {
        const struct tcp_config *c = &w->plan.host[i].tcp;
        ns = time_max(ns, time_max(c->user_timeout_ns, c->syn_timeout_ns));
    }
    for (uint32_t i = 0; i < w->plan.n_conns; i++)
        for (int k = 0; k < 2; k++)
            ns = time_max(ns, w->conn[i].end[k].plan->user_timeout_ms * NS_PER_MS);
    return ns;
}

/* Whether a router does not say what its link does not take. */
static bool has_black_hole(const struct world *w)
{
    for (uint32_t i = 0; i < w->plan.n_edges; i++)
        for (int k = 0; k < 2; k++)
            if (w->plan.edge[i].link[k].mtu_silent && w->plan.edge[i].link[k].n_mtu > 0)
                return true;
    return false;
}

/* The RTO or the persist timer backed off to their maximum, and the answer lost because both sides'
 * timers ran into each other. In a black hole R1 comes first (RFC 4821 7.7; seed 1247376). */
static uint64_t without_loss(const struct world *w)
{
    uint64_t ns = 60 * NS_PER_S;
    bool hole = has_black_hole(w);
    for (uint32_t i = 0; i < w->plan.n_hosts; i++) {
        const struct tcp_config *c = &w->plan.host[i].tcp;
        uint64_t rtos = 2 + (hole && c->mtu_probing ? c->r1 : 0);
        ns = time_max(ns, rtos * c->rto_max_ns + c->orphan_ns + 30 * NS_PER_S);
        ns = time_max(ns, 2 * c->msl_ns + 30 * NS_PER_S);
    }
    return ns;
}

/* Where packets go on being lost, or there is no room for all connections: until R2 has run out. */
uint64_t live_patience_ns(const struct world *w)
{
    bool hard = w->loss_ppm > 0;
    for (uint32_t i = 0; i < w->plan.n_hosts; i++)
        hard = hard || w->plan.host[i].tight;
    return without_loss(w) + (hard ? r2(w) : 0);
}

static uint64_t last_progress(const struct world *w, const struct conn *c)
{
    uint64_t at = w->plan.calm_ns + NS_PER_S;
    for (int i = 0; i < 2; i++) {
        at = time_max(at, c->end[i].progress_ns);
        at = time_max(at, c->end[i].wire.progress_ns);
        at = time_max(at, c->end[i].wire.moved_ns);
    }
    return at;
}

/* A queue that others keep full loses packets in the calm as well, by chance the same one's again
 * and again: after each the timer has all its time, but not beyond R2. */
bool live_is_stuck(const struct world *w, const struct conn *c)
{
    uint64_t since_ns = last_progress(w, c), still_ns = w->now_ns - since_ns;
    if (still_ns < live_patience_ns(w))
        return false;
    return w->now_ns - time_max(since_ns, c->dropped_ns) >= without_loss(w) ||
           still_ns >= without_loss(w) + r2(w);
}
