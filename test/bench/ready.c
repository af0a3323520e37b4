/* See ready.h. */
#include "ready.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "nstcp.h"

#define EVENTS_MAX 64

struct ready {
    struct bench *b;
    unsigned n;
    int epoll;               /* the kernel's; -1: */
    struct nstcp_epoll *set; /* ours */
};

struct ready *ready_create(struct bench *b)
{
    struct ready *r = must_alloc(sizeof *r);
    r->b = b;
    r->epoll = b->stack ? -1 : epoll_create1(EPOLL_CLOEXEC);
    r->set = b->stack ? nstcp_epoll_create(b->stack) : NULL;
    if (r->epoll < 0 && !r->set)
        die("epoll_create1");
    return r;
}

void ready_destroy(struct ready *r)
{
    if (r->epoll >= 0)
        close(r->epoll);
    nstcp_epoll_close(r->set);
    free(r);
}

void ready_add(struct ready *r, int sock)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.u32 = r->n++};
    int err = r->set ? nstcp_epoll_ctl(r->set, EPOLL_CTL_ADD, sock, &ev)
                     : epoll_ctl(r->epoll, EPOLL_CTL_ADD, sock, &ev);
    if (err < 0)
        die("epoll_ctl");
}

unsigned ready_wait(struct ready *r, unsigned *which, unsigned max)
{
    struct epoll_event ev[EVENTS_MAX];
    int most = (int)(max < EVENTS_MAX ? max : EVENTS_MAX);
    int n = r->set ? nstcp_epoll_wait(r->set, ev, most, -1) : epoll_wait(r->epoll, ev, most, -1);
    if (n < 0)
        die("epoll_wait");
    for (int i = 0; i < n; i++)
        which[i] = ev[i].data.u32;
    return (unsigned)n;
}
