/* See host.h. */
#include "host.h"

#include "app.h"
#include "batches.h"
#include "check_border.h"
#include "check_reuse.h"
#include "fail.h"
#include "ladder.h"
#include "nstime.h"
#include "who.h"

void host_enter(struct host *h)
{
    border_enter(h);
}

void host_called(struct host *h)
{
    h->idle_ticks = 0;
    border_called(h);
    if (h->plan->lazy == 0 || rng_one_in(&h->world->rng, h->plan->lazy))
        host_drain(h);
}

static void look_at_listener(struct host *h)
{
    struct world *w = h->world;
    if (h->accept_set)
        return;
    uint64_t wait = w->calm ? 0 : rng_below(&w->rng, h->plan->accept_ns);
    queue_push(&w->queue, w->now_ns + wait, EVENT_ACCEPT, h->index, NULL);
    h->accept_set = true;
}

static size_t pass_events(struct host *h)
{
    struct stack_event ev;
    size_t n = 0;
    while (stack_next_event(h->stack, &ev)) {
        SIM_CHECK(ev.what != 0, "event", "an event that says nothing");
        SIM_CHECK(ev.user != NULL, "event", "an event of a socket nobody has");
        SIM_CHECK(++n < 10000, "event", "events do not come to an end");
        struct handle *handle = ev.user;
        if (!handle->end) {
            SIM_CHECK(ev.sock == h->listener, "event", "the listener's event, another socket");
            look_at_listener(h);
        } else if (h->world->sabotage != SABOTAGE_EVENT || !rng_one_in(&h->world->rng, 20)) {
            app_event(handle->end, &ev);
        }
    }
    return n;
}

/* One EVENT_TICK counts at a time, the one at tick_at_ns: an earlier deadline makes another one the
 * one that counts. */
static void set_tick(struct host *h)
{
    struct world *w = h->world;
    uint64_t deadline = stack_deadline(h->stack);
    if (deadline == h->tick_for_ns)
        return;
    h->tick_for_ns = deadline;
    h->tick_at_ns = TIME_NEVER;
    if (deadline == TIME_NEVER)
        return;
    /* Seed 1379490: a deadline that is the earliest only when it has passed already, as another was
     * there before it, is no later for that. */
    uint64_t now_ns = host_now(h), late_ns = rng_below(&w->rng, h->plan->late_ns + 1);
    uint64_t overdue_ns = deadline < now_ns ? now_ns - deadline : 0;
    h->tick_at_ns = deadline > now_ns ? deadline - h->clock_ns : w->now_ns;
    h->tick_at_ns += late_ns > overdue_ns ? late_ns - overdue_ns : 0;
    queue_push(&w->queue, h->tick_at_ns, EVENT_TICK, h->index, NULL);
}

/* The turn of each end that has an ACK to send is over. */
static void check_owed(struct host *h)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < h->n_owing; i++) {
        struct end *e = h->owing[i];
        /* Where there is no room, TIME-WAIT may end at any time. */
        bool evicted = e->time_wait && h->plan->tight;
        e->owing = e->wire.ack_watch.owed && !e->wire.over && !evicted;
        if (!e->owing)
            continue;
        fail_about((int)e->conn->index, e->side);
        ack_turn_over(&e->wire.ack_watch, h->world->now_ns);
        h->owing[n++] = e;
    }
    h->n_owing = n;
    fail_about(-1, 0);
}

void host_leave(struct host *h)
{
    unsigned rounds = 0;
    do {
        host_drain(h);
        SIM_CHECK(++rounds < 10000, "event", "a turn does not come to an end");
    } while (pass_events(h) > 0);
    check_owed(h);
    set_tick(h);
}

void host_tick(struct host *h)
{
    if (!h->stack || h->world->now_ns != h->tick_at_ns || h->world->sabotage == SABOTAGE_TICK)
        return;
    host_enter(h);
    h->tick_at_ns = h->tick_for_ns = TIME_NEVER;
    uint32_t socks = stack_sock_count(h->stack);
    stack_tick(h->stack, host_now(h));
    border_called(h);
    border_ticked(h, host_drain(h), socks);
    host_leave(h);
}

void host_frame(struct host *h, struct frame *f)
{
    struct world *w = h->world;
    if (!h->stack) {
        w->in_flight--;
        frame_unref(f);
        return;
    }
    if (w->sabotage)
        sabotage_frame(h, f);
    if (w->trace)
        ladder_arrives(h, f);
    h->rx[h->n_rx++] = f;
    if (h->n_rx == OUTPUT_BATCH) {
        host_poll(h);
    } else if (!h->poll_set) {
        h->poll_set = true;
        queue_push(&w->queue, w->now_ns + rng_below(&w->rng, h->plan->poll_ns + 1), EVENT_POLL,
                   h->index, NULL);
    }
}

/* The checkers learn what the engine is about to. */
static void arrives(struct host *h, const struct frame *f)
{
    struct conn *c = f->conn;
    struct end *me = &c->end[1 - f->side], *from = &c->end[f->side];
    uint64_t now_ns = h->world->now_ns;
    if (f->corrupt) {
        h->corrupt_in++;
        return;
    }
    /* Whichever connection has the four-tuple now may answer. */
    for (struct conn *o = who_newest(c); o; o = o->older)
        if (o != c)
            wire_disturbed(&o->end[me->side].wire, &f->seg);
    from->calm_syns += h->world->calm && (f->seg.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
    if (f->icmp == ICMP_SAYS_TOO_BIG)
        wire_told(&me->wire, f->mtu, f->seg.seq, f->forged, now_ns);
    else if (f->icmp == ICMP_SAYS_UNREACHABLE)
        me->unreachable = true;
    else if (f->forged)
        wire_disturbed(&me->wire, &f->seg);
    else
        wire_arrived(&me->wire, &from->wire, &f->seg, f->epoch, now_ns);
    if (me->wire.ack_watch.owed && !me->owing) {
        me->owing = true;
        h->owing[h->n_owing++] = me;
    }
}

/* The batch as it is, or in pieces: output is asked only behind the last. */
static void input(struct host *h, const struct packet *in)
{
    struct world *w = h->world;
    uint32_t at = 0;
    while (at < h->n_rx) {
        uint32_t n = h->n_rx - at;
        if (rng_one_in(&w->rng, 2))
            n = rng_range32(&w->rng, 1, n);
        stack_input(h->stack, in + at, n, host_now(h));
        border_called(h);
        at += n;
    }
}

static void keep_confusing_back(struct host *h)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < h->n_rx; i++) {
        if (!reuse_confuses(h->rx[i])) {
            h->rx[n++] = h->rx[i];
            continue;
        }
        frame_unref(h->rx[i]);
        h->world->in_flight--;
    }
    h->n_rx = n;
}

void host_poll(struct host *h)
{
    struct world *w = h->world;
    struct packet in[OUTPUT_BATCH];
    h->poll_set = false;
    keep_confusing_back(h);
    if (h->n_rx == 0)
        return;
    host_enter(h);
    h->idle_ticks = 0;
    for (uint32_t i = 0; i < h->n_rx; i++)
        frame_to_packet(h->rx[i], &in[i], &w->rng);
    batches_try(h, in);
    for (uint32_t i = 0; i < h->n_rx; i++)
        arrives(h, h->rx[i]);
    input(h, in);
    for (uint32_t i = 0; i < h->n_rx; i++)
        frame_unref(h->rx[i]);
    w->in_flight -= h->n_rx;
    h->n_rx = 0;
    host_leave(h);
}

void host_accept(struct host *h)
{
    h->accept_set = false;
    if (!h->listener)
        return;
    host_enter(h);
    for (;;) {
        bool ready = stack_readiness(h->listener) & SOCK_READABLE;
        struct sock *so = NULL;
        struct handle *handle = &h->accepted[h->n_accepted];
        int err = stack_accept(h->listener, handle, host_now(h), &so);
        SIM_CHECK(ready == (err == ERR_NONE), "accept", "error %d, readable %d", err, ready);
        if (err == ERR_AGAIN)
            break;
        SIM_CHECK(++h->n_accepted <= h->world->plan.n_conns, "accept",
                  "more connections than there are");
        app_accepted(h, handle, so);
    }
    host_leave(h);
}
