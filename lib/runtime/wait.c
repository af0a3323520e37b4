/* Waiters and what they watch; see wait.h. */
#include "wait.h"

#include <time.h>

void waitable_init(struct waitable *w)
{
    list_init(&w->watches);
}

void waitable_wake(struct waitable *w, unsigned events)
{
    for (struct list *l = w->watches.next; l != &w->watches; l = l->next) {
        struct watch *watch = container_of(l, struct watch, node);
        if (watch->events & events)
            waiter_wake(watch->waiter);
    }
}

void waiter_init(struct waiter *w)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&w->cond, &attr);
    pthread_condattr_destroy(&attr);
    w->woken = false;
    list_init(&w->node);
}

void waiter_wake(struct waiter *w)
{
    if (w->woken)
        return; /* it has been told and has not run yet */
    w->woken = true;
    pthread_cond_signal(&w->cond);
}

void waiter_finish(struct waiter *w)
{
    pthread_cond_destroy(&w->cond);
}

void watch_add(struct watch *watch, struct waitable *waitable, unsigned events,
               struct waiter *waiter)
{
    watch->waiter = waiter;
    watch->events = events;
    list_push_back(&waitable->watches, &watch->node);
}

void watch_remove(struct watch *watch)
{
    list_remove(&watch->node);
}
