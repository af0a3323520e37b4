/* The user calls on connections (RFC 9293 3.10.1-6). See stack.h; tcp/user.c does the work. */
#include "isn.h"
#include "sock.h"
#include "urgent.h"
#include "user.h"

int stack_add_ports(struct stack *s, uint16_t first, uint16_t count)
{
    return ports_add(&s->ports, first, count) ? ERR_NONE : ERR_NOMEM;
}

void stack_set_bound(struct stack *s, uint16_t port, bool bound)
{
    if (bound)
        port_set_add(&s->ports.bound, port);
    else
        port_set_remove(&s->ports.bound, port);
}

/* Sets flow->local_port to a free one, on which nobody listens either (RFC 6056 3.1), nor has it by
 * bind(). */
static int choose_port(struct stack *s, struct flow *flow)
{
    struct ports_search search = ports_search(&s->ports, &s->config.secret, flow);
    for (uint32_t i = 0; i < s->ports.total; i++) {
        flow->local_port = ports_at(&s->ports, search.start + i);
        if (!port_set_has(&s->ports.bound, flow->local_port) && !table_find(&s->table, flow) &&
            !listener_find(s, flow)) {
            *search.next += i + 1;
            return ERR_NONE;
        }
    }
    return ERR_NO_PORT;
}

int stack_connect(struct stack *s, const struct flow *wanted, uint32_t mtu, void *user,
                  uint64_t now_ns, struct sock **out)
{
    struct flow flow = *wanted;
    if (!ip_addr_is_unicast(&flow.remote) || !ip_addr_is_unicast(&flow.local) ||
        flow.remote_port == 0 || ip_addr_is_v4(&flow.local) != ip_addr_is_v4(&flow.remote))
        return ERR_ADDRESS;
    if (flow.local_port == 0) {
        int err = choose_port(s, &flow);
        if (err)
            return err;
    } else if (table_find(&s->table, &flow)) {
        return ERR_IN_USE;
    }
    struct conn *c = conn_create(s, &flow, mtu, NULL);
    if (!c)
        return ERR_NOMEM;
    c->sock.stage = CONN_USED;
    c->sock.user = user;
    tcp_open_active(&c->tcb, isn_choose(&s->config.secret, &flow, now_ns), now_ns);
    conn_settle(c, now_ns);
    *out = &c->sock;
    return ERR_NONE;
}

/* Trouble, or why the connection ended, for the one call that tells it. */
static int take_error(struct conn *c)
{
    int report = c->tcb.report;
    c->tcb.report = ERR_NONE;
    if (report)
        return report;
    if (c->sock.error_told)
        return ERR_NONE;
    c->sock.error_told = c->tcb.error != ERR_NONE;
    return c->tcb.error;
}

/* Why nothing can be sent; ERR_NONE: the connection knows. */
static int not_sendable(struct sock *so)
{
    if (so->kind != SOCK_CONNECTION)
        return ERR_NOT_CONNECTED;
    struct conn *c = as_conn(so);
    if (c->tcb.state == STATE_CLOSED || c->tcb.report) {
        int err = take_error(c);
        return err ? err : ERR_PIPE;
    }
    return tcb_synchronized(&c->tcb) ? ERR_NONE : ERR_AGAIN;
}

/* What a SEND has answered. Also one that was refused memory may have got some of it. */
static int64_t sent(struct conn *c, int64_t n, uint64_t now_ns)
{
    if (n > 0 || n == ERR_NOMEM)
        conn_settle(c, now_ns);
    return n;
}

static int64_t send_by(int64_t (*tcp_call)(struct tcb *, const void *, size_t), struct sock *so,
                       const void *data, size_t len, uint64_t now_ns)
{
    int err = not_sendable(so);
    if (err)
        return err;
    struct conn *c = as_conn(so);
    return sent(c, tcp_call(&c->tcb, data, len), now_ns);
}

int64_t stack_send(struct sock *so, const void *data, size_t len, uint64_t now_ns)
{
    return send_by(tcp_send, so, data, len, now_ns);
}

int64_t stack_lend(struct sock *so, const void *data, size_t len, uint64_t now_ns)
{
    return send_by(tcp_lend, so, data, len, now_ns);
}

size_t stack_lent(const struct sock *so)
{
    return so->kind == SOCK_CONNECTION ? tcp_lent(&as_conn((struct sock *)(uintptr_t)so)->tcb) : 0;
}

void stack_keep(struct sock *so)
{
    if (so->kind == SOCK_CONNECTION)
        tcp_keep(&as_conn(so)->tcb);
}

int64_t stack_send_urgent(struct sock *so, const void *data, size_t len, uint64_t now_ns)
{
    return send_by(tcp_urgent_send, so, data, len, now_ns);
}

int64_t stack_send_room(struct sock *so)
{
    int err = not_sendable(so);
    return err ? err : tcp_send_room(&as_conn(so)->tcb);
}

int64_t stack_send_block(struct sock *so, void *block, size_t size, size_t len, uint64_t now_ns)
{
    int err = not_sendable(so);
    if (err)
        return err;
    struct conn *c = as_conn(so);
    return sent(c, tcp_send_block(&c->tcb, block, size, len), now_ns);
}

void *stack_block(struct stack *s, size_t size)
{
    return mem_alloc(s->mem, size);
}

void stack_block_free(struct stack *s, void *block, size_t size)
{
    mem_free(s->mem, block, size);
}

void stack_more(struct sock *so, uint64_t now_ns)
{
    if (so->kind != SOCK_CONNECTION)
        return;
    tcp_more(&as_conn(so)->tcb);
    conn_settle(as_conn(so), now_ns);
}

void stack_flush(struct sock *so, uint64_t now_ns)
{
    if (so->kind != SOCK_CONNECTION)
        return;
    tcp_flush(&as_conn(so)->tcb);
    conn_settle(as_conn(so), now_ns);
}

int64_t stack_recv(struct sock *so, void *buf, size_t len, bool peek, uint64_t now_ns)
{
    if (so->kind != SOCK_CONNECTION)
        return ERR_NOT_CONNECTED;
    struct conn *c = as_conn(so);
    uint64_t start = c->tcb.rcvq.start;
    int64_t n = tcp_receive(&c->tcb, buf, len, peek, now_ns);
    bool nothing_left = n == 0 && (len > 0 || rcvq_len(&c->tcb.rcvq) == 0);
    bool over = nothing_left && c->tcb.state == STATE_CLOSED && !tcb_fin_taken(&c->tcb);
    if (over || (n == ERR_AGAIN && c->tcb.report))
        n = take_error(c);
    if (c->tcb.rcvq.start != start)
        conn_settle(c, now_ns);
    return n;
}

bool stack_recv_begin(struct sock *so, struct receive *r)
{
    return so->kind == SOCK_CONNECTION && tcp_receive_begin(&as_conn(so)->tcb, r);
}

void stack_recv_end(struct sock *so, struct receive *r, uint64_t now_ns)
{
    tcp_receive_end(&as_conn(so)->tcb, r, now_ns);
    conn_settle(as_conn(so), now_ns);
}

bool stack_recv_next(const struct sock *so, struct flow *flow, seq_t *seq, struct bytes *room)
{
    const struct tcb *t = &as_conn((struct sock *)(uintptr_t)so)->tcb;
    const struct receive *r = t->busy->receive;
    if (!r || rcvq_len(&t->rcvq) > 0 || r->done == r->len)
        return false;
    *flow = *t->flow;
    *seq = t->rcv.nxt;
    *room = (struct bytes){r->buf + r->done, r->len - r->done};
    return true;
}

int stack_recv_urgent(struct sock *so, uint8_t *octet, bool peek)
{
    if (so->kind != SOCK_CONNECTION)
        return ERR_NOT_CONNECTED;
    return tcp_urgent_receive(&as_conn(so)->tcb, octet, peek);
}

int stack_shutdown_send(struct sock *so, uint64_t now_ns)
{
    if (so->kind != SOCK_CONNECTION || !tcb_synchronized(&as_conn(so)->tcb))
        return ERR_NOT_CONNECTED;
    int err = tcp_close(&as_conn(so)->tcb, now_ns);
    if (!err)
        conn_settle(as_conn(so), now_ns);
    return err;
}

int stack_shutdown_recv(struct sock *so, uint64_t now_ns)
{
    if (so->kind != SOCK_CONNECTION || !tcb_synchronized(&as_conn(so)->tcb))
        return ERR_NOT_CONNECTED;
    tcp_stop_receiving(&as_conn(so)->tcb, now_ns);
    sock_happened(so, SOCK_EV_ARRIVED,
                  now_ns); /* whoever waits for text learns that none will come */
    conn_settle(as_conn(so), now_ns);
    return ERR_NONE;
}

/* From here on nobody hears of the socket any more. */
static void leave(struct conn *c)
{
    c->sock.stage = CONN_LEFT;
    c->sock.user = NULL;
    c->sock.happened = 0;
    list_remove(&c->sock.line);
}

/* Those that nobody has accepted are reset: their peers believe they are connected. */
static void abort_all(struct list *queue, uint64_t now_ns)
{
    while (!list_empty(queue)) {
        struct conn *c = conn_in_line(queue->next);
        listener_forget(c);
        leave(c);
        tcp_abort(&c->tcb, now_ns);
        conn_settle(c, now_ns);
    }
}

void stack_close(struct sock *so, uint64_t now_ns)
{
    if (so->kind == SOCK_LISTENER) {
        struct listener *l = as_listener(so);
        abort_all(&l->half_open, now_ns);
        abort_all(&l->completed, now_ns);
        listener_free(l);
        return;
    }
    struct conn *c = as_conn(so);
    leave(c);
    tcp_leave(&c->tcb, now_ns);
    conn_settle(c, now_ns);
}

void stack_linger(struct sock *so, uint64_t now_ns)
{
    if (so->kind != SOCK_CONNECTION)
        return;
    tcp_leave(&as_conn(so)->tcb, now_ns);
    conn_settle(as_conn(so), now_ns);
}

void stack_abort(struct sock *so, uint64_t now_ns)
{
    if (so->kind == SOCK_LISTENER) {
        stack_close(so, now_ns);
        return;
    }
    struct conn *c = as_conn(so);
    leave(c);
    tcp_abort(&c->tcb, now_ns);
    conn_settle(c, now_ns);
}

void stack_status(const struct sock *so, struct tcp_status *status)
{
    if (so->kind == SOCK_LISTENER)
        *status = (struct tcp_status){.state = STATE_LISTEN, .flow = so->node.flow};
    else
        tcb_status(&as_conn((struct sock *)(uintptr_t)so)->tcb, status);
}

enum tcp_state stack_state(const struct sock *so)
{
    return so->kind == SOCK_LISTENER ? STATE_LISTEN
                                     : as_conn((struct sock *)(uintptr_t)so)->tcb.state;
}

size_t stack_unread(const struct sock *so)
{
    return so->kind == SOCK_LISTENER ? 0
                                     : tcp_receivable(&as_conn((struct sock *)(uintptr_t)so)->tcb);
}

size_t stack_urgent(const struct sock *so)
{
    return so->kind == SOCK_LISTENER
               ? 0
               : (size_t)tcp_urgent_left(&as_conn((struct sock *)(uintptr_t)so)->tcb);
}

int stack_error(const struct sock *so)
{
    return so->kind == SOCK_CONNECTION ? as_conn((struct sock *)(uintptr_t)so)->tcb.error
                                       : ERR_NONE;
}

const struct tcp_settings *stack_settings(const struct sock *so)
{
    struct sock *any = (struct sock *)(uintptr_t)so;
    return any->kind == SOCK_LISTENER ? as_listener(any)->settings : as_conn(any)->tcb.settings;
}

int stack_set(struct sock *so, const struct tcp_settings *settings, uint64_t now_ns)
{
    if (so->kind == SOCK_LISTENER)
        return listener_set(as_listener(so), settings);
    int err = tcp_set(&as_conn(so)->tcb, settings);
    if (!err)
        conn_settle(as_conn(so), now_ns);
    return err;
}

void stack_set_quickack(struct sock *so, bool on, uint64_t now_ns)
{
    if (so->kind != SOCK_CONNECTION)
        return;
    ackdelay_quick(&as_conn(so)->tcb.ackdelay, on ? ACKDELAY_ALL : 0);
    conn_settle(as_conn(so), now_ns);
}

bool stack_quickack(const struct sock *so)
{
    return so->kind == SOCK_CONNECTION &&
           as_conn((struct sock *)(uintptr_t)so)->tcb.ackdelay.quick > 0;
}

int stack_take_error(struct sock *so)
{
    return so->kind == SOCK_CONNECTION ? take_error(as_conn(so)) : ERR_NONE;
}

unsigned stack_readiness(const struct sock *so)
{
    if (so->kind == SOCK_LISTENER)
        return as_listener((struct sock *)(uintptr_t)so)->n_completed > 0 ? SOCK_READABLE : 0;
    const struct conn *c = as_conn((struct sock *)(uintptr_t)so);
    const struct tcb *t = &c->tcb;
    unsigned ready = 0;
    if (tcp_can_receive(t))
        ready |= SOCK_READABLE;
    if (tcp_urgent_ready(t))
        ready |= SOCK_URGENT;
    if (tcb_synchronized(t) || t->state == STATE_CLOSED)
        ready |= tcp_can_send(t) ? SOCK_WRITABLE : 0;
    if (t->state == STATE_CLOSED || t->state >= STATE_CLOSE_WAIT)
        ready |= SOCK_PEER_DONE;
    if (t->state == STATE_CLOSED || t->state >= STATE_CLOSING)
        ready |= SOCK_DEAD;
    return t->report || (t->error && !c->sock.error_told) ? ready | SOCK_FAILED : ready;
}
