/*
 * Every test again with allocations that fail: at each of them the process forks, and the rest of
 * the test, up to its end or again(), runs once with that one failing and, when there are more,
 * once with all after it failing as well.
 *
 * What the test expects may then not come true. But the engine must have said before that it was
 * refused memory, by ERR_NOMEM, a short count or a counter; nothing may crash or hang; what holds
 * always has to hold; and all memory has to come back.
 */
#ifndef NO_MEMORY_H
#define NO_MEMORY_H

#include "support.h"

/* What became of a test. */
enum no_memory {
    NO_MEMORY_BORNE,  /* all is well, or the engine has said why not */
    NO_MEMORY_SILENT, /* an expectation did not come true, and nobody had said a word */
    NO_MEMORY_BROKEN, /* what holds always does not */
    NO_MEMORY_LEAKED,
    NO_MEMORY_CRASHED, /* or did not end */
};

/* Runs n tests, as a group of cmocka's. Returns how many failed, or did not bear it. outcomes:
 * NULL, or what became of each, which is then neither printed nor a failure. */
int no_memory_run(const struct CMUnitTest *tests, size_t n, enum no_memory *outcomes);

/* From here on nothing fails in this test: for one that goes on with hundreds of allocations of a
 * kind that has failed before. It says why. */
void no_memory_spares(void);

/* Until here. */
void no_memory_goes_on(void);

/* ---- For the languages of segments.h and hosts.h ---- */

/* The allocations of m are those that fail. */
void no_memory_watch(struct test_mem *m);

/* The engine has said that it was refused memory: when it has. */
void no_memory_told(bool when);

/* Whether it has: then a test may end in any way. */
bool no_memory_excused(void);

/* An expectation has not come true. always: one of those that hold whatever is refused. */
void no_memory_failed(bool always);

/* The test, or what again() ends, is at its end. */
void no_memory_passed(void);

/* And has torn down what it had: asserts that no memory is in use. */
void no_memory_gives_back(const struct test_mem *m);

#endif
