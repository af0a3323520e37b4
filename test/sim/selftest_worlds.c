/* Self test of whole worlds: a sabotaged one is found out, the same seed is the same world. */
#include <stdio.h>
#include <string.h>

#include "fail.h"
#include "selftest.h"
#include "world.h"

#define SEEDS 60

/* How many of the seeds fail by this checker. */
static int found(enum sabotage sabotage, const char *checker)
{
    int n = 0;
    const struct world_options options = {.super = 1, .sabotage = sabotage};
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct world_result r;
        fail_frame.quiet = true;
        if (!world_run(seed, &options, &r) && strcmp(fail_frame.what, checker) == 0)
            n++;
        fail_frame.quiet = false;
    }
    return n;
}

static int same_twice(void)
{
    const struct world_options options = {.super = 44};
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct world_result a, b, c;
        fail_frame.quiet = true;
        world_run(seed, &options, &a);
        world_run(seed, &options, &b);
        world_run(seed + 1, &options, &c);
        fail_frame.quiet = false;
        if (a.hash != b.hash || a.hash == c.hash) {
            printf("seed %llu is not one world\n", (unsigned long long)seed);
            return 1;
        }
    }
    return 0;
}

int selftest_worlds(void)
{
    static const struct {
        const char *name;
        enum sabotage sabotage;
        const char *checker;
    } tests[] = {
        {"no ticks", SABOTAGE_TICK, "liveness"},
        {"lost events", SABOTAGE_EVENT, "liveness"},
        {"wrong text", SABOTAGE_PAYLOAD, "payload"},
        {"forged RST", SABOTAGE_RESET, "reset"},
        {"leak", SABOTAGE_LEAK, "memory"},
        {"early tick", SABOTAGE_EARLY, "deadline"},
        {"split batches", SABOTAGE_SPLIT, "batch"},
        {"routers unheard", SABOTAGE_MTU, "path mtu"},
        {"text twice", SABOTAGE_TWICE, "again"},
        {"many ACKs", SABOTAGE_STORM, "ack storm"},
        {"output later", SABOTAGE_SPEAK, "silence"},
        {"sockets miscounted", SABOTAGE_COUNT, "stack_check"},
    };
    int failed = same_twice();
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        int n = found(tests[i].sabotage, tests[i].checker);
        if (n == 0) {
            printf("%s: no world failed by %s\n", tests[i].name, tests[i].checker);
            failed++;
        }
    }
    return failed;
}
