/*
 * The send queue (RFC 9293 3.3.1, 3.8.1): a list of extents, each the caller's memory (borrowed) or
 * a copy (owned, the octets behind the header in one allocation).
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
    size_t len;         /* octets held; 0 only inside of sndq_own() */
    size_t room;        /* spare octets behind them; 0 when borrowed */
    size_t size;        /* of this allocation */
    bool borrowed;
    uint8_t data[];
};

/* Two sizes of allocation. A connection that sends little holds little; one that sends much has few
 * extents, each one malloc below the threshold (128 KiB) from which glibc would map and unmap pages
 * every time. */
#define SMALL_SIZE 2048u
#define LARGE_SIZE 65536u
#define SMALL_ROOM (SMALL_SIZE - sizeof(struct sndq_extent))
#define LARGE_ROOM (LARGE_SIZE - sizeof(struct sndq_extent))

static struct sndq_extent *extent_of(const struct list *link)
{
    return container_of(link, struct sndq_extent, link);
}

static void extent_free(struct sndq *q, struct sndq_extent *e)
{
    list_remove(&e->link);
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

/* An empty extent in front of `before`, or NULL. */
static struct sndq_extent *extent_new(struct sndq *q, struct list *before, size_t size)
{
    struct sndq_extent *e = mem_alloc(q->mem, size);
    if (!e)
        return NULL;
    *e = (struct sndq_extent){.ptr = e->data, .room = size - sizeof *e, .size = size};
    list_push_back(before, &e->link);
    return e;
}

/* An empty extent to take (part of) `need` octets. A queue that is long already gets large ones
 * whatever the need, so that the number of extents, and with it the cost of a lookup from the
 * front, stays small. When a large one is refused, a small one may still fit under the limit. */
static struct sndq_extent *extent_for(struct sndq *q, struct list *before, size_t need)
{
    struct sndq_extent *e = NULL;
    if (need > SMALL_ROOM || q->len >= LARGE_ROOM)
        e = extent_new(q, before, LARGE_SIZE);
    return e ? e : extent_new(q, before, SMALL_SIZE);
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

    if (!list_empty(&q->extents)) /* a borrowed one has no room */
        taken = extent_fill(extent_of(q->extents.prev), src, len);
    while (taken < len) {
        struct sndq_extent *e = extent_for(q, &q->extents, len - taken);
        if (!e)
            break;
        taken += extent_fill(e, src + taken, len - taken);
    }
    q->len += taken;
    return taken;
}

bool sndq_borrow(struct sndq *q, const void *data, size_t len)
{
    if (len == 0)
        return true;
    struct sndq_extent *e = extent_new(q, &q->extents, sizeof *e);
    if (!e)
        return false;
    e->ptr = data;
    e->len = len;
    e->borrowed = true;
    q->len += len;
    return true;
}

static bool is_borrowed(const struct sndq *q, const struct list *l)
{
    return l != &q->extents && extent_of(l)->borrowed;
}

/* Sees to it that the run of borrowed extents that begins at *pos can be copied: into the room of
 * the owned extent before it, then into new ones, which are put, empty, between the two. Moves *pos
 * behind the run and adds to *kept the octets for which there is room; false when that is not all
 * of them. */
static bool reserve_run(struct sndq *q, struct list **pos, size_t *kept)
{
    struct list *first = *pos;
    size_t need = 0, room = 0;
    for (; is_borrowed(q, *pos); *pos = (*pos)->next)
        need += extent_of(*pos)->len;
    if (first->prev != &q->extents)
        room = extent_of(first->prev)->room;
    while (room < need) {
        struct sndq_extent *e = extent_for(q, first, need - room);
        if (!e) {
            *kept += room;
            return false;
        }
        room += e->room;
    }
    *kept += need;
    return true;
}

/* Reserves for all runs, in order, until memory is refused. Returns how many octets at the front of
 * the queue can be kept. */
static size_t reserve_all(struct sndq *q)
{
    size_t kept = 0;
    struct list *l = q->extents.next;
    while (l != &q->extents) {
        if (!is_borrowed(q, l)) {
            kept += extent_of(l)->len;
            l = l->next;
        } else if (!reserve_run(q, &l, &kept)) {
            break;
        }
    }
    return kept;
}

/* Undoes reserve_all(). */
static void free_reserved(struct sndq *q)
{
    struct list *next;
    for (struct list *l = q->extents.next; l != &q->extents; l = next) {
        next = l->next;
        if (extent_of(l)->len == 0)
            extent_free(q, extent_of(l));
    }
}

/* Copies every borrowed octet below `kept` to where reserve_all() has made room for it, and frees
 * the extents above. */
static void copy_reserved(struct sndq *q, size_t kept)
{
    struct list *to = q->extents.next, *next; /* to: the extent being filled */
    size_t at = 0;
    for (struct list *l = q->extents.next; l != &q->extents; l = next) {
        struct sndq_extent *e = extent_of(l);
        next = l->next;
        if (e->len == 0)
            continue; /* reserved: `to` comes here when those before it are full */
        size_t n = e->len < kept - at ? e->len : kept - at;
        at += n;
        if (!e->borrowed && n > 0) {
            to = l;
            continue;
        }
        for (size_t done = 0; done < n;) {
            if (extent_of(to)->room == 0)
                to = to->next;
            done += extent_fill(extent_of(to), e->ptr + done, n - done);
        }
        extent_free(q, e);
    }
}

size_t sndq_own(struct sndq *q, size_t cut_from)
{
    size_t kept = reserve_all(q), cut = q->len - kept;
    if (cut > 0 && kept < cut_from) {
        free_reserved(q);
        return SIZE_MAX;
    }
    copy_reserved(q, kept);
    q->len = kept;
    q->cursor = NULL;
    return cut;
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
        if (n < e->len) {
            e->ptr += n;
            e->len -= n;
            return;
        }
        n -= e->len;
        extent_free(q, e);
    }
}

bool sndq_check(const struct sndq *q)
{
    size_t at = 0;
    bool cursor_seen = !q->cursor;
    for (const struct list *l = q->extents.next; l != &q->extents; l = l->next) {
        const struct sndq_extent *e = extent_of(l);
        if (e->len == 0 || l->next->prev != l)
            return false;
        if (e->borrowed ? e->room != 0
                        : e->ptr + e->len + e->room != e->data + (e->size - sizeof *e))
            return false;
        if (e == q->cursor)
            cursor_seen = q->cursor_at == at;
        at += e->len;
    }
    return at == q->len && cursor_seen;
}
