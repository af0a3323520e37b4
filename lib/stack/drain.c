/* Ending a whole stack in order: which connections are not finished yet, and giving up on them. */
#include "sock.h"
#include "user.h"

bool stack_finished(const struct sock *so)
{
    if (so->kind != SOCK_CONNECTION)
        return true;
    const struct tcb *t = &as_conn((struct sock *)(uintptr_t)so)->tcb;
    return t->state == STATE_CLOSED || tcb_fin_acked(t);
}

bool conn_unfinished(const struct conn *c)
{
    return c->tcb.reset_peer || !stack_finished(&c->sock);
}

/* By settling, and when output has nothing more: in between a RST that has just been sent still
 * counts. */
void conn_count(struct conn *c)
{
    bool now = conn_unfinished(c);
    conn_stack(c)->n_unfinished += (uint32_t)now - (uint32_t)c->sock.unfinished;
    c->sock.unfinished = now;
}

uint32_t stack_unfinished(const struct stack *s)
{
    return s->n_unfinished;
}

void stack_abort_left(struct stack *s, uint64_t now_ns)
{
    for (struct table_node *node = table_next(&s->table, NULL), *next; node; node = next) {
        struct sock *so = container_of(node, struct sock, node);
        next = table_next(&s->table, node); /* this one may go */
        if (so->kind == SOCK_CONNECTION && so->stage == CONN_LEFT) {
            tcp_abort(&as_conn(so)->tcb, now_ns);
            conn_settle(as_conn(so), now_ns);
        }
    }
}
