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

#include "list.h"

struct waitable {
    struct list watches;
};

struct waiter {
    pthread_cond_t cond;
    bool woken;       /* since it last slept */
    struct list node; /* among the runtime's sleeping waiters */
};

struct watch {
    struct list node;
    struct waiter *waiter;
    unsigned events; /* SOCK_EV_* that are worth waking up for */
};

#define WAIT_ALL (~0u) /* every event; also what changes something that is no event */

void waitable_init(struct waitable *w);

/* Wakes every waiter that watches w for one of these events. O(watches). */
void waitable_wake(struct waitable *w, unsigned events);

void waiter_init(struct waiter *w);
void waiter_wake(struct waiter *w);

/* Its watches must have been removed. */
void waiter_finish(struct waiter *w);

void watch_add(struct watch *watch, struct waitable *waitable, unsigned events,
               struct waiter *waiter);
void watch_remove(struct watch *watch);

#endif
