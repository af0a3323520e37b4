/* window.h - the packets of one direction that wait in the kernel's queue until their moment comes.
 *
 * The kernel numbers the packets of a queue and keeps them in a list, in which it looks for a
 * number from the oldest on; one verdict can stand for all up to a number. So verdicts are given
 * from the oldest on wherever the moments allow, many at once, and what is lost stays there until
 * it is the oldest: a verdict then costs the same however many packets wait. No socket, no clock.
 */
#ifndef NETNS_WINDOW_H
#define NETNS_WINDOW_H

#include "heap.h"

#include <stdbool.h>

/* Numbers from the oldest that waits to the newest: a power of two. */
#define WINDOW_MAX 131072

struct held {
    struct heap_node node; /* when it leaves, while it waits for that */
    bool lost;             /* waits for nothing but to be the oldest */
    bool twice, corrupt;   /* as pipeline.h has it */
    uint32_t bit;
    uint32_t len;
    uint8_t *packet; /* for these a copy of it, from malloc, freed with the verdict; or NULL */
};

struct window {
    struct heap due;
    uint32_t oldest, next; /* numbers: oldest == next, none waits */
    uint32_t waiting;      /* packets, without those lost */
    struct held *held;     /* WINDOW_MAX, by number */
};

/* What becomes of packets. */
struct window_verdict {
    bool accept; /* else drop */
    bool up_to;  /* all up to this number that still wait; else it alone */
    uint32_t number;
    struct held *held; /* of it alone; NULL of all */
};

typedef void window_give(void *arg, const struct window_verdict *verdict);

/* False: no memory. */
bool window_init(struct window *w, struct mem *mem);
void window_finish(struct window *w); /* allowed on a zeroed one */

/* The packet of that number, which is newer than every one before, waits until `due`, ns; or is
 * lost (TIME_NEVER). NULL: it is too far from the oldest, and is not taken. */
struct held *window_put(struct window *w, uint32_t number, uint64_t due);

/* The earliest moment; TIME_NEVER: none. */
uint64_t window_deadline(const struct window *w);

/* Gives the verdicts on what is due at `now`, `max` packets at the most, in the order of their
 * moments, and on what was lost and is the oldest. */
void window_release(struct window *w, uint64_t now, uint32_t max, window_give *give, void *arg);

#endif
