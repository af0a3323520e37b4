/*
 * Connections that have nothing to do give back what they needed while they had (tcp/busy.h): not
 * at once, as most will need it again for the next request, but after a while. One deadline is for
 * all: where thousands come and go in a second, one for each would be as many timers. And where
 * many are busy, the one that has had nothing to do for the longest makes room for the next.
 */
#include "sock.h"

/* So long at least, and at most twice that; but at once where so many are busy. */
#define REST_NS  (250 * NS_PER_MS)
#define BUSY_MAX 1024

static void queue(struct stack *s, struct busy *b, uint64_t now_ns)
{
    if (list_empty(&s->resting))
        s->rest_due_ns = now_ns + REST_NS;
    b->since_ns = now_ns;
    list_push_back(&s->resting, &b->resting);
}

/* The one that has been on the list for the longest. */
static struct busy *first(const struct stack *s)
{
    return container_of(s->resting.next, struct busy, resting);
}

/* It gives back what it needed, unless it has to do again: then it comes back here when that is
 * done. */
static void rest(struct stack *s, struct busy *b, uint64_t now_ns)
{
    list_remove(&b->resting);
    if (!tcb_rests(b->tcb))
        return;
    if (tcb_unspent(b->tcb, now_ns))
        tcb_unbusy(b->tcb);
    else
        queue(s, b, now_ns);
}

void conn_may_rest(struct conn *c, uint64_t now_ns)
{
    struct stack *s = conn_stack(c);
    struct busy *b = c->tcb.busy;
    if (!tcb_is_busy(&c->tcb))
        return;
    list_remove(&b->resting);
    if (!tcb_rests(&c->tcb))
        return;
    if (c->tcb.state == STATE_CLOSED) {
        tcb_unbusy(&c->tcb); /* there will be nothing any more */
        return;
    }
    queue(s, b, now_ns);
    if (s->tcp.n_busy > BUSY_MAX)
        rest(s, first(s), now_ns);
}

uint64_t rest_deadline(const struct stack *s)
{
    return list_empty(&s->resting) ? TIME_NEVER : s->rest_due_ns;
}

void rest_tick(struct stack *s, uint64_t now_ns)
{
    if (rest_deadline(s) > now_ns)
        return;
    while (!list_empty(&s->resting) && first(s)->since_ns + REST_NS <= now_ns)
        rest(s, first(s), now_ns);
    s->rest_due_ns = now_ns + REST_NS;
}
