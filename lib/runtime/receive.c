/* The receive thread: packets from the link and deadlines into the engine. */
#include <poll.h>

#include "runtime_priv.h"

/* Batches taken in a row before the timer is looked at again. */
#define BATCHES_MAX 16

/* Takes what the link has, without the lock: the copies out of the kernel are made beside the
 * threads that send. */
static void take_packets(struct runtime *rt)
{
    for (int i = 0; i < BATCHES_MAX; i++) {
        size_t n = rt->link->ops->recv(rt->link, rt->in, BATCH);
        if (n == 0)
            return;
        runtime_lock(rt);
        uint64_t now = runtime_now();
        stack_input(rt->stack, rt->in, n, now);
        runtime_pump(rt, now);
        runtime_unlock(rt);
        if (n < BATCH)
            return; /* there were no more */
    }
}

/* False when it is time to stop. */
static bool keep_time(struct runtime *rt)
{
    runtime_lock(rt);
    timer_clear(rt);
    bool stop = rt->stop;
    uint64_t now = runtime_now();
    if (!stop) {
        stack_tick(rt->stack, now);
        runtime_pump(rt, now);
    }
    runtime_unlock(rt);
    return !stop;
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
        if (fds[0].revents && !keep_time(rt))
            return NULL;
        /* After a deadline as well: the link may have an answer to what was sent then (link.h). */
        take_packets(rt);
    }
}
