/* A stack at work in virtual time. See runtime_virtual.h; the struct is lib/runtime's own, so that
 * its calls to the host (around.c) serve here too. Its thread, timer and backlog are not used. */
#include "runtime_virtual.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "link_queue.h"
#include "nstime.h"
#include "runtime_priv.h"
#include "sock.h"

#define CLOCK_START_NS (1000 * NS_PER_S) /* anything but 0 */

/* How long packetdrill waits for a call to end that it has nothing else to do before, and after how
 * much of that it is taken to do so. */
#define PATIENCE_NS NS_PER_S
#define IDLE_NS     (300 * NS_PER_MS) /* of real time */

/* A thread in runtime_wait. */
struct sleeper {
    struct list node;
    struct waiter *waiter;
    uint64_t deadline_ns;
};

struct virtual_runtime {
    struct runtime rt;
    pthread_t driver;
    pid_t driver_tid;
    struct list sleepers;
    unsigned at_work; /* other threads in a call, or back from one and not yet told the time */
    pthread_cond_t settled;
};

/* runtime_now() has no argument, so the process has one clock. Lock held. */
static uint64_t clock_ns = CLOCK_START_NS;

/* Whether this thread is counted in at_work. */
static _Thread_local bool counted;

static struct virtual_runtime *of(struct runtime *rt)
{
    return container_of(rt, struct virtual_runtime, rt);
}

static bool is_driver(const struct virtual_runtime *v)
{
    return pthread_equal(pthread_self(), v->driver);
}

/* ---- Who has to come to rest before the clock may move ---- */

static void begin_work(struct virtual_runtime *v)
{
    if (!counted && !is_driver(v)) {
        counted = true;
        v->at_work++;
    }
}

static void end_work(struct virtual_runtime *v)
{
    if (counted) {
        counted = false;
        v->at_work--;
        pthread_cond_broadcast(&v->settled);
    }
}

static bool has_to_run(const struct sleeper *s)
{
    return s->waiter->woken || s->deadline_ns <= clock_ns;
}

static bool is_settled(const struct virtual_runtime *v)
{
    for (struct list *l = v->sleepers.next; l != &v->sleepers; l = l->next) {
        if (has_to_run(container_of(l, struct sleeper, node)))
            return false;
    }
    return v->at_work == 0;
}

static void settle(struct virtual_runtime *v)
{
    while (!is_settled(v))
        pthread_cond_wait(&v->settled, &v->rt.lock);
}

/* ---- The clock ---- */

static uint64_t next_due(const struct virtual_runtime *v)
{
    uint64_t due = stack_deadline(v->rt.stack);
    for (struct list *l = v->sleepers.next; l != &v->sleepers; l = l->next)
        due = time_min(due, container_of(l, struct sleeper, node)->deadline_ns);
    return due;
}

/* What is due at that time, and not before it, happens. */
static void run_at(struct virtual_runtime *v, uint64_t due_ns)
{
    clock_ns = time_max(clock_ns, due_ns);
    if (stack_deadline(v->rt.stack) <= clock_ns) {
        stack_tick(v->rt.stack, clock_ns);
        runtime_pump(&v->rt, clock_ns);
    }
    for (struct list *l = v->sleepers.next; l != &v->sleepers; l = l->next) {
        struct sleeper *s = container_of(l, struct sleeper, node);
        if (s->deadline_ns <= clock_ns)
            pthread_cond_signal(&s->waiter->cond);
    }
}

static void advance(struct virtual_runtime *v, uint64_t ns)
{
    settle(v);
    uint64_t target = clock_ns + ns, due;
    while ((due = next_due(v)) <= target) {
        run_at(v, due);
        settle(v);
    }
    clock_ns = time_max(clock_ns, target);
}

uint64_t runtime_now(void)
{
    return clock_ns;
}

uint64_t virtual_time_us(struct runtime *rt)
{
    struct virtual_runtime *v = of(rt);
    runtime_lock(rt);
    end_work(v);
    advance(v, NS_PER_US);
    uint64_t us = clock_ns / NS_PER_US;
    runtime_unlock(rt);
    return us;
}

void virtual_sleep(struct runtime *rt, uint64_t us)
{
    struct virtual_runtime *v = of(rt);
    runtime_lock(rt);
    end_work(v);
    advance(v, us * NS_PER_US);
    runtime_unlock(rt);
}

/* ---- Packets ---- */

void virtual_input(struct runtime *rt, const void *octets, size_t len)
{
    const struct packet packet = {.head = {octets, len}, .csum = CSUM_FULL};
    runtime_lock(rt);
    settle(of(rt));
    stack_input(rt->stack, &packet, 1, clock_ns);
    runtime_pump(rt, clock_ns);
    runtime_unlock(rt);
}

bool virtual_output(struct runtime *rt, void *buf, size_t room, size_t *len, uint64_t *time_us)
{
    struct virtual_runtime *v = of(rt);
    uint64_t due, sent_ns;
    runtime_lock(rt);
    end_work(v);
    settle(v);
    bool have;
    while (!(have = link_queue_take(rt->link, buf, room, len, &sent_ns)) &&
           (due = next_due(v)) != TIME_NEVER) {
        run_at(v, due);
        settle(v);
    }
    if (have)
        *time_us = sent_ns / NS_PER_US;
    runtime_unlock(rt);
    return have;
}

void runtime_pump(struct runtime *rt, uint64_t now_ns)
{
    size_t n;
    struct ip_addr hop;
    while (stack_next_advice(rt->stack, &hop))
        ; /* there is one way only */
    while ((n = stack_output(rt->stack, rt->out, BATCH, now_ns)) > 0)
        rt->link->ops->send(rt->link, rt->out, n);
    struct stack_event ev;
    while (stack_next_event(rt->stack, &ev)) {
        if (ev.user)
            waitable_wake(ev.user, ev.what);
    }
}

/* ---- Waiting ---- */

void virtual_enter(struct runtime *rt)
{
    runtime_lock(rt);
    begin_work(of(rt));
    runtime_unlock(rt);
}

/* The driver waits: nobody else moves the clock. */
static void drive(struct virtual_runtime *v, const struct sleeper *s)
{
    while (!has_to_run(s)) {
        settle(v);
        uint64_t due = time_min(next_due(v), s->deadline_ns);
        if (due == TIME_NEVER) {
            fprintf(stderr,
                    "nstcp: the script's main thread waits for what can't come any more: give "
                    "the call a time range, or make it non-blocking\n");
            exit(1);
        }
        run_at(v, due);
    }
}

/* As proc(5) has it: the third field of its stat. */
static bool driver_sleeps(const struct virtual_runtime *v)
{
    char name[64], state = 0;
    snprintf(name, sizeof name, "/proc/self/task/%d/stat", (int)v->driver_tid);
    FILE *f = fopen(name, "re");
    if (!f)
        return false;
    bool found = fscanf(f, "%*d (%*[^)]) %c", &state) == 1;
    fclose(f);
    return found && state == 'S';
}

/* The driver has not moved the clock for a while and sleeps: it waits for this call to end. With an
 * end near enough for it, time goes on by itself, as real time would. */
static void run_for_idle_driver(struct virtual_runtime *v, const struct sleeper *s, uint64_t since)
{
    if (clock_ns != since || s->deadline_ns > clock_ns + PATIENCE_NS || !driver_sleeps(v))
        return;
    while (!has_to_run(s))
        run_at(v, next_due(v));
}

static void wait_to_be_woken(struct virtual_runtime *v, const struct sleeper *s)
{
    uint64_t since = clock_ns;
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    uint64_t end_ns = (uint64_t)end.tv_nsec + IDLE_NS;
    end.tv_sec += (time_t)(end_ns / NS_PER_S);
    end.tv_nsec = (long)(end_ns % NS_PER_S);
    if (pthread_cond_timedwait(&s->waiter->cond, &v->rt.lock, &end) == ETIMEDOUT && !has_to_run(s))
        run_for_idle_driver(v, s, since);
}

/* Inlined, gcc 12 would take the list's pointer to s for one that is left behind. */
__attribute__((noinline)) static void sleep_until_woken(struct virtual_runtime *v,
                                                        struct sleeper *s)
{
    list_push_back(&v->sleepers, &s->node);
    end_work(v);
    while (!has_to_run(s))
        wait_to_be_woken(v, s);
    begin_work(v);
    list_remove(&s->node);
}

bool runtime_wait(struct runtime *rt, struct waiter *w, uint64_t deadline_ns)
{
    struct virtual_runtime *v = of(rt);
    struct sleeper s = {.waiter = w, .deadline_ns = deadline_ns};
    if (is_driver(v))
        drive(v, &s);
    else
        sleep_until_woken(v, &s);
    bool woken = w->woken;
    w->woken = false;
    return woken;
}

void runtime_wake_all(struct runtime *rt)
{
    struct virtual_runtime *v = of(rt);
    for (struct list *l = v->sleepers.next; l != &v->sleepers; l = l->next)
        waiter_wake(container_of(l, struct sleeper, node)->waiter);
}

/* Nothing arrives between two lines of a script. */
void runtime_look(struct runtime *rt)
{
    (void)rt;
}

bool runtime_yield(struct runtime *rt, unsigned calls)
{
    (void)rt;
    (void)calls;
    return false;
}

/* Nothing is waited for: what is left is reset. */
bool runtime_drain(struct runtime *rt, uint64_t deadline_ns)
{
    (void)deadline_ns;
    if (stack_unfinished(rt->stack) == 0)
        return true;
    stack_abort_left(rt->stack, clock_ns);
    runtime_pump(rt, clock_ns);
    return false;
}

/* ---- Beginning and end ---- */

static void free_all(struct virtual_runtime *v)
{
    stack_destroy(v->rt.stack);
    pool_finish(&v->rt.pool);
    v->rt.host->ops->destroy(v->rt.host);
    v->rt.link->ops->destroy(v->rt.link);
    pthread_mutex_destroy(&v->rt.lock);
    pthread_mutex_destroy(&v->rt.host_lock);
    pthread_cond_destroy(&v->settled);
    free(v);
}

/* The secret is no secret: every run of a script is the same. */
int runtime_create(struct runtime **out, const struct runtime_config *config, const char **what)
{
    struct virtual_runtime *v = calloc(1, sizeof *v);
    *what = "memory";
    if (!v) {
        config->host->ops->destroy(config->host);
        config->link->ops->destroy(config->link);
        return -ENOMEM;
    }
    v->rt.link = config->link;
    v->rt.host = config->host;
    v->rt.mem = (struct mem){pool_alloc, pool_free, &v->rt.pool, config->mem_limit, 0};
    v->driver = pthread_self();
    v->driver_tid = gettid();
    list_init(&v->sleepers);
    pthread_mutex_init(&v->rt.lock, NULL);
    pthread_mutex_init(&v->rt.host_lock, NULL);
    pthread_cond_init(&v->settled, NULL);
    const struct stack_config sc = {
        .mem = &v->rt.mem,
        .trace = config->trace,
        .caps = config->link->caps,
        .tcp = config->tcp,
        .max_socks = config->max_socks,
        .accept_source_route = config->accept_source_route,
    };
    if (stack_create(&v->rt.stack, &sc)) {
        free_all(v);
        return -ENOMEM;
    }
    *out = &v->rt;
    return 0;
}

void runtime_destroy(struct runtime *rt)
{
    free_all(of(rt));
}

bool runtime_forked(const struct runtime *rt)
{
    (void)rt;
    return false; /* packetdrill's children call nothing of ours */
}

void runtime_disown(struct runtime *rt)
{
    (void)rt;
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

struct tcp_config *virtual_tcp_config(struct runtime *rt)
{
    return &rt->stack->config.tcp;
}
