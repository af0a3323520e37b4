/* See net.h. */
#include "net.h"

#include "fail.h"
#include "ladder.h"
#include "world.h"

/* Of a host's own first link it is the far end that answers; a router answers itself. */
static void refused(struct link *l, struct frame *icmp)
{
    struct world *w = l->ctx;
    if (!l->answers)
        link_send(net_back(&w->net, l), icmp, w->now_ns);
    else
        net_send(w, l->from, icmp);
}

static void overflown(const struct link *l, const struct frame *f)
{
    const struct world *w = l->ctx;
    struct conn *c = f->conn;
    if (!f->forged && !f->icmp)
        c->dropped_ns = w->now_ns;
}

static void init_link(struct world *w, uint32_t i)
{
    struct link *l = &w->net.link[i];
    const struct edge *e = &w->plan.edge[i / 2];
    *l = (struct link){
        .plan = &e->link[i % 2],
        .from = e->node[i % 2],
        .to = e->node[1 - i % 2],
        .cut = w->plan.cut,
        .queue = &w->queue,
        .in_flight = &w->in_flight,
        .ctx = w,
        .watch = w->trace ? ladder_sent : NULL,
        .refused = refused,
        .overflown = overflown,
    };
    rng_init(&l->rng, rng_u64(&w->rng));
    l->answers = l->from >= w->plan.n_hosts;
    if (!l->answers)
        l->loss_ppm = w->loss_ppm;
    for (uint32_t k = 0; k < w->plan.n_cuts; k++)
        if (cut_concerns(&w->plan.cut[k], l->from, l->to))
            l->cuts |= 1u << k;
}

/* The shortest ways to a host, from it outwards. Other hosts pass nothing on. */
static void init_routes(struct world *w, uint32_t host)
{
    struct net *net = &w->net;
    uint32_t reached[NODES_MAX] = {host}, n = 1, known = 1u << host;
    for (uint32_t at = 0; at < n; at++) {
        uint32_t node = reached[at];
        if (node != host && node < w->plan.n_hosts)
            continue;
        for (uint32_t i = 0; i < net->n_links; i++) {
            const struct link *l = &net->link[i];
            if (l->to != node || known >> l->from & 1)
                continue;
            known |= 1u << l->from;
            net->next[l->from][host] = (uint8_t)i;
            reached[n++] = l->from;
        }
    }
    SIM_CHECK(n == w->plan.n_nodes, "net", "not all nodes have a way to host %u", host);
}

void net_init(struct world *w)
{
    w->net.n_links = 2 * w->plan.n_edges;
    for (uint32_t i = 0; i < w->net.n_links; i++)
        init_link(w, i);
    for (uint32_t i = 0; i < w->plan.n_hosts; i++)
        init_routes(w, i);
}

void net_calm(struct net *net)
{
    for (uint32_t i = 0; i < net->n_links; i++)
        net->link[i].calm = true;
}

void net_send(struct world *w, uint32_t node, struct frame *f)
{
    link_send(net_next(&w->net, node, f->to), f, w->now_ns);
}
