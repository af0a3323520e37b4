/*
 * Worlds that are always the same and only measured: the tables in golden/ are what comes out, and
 * a change of behaviour is a change of numbers there. Whole numbers only, so that they are the same
 * with every compiler and on every machine.
 */
#ifndef GOLDEN_H
#define GOLDEN_H

#include "nstime.h"
#include "world.h"

/* Hosts with an MTU of 1500 and the engine's defaults, a plan without faults or connections. */
void golden_hosts(struct plan *p, uint32_t n, uint32_t super);

/* The next edge, the same in both directions. */
struct edge *golden_edge(struct plan *p, uint32_t a, uint32_t b, uint64_t delay_ns);

/* Runs a world; ends the program when a checker fails. */
void golden_run(uint64_t seed, const struct world_options *options);

/* The tables. */
void golden_throughput(void);
void golden_fairness(void);
void golden_distance(void);
void golden_first_byte(void);
void golden_matrix(void);

#endif
