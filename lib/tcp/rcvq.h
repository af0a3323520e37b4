/*
 * The receive queue: text in order that the user has not yet read, and text beyond a hole
 * (RFC 9293 3.10.7.4, seventh step; SHLD-31).
 *
 * Offsets are 64-bit positions in the stream, 0 being the first octet after the SYN; they never
 * wrap. Octets are copied to their place in chunks that cover the stream; a chunk exists only while
 * it holds unread octets or is the one being filled, so an idle connection holds none. Which octets
 * beyond the first hole are there is kept in a bounded set of ranges.
 *
 *      start            head                      limit
 *      | unread, in order | hole | arrived | hole |
 */
#ifndef RCVQ_H
#define RCVQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bytes.h"
#include "mem.h"
#include "ranges.h"

#define RCVQ_CHUNK 16384 /* octets of the stream per chunk */

/* A RECEIVE that waits for text (RFC 9293 3.10.3). */
struct receive {
    uint8_t *buf;
    size_t len;  /* octets of room, */
    size_t done; /* of which so many have got theirs */
    bool waits;  /* it has begun and has not ended: tcp_receive_begin() */
};

struct rcvq {
    uint64_t start; /* first unread octet */
    uint64_t head;  /* first octet that has not arrived; RCV.NXT */
    struct rcvq_held *held;
};

/* The text itself; one that is constant and holds nothing while nothing is unread or beyond. */
struct rcvq_held {
    struct mem *mem;
    struct ranges beyond; /* arrived beyond head */
    uint32_t n_chunk;     /* power of two, or 0 */
    uint8_t *chunk[];     /* a ring; chunk of offset o: (o / RCVQ_CHUNK) % n_chunk */
};

void rcvq_init(struct rcvq *q);
void rcvq_finish(struct rcvq *q);

/* Copies text to [at, at + the sum of lengths). Parts below head are ignored. The caller has cut it
 * to the window. What was there already stays as it was. False, with nothing marked, when memory
 * or the bound on holes refuses: then the text counts as not arrived. Text in order that is refused
 * drives out what lies beyond the first hole (*pruned becomes true); text out of order is refused
 * when three quarters of the memory are in use. */
bool rcvq_insert(struct rcvq *q, struct mem *mem, uint64_t at, const struct bytes *text, unsigned n,
                 bool *pruned);

/* The same for text that begins the stream and may not be read yet: it counts as beyond a hole
 * until rcvq_release(), which returns how many octets are in order then. */
bool rcvq_hold(struct rcvq *q, struct mem *mem, const struct bytes *text, unsigned n);
uint32_t rcvq_release(struct rcvq *q);

/* Copies of this text what comes next to a RECEIVE that waits, if nothing is unread before it, up
 * to where other text has arrived: it counts as read then. To be followed by rcvq_insert of the
 * same, for the rest. */
void rcvq_give(struct rcvq *q, struct receive *r, uint64_t at, const struct bytes *text,
               unsigned n);

/* Octets that can be read. */
static inline size_t rcvq_len(const struct rcvq *q)
{
    return (size_t)(q->head - q->start);
}

/* Whether something lies beyond a hole. */
static inline bool rcvq_has_hole(const struct rcvq *q)
{
    return q->held->beyond.n > 0;
}

/* Copies up to len octets, from the one behind `skip` unread ones on (skip <= rcvq_len), to buf
 * without taking them (MSG_PEEK). buf NULL: only counts them, for MSG_TRUNC. */
size_t rcvq_peek(const struct rcvq *q, size_t skip, void *buf, size_t len);

/* Takes n octets away; n <= rcvq_len. */
void rcvq_consume(struct rcvq *q, size_t n);

/* Throws away everything unread and beyond, and goes on as if it had been read. */
void rcvq_discard(struct rcvq *q);

bool rcvq_check(const struct rcvq *q);

#endif
