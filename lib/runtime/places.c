/* Where text goes that threads wait for: while the link receives, it has their buffers, one for
 * each connection and at most LINK_EXPECT_MAX. */
#include "runtime_priv.h"

/* A buffer with less room than this has none for a super-segment. */
#define ROOM_MIN 65536

/* Tells the link of w's buffer, if it has one that text can go to now. */
static void offer(struct runtime *rt, struct waiter *w)
{
    struct link_expect e;
    struct bytes room;
    if (!w->receive || !w->receive->waits)
        return;
    bool open = stack_recv_next(w->so, &e.flow, &e.seq, &room);
    rt->crowded |= w->woken && (!open || room.len < ROOM_MIN);
    if (!open)
        return;
    e.buf = (uint8_t *)(uintptr_t)room.ptr;
    e.len = room.len;
    rt->link->ops->expect(rt->link, &e);
    w->lent = true;
    rt->lent[rt->n_lent++] = w;
}

void places_offer(struct runtime *rt)
{
    rt->crowded = false;
    if (!rt->link->ops->expect)
        return;
    offer(rt, rt->mover);
    /* Those that have come last are the likeliest. */
    struct list *l = rt->sleeping.next;
    for (; l != &rt->sleeping && rt->n_lent < LINK_EXPECT_MAX; l = l->next) {
        struct waiter *w = container_of(l, struct waiter, node);
        if (!w->receive)
            break; /* nor has any behind it */
        if (w != rt->mover)
            offer(rt, w);
    }
}

void places_withdraw(struct runtime *rt)
{
    for (unsigned i = 0; i < rt->n_lent; i++)
        rt->lent[i]->lent = false;
    rt->n_lent = 0;
    if (rt->n_leaving > 0)
        pthread_cond_broadcast(&rt->withdrawn);
}

void place_await(struct runtime *rt, const struct waiter *w)
{
    rt->n_leaving++;
    while (w->lent)
        pthread_cond_wait(&rt->withdrawn, &rt->lock);
    rt->n_leaving--;
}
