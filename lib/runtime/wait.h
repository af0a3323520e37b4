/*
 * Waiting for a socket: who waits, and for what. One condition variable per waiting thread, so that
 * an event wakes those who watch its socket and nobody else.
 *
 *     waitable   something that changes: one per socket
 *     waiter     a thread that sleeps
 *     watch      this waiter at that waitable; poll has one per descriptor
 *
 * All of it under the runtime's lock. A waiter registers its watches, looks at the sockets' state,
 * and sleeps with runtime_wait(), which gives the lock up in the same instant: what happens after
 * the look wakes it. Waking says "look again", never what happened; so no wake-up can be lost and
 * spurious ones do no harm.
 */
#ifndef WAIT_H
#define WAIT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "list.h"

struct receive;
struct sock;

struct waitable {
    struct list watches;
};

struct waiter {
    pthread_cond_t cond;
    uint64_t spin_ns;      /* how long it looks, when waits have been shorter, before it sleeps */
    bool woken;            /* since it last slept */
    const struct sock *so; /* where stack_recv_begin() has begun */
    const struct receive *receive; /* for it; NULL: nothing has */
    bool lent;                     /* places.c: the link may write to its buffer */
    bool drives;                   /* it does not sleep on cond, */
    struct runtime *sleeps_at;     /* but at this one's link; NULL: it looks again and again */
    struct list node;              /* among the runtime's sleeping waiters */
};

struct watch {
    struct list node;
    bool (*fire)(struct watch *); /* called by waitable_wake(), with the same answer */
    struct waiter *waiter;        /* of watch_add() */
    unsigned events;              /* SOCK_EV_* that are worth waking up for */
};

#define WAITER_SPIN_NS UINT64_C(50000) /* about what it costs to be woken, twice over */

#define WAIT_ALL (~0u) /* every event; also what changes something that is no event */

void waitable_init(struct waitable *w);

/* Wakes every waiter that watches w for one of these events. Whether one of them slept on its
 * condition variable. O(watches). */
bool waitable_wake(struct waitable *w, unsigned events);

/* A condition variable whose time is CLOCK_MONOTONIC. */
void cond_init(pthread_cond_t *cond);

/* spin_ns: WAITER_SPIN_NS, or what the user has set. */
void waiter_init(struct waiter *w, uint64_t spin_ns);
bool waiter_wake(struct waiter *w); /* the same */

/* Its watches must have been removed. */
void waiter_finish(struct waiter *w);

void watch_add(struct watch *watch, struct waitable *waitable, unsigned events,
               struct waiter *waiter);

/* The same for something else than a thread that sleeps: fire may not remove the watch. */
void watch_add_call(struct watch *watch, struct waitable *waitable, unsigned events,
                    bool (*fire)(struct watch *));
void watch_remove(struct watch *watch);

#endif
