/* See world.h: the making of a world and its end. What happens in between is in run.c. */
#include "world.h"

#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "check_end.h"
#include "fail.h"
#include "host.h"
#include "isn.h"
#include "ladder.h"
#include "nstime.h"
#include "run.h"

struct conn *world_find(struct world *w, const struct flow *flow, uint8_t *side)
{
    for (uint32_t i = 0; i < w->plan.n_conns; i++) {
        struct conn *c = &w->conn[i];
        for (uint8_t s = 0; s < 2; s++) {
            if (c->port[s] == flow->local_port && c->port[1 - s] == flow->remote_port &&
                ip_addr_eq(&c->end[s].host->addr, &flow->local) &&
                ip_addr_eq(&c->end[1 - s].host->addr, &flow->remote)) {
                *side = s;
                return c;
            }
        }
    }
    return NULL;
}

static uint32_t path_mss(const struct world *w, const struct host *h)
{
    return h->plan->caps.mtu - (w->plan.v6 ? 60 : 40);
}

/* What the narrow place on the way from this end lets through; 0: there is none. */
static uint32_t narrow_mss(const struct world *w, const struct conn_plan *c, uint8_t side)
{
    uint32_t mtu = w->plan.link[c->host[side]][c->host[1 - side]].mtu;
    return mtu ? mtu - (w->plan.v6 ? 60 : 40) : 0;
}

/* Whether on this connection no timer can run out before its answer is there. */
static bool is_clean(const struct world *w, const struct conn_plan *c)
{
    uint64_t rto_ns = UINT64_MAX, answer_ns = 0;
    for (int i = 0; i < 2; i++) {
        const struct host_plan *h = &w->plan.host[c->host[i]];
        const struct link_plan *l = &w->plan.link[c->host[i]][c->host[1 - i]];
        if (h->refuse_ppm || h->accept_ns)
            return false;
        rto_ns = time_min(rto_ns, time_min(h->tcp.rto_min_ns, h->tcp.rto_initial_ns));
        answer_ns += l->delay_ns + l->jitter_ns + h->poll_ns + h->late_ns;
        answer_ns += h->tcp.ack_delay_ns;
    }
    return w->plan.faultless && answer_ns < rto_ns;
}

static void make_conn(struct world *w, uint32_t i)
{
    struct conn *c = &w->conn[i];
    c->world = w;
    c->plan = &w->plan.conn[i];
    c->index = i;
    c->port[0] = c->plan->fixed_port ? (uint16_t)(40000 + i) : 0;
    c->port[1] = c->plan->kind == CONN_SIMULTANEOUS ? (uint16_t)(50000 + i)
                 : c->plan->kind == CONN_NOBODY     ? NOBODY_PORT
                                                    : LISTEN_PORT;
    for (uint8_t s = 0; s < 2; s++) {
        struct end *e = &c->end[s];
        e->conn = c;
        e->side = s;
        e->host = &w->host[c->plan->host[s]];
        e->plan = &c->plan->end[s];
        e->wake_ns = TIME_NEVER;
        e->wire = (struct wire_end){
            .stream = rng_u64(&w->rng),
            .passive = s == 1 && c->plan->kind != CONN_SIMULTANEOUS,
            .nodelay = e->plan->nodelay || w->plan.host[c->plan->host[s]].tcp.nodelay,
            .mss_narrow = narrow_mss(w, c->plan, s),
            .mss = path_mss(w, &(struct host){.plan = &w->plan.host[c->plan->host[s]]}),
            .rcvbuf = w->plan.host[c->plan->host[s]].tcp.rcvbuf,
            .keepalive = w->plan.host[c->plan->host[s]].tcp.keepalive,
            .shift = -1,
            .clean = is_clean(w, c->plan),
            .ack_watch = {.refuses = w->plan.host[c->plan->host[s]].refuse_ppm > 0,
                          .slack_ns = w->plan.host[c->plan->host[s]].late_ns},
        };
        if (e->plan->rcvbuf && e->plan->rcvbuf < e->wire.rcvbuf)
            e->wire.rcvbuf = e->plan->rcvbuf;
    }
    queue_push(&w->queue, c->plan->open_ns, EVENT_OPEN, 0, c);
}

/* A clock with which the first connection's ISN at this host lies shortly before 2^32: the ISN is
 * a clock of 4 us ticks plus a constant of the four-tuple (RFC 6528). */
static void set_clock_for_wrap(struct world *w, const struct siphash_key *secret, uint8_t side)
{
    const struct conn *c = &w->conn[0];
    uint32_t me = c->plan->host[side], peer = c->plan->host[1 - side];
    const struct flow flow = {w->host[me].addr, w->host[peer].addr, c->port[side],
                              c->port[1 - side]};
    uint32_t target = UINT32_MAX - (uint32_t)rng_below(&w->rng, 60000);
    uint32_t ticks = target - isn_choose(secret, &flow, 0).v;
    uint64_t at = ((UINT64_C(1) << 32) + ticks) * 4000;
    w->plan.host[me].clock_ns = at - c->plan->open_ns;
}

static void make(struct world *w, uint64_t seed, const struct world_options *options)
{
    rng_init(&w->rng, seed);
    plan_draw(&w->plan, &w->rng, options->super);
    w->plan.faultless = w->plan.faultless && options->loss_ppm == 0;
    w->now_ns = NS_PER_S / 2;
    for (uint32_t i = 0; i < w->plan.n_hosts; i++)
        host_init(&w->host[i], w, i);
    for (uint32_t i = 0; i < w->plan.n_conns; i++)
        make_conn(w, i);
    for (uint8_t s = 0; s < 2 && w->plan.conn[0].wrap; s++)
        set_clock_for_wrap(w, &w->host[w->plan.conn[0].host[s]].secret, s);
    for (uint32_t i = 0; i < w->plan.n_hosts; i++) {
        struct host *h = &w->host[i];
        h->mem.refuse_ppm = h->plan->refuse_ppm;
        for (uint32_t k = 0; k < w->plan.n_hosts; k++) {
            w->link[i][k] = (struct link){
                .plan = w->plan.link[i][k],
                .loss_ppm = options->loss_ppm,
                .to = k,
                .back = &w->link[k][i],
                .rng = &w->rng,
                .queue = &w->queue,
                .watch = w->trace ? ladder_sent : NULL,
                .watch_ctx = w,
                .in_flight = &w->in_flight,
            };
        }
    }
    queue_push(&w->queue, w->plan.calm_ns + NS_PER_S, EVENT_CALM, 0, NULL);
}

static void end(struct world *w)
{
    for (uint32_t i = 0; i < w->plan.n_conns; i++)
        end_check_pair(&w->conn[i]);
    for (uint32_t i = 0; i < w->plan.n_hosts; i++)
        host_finish(&w->host[i]);
}

static void unmake(struct world *w)
{
    while (w->queue.n > 0) {
        struct event e = queue_pop(&w->queue);
        if (e.kind == EVENT_FRAME)
            frame_unref(e.ptr);
    }
    for (uint32_t i = 0; i < HOSTS_MAX; i++)
        host_free(&w->host[i]);
    queue_finish(&w->queue);
    free(w);
}

bool world_run(uint64_t seed, const struct world_options *options, struct world_result *result)
{
    struct world *volatile w = calloc(1, sizeof *w);
    if (!w) {
        fputs("vopr: out of memory\n", stderr);
        exit(2);
    }
    w->trace = options->trace;
    w->sabotage = options->sabotage;
    fail_frame.seed = seed;
    fail_frame.now_ns = 0;
    fail_about(-1, 0);
    fail_frame.armed = true;
    bool good = setjmp(fail_frame.env) == 0;
    if (good) {
        make(w, seed, options);
        if (options->trace)
            ladder_begin(w, seed);
        world_live(w);
        end(w);
    }
    fail_frame.armed = false;
    *result = (struct world_result){w->hash, w->segments, w->octets, w->now_ns};
    unmake(w);
    return good;
}
