/*
 * Checker of how much memory the engine has in use: not more than what its connections have to
 * hold, text that is not acknowledged and text that is not read, asks for.
 */
#ifndef CHECK_MEM_H
#define CHECK_MEM_H

#include "world.h"

/* When the engine has sent all. O(connections). */
void mem_check(const struct host *h);

#endif
