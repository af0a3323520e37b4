/* What a link for two_config.around has to begin with: it is the inner link, but for the calls that
 * it has of its own. */
#ifndef AROUND_H
#define AROUND_H

#include "link.h"

struct around {
    struct link link; /* a pointer to it is one to the whole */
    struct link *inner;
};

static inline struct around *around_of(const struct link *l)
{
    return (struct around *)(void *)(uintptr_t)l;
}

/* `size` octets, all 0 behind the struct around; the ops are the caller's. */
struct link *around_make(struct link *inner, size_t size, const struct link_ops *ops);

/* For these ops: the inner link's, and the end of both. */
size_t around_send(struct link *l, const struct packet *p, size_t n);
int around_poll_fd(const struct link *l);
void around_destroy(struct link *l);

#endif
