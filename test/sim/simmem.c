/* See simmem.h. */
#include "simmem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"

#define GUARD   UINT64_C(0x51a7ed0c4b1d5eed)
#define GARBAGE 0xa5
#define FREED   0xdd
#define FILL_MAX                                                                                   \
    4096 /* octets of garbage per block: enough for every struct, bearable for buffers */

struct block {
    struct list node;
    size_t size;
    uint64_t guard; /* and once more behind the octets */
};

static void *block_alloc(void *ctx, size_t size)
{
    struct simmem *m = ctx;
    if (rng_chance(m->rng, m->refuse_ppm)) {
        m->refused++;
        return NULL;
    }
    struct block *b = malloc(sizeof *b + size + sizeof b->guard);
    if (!b)
        return NULL;
    b->size = size;
    b->guard = GUARD;
    memset(b + 1, GARBAGE, size < FILL_MAX ? size : FILL_MAX);
    memcpy((uint8_t *)(b + 1) + size, &b->guard, sizeof b->guard);
    list_push_back(&m->blocks, &b->node);
    m->used += size;
    return b + 1;
}

static void block_free(void *ctx, void *ptr, size_t size)
{
    struct simmem *m = ctx;
    if (!ptr)
        return;
    struct block *b = (struct block *)ptr - 1;
    SIM_CHECK(b->guard == GUARD, "memory", "a block was overrun at its front, or freed twice");
    SIM_CHECK(b->size == size, "memory", "a block of %zu octets is freed as %zu", b->size, size);
    SIM_CHECK(memcmp((uint8_t *)ptr + size, &b->guard, sizeof b->guard) == 0, "memory",
              "a block of %zu octets was overrun", size);
    list_remove(&b->node);
    m->used -= size;
    b->guard = 0;
    memset(ptr, FREED, size < FILL_MAX ? size : FILL_MAX);
    free(b);
}

void simmem_init(struct simmem *m, struct rng *rng, size_t limit)
{
    *m = (struct simmem){.rng = rng};
    m->mem = (struct mem){.alloc = block_alloc, .free = block_free, .ctx = m, .limit = limit};
    list_init(&m->blocks);
}

size_t simmem_finish(struct simmem *m)
{
    size_t left = m->used;
    struct list *node;
    while ((node = list_pop_front(&m->blocks)) != NULL)
        free(container_of(node, struct block, node));
    m->used = 0;
    return left;
}

void simmem_check(const struct simmem *m)
{
    SIM_CHECK(m->mem.used == m->used, "memory", "mem.used says %zu, in use are %zu", m->mem.used,
              m->used);
    SIM_CHECK(m->used <= m->mem.limit, "memory", "%zu octets in use, the limit is %zu", m->used,
              m->mem.limit);
}
