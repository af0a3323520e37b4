/* See check_end.h. */
#include "check_end.h"

#include <string.h>

#include "check_reuse.h"
#include "fail.h"
#include "flood.h"
#include "host.h"
#include "nstime.h"
#include "who.h"

#define HALF_OPEN 128 /* so many are the most at one time, see stack/listen.c */
#define CROWD     100 /* so many connections may fill a listener's queues, see stack/listen.c */

static bool cut_short(const struct end *e)
{
    return e->aborted || e->timed_out || e->orphaned || e->error || e->poked || e->crashed ||
           e->wire.lost;
}

/* The end was given up by close() before it had all that the other has written: such text is
 * answered with RST (RFC 9293 3.6.1). */
static bool left_early(struct end *e)
{
    return e->left && !e->eof && (e->read < peer_of(e)->wire.written || e->deaf);
}

/* The passive end was never accepted, and its listener has been closed. */
static bool thrown_out(const struct end *e)
{
    return e->wire.passive && !e->opened && e->host->listener_closed;
}

/* The peer has had all, has closed, was in TIME-WAIT for as long as it takes (which is checked) and
 * has forgotten us before its last ACK came through; or had to forget it sooner, for want of room.
 */
static bool forgot(const struct end *p)
{
    return p->finished || (p->host->plan->tight && p->time_wait);
}

/* The oldest half-open connection gives way to a new one when there are too many, and then its
 * client's ACK is answered with RST (RFC 4987 3.4): without cookies, or when the new one's SYN has
 * had one already; or, where there is no room, to one that has brought back a cookie. The engine
 * does not say which. */
static bool gave_way(const struct end *p)
{
    bool scarce = p->host->plan->tight || host_was_refused(p->host);
    return (p->crowded || (scarce && p->wire.passive)) && !p->opened;
}

/* Nobody was left to try once more to close it: it was reset, and the RST may be lost (seed
 * 2291621). */
static bool no_memory_to_close(const struct end *p)
{
    return p->left && host_was_refused(p->host);
}

/* It was answered with a SYN cookie, and so its host knows nothing of it until the ACK comes back,
 * in time and from the client's first octet on: what comes sooner, or too late, is answered with
 * RST (RFC 4987 3.6). */
static bool only_a_cookie(const struct end *p)
{
    return p->refused || (p->cookied && !p->opened);
}

void end_flooded(struct host *h)
{
    const struct world *w = h->world;
    h->flooded = true;
    for (uint32_t i = 0; i < w->plan.n_conns; i++) {
        struct end *e = &w->conn[i].end[1];
        e->crowded = e->crowded || (e->host == h && e->half_open);
    }
}

static void half_open(struct host *h, struct end *e)
{
    const struct world *w = h->world;
    uint32_t n = 0;
    for (uint32_t i = 0; i < w->plan.n_conns; i++)
        n += w->conn[i].end[1].host == h && w->conn[i].end[1].half_open;
    for (uint32_t i = 0; i < w->plan.n_conns && n >= HALF_OPEN; i++) {
        struct end *o = &w->conn[i].end[1];
        o->crowded = o->crowded || (o->host == h && o->half_open);
    }
    e->crowded = h->flooded;
}

/* The segment that has made it half open: a SYN, or the ACK of a cookie, which need not be the last
 * that was sent. */
static void opens_by(const struct host *h, struct end *e)
{
    struct end *p = peer_of(e);
    if (!host_by_cookie(h))
        return;
    e->cookie_ns = h->world->now_ns;
    if (!e->wire.ghost && seq_eq(e->wire.iss, seq_sub(h->heard.ack, 1)))
        return;
    e->wire.lost = p->wire.lost = true;
    e->wire.ghost = false;
    ack_reset(&p->wire.ack_watch);
}

/* The peer's host had no listener, perhaps. */
static bool was_deaf(const struct end *p)
{
    return thrown_out(p) || (p->wire.passive && p->host->was_deaf);
}

void end_check_error(struct end *e, int error)
{
    struct end *p = peer_of(e);
    switch (error) {
    case ERR_RESET:
        SIM_CHECK(cut_short(p) || left_early(p) || thrown_out(p) || forgot(p) || p->wire.ghost ||
                      gave_way(p) || only_a_cookie(p) || e->refused || e->wire.lost ||
                      no_memory_to_close(p),
                  "reset", "the peer has done nothing that would reset");
        break;
    case ERR_REFUSED:
        SIM_CHECK(!e->connected && !e->wire.passive, "refused", "the connection was open");
        SIM_CHECK(e->conn->plan->kind == CONN_NOBODY || was_deaf(p) || e->wire.lost ||
                      (!p->wire.passive &&
                       (!p->opened || cut_short(p) || p->left || p->opened_ns > e->opened_ns)),
                  "refused", "somebody listens there");
        break;
    case ERR_TIMEDOUT:
        SIM_CHECK(e->timed_out, "timed out", "the engine did not say so");
        break;
    case ERR_NETUNREACH:
    case ERR_HOSTUNREACH:
        SIM_CHECK(e->timed_out && e->unreachable, "unreachable", "nobody has said so");
        break;
    default:
        SIM_CHECK(false, "error", "error %d", error);
    }
}

/* R2 ran out: nothing may have been heard for that long (RFC 9293 3.8.3). */
static void check_timeout(struct end *e, bool connected)
{
    const struct tcp_config *c = &e->host->plan->tcp;
    uint64_t now = e->host->world->now_ns;
    bool own = e->opened && e->plan->user_timeout_ms;
    uint64_t r2 = own         ? e->plan->user_timeout_ms * NS_PER_MS
                  : connected ? c->user_timeout_ns
                              : c->syn_timeout_ns;
    /* Without a user, or with one who has set a limit, a window that stays shut is no excuse (RFC
     * 6429): only ACKs that advance. */
    uint64_t since = e->left || own ? e->wire.acked_ns : e->wire.progress_ns;
    if (since < e->opened_ns)
        since = e->opened_ns;
    SIM_CHECK(now - since >= r2, "timed out", "after %llu ms, user timeout is %llu ms",
              (unsigned long long)((now - since) / 1000000), (unsigned long long)(r2 / 1000000));
}

/* Every SYN has an answer: SYN-ACK, RST, or the ACK of a connection that its host has of a time
 * before we crashed (RFC 5961 4.2); but where there is no room for another connection. */
static void check_syn(struct end *e)
{
    bool room = !peer_of(e)->host->plan->tight && e->conn->world->plan.n_conns <= CROWD;
    SIM_CHECK(e->calm_syns < 2 || e->calm_answers > 0 || !room, "unanswered",
              "%u SYNs have arrived and were not answered", e->calm_syns);
}

/* Keep-alives had no answer: not one segment may have come (RFC 9293 3.8.4). */
static void check_keepalive(struct end *e)
{
    const struct keepalive_settings *k = &e->host->plan->tcp.keepalive;
    uint64_t silence = e->host->world->now_ns - e->wire.heard_ns,
             least = 2 * (uint64_t)k->interval_ms;
    if (!(e->opened && e->plan->user_timeout_ms))
        least = k->probes * (uint64_t)k->interval_ms;
    least = (least + k->idle_ms) * NS_PER_MS;
    SIM_CHECK(k->on && silence >= least, "keep-alive", "given up after %llu ms",
              (unsigned long long)(silence / NS_PER_MS));
}

/* TIME-WAIT lasts 2 MSL, FIN-WAIT-2 without a user no longer than orphan_ns. */
static void check_waits(struct end *e, const struct trace_point *point)
{
    const struct host_plan *p = e->host->plan;
    uint64_t now = e->host->world->now_ns, since = e->wait_ns;
    if (strcmp(point->from, "TIME-WAIT") == 0 && strncmp(point->text, "TIME", 4) == 0)
        SIM_CHECK(now - since >= 2 * p->tcp.msl_ns, "time-wait", "only %llu ms",
                  (unsigned long long)((now - since) / 1000000));
    if (e->left_ns > since)
        since = e->left_ns;
    if (strcmp(point->from, "FIN-WAIT-2") == 0 && e->left)
        SIM_CHECK(now - since <= p->tcp.orphan_ns + p->late_ns, "orphan", "FIN-WAIT-2 for %llu ms",
                  (unsigned long long)((now - since) / 1000000));
    if (strcmp(point->to, "TIME-WAIT") == 0 || strcmp(point->to, "FIN-WAIT-2") == 0)
        e->wait_ns = now;
}

void end_state(struct host *h, const struct trace_point *point)
{
    struct end *e = who_has_id(h, point->sock_id);
    bool begins = strcmp(point->from, "LISTEN") == 0 && strcmp(point->to, "SYN-RECEIVED") == 0;
    if (begins && flood_is(h->world, point->flow))
        return;
    if (begins) {
        e = who_is_half_open(h, point->flow, point->sock_id);
        reuse_half_open(e);
        half_open(h, e);
        opens_by(h, e);
    }
    if (!e)
        return;
    e->half_open = begins;
    check_waits(e, point);
    e->time_wait = strcmp(point->to, "TIME-WAIT") == 0;
    if (strcmp(point->to, "CLOSED") != 0)
        return;
    e->in_engine = false;
    e->closed_ns = h->world->now_ns;
    e->wire.dead = true;
    e->wire.gone = e->wire.gone || e->opened;
    e->finished = strcmp(point->from, "TIME-WAIT") == 0 || strcmp(point->from, "LAST-ACK") == 0;
    ack_reset(&e->wire.ack_watch);
    bool connected = strncmp(point->from, "SYN", 3) != 0;
    if (strcmp(point->text, "user timeout") == 0) {
        e->timed_out = true;
        /* A listener without room does not hear the ACK of its SYN-ACK (test_listen.c). */
        bool deaf = !connected && e->wire.passive;
        if (!e->wire.lost && !e->wire.ghost && !deaf)
            check_timeout(e, connected);
        if (!connected && !deaf)
            check_syn(e);
    } else if (strcmp(point->text, "keep-alive") == 0) {
        e->timed_out = true;
        if (!e->wire.lost && !e->wire.ghost)
            check_keepalive(e);
    } else if (strcmp(point->from, "FIN-WAIT-2") == 0 && strncmp(point->text, "TIME", 4) == 0) {
        SIM_CHECK(e->left, "orphan", "FIN-WAIT-2 ran out, but somebody may still read");
        e->orphaned = true;
    }
}

bool end_may_be_alone(struct end *e)
{
    struct end *p = peer_of(e);
    return cut_short(p) || left_early(p) || thrown_out(p) || gave_way(p) || only_a_cookie(p) ||
           no_memory_to_close(p) || e->refused || p->wire.ghost || e->wire.lost;
}

void end_check_pair(struct conn *c)
{
    for (int i = 0; i < 2; i++) {
        struct end *e = &c->end[i], *p = &c->end[1 - i];
        if (!e->opened || !p->opened || cut_short(e) || cut_short(p) || e->deaf || left_early(e))
            continue;
        if (e->left && !e->eof)
            continue; /* close() before the end of the stream was read */
        SIM_CHECK(e->eof && e->read == p->wire.written, "end", "%llu octets read, %llu written",
                  (unsigned long long)e->read, (unsigned long long)p->wire.written);
    }
}
