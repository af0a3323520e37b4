/* Blocks kept for reuse, by size. See pool.h. Called by the engine, through struct mem. */
#include "pool.h"

#include <stdlib.h>

#include "busy.h"

struct pool_block {
    struct pool_block *next;
};

/* The list of free blocks of this size; NULL when such blocks are not kept. */
static struct pool_block **list_of(struct pool *pool, size_t size)
{
    if (size < POOL_BLOCK_MIN)
        return NULL;
    for (int i = 0; i < POOL_SIZES; i++) {
        if (pool->sizes[i].size == 0)
            pool->sizes[i].size = size;
        if (pool->sizes[i].size == size)
            return &pool->sizes[i].free;
    }
    return NULL;
}

/* What a connection has while it is busy. */
static const size_t object_size[POOL_SLABS] = {sizeof(struct busy), SNDQ_SMALL};

/* Where blocks of this size are objects; NULL when they are not. */
static struct slab *slab_of(struct pool *pool, size_t size)
{
    for (int i = 0; i < POOL_SLABS; i++) {
        if (size != object_size[i])
            continue;
        if (pool->slabs[i].size == 0)
            slab_init(&pool->slabs[i], size);
        return &pool->slabs[i];
    }
    return NULL;
}

void *pool_alloc(void *ctx, size_t size)
{
    struct pool *pool = ctx;
    struct slab *slab = slab_of(pool, size);
    if (slab)
        return slab_alloc(slab);
    struct pool_block **list = list_of(pool, size);
    if (!list || !*list)
        return malloc(size);
    struct pool_block *block = *list;
    *list = block->next;
    pool->held -= size;
    return block;
}

void pool_free(void *ctx, void *ptr, size_t size)
{
    struct pool *pool = ctx;
    if (!ptr)
        return;
    struct slab *slab = slab_of(pool, size);
    if (slab) {
        slab_free(slab, ptr);
        return;
    }
    struct pool_block **list = list_of(pool, size), *block = ptr;
    if (!list || pool->held + size > POOL_HELD_MAX) {
        free(ptr);
        return;
    }
    block->next = *list;
    *list = block;
    pool->held += size;
}

void pool_finish(struct pool *pool)
{
    for (int i = 0; i < POOL_SIZES; i++) {
        while (pool->sizes[i].free) {
            struct pool_block *block = pool->sizes[i].free;
            pool->sizes[i].free = block->next;
            free(block);
        }
    }
    for (int i = 0; i < POOL_SLABS; i++) {
        if (pool->slabs[i].size > 0)
            slab_finish(&pool->slabs[i]);
    }
    pool->held = 0;
}
