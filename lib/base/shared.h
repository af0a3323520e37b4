/*
 * Values that many have in common, such as the settings of connections: kept once, counted, and
 * never changed. Who wants another value gets that one; what nobody has any more is freed.
 *
 * Values are compared as they lie, so they must have no padding. Only the few that were asked for
 * last are looked at, so that getting one stays O(1): what is not among them is kept twice.
 */
#ifndef SHARED_H
#define SHARED_H

#include <stddef.h>
#include <stdint.h>

#include "list.h"
#include "mem.h"

/* In front of each value. */
struct shared_value {
    struct list node; /* in shared.values */
    uint64_t users;
};

struct shared {
    struct list values; /* the one asked for last comes first */
    size_t size;        /* of each, in octets */
    struct mem *mem;
};

/* first: what most are expected to have. It and the `size` octets behind it are the caller's, and
 * stay for as long as s is in use; so getting that value never fails. */
void shared_init(struct shared *s, size_t size, struct mem *mem, struct shared_value *first);

/* One more user of a value that is equal to this; NULL for want of memory. */
const void *shared_get(struct shared *s, const void *value);

/* One more user of a value that shared_get() gave. */
const void *shared_again(const void *value);

/* One user less. */
void shared_put(struct shared *s, const void *value);

#endif
