/* See bad_link.h. */
#include "bad_link.h"

#include <stdlib.h>
#include <unistd.h>

#include "link.h"
#include "list.h"
#include "two_stacks.h"

#define HEADERS_MAX 120 /* octets of a packet without text */

struct bad_path bad_path;

struct bad {
    struct link link;
    struct link *inner;
    struct bad_path path;
    unsigned n; /* packets with text so far */
};

static struct bad *of(const struct link *l)
{
    return container_of((struct link *)(uintptr_t)l, struct bad, link);
}

static size_t bad_send(struct link *l, const struct packet *p, size_t n)
{
    return of(l)->inner->ops->send(of(l)->inner, p, n);
}

/* Room is left for the one that comes twice. */
static size_t bad_recv(struct link *l, struct packet *p, size_t n)
{
    struct bad *b = of(l);
    struct packet *again = NULL;
    size_t got = b->inner->ops->recv(b->inner, p, n - 1), kept = 0;
    if (got > 0)
        usleep(b->path.late_us);
    for (size_t i = 0; i < got; i++) {
        bool text = packet_len(&p[i]) > HEADERS_MAX;
        b->n += text;
        if (text && (b->n == b->path.lost[0] || b->n == b->path.lost[1]))
            continue;
        p[kept++] = p[i];
        if (text && b->n == b->path.twice)
            again = &p[kept - 1];
    }
    if (again)
        p[kept++] = *again;
    return kept;
}

static int bad_poll_fd(const struct link *l)
{
    return of(l)->inner->ops->poll_fd(of(l)->inner);
}

static void bad_destroy(struct link *l)
{
    of(l)->inner->ops->destroy(of(l)->inner);
    free(of(l));
}

struct link *bad_link(struct link *inner)
{
    static const struct link_ops ops = {
        .send = bad_send,
        .recv = bad_recv,
        .poll_fd = bad_poll_fd,
        .destroy = bad_destroy,
    };
    struct bad *b = calloc(1, sizeof *b);
    assert_non_null(b);
    b->link = (struct link){&ops, inner->caps};
    b->inner = inner;
    b->path = bad_path;
    return &b->link;
}
