/*
 * Connections that have nothing to do give back what they needed while they had (tcp/busy.h): not
 * at once, as most will need it again for the next request, but after a while. One deadline is for
 * all: where thousands come and go in a second, one for each would be as many timers.
 */
#include "sock.h"

#define REST_NS (250 * NS_PER_MS) /* at least, and at most twice that */

static void queue(struct stack *s, struct busy *b, uint64_t now_ns)
{
    if (list_empty(&s->resting))
        s->rest_due_ns = now_ns + REST_NS;
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
    return list_empty(&s->resting) ? TIME_NEVER : s->rest_due_ns;
}

/* The one that has been on the list for the longest. */
static struct busy *first(const struct stack *s)
{
    return container_of(s->resting.next, struct busy, resting);
}

void rest_tick(struct stack *s, uint64_t now_ns)
{
    if (rest_deadline(s) > now_ns)
        return;
    while (!list_empty(&s->resting) && first(s)->since_ns + REST_NS <= now_ns) {
        struct busy *b = first(s);
        list_remove(&b->resting);
        if (!tcb_rests(b->tcb))
            continue; /* it has to do again, and comes back here when that is done */
        if (tcb_unspent(b->tcb, now_ns))
            tcb_unbusy(b->tcb);
        else
            queue(s, b, now_ns);
    }
    s->rest_due_ns = now_ns + REST_NS;
}
