/* See slab.h. Called by pool.c. */
#include "slab.h"

#include <stdint.h>
#include <sys/mman.h>

#define PIECE 65536

/* What lies before the user's octets. */
struct object {
    _Alignas(16) struct piece *piece;
    struct object *next; /* while it is free */
};

#define HEAD sizeof(struct object)

struct piece {
    struct list node; /* in slab.with_room, unless it is full */
    struct object *free;
    size_t used;  /* objects */
    size_t fresh; /* octets, of which the last ones have never been an object */
};

/* Up to where the next object may begin. */
static size_t rounded(size_t size)
{
    return (size + HEAD - 1) / HEAD * HEAD;
}

static size_t stride(const struct slab *s)
{
    return rounded(HEAD + s->size);
}

static struct piece *first(const struct slab *s)
{
    return container_of(s->with_room.next, struct piece, node);
}

void slab_init(struct slab *s, size_t size)
{
    list_init(&s->with_room);
    s->size = size;
}

static void unmap(struct piece *p)
{
    list_remove(&p->node);
    munmap(p, PIECE);
}

void slab_finish(struct slab *s)
{
    while (!list_empty(&s->with_room))
        unmap(first(s));
}

static struct piece *map(struct slab *s)
{
    struct piece *p = mmap(NULL, PIECE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    p->fresh = PIECE - rounded(sizeof *p);
    list_push_back(&s->with_room, &p->node);
    return p;
}

void *slab_alloc(struct slab *s)
{
    struct piece *p = list_empty(&s->with_room) ? map(s) : first(s);
    if (!p)
        return NULL;
    struct object *o = p->free;
    if (o) {
        p->free = o->next;
    } else {
        o = (struct object *)(void *)((uint8_t *)p + PIECE - p->fresh);
        p->fresh -= stride(s);
    }
    p->used++;
    if (!p->free && p->fresh < stride(s))
        list_remove(&p->node);
    o->piece = p;
    return (uint8_t *)o + HEAD;
}

void slab_free(struct slab *s, void *ptr)
{
    struct object *o = (struct object *)(void *)((uint8_t *)ptr - HEAD);
    struct piece *p = o->piece;
    if (list_empty(&p->node))
        list_push_back(&s->with_room, &p->node);
    o->next = p->free;
    p->free = o;
    p->used--;
    if (p->used == 0 && (first(s) != p || p->node.next != &s->with_room))
        unmap(p);
}
