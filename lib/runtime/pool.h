/*
 * The engine's memory: large blocks, of its queues, from malloc and kept for reuse; what a
 * connection has while it is busy, as objects (slab.h); all else from malloc.
 *
 * A queue takes and returns blocks of 16 and 64 KiB all the time. glibc gives such memory back to
 * the kernel at once and then faults it in again, which halved the throughput of a connection. What
 * was returned last is handed out first: it is still in the cache. Not thread-safe: used under the
 * runtime's lock.
 */
#ifndef POOL_H
#define POOL_H

#include <stddef.h>

#include "slab.h"

#define POOL_BLOCK_MIN 4096               /* smaller ones are not kept */
#define POOL_HELD_MAX  ((size_t)32 << 20) /* octets kept at most */
#define POOL_SIZES     8                  /* sizes of blocks; those of further sizes are not kept */
#define POOL_SLABS     2                  /* sizes of objects */

struct pool_block; /* a free block holds the link to the next */

struct pool {
    struct {
        size_t size; /* 0: not in use yet */
        struct pool_block *free;
    } sizes[POOL_SIZES];
    size_t held;
    struct slab slabs[POOL_SLABS]; /* size 0: not in use yet */
};

/* As struct mem wants them; ctx is the pool, all zero at first. */
void *pool_alloc(void *ctx, size_t size);
void pool_free(void *ctx, void *ptr, size_t size);

/* Frees what is held. */
void pool_finish(struct pool *pool);

#endif
