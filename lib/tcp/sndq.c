/*
 * The send queue (RFC 9293 3.3.1, 3.8.1): a list of extents, each memory that was given or a copy
 * (the octets behind the header in one allocation), or one that is not made yet of what was lent.
 *
 * Called by the trunk of tcp/ only. Knows no sequence numbers, SYN or FIN, and decides nothing
 * about what is sent when.
 */
#include "sndq.h"

#include <string.h>

#include "check.h"

struct sndq_extent {
    struct list link;
    const uint8_t *ptr; /* the first octet not acknowledged */
    size_t len;         /* octets held */
    size_t room;        /* spare octets behind them; 0 when given or lent */
    void *block;        /* given memory; NULL: the octets are copies, in data */
    size_t block_size;  /* 0: it is not the queue's */
    uint32_t size;      /* of this allocation */
    bool lent;          /* the octets are the caller's still; data has room for them */
    _Alignas(16) uint8_t data[];
};

/* Two sizes of allocation. A connection that sends little holds little; one that sends much has few
 * extents, each one malloc below the threshold (128 KiB) from which glibc would map and unmap pages
 * every time. */
#define LARGE_SIZE 65536u
#define SMALL_ROOM (SNDQ_SMALL - sizeof(struct sndq_extent))
#define LARGE_ROOM (LARGE_SIZE - sizeof(struct sndq_extent))

static struct sndq_extent *extent_of(const struct list *link)
{
    return container_of(link, struct sndq_extent, link);
}

static void extent_free(struct sndq *q, struct sndq_extent *e)
{
    list_remove(&e->link);
    if (e->block_size > 0)
        mem_free(q->mem, e->block, e->block_size);
    mem_free(q->mem, e, e->size);
}

void sndq_init(struct sndq *q, struct mem *mem)
{
    *q = (struct sndq){.mem = mem};
    list_init(&q->extents);
}

void sndq_finish(struct sndq *q)
{
    while (!list_empty(&q->extents))
        extent_free(q, extent_of(q->extents.next));
    sndq_init(q, q->mem);
}

/* An empty extent at the end, or NULL. */
static struct sndq_extent *extent_new(struct sndq *q, uint32_t size)
{
    struct sndq_extent *e = mem_alloc(q->mem, size);
    if (!e)
        return NULL;
    *e = (struct sndq_extent){.ptr = e->data, .room = size - sizeof *e, .size = size};
    list_push_back(&q->extents, &e->link);
    return e;
}

/* What size it has to be to take (part of) `need` octets. A queue that is long already gets large
 * ones whatever the need, so that the number of extents, and with it the cost of a lookup from the
 * front, stays small. */
static uint32_t size_for(const struct sndq *q, size_t need)
{
    return need > SMALL_ROOM || q->len >= LARGE_ROOM ? LARGE_SIZE : SNDQ_SMALL;
}

/* When a large one is refused, a small one may still fit under the limit. */
static struct sndq_extent *extent_for(struct sndq *q, size_t need)
{
    struct sndq_extent *e = extent_new(q, size_for(q, need));
    return e ? e : extent_new(q, SNDQ_SMALL);
}

/* Copies what fits into the extent's spare room; returns how much that was. */
static size_t extent_fill(struct sndq_extent *e, const uint8_t *src, size_t len)
{
    size_t n = len < e->room ? len : e->room;
    if (n > 0)
        memcpy(e->data + (e->size - sizeof *e - e->room), src, n);
    e->len += n;
    e->room -= n;
    return n;
}

size_t sndq_append(struct sndq *q, const void *data, size_t len)
{
    const uint8_t *src = data;
    size_t taken = 0;

    if (!list_empty(&q->extents)) /* one given or lent has no room */
        taken = extent_fill(extent_of(q->extents.prev), src, len);
    while (taken < len) {
        struct sndq_extent *e = extent_for(q, len - taken);
        if (!e)
            break;
        taken += extent_fill(e, src + taken, len - taken);
    }
    q->len += taken;
    return taken;
}

size_t sndq_lend(struct sndq *q, const void *data, size_t len)
{
    const uint8_t *src = data;
    size_t taken = 0;
    while (taken < len) {
        struct sndq_extent *e = extent_for(q, len - taken);
        if (!e)
            break;
        e->ptr = src + taken;
        e->len = e->room < len - taken ? e->room : len - taken;
        e->room = 0;
        e->lent = true;
        taken += e->len;
    }
    q->len += taken;
    q->lent += taken;
    return taken > 0 ? taken : sndq_append(q, data, len); /* there may be room behind a copy */
}

/* Copies what is lent of an extent, behind the copy before it as far as that has room, the rest to
 * its own place. */
static void extent_keep(struct sndq *q, struct sndq_extent *e)
{
    struct bytes left = {e->ptr, e->len};
    if (e->link.prev != &q->extents) {
        size_t n = extent_fill(extent_of(e->link.prev), left.ptr, left.len);
        left.ptr += n;
        left.len -= n;
        q->cursor_at += q->cursor == e ? n : 0;
    }
    if (left.len == 0) {
        if (q->cursor == e)
            q->cursor = NULL;
        extent_free(q, e);
        return;
    }
    e->ptr = e->data;
    e->len = 0;
    e->room = e->size - sizeof *e;
    e->lent = false;
    extent_fill(e, left.ptr, left.len);
}

void sndq_keep(struct sndq *q)
{
    struct list *l = &q->extents;
    for (size_t left = q->lent; left > 0;) { /* they are the last ones, or nearly */
        l = l->prev;
        left -= extent_of(l)->lent ? extent_of(l)->len : 0;
    }
    for (struct list *next; l != &q->extents; l = next) {
        next = l->next;
        if (extent_of(l)->lent)
            extent_keep(q, extent_of(l));
    }
    q->lent = 0;
}

/* Octets that can be copied behind the last without memory for it. */
static size_t tail_room(const struct sndq *q)
{
    return list_empty(&q->extents) ? 0 : extent_of(q->extents.prev)->room;
}

/* Copies all of it, in at most two pieces, or nothing. */
static bool append_all(struct sndq *q, const uint8_t *data, size_t len)
{
    size_t room = tail_room(q), first = len < room ? len : room;
    struct list *last = q->extents.prev;
    struct sndq_extent *next = NULL;
    if (first < len && !(next = extent_new(q, size_for(q, len - first))))
        return false;
    if (first > 0)
        extent_fill(extent_of(last), data, first);
    if (next)
        extent_fill(next, data + first, len - first);
    q->len += len;
    return true;
}

/* A small block is better copied, as a segment can refer to few pieces; and so is what there is
 * room for already, which would be left unused between blocks. */
bool sndq_give(struct sndq *q, void *block, size_t size, size_t len)
{
    if (size > 0 && (len <= SMALL_ROOM || len <= tail_room(q))) {
        if (!append_all(q, block, len))
            return false;
        mem_free(q->mem, block, size);
        return true;
    }
    struct sndq_extent *e = extent_new(q, sizeof *e);
    if (!e)
        return false;
    e->ptr = e->block = block;
    e->block_size = size;
    e->len = len;
    q->len += len;
    return true;
}

/* Moves the cursor to the extent that holds octet `at` < len. */
static void seek(struct sndq *q, size_t at)
{
    if (!q->cursor || at < q->cursor_at) {
        q->cursor = extent_of(q->extents.next);
        q->cursor_at = 0;
    }
    while (at - q->cursor_at >= q->cursor->len) {
        q->cursor_at += q->cursor->len;
        q->cursor = extent_of(q->cursor->link.next);
    }
}

size_t sndq_refs(struct sndq *q, size_t at, size_t len, struct bytes *refs, unsigned max,
                 unsigned *n)
{
    size_t done = 0;
    *n = 0;
    if (at >= q->len)
        return 0;
    if (len > q->len - at)
        len = q->len - at;
    while (done < len && *n < max) {
        seek(q, at + done);
        size_t skip = at + done - q->cursor_at, left = q->cursor->len - skip;
        struct bytes ref = {q->cursor->ptr + skip, left < len - done ? left : len - done};
        refs[(*n)++] = ref;
        done += ref.len;
    }
    return done;
}

void sndq_acked(struct sndq *q, size_t n)
{
    if (!CHECK(n <= q->len))
        n = q->len;
    q->len -= n;
    if (q->cursor) {
        if (n >= q->cursor_at + q->cursor->len)
            q->cursor = NULL; /* it will be freed */
        else
            q->cursor_at -= n < q->cursor_at ? n : q->cursor_at;
    }
    while (n > 0) {
        struct sndq_extent *e = extent_of(q->extents.next);
        size_t of_it = n < e->len ? n : e->len;
        q->lent -= e->lent ? of_it : 0;
        e->ptr += of_it;
        e->len -= of_it;
        n -= of_it;
        if (e->len == 0)
            extent_free(q, e);
    }
}

bool sndq_check(const struct sndq *q)
{
    size_t at = 0, lent = 0;
    bool cursor_seen = !q->cursor;
    for (const struct list *l = q->extents.next; l != &q->extents; l = l->next) {
        const struct sndq_extent *e = extent_of(l);
        if (e->len == 0 || l->next->prev != l)
            return false;
        bool copied = !e->block && !e->lent;
        if (copied ? e->ptr + e->len + e->room != e->data + (e->size - sizeof *e) : e->room != 0)
            return false;
        if (e == q->cursor)
            cursor_seen = q->cursor_at == at;
        at += e->len;
        lent += e->lent ? e->len : 0;
    }
    return at == q->len && lent == q->lent && cursor_seen;
}
