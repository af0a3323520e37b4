/*
 * The receive queue (RFC 9293 3.10.7.4, seventh step; SHLD-31): the stream's octets in a ring of
 * chunks, and which of those beyond the first hole have arrived.
 *
 * Called by the trunk of tcp/ only. Knows no sequence numbers and no window: how far beyond `start`
 * text may lie, and with it how much memory can be taken, is the caller's business.
 *
 * What holds of the ring: every chunk with an octet to keep is there; of the others at most the one
 * that `start` lies in. Chunks start / RCVQ_CHUNK up to, not including, that plus n_chunk have a
 * slot each.
 */
#include "rcvq.h"

#include <string.h>

#include "check.h"
#include "minmax.h"

#define RING_MIN 4u
/* No buffer is larger than UINT32_MAX octets (rcvwnd.h). */
#define SPAN_MAX (UINT32_MAX / RCVQ_CHUNK + 2u)

/* The slot of the chunk with number c, which covers c * RCVQ_CHUNK and on. */
static uint8_t **slot(const struct rcvq *q, uint64_t c)
{
    return &q->held->chunk[c & (q->held->n_chunk - 1)];
}

static void chunk_free(struct rcvq *q, uint64_t c)
{
    mem_free(q->held->mem, *slot(q, c), RCVQ_CHUNK);
    *slot(q, c) = NULL;
}

/* Index of the first interval beyond head that ends behind `at`. O(log n). */
static uint32_t first_beyond(const struct rcvq *q, uint64_t at)
{
    uint32_t lo = 0, hi = q->held->beyond.n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (q->held->beyond.v[mid].end > at)
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo;
}

/* Whether an octet of the chunk has arrived and is not read yet. */
static bool chunk_used(const struct rcvq *q, uint64_t c)
{
    uint64_t from = c * RCVQ_CHUNK, to = from + RCVQ_CHUNK;
    if (max_u64(from, q->start) < min_u64(to, q->head))
        return true;
    uint32_t i = first_beyond(q, from);
    return i < q->held->beyond.n && q->held->beyond.v[i].start < to;
}

static const struct rcvq_held nothing;

static size_t held_size(uint32_t n_chunk)
{
    return sizeof nothing + n_chunk * sizeof nothing.chunk[0];
}

static void hold_nothing(struct rcvq *q)
{
    q->held = (struct rcvq_held *)&nothing;
}

static void free_all(struct rcvq *q)
{
    struct rcvq_held *h = q->held;
    if (h == &nothing)
        return;
    for (uint32_t i = 0; i < h->n_chunk; i++)
        mem_free(h->mem, h->chunk[i], RCVQ_CHUNK);
    ranges_finish(&h->beyond);
    mem_free(h->mem, h, held_size(h->n_chunk));
    hold_nothing(q);
}

static bool is_empty(const struct rcvq *q)
{
    return q->start == q->head && q->held->beyond.n == 0;
}

void rcvq_init(struct rcvq *q)
{
    *q = (struct rcvq){0};
    hold_nothing(q);
}

void rcvq_finish(struct rcvq *q)
{
    free_all(q);
}

/* Makes the ring large enough for chunks up to, not including, c_end. */
static bool ring_reserve(struct rcvq *q, struct mem *mem, uint64_t c_end)
{
    struct rcvq_held *old = q->held;
    uint64_t c = q->start / RCVQ_CHUNK, need = c_end - c;
    if (need <= old->n_chunk)
        return true;
    if (!CHECK(need <= SPAN_MAX))
        return false;

    uint32_t n_chunk = old->n_chunk ? old->n_chunk : RING_MIN;
    while (n_chunk < need)
        n_chunk *= 2;
    struct rcvq grown = {.held = mem_zalloc(mem, held_size(n_chunk))};
    if (!grown.held)
        return false;
    grown.held->mem = mem;
    grown.held->n_chunk = n_chunk;
    if (old == &nothing) {
        ranges_init(&grown.held->beyond, mem);
    } else {
        grown.held->beyond = old->beyond;
        for (uint32_t i = 0; i < old->n_chunk; i++)
            *slot(&grown, c + i) = *slot(q, c + i);
        mem_free(mem, old, held_size(old->n_chunk));
    }
    q->held = grown.held;
    return true;
}

static bool chunks_reserve(struct rcvq *q, uint64_t c, uint64_t c_end)
{
    for (; c < c_end; c++) {
        if (!*slot(q, c) && !(*slot(q, c) = mem_alloc(q->held->mem, RCVQ_CHUNK)))
            return false;
    }
    return true;
}

/* Copies to the octets [at, at + len) of the stream. */
static void copy_in(struct rcvq *q, uint64_t at, const uint8_t *src, size_t len)
{
    while (len > 0) {
        size_t in_chunk = (size_t)(at % RCVQ_CHUNK), n = RCVQ_CHUNK - in_chunk;
        n = n < len ? n : len;
        memcpy(*slot(q, at / RCVQ_CHUNK) + in_chunk, src, n);
        at += n;
        src += n;
        len -= n;
    }
}

/* Copies text, which begins at `at`, to its place, but for what lies below head and what is there
 * already. */
static void copy_text(struct rcvq *q, uint64_t at, const struct bytes *text, unsigned n)
{
    const struct ranges *beyond = &q->held->beyond;
    uint64_t pos = max_u64(at, q->head);
    uint32_t next = first_beyond(q, pos); /* interval that pos comes to next, or is in */
    for (unsigned i = 0; i < n; i++) {
        uint64_t end = at + text[i].len;
        while (pos < end) {
            const struct range *r = next < beyond->n ? &beyond->v[next] : NULL;
            if (r && r->start <= pos) {
                pos = min_u64(r->end, end);
                next += pos == r->end;
            } else {
                uint64_t gap_end = r ? min_u64(r->start, end) : end;
                copy_in(q, pos, text[i].ptr + (pos - at), (size_t)(gap_end - pos));
                pos = gap_end;
            }
        }
        at = end;
    }
}

/* Marks [from, end) as arrived; from >= head. hold: none of it is in order. False when refused. */
static bool mark(struct rcvq *q, uint64_t from, uint64_t end, bool hold)
{
    struct ranges *beyond = &q->held->beyond;
    if (from > q->head || hold)
        return ranges_add(beyond, from, end);
    q->head = end;
    if (beyond->n > 0) {
        ranges_drop_below(beyond, end);
        if (beyond->n > 0 && beyond->v[0].start == end) {
            q->head = beyond->v[0].end;
            ranges_drop_below(beyond, q->head);
        }
    }
    return true;
}

static bool insert(struct rcvq *q, struct mem *mem, uint64_t at, const struct bytes *text,
                   unsigned n, bool hold)
{
    uint64_t end = at, from = max_u64(at, q->head);
    for (unsigned i = 0; i < n; i++)
        end += text[i].len;
    if (end <= from)
        return true;

    uint64_t c = from / RCVQ_CHUNK, c_end = (end - 1) / RCVQ_CHUNK + 1;
    bool reserved = ring_reserve(q, mem, c_end);
    if (reserved && chunks_reserve(q, c, c_end)) {
        copy_text(q, at, text,
                  n); /* what is not marked is not there: nobody sees it if that fails */
        if (mark(q, from, end, hold))
            return true;
    }
    if (is_empty(q)) {
        free_all(q);
        return false;
    }
    for (; reserved && c < c_end; c++) {
        if (!chunk_used(q, c))
            chunk_free(q, c);
    }
    return false;
}

/* Forgets what lies beyond the first hole: it comes again (SHLD-31 asks to keep it, not more). */
static void prune(struct rcvq *q)
{
    ranges_finish(&q->held->beyond);
    uint64_t c = q->start / RCVQ_CHUNK;
    for (uint64_t i = c; i < c + q->held->n_chunk; i++) {
        if (!chunk_used(q, i))
            chunk_free(q, i);
    }
}

/* Text out of order may fill three quarters of the memory there is, not the last: otherwise what
 * can't be read keeps out what could be. */
static bool may_wait(const struct mem *mem)
{
    return mem->used <= mem->limit / 4 * 3;
}

bool rcvq_insert(struct rcvq *q, struct mem *mem, uint64_t at, const struct bytes *text, unsigned n,
                 bool *pruned)
{
    if (at > q->head && !may_wait(mem))
        return false;
    if (insert(q, mem, at, text, n, false))
        return true;
    if (at > q->head || q->held->beyond.n == 0)
        return false;
    prune(q);
    *pruned = true;
    return insert(q, mem, at, text, n, false);
}

bool rcvq_hold(struct rcvq *q, struct mem *mem, const struct bytes *text, unsigned n)
{
    return insert(q, mem, q->head, text, n, true);
}

uint32_t rcvq_release(struct rcvq *q)
{
    struct ranges *beyond = &q->held->beyond;
    uint64_t head = q->head;
    if (beyond->n > 0 && beyond->v[0].start == head) {
        q->head = beyond->v[0].end;
        ranges_drop_below(beyond, q->head);
    }
    return (uint32_t)(q->head - head);
}

void rcvq_give(struct rcvq *q, struct receive *r, uint64_t at, const struct bytes *text, unsigned n)
{
    const struct ranges *beyond = &q->held->beyond;
    uint64_t head = q->head;
    if (q->start < q->head || at > q->head)
        return;
    uint64_t skip = q->head - at, given = 0, room = r->len - r->done;
    if (beyond->n > 0) /* that has come first, and stays */
        room = min_u64(room, beyond->v[0].start - head);
    for (unsigned i = 0; i < n && given < room; i++) {
        size_t cut = (size_t)min_u64(skip, text[i].len);
        size_t len = (size_t)min_u64(text[i].len - cut, room - given);
        skip -= cut;
        if (len > 0 && text[i].ptr + cut != r->buf + r->done)
            memmove(r->buf + r->done, text[i].ptr + cut, len);
        r->done += len;
        given += len;
    }
    if (given == 0)
        return;
    mark(q, head, head + given, false); /* in order, so never refused */
    rcvq_consume(q, (size_t)given);
}

size_t rcvq_peek(const struct rcvq *q, size_t skip, void *buf, size_t len)
{
    uint8_t *to = buf;
    size_t done = 0;
    if (!CHECK(skip <= rcvq_len(q)))
        return 0;
    if (len > rcvq_len(q) - skip)
        len = rcvq_len(q) - skip;
    while (done < len) {
        uint64_t at = q->start + skip + done;
        size_t in_chunk = (size_t)(at % RCVQ_CHUNK), n = RCVQ_CHUNK - in_chunk;
        n = n < len - done ? n : len - done;
        if (to)
            memcpy(to + done, *slot(q, at / RCVQ_CHUNK) + in_chunk, n);
        done += n;
    }
    return len;
}

void rcvq_consume(struct rcvq *q, size_t n)
{
    if (!CHECK(n <= rcvq_len(q)))
        n = rcvq_len(q);
    uint64_t c = q->start / RCVQ_CHUNK;
    q->start += n;
    if (is_empty(q)) {
        free_all(q);
        return;
    }
    for (; c < q->start / RCVQ_CHUNK; c++)
        chunk_free(q, c);
}

void rcvq_discard(struct rcvq *q)
{
    q->start = q->head;
    free_all(q);
}

bool rcvq_check(const struct rcvq *q)
{
    const struct ranges *beyond = &q->held->beyond;
    uint32_t n_chunk = q->held->n_chunk;
    if (q->start > q->head || !ranges_check(beyond))
        return false;
    bool held = q->head == 0; /* at the beginning of the stream text may be */
    if (beyond->n > 0 && beyond->v[0].start < q->head + !held)
        return false;
    if (is_empty(q))
        return q->held == &nothing;

    uint64_t end = beyond->n > 0 ? beyond->v[beyond->n - 1].end : q->head;
    uint64_t c = q->start / RCVQ_CHUNK, c_end = c + n_chunk;
    if ((n_chunk & (n_chunk - 1)) != 0 || (end - 1) / RCVQ_CHUNK >= c_end)
        return false;
    for (uint64_t i = c; i < c_end; i++) {
        if (chunk_used(q, i) ? !*slot(q, i) : *slot(q, i) && i > c)
            return false;
    }
    return true;
}
