/*
 * The heap of deadlines: a binary heap of pointers in one array, each node knowing its slot, so
 * that it can be moved or taken out without a search. The array only grows; heap_finish gives it
 * back.
 */
#include "heap.h"

#include <string.h>

#include "check.h"

#define ROOM_FIRST 16

void heap_init(struct heap *h, struct mem *mem)
{
    *h = (struct heap){.mem = mem};
}

void heap_finish(struct heap *h)
{
    mem_free(h->mem, h->v, h->room * sizeof h->v[0]);
    heap_init(h, h->mem);
}

void heap_node_init(struct heap_node *node)
{
    *node = (struct heap_node){.deadline = TIME_NEVER, .slot = HEAP_OUT};
}

bool heap_reserve(struct heap *h, uint32_t n)
{
    if (n <= h->room)
        return true;
    uint32_t room = h->room ? h->room : ROOM_FIRST;
    while (room < n)
        room = room <= HEAP_OUT / 2 ? room * 2 : HEAP_OUT;
    size_t size;
    if (__builtin_mul_overflow((size_t)room, sizeof h->v[0], &size))
        return false;
    struct heap_node **v = mem_alloc(h->mem, size);
    if (!v)
        return false;
    if (h->n)
        memcpy(v, h->v, h->n * sizeof v[0]);
    mem_free(h->mem, h->v, h->room * sizeof v[0]);
    h->v = v;
    h->room = room;
    return true;
}

static bool before(const struct heap_node *a, const struct heap_node *b)
{
    if (a->deadline != b->deadline)
        return a->deadline < b->deadline;
    return (int32_t)(a->order - b->order) < 0;
}

static void place(struct heap *h, struct heap_node *node, uint32_t slot)
{
    h->v[slot] = node;
    node->slot = slot;
}

/* Both sifts start from a hole at `slot` and put the node where the hole comes to rest. */
static void sift_up(struct heap *h, struct heap_node *node, uint32_t slot)
{
    while (slot > 0) {
        uint32_t parent = (slot - 1) / 2;
        if (!before(node, h->v[parent]))
            break;
        place(h, h->v[parent], slot);
        slot = parent;
    }
    place(h, node, slot);
}

static void sift_down(struct heap *h, struct heap_node *node, uint32_t slot)
{
    while (slot < h->n / 2) {
        uint32_t child = 2 * slot + 1;
        if (child + 1 < h->n && before(h->v[child + 1], h->v[child]))
            child++;
        if (!before(h->v[child], node))
            break;
        place(h, h->v[child], slot);
        slot = child;
    }
    place(h, node, slot);
}

/* Puts the node into the hole at `slot`, or where it belongs above or below it. */
static void settle(struct heap *h, struct heap_node *node, uint32_t slot)
{
    if (slot > 0 && before(node, h->v[(slot - 1) / 2]))
        sift_up(h, node, slot);
    else
        sift_down(h, node, slot);
}

static void take_out(struct heap *h, struct heap_node *node)
{
    uint32_t hole = node->slot;
    struct heap_node *last = h->v[--h->n];
    heap_node_init(node);
    if (last != node)
        settle(h, last, hole);
}

void heap_set(struct heap *h, struct heap_node *node, uint64_t deadline)
{
    if (deadline == node->deadline)
        return;
    if (deadline == TIME_NEVER) {
        take_out(h, node);
        return;
    }
    uint32_t slot = node->slot;
    if (slot == HEAP_OUT) {
        /* In a release build a lost deadline is better than a write past the array. */
        if (!CHECK(h->n < h->room))
            return;
        slot = h->n++;
    }
    node->deadline = deadline;
    node->order = h->next_order++;
    settle(h, node, slot);
}

struct heap_node *heap_first(const struct heap *h)
{
    return h->n ? h->v[0] : NULL;
}
