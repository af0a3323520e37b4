/*
 * The injected allocator, counted and limited. Says nothing about what the memory is for, and keeps
 * no list of what is out: a leak shows as `used` that is not 0 when the owner finishes.
 */
#include "mem.h"

#include <string.h>

#include "check.h"

void *mem_alloc(struct mem *m, size_t size)
{
    /* In two steps, so that no sum can wrap, and a limit lowered below what is in use only refuses.
     */
    if (m->used > m->limit || size > m->limit - m->used)
        return NULL;
    void *ptr = m->alloc(m->ctx, size);
    if (ptr)
        m->used += size;
    return ptr;
}

void *mem_zalloc(struct mem *m, size_t size)
{
    void *ptr = mem_alloc(m, size);
    if (ptr)
        memset(ptr, 0, size);
    return ptr;
}

void mem_free(struct mem *m, void *ptr, size_t size)
{
    if (!ptr)
        return;
    m->used -= CHECK(size <= m->used) ? size : m->used;
    m->free(m->ctx, ptr, size);
}
