/*
 * What cuts nodes off from each other for a while. Two sets of nodes, one bit each, are enough for
 * an interface that goes down and up (both ways, again and again), a partition (a set and all
 * others, both ways) and a break in one direction.
 */
#ifndef CUT_H
#define CUT_H

#include <stdbool.h>
#include <stdint.h>

struct cut {
    uint32_t from, to; /* nothing passes from one of these to one of those, */
    bool both;         /* nor back */
    uint64_t from_ns, to_ns;
    uint64_t down_ns, up_ns; /* up_ns above 0: down for so long, up for so long, and again */
};

static inline bool cut_concerns(const struct cut *c, uint32_t a, uint32_t b)
{
    bool there = c->from >> a & 1 && c->to >> b & 1;
    return there || (c->both && c->from >> b & 1 && c->to >> a & 1);
}

static inline bool cut_holds(const struct cut *c, uint64_t now_ns)
{
    if (now_ns < c->from_ns || now_ns >= c->to_ns)
        return false;
    return c->up_ns == 0 || (now_ns - c->from_ns) % (c->down_ns + c->up_ns) < c->down_ns;
}

#endif
