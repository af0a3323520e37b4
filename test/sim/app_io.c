/* See app_io.h. */
#include "app_io.h"

#include <string.h>

#include "app_lend.h"
#include "app_urgent.h"
#include "check_stream.h"
#include "fail.h"
#include "host.h"
#include "nstime.h"
#include "payload.h"

static uint64_t pause_of(struct end *e, uint64_t mean_ns)
{
    struct world *w = e->conn->world;
    return mean_ns == 0 || w->calm ? 0 : w->now_ns + rng_below(&w->rng, 2 * mean_ns);
}

static bool is_paused(struct end *e, uint64_t until_ns)
{
    if (until_ns <= e->conn->world->now_ns)
        return false;
    app_wake_at(e, until_ns);
    return true;
}

/* A third of the send buffer is worth telling. */
static bool has_room(const struct sock *so)
{
    struct tcp_status s;
    stack_status(so, &s);
    return s.unsent_or_unacked < s.sndbuf - s.sndbuf / 3;
}

/* What there is room for, in a block. */
static int64_t send_block(struct end *e, const uint8_t *buf, size_t len)
{
    struct stack *s = e->host->stack;
    int64_t n = stack_send_room(e->sock);
    if (n < 0)
        return n;
    len = len < (size_t)n ? len : (size_t)n;
    void *block = stack_block(s, len);
    if (!block)
        return ERR_NOMEM;
    memcpy(block, buf, len);
    n = stack_send_block(e->sock, block, len, len, host_now(e->host));
    if (n < 0)
        stack_block_free(s, block, len);
    return n;
}

/* The stream's next octets, one way or another, by what they are. */
static int64_t send_somehow(struct end *e, const uint8_t *buf, size_t len)
{
    if (end_gives(e) && buf[0] % 2 == 1) /* urgent is nothing odd */
        return send_block(e, buf, len);
    return lend_wanted(buf, len) ? lend_send(e, buf, len) : urgent_send(e, buf, len);
}

bool app_write(struct end *e)
{
    struct world *w = e->conn->world;
    lend_end(e);
    bool asked = e->read >= e->plan->write_after || e->eof;
    if (e->send_closed || e->wire.written == e->plan->to_write || !asked ||
        is_paused(e, e->write_at_ns))
        return false;
    uint64_t left = e->plan->to_write - e->wire.written;
    size_t len = (size_t)rng_range(&w->rng, 1, e->plan->write_max);
    if (len > left)
        len = (size_t)left;
    if (e->offers > 0 && len > e->offers)
        len = e->offers;
    payload_fill(e->wire.stream, e->wire.written, w->buf, len);
    bool ready = stack_readiness(e->sock) & SOCK_WRITABLE, room = has_room(e->sock);
    int64_t n = send_somehow(e, w->buf, len);
    memset(w->buf, 0xee, len < 4096 ? len : 4096); /* it was only borrowed */
    bool fails = n < 0 && n != ERR_AGAIN && n != ERR_NOMEM;
    SIM_CHECK(ready == (fails || (room && n != ERR_AGAIN)), "readiness",
              "writable %d, room %d, send answers %lld", ready, room, (long long)n);
    if (n == ERR_NOMEM) {
        SIM_CHECK(host_was_refused(e->host), "send", "no memory, but none was refused");
        e->write_at_ns = w->now_ns + rng_range(&w->rng, 1, 50) * NS_PER_MS;
        app_wake_at(e, e->write_at_ns);
    }
    if (n == ERR_AGAIN || n == ERR_NOMEM) {
        host_called(e->host);
        return false;
    }
    if (n < 0) {
        app_learned(e, (int)n);
        return false;
    }
    SIM_CHECK(n >= 1 && (uint64_t)n <= len, "send", "%lld octets of %zu", (long long)n, len);
    /* Where the queue is full, a little more than last went in: filling in the rest takes time. */
    e->offers = (size_t)n < len ? 1000 + 4 * (size_t)n : 0;
    e->wire.written += (uint64_t)n;
    e->progress_ns = w->now_ns;
    e->write_at_ns = pause_of(e, e->plan->write_pause_ns);
    host_called(e->host);
    return true;
}

/* The reader that stops, once. */
static bool is_stalled(struct end *e)
{
    if (e->stalled || e->plan->stall_ns == 0 || e->read < e->plan->stall_at)
        return false;
    e->stalled = true;
    e->read_at_ns = e->conn->world->now_ns + e->plan->stall_ns;
    return true;
}

static void got(struct end *e, size_t n)
{
    struct world *w = e->conn->world;
    if (e->read == 0)
        e->first_ns = w->now_ns;
    stream_read(e, w->buf, n);
    storm_reason(&e->wire.storm);
    e->progress_ns = w->now_ns;
    e->read_at_ns = pause_of(e, e->plan->read_pause_ns);
}

void app_end_receive(struct end *e)
{
    if (!e->waits)
        return;
    e->waits = false;
    stack_recv_end(e->sock, &e->receive, host_now(e->host));
    size_t n = e->receive.done;
    SIM_CHECK(n <= e->receive.len, "receive", "%zu octets for %zu places", n, e->receive.len);
    memcpy(e->conn->world->buf, e->place, n);
    memset(e->place, 0xee, sizeof e->place);
    if (n > 0)
        got(e, n);
    host_called(e->host);
}

/* Nothing can be read: some readers leave their buffer there until they look again. */
static void begin_receive(struct end *e)
{
    if (e->plan->read_max % 3 != 0)
        return;
    size_t len = e->plan->read_max < sizeof e->place ? e->plan->read_max : sizeof e->place;
    e->receive = (struct receive){.buf = e->place, .len = len};
    e->waits = stack_recv_begin(e->sock, &e->receive);
    bool refuses = e->host->plan->refuse_ppm > 0 || e->host->plan->mem_limit > 0;
    SIM_CHECK(e->waits || refuses, "receive", "another RECEIVE waits");
}

bool app_read(struct end *e)
{
    struct world *w = e->conn->world;
    struct host *h = e->host;
    if (e->eof || e->deaf || e->waits || is_stalled(e) || is_paused(e, e->read_at_ns))
        return false;
    size_t len = (size_t)rng_range(&w->rng, 1, e->plan->read_max);
    urgent_look(e);
    bool ready = stack_readiness(e->sock) & SOCK_READABLE;
    int64_t peeked = -1;
    if (e->plan->peeks && ready && stack_error(e->sock) == ERR_NONE)
        peeked = stack_recv(e->sock, w->buf, len, true, host_now(h));
    int64_t n = stack_recv(e->sock, w->buf, len, false, host_now(h));
    SIM_CHECK(ready == (n != ERR_AGAIN), "readiness", "readable %d, recv answers %lld", ready,
              (long long)n);
    SIM_CHECK(peeked < 0 || peeked == n, "receive", "peek answers %lld, recv %lld",
              (long long)peeked, (long long)n);
    SIM_CHECK(n <= (int64_t)len, "receive", "%lld octets for %zu places", (long long)n, len);
    if (n == ERR_AGAIN) {
        begin_receive(e);
        host_called(h);
        return false;
    }
    if (n < 0) {
        app_learned(e, (int)n);
        return false;
    }
    if (n > 0) {
        got(e, (size_t)n);
    } else {
        stream_end(e);
        urgent_check_eof(e);
        e->eof = true;
        e->progress_ns = w->now_ns;
    }
    host_called(h);
    return n > 0;
}

static void shut_down(struct end *e)
{
    uint8_t octet = 0;
    struct host *h = e->host;
    struct world *w = e->conn->world;
    int err = stack_shutdown_send(e->sock, host_now(h));
    if (err == ERR_NOMEM) {
        SIM_CHECK(host_was_refused(h), "shutdown", "no memory, but none was refused");
        app_wake_at(e, w->now_ns + rng_log(&w->rng, NS_PER_MS, NS_PER_S));
        return;
    }
    e->send_closed = e->wire.closed = true;
    e->progress_ns = w->now_ns;
    if (err == ERR_NOT_CONNECTED || err == ERR_PIPE) {
        /* The connection has failed meanwhile; reading will tell. */
        SIM_CHECK(stack_error(e->sock), "shutdown", "error %d without a reason", err);
        return;
    }
    SIM_CHECK(err == ERR_NONE, "shutdown", "error %d", err);
    int64_t n = stack_send(e->sock, &octet, 1, host_now(h));
    SIM_CHECK(n == ERR_PIPE, "shutdown", "sending afterwards answers %lld", (long long)n);
    err = stack_shutdown_send(e->sock, host_now(h));
    SIM_CHECK(err == ERR_PIPE, "shutdown", "the second time answers %d", err);
    host_called(h);
}

static void turn_deaf(struct end *e)
{
    e->deaf = true;
    storm_reason(&e->wire.storm);
    int err = stack_shutdown_recv(e->sock, host_now(e->host));
    SIM_CHECK(err == ERR_NONE || (err == ERR_NOT_CONNECTED && stack_error(e->sock)), "shutdown",
              "of receiving: %d", err);
    host_called(e->host);
}

void app_steer(struct end *e)
{
    const struct end_plan *p = e->plan;
    bool all = e->wire.written == p->to_write, reached = e->wire.written >= p->end_at;
    switch (p->finish) {
    case FINISH_ABORT:
        if (reached) {
            app_give_up(e, true);
            return;
        }
        break;
    case FINISH_CLOSE:
        if (all)
            app_give_up(e, false);
        return;
    case FINISH_DEAF:
        if (reached && !e->deaf)
            turn_deaf(e);
        break;
    case FINISH_AFTER_PEER:
        if (!e->eof)
            return;
        break;
    case FINISH_SHUTDOWN:
        break;
    }
    if (all && !e->send_closed)
        shut_down(e);
}
