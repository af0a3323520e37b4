/*
 * Waiting, and moving packets meanwhile. A thread that waits for its socket does the receive
 * thread's work itself: what it waits for then needs no hand-over from one thread to another, which
 * costs more than the whole engine does.
 *
 * One thread at a time has the link's recv(): rt->mover. The receive thread steps aside while
 * another one drives, and for a while after, as most threads that have got something come back for
 * more; so a packet that arrives between two calls of a busy program may lie for so long. It looks
 * whether they do, and seldom when they did. While nobody calls it has the link for itself.
 *
 * A thread that waits while another one drives sleeps on its own condition variable; the one that
 * drives wakes it.
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>

#include "nstime.h"
#include "runtime_priv.h"

/* How long after a thread has driven the receive thread takes over, and how seldom it looks. */
#define LINGER_MIN_NS (200 * NS_PER_US)
#define LINGER_MAX_NS (16 * NS_PER_MS)
/* And after one that has only looked: it has no reason to look again. */
#define LINGER_LOOK_NS NS_PER_MS
/* A thread that has driven for so long will not be back at once: then the receive thread sleeps
 * until it is called, and does not look. */
#define LONG_NS (10 * NS_PER_MS)

/* Looking again and again instead of sleeping pays when what is waited for comes soon, as being
 * woken takes longer. Whether it does, the waits before tell: each in which it came while we looked
 * counts for it, each in which it did not against it, and every so many we try anew. */
#define CREDIT_MAX 8
#define TRY_EVERY  8

static struct timespec timespec_of(uint64_t ns)
{
    return (struct timespec){(time_t)(ns / NS_PER_S), (long)(ns % NS_PER_S)};
}

/* Until the link has something, the timer goes off, w is woken by another thread, or the deadline
 * passes. The time then. Lock held; given up meanwhile. */
static uint64_t sleep_at_link(struct runtime *rt, struct waiter *w, uint64_t now,
                              uint64_t deadline_ns)
{
    struct pollfd fds[] = {
        {.fd = rt->timer, .events = POLLIN},
        {.fd = rt->link->ops->poll_fd(rt->link), .events = POLLIN},
    };
    const struct timespec left = timespec_of(deadline_ns > now ? deadline_ns - now : 0);
    w->sleeps_at = rt;
    runtime_unlock(rt);
    ppoll(fds, 2, deadline_ns == TIME_NEVER ? NULL : &left, NULL);
    runtime_lock(rt);
    w->sleeps_at = NULL;
    now = runtime_now();
    if (fds[0].revents)
        keep_time(rt, now);
    return now;
}

static bool worth_looking(struct runtime *rt)
{
    return rt->credit > 0 || ++rt->slept % TRY_EVERY == 0;
}

static void learn(struct runtime *rt, bool in_time)
{
    if (in_time && rt->credit < CREDIT_MAX)
        rt->credit++;
    else if (!in_time && rt->credit > 0)
        rt->credit--;
}

/* Others may have no other processor than this one. */
static void let_others_run(struct runtime *rt)
{
    runtime_unlock(rt);
    sched_yield();
    runtime_lock(rt);
}

/* Those who have been woken. */
static void let_woken_run(struct runtime *rt, const struct waiter *w)
{
    if (!w->woken)
        let_others_run(rt);
    rt->woken = false;
}

static void take_link(struct runtime *rt, struct waiter *w, uint64_t now)
{
    rt->mover = w;
    rt->moving_since_ns = now;
}

/* only_looked: it will not be back for more. */
static void give_link_back(struct runtime *rt, uint64_t now, bool only_looked)
{
    rt->mover = NULL;
    rt->moved_ns = now;
    rt->looked = only_looked;
    if (rt->aside)
        pthread_cond_signal(&rt->turn);
}

/* Lock held. */
static void drive(struct runtime *rt, struct waiter *w, uint64_t deadline_ns)
{
    uint64_t now = runtime_now();
    const bool look = w->spin_ns > 0 && worth_looking(rt);
    const uint64_t look_until = look ? now + w->spin_ns : now;
    take_link(rt, w, now);
    w->drives = true;
    while (!w->woken && now < deadline_ns) {
        size_t n = take_batch(rt);
        now = runtime_now();
        if (now >= rt->armed_ns)
            keep_time(rt, now);
        else if ((n == 0 || rt->crowded) && rt->woken)
            let_woken_run(rt, w);
        else if (n == 0 && !w->woken && now >= look_until)
            now = sleep_at_link(rt, w, now, deadline_ns);
    }
    w->drives = false;
    if (look)
        learn(rt, w->woken && now < look_until);
    give_link_back(rt, now, false);
}

bool runtime_wait(struct runtime *rt, struct waiter *w, uint64_t deadline_ns)
{
    const struct timespec until = timespec_of(deadline_ns);
    int err = 0;
    rt->n_waiting++;
    /* Those with a buffer stand in front: places.c. */
    list_push_back(w->receive ? rt->sleeping.next : &rt->sleeping, &w->node);
    if (!rt->mover)
        drive(rt, w, deadline_ns);
    while (!w->woken && err != ETIMEDOUT) {
        if (deadline_ns == TIME_NEVER)
            pthread_cond_wait(&w->cond, &rt->lock);
        else
            err = pthread_cond_timedwait(&w->cond, &rt->lock, &until);
    }
    list_remove(&w->node);
    place_await(rt, w);
    rt->n_waiting--;
    bool woken = w->woken;
    w->woken = false;
    return woken;
}

void runtime_look(struct runtime *rt)
{
    if (rt->mover)
        return;
    take_link(rt, &rt->receiver, runtime_now());
    take_batches(rt);
    uint64_t now = runtime_now();
    give_link_back(rt, now, true);
    if (now >= rt->armed_ns)
        keep_time(rt, now);
}

bool runtime_yield(struct runtime *rt, unsigned calls)
{
    if (calls <= rt->n_waiting + 1)
        return false;
    let_others_run(rt);
    return true;
}

bool receive_turn(struct runtime *rt)
{
    uint64_t linger = LINGER_MIN_NS, seen_ns = rt->moved_ns;
    while (!rt->stop) {
        uint64_t now = runtime_now();
        if (!rt->mover && now >= rt->moved_ns + linger) {
            rt->mover = &rt->receiver;
            return true;
        }
        rt->aside = rt->mover && now >= rt->moving_since_ns + LONG_NS;
        if (rt->aside) {
            pthread_cond_wait(&rt->turn, &rt->lock);
            linger = LINGER_MIN_NS;
        } else {
            if (rt->moved_ns != seen_ns || rt->mover)
                linger = time_min(2 * linger, rt->looked ? LINGER_LOOK_NS : LINGER_MAX_NS);
            seen_ns = rt->moved_ns;
            const struct timespec until = timespec_of((rt->mover ? now : rt->moved_ns) + linger);
            pthread_cond_timedwait(&rt->turn, &rt->lock, &until);
        }
        rt->aside = false;
    }
    return false;
}
