/*
 * Connections in TIME-WAIT that nobody holds any more (RFC 9293 3.3.2). All stay for 2 MSL, so they
 * end in the order in which they have come, and none needs a timer of its own: there may be as many
 * as there are sockets, and among them the timers of the few that do something would be far to move
 * at every segment.
 */
#include "sock.h"
#include "timeout.h"

void time_wait_queue(struct conn *c)
{
    struct stack *s = conn_stack(c);
    uint64_t due_ns = c->tcb.linger_due_ns;
    /* It comes, or begins anew. But one that was in TIME-WAIT before its user left is early. */
    bool last = due_ns >= s->time_wait_due_ns;
    if (!last && !list_empty(&c->sock.line))
        return;
    list_remove(&c->sock.line);
    list_push_back(&s->time_wait, &c->sock.line);
    c->sock.in_turn = last;
    if (last)
        s->time_wait_due_ns = due_ns;
}

uint64_t time_wait_deadline(const struct stack *s)
{
    if (list_empty(&s->time_wait))
        return TIME_NEVER;
    return conn_in_line(s->time_wait.next)->tcb.linger_due_ns;
}

void time_wait_tick(struct stack *s, uint64_t now_ns)
{
    while (time_wait_deadline(s) <= now_ns) {
        struct conn *c = conn_in_line(s->time_wait.next);
        list_remove(&c->sock.line);
        tcp_timeout(&c->tcb, now_ns);
        conn_settle(c, now_ns);
    }
}
