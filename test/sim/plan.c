/* See plan.h. The world as a whole, and its hosts. */
#include "plan.h"

#include <stdlib.h>

#include "fail.h"
#include "nstime.h"
#include "plan_parts.h"

uint32_t plan_draw_ppm(struct rng *r, uint32_t most)
{
    if (rng_one_in(r, 2))
        return 0;
    return (uint32_t)rng_log(r, 500, most);
}

uint64_t plan_draw_moment(const struct plan *p, struct rng *r)
{
    if (rng_one_in(r, 4))
        return NS_PER_S + rng_below(r, p->calm_ns);
    uint64_t open_ns = p->conn[rng_below(r, p->n_conns)].open_ns;
    return open_ns + rng_log(r, 10 * NS_PER_US, 10 * NS_PER_S);
}

static void draw_keepalive(struct keepalive_settings *k, struct rng *r)
{
    k->on = rng_one_in(r, 3);
    k->idle_ms = (uint32_t)rng_log(r, 500, 7200000);
    k->interval_ms = (uint32_t)rng_log(r, 500, 75000);
    k->probes = (uint8_t)rng_range(r, 2, 9);
}

static void draw_tcp(struct tcp_config *c, struct rng *r)
{
    *c = tcp_config_default();
    if (!rng_one_in(r, 2))
        c->pacing_ss_ratio = c->pacing_ca_ratio = 0;
    draw_keepalive(&c->keepalive, r);
    c->cc = rng_one_in(r, 3) ? &cc_newreno : &cc_cubic;
    c->sack = !rng_one_in(r, 4); /* by both in about half of the connections */
    c->timestamps = !rng_one_in(r, 4);
    c->ecn = rng_one_in(r, 2) ? TCP_ECN_ASK : (enum tcp_ecn)rng_below(r, 3);
    if (rng_one_in(r, 3))
        c->syncookies = rng_one_in(r, 2) ? SYNCOOKIES_ALWAYS : SYNCOOKIES_NEVER;
    if (rng_one_in(r, 2))
        return;
    c->rto_min_ns = rng_log(r, 20 * NS_PER_MS, NS_PER_S);
    c->rto_initial_ns = rng_range(r, c->rto_min_ns, 3 * NS_PER_S);
    c->rto_max_ns = rng_range(r, 60, 120) * NS_PER_S;
    c->ack_delay_ns = rng_range(r, 1, 490) * NS_PER_MS;
    c->msl_ns = rng_log(r, 2 * NS_PER_S, 60 * NS_PER_S);
    c->user_timeout_ns = rng_log(r, 20 * NS_PER_S, 600 * NS_PER_S);
    c->syn_timeout_ns = rng_log(r, 20 * NS_PER_S, 200 * NS_PER_S);
    c->orphan_ns = rng_log(r, 5 * NS_PER_S, 120 * NS_PER_S);
    c->r1 = rng_range32(r, 1, 5);
    c->sndbuf = (uint32_t)rng_log(r, 1024, 2 * 1024 * 1024);
    c->rcvbuf = (uint32_t)rng_log(r, 2048, 128 * 1024);
    c->rcvbuf_max = (uint32_t)rng_log(r, c->rcvbuf, 4 * 1024 * 1024);
    c->nodelay = rng_one_in(r, 4);
}

static void draw_caps(struct link_caps *caps, struct rng *r, bool v6, uint32_t super)
{
    static const uint32_t mtus[] = {1500, 1500, 1500, 1400, 9000, 576};
    uint32_t mtu = mtus[rng_below(r, 6)], head = v6 ? 60 : 40;
    if (rng_one_in(r, 4))
        mtu = rng_range32(r, 300, 9200);
    if (v6 && mtu < 1280)
        mtu = 1280;
    uint32_t text = super * (mtu - head), most = 65535 - head;
    caps->mtu = mtu;
    caps->super_max = super > 1 ? (text < most ? text : most) : 0;
    caps->csum_offload = rng_one_in(r, 2);
}

/* What there is not enough of. */
static void draw_limits(struct host_plan *h, struct rng *r, const struct plan *p)
{
    h->max_socks = 4 * p->n_conns + 64;
    h->ports = 512;
    if (p->faultless)
        return;
    h->refuse_ppm = rng_one_in(r, 4) ? (uint32_t)rng_log(r, 1000, 200000) : 0;
    h->mem_limit = rng_one_in(r, 16) ? (uint32_t)rng_log(r, 64 * 1024, 1024 * 1024) : 0;
    h->tight = rng_one_in(r, 16);
    if (h->tight)
        h->max_socks = rng_range32(r, 3, 8);
    if (rng_one_in(r, 8))
        h->ports = rng_range32(r, 1, 8);
}

/* So many half-open connections may stay, see stack/listen.c. */
#define FLOOD_STAYS 128

/* Where a flood is what there is too much of, nothing else is to be scarce. */
static void draw_floods(struct plan *p, struct host_plan *h, struct rng *r)
{
    if (p->faultless || h->tight || h->mem_limit || !rng_one_in(r, 6))
        return;
    h->flood_ns = plan_draw_moment(p, r);
    h->floods = rng_range32(r, 1, 8);
    h->flood_every_ns = rng_log(r, NS_PER_MS, 30 * NS_PER_S);
    h->flood_syns = rng_range32(r, 50, 400);
    h->max_socks += FLOOD_STAYS;
}

/* Mostly while one of the host's own connections is there, as far as can be foreseen. */
static uint64_t draw_crash_moment(const struct plan *p, uint32_t host, struct rng *r)
{
    const struct conn_plan *c = &p->conn[rng_below(r, p->n_conns)];
    bool own = !c->again && (c->host[0] == host || c->host[1] == host);
    if (!own)
        return plan_draw_moment(p, r);
    const uint64_t least_ns = 10 * NS_PER_MS;
    uint64_t left_ns = NS_PER_S + p->calm_ns - c->open_ns; /* then nobody crashes any more */
    return c->open_ns + rng_log(r, least_ns, least_ns + time_min(left_ns, 4 * NS_PER_S));
}

static void draw_crashes(struct plan *p, uint32_t host, struct rng *r)
{
    struct host_plan *h = &p->host[host];
    uint64_t at = draw_crash_moment(p, host, r);
    h->n_crashes = rng_range32(r, 1, CRASHES_MAX);
    for (uint32_t i = 0; i < h->n_crashes; i++) {
        struct crash_plan *c = &h->crash[i];
        c->at_ns = at;
        c->down_ns = rng_log(r, NS_PER_US, 100 * NS_PER_S);
        c->deaf_ns = rng_one_in(r, 4) ? rng_log(r, NS_PER_MS, 5 * NS_PER_S) : 0;
        at = c->at_ns + c->down_ns + c->deaf_ns + rng_log(r, NS_PER_MS, p->calm_ns);
    }
}

static void draw_host(struct host_plan *h, struct rng *r, const struct plan *p, uint32_t super)
{
    draw_caps(&h->caps, r, p->v6, super);
    draw_tcp(&h->tcp, r);
    draw_limits(h, r, p);
    h->clock_ns = rng_one_in(r, 8) ? 0 : rng_below(r, UINT64_C(1) << rng_range(r, 20, 62));
    h->poll_ns = rng_one_in(r, 2) ? 0 : rng_log(r, NS_PER_US, 2 * NS_PER_MS);
    h->late_ns = rng_one_in(r, 2) ? 0 : rng_log(r, NS_PER_US, 10 * NS_PER_MS);
    h->accept_ns = rng_one_in(r, 2) ? 0 : rng_log(r, NS_PER_MS, 20 * NS_PER_S);
    h->backlog = rng_range32(r, 1, 8);
    h->output_max = rng_one_in(r, 3) ? rng_range32(r, 1, 4) : 64;
    h->lazy = rng_one_in(r, 2) ? 0 : rng_range32(r, 2, 10);
    h->forge_ppm = rng_one_in(r, 4) ? (uint32_t)rng_log(r, 1000, 100000) : 0;
    h->batches_in = rng_one_in(r, 4) ? rng_range32(r, 1, 8) : 0;
    h->close_listener_ns = rng_one_in(r, 20) ? plan_draw_moment(p, r) : 0;
}

/* Most worlds are small, some are large. */
static void draw_numbers(struct plan *p, struct rng *r)
{
    p->v6 = rng_one_in(r, 3);
    p->faultless = rng_one_in(r, 6);
    p->n_hosts = rng_one_in(r, 4) ? rng_range32(r, 3, rng_one_in(r, 3) ? HOSTS_MAX : 4) : 2;
    p->calm_ns = rng_log(r, 100 * NS_PER_MS, 600 * NS_PER_S);
    uint32_t n = 1;
    if (rng_one_in(r, 60))
        n = rng_range32(r, 40, CONNS_MAX);
    else if (rng_one_in(r, 2))
        n = rng_range32(r, 1, rng_one_in(r, 4) ? 12 : 4);
    plan_conns(p, n);
    for (uint32_t i = 0; i < n; i++)
        p->conn[i].open_ns = NS_PER_S + rng_below(r, p->calm_ns);
}

void plan_draw(struct plan *p, struct rng *r, uint32_t super)
{
    *p = (struct plan){0};
    draw_numbers(p, r);
    for (uint32_t i = 0; i < p->n_hosts; i++)
        draw_host(&p->host[i], r, p, super);
    plan_draw_net(p, r);
    plan_draw_conns(p, r);
    for (uint32_t i = 0; i < p->n_hosts && !p->faultless; i++)
        if (rng_one_in(r, 6))
            draw_crashes(p, i, r);
    for (uint32_t i = 0; i < p->n_hosts; i++)
        draw_floods(p, &p->host[i], r);
}

void plan_conns(struct plan *p, uint32_t n)
{
    p->n_conns = n;
    p->conn = sim_zalloc(n, sizeof *p->conn);
}

void plan_finish(struct plan *p)
{
    free(p->conn);
    p->conn = NULL;
}
