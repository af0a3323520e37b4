/* Keep-alive: RFC 9293 3.8.4 (MUST-24 to MUST-29). */
#include "keepalive.h"
#include "nstime.h"
#include "support.h"

#define S(n) ((uint64_t)(n)*NS_PER_S)

static struct keepalive_settings settings(uint32_t idle_s, uint32_t interval_s, uint8_t probes)
{
    return (struct keepalive_settings){idle_s * 1000, interval_s * 1000, probes, true};
}

/* MUST-25: off by default. MUST-28: two hours at least. */
static void defaults(void **state)
{
    (void)state;
    struct keepalive_settings s = keepalive_default();
    assert_false(s.on);
    assert_true(s.idle_ms * NS_PER_MS >= S(7200));
    struct keepalive k = {0};
    keepalive_heard(&k, S(1));
    assert_true(keepalive_deadline(&k, &s) == TIME_NEVER);
    assert_false(keepalive_probe_due(&k, &s, 0, TIME_NEVER - 1));
    assert_false(keepalive_dead(&k, &s, 0, TIME_NEVER - 1));
    s.on = true; /* MUST-24; what was heard before counts */
    assert_int_equal(keepalive_deadline(&k, &s), S(7201));
    assert_false(keepalive_probe_due(&k, &s, 0, S(7201) - 1));
    assert_true(keepalive_probe_due(&k, &s, 0, S(7201)));
}

/* MUST-27: the intervals are the user's. MUST-29: one probe lost is no dead connection. */
static void probes_then_dead(void **state)
{
    (void)state;
    const struct keepalive_settings s = settings(100, 10, 3);
    struct keepalive k = {0};
    keepalive_heard(&k, 0);
    for (uint64_t i = 0; i < 3; i++) {
        uint64_t due = S(100 + 10 * i);
        assert_int_equal(keepalive_deadline(&k, &s), due);
        assert_false(keepalive_probe_due(&k, &s, 0, due - 1));
        assert_true(keepalive_probe_due(&k, &s, 0, due));
        assert_false(keepalive_dead(&k, &s, 0, due));
        keepalive_probed(&k, due);
    }
    assert_int_equal(keepalive_deadline(&k, &s), S(130));
    assert_false(keepalive_dead(&k, &s, 0, S(130) - 1));
    assert_true(keepalive_dead(&k, &s, 0, S(130)));
    assert_false(keepalive_probe_due(&k, &s, 0, S(130)));
}

/* Whatever is heard begins the idle time anew. */
static void heard_between_probes(void **state)
{
    (void)state;
    const struct keepalive_settings s = settings(100, 10, 2);
    struct keepalive k = {0};
    uint64_t now = S(100);
    for (int i = 0; i < 50; i++) {
        keepalive_probed(&k, now);
        keepalive_probed(&k, now + S(10));
        keepalive_heard(&k, now + S(11));
        assert_int_equal(keepalive_deadline(&k, &s), now + S(111));
        assert_false(keepalive_dead(&k, &s, 0, now + S(111)));
        now += S(111);
    }
}

/* The next probe is counted from when the last one went, however late that was: no burst. */
static void late_probe(void **state)
{
    (void)state;
    const struct keepalive_settings s = settings(100, 10, 2);
    struct keepalive k = {0};
    keepalive_heard(&k, 0);
    keepalive_probed(&k, S(5000));
    assert_false(keepalive_probe_due(&k, &s, 0, S(5010) - 1));
    assert_true(keepalive_probe_due(&k, &s, 0, S(5010)));
}

/* tcp(7): TCP_USER_TIMEOUT decides in place of the number of probes, both ways. MUST-29 all the
 * same: not by a single probe. */
static void user_timeout_decides(void **state)
{
    (void)state;
    const struct keepalive_settings s = settings(100, 10, 2);
    struct keepalive k = {0};
    keepalive_heard(&k, 0);
    assert_false(keepalive_dead(&k, &s, S(50), S(100)));
    keepalive_probed(&k, S(100));
    assert_false(keepalive_dead(&k, &s, S(50), S(110)));
    assert_true(keepalive_probe_due(&k, &s, S(50), S(110)));
    keepalive_probed(&k, S(110));
    assert_true(keepalive_dead(&k, &s, S(50), S(120)));
    assert_true(keepalive_dead(&k, &s, 0, S(120)));
    uint64_t now = S(120);
    for (; now < S(3800); now += S(10)) {
        assert_true(keepalive_probe_due(&k, &s, S(3800), now)); /* more than 256 of them */
        keepalive_probed(&k, now);
    }
    assert_true(keepalive_dead(&k, &s, S(3800), now));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(probes_then_dead),
        cmocka_unit_test(late_probe),
        cmocka_unit_test(heard_between_probes),
        cmocka_unit_test(user_timeout_decides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
