/* sndq.c: the send queue. */
#include "sndq_octets.h"

#define SMALL 2048u
#define LARGE 65536u

static uint8_t text[4 * LARGE];

static void setup(struct test_mem *k, struct sndq *q)
{
    struct rnd rng = {1};
    rnd_fill(&rng, text, sizeof text);
    test_mem_init(k);
    sndq_init(q, &k->mem);
}

static void empty_holds_nothing(void **state)
{
    (void)state;
    struct test_mem k;
    struct sndq q;
    struct bytes ref;
    unsigned n = 7;
    setup(&k, &q);
    assert_int_equal(sndq_append(&q, text, 0), 0);
    assert_int_equal(sndq_refs(&q, 0, 1, &ref, 1, &n), 0);
    assert_int_equal(n, 0);
    assert_int_equal(k.calls, 0);

    assert_int_equal(sndq_append(&q, text, 100), 100);
    assert_true(k.mem.used > 0);
    sndq_acked(&q, 100);
    assert_int_equal(k.mem.used, 0);
    assert_true(sndq_check(&q));
    sndq_finish(&q);
}

/* What little a connection sends costs 2 KiB; what is appended goes into the tail's spare room. */
static void sizes(void **state)
{
    (void)state;
    struct test_mem k;
    struct sndq q;
    setup(&k, &q);
    for (size_t i = 0; i < 15; i++)
        assert_int_equal(sndq_append(&q, text + 100 * i, 100), 100);
    assert_int_equal(k.mem.used, SMALL);
    assert_int_equal(sndq_append(&q, text + 1500, 1500), 1500);
    assert_int_equal(k.mem.used, 2 * SMALL);
    assert_int_equal(sndq_append(&q, text + 3000, 3000), 3000);
    assert_int_equal(k.mem.used, 2 * SMALL + LARGE);
    assert_int_equal(sndq_append(&q, text + 6000, 50000), 50000);
    assert_int_equal(k.mem.used, 2 * SMALL + LARGE);
    expect_octets(&q, 0, text, 56000);

    /* Wholly acknowledged extents go at once, each one (RFC 9293 3.10.7.4, fifth step). */
    sndq_acked(&q, 3000);
    assert_int_equal(k.mem.used, SMALL + LARGE);
    expect_octets(&q, 0, text + 3000, 53000);
    sndq_acked(&q, 2000);
    assert_int_equal(k.mem.used, LARGE);
    expect_octets(&q, 0, text + 5000, 51000);
    sndq_finish(&q);
    assert_int_equal(k.mem.used, 0);
}

/* What is left over after one extent is judged by itself; what fits exactly takes no second one. */
static void sizes_at_the_edges(void **state)
{
    (void)state;
    struct test_mem k;
    struct sndq q;
    size_t room = 0;
    setup(&k, &q);
    for (; k.mem.used <= SMALL; room++)
        sndq_append(&q, text, 1);
    room--;
    sndq_finish(&q);
    assert_int_equal(k.mem.used, 0);

    assert_int_equal(sndq_append(&q, text, room), room);
    assert_int_equal(k.mem.used, SMALL);
    sndq_finish(&q);
    assert_int_equal(sndq_append(&q, text, room + 1), room + 1);
    assert_int_equal(k.mem.used, LARGE);
    sndq_finish(&q);
    assert_int_equal(sndq_append(&q, text, LARGE), LARGE);
    assert_int_equal(k.mem.used, LARGE + SMALL);
    sndq_finish(&q);
    assert_int_equal(k.mem.used, 0);
    assert_int_equal(q.len, 0);
    assert_true(sndq_check(&q));
}

/* However small the pieces, a long queue has few extents: lookups from the front stay cheap. */
static void long_queue_has_few_extents(void **state)
{
    (void)state;
    struct test_mem k;
    struct sndq q;
    setup(&k, &q);
    for (size_t at = 0; at < sizeof text; at += 64)
        assert_int_equal(sndq_append(&q, text + at, 64), 64);
    assert_in_range(k.calls, 4, LARGE / SMALL + 2 + sizeof text / LARGE);
    expect_octets(&q, 0, text, sizeof text);
    sndq_finish(&q);
    assert_int_equal(k.mem.used, 0);
}

static void refs_end_where_asked(void **state)
{
    (void)state;
    struct test_mem k;
    struct sndq q;
    struct bytes refs[4];
    unsigned n;
    setup(&k, &q);
    for (size_t i = 0; i < 4; i++)
        assert_true(sndq_give(&q, text + 1000 * i, 0, 1000));
    assert_int_equal(sndq_refs(&q, 500, 2000, refs, 4, &n), 2000);
    assert_int_equal(n, 3);
    assert_ptr_equal(refs[0].ptr, text + 500);
    assert_int_equal(refs[0].len, 500);
    assert_ptr_equal(refs[1].ptr, text + 1000);
    assert_int_equal(refs[1].len, 1000);
    assert_ptr_equal(refs[2].ptr, text + 2000);
    assert_int_equal(refs[2].len, 500);

    assert_int_equal(sndq_refs(&q, 500, 2000, refs, 2, &n), 1500); /* too few references */
    assert_int_equal(n, 2);
    assert_int_equal(sndq_refs(&q, 0, 1000, refs, 4, &n), 1000); /* an extent's edge */
    assert_int_equal(n, 1);
    assert_int_equal(sndq_refs(&q, 3999, SIZE_MAX, refs, 4, &n), 1); /* beyond what is held */
    assert_ptr_equal(refs[0].ptr, text + 3999);
    assert_int_equal(sndq_refs(&q, 3999, 2, refs, 4, &n), 1);
    assert_int_equal(n, 1);
    assert_int_equal(sndq_refs(&q, 4000, 1, refs, 4, &n), 0);
    assert_int_equal(n, 0);
    assert_int_equal(sndq_refs(&q, 0, 1000, refs, 0, &n), 0);
    assert_int_equal(n, 0);
    sndq_finish(&q);
}

/* The cursor follows the lookups forward, an acknowledgement moves or drops it. */
static void cursor(void **state)
{
    (void)state;
    struct test_mem k;
    struct sndq q;
    struct bytes refs[2];
    unsigned n;
    setup(&k, &q);
    for (size_t i = 0; i < 4; i++)
        assert_true(sndq_give(&q, text + 1000 * i, 0, 1000));
    sndq_refs(&q, 1500, 1000, refs, 2, &n);
    assert_int_equal(q.cursor_at, 2000);
    sndq_acked(&q, 1500);
    assert_non_null(q.cursor);
    assert_int_equal(q.cursor_at, 500);
    assert_true(sndq_check(&q));
    sndq_acked(&q, 700); /* into the cursor's extent */
    assert_int_equal(q.cursor_at, 0);
    assert_true(sndq_check(&q));
    expect_octets(&q, 0, text + 2200, 1800);
    sndq_refs(&q, 0, 1, refs, 2, &n);
    sndq_acked(&q, 800); /* all of the cursor's extent */
    assert_null(q.cursor);
    expect_octets(&q, 0, text + 3000, 1000);
    sndq_finish(&q);
}

/* A block that was given is referred to where it lies, and is freed once its octets are
 * acknowledged; what is appended goes behind it. */
static void given(void **state)
{
    (void)state;
    struct test_mem k;
    struct sndq q;
    struct bytes refs[2];
    unsigned n;
    setup(&k, &q);
    sndq_append(&q, text, 100);
    size_t used = k.mem.used;
    uint8_t *block = mem_alloc(&k.mem, LARGE);
    memcpy(block, text + 100, 60000);
    assert_true(sndq_give(&q, block, LARGE, 60000));
    assert_in_range(k.mem.used, used + LARGE, used + LARGE + 128); /* no copy */
    assert_int_equal(sndq_append(&q, text + 60100, 100), 100);
    assert_int_equal(sndq_refs(&q, 110, 50000, refs, 2, &n), 50000);
    assert_int_equal(n, 1);
    assert_ptr_equal(refs[0].ptr, block + 10);
    expect_octets(&q, 0, text, 60200);
    assert_true(sndq_check(&q));
    sndq_acked(&q, 60099);
    expect_octets(&q, 0, text + 60099, 101);
    assert_true(k.mem.used > LARGE);
    sndq_acked(&q, 1);
    assert_int_equal(k.mem.used, SMALL);

    block = mem_alloc(&k.mem, LARGE); /* and when the queue ends */
    assert_true(sndq_give(&q, block, LARGE, 1));
    sndq_finish(&q);
    assert_int_equal(k.mem.used, 0);
}

/* Little is copied, and what there is room for; all or nothing. */
static void given_and_copied(void **state)
{
    (void)state;
    struct test_mem k;
    struct sndq q;
    setup(&k, &q);
    sndq_append(&q, text, 1500);
    uint8_t *block = mem_alloc(&k.mem, LARGE);
    memcpy(block, text + 1500, 1000);
    test_mem_fail_at(&k, 1);
    assert_false(sndq_give(&q, block, LARGE, 1000));
    assert_int_equal(q.len, 1500);
    test_mem_fail_at(&k, 0);
    assert_true(sndq_give(&q, block, LARGE, 1000));
    assert_int_equal(k.mem.used, 2 * SMALL);

    sndq_append(&q, text + 2500, 5000); /* in a large one, which has room */
    block = mem_alloc(&k.mem, 50000);
    memcpy(block, text + 7500, 50000);
    test_mem_fail_at(&k, 1);
    assert_true(sndq_give(&q, block, 50000, 50000));
    test_mem_fail_at(&k, 0);
    assert_int_equal(k.mem.used, 2 * SMALL + LARGE);
    expect_octets(&q, 0, text, 57500);
    assert_true(sndq_check(&q));
    sndq_finish(&q);
    assert_int_equal(k.mem.used, 0);
}

/* As much as memory allows: a small extent when a large one is refused, and then what fits. */
static void append_takes_what_fits(void **state)
{
    (void)state;
    struct test_mem k;
    struct sndq q;
    setup(&k, &q);
    k.mem.limit = LARGE + 2 * SMALL + SMALL / 2;
    size_t taken = sndq_append(&q, text, sizeof text);
    assert_int_equal(k.mem.used, LARGE + 2 * SMALL);
    assert_in_range(taken, LARGE + 2 * SMALL - 3 * 64, LARGE + 2 * SMALL);
    assert_int_equal(q.len, taken);
    expect_octets(&q, 0, text, taken);
    assert_int_equal(sndq_append(&q, text, 1), 0);
    k.mem.limit = k.mem.used;
    assert_false(sndq_give(&q, text, 0, 1));
    assert_int_equal(q.len, taken);
    sndq_finish(&q);
    assert_int_equal(k.mem.used, 0);
}

/* Whether the octet at `at` is the one at `where`. */
static bool refers_to(struct sndq *q, size_t at, const uint8_t *where)
{
    struct bytes ref;
    unsigned n;
    return sndq_refs(q, at, 1, &ref, 1, &n) == 1 && ref.ptr == where;
}

/* The memory for copies is taken at once; what is acknowledged before sndq_keep() is not copied. */
static void lent(void **state)
{
    (void)state;
    struct test_mem k;
    struct sndq q;
    static uint8_t own[3 * LARGE];
    setup(&k, &q);
    memcpy(own, text, sizeof own);
    assert_int_equal(sndq_lend(&q, own, sizeof own), sizeof own);
    size_t used = k.mem.used;
    assert_in_range(used, sizeof own, sizeof own + LARGE);
    assert_true(refers_to(&q, 0, own));
    assert_true(refers_to(&q, 2 * LARGE, own + 2 * LARGE));
    assert_int_equal(q.lent, sizeof own);
    assert_true(sndq_check(&q));
    sndq_acked(&q, LARGE + 1000);
    assert_int_equal(q.lent, 2 * LARGE - 1000);
    assert_true(sndq_check(&q));
    sndq_keep(&q);
    assert_int_equal(q.lent, 0);
    assert_true(sndq_check(&q));
    memset(own, 0xee, sizeof own);
    expect_octets(&q, 0, text + LARGE + 1000, 2 * LARGE - 1000);
    assert_true(k.mem.used < used);
    sndq_keep(&q); /* nothing is lent: nothing changes */
    expect_octets(&q, 0, text + LARGE + 1000, 2 * LARGE - 1000);
    sndq_finish(&q);
    assert_int_equal(k.mem.used, 0);
}

/* The copies are as dense as if they had been made at once. The cursor is right wherever it was. */
static void lent_behind_a_copy(void **state)
{
    (void)state;
    for (size_t looked_up = 0; looked_up < 3000; looked_up += 500) {
        struct test_mem k;
        struct sndq q;
        setup(&k, &q);
        assert_int_equal(sndq_append(&q, text, 1000), 1000);
        assert_int_equal(sndq_lend(&q, text + 1000, 500), 500);
        assert_int_equal(sndq_append(&q, text + 1500, 10), 10); /* not over what was lent */
        assert_int_equal(sndq_lend(&q, text + 1510, 1490), 1490);
        assert_int_equal(k.mem.used, 4 * SMALL);
        expect_octets(&q, looked_up, text + looked_up, 1);
        sndq_keep(&q);
        assert_true(sndq_check(&q));
        assert_int_equal(k.mem.used, 2 * SMALL);
        expect_octets(&q, looked_up, text + looked_up, 1);
        expect_octets(&q, 0, text, 3000);
        sndq_finish(&q);
    }
}

/* What there is no memory for is not lent: all that is can be kept. */
static void lend_takes_what_fits(void **state)
{
    (void)state;
    struct test_mem k;
    struct sndq q;
    setup(&k, &q);
    k.mem.limit = LARGE + 2 * SMALL + SMALL / 2;
    size_t taken = sndq_lend(&q, text, sizeof text);
    assert_in_range(taken, LARGE + 2 * SMALL - 3 * 64, LARGE + 2 * SMALL);
    assert_int_equal(q.lent, taken);
    assert_int_equal(sndq_lend(&q, text, 1), 0);
    unsigned calls = k.calls;
    sndq_keep(&q);
    assert_int_equal(k.calls, calls);
    expect_octets(&q, 0, text, taken);
    sndq_finish(&q);
    assert_int_equal(k.mem.used, 0);

    /* Without memory, what there is room for behind a copy. */
    assert_int_equal(sndq_append(&q, text, 100), 100);
    k.mem.limit = k.mem.used;
    taken = sndq_lend(&q, text + 100, 10000);
    assert_in_range(taken, SMALL - 100 - 64, SMALL - 100);
    assert_int_equal(q.lent, 0);
    expect_octets(&q, 0, text, 100 + taken);
    sndq_finish(&q);
}

static void check_sees(void **state)
{
    (void)state;
    struct test_mem k;
    struct sndq q;
    struct bytes ref;
    unsigned n;
    setup(&k, &q);
    assert_true(sndq_give(&q, text, 0, 100));
    assert_true(sndq_give(&q, text, 0, 100));
    sndq_refs(&q, 150, 1, &ref, 1, &n);
    assert_true(sndq_check(&q));
    q.len++;
    assert_false(sndq_check(&q));
    q.len--;
    q.cursor_at--;
    assert_false(sndq_check(&q));
    q.cursor_at++;
    q.lent++;
    assert_false(sndq_check(&q));
    q.lent--;
    sndq_finish(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_holds_nothing),
        cmocka_unit_test(sizes),
        cmocka_unit_test(sizes_at_the_edges),
        cmocka_unit_test(long_queue_has_few_extents),
        cmocka_unit_test(refs_end_where_asked),
        cmocka_unit_test(cursor),
        cmocka_unit_test(given),
        cmocka_unit_test(given_and_copied),
        cmocka_unit_test(append_takes_what_fits),
        cmocka_unit_test(lent),
        cmocka_unit_test(lent_behind_a_copy),
        cmocka_unit_test(lend_takes_what_fits),
        cmocka_unit_test(check_sees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
