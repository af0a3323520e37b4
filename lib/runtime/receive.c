/* The receive thread: packets from the link and deadlines into the engine, when no thread that
 * waits does it (drive.c). */
#include <poll.h>

#include "runtime_priv.h"

/* Batches taken in a row before the timer is looked at again. */
#define BATCHES_MAX 16

size_t take_batch(struct runtime *rt)
{
    places_offer(rt);
    runtime_unlock(rt);
    size_t n = rt->link->ops->recv(rt->link, rt->in, BATCH);
    runtime_lock(rt);
    places_withdraw(rt);
    if (n > 0) {
        uint64_t now = runtime_now();
        stack_input(rt->stack, rt->in, n, now);
        runtime_pump(rt, now);
    }
    return n;
}

void take_batches(struct runtime *rt)
{
    for (int i = 0; i < BATCHES_MAX && take_batch(rt) > 0; i++)
        continue;
}

void keep_time(struct runtime *rt, uint64_t now_ns)
{
    timer_clear(rt);
    if (rt->stop)
        return;
    stack_tick(rt->stack, now_ns);
    runtime_pump(rt, now_ns);
}

void *receive_thread(void *arg)
{
    struct runtime *rt = arg;
    pthread_setname_np(pthread_self(), "nstcp");
    struct pollfd fds[] = {
        {.fd = rt->timer, .events = POLLIN},
        {.fd = rt->link->ops->poll_fd(rt->link), .events = POLLIN},
    };
    for (;;) {
        poll(fds, 2, -1);
        runtime_lock(rt);
        bool mine = receive_turn(rt);
        if (mine && fds[0].revents)
            keep_time(rt, runtime_now());
        /* After a deadline as well: the link may have an answer to what was sent then (link.h). */
        if (mine) {
            take_batches(rt);
            rt->mover = NULL;
        }
        runtime_unlock(rt);
        if (!mine)
            return NULL;
    }
}
