/* ranges.c: the set of intervals behind reassembly: cost and memory bounded. */
#include "ranges.h"
#include "support.h"

static void assert_ranges(const struct ranges *r, const struct range *want, uint32_t n)
{
    assert_true(ranges_check(r));
    assert_int_equal(r->n, n);
    uint64_t total = 0;
    for (uint32_t i = 0; i < n; i++) {
        assert_int_equal(r->v[i].start, want[i].start);
        assert_int_equal(r->v[i].end, want[i].end);
        total += want[i].end - want[i].start;
    }
    assert_int_equal(ranges_total(r), total);
}

#define ASSERT_RANGES(r, ...)                                                                      \
    assert_ranges((r), (const struct range[]){__VA_ARGS__},                                        \
                  sizeof((const struct range[]){__VA_ARGS__}) / sizeof(struct range))

static void merges_what_touches_or_overlaps(void **state)
{
    (void)state;
    struct test_mem t;
    test_mem_init(&t);
    struct ranges r;
    ranges_init(&r, &t.mem);
    assert_true(ranges_check(&r));
    assert_true(ranges_add(&r, 10, 20));
    assert_true(ranges_add(&r, 30, 40));
    assert_true(ranges_add(&r, 50, 60));
    ASSERT_RANGES(&r, {10, 20}, {30, 40}, {50, 60});
    assert_true(ranges_add(&r, 12, 18)); /* inside */
    assert_true(ranges_add(&r, 10, 20)); /* the same */
    ASSERT_RANGES(&r, {10, 20}, {30, 40}, {50, 60});
    assert_true(ranges_add(&r, 20, 21)); /* touches below */
    assert_true(ranges_add(&r, 29, 30)); /* touches above */
    ASSERT_RANGES(&r, {10, 21}, {29, 40}, {50, 60});
    assert_true(ranges_add(&r, 22, 28)); /* one octet off on each side: a fourth */
    ASSERT_RANGES(&r, {10, 21}, {22, 28}, {29, 40}, {50, 60});
    assert_true(ranges_add(&r, 21, 29)); /* closes both holes */
    ASSERT_RANGES(&r, {10, 40}, {50, 60});
    assert_true(ranges_add(&r, 5, 100)); /* around all */
    ASSERT_RANGES(&r, {5, 100});
    assert_true(ranges_add(&r, UINT64_MAX - 1, UINT64_MAX));
    assert_true(ranges_add(&r, 0, 1));
    ASSERT_RANGES(&r, {0, 1}, {5, 100}, {UINT64_MAX - 1, UINT64_MAX});
    ranges_finish(&r);
    assert_int_equal(t.mem.used, 0);
}

static void drop_and_find(void **state)
{
    (void)state;
    struct test_mem t;
    test_mem_init(&t);
    struct ranges r;
    ranges_init(&r, &t.mem);
    assert_null(ranges_find(&r, 0));
    ranges_drop_below(&r, 100);
    assert_true(ranges_add(&r, 10, 20));
    assert_true(ranges_add(&r, 30, 40));
    assert_null(ranges_find(&r, 9));
    assert_ptr_equal(ranges_find(&r, 10), &r.v[0]);
    assert_ptr_equal(ranges_find(&r, 19), &r.v[0]);
    assert_null(ranges_find(&r, 20));
    assert_ptr_equal(ranges_find(&r, 30), &r.v[1]);
    assert_null(ranges_find(&r, 40));
    ranges_drop_below(&r, 10);
    ASSERT_RANGES(&r, {10, 20}, {30, 40});
    ranges_drop_below(&r, 15);
    ASSERT_RANGES(&r, {15, 20}, {30, 40});
    ranges_drop_below(&r, 20);
    ASSERT_RANGES(&r, {30, 40});
    ranges_drop_below(&r, 39);
    ASSERT_RANGES(&r, {39, 40});
    ranges_drop_below(&r, 40);
    assert_int_equal(r.n, 0);
    assert_int_equal(t.mem.used, 0); /* an idle connection holds nothing */
    ranges_finish(&r);
}

/* A peer who sends every second octet. */
static void at_the_cap_nothing_changes(void **state)
{
    (void)state;
    struct test_mem t;
    test_mem_init(&t);
    struct ranges r;
    ranges_init(&r, &t.mem);
    for (uint64_t i = 0; i < RANGES_MAX; i++)
        assert_true(ranges_add(&r, 10 + 2 * i, 11 + 2 * i));
    assert_int_equal(r.n, RANGES_MAX);
    assert_int_equal(t.mem.used, RANGES_MAX * sizeof(struct range));
    const uint64_t top = 10 + 2 * RANGES_MAX;
    assert_false(ranges_add(&r, 0, 1));
    assert_false(ranges_add(&r, top, top + 1));
    assert_int_equal(r.n, RANGES_MAX);
    assert_int_equal(ranges_total(&r), RANGES_MAX);
    assert_int_equal(r.v[0].start, 10);
    assert_true(ranges_check(&r));
    /* What needs no new interval still works, and makes room for one. */
    assert_true(ranges_add(&r, 9, 10));
    assert_true(ranges_add(&r, 11, 12));
    assert_int_equal(r.n, RANGES_MAX - 1);
    assert_true(ranges_add(&r, top, top + 1));
    assert_true(ranges_check(&r));
    assert_true(ranges_add(&r, 0, top + 1));
    ASSERT_RANGES(&r, {0, top + 1});
    ranges_finish(&r);
    assert_int_equal(t.mem.used, 0);
}

/* Growth from 4 by doubling; each allocation in turn is refused. */
static void refused_memory_changes_nothing(void **state)
{
    (void)state;
    enum { GROWTHS = 9 }; /* 4, 8, ... 1024 */
    for (unsigned k = 1; k <= GROWTHS; k++) {
        struct test_mem t;
        test_mem_init(&t);
        struct ranges r;
        ranges_init(&r, &t.mem);
        test_mem_fail_at(&t, k);
        uint32_t n = 0;
        while (ranges_add(&r, 2 * n, 2 * n + 1))
            n++;
        assert_int_equal(n, k == 1 ? 0 : 1u << k);
        assert_int_equal(t.calls, k);
        assert_int_equal(r.n, n);
        assert_int_equal(ranges_total(&r), n);
        assert_true(ranges_check(&r));
        test_mem_fail_at(&t, 0);
        assert_true(ranges_add(&r, 2 * n, 2 * n + 1));
        assert_int_equal(r.n, n + 1);
        assert_true(ranges_check(&r));
        ranges_finish(&r);
        assert_int_equal(t.mem.used, 0);
    }
}

#define UNIVERSE 300

static void compare(const struct ranges *r, const bool *map)
{
    assert_true(ranges_check(r));
    uint32_t total = 0, runs = 0;
    for (uint32_t at = 0; at < UNIVERSE; at++) {
        const struct range *hit = ranges_find(r, at);
        assert_int_equal(hit != NULL, map[at]);
        if (hit)
            assert_true(hit->start <= at && at < hit->end);
        total += map[at];
        runs += map[at] && (at == 0 || !map[at - 1]);
    }
    assert_int_equal(ranges_total(r), total);
    assert_int_equal(r->n, runs);
}

static void agrees_with_a_bitmap(void **state)
{
    (void)state;
    struct rnd rnd = rnd_start("ranges");
    struct test_mem t;
    test_mem_init(&t);
    for (int round = 0; round < 200; round++) {
        struct ranges r;
        bool map[UNIVERSE] = {false};
        ranges_init(&r, &t.mem);
        uint32_t below = 0, longest = 1 + rnd_below(&rnd, 12);
        for (int step = 0; step < 60; step++) {
            if (rnd_below(&rnd, 10) == 0) {
                below = rnd_below(&rnd, UNIVERSE);
                ranges_drop_below(&r, below);
                memset(map, 0, below);
            } else {
                uint32_t start = rnd_below(&rnd, UNIVERSE - 12);
                uint32_t len = 1 + rnd_below(&rnd, longest);
                assert_true(ranges_add(&r, start, start + len));
                memset(map + start, 1, len);
            }
            compare(&r, map);
        }
        ranges_finish(&r);
        assert_int_equal(t.mem.used, 0);
    }
}

static void check_finds_damage(void **state)
{
    (void)state;
    struct range v[] = {{1, 2}, {4, 6}, {8, 9}, {10, 11}, {12, 13}};
    struct ranges r = {.v = v, .n = 2, .room = 4};
    assert_true(ranges_check(&r));
    v[1] = (struct range){2, 6}; /* adjacent: should have been merged */
    assert_false(ranges_check(&r));
    v[1] = (struct range){4, 4}; /* empty */
    assert_false(ranges_check(&r));
    v[1] = (struct range){0, 1}; /* out of order */
    assert_false(ranges_check(&r));
    v[1] = (struct range){4, 6};
    v[0] = (struct range){1, 1}; /* the first empty */
    assert_false(ranges_check(&r));
    v[0] = (struct range){1, 2};
    r.room = RANGES_MAX + 1; /* past the cap */
    assert_false(ranges_check(&r));
    r.room = 4;
    r.n = 5; /* more than there is room for */
    assert_false(ranges_check(&r));
    r.n = 0; /* memory kept for nothing */
    assert_false(ranges_check(&r));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merges_what_touches_or_overlaps),
        cmocka_unit_test(drop_and_find),
        cmocka_unit_test(at_the_cap_nothing_changes),
        cmocka_unit_test(refused_memory_changes_nothing),
        cmocka_unit_test(agrees_with_a_bitmap),
        cmocka_unit_test(check_finds_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
