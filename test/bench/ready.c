/* See ready.h. */
#include "ready.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS_MAX 64

struct ready {
    struct bench *b;
    unsigned n;
    int epoll;           /* the kernel's; -1: */
    struct pollfd fds[]; /* ours */
};

struct ready *ready_create(struct bench *b, unsigned max)
{
    struct ready *r = must_alloc(sizeof *r + max * sizeof *r->fds);
    r->b = b;
    r->epoll = b->stack ? -1 : epoll_create1(EPOLL_CLOEXEC);
    if (!b->stack && r->epoll < 0)
        die("epoll_create1");
    return r;
}

void ready_destroy(struct ready *r)
{
    if (r->epoll >= 0)
        close(r->epoll);
    free(r);
}

void ready_add(struct ready *r, int sock)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.u32 = r->n};
    r->fds[r->n++] = (struct pollfd){.fd = sock, .events = POLLIN};
    if (r->epoll >= 0 && epoll_ctl(r->epoll, EPOLL_CTL_ADD, sock, &ev) < 0)
        die("epoll_ctl");
}

static unsigned wait_epoll(struct ready *r, unsigned *which, unsigned max)
{
    struct epoll_event ev[EVENTS_MAX];
    int n = epoll_wait(r->epoll, ev, (int)(max < EVENTS_MAX ? max : EVENTS_MAX), -1);
    if (n < 0)
        die("epoll_wait");
    for (int i = 0; i < n; i++)
        which[i] = ev[i].data.u32;
    return (unsigned)n;
}

unsigned ready_wait(struct ready *r, unsigned *which, unsigned max)
{
    if (r->epoll >= 0)
        return wait_epoll(r, which, max);
    if (r->b->c->poll(r->b->stack, r->fds, r->n, -1) < 0)
        die("poll");
    unsigned found = 0;
    for (unsigned i = 0; i < r->n && found < max; i++) {
        if (r->fds[i].revents)
            which[found++] = i;
    }
    return found;
}
