/*
 * Listeners: connections that are being opened from outside, and the accept queue (RFC 9293
 * 3.10.7.2; listen(2)). When the accept queue is full, handshakes are dropped, so that the peer
 * tries again, and never answered with RST. When there are too many half-open connections the
 * oldest gives way (RFC 4987 3.4): a flood of forged SYNs then shuts out only those whose ACK takes
 * longer than the flood needs to fill the table. There are no SYN cookies (3.6).
 */
#include "arrives.h"
#include "isn.h"
#include "minmax.h"
#include "sock.h"
#include "user.h"

/* Half-open connections at one time: as many as may wait for accept, and not fewer than this. */
#define HALF_OPEN_MIN 128

static void make_room(struct listener *l)
{
    if (l->n_half_open < max_u32(l->backlog, HALF_OPEN_MIN))
        return;
    conn_free(container_of(l->half_open.next, struct conn, queued));
    l->sock.stack->counters.listen_drops++;
}

/* MUST-57, MUST-63, and the LAND attack: addresses that cannot be a connection's two ends. */
static bool valid_ends(const struct flow *flow)
{
    return ip_addr_is_unicast(&flow->remote) && ip_addr_is_unicast(&flow->local) &&
           flow->remote_port != 0 &&
           !(ip_addr_eq(&flow->remote, &flow->local) && flow->remote_port == flow->local_port);
}

static void open_connection(struct listener *l, const struct arrival *a, struct conn *old,
                            uint64_t now_ns)
{
    struct stack *s = l->sock.stack;
    if (l->n_completed >= l->backlog) {
        s->counters.listen_drops++;
        return;
    }
    make_room(l);
    seq_t iss = isn_choose(&s->config.secret, a->flow, now_ns);
    if (old) {
        /* MAY-2 (1): beyond the largest sequence number that the old connection used. */
        if (!seq_lt(old->tcb.snd.nxt, iss))
            iss = seq_add(old->tcb.snd.nxt, 1);
    }
    struct conn *c = conn_create(s, a->flow, a->mtu, old);
    if (!c) {
        s->counters.no_memory++;
        return;
    }
    c->stage = CONN_HALF_OPEN;
    c->listener = l;
    list_push_back(&l->half_open, &c->queued);
    l->n_half_open++;
    tcp_open_passive(&c->tcb, iss, now_ns);
    tcp_set(&c->tcb, &l->settings);
    if (a->route && !conn_take_route(c, a->route)) {
        s->counters.no_memory++;
        conn_free(c);
        return;
    }
    tcp_arrives(&c->tcb, a->seg, now_ns);
    conn_settle(c, now_ns);
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
        stack_answer(l->sock.stack, &l->sock, a->flow, a->seg);
        break;
    case LISTEN_OPEN:
        open_connection(l, a, old, now_ns);
        break;
    }
}

bool listener_has_room(const struct conn *c, const struct seg *seg)
{
    return c->stage != CONN_HALF_OPEN || (seg->flags & TCP_RST) ||
           c->listener->n_completed < c->listener->backlog;
}

void listener_completed(struct conn *c, uint64_t now_ns)
{
    struct listener *l = c->listener;
    list_remove(&c->queued);
    l->n_half_open--;
    list_push_back(&l->completed, &c->queued);
    l->n_completed++;
    c->stage = CONN_COMPLETED;
    sock_happened(&l->sock, SOCK_EV_COMPLETED, now_ns);
}

void listener_forget(struct conn *c)
{
    list_remove(&c->queued);
    if (c->stage == CONN_HALF_OPEN)
        c->listener->n_half_open--;
    else
        c->listener->n_completed--;
    c->listener = NULL;
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
    struct conn *c = container_of(l->completed.next, struct conn, queued);
    listener_forget(c);
    c->stage = CONN_USED;
    c->sock.user = user;
    sock_happened(&c->sock, 0, now_ns); /* what happened while it waited is told now */
    *out = &c->sock;
    return ERR_NONE;
}
