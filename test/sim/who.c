/* See who.h. */
#include "who.h"

#include <stdlib.h>
#include <string.h>

#include "check_cookie.h"
#include "fail.h"
#include "host.h"

struct end *who_has_id(const struct host *h, uint32_t sock_id)
{
    return sock_id < h->n_by_id ? h->by_id[sock_id] : NULL;
}

bool who_fits(const struct end *e, const struct flow *flow)
{
    const struct conn *c = e->conn;
    return c->begun && c->port[e->side] == flow->local_port &&
           c->port[1 - e->side] == flow->remote_port && ip_addr_eq(&e->host->addr, &flow->local) &&
           ip_addr_eq(&c->end[1 - e->side].host->addr, &flow->remote);
}

struct end *who_has_flow(struct world *w, const struct flow *flow)
{
    for (uint32_t i = 0; i < w->plan.n_conns; i++) {
        struct conn *c = &w->conn[i];
        for (uint8_t side = 0; side < 2 && !c->newer; side++)
            if (who_fits(&c->end[side], flow))
                return &c->end[side];
    }
    return NULL;
}

struct conn *who_newest(struct conn *c)
{
    while (c->newer)
        c = c->newer;
    return c;
}

void who_begins(struct conn *c)
{
    if (c->begun)
        return;
    const struct flow flow = {c->end[0].host->addr, c->end[1].host->addr, c->port[0], c->port[1]};
    struct end *before = who_has_flow(c->world, &flow);
    if (before) {
        c->older = before->conn;
        before->conn->newer = c;
    }
    c->begun = true;
}

void who_is(struct end *e, uint32_t sock_id)
{
    struct host *h = e->host;
    if (sock_id >= h->n_by_id) {
        uint32_t n = sock_id < 32 ? 64 : 2 * sock_id;
        h->by_id = sim_realloc(h->by_id, n, sizeof *h->by_id);
        memset(h->by_id + h->n_by_id, 0, (n - h->n_by_id) * sizeof *h->by_id);
        h->n_by_id = n;
    }
    h->by_id[sock_id] = e;
    e->life = h->life;
    e->in_engine = true;
    e->wire.dead = false;
}

struct end *who_is_half_open(struct host *h, const struct flow *flow, uint32_t sock_id)
{
    struct end *e = who_has_flow(h->world, flow);
    while (e && !seq_eq(peer_of(e)->wire.iss, host_syn(h)))
        e = e->conn->older ? &e->conn->older->end[e->side] : NULL;
    if (!e && host_by_cookie(h) && cookie_fits(h, flow))
        sim_fail(fail_by_chance, "a stray ACK is as good as a SYN cookie's");
    SIM_CHECK(e, "accept", "a connection out of a SYN that nobody has sent");
    who_is(e, sock_id);
    return e;
}

void who_forgets(struct host *h)
{
    free(h->by_id);
    h->by_id = NULL;
    h->n_by_id = 0;
}
