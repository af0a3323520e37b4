/* The socket table. See table.h. Called by the other files of stack/. */
#include "table.h"

#define BUCKETS_MIN 64

_Static_assert(sizeof(struct flow) == 36, "a flow has no padding: it is hashed as it lies");

bool table_init(struct table *t, const struct siphash_key *key, struct mem *mem)
{
    *t = (struct table){.key = *key, .mem = mem, .n_bucket = BUCKETS_MIN};
    t->bucket = mem_zalloc(mem, BUCKETS_MIN * sizeof *t->bucket);
    return t->bucket != NULL;
}

void table_finish(struct table *t)
{
    mem_free(t->mem, t->bucket, t->n_bucket * sizeof *t->bucket);
    t->bucket = NULL;
}

static struct table_node **slot(const struct table *t, uint64_t hash)
{
    return &t->bucket[hash & (t->n_bucket - 1)];
}

static void grow(struct table *t)
{
    struct table_node **old = t->bucket;
    uint32_t n_old = t->n_bucket;
    struct table_node **bigger = mem_zalloc(t->mem, 2 * n_old * sizeof *bigger);
    if (!bigger)
        return;
    t->bucket = bigger;
    t->n_bucket = 2 * n_old;
    for (uint32_t i = 0; i < n_old; i++) {
        for (struct table_node *node = old[i], *next; node; node = next) {
            next = node->next;
            struct table_node **s = slot(t, node->hash);
            node->next = *s;
            *s = node;
        }
    }
    mem_free(t->mem, old, n_old * sizeof *old);
}

void table_insert(struct table *t, struct table_node *node)
{
    if (t->n >= t->n_bucket && t->n_bucket < UINT32_C(1) << 31)
        grow(t);
    node->hash = siphash(&t->key, &node->flow, sizeof node->flow);
    struct table_node **s = slot(t, node->hash);
    node->next = *s;
    *s = node;
    t->n++;
}

void table_remove(struct table *t, struct table_node *node)
{
    struct table_node **at = slot(t, node->hash);
    while (*at != node)
        at = &(*at)->next;
    *at = node->next;
    node->next = NULL;
    t->n--;
    if (t->recent == node)
        t->recent = NULL;
}

static bool is_for(const struct table_node *node, const struct flow *flow)
{
    return memcmp(&node->flow, flow, sizeof *flow) == 0;
}

static struct table_node *find(const struct table *t, const struct flow *flow, uint64_t hash)
{
    struct table_node *node = *slot(t, hash);
    while (node && (node->hash != hash || !is_for(node, flow)))
        node = node->next;
    return node;
}

struct table_node *table_find(struct table *t, const struct flow *flow)
{
    if (t->recent && is_for(t->recent, flow))
        return t->recent;
    struct table_node *node = find(t, flow, siphash(&t->key, flow, sizeof *flow));
    if (node)
        t->recent = node;
    return node;
}

bool table_holds(const struct table *t, const struct table_node *node)
{
    return find(t, &node->flow, node->hash) == node;
}
