/* RFC 2018 4 and RFC 2883 4: which blocks an ACK reports. */
#include "sack.h"
#include "support.h"

#define HEAD   5000 /* the offset of what is next, which has the number NUMBER */
#define NUMBER 0xffffff00u
#define B(l, r)                                                                                    \
    {                                                                                              \
        HEAD + (l), HEAD + (r)                                                                     \
    }

struct receiver {
    struct test_mem mem;
    struct ranges beyond;
    struct sack sack;
};

static void setup(struct receiver *r)
{
    test_mem_init(&r->mem);
    ranges_init(&r->beyond, &r->mem.mem);
    r->sack = (struct sack){0};
}

static void finish(struct receiver *r)
{
    ranges_finish(&r->beyond);
    assert_int_equal(r->mem.live, 0);
}

/* [from, end) behind what is next arrives. */
static void arrives(struct receiver *r, uint64_t from, uint64_t end)
{
    sack_look(&r->sack, &r->beyond, HEAD + from, HEAD + end);
    assert_true(ranges_add(&r->beyond, HEAD + from, HEAD + end));
    sack_arrived(&r->sack, &r->beyond, HEAD + from);
}

/* The next ACK has these blocks, `max` at most. */
static void reports(struct receiver *r, unsigned max, unsigned n, const struct range *blocks)
{
    struct tcp_opts opts = {0};
    sack_report(&r->sack, &r->beyond, HEAD, seq(NUMBER), max, &opts);
    assert_int_equal(opts.n_sack, n);
    for (unsigned i = 0; i < n; i++) {
        assert_int_equal(opts.sack[i].left.v, (uint32_t)(NUMBER + blocks[i].start - HEAD));
        assert_int_equal(opts.sack[i].right.v, (uint32_t)(NUMBER + blocks[i].end - HEAD));
    }
}

#define REPORTS(max, ...)                                                                          \
    reports(&r, (max), sizeof((struct range[]){__VA_ARGS__}) / sizeof(struct range),               \
            (struct range[]){__VA_ARGS__})

static void nothing(void **state)
{
    (void)state;
    struct receiver r;
    setup(&r);
    assert_false(sack_any(&r.sack, &r.beyond));
    reports(&r, 4, 0, NULL);
    arrives(&r, 500, 1000);
    assert_true(sack_any(&r.sack, &r.beyond));
    reports(&r, 0, 0, NULL);
    finish(&r);
}

/* RFC 2018 4: the first block holds what made the receiver send this ACK; then those that were
 * reported most recently. */
static void latest_first(void **state)
{
    (void)state;
    struct receiver r;
    setup(&r);
    arrives(&r, 500, 1000);
    REPORTS(3, B(500, 1000));
    arrives(&r, 1500, 2000);
    REPORTS(3, B(1500, 2000), B(500, 1000));
    arrives(&r, 2500, 3000);
    arrives(&r, 3500, 4000);
    REPORTS(3, B(3500, 4000), B(2500, 3000), B(1500, 2000));
    REPORTS(4, B(3500, 4000), B(2500, 3000), B(1500, 2000), B(500, 1000));
    arrives(&r, 1000, 1200); /* an old block grows, and becomes the first */
    REPORTS(3, B(500, 1200), B(3500, 4000), B(2500, 3000));
    finish(&r);
}

/* RFC 2018 4: as many blocks as fit; more than have come lately, too. */
static void as_many_as_fit(void **state)
{
    (void)state;
    struct receiver r;
    setup(&r);
    for (unsigned i = 0; i < 6; i++)
        arrives(&r, 1000 + 1000 * i, 1500 + 1000 * i);
    r.sack.n_recent = 1;
    r.sack.unreported = 1;
    REPORTS(1, B(6000, 6500));
    REPORTS(2, B(6000, 6500), B(5000, 5500));
    REPORTS(4, B(6000, 6500), B(5000, 5500), B(4000, 4500), B(3000, 3500));
    finish(&r);
}

/* RFC 2018 4 has an ACK for each segment beyond a hole, and the block of this segment first in it.
 * Where segments arrive together each block is reported all the same, the earliest first. */
static void together(void **state)
{
    (void)state;
    struct receiver r;
    setup(&r);
    for (unsigned i = 0; i < 8; i++) {
        arrives(&r, 1000 + 1000 * i, 1400 + 1000 * i);
        arrives(&r, 1400 + 1000 * i, 1500 + 1000 * i); /* of one block, one report */
    }
    assert_true(sack_any_unreported(&r.sack));
    reports(&r, 0, 0, NULL); /* beside text there is no room */
    REPORTS(3, B(3000, 3500), B(2000, 2500), B(1000, 1500));
    sack_twice(&r.sack, HEAD - 1000, HEAD - 500);
    REPORTS(3, B(-1000, -500), B(5000, 5500), B(4000, 4500));
    assert_true(sack_any_unreported(&r.sack));
    REPORTS(3, B(8000, 8500), B(7000, 7500), B(6000, 6500));
    assert_false(sack_any_unreported(&r.sack));
    REPORTS(3, B(8000, 8500), B(7000, 7500), B(6000, 6500));
    arrives(&r, 1500, 1600);
    REPORTS(3, B(1000, 1600), B(8000, 8500), B(7000, 7500));
    assert_false(sack_any_unreported(&r.sack));
    for (unsigned i = 0; i < 5; i++) /* simulator, seed 1096: blocks that become one are one */
        arrives(&r, 20000 + 1000 * i, 20500 + 1000 * i);
    arrives(&r, 20500, 24000);
    REPORTS(3, B(20000, 24500), B(1000, 1600), B(8000, 8500));
    assert_false(sack_any_unreported(&r.sack));
    for (unsigned i = 0; i < 3;
         i++) /* 5879: the block of what has come twice is reported with it */
        arrives(&r, 30000 + 1000 * i, 30500 + 1000 * i);
    arrives(&r, 31000, 31200);
    arrives(&r, 33000, 33500);
    REPORTS(4, B(31000, 31200), B(31000, 31500), B(32000, 32500), B(30000, 30500));
    REPORTS(3, B(33000, 33500), B(31000, 31500), B(32000, 32500));
    assert_false(sack_any_unreported(&r.sack));
    ranges_drop_below(&r.beyond, HEAD + 40000);
    for (unsigned i = 0; i < 6; i++)
        arrives(&r, 40000 + 1000 * i, 40500 + 1000 * i);
    ranges_drop_below(&r.beyond, HEAD + 44000); /* 2454: what has been filled is not reported */
    REPORTS(3, B(45000, 45500), B(44000, 44500));
    assert_false(sack_any_unreported(&r.sack));
    finish(&r);
}

/* More blocks than are kept in mind: the earliest are not reported by themselves. */
static void very_many_together(void **state)
{
    (void)state;
    struct receiver r;
    setup(&r);
    for (unsigned i = 0; i < SACK_RECENT_MAX + 3; i++)
        arrives(&r, 1000 + 1000 * i, 1500 + 1000 * i);
    REPORTS(3, B(6000, 6500), B(5000, 5500), B(4000, 4500));
    for (unsigned reported = 3; reported < SACK_RECENT_MAX; reported += 3) {
        struct tcp_opts opts = {0};
        assert_true(sack_any_unreported(&r.sack));
        sack_report(&r.sack, &r.beyond, HEAD, seq(NUMBER), 3, &opts);
    }
    assert_false(sack_any_unreported(&r.sack));
    finish(&r);
}

/* Two that have become one are reported as one. */
static void joined(void **state)
{
    (void)state;
    struct receiver r;
    setup(&r);
    arrives(&r, 500, 1000);
    arrives(&r, 1500, 2000);
    arrives(&r, 1000, 1500);
    REPORTS(4, B(500, 2000));
    finish(&r);
}

/* What is no more beyond a hole is forgotten. */
static void filled(void **state)
{
    (void)state;
    struct receiver r;
    setup(&r);
    arrives(&r, 500, 1000);
    arrives(&r, 1500, 2000);
    ranges_drop_below(&r.beyond, HEAD + 1500);
    REPORTS(4, B(1500, 2000));
    ranges_drop_below(&r.beyond, HEAD + 2000);
    assert_false(sack_any(&r.sack, &r.beyond));
    reports(&r, 4, 0, NULL);
    finish(&r);
}

/* RFC 2883 4.1.1: text below what is acknowledged, once; the others follow. */
static void twice_below(void **state)
{
    (void)state;
    struct receiver r;
    setup(&r);
    sack_twice(&r.sack, HEAD - 1000, HEAD - 500);
    assert_true(sack_any(&r.sack, &r.beyond));
    REPORTS(4, B(-1000, -500));
    assert_false(sack_any(&r.sack, &r.beyond));
    arrives(&r, 500, 1000);
    sack_twice(&r.sack, HEAD - 1000, HEAD - 500);
    REPORTS(4, B(-1000, -500), B(500, 1000));
    REPORTS(4, B(500, 1000));
    finish(&r);
}

/* RFC 2883 4.1.2, 4.2.1: text beyond the hole: the block that it is part of is the second. */
static void twice_beyond(void **state)
{
    (void)state;
    struct receiver r;
    setup(&r);
    arrives(&r, 500, 2000);
    arrives(&r, 3000, 4000);
    arrives(&r, 1000, 1500);
    REPORTS(4, B(1000, 1500), B(500, 2000), B(3000, 4000));
    REPORTS(4, B(500, 2000), B(3000, 4000));
    finish(&r);
}

/* A block that came twice as a whole is reported as such and as a block. */
static void twice_a_whole_block(void **state)
{
    (void)state;
    struct receiver r;
    setup(&r);
    arrives(&r, 500, 1000);
    arrives(&r, 500, 1000);
    REPORTS(4, B(500, 1000), B(500, 1000));
    REPORTS(4, B(500, 1000));
    finish(&r);
}

/* RFC 2883 4.2.2, 4.2.3: only the part that has come before, at either end of the segment. */
static void twice_in_part(void **state)
{
    (void)state;
    struct receiver r;
    setup(&r);
    arrives(&r, 500, 1000);
    arrives(&r, 800, 1300);
    REPORTS(4, B(800, 1000), B(500, 1300));
    arrives(&r, 200, 600);
    REPORTS(4, B(500, 600), B(200, 1300));
    finish(&r);
}

/* RFC 2883 4: one such block in an ACK: the first that is not reported yet. */
static void twice_and_again(void **state)
{
    (void)state;
    struct receiver r;
    setup(&r);
    sack_twice(&r.sack, HEAD - 900, HEAD - 800);
    sack_twice(&r.sack, HEAD - 400, HEAD - 300);
    REPORTS(4, B(-900, -800));
    reports(&r, 4, 0, NULL);
    finish(&r);
}

/* Without room it is not lost. */
/* What has come twice and was then thrown away for want of memory is not reported: by itself it
 * would be taken for what is here (simulator, seed 328896). */
static void twice_then_pruned(void **state)
{
    (void)state;
    struct receiver r;
    setup(&r);
    arrives(&r, 0, 500);
    arrives(&r, 0, 500);
    ranges_drop_below(&r.beyond, HEAD + 500);
    reports(&r, 4, 0, NULL);
    assert_false(sack_any(&r.sack, &r.beyond));
    finish(&r);
}

static void twice_without_room(void **state)
{
    (void)state;
    struct receiver r;
    setup(&r);
    sack_twice(&r.sack, HEAD - 900, HEAD - 800);
    reports(&r, 0, 0, NULL);
    REPORTS(1, B(-900, -800));
    finish(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing),
        cmocka_unit_test(latest_first),
        cmocka_unit_test(as_many_as_fit),
        cmocka_unit_test(together),
        cmocka_unit_test(very_many_together),
        cmocka_unit_test(joined),
        cmocka_unit_test(filled),
        cmocka_unit_test(twice_below),
        cmocka_unit_test(twice_beyond),
        cmocka_unit_test(twice_a_whole_block),
        cmocka_unit_test(twice_in_part),
        cmocka_unit_test(twice_and_again),
        cmocka_unit_test(twice_then_pruned),
        cmocka_unit_test(twice_without_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
