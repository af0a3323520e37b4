/* See plan.h. */
#include "plan.h"

#include "nstime.h"

/* Mostly none, often a little, sometimes a lot. */
static uint32_t draw_ppm(struct rng *r, uint32_t most)
{
    if (rng_one_in(r, 2))
        return 0;
    return (uint32_t)rng_log(r, 500, most);
}

static void draw_link(struct link_plan *l, struct rng *r, bool v6, uint64_t calm_ns)
{
    *l = (struct link_plan){
        .loss_ppm = draw_ppm(r, 300000),
        .dup_ppm = draw_ppm(r, 200000),
        .reorder_ppm = draw_ppm(r, 300000),
        .corrupt_ppm = draw_ppm(r, 50000),
        .pad_ppm = draw_ppm(r, 200000),
        .reorder_ns = rng_log(r, 10 * NS_PER_US, NS_PER_S),
        .delay_ns = rng_log(r, NS_PER_US, 200 * NS_PER_MS),
        .csum = (enum link_csum)rng_below(r, 3),
        .split = (enum link_split)rng_below(r, 3),
    };
    l->jitter_ns = rng_one_in(r, 2) ? 0 : rng_below(r, l->delay_ns + 1);
    if (rng_one_in(r, 3)) {
        l->rate = rng_log(r, 20000, 200000000);
        l->queue_ns = rng_log(r, 5 * NS_PER_MS, NS_PER_S);
    }
    if (rng_one_in(r, 8)) {
        l->outage_from_ns = rng_below(r, calm_ns);
        l->outage_to_ns = l->outage_from_ns + rng_log(r, NS_PER_MS, 400 * NS_PER_S);
    }
    if (rng_one_in(r, 6)) {
        l->mtu = rng_range32(r, v6 ? 1280 : 552, rng_one_in(r, 3) ? 9000 : 1480);
        l->narrow_ns = rng_one_in(r, 2) ? 0 : NS_PER_S + rng_below(r, calm_ns);
    }
}

static void draw_tcp(struct tcp_config *c, struct rng *r)
{
    *c = tcp_config_default();
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
    c->sndbuf = (uint32_t)rng_log(r, 1024, 512 * 1024);
    c->rcvbuf = (uint32_t)rng_log(r, 2048, 128 * 1024);
    c->rcvbuf_max = (uint32_t)rng_log(r, c->rcvbuf, 4 * 1024 * 1024);
    c->nodelay = rng_one_in(r, 4);
}

static void draw_host(struct host_plan *h, struct rng *r, bool v6, uint32_t super, uint64_t calm_ns)
{
    static const uint32_t mtus[] = {1500, 1500, 1500, 1400, 9000, 576};
    uint32_t mtu = mtus[rng_below(r, 6)], head = v6 ? 60 : 40;
    if (rng_one_in(r, 4))
        mtu = rng_range32(r, 300, 9200);
    if (v6 && mtu < 1280)
        mtu = 1280;
    uint32_t text = super * (mtu - head), most = 65535 - head;
    h->caps = (struct link_caps){
        .mtu = mtu,
        .super_max = super > 1 ? (text < most ? text : most) : 0,
        .csum_offload = rng_one_in(r, 2),
    };
    draw_tcp(&h->tcp, r);
    h->clock_ns = rng_one_in(r, 8) ? 0 : rng_below(r, UINT64_C(1) << rng_range(r, 20, 62));
    h->poll_ns = rng_one_in(r, 2) ? 0 : rng_log(r, NS_PER_US, 2 * NS_PER_MS);
    h->late_ns = rng_one_in(r, 2) ? 0 : rng_log(r, NS_PER_US, 10 * NS_PER_MS);
    h->accept_ns = rng_one_in(r, 2) ? 0 : rng_log(r, NS_PER_MS, 20 * NS_PER_S);
    h->backlog = rng_range32(r, 1, 8);
    h->output_max = rng_one_in(r, 3) ? rng_range32(r, 1, 4) : 64;
    h->lazy = rng_one_in(r, 2) ? 0 : rng_range32(r, 2, 10);
    h->refuse_ppm = rng_one_in(r, 4) ? (uint32_t)rng_log(r, 1000, 200000) : 0;
    h->forge_ppm = rng_one_in(r, 4) ? (uint32_t)rng_log(r, 1000, 100000) : 0;
    h->close_listener_ns = rng_one_in(r, 20) ? rng_range(r, 1, calm_ns) : 0;
}

static uint64_t draw_size(struct rng *r)
{
    switch (rng_below(r, 8)) {
    case 0:
        return 0;
    case 1:
        return rng_range(r, 1, 100);
    case 2:
        return rng_log(r, 100000, 2000000);
    default:
        return rng_log(r, 100, 100000);
    }
}

static void draw_end(struct end_plan *e, struct rng *r)
{
    static const enum finish finishes[] = {FINISH_SHUTDOWN, FINISH_SHUTDOWN,   FINISH_SHUTDOWN,
                                           FINISH_SHUTDOWN, FINISH_AFTER_PEER, FINISH_AFTER_PEER,
                                           FINISH_CLOSE,    FINISH_ABORT,      FINISH_DEAF};
    *e = (struct end_plan){
        .to_write = draw_size(r),
        .write_max = (uint32_t)rng_log(r, 1, 65536),
        .read_max = (uint32_t)rng_log(r, 1, 65536),
        .finish = finishes[rng_below(r, sizeof finishes / sizeof *finishes)],
        .sndbuf = rng_one_in(r, 4) ? (uint32_t)rng_log(r, 1, 100000) : 0,
        .nodelay = rng_one_in(r, 4),
        .peeks = rng_one_in(r, 8),
        .linger_ns = rng_one_in(r, 2) ? 0 : rng_log(r, NS_PER_MS, 100 * NS_PER_S),
    };
    /* Calls of a few octets only on short streams: a million calls find no more than a thousand. */
    uint64_t least = e->to_write / 1000;
    if (e->write_max < least)
        e->write_max = (uint32_t)least;
    if (e->sndbuf > 0 && e->sndbuf < 4 * least)
        e->sndbuf = (uint32_t)(4 * least);
    if (rng_one_in(r, 4))
        e->write_pause_ns = rng_log(r, 10 * NS_PER_US, 300 * NS_PER_MS);
    if (rng_one_in(r, 4))
        e->read_pause_ns = rng_log(r, 10 * NS_PER_US, 300 * NS_PER_MS);
    if (rng_one_in(r, 6)) {
        e->stall_at = rng_below(r, 100000);
        e->stall_ns = rng_log(r, NS_PER_MS, 1200 * NS_PER_S);
    }
    e->end_at = rng_below(r, e->to_write + 1);
}

static void draw_conn(struct conn_plan *c, struct rng *r, const struct plan *p)
{
    uint64_t kind = rng_below(r, 40);
    c->kind = kind < 32   ? CONN_CLIENT_SERVER
              : kind < 37 ? CONN_SIMULTANEOUS
              : kind < 38 ? CONN_NOBODY
                          : CONN_QUITTER;
    c->host[0] = (uint32_t)rng_below(r, p->n_hosts);
    c->host[1] = (c->host[0] + rng_range32(r, 1, p->n_hosts - 1)) % p->n_hosts;
    c->open_ns = NS_PER_S + rng_below(r, p->calm_ns);
    c->quit_ns = rng_log(r, NS_PER_US, 2 * NS_PER_S);
    c->fixed_port = c->kind == CONN_SIMULTANEOUS || rng_one_in(r, 2);
    draw_end(&c->end[0], r);
    draw_end(&c->end[1], r);
    if (c->end[0].finish == FINISH_AFTER_PEER && c->end[1].finish == FINISH_AFTER_PEER)
        c->end[0].finish = FINISH_SHUTDOWN;
    /* Reading a million octets one by one tells nothing new either. */
    for (int i = 0; i < 2; i++) {
        uint32_t least = (uint32_t)(c->end[1 - i].to_write / 1000);
        if (c->end[i].read_max < least)
            c->end[i].read_max = least;
    }
}

void plan_draw(struct plan *p, struct rng *r, uint32_t super)
{
    *p = (struct plan){0};
    p->v6 = rng_one_in(r, 3);
    p->n_hosts = rng_one_in(r, 4) ? 3 : 2;
    p->n_conns = rng_one_in(r, 2) ? 1 : rng_range32(r, 1, rng_one_in(r, 4) ? CONNS_MAX : 4);
    p->calm_ns = rng_log(r, 100 * NS_PER_MS, 600 * NS_PER_S);
    for (uint32_t i = 0; i < p->n_hosts; i++)
        draw_host(&p->host[i], r, p->v6, super, p->calm_ns);
    p->faultless = rng_one_in(r, 6);
    for (uint32_t i = 0; i < p->n_hosts; i++) {
        for (uint32_t k = 0; k < p->n_hosts; k++) {
            draw_link(&p->link[i][k], r, p->v6, p->calm_ns);
            if (p->faultless) {
                p->link[i][k].loss_ppm = p->link[i][k].reorder_ppm = 0;
                p->link[i][k].corrupt_ppm = p->link[i][k].dup_ppm = 0;
                p->link[i][k].outage_to_ns = p->link[i][k].rate = 0;
                p->link[i][k].mtu = 0;
            }
        }
    }
    for (uint32_t i = 0; i < p->n_conns; i++)
        draw_conn(&p->conn[i], r, p);
    /* A third of all worlds has initial sequence numbers near the wrap. */
    if (rng_one_in(r, 3)) {
        p->conn[0].wrap = p->conn[0].fixed_port = true;
        p->conn[0].open_ns = NS_PER_S;
    }
}
