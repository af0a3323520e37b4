/* poll(2) over the sockets of a stack. */
#include <errno.h>
#include <stdlib.h>

#include "api_priv.h"
#include "nstime.h"

#define FEW 16 /* entries that need no memory */

/* One descriptor of the caller's, while the call lasts. */
struct entry {
    struct slot *slot; /* NULL: not a socket */
    struct watch watch;
};

static bool worth_reading(const struct slot *slot)
{
    size_t lowat = slot_lowat(slot);
    return lowat <= 1 || stack_unread(slot->so) >= lowat;
}

short slot_revents(const struct slot *slot, short events)
{
    if (slot->closed)
        return POLLNVAL;
    const short always = POLLERR | POLLHUP;
    if (!slot->so)
        return (short)((POLLOUT | POLLWRNORM | POLLHUP) & (events | always)); /* as Linux */
    unsigned ready = stack_readiness(slot->so);
    bool no_more = (ready & SOCK_PEER_DONE) || slot->shut_recv;
    int revents = 0;
    if ((ready & SOCK_READABLE) && worth_reading(slot))
        revents |= POLLIN | POLLRDNORM;
    if (ready & SOCK_WRITABLE)
        revents |= POLLOUT | POLLWRNORM;
    if (ready & SOCK_URGENT)
        revents |= POLLPRI;
    if (no_more)
        revents |= POLLIN | POLLRDNORM | POLLRDHUP;
    if ((ready & SOCK_DEAD) || (no_more && slot->shut_send))
        revents |= POLLHUP;
    if (ready & SOCK_FAILED)
        revents |= POLLERR;
    return (short)(revents & (events | always));
}

static int look(struct pollfd *fds, const struct entry *entries, nfds_t n)
{
    int ready = 0;
    for (nfds_t i = 0; i < n; i++) {
        if (entries[i].slot)
            fds[i].revents = slot_revents(entries[i].slot, fds[i].events);
        else
            fds[i].revents = fds[i].fd < 0 ? 0 : POLLNVAL;
        ready += fds[i].revents != 0;
    }
    return ready;
}

static int64_t look_and_wait(struct nstcp *stack, struct pollfd *fds, const struct entry *entries,
                             nfds_t n, struct waiter *waiter, int timeout_ms)
{
    uint64_t deadline = TIME_NEVER;
    if (timeout_ms > 0)
        deadline = runtime_now() + (uint64_t)timeout_ms * NS_PER_MS;
    for (bool woken = true;;) {
        int ready = look(fds, entries, n);
        if (ready > 0 || timeout_ms == 0 || !woken)
            return ready;
        woken = runtime_wait(stack->rt, waiter, deadline);
        if (stack->stopped)
            return -ESHUTDOWN;
    }
}

int nstcp_poll(struct nstcp *stack, struct pollfd *fds, nfds_t n, int timeout_ms)
{
    struct entry few[FEW];
    struct entry *entries = n <= FEW ? few : calloc(n, sizeof *entries);
    struct call c;
    if (call_begin_any(&c, stack)) {
        if (entries != few)
            free(entries);
        return -1;
    }
    if (!entries)
        return (int)call_end(&c, -ENOMEM);
    struct waiter waiter;
    waiter_init(&waiter, WAITER_SPIN_NS);
    for (nfds_t i = 0; i < n; i++) {
        entries[i].slot = slot_find(stack, fds[i].fd);
        if (entries[i].slot) {
            slot_ref(entries[i].slot);
            watch_add(&entries[i].watch, &entries[i].slot->changed, WAIT_ALL, &waiter);
        }
    }
    int64_t result = look_and_wait(stack, fds, entries, n, &waiter, timeout_ms);
    for (nfds_t i = 0; i < n; i++) {
        if (entries[i].slot) {
            watch_remove(&entries[i].watch);
            slot_unref(stack, entries[i].slot);
        }
    }
    waiter_finish(&waiter);
    result = call_end(&c, result);
    if (entries != few)
        free(entries);
    return (int)result;
}
