/*
 * epoll(7) over sockets: level- and edge-triggered, EPOLLONESHOT.
 *
 * What holds now is what nstcp_poll says. Whether something has happened since the last report, an
 * edge, is what a watch on the socket says: one for what makes it readable, one for room in its
 * send queue. As in Linux, room is an edge only when there was none before: an acknowledgment alone
 * is not.
 */
#include <errno.h>
#include <stdlib.h>

#include "nstime.h"
#include "object.h"

struct item {
    struct list node; /* in epoll.items */
    int fd, sock;
    struct epoll_event event;
    struct waiter in, out; /* woken: an edge. Nobody sleeps on them */
    struct watch in_watch, out_watch;
    struct watch sleeper; /* of the thread in epoll_wait */
    bool fresh;           /* added or changed since the last report: counts as an edge */
    bool no_room;         /* there has been no room since the last report */
    bool disabled;        /* EPOLLONESHOT has reported */
};

struct epoll {
    struct list node; /* in object.epolls, until it is closed */
    struct list items;
    unsigned refs; /* the descriptor's, and one of each call that waits */
};

#define POLL_BITS (EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDNORM | EPOLLWRNORM | EPOLLRDHUP)
#define IN_EVENTS (SOCK_EV_ARRIVED | SOCK_EV_COMPLETED | SOCK_EV_CLOSED)

struct epoll *epoll_of(struct list *node)
{
    return container_of(node, struct epoll, node);
}

static struct item *item_of(struct list *node)
{
    return container_of(node, struct item, node);
}

/* Lock held. */
static void unref(struct epoll *ep)
{
    if (--ep->refs == 0)
        free(ep);
}

static struct item *find(struct epoll *ep, int fd)
{
    for (struct list *l = ep->items.next; l != &ep->items; l = l->next) {
        if (item_of(l)->fd == fd)
            return item_of(l);
    }
    return NULL;
}

static short poll_now(struct object *o, const struct item *item, uint32_t events)
{
    struct pollfd fd = {.fd = item->sock, .events = (short)(events & POLL_BITS)};
    return nstcp_poll(o->stack, &fd, 1, 0) < 0 ? 0 : fd.revents;
}

/* ---- epoll_create, epoll_ctl, close ---- */

static int call_epoll_create(void *u, int size)
{
    struct object *o = object_enter(u);
    struct epoll *ep = size > 0 ? calloc(1, sizeof *ep) : NULL;
    if (!ep) {
        errno = size > 0 ? ENOMEM : EINVAL;
        return -1;
    }
    ep->refs = 1;
    list_init(&ep->items);
    list_push_back(&o->epolls, &ep->node);
    int fd = fds_add_epoll(&o->fds, ep);
    if (fd < 0)
        epoll_close(o, ep);
    return fd;
}

static int add_item(struct object *o, struct epoll *ep, int fd, const struct epoll_event *event)
{
    struct item *item = calloc(1, sizeof *item);
    if (!item)
        return ENOMEM;
    item->fd = fd;
    item->sock = fds_sock(&o->fds, fd);
    item->event = *event;
    item->fresh = true;
    waiter_init(&item->in, 0);
    waiter_init(&item->out, 0);
    list_init(&item->sleeper.node);
    list_push_back(&ep->items, &item->node);
    runtime_lock(o->stack->rt);
    struct waitable *changed = &slot_find(o->stack, item->sock)->changed;
    watch_add(&item->in_watch, changed, IN_EVENTS, &item->in);
    watch_add(&item->out_watch, changed, SOCK_EV_ACKED, &item->out);
    runtime_unlock(o->stack->rt);
    return 0;
}

static void remove_item(struct object *o, struct item *item)
{
    runtime_lock(o->stack->rt);
    watch_remove(&item->in_watch);
    watch_remove(&item->out_watch);
    watch_remove(&item->sleeper);
    runtime_unlock(o->stack->rt);
    waiter_finish(&item->in);
    waiter_finish(&item->out);
    list_remove(&item->node);
    free(item);
}

static int control(struct object *o, struct epoll *ep, int op, int fd,
                   const struct epoll_event *event)
{
    struct item *item = find(ep, fd);
    if (op == EPOLL_CTL_ADD)
        return item ? EEXIST : add_item(o, ep, fd, event);
    if (!item)
        return ENOENT;
    if (op == EPOLL_CTL_DEL) {
        remove_item(o, item);
        return 0;
    }
    if (op != EPOLL_CTL_MOD)
        return EINVAL;
    item->event = *event;
    item->fresh = true;
    item->disabled = false;
    return 0;
}

static int call_epoll_ctl(void *u, int epfd, int op, int fd, struct epoll_event *event)
{
    struct object *o = object_enter(u);
    struct fd_entry e = fds_find(&o->fds, epfd), target = fds_find(&o->fds, fd);
    if (e.kind == FD_FREE || target.kind == FD_FREE)
        errno = EBADF;
    else if (e.kind != FD_EPOLL)
        errno = EINVAL;
    else if (target.kind != FD_SOCKET)
        errno = EPERM; /* only sockets here */
    else if ((errno = control(o, e.epoll, op, fd, event)) == 0)
        return 0;
    return -1;
}

void epoll_forget(struct object *o, int fd)
{
    for (struct list *l = o->epolls.next; l != &o->epolls; l = l->next) {
        struct item *item = find(epoll_of(l), fd);
        if (item)
            remove_item(o, item);
    }
}

void epoll_close(struct object *o, struct epoll *ep)
{
    while (!list_empty(&ep->items))
        remove_item(o, item_of(ep->items.next));
    list_remove(&ep->node);
    runtime_lock(o->stack->rt);
    unref(ep);
    runtime_unlock(o->stack->rt);
}

/* ---- epoll_wait ---- */

void epoll_written(struct object *o, int fd)
{
    for (struct list *l = o->epolls.next; l != &o->epolls; l = l->next) {
        struct item *item = find(epoll_of(l), fd);
        if (item && !(poll_now(o, item, EPOLLOUT) & EPOLLOUT))
            item->no_room = true;
    }
}

/* Whether there is something to report besides what was reported before. Takes note of the report.
 */
static bool take_edge(struct object *o, struct item *item, uint32_t revents)
{
    runtime_lock(o->stack->rt);
    bool room = item->out.woken && item->no_room && (revents & EPOLLOUT);
    bool edge = item->fresh || item->in.woken || room;
    item->fresh = item->in.woken = item->out.woken = false;
    item->no_room = !(revents & EPOLLOUT);
    runtime_unlock(o->stack->rt);
    return edge;
}

static int collect(struct object *o, struct epoll *ep, struct epoll_event *events, int max)
{
    int n = 0;
    for (struct list *l = ep->items.next; l != &ep->items && n < max; l = l->next) {
        struct item *item = item_of(l);
        uint32_t revents = item->disabled ? 0 : (uint32_t)poll_now(o, item, item->event.events);
        if (!revents || (item->event.events & EPOLLET && !take_edge(o, item, revents)))
            continue;
        item->disabled = (item->event.events & EPOLLONESHOT) != 0;
        events[n++] = (struct epoll_event){revents, item->event.data};
    }
    return n;
}

/* The thread's waiter is woken by whatever happens to one of the sockets. Lock held. */
static void watch_all(struct object *o, struct epoll *ep, struct waiter *waiter)
{
    for (struct list *l = ep->items.next; l != &ep->items; l = l->next) {
        struct item *item = item_of(l);
        watch_add(&item->sleeper, &slot_find(o->stack, item->sock)->changed, WAIT_ALL, waiter);
    }
}

static void watch_none(struct epoll *ep)
{
    for (struct list *l = ep->items.next; l != &ep->items; l = l->next)
        watch_remove(&item_of(l)->sleeper);
}

static int wait_for_some(struct object *o, struct epoll *ep, struct epoll_event *events, int max,
                         int timeout_ms)
{
    struct runtime *rt = o->stack->rt;
    struct waiter waiter;
    waiter_init(&waiter, 0);
    runtime_lock(rt);
    uint64_t deadline = TIME_NEVER;
    if (timeout_ms >= 0)
        deadline = runtime_now() + (uint64_t)timeout_ms * NS_PER_MS;
    watch_all(o, ep, &waiter);
    ep->refs++;
    int n;
    for (bool woken = true;;) {
        runtime_unlock(rt);
        n = collect(o, ep, events, max);
        runtime_lock(rt);
        if (n > 0 || timeout_ms == 0 || !woken)
            break;
        woken = runtime_wait(rt, &waiter, deadline);
    }
    watch_none(ep);
    unref(ep);
    runtime_unlock(rt);
    waiter_finish(&waiter);
    return n;
}

static int call_epoll_wait(void *u, int epfd, struct epoll_event *events, int max, int timeout_ms)
{
    struct object *o = object_enter(u);
    struct fd_entry e = fds_find(&o->fds, epfd);
    if (e.kind == FD_EPOLL && max > 0)
        return wait_for_some(o, e.epoll, events, max, timeout_ms);
    errno = e.kind == FD_FREE ? EBADF : EINVAL;
    return -1;
}

void epoll_fill(struct packetdrill_interface *table)
{
    table->epoll_create = call_epoll_create;
    table->epoll_ctl = call_epoll_ctl;
    table->epoll_wait = call_epoll_wait;
}
