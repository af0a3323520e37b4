/* The life of a world, event by event. */
#ifndef RUN_H
#define RUN_H

#include "world.h"

/* Until everything has ended, or w->until_ns, or a checker fails. */
void world_live(struct world *w);

#endif
