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
    bool is_saved;
    size_t saved_at; /* in simmem.saved */
    uint64_t guard;  /* and once more behind the octets */
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
    b->is_saved = false;
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
    if (b->is_saved)
        list_push_back(&m->freed, &b->node);
    else
        free(b);
}

void simmem_init(struct simmem *m, struct rng *rng, size_t limit)
{
    *m = (struct simmem){.rng = rng};
    m->mem = (struct mem){.alloc = block_alloc, .free = block_free, .ctx = m, .limit = limit};
    list_init(&m->blocks);
    list_init(&m->freed);
}

size_t simmem_finish(struct simmem *m)
{
    size_t left = m->used;
    struct list *node;
    while ((node = list_pop_front(&m->blocks)) != NULL ||
           (node = list_pop_front(&m->freed)) != NULL)
        free(container_of(node, struct block, node));
    free(m->saved);
    m->saved = NULL;
    m->used = 0;
    return left;
}

void simmem_save(struct simmem *m)
{
    size_t at = 0;
    m->saved = sim_realloc(NULL, 1, m->used + 1);
    m->saved_used = m->used;
    for (struct list *node = m->blocks.next; node != &m->blocks; node = node->next) {
        struct block *b = container_of(node, struct block, node);
        memcpy(m->saved + at, b + 1, b->size);
        b->is_saved = true;
        b->saved_at = at;
        at += b->size;
    }
}

void simmem_restore(struct simmem *m)
{
    struct list *node;
    for (node = m->blocks.next; node != &m->blocks;) {
        struct block *b = container_of(node, struct block, node);
        node = node->next;
        if (b->is_saved)
            continue;
        list_remove(&b->node);
        free(b);
    }
    while ((node = list_pop_front(&m->freed)) != NULL)
        list_push_back(&m->blocks, node);
    for (node = m->blocks.next; node != &m->blocks; node = node->next) {
        struct block *b = container_of(node, struct block, node);
        memcpy(b + 1, m->saved + b->saved_at, b->size);
        b->guard = GUARD;
    }
    m->used = m->mem.used = m->saved_used;
}

void simmem_forget(struct simmem *m)
{
    for (struct list *node = m->blocks.next; node != &m->blocks; node = node->next)
        container_of(node, struct block, node)->is_saved = false;
    free(m->saved);
    m->saved = NULL;
}

void simmem_check(const struct simmem *m)
{
    SIM_CHECK(m->mem.used == m->used, "memory", "mem.used says %zu, in use are %zu", m->mem.used,
              m->used);
    SIM_CHECK(m->used <= m->mem.limit, "memory", "%zu octets in use, the limit is %zu", m->used,
              m->mem.limit);
}
