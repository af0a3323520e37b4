/*
 * Checker of liveness: how long a connection may stand still when the faults are over, before
 * something is wrong with the engine.
 */
#ifndef CHECK_LIVE_H
#define CHECK_LIVE_H

#include "world.h"

/* How long nothing may go on without faults. */
uint64_t live_patience_ns(const struct world *w);

/* Whether c has stood still for longer than that, since the calm began. */
bool live_is_stuck(const struct world *w, const struct conn *c);

#endif
