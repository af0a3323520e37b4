/* pipeline.h - what happens to a packet on its way through an impaired router. */
#ifndef NETNS_PIPELINE_H
#define NETNS_PIPELINE_H

#include "impair.h"

#include <stdbool.h>

/* Takes the next packet of that direction through every stage and counts it. True: forward it;
 * false: lose it. */
bool pipeline_pass(struct impair_state *state, int direction);

#endif
