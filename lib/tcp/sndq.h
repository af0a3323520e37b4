/*
 * The send queue: the octets the user has given and the peer has not yet acknowledged, as a list of
 * extents. Offset 0 is the first unacknowledged octet. SYN and FIN are not in here.
 *
 * An extent is a copy, which later appends fill up, or a block of memory that the user has filled
 * in its place, or for a while the user's own memory. An empty queue holds no memory.
 */
#ifndef SNDQ_H
#define SNDQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bytes.h"
#include "list.h"
#include "mem.h"

#define SNDQ_SMALL 2048u /* octets of an allocation for little text */

struct sndq {
    struct list extents;
    struct mem *mem;
    size_t len;  /* octets held */
    size_t lent; /* of these, octets that lie in the caller's memory */
    /* The extent last looked up and the offset of its first octet: output walks forward, so the
     * next lookup starts here. NULL when there is none. */
    struct sndq_extent *cursor;
    size_t cursor_at;
};

void sndq_init(struct sndq *q, struct mem *mem);
void sndq_finish(struct sndq *q);

/* Copies as much of [data, data + len) as memory allows; returns the octets taken. */
size_t sndq_append(struct sndq *q, const void *data, size_t len);

/* The same without copying yet, where there is memory for another extent: the octets must stay
 * where they are until sndq_keep(), which copies what is not acknowledged by then. What is lent is
 * most often transmitted, and acknowledged, before that. */
size_t sndq_lend(struct sndq *q, const void *data, size_t len);
void sndq_keep(struct sndq *q);

/* Appends memory that is filled already: the first len octets, at least one, of a block of `size`
 * of the queue's mem, which is the queue's from now on, or is copied and freed; size 0: it is the
 * caller's, and outlives the queue. False when memory is refused: the block stays the caller's, and
 * the queue as it was. */
bool sndq_give(struct sndq *q, void *block, size_t size, size_t len);

/* References to [at, at + len) into refs[max]; sets *n. Returns the octets referred to: fewer than
 * len when max references do not reach. The references stay valid until the queue changes. */
size_t sndq_refs(struct sndq *q, size_t at, size_t len, struct bytes *refs, unsigned max,
                 unsigned *n);

/* The first n octets are acknowledged: forgets them. n <= len. */
void sndq_acked(struct sndq *q, size_t n);

/* Whether lengths add up and the cursor is right. O(extents). */
bool sndq_check(const struct sndq *q);

#endif
