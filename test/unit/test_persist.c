/* The persist timer: RFC 9293 3.8.6.1 (SHLD-29, SHLD-30), 3.8.6.2.1 (4). */
#include "persist.h"
#include "support.h"

#define MS(n) ((uint64_t)(n)*NS_PER_MS)

static void off_at_first(void **state)
{
    (void)state;
    struct persist p = PERSIST_OFF;
    assert_false(persist_on(&p));
    assert_false(persist_due(&p, 0));
    assert_false(persist_due(&p, UINT64_MAX));
    assert_true(p.due_ns == TIME_NEVER);
}

/* SHLD-29: the first probe after one RTO. */
static void first_after_rto(void **state)
{
    (void)state;
    struct persist p = PERSIST_OFF;
    persist_start(&p, MS(300), MS(1000));
    assert_true(persist_on(&p));
    assert_int_equal(p.due_ns, MS(1300));
    assert_false(persist_due(&p, MS(1300) - 1));
    assert_true(persist_due(&p, MS(1300)));
    assert_true(persist_due(&p, MS(9999)));
}

/* Starting a timer that runs must not put it off: window updates of 0 would stop all probes. */
static void start_is_idempotent(void **state)
{
    (void)state;
    struct persist p = PERSIST_OFF;
    persist_start(&p, MS(300), MS(1000));
    persist_start(&p, MS(5000), MS(1200));
    assert_int_equal(p.due_ns, MS(1300));
    assert_int_equal(p.interval_ns, MS(300));
}

/* SHLD-30: exponential, up to the maximum. */
static void backs_off(void **state)
{
    (void)state;
    struct persist p = PERSIST_OFF;
    persist_start(&p, NS_PER_S, 0);
    uint64_t now = p.due_ns, expect = NS_PER_S;
    for (int i = 0; i < 100; i++) {
        expect = time_min(2 * expect, 60 * NS_PER_S);
        persist_backoff(&p, now);
        assert_int_equal(p.due_ns - now, expect);
        now = p.due_ns;
    }
    assert_int_equal(p.interval_ns, 60 * NS_PER_S);
}

/* The interval is counted from when the probe goes, however late that is. */
static void late_probe(void **state)
{
    (void)state;
    struct persist p = PERSIST_OFF;
    persist_start(&p, MS(200), 0);
    persist_backoff(&p, MS(250));
    assert_int_equal(p.due_ns, MS(650));
}

/* 3.8.6.2.1: the override is 0.1 s at least; a first interval is 60 s at most. */
static void clamped(void **state)
{
    (void)state;
    struct persist p = PERSIST_OFF;
    persist_start(&p, MS(5), 0);
    assert_int_equal(p.due_ns, MS(100));
    persist_stop(&p);
    persist_start(&p, UINT64_MAX, 0);
    assert_int_equal(p.due_ns, 60 * NS_PER_S);
}

/* A window that shuts anew begins with one RTO again. */
static void stop_forgets(void **state)
{
    (void)state;
    struct persist p = PERSIST_OFF;
    persist_start(&p, MS(300), 0);
    persist_backoff(&p, MS(300));
    persist_stop(&p);
    assert_false(persist_on(&p));
    assert_false(persist_due(&p, MS(100000)));
    persist_start(&p, MS(400), MS(2000));
    assert_int_equal(p.due_ns, MS(2400));
}

/* Whatever the RTO: intervals grow to exactly twice as long, or stay at the maximum. */
static void intervals_for_all_rtos(void **state)
{
    (void)state;
    struct rnd r = rnd_start(__func__);
    for (int run = 0; run < 5000; run++) {
        struct persist p;
        uint64_t now = rnd_magnitude(&r) >> 1;
        p = (struct persist)PERSIST_OFF;
        persist_start(&p, rnd_magnitude(&r), now);
        uint64_t last = p.due_ns - now;
        assert_in_range(last, PERSIST_MIN_NS, PERSIST_MAX_NS);
        for (int i = 0; i < 12; i++) {
            now = p.due_ns + rnd_below(&r, 1000000);
            assert_true(persist_due(&p, now));
            persist_backoff(&p, now);
            uint64_t interval = p.due_ns - now;
            assert_true(interval == 2 * last ||
                        (interval == PERSIST_MAX_NS && interval < 2 * last));
            last = interval;
        }
        assert_int_equal(last, PERSIST_MAX_NS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(off_at_first),        cmocka_unit_test(first_after_rto),
        cmocka_unit_test(start_is_idempotent), cmocka_unit_test(backs_off),
        cmocka_unit_test(late_probe),          cmocka_unit_test(clamped),
        cmocka_unit_test(stop_forgets),        cmocka_unit_test(intervals_for_all_rtos),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
