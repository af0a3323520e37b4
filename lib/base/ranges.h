/*
 * A set of disjoint, non-adjacent half-open intervals of 64-bit offsets, in ascending order.
 *
 * The reassembly queue keeps here which octets beyond the first hole have arrived. The number of
 * intervals is capped, so that a peer who sends every second octet costs bounded memory and time:
 * lookup is O(log n), insertion moves at most RANGES_MAX entries.
 */
#ifndef RANGES_H
#define RANGES_H

#include <stdbool.h>
#include <stdint.h>

#include "mem.h"

#define RANGES_MAX 1024

struct range {
    uint64_t start, end; /* [start, end), never empty */
};

struct ranges {
    struct range *v;
    uint32_t n, room;
    struct mem *mem;
};

void ranges_init(struct ranges *r, struct mem *mem);
void ranges_finish(struct ranges *r);

/* Adds [start, end), merging with what it touches or overlaps. False, and nothing changed, when
 * that would need a RANGES_MAX + 1st interval or memory that is refused. start < end. */
bool ranges_add(struct ranges *r, uint64_t start, uint64_t end);

/* Removes every offset below `end`. */
void ranges_drop_below(struct ranges *r, uint64_t end);

/* The interval that holds `at`, or NULL. */
const struct range *ranges_find(const struct ranges *r, uint64_t at);

/* The sum of all intervals' lengths. O(n). */
uint64_t ranges_total(const struct ranges *r);

/* Whether order, disjointness and bounds hold. O(n). */
bool ranges_check(const struct ranges *r);

#endif
