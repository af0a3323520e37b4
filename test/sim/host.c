/* See host.h. */
#include "host.h"

#include "app.h"
#include "check_end.h"
#include "codec.h"
#include "fail.h"
#include "ladder.h"
#include "nstime.h"

#define MEM_LIMIT (64u << 20)

static void sink(void *ctx, const struct trace_point *point)
{
    struct host *h = ctx;
    if (point->kind == TRACE_STATE && point->flow)
        end_state(h, point);
    if (point->kind == TRACE_INVARIANT)
        sim_fail("invariant", "%s", point->text);
    if (h->world->trace)
        ladder_point(h, point);
}

void host_init(struct host *h, struct world *w, uint32_t index)
{
    h->world = w;
    h->index = index;
    h->plan = &w->plan.host[index];
    h->tick_at_ns = h->tick_for_ns = TIME_NEVER;
    if (w->plan.v6) {
        const uint8_t a[16] = {0xfd, 0, 0, 0, 0, 0, 0, 0,
                               0,    0, 0, 0, 0, 0, 0, (uint8_t)(index + 1)};
        h->addr = ip_addr_v6_bytes(a);
    } else {
        h->addr = ip_addr_v4(0x0a000001 + index);
    }
    simmem_init(&h->mem, &w->rng, MEM_LIMIT);
    h->secret = (struct siphash_key){rng_u64(&w->rng), rng_u64(&w->rng)};
    const struct stack_config config = {
        .mem = &h->mem.mem,
        .secret = h->secret,
        .trace = {sink, h},
        .caps = h->plan->caps,
        .tcp = h->plan->tcp,
        .max_socks = 64,
    };
    SIM_CHECK(stack_create(&h->stack, &config) == ERR_NONE, "create", "no stack");
    SIM_CHECK(stack_add_ports(h->stack, 61000, 512) == ERR_NONE, "create", "no ports");
    h->mem_empty = h->mem.used;
    host_listen(h);
}

void host_listen(struct host *h)
{
    const struct ip_addr any = h->world->plan.v6 ? IP_ADDR_ANY6 : ip_addr_v4(0);
    const bool wild = rng_one_in(&h->world->rng, 2);
    int err = stack_listen(h->stack, wild ? &any : &h->addr, LISTEN_PORT, h->plan->backlog,
                           &h->listener_handle, &h->listener);
    SIM_CHECK(err == ERR_NONE, "listen", "error %d", err);
}

void host_close_listener(struct host *h)
{
    if (!h->listener)
        return;
    host_enter(h);
    h->listener_closed = true;
    stack_close(h->listener, host_now(h));
    h->listener = NULL;
    host_called(h);
    host_leave(h);
}

static void check_engine(struct host *h)
{
    h->calls++;
    simmem_check(&h->mem);
    const char *why = stack_check(h->stack);
    SIM_CHECK(!why, "stack_check", "%s", why);
}

/* What the engine sends, to the link. */
/* Somebody off the path guesses: both ends must not mind. */
static void forge(struct host *h, const struct frame *f, struct link *l)
{
    struct world *w = h->world;
    const struct conn *c = f->conn;
    bool open = c->end[0].connected && c->end[1].connected;
    if (w->calm || !open || f->gso_size || f->seg.flags & (TCP_SYN | TCP_FIN | TCP_RST) ||
        !rng_chance(&w->rng, h->plan->forge_ppm))
        return;
    const struct end *e = &c->end[f->side];
    seq_t never = seq_add(e->wire.iss, (uint32_t)e->plan->to_write + 3);
    struct frame *forged = frame_forge(f, never, &w->rng);
    /* And what a router would say to it, though it does not even come by one. */
    if (!seq_eq(forged->seg.seq, f->seg.seq) && rng_one_in(&w->rng, 4)) {
        struct frame *told = frame_too_big(forged, w->plan.v6 ? 1280 : 552, &w->rng);
        link_send(l->back, told, w->now_ns);
    }
    link_send(l, forged, w->now_ns);
}

static void transmit(struct host *h, const struct packet *p)
{
    struct world *w = h->world;
    struct frame *f = frame_copy(p, &h->plan->caps);
    const struct flow from = {f->flow.remote, f->flow.local, f->flow.remote_port,
                              f->flow.local_port};
    uint8_t side;
    struct conn *c = world_find(w, &from, &side);
    SIM_CHECK(c, "flow", "a packet of no connection, port %u to %u", from.local_port,
              from.remote_port);
    SIM_CHECK(c->end[side].host == h, "flow", "a packet with another host's address");
    f->conn = c;
    f->side = side;
    fail_about((int)c->index, side);
    wire_sent(&c->end[side].wire, &c->end[1 - side].wire, &f->seg, w->now_ns);
    f->epoch = c->end[side].wire.epoch;
    fail_about(-1, 0);
    world_hash(w, w->now_ns);
    world_hash(w, (uint64_t)f->seg.seq.v << 32 | f->seg.ack.v);
    world_hash(w, (uint64_t)f->len << 32 | f->seg.wnd << 8 | f->seg.flags);
    w->segments += f->gso_size ? (f->seg.text_len + f->gso_size - 1u) / f->gso_size : 1;
    w->octets += f->len;
    struct link *l = &w->link[h->index][c->end[1 - side].host->index];
    forge(h, f, l);
    link_send(l, f, w->now_ns);
}

/* Asks for packets until there are none; how many there were. */
static size_t drain(struct host *h)
{
    struct packet out[OUTPUT_BATCH];
    size_t total = 0, n;
    uint32_t max = h->plan->output_max;
    while ((n = stack_output(h->stack, out, max, host_now(h))) > 0) {
        SIM_CHECK(n <= max, "output", "%zu packets for %u places", n, max);
        for (size_t i = 0; i < n; i++)
            transmit(h, &out[i]);
        total += n;
        SIM_CHECK(total < 100000, "output", "does not come to an end");
    }
    if (total > 0)
        check_engine(h); /* otherwise the caller has just done so */
    SIM_CHECK(stack_output(h->stack, out, max, host_now(h)) == 0, "silence",
              "output() had nothing to send and now has");
    h->quiet_ns = h->world->now_ns;
    return total;
}

void host_enter(struct host *h)
{
    struct world *w = h->world;
    uint64_t deadline = stack_deadline(h->stack), now = host_now(h);
    SIM_CHECK(deadline == h->tick_for_ns, "deadline", "it has moved by itself");
    if (!rng_one_in(&w->rng, 8) || h->quiet_ns >= w->now_ns)
        return;
    uint64_t from = h->quiet_ns + h->plan->clock_ns, to = deadline < now ? deadline : now;
    if (to <= from)
        return;
    struct packet out[1];
    uint64_t at = rng_range(&w->rng, from, to - 1);
    SIM_CHECK(stack_output(h->stack, out, 1, at) == 0, "silence",
              "output() speaks before the deadline, with no call in between");
}

void host_called(struct host *h)
{
    h->idle_ticks = 0;
    check_engine(h);
    if (h->plan->lazy == 0 || rng_one_in(&h->world->rng, h->plan->lazy))
        drain(h);
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
            if (!h->accept_set) {
                uint64_t wait = h->world->calm ? 0 : rng_below(&h->world->rng, h->plan->accept_ns);
                queue_push(&h->world->queue, h->world->now_ns + wait, EVENT_ACCEPT, h->index, NULL);
                h->accept_set = true;
            }
        } else {
            if (h->world->sabotage != SABOTAGE_EVENT || !rng_one_in(&h->world->rng, 20))
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
    h->tick_at_ns = deadline > host_now(h) ? deadline - h->plan->clock_ns : w->now_ns;
    h->tick_at_ns += rng_below(&w->rng, h->plan->late_ns + 1);
    queue_push(&w->queue, h->tick_at_ns, EVENT_TICK, h->index, NULL);
}

void host_leave(struct host *h)
{
    unsigned rounds = 0;
    do {
        drain(h);
        SIM_CHECK(++rounds < 10000, "event", "a turn does not come to an end");
    } while (pass_events(h) > 0);
    for (uint32_t i = 0; i < h->world->plan.n_conns; i++) {
        struct conn *c = &h->world->conn[i];
        for (int s = 0; s < 2; s++)
            if (c->end[s].host == h && !c->end[s].wire.over) {
                fail_about((int)c->index, s);
                ack_turn_over(&c->end[s].wire.ack_watch, h->world->now_ns);
            }
    }
    set_tick(h);
}

void host_tick(struct host *h)
{
    uint64_t now = host_now(h);
    if (h->world->now_ns != h->tick_at_ns || h->world->sabotage == SABOTAGE_TICK)
        return;
    host_enter(h);
    h->tick_at_ns = h->tick_for_ns = TIME_NEVER;
    uint32_t socks = stack_sock_count(h->stack);
    stack_tick(h->stack, now);
    check_engine(h);
    size_t sent = drain(h);
    SIM_CHECK(stack_deadline(h->stack) > now, "deadline",
              "still in the past after tick and output: a hot loop");
    if (sent == 0 && stack_sock_count(h->stack) == socks)
        h->idle_ticks++;
    else
        h->idle_ticks = 0;
    SIM_CHECK(h->idle_ticks <= 16 + 8 * socks, "deadline", "%u ticks in a row did nothing",
              h->idle_ticks);
    host_leave(h);
}

void host_frame(struct host *h, struct frame *f)
{
    struct world *w = h->world;
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

void host_poll(struct host *h)
{
    struct world *w = h->world;
    struct packet in[OUTPUT_BATCH];
    h->poll_set = false;
    if (h->n_rx == 0)
        return;
    host_enter(h);
    h->idle_ticks = 0;
    for (uint32_t i = 0; i < h->n_rx; i++) {
        struct frame *f = h->rx[i];
        struct conn *c = f->conn;
        frame_to_packet(f, &in[i], &w->rng);
        if (f->corrupt)
            h->corrupt_in++;
        else if (f->forged || f->too_big)
            c->end[1 - f->side].wire.packets++;
        else
            wire_arrived(&c->end[1 - f->side].wire, &c->end[f->side].wire, &f->seg, f->epoch,
                         w->now_ns);
    }
    /* The batch as it is, or in pieces: output is asked only behind the last. */
    uint32_t at = 0;
    while (at < h->n_rx) {
        uint32_t n = h->n_rx - at;
        if (rng_one_in(&w->rng, 2))
            n = rng_range32(&w->rng, 1, n);
        stack_input(h->stack, in + at, n, host_now(h));
        check_engine(h);
        at += n;
    }
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
        SIM_CHECK(++h->n_accepted <= CONNS_MAX, "accept", "more connections than there are");
        app_accepted(h, handle, so);
    }
    host_leave(h);
}
