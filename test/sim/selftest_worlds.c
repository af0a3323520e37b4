/* Self test of whole worlds: a sabotaged one is found out, the same seed is the same world. */
#include <stdio.h>

#include "fail.h"
#include "selftest.h"
#include "world.h"

#define SEEDS 60

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

/* Two hosts, a connection, and no link. */
static void apart_from_each_other(struct plan *p, const void *ctx)
{
    (void)ctx;
    *p = (struct plan){.n_hosts = 2, .n_nodes = 2};
    plan_conns(p, 1);
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
        {"wrong mark", SABOTAGE_URGENT, "urgent"},
        {"leak", SABOTAGE_LEAK, "memory"},
        {"early tick", SABOTAGE_EARLY, "deadline"},
        {"split batches", SABOTAGE_SPLIT, "batch"},
        {"routers unheard", SABOTAGE_MTU, "path mtu"},
        {"text twice", SABOTAGE_TWICE, "again"},
        {"many ACKs", SABOTAGE_STORM, "ack storm"},
        {"output later", SABOTAGE_SPEAK, "silence"},
        {"sockets miscounted", SABOTAGE_COUNT, "stack_check"},
        {"cookies for all", SABOTAGE_COOKIE, "cookie"},
    };
    int failed = same_twice();
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        const struct world_options options = {.super = 1, .sabotage = tests[i].sabotage};
        failed += expect_world(tests[i].name, &options, tests[i].checker);
    }
    const struct world_options apart = {.plan = apart_from_each_other};
    failed += expect_world("hosts without a link", &apart, "net");
    return failed;
}
