/*
 * How tests of the engine are run: once for each of several pairs of initial sequence numbers, far
 * from and close to where numbers wrap or change sign, and again with allocations that fail
 * (no_memory.h).
 */
#ifndef RUN_H
#define RUN_H

#include "support.h"

struct numbers {
    const char *name;
    uint32_t iss, irs;
};

extern struct numbers run_numbers; /* those of this run */

/* Returns how many tests failed. */
int run_all(const struct CMUnitTest *tests, size_t n);

#endif
