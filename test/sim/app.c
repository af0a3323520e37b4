/* See app.h. */
#include "app.h"

#include "app_io.h"
#include "app_lend.h"
#include "check_end.h"
#include "check_reuse.h"
#include "check_stream.h"
#include "fail.h"
#include "host.h"
#include "nstime.h"
#include "who.h"

#define TRIES_MAX 60 /* of connect() while the four-tuple or all ports are in use */

static struct world *world_of(const struct end *e)
{
    return e->conn->world;
}

void app_wake_at(struct end *e, uint64_t at_ns)
{
    if (at_ns >= e->wake_ns)
        return;
    e->wake_ns = at_ns;
    queue_push(&world_of(e)->queue, at_ns, EVENT_APP, e->host->index, e);
}

void app_over(struct end *e)
{
    struct world *w = world_of(e);
    struct conn *next = e->conn + 1;
    bool last = e->conn->index + 1 == w->plan.n_conns;
    /* Where both connect, the next one's SYN must not meet this one's. */
    bool both = e->conn->plan->kind == CONN_SIMULTANEOUS;
    if (last || !next->plan->again || next->called || (both && !app_finished(peer_of(e))) ||
        (!both && e->side == 1))
        return;
    next->called = true;
    queue_push(&w->queue, w->now_ns + next->plan->again_ns, EVENT_OPEN, 0, next);
}

/* As SO_LINGER with a time without end: an event has to tell when it is over, or a socket is left
 * in the end. */
static void linger(struct end *e)
{
    if (!stack_finished(e->lingering))
        return;
    stack_close(e->lingering, host_now(e->host));
    e->lingering = NULL;
}

void app_give_up(struct end *e, bool abort)
{
    struct sock *so = e->sock;
    app_end_receive(e);
    e->sock = NULL;
    e->left = !abort;
    e->aborted = abort;
    e->send_closed = e->send_closed || !abort;
    e->left_ns = e->progress_ns = world_of(e)->now_ns;
    e->wire.closed = e->wire.closed || !abort;
    e->wire.over = e->wire.over || abort;
    e->wire.gone = true;
    e->wire.ack_watch.left = !abort;
    e->wire.ack_watch.left_at = e->wire.ack_watch.contig;
    world_hash(world_of(e), e->read << 1 | abort);
    if (abort) {
        stack_abort(so, host_now(e->host));
    } else if (rng_one_in(&world_of(e)->rng, 3)) {
        stack_linger(so, host_now(e->host));
        e->lingering = so;
        linger(e);
    } else {
        stack_close(so, host_now(e->host));
    }
    lend_end(e); /* nothing refers to it any more */
    host_called(e->host);
    app_over(e);
}

void app_learned(struct end *e, int error)
{
    uint8_t octet = 0;
    struct host *h = e->host;
    end_check_error(e, error);
    SIM_CHECK(stack_error(e->sock) == error, "error", "told %d, stack_error says %d", error,
              stack_error(e->sock));
    SIM_CHECK(!(stack_readiness(e->sock) & SOCK_FAILED), "error", "told, and still SOCK_FAILED");
    /* The error is told once; what arrived before it can still be read. */
    int64_t n = stack_recv(e->sock, &octet, 1, false, host_now(h));
    SIM_CHECK(n == 0 || n == 1, "error", "receiving after the error answers %lld", (long long)n);
    if (n == 1)
        stream_read(e, &octet, 1);
    n = stack_send(e->sock, &octet, 1, host_now(h));
    SIM_CHECK(n == ERR_PIPE, "error", "sending after the error answers %lld", (long long)n);
    e->error = error;
    e->wire.over = true;
    app_give_up(e, rng_one_in(&world_of(e)->rng, 2));
    e->left = false;
}

/* Before a connection is there, nothing goes in or out. */
static void try_early(struct end *e)
{
    uint8_t octet = 0;
    int64_t n = stack_send(e->sock, &octet, 1, host_now(e->host));
    SIM_CHECK(n == ERR_AGAIN, "early", "sending before the connection answers %lld", (long long)n);
    n = stack_recv(e->sock, &octet, 1, false, host_now(e->host));
    SIM_CHECK(n == ERR_AGAIN || n == ERR_NOT_CONNECTED, "early",
              "receiving before the connection answers %lld", (long long)n);
    SIM_CHECK(!(stack_readiness(e->sock) & (SOCK_READABLE | SOCK_WRITABLE | SOCK_DEAD)), "early",
              "ready before the connection");
    host_called(e->host);
}

/* Where both ends of the stream are reached: waits for the end of the connection where the plan
 * says so, then closes. */
static void finish(struct end *e)
{
    unsigned ready = stack_readiness(e->sock);
    bool done = e->eof || (e->deaf && ready & SOCK_PEER_DONE);
    if (!e->send_closed || !done)
        return;
    SIM_CHECK(e->deaf || ready & SOCK_PEER_DONE, "readiness", "end of stream, not PEER_DONE");
    if (e->plan->linger_ns > 0 && !(ready & SOCK_DEAD))
        return; /* SOCK_EV_CLOSED will come */
    int error = stack_error(e->sock);
    if (error) {
        end_check_error(e, error);
        e->error = error;
    }
    app_give_up(e, false);
}

/* Another buffer size or congestion control, or Nagle on or off. */
static void change_mind(struct end *e)
{
    struct world *w = world_of(e);
    struct tcp_settings settings = *stack_settings(e->sock);
    uint32_t least = (uint32_t)(peer_of(e)->plan->to_write / 250 + 500);
    switch (rng_below(&w->rng, 4)) {
    case 0:
        e->wire.nodelay = true; /* now or later */
        settings.nodelay = rng_one_in(&w->rng, 2);
        break;
    case 1:
        settings.sndbuf = (uint32_t)(rng_log(&w->rng, 500, 300000) + e->plan->to_write / 250);
        break;
    case 2:
        settings.cc = rng_one_in(&w->rng, 2) ? &cc_newreno : &cc_cubic;
        break;
    default:
        settings.rcvbuf = (uint32_t)rng_log(&w->rng, least, least + 300000);
        break;
    }
    if (stack_set(e->sock, &settings, host_now(e->host)))
        return;
    if (settings.rcvbuf > 0 && e->wire.rcvbuf > settings.rcvbuf)
        e->wire.rcvbuf = settings.rcvbuf;
    storm_reason(&e->wire.storm);
    host_called(e->host);
}

/* Goes on as far as it gets. */
static void run(struct end *e)
{
    bool more = true;
    fail_about((int)e->conn->index, e->side);
    if (e->sock)
        app_end_receive(e);
    while (e->sock && e->connected && more) {
        more = app_write(e);
        if (e->sock && app_read(e))
            more = true;
        if (e->sock)
            app_steer(e);
    }
    if (e->sock && e->connected && e->plan->fickle && rng_one_in(&world_of(e)->rng, 8))
        change_mind(e);
    if (e->sock && e->connected)
        finish(e);
    fail_about(-1, 0);
}

/* So often an application asks for its options in vain. */
#define OPTIONS_TRIES 100

/* False for want of memory. */
static bool set_options(struct end *e)
{
    struct tcp_settings settings = *stack_settings(e->sock);
    if (e->plan->nodelay)
        settings.nodelay = true;
    if (e->plan->sndbuf)
        settings.sndbuf = e->plan->sndbuf;
    if (e->plan->rcvbuf)
        settings.rcvbuf = e->plan->rcvbuf;
    if (e->plan->user_timeout_ms)
        settings.user_timeout_ms = e->plan->user_timeout_ms;
    for (int i = 0; i < OPTIONS_TRIES; i++) {
        if (!stack_set(e->sock, &settings, host_now(e->host)))
            return true;
    }
    return false;
}

/* connect() has failed: later again where there was no port for it. */
static void not_connected(struct end *e, int err)
{
    struct host *h = e->host;
    struct world *w = world_of(e);
    if (err == ERR_IN_USE || err == ERR_NO_PORT) {
        reuse_refused(e, err);
        if (++e->tries < TRIES_MAX) {
            app_wake_at(e, w->now_ns + rng_log(&w->rng, 10 * NS_PER_MS, 20 * NS_PER_S));
            return;
        }
    } else {
        SIM_CHECK(err == ERR_NOMEM && (host_was_refused(h) || h->plan->tight), "connect",
                  "error %d", err);
    }
    e->error = err;
    e->wire.over = true;
    app_over(e);
}

static void connected_to(struct end *e)
{
    struct conn *c = e->conn;
    struct tcp_status status;
    e->opened = e->wire.taken = true;
    stack_status(e->sock, &status);
    c->port[e->side] = status.flow.local_port;
    who_begins(c);
    who_is(e, stack_sock_id(e->sock));
    if (!set_options(e))
        app_give_up(e, true);
    else if (rng_one_in(&world_of(e)->rng, 4))
        try_early(e);
}

static void connect_end(struct end *e)
{
    struct conn *c = e->conn;
    struct host *h = e->host;
    const struct flow flow = {h->addr, peer_of(e)->host->addr, c->port[e->side],
                              c->port[1 - e->side]};
    e->opened_ns = e->progress_ns = world_of(e)->now_ns;
    if (!h->stack) {
        app_wake_at(e, world_of(e)->now_ns + NS_PER_S);
        return;
    }
    host_enter(h);
    e->handle.end = e;
    int err = stack_connect(h->stack, &flow, 0, &e->handle, host_now(h), &e->sock);
    if (err) {
        e->sock = NULL;
        not_connected(e, err);
    } else {
        connected_to(e);
    }
    host_called(h);
    host_leave(h);
}

void app_open(struct conn *c)
{
    connect_end(&c->end[0]);
    if (c->plan->kind == CONN_SIMULTANEOUS)
        connect_end(&c->end[1]);
    if (c->plan->kind == CONN_QUITTER && c->end[0].sock)
        app_wake_at(&c->end[0], c->world->now_ns + c->plan->quit_ns);
}

void app_accepted(struct host *h, struct handle *handle, struct sock *so)
{
    struct world *w = h->world;
    struct tcp_status status;
    struct end *e = who_has_id(h, stack_sock_id(so));
    SIM_CHECK(e && e->wire.passive, "accept", "a connection nobody opened");
    fail_about((int)e->conn->index, e->side);
    stack_status(so, &status);
    SIM_CHECK(who_fits(e, &status.flow), "accept", "a connection with another's four-tuple");
    SIM_CHECK(!e->opened, "accept", "the same connection twice");
    SIM_CHECK(!e->wire.ghost || stack_error(so), "accept",
              "a connection nobody opened: an old SYN");
    e->sock = so;
    e->opened = e->connected = e->wire.taken = true;
    e->wire.gone |= e->wire.dead; /* it was reset before it was accepted (seed 2307741) */
    e->crashed = false;
    e->progress_ns = w->now_ns;
    handle->end = e;
    if (!set_options(e)) {
        app_give_up(e, true);
        return;
    }
    host_called(h);
    /* What is there already comes with an event: half of the applications wait for it. */
    bool something = stack_readiness(so) & (SOCK_READABLE | SOCK_PEER_DONE | SOCK_DEAD);
    if (!something || rng_one_in(&w->rng, 2))
        run(e);
}

void app_event(struct end *e, const struct stack_event *ev)
{
    if (e->lingering && e->lingering == ev->sock) {
        linger(e);
        host_called(e->host);
        return;
    }
    SIM_CHECK(e->sock == ev->sock, "event", "of a socket that was given up");
    world_hash(world_of(e), ev->what);
    int error = stack_error(e->sock);
    if (ev->what & SOCK_EV_COMPLETED) {
        SIM_CHECK(!e->connected || e->wire.passive, "event", "connected twice");
        e->connected = true;
        e->progress_ns = world_of(e)->now_ns;
    }
    if (!e->connected && ev->what & SOCK_EV_CLOSED) {
        SIM_CHECK(error, "event", "over before it began, and no error");
        uint8_t octet;
        int64_t n = stack_recv(e->sock, &octet, 1, false, host_now(e->host));
        SIM_CHECK(n == error, "error", "receiving answers %lld, stack_error %d", (long long)n,
                  error);
        app_learned(e, error);
        return;
    }
    if (error) /* reads what there is, and then meets the error */
        e->stalled = true, e->read_at_ns = 0;
    run(e);
}

void app_wake(struct end *e)
{
    if (e->wake_ns != world_of(e)->now_ns)
        return; /* another one came in between */
    e->wake_ns = TIME_NEVER;
    if (!e->opened && !e->wire.passive && !app_finished(e)) {
        connect_end(e); /* once more */
        return;
    }
    if (!e->sock)
        return;
    host_enter(e->host);
    if (e->conn->plan->kind == CONN_QUITTER && e->side == 0)
        app_give_up(e, rng_one_in(&world_of(e)->rng, 2));
    else
        run(e);
    host_leave(e->host);
}

void app_calm(struct end *e)
{
    e->read_at_ns = e->write_at_ns = 0;
    e->stalled = true;
    if (!e->sock)
        return;
    host_enter(e->host);
    run(e);
    host_leave(e->host);
}

void app_poke(struct end *e)
{
    e->poked = true;
    host_enter(e->host);
    app_give_up(e, true);
    host_leave(e->host);
}

bool app_finished(const struct end *e)
{
    return e->left || e->aborted || e->error || e->crashed;
}
