/* See world.h: the making of a world and its end. What happens in between is in run.c. */
#include "world.h"

#include <stdlib.h>

#include "check_border.h"
#include "check_end.h"
#include "fail.h"
#include "host.h"
#include "isn.h"
#include "ladder.h"
#include "nstime.h"
#include "run.h"

/* How long a packet takes at most from one host to another where nothing goes wrong. */
static uint64_t way_ns(struct world *w, uint32_t from, uint32_t to)
{
    uint64_t ns = 0;
    for (uint32_t node = from; node != to;) {
        const struct link *l = net_next(&w->net, node, to);
        ns += l->plan->delay_ns + l->plan->jitter_ns;
        node = l->to;
    }
    return ns;
}

/* Whether on this connection no timer can run out before its answer is there. */
static bool is_clean(struct world *w, const struct conn_plan *c)
{
    uint64_t rto_ns = UINT64_MAX, answer_ns = 0;
    for (int i = 0; i < 2; i++) {
        const struct host_plan *h = &w->plan.host[c->host[i]];
        if (h->accept_ns || h->backlog < w->plan.n_conns || h->forge_ppm)
            return false;
        rto_ns = time_min(rto_ns, time_min(h->tcp.rto_min_ns, h->tcp.rto_initial_ns));
        answer_ns += way_ns(w, c->host[i], c->host[1 - i]) + h->poll_ns + h->late_ns;
        answer_ns += h->tcp.ack_delay_ns;
    }
    return w->plan.faultless && w->loss_ppm == 0 && answer_ns < rto_ns;
}

static void make_end(struct conn *c, uint8_t side)
{
    struct world *w = c->world;
    struct end *e = &c->end[side];
    struct host *h = &w->host[c->plan->host[side]];
    *e = (struct end){
        .conn = c, .side = side, .host = h, .plan = &c->plan->end[side], .wake_ns = TIME_NEVER};
    e->wire = (struct wire_end){
        .stream = rng_u64(&w->rng),
        .passive = side == 1 && c->plan->kind != CONN_SIMULTANEOUS,
        .nodelay = e->plan->nodelay || h->plan->tcp.nodelay,
        .head = w->plan.v6 ? 60 : 40,
        .told = &h->told[c->plan->host[1 - side]],
        .rcvbuf = h->plan->tcp.rcvbuf,
        .keepalive = h->plan->tcp.keepalive,
        .shift = -1,
        .clean = is_clean(w, c->plan),
        .ack_watch = {.refuses = h->plan->refuse_ppm > 0 || h->plan->mem_limit,
                      .slack_ns = h->plan->late_ns},
        .mtu = {.r1 = h->plan->tcp.r1},
        .resend = {.rto_min_ns = h->plan->tcp.rto_min_ns},
        .storm = {.credit = 2},
    };
    e->wire.mss = h->plan->caps.mtu - e->wire.head;
    if (e->plan->rcvbuf && e->plan->rcvbuf < e->wire.rcvbuf)
        e->wire.rcvbuf = e->plan->rcvbuf;
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
    for (uint8_t side = 0; side < 2; side++) {
        if (c->plan->again)
            c->port[side] = w->conn[i - 1].port[side];
        make_end(c, side);
    }
    if (!c->plan->again)
        queue_push(&w->queue, c->plan->open_ns, EVENT_OPEN, 0, c);
}

/* A clock with which the first connection's ISN or its timestamps at this host lie shortly before
 * 2^32: these are clocks of 4 us ticks and of 1 ms plus a constant of the four-tuple (RFC 6528, RFC
 * 7323 5.4). */
static void set_clock_for_wrap(struct world *w, const struct siphash_key *secret, uint8_t side)
{
    const struct conn *c = &w->conn[0];
    uint32_t me = c->plan->host[side], peer = c->plan->host[1 - side];
    const struct flow flow = {w->host[me].addr, w->host[peer].addr, c->port[side],
                              c->port[1 - side]};
    bool ts = rng_one_in(&w->rng, 2);
    uint32_t target = UINT32_MAX - (uint32_t)rng_below(&w->rng, ts ? 5000 : 60000);
    uint32_t ticks = target - (ts ? isn_ts_offset(secret, &flow) : isn_choose(secret, &flow, 0).v);
    uint64_t at = ((UINT64_C(1) << 32) + ticks) * (ts ? NS_PER_MS : 4 * NS_PER_US);
    w->host[me].clock_ns = at - c->plan->open_ns;
}

static void make(struct world *w, uint64_t seed, const struct world_options *options)
{
    rng_init(&w->rng, seed);
    if (options->plan)
        options->plan(&w->plan, options->ctx);
    else
        plan_draw(&w->plan, &w->rng, options->super);
    w->until_ns = options->until_ns ? options->until_ns : TIME_NEVER;
    w->loss_ppm = options->loss_ppm;
    w->now_ns = NS_PER_S / 2;
    w->conn = sim_zalloc(w->plan.n_conns, sizeof *w->conn);
    w->happened = sim_zalloc(2 * w->plan.n_conns, sizeof *w->happened);
    net_init(w);
    for (uint32_t i = 0; i < w->plan.n_hosts; i++)
        host_init(&w->host[i], w, i);
    for (uint32_t i = 0; i < w->plan.n_conns; i++)
        make_conn(w, i);
    for (uint8_t s = 0; s < 2 && w->plan.conn[0].wrap; s++)
        set_clock_for_wrap(w, &w->host[w->plan.conn[0].host[s]].secret, s);
}

static void end_host(struct host *h)
{
    SIM_CHECK(stack_sock_count(h->stack) == 0, "end", "%u sockets are left",
              stack_sock_count(h->stack));
    border_end(h);
}

static void end(struct world *w)
{
    for (uint32_t i = 0; i < w->plan.n_conns; i++)
        end_check_pair(&w->conn[i]);
    for (uint32_t i = 0; i < w->plan.n_hosts; i++)
        end_host(&w->host[i]);
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
    plan_finish(&w->plan);
    free(w->conn);
    free(w->happened);
    free(w);
}

bool world_run(uint64_t seed, const struct world_options *options, struct world_result *result)
{
    struct world *volatile w = sim_zalloc(1, sizeof *w);
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
        if (options->look)
            options->look(w, options->result);
        else
            end(w);
    }
    fail_frame.armed = false;
    *result = (struct world_result){w->hash, w->segments, w->octets, w->now_ns, w->tried};
    unmake(w);
    return good;
}
