/*
 * Intervals in one sorted array: at most RANGES_MAX of 16 octets each, so that moving them costs
 * less than the pointers of a tree would. The array is doubled as needed, from 4, and given back
 * when the last interval goes: an idle connection holds nothing.
 */
#include "ranges.h"

#include <string.h>

#include "check.h"

#define ROOM_FIRST 4

void ranges_init(struct ranges *r, struct mem *mem)
{
    *r = (struct ranges){.mem = mem};
}

void ranges_finish(struct ranges *r)
{
    mem_free(r->mem, r->v, r->room * sizeof r->v[0]);
    ranges_init(r, r->mem);
}

/* The index of the first interval that ends at or after `at`; n when there is none. */
static uint32_t first_end_from(const struct ranges *r, uint64_t at)
{
    uint32_t lo = 0, hi = r->n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (r->v[mid].end < at)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* The index of the first interval that starts after `at`; n when there is none. */
static uint32_t first_start_after(const struct ranges *r, uint64_t at)
{
    uint32_t lo = 0, hi = r->n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (r->v[mid].start <= at)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static bool grow(struct ranges *r)
{
    uint32_t room = r->room ? r->room * 2 : ROOM_FIRST;
    if (room > RANGES_MAX)
        return false;
    struct range *v = mem_alloc(r->mem, room * sizeof v[0]);
    if (!v)
        return false;
    if (r->n)
        memcpy(v, r->v, r->n * sizeof v[0]);
    mem_free(r->mem, r->v, r->room * sizeof v[0]);
    r->v = v;
    r->room = room;
    return true;
}

/* Takes out the intervals [from, to) by index. */
static void remove_slots(struct ranges *r, uint32_t from, uint32_t to)
{
    if (from < to) {
        memmove(r->v + from, r->v + to, (r->n - to) * sizeof r->v[0]);
        r->n -= to - from;
    }
}

bool ranges_add(struct ranges *r, uint64_t start, uint64_t end)
{
    if (!CHECK(start < end))
        return false;
    /* Those from `first` up to `after` touch or overlap the new one. */
    uint32_t first = first_end_from(r, start);
    uint32_t after = first_start_after(r, end);

    if (first == after) {
        if (r->n == r->room && !grow(r))
            return false;
        memmove(r->v + first + 1, r->v + first, (r->n - first) * sizeof r->v[0]);
        r->v[first] = (struct range){start, end};
        r->n++;
        return true;
    }
    if (r->v[first].start < start)
        start = r->v[first].start;
    if (r->v[after - 1].end > end)
        end = r->v[after - 1].end;
    r->v[first] = (struct range){start, end};
    remove_slots(r, first + 1, after);
    return true;
}

void ranges_drop_below(struct ranges *r, uint64_t end)
{
    uint32_t keep = first_end_from(r, end);
    if (keep < r->n && r->v[keep].end == end)
        keep++;
    remove_slots(r, 0, keep);
    if (r->n == 0)
        ranges_finish(r);
    else if (r->v[0].start < end)
        r->v[0].start = end;
}

const struct range *ranges_find(const struct ranges *r, uint64_t at)
{
    uint32_t after = first_start_after(r, at);
    return after > 0 && at < r->v[after - 1].end ? &r->v[after - 1] : NULL;
}

uint64_t ranges_total(const struct ranges *r)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < r->n; i++)
        total += r->v[i].end - r->v[i].start;
    return total;
}

bool ranges_check(const struct ranges *r)
{
    if (r->n > r->room || r->room > RANGES_MAX || (r->n == 0) != (r->v == NULL))
        return false;
    for (uint32_t i = 0; i < r->n; i++) {
        if (r->v[i].start >= r->v[i].end)
            return false;
        if (i > 0 && r->v[i - 1].end >= r->v[i].start)
            return false;
    }
    return true;
}
