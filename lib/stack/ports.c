/* Ephemeral ports (RFC 6056 3.3.4). See ports.h. Called by calls.c. */
#include "ports.h"

void ports_init(struct ports *p, struct mem *mem)
{
    *p = (struct ports){.mem = mem};
}

void ports_finish(struct ports *p)
{
    mem_free(p->mem, p->v, p->room * sizeof *p->v);
    ports_init(p, p->mem);
}

bool ports_add(struct ports *p, uint16_t first, uint16_t count)
{
    if (p->n == p->room) {
        uint32_t room = p->room ? 2 * p->room : 4;
        struct port_block *v = mem_alloc(p->mem, room * sizeof *v);
        if (!v)
            return false;
        if (p->n > 0)
            memcpy(v, p->v, p->n * sizeof *v);
        mem_free(p->mem, p->v, p->room * sizeof *p->v);
        p->v = v;
        p->room = room;
    }
    p->v[p->n++] = (struct port_block){first, count};
    p->total += count;
    return true;
}

struct ports_search ports_search(struct ports *p, const struct siphash_key *key,
                                 const struct flow *flow)
{
    struct flow f = *flow;
    f.local_port = 0;
    uint64_t hash = siphash(key, &f, sizeof f); /* its halves are the RFC's F and G */
    uint32_t *next = &p->next[(hash >> 32) % PORTS_COUNTERS];
    return (struct ports_search){.start = (uint32_t)hash + *next, .next = next};
}

uint16_t ports_at(const struct ports *p, uint32_t at)
{
    at %= p->total;
    const struct port_block *b = p->v;
    while (at >= b->count)
        at -= (b++)->count;
    return (uint16_t)(b->first + at);
}
