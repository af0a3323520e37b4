/*
 * Listeners: connections that are being opened from outside, and the accept queue (RFC 9293
 * 3.10.7.2; listen(2)). When the accept queue is full, handshakes are dropped, so that the peer
 * tries again, and never answered with RST. When there are too many half-open connections, or there
 * is no room for one more, a SYN is answered with a SYN cookie (RFC 4987 3.7; cookies.c). Where
 * there are none to be, the oldest gives way (3.4): a flood of forged SYNs then shuts out only
 * those whose ACK takes longer than the flood needs to fill the table.
 */
#include "arrives.h"
#include "isn.h"
#include "minmax.h"
#include "sock.h"
#include "user.h"

/* Half-open connections at one time: as many as may wait for accept, and not fewer than this. */
#define HALF_OPEN_MIN 128

static bool is_full(const struct listener *l)
{
    return l->n_half_open >= max_u32(l->backlog, HALF_OPEN_MIN);
}

static bool wants_cookie(const struct listener *l)
{
    enum syncookies when = l->stack->config.tcp.syncookies;
    return when == SYNCOOKIES_ALWAYS || (when == SYNCOOKIES_FULL && is_full(l));
}

/* Without cookies, or for a SYN that has had one already, the oldest gives way. */
static void make_room(struct listener *l)
{
    if (!is_full(l))
        return;
    conn_free(conn_in_line(l->half_open.next));
    l->stack->counters.listen_drops++;
}

/* MUST-57, MUST-63, and the LAND attack: addresses that cannot be a connection's two ends. */
static bool valid_ends(const struct flow *flow)
{
    return ip_addr_is_unicast(&flow->remote) && ip_addr_is_unicast(&flow->local) &&
           flow->remote_port != 0 &&
           !(ip_addr_eq(&flow->remote, &flow->local) && flow->remote_port == flow->local_port);
}

struct conn *listener_open(struct listener *l, const struct arrival *a, const struct seg *syn,
                           seq_t iss, struct conn *old, uint64_t now_ns)
{
    struct stack *s = l->stack;
    struct conn *c = conn_create(s, a->flow, a->mtu, old);
    if (!c) {
        s->counters.no_memory++;
        return NULL;
    }
    c->sock.stage = CONN_HALF_OPEN;
    c->sock.listener = l;
    list_push_back(&l->half_open, &c->sock.line);
    l->n_half_open++;
    tcp_open_passive(&c->tcb, iss, now_ns);
    if (tcp_set(&c->tcb, l->settings) || (a->route && !conn_take_route(c, a->route))) {
        s->counters.no_memory++;
        conn_free(c);
        return NULL;
    }
    tcp_arrives(&c->tcb, syn, now_ns);
    return c;
}

static void syn_arrives(struct listener *l, const struct arrival *a, struct conn *old,
                        uint64_t now_ns)
{
    struct stack *s = l->stack;
    if (l->n_completed >= l->backlog) {
        s->counters.listen_drops++;
        return;
    }
    /* With an old one there is memory, and a number to be beyond. */
    if (!old && wants_cookie(l) && listener_sends_cookie(l, a, now_ns))
        return;
    make_room(l);
    seq_t iss = isn_choose(&s->config.secret, a->flow, now_ns);
    if (old) {
        /* MAY-2 (1): beyond the largest sequence number that the old connection used. */
        if (!seq_lt(old->tcb.snd.nxt, iss))
            iss = seq_add(old->tcb.snd.nxt, 1);
    }
    struct conn *c = listener_open(l, a, a->seg, iss, old, now_ns);
    if (c)
        conn_settle(c, now_ns);
    else if (!old && s->config.tcp.syncookies != SYNCOOKIES_NEVER)
        listener_sends_cookie(l, a, now_ns);
}

void listener_arrives(struct listener *l, const struct arrival *a, struct conn *old,
                      uint64_t now_ns)
{
    if (!valid_ends(a->flow))
        return;
    switch (tcp_arrives_listen(a->seg)) {
    case LISTEN_DROP:
        break;
    case LISTEN_ANSWER_RST:
        if (!listener_takes_cookie(l, a, NULL, now_ns))
            stack_answer(l->stack, &l->sock, a->flow, a->seg);
        break;
    case LISTEN_OPEN:
        syn_arrives(l, a, old, now_ns);
        break;
    }
}

bool listener_has_room(const struct conn *c, const struct seg *seg)
{
    return c->sock.stage != CONN_HALF_OPEN || (seg->flags & TCP_RST) ||
           c->sock.listener->n_completed < c->sock.listener->backlog;
}

void listener_completed(struct conn *c, uint64_t now_ns)
{
    struct listener *l = c->sock.listener;
    list_remove(&c->sock.line);
    l->n_half_open--;
    list_push_back(&l->completed, &c->sock.line);
    l->n_completed++;
    c->sock.stage = CONN_COMPLETED;
    sock_happened(&l->sock, SOCK_EV_COMPLETED, now_ns);
}

void listener_forget(struct conn *c)
{
    list_remove(&c->sock.line);
    if (c->sock.stage == CONN_HALF_OPEN)
        c->sock.listener->n_half_open--;
    else
        c->sock.listener->n_completed--;
    c->sock.listener = NULL;
}

struct sock *listener_find(struct stack *s, const struct flow *flow)
{
    struct flow key = {.local = flow->local, .local_port = flow->local_port};
    struct sock *so = stack_find(s, &key);
    if (!so && ip_addr_is_v4(&flow->local)) {
        key.local = ip_addr_v4(0);
        so = stack_find(s, &key);
    }
    if (!so) {
        key.local = IP_ADDR_ANY6;
        so = stack_find(s, &key);
        if (so && as_listener(so)->v6only && ip_addr_is_v4(&flow->local))
            so = NULL;
    }
    return so;
}

int stack_listen(struct stack *s, const struct ip_addr *addr, uint16_t port, uint32_t backlog,
                 void *user, struct sock **out)
{
    struct flow key = {.local = *addr, .local_port = port};
    if (port == 0)
        return ERR_INVAL;
    if (table_find(&s->table, &key))
        return ERR_IN_USE;
    struct listener *l = listener_create(s, &key, backlog);
    if (!l)
        return ERR_NOMEM;
    l->sock.user = user;
    *out = &l->sock;
    return ERR_NONE;
}

int listener_set(struct listener *l, const struct tcp_settings *settings)
{
    struct shared *all = &l->stack->tcp.settings;
    const struct tcp_settings *old = l->settings, *wanted = shared_get(all, settings);
    if (!wanted)
        return ERR_NOMEM;
    l->cookie_options += wanted->rcvbuf != old->rcvbuf; /* another window scale, perhaps */
    l->settings = wanted;
    shared_put(all, old);
    return ERR_NONE;
}

void stack_set_backlog(struct sock *listener, uint32_t backlog)
{
    if (listener->kind == SOCK_LISTENER)
        as_listener(listener)->backlog = backlog > 0 ? backlog : 1;
}

void stack_set_v6only(struct sock *listener)
{
    if (listener->kind == SOCK_LISTENER)
        as_listener(listener)->v6only = true;
}

int stack_accept(struct sock *listener, void *user, uint64_t now_ns, struct sock **out)
{
    if (listener->kind != SOCK_LISTENER)
        return ERR_INVAL;
    struct listener *l = as_listener(listener);
    if (l->n_completed == 0)
        return ERR_AGAIN;
    struct conn *c = conn_in_line(l->completed.next);
    listener_forget(c);
    c->sock.stage = CONN_USED;
    c->sock.user = user;
    sock_happened(&c->sock, 0, now_ns); /* what happened while it waited is told now */
    *out = &c->sock;
    return ERR_NONE;
}
