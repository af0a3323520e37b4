/* Allocations that fail. See no_memory.h. */
#include "no_memory.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define HANGS_AFTER_S 60

enum role {
    OFF,
    PARENT,   /* nothing fails */
    SPARED,   /* nor will it */
    CHILD,    /* one allocation has failed */
    CHILD_ON, /* and all after it do */
};

static struct {
    enum role role;

    const struct CMUnitTest *tests;
    enum no_memory *outcomes;
    size_t n_begun;
    unsigned allocations;   /* of this test so far */
    enum no_memory outcome; /* of this test: of the first child that has not borne it */

    bool told, failed, broken, passed; /* the child */
    bool asked_again;                  /* for memory, after it was refused */
} run;

static const char *const outcome_text[] = {
    [NO_MEMORY_SILENT] = "nobody was told, and",
    [NO_MEMORY_BROKEN] = "what holds always does not",
    [NO_MEMORY_LEAKED] = "memory is lost",
    [NO_MEMORY_CRASHED] = "it crashes, or does not end",
};

static bool in_child(void)
{
    return run.role >= CHILD;
}

/* ---- The child ---- */

static void begin_child(bool quiet)
{
    static const int crashes[] = {SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGSYS};
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
        signal(crashes[i], SIG_DFL); /* cmocka takes a crash for an expectation that fails */
    alarm(HANGS_AFTER_S);
    int null = quiet ? open("/dev/null", O_WRONLY) : -1;
    if (null >= 0) {
        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
    }
}

#define ASKED_AGAIN 0x10

/* The outcome is the exit status, and whether there were more allocations. */
__attribute__((noreturn)) static void end_child(bool leaked)
{
    enum no_memory outcome = NO_MEMORY_BORNE;
    if (run.broken)
        outcome = NO_MEMORY_BROKEN;
    else if (leaked)
        outcome = NO_MEMORY_LEAKED;
    else if ((run.failed || !run.passed) && !run.told)
        outcome = NO_MEMORY_SILENT;
    fflush(NULL);
    _exit((int)outcome | (run.asked_again ? ASKED_AGAIN : 0));
}

/* ---- Allocations ---- */

/* Returns true in the child, and in the parent when that has ended. */
static bool forks(enum role role, bool quiet, enum no_memory *outcome)
{
    int status;
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        run.role = role;
        begin_child(quiet);
        return true;
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : NO_MEMORY_CRASHED;
    run.asked_again = code & ASKED_AGAIN;
    code &= ~ASKED_AGAIN;
    *outcome = code < NO_MEMORY_CRASHED ? (enum no_memory)code : NO_MEMORY_CRASHED;
    return false;
}

/* Whether the allocation fails: this is the child then. One that does not bear it is run again for
 * everybody to see. */
static bool fails(enum role role)
{
    enum no_memory outcome;
    run.asked_again = false;
    if (run.outcome != NO_MEMORY_BORNE)
        return false;
    if (forks(role, true, &outcome))
        return true;
    run.outcome = outcome;
    if (outcome == NO_MEMORY_BORNE || run.outcomes)
        return false;
    print_error("%s: allocation %u fails%s: %s:\n", run.tests[run.n_begun - 1].name,
                run.allocations, role == CHILD_ON ? ", and all after it" : "",
                outcome_text[outcome]);
    return forks(role, false, &outcome);
}

static void *alloc(void *ctx, size_t size)
{
    run.allocations++;
    run.asked_again |= in_child();
    if (run.role == CHILD_ON || (run.role == PARENT && fails(CHILD)))
        return NULL;
    if (run.role == PARENT && run.asked_again && fails(CHILD_ON)) /* else it would be the same */
        return NULL;
    return test_mem_alloc(ctx, size);
}

/* ---- What tests and their languages say ---- */

void no_memory_spares(void)
{
    if (run.role == PARENT)
        run.role = SPARED;
}

void no_memory_goes_on(void)
{
    if (run.role == SPARED)
        run.role = PARENT;
}

void no_memory_watch(struct test_mem *m)
{
    m->mem.alloc = alloc;
}

void no_memory_told(bool when)
{
    run.told |= when;
}

bool no_memory_excused(void)
{
    return in_child() && run.told;
}

void no_memory_failed(bool always)
{
    run.failed = true;
    run.broken |= always;
}

void no_memory_passed(void)
{
    run.passed = true;
}

void no_memory_gives_back(const struct test_mem *m)
{
    if (in_child())
        end_child(m->mem.used > 0 || m->live > 0);
    run.told = run.failed = run.broken = run.passed = false;
    assert_int_equal(m->mem.used, 0);
    assert_int_equal(m->live, 0);
}

/* ---- Running ---- */

/* Instead of each test's own. */
static int setup(void **state)
{
    if (in_child())
        end_child(false); /* the last test's teardown has failed */
    const struct CMUnitTest *test = &run.tests[run.n_begun++];
    run.allocations = 0;
    run.outcome = NO_MEMORY_BORNE;
    run.told = run.failed = run.broken = run.passed = false;
    return test->setup_func ? test->setup_func(state) : 0;
}

static void body(void **state)
{
    size_t i = run.n_begun - 1;
    run.role = PARENT;
    run.tests[i].test_func(state);
    no_memory_passed();
    if (in_child())
        return;
    run.role = OFF;
    if (run.outcomes)
        run.outcomes[i] = run.outcome;
    else if (run.outcome != NO_MEMORY_BORNE)
        fail();
}

int no_memory_run(const struct CMUnitTest *tests, size_t n, enum no_memory *outcomes)
{
    struct CMUnitTest *again = malloc(n * sizeof *again);
    if (!again)
        abort();
    memcpy(again, tests, n * sizeof *again);
    for (size_t i = 0; i < n; i++) {
        again[i].setup_func = setup;
        again[i].test_func = body;
    }
    run.tests = tests;
    run.outcomes = outcomes;
    run.n_begun = 0;
    int failed = _cmocka_run_group_tests("each allocation fails", again, n, NULL, NULL);
    if (in_child())
        end_child(false);
    free(again);
    return failed;
}
