/*
 * A checker that cannot fail is a defect: each is fed something wrong here and has to say so, and
 * something right, and has to be silent. No engine takes part, but in whole worlds, where what it
 * does is spoiled from outside, and where one is lived twice and has to be the same.
 */
#include "selftest.h"

#include <stdio.h>
#include <string.h>

#include "fail.h"
#include "world.h"

#define SEEDS_FOUND 500

static const char *found[1000];
static size_t n_found;

int expect(const char *name, void (*act)(void *arg), void *arg, const char *checker)
{
    fail_frame.what = NULL;
    fail_frame.armed = fail_frame.quiet = true;
    if (setjmp(fail_frame.env) == 0)
        act(arg);
    fail_frame.armed = fail_frame.quiet = false;
    const char *what = fail_frame.what ? fail_frame.what : "nothing";
    if (strcmp(what, checker ? checker : "nothing") == 0) {
        found[n_found++] = what;
        return 0;
    }
    printf("%s: %s was found, should be %s\n", name, what, checker ? checker : "nothing");
    return 1;
}

int expect_world(const char *name, const struct world_options *options, const char *checker)
{
    bool good = false;
    fail_frame.quiet = true;
    for (uint64_t seed = 1; seed <= SEEDS_FOUND && !good; seed++) {
        struct world_result r;
        good = !world_run(seed, options, &r) && strcmp(fail_frame.what, checker) == 0;
    }
    fail_frame.quiet = false;
    if (good)
        found[n_found++] = checker;
    else
        printf("%s: no world failed by %s\n", name, checker);
    return !good;
}

static bool was_found(const char *checker)
{
    for (size_t i = 0; i < n_found; i++)
        if (strcmp(found[i], checker) == 0)
            return true;
    return false;
}

/* Every checker of the simulator was seen to fail. */
static int all_found(void)
{
    int failed = 0;
    for (const char *const *c = __start_sim_checkers; c < __stop_sim_checkers; c++) {
        if (was_found(*c))
            continue;
        printf("%s: no self test shows it failing\n", *c);
        found[n_found++] = *c;
        failed++;
    }
    return failed;
}

int main(void)
{
    int failed = selftest_wire() + selftest_again() + selftest_sack();
    failed += selftest_blocks() + selftest_cc() + selftest_ts() + selftest_ecn();
    failed += selftest_ends() + selftest_cookie() + selftest_flood() + selftest_reuse() +
              selftest_live() + selftest_frames() + selftest_calls() + selftest_worlds();
    return failed + all_found() > 0;
}
