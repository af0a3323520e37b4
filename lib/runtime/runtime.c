/* Making and ending a running stack, its lock, and the pump. See runtime.h. */
#include "runtime.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "nstime.h"
#include "runtime_priv.h"
#include "thread.h"

/* How long a busy device is left alone. */
#define BUSY_NS NS_PER_MS

static int make_stack(struct runtime *rt, const struct runtime_config *config)
{
    struct stack_config sc = {
        .mem = &rt->mem,
        .trace = config->trace,
        .caps = config->link->caps,
        .tcp = config->tcp,
        .max_socks = config->max_socks,
        .accept_source_route = config->accept_source_route,
    };
    if (getrandom(&sc.secret, sizeof sc.secret, 0) != sizeof sc.secret)
        return -errno;
    return stack_create(&rt->stack, &sc) ? -ENOMEM : 0;
}

static void free_all(struct runtime *rt)
{
    stack_destroy(rt->stack);
    pool_finish(&rt->pool);
    backlog_finish(&rt->backlog);
    if (rt->timer >= 0)
        close(rt->timer);
    fork_mark_free(rt);
    rt->host->ops->destroy(rt->host); /* before the link, which it may refer to */
    rt->link->ops->destroy(rt->link);
    pthread_cond_destroy(&rt->turn);
    pthread_cond_destroy(&rt->withdrawn);
    pthread_mutex_destroy(&rt->lock);
    pthread_mutex_destroy(&rt->host_lock);
    free(rt);
}

int runtime_create(struct runtime **out, const struct runtime_config *config, const char **what)
{
    struct runtime *rt = calloc(1, sizeof *rt);
    *what = "memory";
    if (!rt) {
        config->host->ops->destroy(config->host);
        config->link->ops->destroy(config->link);
        return -ENOMEM;
    }
    rt->link = config->link;
    rt->host = config->host;
    rt->mem = (struct mem){pool_alloc, pool_free, &rt->pool, config->mem_limit, 0};
    rt->armed_ns = TIME_NEVER;
    rt->timer = -1;
    rt->credit = 1;
    list_init(&rt->sleeping);
    cond_init(&rt->turn);
    cond_init(&rt->withdrawn);
    pthread_mutex_init(&rt->lock, NULL);
    pthread_mutex_init(&rt->host_lock, NULL);
    *what = "a page for fork";
    int err = fork_mark_create(rt);
    if (!err) {
        *what = "the engine";
        err = make_stack(rt, config);
    }
    if (!err) {
        *what = "timerfd_create";
        rt->timer = timer_create_fd();
        err = rt->timer < 0 ? -errno : 0;
    }
    if (!err) {
        *what = "pthread_create";
        err = thread_start(&rt->thread, receive_thread, rt);
    }
    if (err)
        free_all(rt);
    else
        *out = rt;
    return err;
}

void runtime_destroy(struct runtime *rt)
{
    runtime_lock(rt);
    rt->stop = true;
    timer_arm(rt, 0);
    pthread_cond_signal(&rt->turn);
    runtime_unlock(rt);
    pthread_join(rt->thread, NULL);
    free_all(rt);
}

void runtime_lock(struct runtime *rt)
{
    pthread_mutex_lock(&rt->lock);
}

void runtime_unlock(struct runtime *rt)
{
    pthread_mutex_unlock(&rt->lock);
}

struct stack *runtime_stack(struct runtime *rt)
{
    return rt->stack;
}

uint64_t runtime_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

/* Sends all that the engine has to send. False when the device is busy. */
static bool send_output(struct runtime *rt, uint64_t now_ns)
{
    if (!backlog_send(rt, now_ns))
        return false;
    for (;;) {
        size_t n = stack_output(rt->stack, rt->out, BATCH, now_ns);
        if (n == 0)
            return true;
        size_t sent = rt->link->ops->send(rt->link, rt->out, n);
        if (sent < n) {
            backlog_keep(rt, rt->out + sent, n - sent, now_ns);
            return false;
        }
    }
}

/* Before the packets that have been waited for in vain go again. */
static void pass_advice(struct runtime *rt)
{
    struct ip_addr hop;
    while (stack_next_advice(rt->stack, &hop)) {
        if (rt->link->ops->doubt)
            rt->link->ops->doubt(rt->link, &hop);
    }
}

void runtime_pump(struct runtime *rt, uint64_t now_ns)
{
    pass_advice(rt);
    bool idle = send_output(rt, now_ns);
    struct stack_event ev;
    while (stack_next_event(rt->stack, &ev)) {
        if (ev.user)
            rt->woken |= waitable_wake(ev.user, ev.what);
    }
    if (rt->drainer && stack_unfinished(rt->stack) == 0)
        waiter_wake(rt->drainer);
    timer_arm(rt, idle ? stack_deadline(rt->stack) : now_ns + BUSY_NS);
}

void runtime_wake_all(struct runtime *rt)
{
    for (struct list *l = rt->sleeping.next; l != &rt->sleeping; l = l->next)
        waiter_wake(container_of(l, struct waiter, node));
}

bool runtime_drain(struct runtime *rt, uint64_t deadline_ns)
{
    struct waiter w;
    waiter_init(&w, WAITER_SPIN_NS);
    rt->drainer = &w;
    bool in_time = true;
    while (stack_unfinished(rt->stack) > 0 && in_time)
        in_time = runtime_wait(rt, &w, deadline_ns);
    rt->drainer = NULL;
    waiter_finish(&w);
    if (stack_unfinished(rt->stack) == 0)
        return true;
    uint64_t now = runtime_now();
    stack_abort_left(rt->stack, now);
    runtime_pump(rt, now);
    return false;
}
