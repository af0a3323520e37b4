/* See bad_link.h. */
#include "bad_link.h"

#include <unistd.h>

#include "around.h"

#define HEADERS_MAX 120 /* octets of a packet without text */

struct bad_path bad_path;

struct bad {
    struct around around;
    struct bad_path path;
    unsigned n; /* packets with text so far */
};

/* Room is left for the one that comes twice. */
static size_t bad_recv(struct link *l, struct packet *p, size_t n)
{
    struct bad *b = (struct bad *)(void *)l;
    struct link *inner = b->around.inner;
    struct packet *again = NULL;
    size_t got = inner->ops->recv(inner, p, n - 1), kept = 0;
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

struct link *bad_link(struct link *inner)
{
    static const struct link_ops ops = {
        .send = around_send,
        .recv = bad_recv,
        .poll_fd = around_poll_fd,
        .destroy = around_destroy,
    };
    struct link *l = around_make(inner, sizeof(struct bad), &ops);
    ((struct bad *)(void *)l)->path = bad_path;
    return l;
}
