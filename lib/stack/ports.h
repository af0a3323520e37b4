/*
 * Ephemeral ports (RFC 6056, algorithm 4): which port comes next depends on a keyed hash of the
 * other three of the four-tuple, so that it can't be guessed from other connections; and it moves
 * on with connections whose hash has the same counter only, so that it does not tell how many
 * others there were.
 *
 * Knows which ports may be chosen, and which of them are somebody's by bind(); not which are in
 * use: the caller tries one after the other.
 */
#ifndef PORTS_H
#define PORTS_H

#include "mem.h"
#include "port_set.h"
#include "seg.h"
#include "siphash.h"

struct port_block {
    uint16_t first, count;
};

#define PORTS_COUNTERS 4096

struct ports {
    struct port_block *v;
    uint32_t n, room;
    uint32_t total;                /* ports in all blocks */
    uint32_t next[PORTS_COUNTERS]; /* RFC 6056 3.3.4 table */
    struct port_set bound;         /* not to be chosen */
    struct mem *mem;
};

struct ports_search {
    uint32_t start; /* the place to begin at */
    uint32_t *next; /* the counter, to which the places looked at are to be added */
};

void ports_init(struct ports *p, struct mem *mem);
void ports_finish(struct ports *p);

/* False for want of memory. Blocks must not overlap. */
bool ports_add(struct ports *p, uint16_t first, uint16_t count);

/* The search for this destination: the flow's local port is not looked at. */
struct ports_search ports_search(struct ports *p, const struct siphash_key *key,
                                 const struct flow *flow);

/* The port at place `at`, modulo their number. There must be one. O(blocks). */
uint16_t ports_at(const struct ports *p, uint32_t at);

#endif
