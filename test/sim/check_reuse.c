/* See check_reuse.h. */
#include "check_reuse.h"

#include "fail.h"
#include "nstime.h"
#include "who.h"

#define TICK_NS (4 * NS_PER_US) /* of the ISN's clock, RFC 6528 3 */
#define REACH   (1 << 25)       /* farther ahead of what was sent no window reaches */

/* What lies between two numbers makes sense only while the clock has not gone half around. */
#define ROUND_NS (TICK_NS << 30)

static struct end *older(const struct end *e)
{
    return e->conn->older ? &e->conn->older->end[e->side] : NULL;
}

/* Cookies are numbers of their own, and what follows one may have to be beyond it (MAY-2), and what
 * follows that: nowhere by the clock. */
static bool was_cookie(const struct end *e)
{
    for (; e; e = older(e))
        if (e->wire.cookie_once)
            return true;
    return false;
}

void reuse_syn_sent(struct end *e)
{
    if (was_cookie(e))
        return;
    for (struct end *o = older(e); o; o = older(o)) {
        uint64_t since_ns = e->wire.iss_ns - o->wire.iss_ns;
        bool jumped = o->wire.reopens; /* to be beyond its own predecessor */
        if (o->life != e->life || !o->wire.syn_sent || o->wire.ghost || jumped ||
            since_ns > ROUND_NS)
            continue;
        int64_t ticks = (int64_t)(since_ns / TICK_NS) - 1;
        SIM_CHECK(seq_diff(e->wire.iss, o->wire.iss) >= ticks, "isn",
                  "%d beyond the one of %llu us before", seq_diff(e->wire.iss, o->wire.iss),
                  (unsigned long long)(since_ns / NS_PER_US));
    }
}

/* The end o of an earlier connection was in TIME-WAIT: the client's number, whose SYN has come, is
 * beyond all that its own end of that used, or its timestamp is newer (RFC 6191). (The listener's
 * number has not been sent yet.) */
static void check_reopening(const struct end *e, const struct end *o)
{
    const struct wire_end *was = &o->conn->end[1 - o->side].wire;
    const struct wire_end *is = &e->conn->end[1 - e->side].wire;
    seq_t end = seq_add(was->iss, (uint32_t)was->sent);
    bool newer = e->host->plan->tcp.timestamps && ts_reopens(&is->ts, &o->wire.ts, &was->ts);
    SIM_CHECK(seq_leq(end, is->iss) || newer, "time-wait",
              "it has given way to a SYN %d before its end", seq_diff(end, is->iss));
}

static void give_way(struct end *o)
{
    o->in_engine = o->time_wait = false;
    o->wire.dead = true;
    ack_reset(&o->wire.ack_watch);
}

void reuse_half_open(struct end *e)
{
    e->wire.reopens = e->wire.surely = false;
    for (struct conn *c = e->conn->newer; c; c = c->newer)
        give_way(&c->end[e->side]);
    for (struct end *o = older(e); o; o = older(o)) {
        e->wire.reopens = e->wire.reopens || o->time_wait;
        if (o->time_wait && !e->host->plan->tight) {
            check_reopening(e, o);
            e->wire.beyond = seq_add(o->wire.iss, (uint32_t)o->wire.sent);
            e->wire.surely = !o->wire.lost;
        }
        give_way(o);
    }
}

static uint32_t ports_in_use(const struct end *e)
{
    const struct world *w = e->conn->world;
    const struct end *p = &e->conn->end[1 - e->side];
    uint32_t n = 0;
    for (uint32_t i = 0; i < w->plan.n_conns; i++) {
        const struct conn *c = &w->conn[i];
        for (int s = 0; s < 2; s++)
            n += c->end[s].host == e->host && c->end[s].in_engine &&
                 c->end[1 - s].host == p->host && c->port[1 - s] == e->conn->port[1 - e->side];
    }
    return n;
}

void reuse_refused(struct end *e, int error)
{
    if (error == ERR_NO_PORT) {
        uint32_t n = ports_in_use(e);
        SIM_CHECK(n >= e->host->plan->ports, "port", "none is free, but %u of %u are in use", n,
                  e->host->plan->ports);
        return;
    }
    const struct conn *c = e->conn;
    const struct flow flow = {e->host->addr, c->end[1 - e->side].host->addr, c->port[e->side],
                              c->port[1 - e->side]};
    bool used = false;
    for (const struct end *o = who_has_flow(c->world, &flow); o; o = older(o))
        used = used || o->in_engine;
    SIM_CHECK(used, "port", "the four-tuple is in use, but no connection has it");
}

bool reuse_confuses(const struct frame *f)
{
    const struct conn *c = f->conn;
    for (const struct conn *n = c->newer; n; n = n->newer) {
        const struct wire_end *from = &n->end[f->side].wire;
        int64_t at = seq_diff(f->seg.seq, from->iss);
        if (from->syn_sent && at + seg_len(&f->seg) >= 0 && at < (int64_t)from->sent + REACH)
            return true;
    }
    return false;
}
