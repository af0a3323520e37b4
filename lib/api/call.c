/*
 * What every call begins and ends with: the lock, the socket, the count of calls under way, errno.
 *
 * Cancellation is held off for the length of a call: a thread that vanished in a wait or in a
 * system call would leave the lock behind, locked.
 */
#include <errno.h>
#include <pthread.h>

#include "api_priv.h"
#include "nstime.h"

/* Counted before it has the lock: nstcp_destroy waits for those, too, that wait for the lock. */
int call_enter(struct call *c, struct nstcp *stack)
{
    if (runtime_forked(stack->rt)) {
        errno = ESHUTDOWN;
        return -ESHUTDOWN;
    }
    *c = (struct call){.stack = stack};
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &c->cancel_state);
    atomic_fetch_add(&stack->calls, 1);
    runtime_lock(stack->rt);
    return 0;
}

int call_begin_any(struct call *c, struct nstcp *stack)
{
    int err = call_enter(c, stack);
    if (!err && stack->stopped) {
        err = -ESHUTDOWN;
        call_end(c, err);
    }
    return err;
}

int call_begin(struct call *c, struct nstcp *stack, int sock)
{
    int err = call_begin_any(c, stack);
    if (err)
        return err;
    c->slot = slot_find(stack, sock);
    if (c->slot) {
        slot_ref(c->slot);
    } else {
        err = -EBADF;
        call_end(c, err);
    }
    return err;
}

int64_t call_end(struct call *c, int64_t result)
{
    struct nstcp *stack = c->stack;
    struct runtime *rt = stack->rt;
    if (c->slot)
        slot_unref(stack, c->slot);
    if (atomic_fetch_sub(&stack->calls, 1) == 1 && stack->ender)
        waiter_wake(stack->ender);
    runtime_unlock(rt); /* from here on nstcp_destroy may have freed the stack */
    pthread_setcancelstate(c->cancel_state, NULL);
    if (result >= 0)
        return result;
    errno = (int)-result;
    return -1;
}

void call_unlock(struct call *c)
{
    runtime_unlock(c->stack->rt);
}

int call_gone(const struct call *c)
{
    if (c->stack->stopped)
        return -ESHUTDOWN;
    return c->slot->closed ? -EBADF : 0;
}

int call_relock(struct call *c)
{
    runtime_lock(c->stack->rt);
    return call_gone(c);
}

/* r: NULL, or the RECEIVE that waits meanwhile. */
static bool sleep_until(struct call *c, struct receive *r, unsigned events, uint64_t deadline_ns)
{
    struct waiter waiter;
    struct watch watch;
    struct sock *so = c->slot->so;
    waiter_init(&waiter, c->slot->options->busy_poll_us * NS_PER_US);
    bool receives = r && stack_recv_begin(so, r);
    if (receives)
        waiter.so = so, waiter.receive = r;
    watch_add(&watch, &c->slot->changed, events, &waiter);
    bool woken = runtime_wait(c->stack->rt, &waiter, deadline_ns);
    watch_remove(&watch);
    waiter_finish(&waiter);
    if (receives && r->waits)
        stack_recv_end(so, r, runtime_now());
    return woken;
}

bool call_sleep(struct call *c, unsigned events, uint64_t deadline_ns)
{
    return sleep_until(c, NULL, events, deadline_ns);
}

static int outcome(const struct call *c, bool woken)
{
    int err = call_gone(c);
    if (err)
        return err;
    return woken ? 0 : -EAGAIN;
}

int call_wait(struct call *c, unsigned events, uint64_t deadline_ns)
{
    return outcome(c, call_sleep(c, events, deadline_ns));
}

int call_wait_receive(struct call *c, struct receive *r, unsigned events, uint64_t deadline_ns)
{
    return outcome(c, sleep_until(c, r, events, deadline_ns));
}

uint64_t call_deadline(uint64_t timeout_ns)
{
    return timeout_ns ? runtime_now() + timeout_ns : TIME_NEVER;
}
