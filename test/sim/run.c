/*
 * See run.h. Two phases: with faults, in which only safety is asked for; then calm, in which every
 * application has to make progress all the time (liveness), until all connections are over and
 * the engines hold no socket any more.
 */
#include "run.h"

#include "app.h"
#include "check_end.h"
#include "check_live.h"
#include "fail.h"
#include "flood.h"
#include "host.h"
#include "nstime.h"

#define WATCH_NS   (5 * NS_PER_S)
#define EVENTS_MAX 3000000 /* a world that needs more than this goes in circles */

static void crash(struct host *h)
{
    struct world *w = h->world;
    if (!h->stack || w->calm)
        return;
    const struct crash_plan *c = &h->plan->crash[h->life - 1];
    host_crash(h);
    queue_push(&w->queue, w->now_ns + c->down_ns, EVENT_START, h->index, NULL);
    queue_push(&w->queue, w->now_ns + c->down_ns + c->deaf_ns, EVENT_LISTEN, h->index, NULL);
    h->was_deaf |= c->deaf_ns > 0;
}

static void start(struct host *h)
{
    if (!h->stack)
        host_start(h);
}

static void listen_again(struct host *h)
{
    start(h);
    if (h->listener)
        return;
    host_enter(h);
    host_listen(h);
    host_leave(h);
}

static void calm(struct world *w)
{
    w->calm = true;
    net_calm(&w->net);
    for (uint32_t i = 0; i < w->plan.n_hosts; i++) {
        listen_again(&w->host[i]);
        host_calm(&w->host[i]);
        host_accept(&w->host[i]);
    }
    for (uint32_t i = 0; i < w->plan.n_conns; i++) {
        app_calm(&w->conn[i].end[0]);
        app_calm(&w->conn[i].end[1]);
    }
    queue_push(&w->queue, w->now_ns + WATCH_NS, EVENT_WATCH, 0, NULL);
}

static bool pair_is_over(const struct conn *c)
{
    for (int i = 0; i < 2; i++) {
        const struct end *e = &c->end[i], *p = &c->end[1 - i];
        bool never = !e->opened && app_finished(p);
        if (!app_finished(e) && !never)
            return false;
    }
    return true;
}

static bool all_over(const struct world *w)
{
    for (uint32_t i = 0; i < w->plan.n_conns; i++)
        if (!pair_is_over(&w->conn[i]))
            return false;
    return true;
}

static void check_progress(struct world *w)
{
    for (uint32_t i = 0; i < w->plan.n_conns; i++) {
        struct conn *c = &w->conn[i];
        if (pair_is_over(c) || !live_is_stuck(w, c))
            continue;
        for (int k = 0; k < 2; k++) {
            struct end *e = &c->end[k];
            if (!e->sock)
                continue;
            SIM_CHECK(end_may_be_alone(e), "liveness",
                      "connection %u: side %d has written %llu of %llu, read %llu, nothing goes on",
                      i, k, (unsigned long long)e->wire.written,
                      (unsigned long long)e->plan->to_write, (unsigned long long)e->read);
            app_poke(e);
        }
    }
}

static bool is_empty(const struct world *w)
{
    for (uint32_t i = 0; i < w->plan.n_hosts; i++)
        if (stack_sock_count(w->host[i].stack) > 0)
            return false;
    return w->in_flight == 0;
}

static void watch(struct world *w)
{
    check_progress(w);
    if (!w->closing && all_over(w)) {
        w->closing = true;
        w->closing_ns = w->now_ns;
        for (uint32_t i = 0; i < w->plan.n_hosts; i++)
            host_close_listener(&w->host[i]);
    }
    uint64_t waits = w->closing ? w->now_ns - w->closing_ns : 0;
    uint64_t bound = 2 * live_patience_ns(w) + 600 * NS_PER_S;
    SIM_CHECK(waits < bound, "liveness", "sockets are left long after everything was closed");
    queue_push(&w->queue, w->now_ns + WATCH_NS, EVENT_WATCH, 0, NULL);
}

static void frame_arrives(struct world *w, uint32_t node, struct frame *f)
{
    if (node < w->plan.n_hosts) {
        host_frame(&w->host[node], f);
    } else {
        w->in_flight--;
        net_send(w, node, f);
    }
}

static void happen(struct world *w, const struct event *e)
{
    struct host *h = e->node < HOSTS_MAX ? &w->host[e->node] : NULL;
    switch (e->kind) {
    case EVENT_FRAME:
        frame_arrives(w, e->node, e->ptr);
        break;
    case EVENT_POLL:
        host_poll(h);
        break;
    case EVENT_TICK:
        host_tick(h);
        break;
    case EVENT_APP:
        app_wake(e->ptr);
        break;
    case EVENT_OPEN:
        app_open(e->ptr);
        break;
    case EVENT_ACCEPT:
        host_accept(h);
        break;
    case EVENT_CLOSE:
        host_close_listener(h);
        break;
    case EVENT_FLOOD:
        flood(h);
        break;
    case EVENT_CRASH:
        crash(h);
        break;
    case EVENT_START:
        start(h);
        break;
    case EVENT_LISTEN:
        listen_again(h);
        break;
    case EVENT_CALM:
        calm(w);
        break;
    case EVENT_WATCH:
        watch(w);
        break;
    }
}

static void foresee(struct world *w, uint32_t host)
{
    const struct host_plan *h = &w->plan.host[host];
    if (h->close_listener_ns)
        queue_push(&w->queue, h->close_listener_ns, EVENT_CLOSE, host, NULL);
    for (uint32_t i = 0; i < h->floods; i++)
        queue_push(&w->queue, h->flood_ns + i * h->flood_every_ns, EVENT_FLOOD, host, NULL);
    for (uint32_t i = 0; i < h->n_crashes; i++)
        queue_push(&w->queue, h->crash[i].at_ns, EVENT_CRASH, host, NULL);
}

void world_live(struct world *w)
{
    for (uint32_t i = 0; i < w->plan.n_hosts; i++)
        foresee(w, i);
    queue_push(&w->queue, w->plan.calm_ns + NS_PER_S, EVENT_CALM, 0, NULL);
    while (!(w->closing && is_empty(w)) && queue_next_ns(&w->queue) < w->until_ns) {
        struct event e = queue_pop(&w->queue);
        w->now_ns = fail_frame.now_ns = e.at_ns;
        SIM_CHECK(++w->events < EVENTS_MAX, "liveness", "%u events and no end", EVENTS_MAX);
        happen(w, &e);
    }
}
