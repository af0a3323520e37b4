/* See queue.h. */
#include "queue.h"

#include <stdbool.h>
#include <stdlib.h>

#include "fail.h"

void queue_finish(struct queue *q)
{
    free(q->v);
    *q = (struct queue){0};
}

static bool before(const struct event *a, const struct event *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

void queue_push(struct queue *q, uint64_t at_ns, enum event_kind kind, uint32_t node, void *ptr)
{
    if (q->n == q->room) {
        q->room = q->room ? 2 * q->room : 256;
        q->v = sim_realloc(q->v, q->room, sizeof *q->v);
    }
    const struct event e = {at_ns, q->next_order++, kind, node, ptr};
    size_t i = q->n++;
    while (i > 0 && before(&e, &q->v[(i - 1) / 2])) {
        q->v[i] = q->v[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    q->v[i] = e;
}

struct event queue_pop(struct queue *q)
{
    const struct event top = q->v[0], last = q->v[--q->n];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= q->n)
            break;
        if (child + 1 < q->n && before(&q->v[child + 1], &q->v[child]))
            child++;
        if (!before(&q->v[child], &last))
            break;
        q->v[i] = q->v[child];
        i = child;
    }
    q->v[i] = last;
    return top;
}
