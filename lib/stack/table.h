/*
 * The socket table: four-tuple to socket. A chained hash under SipHash, so that an attacker can't
 * choose colliding ports; grows with its content. A listener's key has remote address and port 0.
 */
#ifndef TABLE_H
#define TABLE_H

#include "mem.h"
#include "seg.h"
#include "siphash.h"

struct table_node {
    struct flow flow;
    uint64_t hash;
    struct table_node *next;
};

struct table {
    struct table_node **bucket;
    uint32_t n_bucket, n; /* n_bucket: power of two */
    struct siphash_key key;
    struct mem *mem;
    struct table_node *recent; /* found last, if it is still there: most packets come in a row */
};

/* False for want of memory. */
bool table_init(struct table *t, const struct siphash_key *key, struct mem *mem);
void table_finish(struct table *t);

/* node->flow is the key and must not be in the table. Never fails: without memory to grow, chains
 * get longer. O(1) amortised. */
void table_insert(struct table *t, struct table_node *node);
void table_remove(struct table *t, struct table_node *node);

/* NULL when there is none. O(1) expected. */
struct table_node *table_find(struct table *t, const struct flow *flow);

/* Whether node is what its flow leads to: that it is in the table, and no other with this flow
 * before it. For tests; without the price of hashing. */
bool table_holds(const struct table *t, const struct table_node *node);

#endif
