/* Waiters and what they watch; see wait.h. */
#include "wait.h"

#include <time.h>

#include "runtime_priv.h"

void waitable_init(struct waitable *w)
{
    list_init(&w->watches);
}

bool waitable_wake(struct waitable *w, unsigned events)
{
    bool slept = false;
    for (struct list *l = w->watches.next; l != &w->watches; l = l->next) {
        struct watch *watch = container_of(l, struct watch, node);
        if (watch->events & events)
            slept |= watch->fire(watch);
    }
    return slept;
}

void cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attr);
    pthread_condattr_destroy(&attr);
}

void waiter_init(struct waiter *w, uint64_t spin_ns)
{
    cond_init(&w->cond);
    w->woken = false;
    w->so = NULL;
    w->receive = NULL;
    w->lent = false;
    w->spin_ns = spin_ns;
    w->drives = false;
    w->sleeps_at = NULL;
    list_init(&w->node);
}

bool waiter_wake(struct waiter *w)
{
    if (w->woken)
        return false; /* it has been told and has not run yet */
    w->woken = true;
    if (w->sleeps_at)
        timer_arm(w->sleeps_at, 0);
    else if (!w->drives)
        pthread_cond_signal(&w->cond);
    return !w->drives;
}

void waiter_finish(struct waiter *w)
{
    pthread_cond_destroy(&w->cond);
}

static bool wake_thread(struct watch *watch)
{
    return waiter_wake(watch->waiter);
}

void watch_add_call(struct watch *watch, struct waitable *waitable, unsigned events,
                    bool (*fire)(struct watch *))
{
    watch->fire = fire;
    watch->events = events;
    list_push_back(&waitable->watches, &watch->node);
}

void watch_add(struct watch *watch, struct waitable *waitable, unsigned events,
               struct waiter *waiter)
{
    watch->waiter = waiter;
    watch_add_call(watch, waitable, events, wake_thread);
}

void watch_remove(struct watch *watch)
{
    list_remove(&watch->node);
}
