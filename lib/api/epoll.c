/*
 * epoll(7) over the sockets of a stack: what is ready is kept in a list, so that a wait costs what
 * has happened and not what is watched.
 *
 * An item is on the list from an event on until a wait has found that nothing holds any more (or
 * has told of it, with EPOLLET and EPOLLONESHOT). Listing is cheap and may be wrong; what is told
 * is looked up then. All under the stack's lock.
 */
#include <errno.h>
#include <stdlib.h>

#include "api_priv.h"
#include "nstime.h"

#define ALWAYS (EPOLLERR | EPOLLHUP)

struct nstcp_epoll {
    struct nstcp *stack;
    struct waitable listed; /* told when something is put on the list */
    struct list items, ready;
};

/* One socket of a set. */
struct item {
    struct watch watch; /* on the socket */
    struct nstcp_epoll *set;
    struct slot *slot;
    struct list node;  /* in set->items */
    struct list ready; /* in set->ready; or not */
    struct epoll_event event;
    bool disabled; /* EPOLLONESHOT, and it has been told */
};

static bool list_item(struct watch *watch)
{
    struct item *i = container_of(watch, struct item, watch);
    if (i->disabled || !list_empty(&i->ready))
        return false;
    list_push_back(&i->set->ready, &i->ready);
    return waitable_wake(&i->set->listed, WAIT_ALL);
}

static void item_free(struct item *i)
{
    watch_remove(&i->watch);
    list_remove(&i->node);
    list_remove(&i->ready);
    slot_unref(i->set->stack, i->slot);
    free(i);
}

struct nstcp_epoll *nstcp_epoll_create(struct nstcp *stack)
{
    struct nstcp_epoll *set = malloc(sizeof *set);
    if (!set)
        return NULL;
    set->stack = stack;
    waitable_init(&set->listed);
    list_init(&set->items);
    list_init(&set->ready);
    return set;
}

void nstcp_epoll_close(struct nstcp_epoll *set)
{
    struct call c;
    if (!set)
        return;
    if (call_enter(&c, set->stack) == 0) {
        while (!list_empty(&set->items))
            item_free(container_of(set->items.next, struct item, node));
        call_end(&c, 0);
    }
    free(set);
}

static struct item *find(const struct nstcp_epoll *set, const struct slot *slot)
{
    for (struct list *l = slot->changed.watches.next; l != &slot->changed.watches; l = l->next) {
        struct watch *watch = container_of(l, struct watch, node);
        struct item *i = container_of(watch, struct item, watch);
        if (watch->fire == list_item && i->set == set)
            return i;
    }
    return NULL;
}

static int add(struct nstcp_epoll *set, struct slot *slot, const struct epoll_event *event)
{
    struct item *i = calloc(1, sizeof *i);
    if (!i)
        return -ENOMEM;
    i->set = set;
    i->slot = slot;
    i->event = *event;
    slot_ref(slot);
    list_init(&i->ready);
    list_push_back(&set->items, &i->node);
    watch_add_call(&i->watch, &slot->changed, WAIT_ALL, list_item);
    list_item(&i->watch); /* something may hold already */
    return 0;
}

static int control(struct nstcp_epoll *set, int op, struct slot *slot,
                   const struct epoll_event *event)
{
    struct item *i = find(set, slot);
    if (op == EPOLL_CTL_ADD)
        return i ? -EEXIST : add(set, slot, event);
    if (op != EPOLL_CTL_MOD && op != EPOLL_CTL_DEL)
        return -EINVAL;
    if (!i)
        return -ENOENT;
    if (op == EPOLL_CTL_DEL) {
        item_free(i);
        return 0;
    }
    i->event = *event;
    i->disabled = false;
    list_item(&i->watch);
    return 0;
}

int nstcp_epoll_ctl(struct nstcp_epoll *set, int op, int sock, struct epoll_event *event)
{
    struct call c;
    if (call_begin(&c, set->stack, sock))
        return -1;
    int err = op != EPOLL_CTL_DEL && !event ? -EFAULT : control(set, op, c.slot, event);
    return (int)call_end(&c, err);
}

/* Poll's bits are epoll's: poll(2), epoll_ctl(2). */
static uint32_t holds(const struct item *i)
{
    return (uint16_t)slot_revents(i->slot, (short)i->event.events) &
           ((i->event.events & UINT16_MAX) | ALWAYS);
}

/* What holds of the items on the list; those of which nothing does leave it. */
static int take(struct nstcp_epoll *set, struct epoll_event *events, int max)
{
    struct list again; /* told of, and to be looked at again */
    int n = 0;
    list_init(&again);
    while (n < max && !list_empty(&set->ready)) {
        struct item *i = container_of(set->ready.next, struct item, ready);
        list_remove(&i->ready);
        if (i->slot->closed) {
            item_free(i);
            continue;
        }
        uint32_t what = holds(i);
        if (what == 0)
            continue;
        events[n++] = (struct epoll_event){.events = what, .data = i->event.data};
        i->disabled = (i->event.events & EPOLLONESHOT) != 0;
        if (!i->disabled && !(i->event.events & EPOLLET))
            list_push_back(&again, &i->ready);
    }
    while (!list_empty(&again)) { /* behind those that have not had their turn */
        struct list *l = list_pop_front(&again);
        list_push_back(&set->ready, l);
    }
    return n;
}

static int64_t take_or_wait(struct nstcp_epoll *set, struct epoll_event *events, int max,
                            int timeout_ms)
{
    struct waiter waiter;
    struct watch watch;
    int64_t n = take(set, events, max);
    if (n > 0 || timeout_ms == 0)
        return n;
    uint64_t deadline = TIME_NEVER;
    if (timeout_ms > 0)
        deadline = runtime_now() + (uint64_t)timeout_ms * NS_PER_MS;
    waiter_init(&waiter, WAITER_SPIN_NS);
    watch_add(&watch, &set->listed, WAIT_ALL, &waiter);
    for (bool woken = true; n == 0 && woken; n = take(set, events, max)) {
        woken = runtime_wait(set->stack->rt, &waiter, deadline);
        if (set->stack->stopped) {
            n = -ESHUTDOWN;
            break;
        }
    }
    watch_remove(&watch);
    waiter_finish(&waiter);
    return n;
}

int nstcp_epoll_wait(struct nstcp_epoll *set, struct epoll_event *events, int max, int timeout_ms)
{
    struct call c;
    if (call_begin_any(&c, set->stack))
        return -1;
    return (int)call_end(&c, max > 0 ? take_or_wait(set, events, max, timeout_ms) : -EINVAL);
}
