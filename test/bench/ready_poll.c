/* See ready.h: with poll(2), for a stack that has nothing better. */
#include <stdlib.h>

#include "ready.h"

struct ready {
    struct bench *b;
    unsigned n;
    struct pollfd fds[];
};

struct ready *ready_create(struct bench *b)
{
    struct ready *r = must_alloc(sizeof *r + b->conns * sizeof *r->fds);
    r->b = b;
    return r;
}

void ready_destroy(struct ready *r)
{
    free(r);
}

void ready_add(struct ready *r, int sock)
{
    r->fds[r->n++] = (struct pollfd){.fd = sock, .events = POLLIN};
}

unsigned ready_wait(struct ready *r, unsigned *which, unsigned max)
{
    unsigned found = 0;
    if (r->b->c->poll(r->b->stack, r->fds, r->n, -1) < 0)
        die("poll");
    for (unsigned i = 0; i < r->n && found < max; i++) {
        if (r->fds[i].revents)
            which[found++] = i;
    }
    return found;
}
