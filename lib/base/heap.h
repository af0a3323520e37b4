/*
 * A binary min-heap of deadlines, intrusive: equal deadlines come out in the order in which they
 * were set. Setting, moving and removing are O(log n), the earliest deadline is O(1).
 */
#ifndef HEAP_H
#define HEAP_H

#include <stdbool.h>
#include <stdint.h>

#include "mem.h"
#include "nstime.h"

struct heap_node {
    uint64_t deadline; /* ns; TIME_NEVER while not in the heap */
    uint32_t order;    /* of setting, to break ties; wraps */
    uint32_t slot;     /* index in the heap; HEAP_OUT while not in it */
};

#define HEAP_OUT UINT32_MAX

struct heap {
    struct heap_node **v;
    uint32_t n, room;
    uint32_t next_order;
    struct mem *mem;
};

void heap_init(struct heap *h, struct mem *mem);
void heap_finish(struct heap *h);
void heap_node_init(struct heap_node *node);

/* Makes room for n nodes in all, so that heap_set cannot fail for any of them. False when memory
 * is refused. */
bool heap_reserve(struct heap *h, uint32_t n);

/* Puts the node in, or moves it, to `deadline`; TIME_NEVER takes it out. Setting the deadline that
 * is set already keeps its place. Room must have been reserved. */
void heap_set(struct heap *h, struct heap_node *node, uint64_t deadline);

/* The earliest node, or NULL. It stays in the heap. */
struct heap_node *heap_first(const struct heap *h);

static inline uint64_t heap_deadline(const struct heap *h)
{
    return h->n ? h->v[0]->deadline : TIME_NEVER;
}

#endif
