/* rcvq.c: the receive queue (RFC 9293 3.10.7.4, seventh step). */
#include "rcvq.h"
#include "support.h"

#define C           ((size_t)RCVQ_CHUNK)
#define BUF         (32 * C)
#define RING(n)     (sizeof(struct rcvq_held) + (n) * sizeof(uint8_t *))
#define RANGES_ROOM (RANGES_MAX * sizeof(struct range))

/* The octet that belongs at this offset. */
static uint8_t octet(uint64_t at)
{
    return (uint8_t)(at * 31 + at / 251);
}

static struct mem *mem; /* of the queue that setup() made last */
static bool pruned;     /* by the last insertion */

static bool take(struct rcvq *q, uint64_t at, const struct bytes *text, unsigned n)
{
    pruned = false;
    return rcvq_insert(q, mem, at, text, n, &pruned);
}

/* Inserts the octets that belong at [at, at + len), in pieces of at most `piece`. */
static bool insert_pieces(struct rcvq *q, uint64_t at, size_t len, size_t piece)
{
    static uint8_t buf[BUF];
    static struct bytes text[64];
    unsigned n = 0;
    assert_true(len <= sizeof buf);
    for (size_t i = 0; i < len; i++)
        buf[i] = octet(at + i);
    for (size_t done = 0; done < len; done += piece) {
        assert_true(n < 64);
        text[n++] = (struct bytes){buf + done, piece < len - done ? piece : len - done};
    }
    return take(q, at, text, n);
}

static bool insert(struct rcvq *q, uint64_t at, size_t len)
{
    return insert_pieces(q, at, len, SIZE_MAX);
}

/* Reads len octets, which must be there and be the ones that belong there. */
static void expect_read(struct rcvq *q, size_t len)
{
    static uint8_t got[BUF];
    uint64_t at = q->start;
    assert_true(len <= sizeof got);
    assert_int_equal(rcvq_peek(q, 0, got, len), len);
    assert_int_equal(q->start, at);
    rcvq_consume(q, len);
    for (size_t i = 0; i < len; i++) {
        if (got[i] != octet(at + i))
            fail_msg("octet %llu differs", (unsigned long long)(at + i));
    }
    assert_true(rcvq_check(q));
}

static void setup(struct test_mem *t, struct rcvq *q)
{
    test_mem_init(t);
    mem = &t->mem;
    rcvq_init(q);
}

static void teardown(struct test_mem *t, struct rcvq *q)
{
    assert_true(rcvq_check(q));
    rcvq_finish(q);
    assert_int_equal(t->mem.used, 0);
}

static void idle_holds_nothing(void **state)
{
    (void)state;
    struct test_mem t;
    struct rcvq q;
    uint8_t buf[1];
    setup(&t, &q);
    assert_int_equal(rcvq_peek(&q, 0, buf, 1), 0);
    assert_true(insert(&q, 0, 0));
    assert_true(take(&q, 0, NULL, 0));
    assert_int_equal(t.calls, 0);

    assert_true(insert(&q, 0, 10));
    assert_int_equal(rcvq_len(&q), 10);
    assert_true(t.mem.used > 0);
    expect_read(&q, 9);
    assert_true(t.mem.used > 0);
    expect_read(&q, 1);
    assert_int_equal(t.mem.used, 0);
    assert_true(insert(&q, 0, 10)); /* a retransmission of what was read */
    assert_int_equal(t.mem.used, 0);
    assert_int_equal(q.head, 10);
    teardown(&t, &q);
}

static void in_order(void **state)
{
    (void)state;
    struct test_mem t;
    struct rcvq q;
    setup(&t, &q);
    assert_true(insert_pieces(&q, 0, 5000, 1448));
    assert_int_equal(q.head, 5000);
    assert_true(insert_pieces(&q, 5000, 60000, 1448)); /* over several chunks */
    assert_true(insert(&q, 65000, 536));
    assert_int_equal(rcvq_len(&q), 65536);
    assert_int_equal(t.mem.used, 4 * C + RING(4));
    expect_read(&q, 100);
    expect_read(&q, C);
    assert_int_equal(t.mem.used, 3 * C + RING(4)); /* what the reader has passed is freed */
    expect_read(&q, 3 * C - 101);
    assert_int_equal(t.mem.used, C + RING(4));
    expect_read(&q, 1);
    assert_int_equal(t.mem.used, 0);
    teardown(&t, &q);
}

/* Held text is there and not in order, until it is released; together with what followed it. */
static void held(void **state)
{
    (void)state;
    struct test_mem t;
    struct rcvq q;
    uint8_t buf[300];
    const struct bytes text = {buf, sizeof buf};
    for (size_t i = 0; i < sizeof buf; i++)
        buf[i] = octet(i);
    setup(&t, &q);
    assert_int_equal(rcvq_release(&q), 0);
    test_mem_fail_at(&t, 1);
    assert_false(rcvq_hold(&q, mem, &text, 1));
    assert_int_equal(t.mem.used, 0);
    t.fail_at = 0;
    assert_true(rcvq_hold(&q, mem, &text, 1));
    assert_true(rcvq_check(&q));
    assert_int_equal(rcvq_len(&q), 0);
    assert_true(insert(&q, 300, 100));
    assert_int_equal(rcvq_len(&q), 0);
    assert_int_equal(rcvq_release(&q), 400);
    expect_read(&q, 400);
    assert_int_equal(t.mem.used, 0);

    setup(&t, &q);
    assert_true(rcvq_hold(&q, mem, &text, 1));
    teardown(&t, &q);
}

/* A long stream: the ring's slots are used again and again, and grow while in use. */
static void ring_wraps_and_grows(void **state)
{
    (void)state;
    struct test_mem t;
    struct rcvq q;
    setup(&t, &q);
    assert_true(insert(&q, 0, C / 2));
    for (size_t i = 0; i < 50; i++) {
        assert_true(insert(&q, q.head, 2 * C));
        assert_int_equal(q.held->n_chunk, 4);
        expect_read(&q, 2 * C);
    }
    for (size_t i = 1; i <= 20; i++) { /* unread grows by one chunk a time */
        assert_true(insert(&q, q.head, 3 * C));
        expect_read(&q, 2 * C);
    }
    assert_int_equal(q.held->n_chunk, 32);
    expect_read(&q, 20 * C + C / 2);
    assert_int_equal(t.mem.used, 0);
    teardown(&t, &q);
}

/* SHLD-31: segments beyond a hole are held, and delivered when it is filled. */
static void out_of_order(void **state)
{
    (void)state;
    struct test_mem t;
    struct rcvq q;
    setup(&t, &q);
    assert_true(insert(&q, 0, 100));
    assert_true(insert(&q, 200, 100));
    assert_true(insert(&q, 400, 100));
    assert_true(insert(&q, 5 * C, C + 1)); /* chunks between do not exist */
    assert_int_equal(t.mem.used, 3 * C + RING(8) + q.held->beyond.room * sizeof(struct range));
    assert_true(rcvq_has_hole(&q));
    assert_int_equal(q.head, 100);
    assert_int_equal(rcvq_len(&q), 100);
    assert_true(insert(&q, 100, 100)); /* exactly the hole */
    assert_int_equal(q.head, 300);
    assert_true(rcvq_has_hole(&q));
    assert_true(insert(&q, 250, 200)); /* the hole and some more on both sides */
    assert_int_equal(q.head, 500);
    expect_read(&q, 500); /* all that is in order: what lies beyond stays */
    assert_int_equal(q.held->beyond.n, 1);
    assert_true(insert(&q, 500, 5 * C));
    assert_int_equal(q.head, 6 * C + 1);
    assert_false(rcvq_has_hole(&q));
    expect_read(&q, 6 * C - 499);
    assert_int_equal(t.mem.used, 0);
    teardown(&t, &q);
}

/* One segment that covers several holes and what lies between. */
static void fills_many_holes(void **state)
{
    (void)state;
    struct test_mem t;
    struct rcvq q;
    setup(&t, &q);
    for (uint64_t at = 100; at < 3 * C; at += 1000)
        assert_true(insert(&q, at, 300));
    assert_true(insert_pieces(&q, 0, 3 * C, 1448));
    assert_int_equal(q.head, 49400); /* the last interval reaches beyond it */
    assert_false(rcvq_has_hole(&q));
    expect_read(&q, rcvq_len(&q));
    teardown(&t, &q);
}

/* Where segments overlap, the octets that came first stay, below head as well as beyond it. */
static void first_arrived_wins(void **state)
{
    (void)state;
    struct test_mem t;
    struct rcvq q;
    uint8_t first[4], other[12], got[12];
    setup(&t, &q);
    memset(first, 'a', sizeof first);
    memset(other, 'b', sizeof other);
    struct bytes four = {first, 4}, all[2] = {{other, 5}, {other + 5, 7}};
    assert_true(take(&q, 0, &four, 1));
    assert_true(take(&q, 6, &four, 1));
    assert_true(take(&q, 1, all, 2));
    assert_int_equal(rcvq_peek(&q, 0, got, sizeof got), 12);
    rcvq_consume(&q, 12);
    assert_memory_equal(got, "aaaabbaaaabb", 12);
    assert_int_equal(q.head, 13);
    teardown(&t, &q);
}

/* RCV.NXT does not move: what had not arrived in order has not arrived. */
static void discard(void **state)
{
    (void)state;
    struct test_mem t;
    struct rcvq q;
    setup(&t, &q);
    assert_true(insert(&q, 0, 3 * C + 5));
    assert_true(insert(&q, 6 * C, 100));
    expect_read(&q, 10);
    rcvq_discard(&q);
    assert_int_equal(t.mem.used, 0);
    assert_int_equal(q.head, 3 * C + 5);
    assert_int_equal(rcvq_len(&q), 0);
    assert_false(rcvq_has_hole(&q));
    assert_true(insert(&q, 3 * C + 5, C));
    expect_read(&q, C);
    teardown(&t, &q);
}

/* Whichever allocation is refused, nothing has changed, and the same insert succeeds later. */
static void refused_insert_changes_nothing(void **state)
{
    (void)state;
    for (int variant = 0; variant < 3; variant++) {
        bool done = false;
        for (unsigned nth = 1; !done; nth++) {
            struct test_mem t;
            struct rcvq q;
            setup(&t, &q);
            if (variant > 0) {
                assert_true(insert(&q, 0, 100));
                expect_read(&q, 50);
            }
            if (variant > 1) {
                for (uint64_t i = 1; i < 5; i++) /* the array of ranges is full */
                    assert_true(insert(&q, 2 * C + 100 * i, 50));
            }
            size_t used = t.mem.used;
            uint64_t head = q.head;
            test_mem_fail_at(&t, nth);
            done = insert(&q, C + 5, 4 * C);
            assert_int_equal(done, t.failed == 0);
            if (!done) {
                /* The ring of pointers may have grown, but not for an empty queue. */
                assert_in_range(t.mem.used, used, used + (variant > 0 ? RING(8) - RING(4) : 0));
                assert_int_equal(q.held->beyond.n, variant > 1 ? 4 : 0);
            }
            assert_int_equal(q.head, head);
            assert_true(rcvq_check(&q));
            test_mem_fail_at(&t, 0);
            assert_true(insert(&q, C + 5, 4 * C));
            assert_true(insert(&q, head, C + 5));
            expect_read(&q, rcvq_len(&q));
            assert_int_equal(q.start, 5 * C + 5);
            teardown(&t, &q);
            assert_true(nth < 20);
        }
    }
}

/* CVE-2018-5390: single octets, never two together, over a window of 16 MB, in
 * the worst order. Memory stays within the window and the bound on holes, a refused one leaves
 * nothing, and what fits to an interval that exists is still taken. */
static void single_octets_are_bounded(void **state)
{
    (void)state;
    const uint64_t window = 16 << 20;
    struct test_mem t;
    struct rcvq q;
    setup(&t, &q);
    size_t accepted = 0;
    for (uint64_t i = 0; i < 20000; i++)
        accepted += insert(&q, window - 1 - 2 * i, 1);
    assert_int_equal(accepted, RANGES_MAX);
    assert_int_equal(q.held->beyond.n, RANGES_MAX);
    size_t used = t.mem.used;
    assert_in_range(used, C, (RANGES_MAX * 2 / C + 1) * C + RING(window / C) + RANGES_ROOM);
    assert_true(rcvq_check(&q));

    assert_false(insert(&q, 2 * C, 1)); /* in a chunk of its own */
    assert_int_equal(t.mem.used, used);
    assert_true(insert(&q, window - 2, 1)); /* joins two */
    assert_int_equal(q.held->beyond.n, RANGES_MAX - 1);
    assert_true(insert(&q, 2 * C, 1));
    assert_int_equal(t.mem.used, used + C);
    assert_true(rcvq_check(&q));
    teardown(&t, &q);

    /* One octet in each chunk: never more than the window itself. */
    setup(&t, &q);
    for (uint64_t at = window - 1; at > C; at -= C)
        assert_true(insert(&q, at, 1));
    assert_true(t.mem.used <= window + RING(window / C) + RANGES_ROOM);
    teardown(&t, &q);
}

/* One lost burst under a memory limit: what was stored behind it must not keep it out when it is
 * sent again, and no text out of order takes the last quarter. */
static void order_drives_out_disorder(void **state)
{
    (void)state;
    struct test_mem t;
    struct rcvq q;
    setup(&t, &q);
    t.mem.limit = 16 * C;
    uint64_t at = 2 * C;
    while (insert(&q, at, C))
        at += C;
    assert_in_range(t.mem.used, t.mem.limit / 4 * 3, t.mem.limit / 4 * 3 + 2 * C);
    t.mem.limit = t.mem.used + C / 2; /* others have taken the rest */
    assert_true(insert(&q, 0, 2 * C));
    assert_int_equal(q.head, 2 * C);
    assert_false(rcvq_has_hole(&q));
    assert_true(rcvq_check(&q));
    expect_read(&q, 2 * C);
    teardown(&t, &q);
}

static void check_sees(void **state)
{
    (void)state;
    struct test_mem t;
    struct rcvq q;
    setup(&t, &q);
    assert_true(insert(&q, 0, 100));
    assert_true(insert(&q, 200, 100));
    assert_true(rcvq_check(&q));
    q.head = 200; /* what is beyond touches head */
    assert_false(rcvq_check(&q));
    q.head = 100;
    q.start = 101;
    assert_false(rcvq_check(&q));
    q.start = 0;
    q.held->beyond.v[0].end = 3 * C; /* no chunk there */
    assert_false(rcvq_check(&q));
    q.held->beyond.v[0].end = 5 * C; /* no slot there */
    assert_false(rcvq_check(&q));
    q.held->beyond.v[0].end = 200; /* empty */
    assert_false(rcvq_check(&q));
    rcvq_finish(&q);
    assert_int_equal(t.mem.used, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idle_holds_nothing),
        cmocka_unit_test(in_order),
        cmocka_unit_test(held),
        cmocka_unit_test(ring_wraps_and_grows),
        cmocka_unit_test(out_of_order),
        cmocka_unit_test(fills_many_holes),
        cmocka_unit_test(first_arrived_wins),
        cmocka_unit_test(discard),
        cmocka_unit_test(refused_insert_changes_nothing),
        cmocka_unit_test(single_octets_are_bounded),
        cmocka_unit_test(order_drives_out_disorder),
        cmocka_unit_test(check_sees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
