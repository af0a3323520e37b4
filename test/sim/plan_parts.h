/* The parts of plan_draw(). */
#ifndef PLAN_PARTS_H
#define PLAN_PARTS_H

#include "plan.h"

/* Mostly none, often a little, sometimes a lot. */
uint32_t plan_draw_ppm(struct rng *r, uint32_t most);

/* plan_net.c: who is linked to whom, and how. n_hosts and calm_ns are there. */
void plan_draw_net(struct plan *p, struct rng *r);

/* plan_app.c: the connections. The hosts are there. */
void plan_draw_conns(struct plan *p, struct rng *r);

#endif
