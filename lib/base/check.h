/*
 * Invariants of this program's own making, never of its input.
 *
 * CHECK(cond) aborts in debug, test and fuzz builds. In release builds (NDEBUG) it only answers
 * whether the condition held, so that the caller can give up the one connection concerned: it is
 * reset, counted and reported to the trace. Usable by every floor.
 */
#ifndef CHECK_H
#define CHECK_H

#include <assert.h>
#include <stdbool.h>

#ifdef NDEBUG
#define CHECK(cond) (__builtin_expect(!!(cond), 1))
#else
#define CHECK(cond) (assert(cond), true)
#endif

#endif
