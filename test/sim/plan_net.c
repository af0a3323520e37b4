/* The graph of hosts and routers, its links and their faults. See plan_parts.h. */
#include "nstime.h"
#include "plan_parts.h"

static void draw_faults(struct link_plan *l, struct rng *r)
{
    l->loss_ppm = plan_draw_ppm(r, 300000);
    l->dup_ppm = plan_draw_ppm(r, 200000);
    l->reorder_ppm = plan_draw_ppm(r, 300000);
    l->corrupt_ppm = plan_draw_ppm(r, 50000);
    l->shorten_ppm = rng_one_in(r, 2) ? plan_draw_ppm(r, 50000) : 0;
    l->unreach_ppm = rng_one_in(r, 2) ? rng_range32(r, 0, 1000000) : 0;
    if (rng_one_in(r, 6)) {
        l->burst.begin_ppm = (uint32_t)rng_log(r, 500, 50000);
        l->burst.end_ppm = (uint32_t)rng_log(r, 10000, 500000);
        l->burst.loss_ppm = rng_range32(r, 300000, 1000000);
    }
    if (rng_one_in(r, 3)) {
        l->rate = rng_log(r, 20000, 200000000);
        l->queue_ns = rng_log(r, 5 * NS_PER_MS, NS_PER_S);
    }
    l->ecn = rng_one_in(r, 2);
    l->mark_ppm = plan_draw_ppm(r, 300000);
}

static void draw_mtu(struct link_plan *l, struct rng *r, const struct plan *p)
{
    uint64_t at = rng_one_in(r, 2) ? 0 : plan_draw_moment(p, r);
    l->mtu_silent = rng_one_in(r, 3);
    l->n_mtu = rng_one_in(r, 2) ? 1 : rng_range32(r, 1, MTU_STEPS);
    for (uint32_t i = 0; i < l->n_mtu; i++) {
        l->mtu[i].from_ns = at;
        if (i == 0 || !rng_one_in(r, 4))
            l->mtu[i].mtu = rng_range32(r, p->v6 ? 1280 : 552, rng_one_in(r, 3) ? 9000 : 1480);
        at += rng_log(r, NS_PER_MS, p->calm_ns);
    }
}

static void draw_link(struct link_plan *l, struct rng *r, const struct plan *p)
{
    l->pad_ppm = plan_draw_ppm(r, 200000);
    l->reorder_ns = rng_log(r, 10 * NS_PER_US, NS_PER_S);
    l->delay_ns = rng_log(r, NS_PER_US, 200 * NS_PER_MS);
    l->csum = (enum link_csum)rng_below(r, 3);
    l->split = (enum link_split)rng_below(r, 3);
    l->jitter_ns = rng_one_in(r, 2) ? 0 : rng_below(r, l->delay_ns + 1);
    if (p->faultless)
        return;
    draw_faults(l, r);
    if (rng_one_in(r, 6))
        draw_mtu(l, r, p);
}

static void add_edge(struct plan *p, uint32_t a, uint32_t b)
{
    p->edge[p->n_edges].node[0] = a;
    p->edge[p->n_edges++].node[1] = b;
}

/* Every host beside every other. */
static void draw_mesh(struct plan *p)
{
    p->n_nodes = p->n_hosts;
    for (uint32_t i = 0; i < p->n_hosts; i++)
        for (uint32_t k = 0; k < i; k++)
            add_edge(p, k, i);
}

/* Routers as a tree, a host at each or several at one: a star, a chain, a dumbbell among others. */
static void draw_tree(struct plan *p, struct rng *r)
{
    uint32_t routers = rng_range32(r, 1, NODES_MAX - HOSTS_MAX);
    p->n_nodes = p->n_hosts + routers;
    for (uint32_t i = 1; i < routers; i++)
        add_edge(p, p->n_hosts + rng_range32(r, 0, i - 1), p->n_hosts + i);
    for (uint32_t i = 0; i < p->n_hosts; i++)
        add_edge(p, i, p->n_hosts + rng_range32(r, 0, routers - 1));
}

/* An interface that goes down and up, a partition, a break in one or both directions. */
static void draw_cut(struct cut *c, struct rng *r, const struct plan *p)
{
    uint32_t all = (1u << p->n_nodes) - 1;
    const struct edge *e = &p->edge[rng_below(r, p->n_edges)];
    uint32_t end = (uint32_t)rng_below(r, 2);
    c->from = 1u << e->node[end];
    c->to = 1u << e->node[1 - end];
    c->from_ns = plan_draw_moment(p, r);
    c->to_ns = c->from_ns + rng_log(r, NS_PER_MS, 400 * NS_PER_S);
    switch (rng_below(r, 3)) {
    case 0:
        c->both = rng_one_in(r, 2);
        break;
    case 1:
        c->both = true;
        c->down_ns = rng_log(r, NS_PER_MS, 20 * NS_PER_S);
        c->up_ns = rng_log(r, NS_PER_MS, 20 * NS_PER_S);
        break;
    default:
        c->both = true;
        c->from = rng_range32(r, 1, all);
        c->to = all & ~c->from;
        break;
    }
}

void plan_draw_net(struct plan *p, struct rng *r)
{
    if (p->n_hosts > 3 || rng_one_in(r, 3))
        draw_tree(p, r);
    else
        draw_mesh(p);
    for (uint32_t i = 0; i < p->n_edges; i++) {
        draw_link(&p->edge[i].link[0], r, p);
        draw_link(&p->edge[i].link[1], r, p);
    }
    if (!p->faultless && rng_one_in(r, 3))
        p->n_cuts = rng_range32(r, 1, CUTS_MAX);
    for (uint32_t i = 0; i < p->n_cuts; i++)
        draw_cut(&p->cut[i], r, p);
}
