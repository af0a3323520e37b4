/* The connections and what their applications do. See plan_parts.h. */
#include "nstime.h"
#include "plan_parts.h"

#define MANY 12 /* so many connections share what is to be written */

static uint64_t draw_size(struct rng *r, uint32_t n_conns)
{
    uint64_t share = n_conns > MANY ? n_conns / MANY : 1;
    switch (rng_below(r, 8)) {
    case 0:
        return 0;
    case 1:
        return rng_range(r, 1, 100);
    case 2:
        return rng_log(r, 100000, 2000000) / (share * share);
    default:
        return rng_log(r, 100, 100000) / share;
    }
}

static void draw_pauses(struct end_plan *e, struct rng *r)
{
    e->linger_ns = rng_one_in(r, 2) ? 0 : rng_log(r, NS_PER_MS, 100 * NS_PER_S);
    if (rng_one_in(r, 4))
        e->write_pause_ns = rng_log(r, 10 * NS_PER_US, 300 * NS_PER_MS);
    if (rng_one_in(r, 4))
        e->read_pause_ns = rng_log(r, 10 * NS_PER_US, 300 * NS_PER_MS);
    if (rng_one_in(r, 6)) {
        e->stall_at = rng_below(r, 100000);
        e->stall_ns = rng_log(r, NS_PER_MS, 1200 * NS_PER_S);
    }
}

static void draw_end(struct end_plan *e, struct rng *r, uint32_t n_conns)
{
    static const enum finish finishes[] = {FINISH_SHUTDOWN, FINISH_SHUTDOWN,   FINISH_SHUTDOWN,
                                           FINISH_SHUTDOWN, FINISH_AFTER_PEER, FINISH_AFTER_PEER,
                                           FINISH_CLOSE,    FINISH_ABORT,      FINISH_DEAF};
    e->to_write = draw_size(r, n_conns);
    e->write_max = (uint32_t)rng_log(r, 1, 65536);
    e->read_max = (uint32_t)rng_log(r, 1, 65536);
    e->finish = finishes[rng_below(r, sizeof finishes / sizeof *finishes)];
    e->sndbuf = rng_one_in(r, 4) ? (uint32_t)rng_log(r, 1, 100000) : 0;
    e->rcvbuf = rng_one_in(r, 6) ? (uint32_t)rng_log(r, 500, 1000000) : 0;
    e->user_timeout_ms = rng_one_in(r, 10) ? (uint32_t)rng_log(r, 5000, 1000000) : 0;
    e->nodelay = rng_one_in(r, 4);
    e->peeks = rng_one_in(r, 8);
    e->fickle = rng_one_in(r, 10);
    e->urgent = rng_one_in(r, 6);
    /* Calls of a few octets only on short streams: a million calls find no more than a thousand. */
    uint64_t least = e->to_write / 1000;
    if (e->write_max < least)
        e->write_max = (uint32_t)least;
    if (e->sndbuf > 0 && e->sndbuf < 4 * least)
        e->sndbuf = (uint32_t)(4 * least);
    draw_pauses(e, r);
    e->end_at = rng_below(r, e->to_write + 1);
}

/* One answers the other, and does not wait for more than that writes. */
static void draw_answering(struct conn_plan *c, struct rng *r)
{
    uint32_t side = (uint32_t)rng_below(r, 2);
    struct end_plan *e = &c->end[side], *p = &c->end[1 - side];
    if (!rng_one_in(r, 6) || p->finish == FINISH_AFTER_PEER)
        return;
    e->write_after = rng_below(r, p->to_write + 1);
    if (e->finish == FINISH_DEAF)
        e->finish = FINISH_SHUTDOWN;
}

static enum conn_kind draw_kind(struct rng *r)
{
    uint64_t kind = rng_below(r, 40);
    return kind < 32   ? CONN_CLIENT_SERVER
           : kind < 37 ? CONN_SIMULTANEOUS
           : kind < 38 ? CONN_NOBODY
                       : CONN_QUITTER;
}

static void draw_conn(struct conn_plan *c, struct rng *r, const struct plan *p)
{
    c->kind = draw_kind(r);
    c->host[0] = (uint32_t)rng_below(r, p->n_hosts);
    c->host[1] = (c->host[0] + rng_range32(r, 1, p->n_hosts - 1)) % p->n_hosts;
    c->quit_ns = rng_log(r, NS_PER_US, 2 * NS_PER_S);
    c->fixed_port = c->kind == CONN_SIMULTANEOUS || rng_one_in(r, 2);
    draw_end(&c->end[0], r, p->n_conns);
    draw_end(&c->end[1], r, p->n_conns);
    if (c->end[0].finish == FINISH_AFTER_PEER && c->end[1].finish == FINISH_AFTER_PEER)
        c->end[0].finish = FINISH_SHUTDOWN;
    draw_answering(c, r);
    /* Reading a million octets one by one tells nothing new either. */
    for (int i = 0; i < 2; i++) {
        uint32_t least = (uint32_t)(c->end[1 - i].to_write / 1000);
        if (c->end[i].read_max < least)
            c->end[i].read_max = least;
        if (c->end[i].rcvbuf > 0 && c->end[i].rcvbuf < 4 * least)
            c->end[i].rcvbuf = 4 * least;
    }
}

/* The same two ends once more. */
static void draw_again(struct conn_plan *c, struct conn_plan *before, struct rng *r)
{
    if (before->kind == CONN_NOBODY)
        return;
    c->again = true;
    c->again_ns = rng_log(r, NS_PER_US, 10 * NS_PER_S);
    c->host[0] = before->host[0];
    c->host[1] = before->host[1];
    c->kind = before->kind == CONN_SIMULTANEOUS ? CONN_SIMULTANEOUS : CONN_CLIENT_SERVER;
    c->fixed_port = before->fixed_port = true;
}

void plan_draw_conns(struct plan *p, struct rng *r)
{
    bool often = rng_one_in(r, 8);
    for (uint32_t i = 0; i < p->n_conns; i++) {
        draw_conn(&p->conn[i], r, p);
        if (i > 0 && rng_one_in(r, often ? 2 : 12))
            draw_again(&p->conn[i], &p->conn[i - 1], r);
    }
    /* A third of all worlds has initial sequence numbers near the wrap. */
    if (rng_one_in(r, 3)) {
        p->conn[0].wrap = p->conn[0].fixed_port = true;
        p->conn[0].open_ns = NS_PER_S;
    }
}
