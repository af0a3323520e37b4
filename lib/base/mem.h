/*
 * The injected allocator: all the engine's memory comes from here, counted and limited.
 *
 * One struct mem per stack; not thread-safe, like the engine. `used` counts the bytes asked for,
 * without the allocator's own overhead. Every allocation may fail.
 */
#ifndef MEM_H
#define MEM_H

#include <stddef.h>

struct mem {
    void *(*alloc)(void *ctx, size_t size); /* NULL when there is none; need not be zeroed */
    void (*free)(void *ctx, void *ptr, size_t size);
    void *ctx;
    size_t limit; /* most bytes in use at once */
    size_t used;  /* bytes in use now */
};

/* `size` bytes, not zeroed; NULL when the limit or the allocator refuses. The caller frees it. */
void *mem_alloc(struct mem *m, size_t size);

/* The same, zeroed. */
void *mem_zalloc(struct mem *m, size_t size);

/* `size` must be what was asked for. ptr may be NULL. */
void mem_free(struct mem *m, void *ptr, size_t size);

#endif
