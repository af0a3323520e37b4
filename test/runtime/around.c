/* See around.h. */
#include "around.h"

#include <stdlib.h>

#include "two_stacks.h"

struct link *around_make(struct link *inner, size_t size, const struct link_ops *ops)
{
    struct around *a = calloc(1, size);
    assert_non_null(a);
    a->link = (struct link){ops, inner->caps};
    a->inner = inner;
    return &a->link;
}

size_t around_send(struct link *l, const struct packet *p, size_t n)
{
    struct link *inner = around_of(l)->inner;
    return inner->ops->send(inner, p, n);
}

int around_poll_fd(const struct link *l)
{
    const struct link *inner = around_of(l)->inner;
    return inner->ops->poll_fd(inner);
}

void around_destroy(struct link *l)
{
    struct link *inner = around_of(l)->inner;
    inner->ops->destroy(inner);
    free(around_of(l));
}
