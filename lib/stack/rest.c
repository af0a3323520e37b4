/*
 * Connections that have nothing to do give back what they needed while they had (tcp/busy.h): not
 * at once, as most will need it again for the next request, but after a while.
 */
#include "sock.h"

#define REST_NS (250 * NS_PER_MS)

static void queue(struct stack *s, struct busy *b, uint64_t now_ns)
{
    b->since_ns = now_ns;
    list_push_back(&s->resting, &b->resting);
}

void conn_may_rest(struct conn *c, uint64_t now_ns)
{
    struct busy *b = c->tcb.busy;
    if (!tcb_is_busy(&c->tcb))
        return;
    list_remove(&b->resting);
    if (!tcb_rests(&c->tcb))
        return;
    if (c->tcb.state == STATE_CLOSED)
        tcb_unbusy(&c->tcb); /* there will be nothing any more */
    else
        queue(conn_stack(c), b, now_ns);
}

uint64_t rest_deadline(const struct stack *s)
{
    const struct list *first = s->resting.next;
    return first == &s->resting ? TIME_NEVER
                                : container_of(first, struct busy, resting)->since_ns + REST_NS;
}

void rest_tick(struct stack *s, uint64_t now_ns)
{
    while (rest_deadline(s) <= now_ns) {
        struct busy *b = container_of(list_pop_front(&s->resting), struct busy, resting);
        if (!tcb_rests(b->tcb))
            continue; /* it has to do again, and comes back here when that is done */
        if (tcb_unspent(b->tcb, now_ns))
            tcb_unbusy(b->tcb);
        else
            queue(s, b, now_ns);
    }
}
