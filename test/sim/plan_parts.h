/* The parts of plan_draw(). */
#ifndef PLAN_PARTS_H
#define PLAN_PARTS_H

#include "plan.h"

/* Mostly none, often a little, sometimes a lot. */
uint32_t plan_draw_ppm(struct rng *r, uint32_t most);

/* A time in the phase of faults, mostly one shortly after a connection was opened. */
uint64_t plan_draw_moment(const struct plan *p, struct rng *r);

/* plan_net.c: who is linked to whom, and how. How many hosts there are, and when connections
 * are opened, is there. */
void plan_draw_net(struct plan *p, struct rng *r);

/* plan_app.c: the connections, but when they are opened. */
void plan_draw_conns(struct plan *p, struct rng *r);

#endif
