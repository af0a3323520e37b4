/* window.c: every packet has one verdict, the right one, in time, beside a kernel's list. */
#include "support.h"
#include "window.h"

enum { PACKETS = 4000 };

/* The kernel's queue: what it holds, by number, and the verdicts given. */
struct kernel {
    uint32_t first; /* number of packet 0 */
    uint32_t seen;  /* packets that came */
    bool here[PACKETS], lost[PACKETS];
    uint64_t due[PACKETS]; /* of those not lost */
    uint64_t now, last_due;
    uint32_t accepted, dropped, verdicts;
};

static void decide(struct kernel *k, uint32_t i, bool accept)
{
    assert_true(k->here[i]);
    k->here[i] = false;
    assert_int_equal(accept, !k->lost[i]);
    if (accept) {
        assert_true(k->due[i] <= k->now);
        assert_true(k->due[i] >= k->last_due); /* in the order of their moments */
        k->last_due = k->due[i];
    }
    k->accepted += accept;
    k->dropped += !accept;
}

static void give(void *arg, const struct window_verdict *verdict)
{
    struct kernel *k = arg;
    uint32_t last = verdict->number - k->first;
    k->verdicts++;
    assert_true(last < k->seen);
    if (!verdict->up_to) {
        decide(k, last, verdict->accept);
        return;
    }
    assert_null(verdict->held);
    for (uint32_t i = 0; i <= last; i++)
        if (k->here[i])
            decide(k, i, verdict->accept);
}

/* One of a moment, of none, or of a moment and a copy that has to go alone. */
static void arrive(struct window *w, struct kernel *k, struct rnd *rnd)
{
    uint32_t i = k->seen++;
    if (rnd_below(rnd, 50) == 0)
        return; /* an overflow: the number is never seen */
    k->here[i] = true;
    k->lost[i] = rnd_below(rnd, 4) == 0;
    k->due[i] = k->now + (rnd_below(rnd, 20) == 0 ? 3000 : 1000);
    struct held *held = window_put(w, k->first + i, k->lost[i] ? TIME_NEVER : k->due[i]);
    assert_non_null(held);
    if (!k->lost[i] && rnd_below(rnd, 10) == 0)
        held->packet = malloc(1);
}

static void every_packet_has_one_verdict_in_time(void **state)
{
    (void)state;
    struct rnd rnd = rnd_start("window");
    for (int round = 0; round < 50; round++) {
        struct test_mem t;
        struct window w;
        static struct kernel k;
        test_mem_init(&t);
        assert_true(window_init(&w, &t.mem));
        k = (struct kernel){.first = (uint32_t)rnd_magnitude(&rnd)};
        while (k.seen < PACKETS) {
            for (uint32_t n = rnd_skewed(&rnd, 100); n > 0 && k.seen < PACKETS; n--)
                arrive(&w, &k, &rnd);
            k.now += rnd_skewed(&rnd, 2000);
            k.last_due = 0;
            window_release(&w, k.now, UINT32_MAX, give, &k);
            assert_true(window_deadline(&w) > k.now);
        }
        k.now += 10000;
        window_release(&w, k.now, UINT32_MAX, give, &k);
        for (uint32_t i = 0; i < PACKETS; i++)
            assert_false(k.here[i]);
        assert_int_equal(w.waiting, 0);
        assert_int_equal(window_deadline(&w), TIME_NEVER);
        assert_true(k.accepted > PACKETS / 2 && k.dropped > PACKETS / 10);
        window_finish(&w);
        assert_int_equal(t.mem.used, 0);
    }
}

static void one_verdict_is_for_many(void **state)
{
    (void)state;
    struct test_mem t;
    struct window w;
    static struct kernel k;
    test_mem_init(&t);
    assert_true(window_init(&w, &t.mem));
    k = (struct kernel){.first = 1, .now = 5};
    for (; k.seen < 1000; k.seen++) {
        k.here[k.seen] = true;
        k.lost[k.seen] = k.seen == 500;
        window_put(&w, k.first + k.seen, k.seen == 500 ? TIME_NEVER : 5);
    }
    assert_int_equal(w.waiting, 999);
    window_release(&w, 4, 1000, give, &k);
    assert_int_equal(k.verdicts, 0);
    window_release(&w, 5, 10, give, &k);
    assert_int_equal(k.verdicts, 1);
    assert_int_equal(k.accepted, 10); /* not more than it was told */
    window_release(&w, 5, 1000, give, &k);
    assert_int_equal(k.verdicts, 4); /* up to the lost one, that, the rest */
    assert_int_equal(k.accepted, 999);
    window_finish(&w);
}

static void what_is_lost_waits_for_nobody_when_it_is_alone(void **state)
{
    (void)state;
    struct test_mem t;
    struct window w;
    static struct kernel k;
    test_mem_init(&t);
    assert_true(window_init(&w, &t.mem));
    k = (struct kernel){.seen = 1, .here = {true}, .lost = {true}};
    window_put(&w, 0, TIME_NEVER);
    assert_int_equal(window_deadline(&w), TIME_NEVER);
    window_release(&w, 0, 64, give, &k);
    assert_int_equal(k.dropped, 1);
    window_finish(&w);
}

static void a_window_has_an_end(void **state)
{
    (void)state;
    struct test_mem t;
    struct window w;
    static struct kernel k;
    test_mem_init(&t);
    assert_true(window_init(&w, &t.mem));
    struct held *held = window_put(&w, 7, 100);
    held->packet = malloc(1); /* is freed at the end */
    assert_non_null(window_put(&w, 7 + WINDOW_MAX - 1, 200));
    assert_null(window_put(&w, 7 + WINDOW_MAX, 200));
    k = (struct kernel){.first = 7, .seen = 1, .now = 100, .here = {true}, .due = {100}};
    window_release(&w, 100, 64, give, &k);
    assert_non_null(window_put(&w, 7 + WINDOW_MAX, 200));
    window_put(&w, 8 + WINDOW_MAX, 200)->packet = malloc(1);
    window_finish(&w);
    assert_int_equal(t.mem.used, 0);
}

static void no_memory_no_window(void **state)
{
    (void)state;
    for (unsigned int n = 1; n <= 2; n++) {
        struct test_mem t;
        struct window w;
        test_mem_init(&t);
        test_mem_fail_at(&t, n);
        assert_false(window_init(&w, &t.mem));
        assert_int_equal(t.mem.used, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_packet_has_one_verdict_in_time),
        cmocka_unit_test(one_verdict_is_for_many),
        cmocka_unit_test(what_is_lost_waits_for_nobody_when_it_is_alone),
        cmocka_unit_test(a_window_has_an_end),
        cmocka_unit_test(no_memory_no_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
