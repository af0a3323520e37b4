/* See batches.h. */
#include "batches.h"

#include <string.h>

#include "fail.h"
#include "host.h"

#define MEM_MAX   (256u << 10) /* octets that are worth saving */
#define SOCKS_MAX 64

enum way {
    WHOLE,
    SINGLE,  /* packet by packet */
    DRAINED, /* and all output after each */
};

/* What was seen, in order: one value after the other, each of a socket. */
struct view {
    uint32_t n;
    struct seen {
        const char *what;
        int conn, side; /* conn -1: not one of a connection */
        uint64_t value;
    } seen[4096];
    uint64_t packets; /* a hash of them, with all that they hold */
    uint64_t events;  /* and of the events in their order */
    uint64_t deadline_ns;
};

static void note(struct view *v, const char *what, const struct end *e, uint64_t value)
{
    SIM_CHECK(v->n < sizeof v->seen / sizeof *v->seen, "batch", "too much to see");
    v->seen[v->n++] = (struct seen){what, e ? (int)e->conn->index : -1, e ? e->side : 0, value};
}

static uint64_t hash(uint64_t h, const void *data, size_t len)
{
    const uint8_t *p = data;
    for (size_t i = 0; i < len; i++)
        h = (h ^ p[i]) * UINT64_C(0x100000001b3);
    return h;
}

static void drain(struct host *h, struct view *v)
{
    struct packet out[OUTPUT_BATCH];
    size_t n;
    while ((n = stack_output(h->stack, out, h->plan->output_max, host_now(h))) > 0) {
        for (size_t i = 0; i < n; i++) {
            v->packets = hash(v->packets, out[i].head.ptr, out[i].head.len);
            for (unsigned k = 0; k < out[i].n_body; k++)
                v->packets = hash(v->packets, out[i].body[k].ptr, out[i].body[k].len);
        }
    }
}

static void take_in(struct host *h, const struct packet *in, enum way way, struct view *v)
{
    struct stack_event ev;
    if (way == WHOLE)
        stack_input(h->stack, in, h->n_rx, host_now(h));
    for (uint32_t i = 0; i < h->n_rx && way != WHOLE; i++) {
        stack_input(h->stack, in + i, 1, host_now(h));
        if (way == DRAINED)
            drain(h, v);
        if (h->world->sabotage == SABOTAGE_SPLIT)
            stack_next_event(h->stack, &ev);
    }
    drain(h, v);
}

/* All that happened to a socket since it was last told of, as one set each. */
static void look_at_events(struct host *h, struct view *v)
{
    struct world *w = h->world;
    struct stack_event ev;
    unsigned listener = 0;
    memset(w->happened, 0, 2 * w->plan.n_conns * sizeof *w->happened);
    while (stack_next_event(h->stack, &ev)) {
        const struct end *e = ((struct handle *)ev.user)->end;
        *(e ? &w->happened[2 * e->conn->index + e->side] : &listener) |= ev.what;
        v->events = hash(v->events, &ev.sock_id, sizeof ev.sock_id);
        v->events = hash(v->events, &ev.what, sizeof ev.what);
    }
    note(v, "events of the listener", NULL, listener);
}

/* Whether the FIN has gone out yet, behind the user's last text, is a matter of time. */
static bool closes(enum tcp_state s)
{
    return s == STATE_CLOSE_WAIT || s == STATE_LAST_ACK;
}

/* When a send buffer grows depends on whether cwnd holds text back, which output in between changes
 * (ackin.c): then nothing is noted of when there is room in it. The hash of events has it all. */
static bool grows(const struct sock *so)
{
    return stack_settings(so)->sndbuf == 0;
}

static void look_at(struct view *v, const struct end *e, struct sock *so)
{
    struct tcp_status s;
    stack_status(so, &s);
    unsigned ready = stack_readiness(so);
    v->events = hash(v->events, &ready, sizeof ready);
    ready &= ~SOCK_URGENT; /* it depends on how much of the window has been told */
    ready &= grows(so) ? ~SOCK_WRITABLE : ~0u;
    note(v, "readiness", e, closes(s.state) ? ready & ~SOCK_DEAD : ready);
    note(v, "state", e, closes(s.state) ? STATE_CLOSE_WAIT : s.state);
    note(v, "error", e, (uint64_t)stack_error(so));
    note(v, "soft error", e, (uint64_t)s.soft_error);
    note(v, "unread", e, s.unread);
    note(v, "urgent", e, stack_urgent(so));
    note(v, "received", e, s.octets_received);
    note(v, "acknowledged", e, s.octets_acked);
    note(v, "in the send queue", e, s.unsent_or_unacked);
    note(v, "window", e, s.snd_wnd);
}

/* What reading to the end, and then sending, answers. */
static void call(struct host *h, struct view *v, const struct end *e, struct sock *so)
{
    uint8_t *buf = h->world->buf;
    uint64_t octets = 0;
    int64_t n;
    while ((n = stack_recv(so, buf, CALL_MAX, false, host_now(h))) > 0)
        octets = hash(octets, buf, (size_t)n);
    note(v, "octets", e, octets);
    note(v, "recv()", e, (uint64_t)n);
    n = stack_send(so, "", 1, host_now(h));
    note(v, "send()", e, (uint64_t)(n == ERR_AGAIN && grows(so) ? 1 : n));
}

static void look_at_accepted(struct host *h, struct view *v)
{
    struct sock *so;
    struct tcp_status s;
    while (h->listener &&
           stack_accept(h->listener, &h->listener_handle, host_now(h), &so) == ERR_NONE) {
        stack_status(so, &s);
        note(v, "accepted", NULL, hash(0, &s.flow, sizeof s.flow));
        look_at(v, NULL, so);
        call(h, v, NULL, so);
    }
}

/* What the RECEIVEs that wait have got so far, which is no memory of the engine's: what they get in
 * a trial lies behind it. */
static void keep_receives(struct world *w)
{
    for (uint32_t i = 0; i < 2 * w->plan.n_conns; i++) {
        struct end *e = &w->conn[i / 2].end[i % 2];
        e->kept = e->receive.done;
    }
}

static void restore_receives(struct world *w)
{
    for (uint32_t i = 0; i < 2 * w->plan.n_conns; i++) {
        struct end *e = &w->conn[i / 2].end[i % 2];
        e->receive.done = e->kept;
    }
}

static void look(struct host *h, const struct packet *in, enum way way, struct view *v)
{
    struct world *w = h->world;
    v->n = 0;
    v->packets = v->events = 0;
    take_in(h, in, way, v);
    v->deadline_ns = stack_deadline(h->stack);
    look_at_events(h, v);
    for (uint32_t i = 0; i < 2 * w->plan.n_conns; i++) {
        const struct end *e = &w->conn[i / 2].end[i % 2];
        if (e->host != h || (!e->sock && !e->lingering))
            continue;
        bool any = e->sock && grows(e->sock);
        note(v, "events", e, w->happened[i] & (any ? ~SOCK_EV_ACKED : ~0u));
        if (e->lingering)
            note(v, "finished", e, stack_finished(e->lingering));
        if (!e->sock)
            continue;
        look_at(v, e, e->sock);
        if (e->waits)
            note(v, "what waited", e, hash(0, e->place, e->receive.done));
        call(h, v, e, e->sock);
    }
    look_at_accepted(h, v);
    drain(h, v);
    simmem_restore(&h->mem);
    restore_receives(w);
}

static void compare(const struct view *a, const struct view *b, const char *how, bool exactly)
{
    for (uint32_t i = 0; i < a->n && i < b->n; i++) {
        const struct seen *s = &a->seen[i], *t = &b->seen[i];
        fail_about(s->conn, s->side);
        SIM_CHECK(s->conn == t->conn && s->side == t->side && strcmp(s->what, t->what) == 0,
                  "batch", "%s: %s, and %s of connection #%d", how, s->what, t->what, t->conn);
        SIM_CHECK(s->value == t->value, "batch", "%s: %s %lld, whole %lld", how, s->what,
                  (long long)t->value, (long long)s->value);
    }
    fail_about(-1, 0);
    SIM_CHECK(a->n == b->n, "batch", "%s: %u things seen, whole %u", how, b->n, a->n);
    if (!exactly)
        return;
    SIM_CHECK(a->packets == b->packets, "batch", "%s: other packets", how);
    SIM_CHECK(a->events == b->events, "batch", "%s: events in another order", how);
    SIM_CHECK(a->deadline_ns == b->deadline_ns, "batch", "%s: another deadline", how);
}

/* Whether an earlier packet of the batch has a later timestamp than this one, which may be thrown
 * away for that: whether TS.Recent has moved depends on what was acknowledged before (RFC 7323 4.3;
 * seed 1547192). */
static bool is_outdated(const struct host *h, uint32_t i)
{
    const struct frame *f = h->rx[i];
    for (uint32_t k = 0; k < i && f->seg.opts.has_ts; k++) {
        const struct frame *e = h->rx[k];
        if (e->conn == f->conn && e->seg.opts.has_ts &&
            seq_lt(seq(f->seg.opts.ts_val), seq(e->seg.opts.ts_val)))
            return true;
    }
    return false;
}

/* Whether output in between may rightly change something: a RST finds the connection in another
 * state when a FIN has gone before; text beyond the window that was told is taken when more of it
 * has been told meanwhile. */
static bool order_matters(const struct host *h)
{
    for (uint32_t i = 0; i < h->n_rx; i++) {
        const struct frame *f = h->rx[i];
        const struct conn *c = f->conn;
        if (!f->corrupt && !f->icmp &&
            (f->seg.flags & TCP_RST || is_outdated(h, i) ||
             wire_is_beyond(&c->end[1 - f->side].wire, &c->end[f->side].wire, &f->seg)))
            return true;
    }
    return false;
}

/* Where memory or room for sockets run out, it may be for this packet or for that one. */
static bool is_worth_it(const struct host *h)
{
    return h->n_rx > 1 && !h->plan->tight && h->mem.refuse_ppm == 0 &&
           !(h->plan->mem_limit && !h->world->calm) && h->mem.used <= MEM_MAX &&
           stack_sock_count(h->stack) <= SOCKS_MAX;
}

void batches_try(struct host *h, const struct packet *in)
{
    static struct view whole, other;
    if (h->plan->batches_in == 0 || !is_worth_it(h) ||
        !rng_one_in(&h->world->rng, h->plan->batches_in))
        return;
    h->trying = true;
    keep_receives(h->world);
    simmem_save(&h->mem);
    look(h, in, WHOLE, &whole);
    look(h, in, SINGLE, &other);
    compare(&whole, &other, "packet by packet", true);
    if (!order_matters(h)) {
        look(h, in, DRAINED, &other);
        compare(&whole, &other, "with output in between", false);
    }
    simmem_forget(&h->mem);
    h->trying = false;
    h->world->tried++;
}
