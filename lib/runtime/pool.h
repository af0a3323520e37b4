/*
 * The engine's memory, from malloc, with the large blocks of its queues kept for reuse.
 *
 * A queue takes and returns blocks of 16 and 64 KiB all the time. glibc gives such memory back to
 * the kernel at once and then faults it in again, which halved the throughput of a connection. What
 * was returned last is handed out first: it is still in the cache. Not thread-safe: used under the
 * runtime's lock.
 */
#ifndef POOL_H
#define POOL_H

#include <stddef.h>

#define POOL_BLOCK_MIN 2048               /* smaller ones are left to malloc */
#define POOL_HELD_MAX  ((size_t)32 << 20) /* octets kept at most */
#define POOL_SIZES     8                  /* sizes of blocks; those of further sizes are not kept */

struct pool_block; /* a free block holds the link to the next */

struct pool {
    struct {
        size_t size; /* 0: not in use yet */
        struct pool_block *free;
    } sizes[POOL_SIZES];
    size_t held;
};

/* As struct mem wants them; ctx is the pool, all zero at first. */
void *pool_alloc(void *ctx, size_t size);
void pool_free(void *ctx, void *ptr, size_t size);

/* Frees what is held. */
void pool_finish(struct pool *pool);

#endif
