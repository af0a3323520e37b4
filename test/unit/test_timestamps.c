/* Timestamps: RFC 7323 4.1, 4.3, 5.2 to 5.5, over the whole range of the 32 bits. */
#include "nstime.h"
#include "support.h"
#include "timestamps.h"

#define MS     NS_PER_MS
#define DAY_NS (24 * 3600 * NS_PER_S)

/* Numbers on both sides of where 32 bits wrap, or change their sign. */
static const uint32_t places[] = {0,          1,          0x7fffffff, 0x80000000,
                                  0x80000001, 0xfffffffe, UINT32_MAX, 0x12345678};
#define N_PLACES (sizeof places / sizeof *places)

static struct timestamps begun(uint32_t recent, uint64_t now_ns)
{
    struct timestamps ts = {0};
    timestamps_begin(&ts, recent, seq(1000), now_ns);
    return ts;
}

/* 5.4: one tick a ms, from any offset, through the wrap after 49 days. */
static void clock(void **state)
{
    (void)state;
    for (unsigned i = 0; i < N_PLACES; i++) {
        struct timestamps ts = {.offset = places[i]};
        assert_int_equal(timestamps_val(&ts, 0), places[i]);
        assert_int_equal(timestamps_val(&ts, MS - 1), places[i]);
        assert_int_equal(timestamps_val(&ts, MS), places[i] + 1);
        assert_int_equal(timestamps_val(&ts, 5 * NS_PER_S), places[i] + 5000);
        assert_int_equal(timestamps_val(&ts, (UINT64_C(1) << 32) * MS - 1), places[i] - 1);
        assert_int_equal(timestamps_val(&ts, (UINT64_C(1) << 32) * MS), places[i]);
    }
}

/* 5.2: s < t if 0 < t - s < 2^31. */
static void outdated(void **state)
{
    (void)state;
    for (unsigned i = 0; i < N_PLACES; i++) {
        uint32_t recent = places[i];
        struct timestamps ts = begun(recent, 10 * NS_PER_S);
        assert_false(timestamps_outdated(&ts, recent, 10 * NS_PER_S));
        assert_false(timestamps_outdated(&ts, recent + 1, 10 * NS_PER_S));
        assert_false(timestamps_outdated(&ts, recent + 0x7fffffff, 10 * NS_PER_S));
        assert_false(timestamps_outdated(&ts, recent + 0x80000000, 10 * NS_PER_S));
        assert_true(timestamps_outdated(&ts, recent + 0x80000001, 10 * NS_PER_S));
        assert_true(timestamps_outdated(&ts, recent - 1, 10 * NS_PER_S));
    }
}

/* RFC 6191 2 wants one that is greater, which none is that is as great. */
static void newer(void **state)
{
    (void)state;
    for (unsigned i = 0; i < N_PLACES; i++) {
        struct timestamps ts = begun(places[i], 0);
        assert_false(timestamps_newer(&ts, places[i]));
        assert_true(timestamps_newer(&ts, places[i] + 1));
        assert_true(timestamps_newer(&ts, places[i] + 0x7fffffff));
        assert_false(timestamps_newer(&ts, places[i] + 0x80000000));
        assert_false(timestamps_newer(&ts, places[i] - 1));
    }
}

/* 5.5: after more than 24 days nothing is too old, and what comes then counts. The time is that
 * since TS.Recent was taken, also when the same value was taken again. */
static void after_24_days(void **state)
{
    (void)state;
    for (unsigned i = 0; i < N_PLACES; i++) {
        uint64_t now_ns = 10 * NS_PER_S + i * 7 * DAY_NS;
        struct timestamps ts = begun(places[i], now_ns);
        assert_true(timestamps_outdated(&ts, places[i] - 1, now_ns + 24 * DAY_NS));
        assert_false(timestamps_outdated(&ts, places[i] - 1, now_ns + 24 * DAY_NS + NS_PER_S));
        assert_false(timestamps_outdated(&ts, places[i] - 1, now_ns + 1000 * DAY_NS));
        now_ns += 20 * DAY_NS;
        timestamps_arrived(&ts, places[i], seq(1000), now_ns);
        assert_true(timestamps_outdated(&ts, places[i] - 1, now_ns + 24 * DAY_NS));
        now_ns += 25 * DAY_NS;
        timestamps_arrived(&ts, places[i] - 1000, seq(1000), now_ns);
        assert_int_equal(ts.recent, places[i] - 1000);
        assert_true(timestamps_outdated(&ts, places[i] - 1001, now_ns));
    }
}

/* 4.3 (2): what begins at or before Last.ACK.sent is recorded, by numbers that wrap as well. */
static void echoed(void **state)
{
    (void)state;
    for (unsigned i = 0; i < N_PLACES; i++) {
        struct timestamps ts = {0};
        uint32_t acked = places[i];
        timestamps_begin(&ts, 5, seq(acked), 0);
        assert_int_equal(ts.recent, 5);
        timestamps_arrived(&ts, 6, seq(acked + 1), 0);
        assert_int_equal(ts.recent, 5);
        timestamps_arrived(&ts, 7, seq(acked), 0);
        assert_int_equal(ts.recent, 7);
        timestamps_arrived(&ts, 8, seq(acked - 1), 0);
        assert_int_equal(ts.recent, 8);
        ts.last_ack_sent = seq(acked + 100);
        timestamps_arrived(&ts, 9, seq(acked + 100), 0);
        assert_int_equal(ts.recent, 9);
        timestamps_arrived(&ts, 10, seq(acked + 101), 0);
        assert_int_equal(ts.recent, 9);
    }
}

/* 4.1: the clock less the echo, one tick at least. */
static void round_trip(void **state)
{
    (void)state;
    for (unsigned i = 0; i < N_PLACES; i++) {
        struct timestamps ts = {.offset = places[i]};
        uint64_t now_ns = 7 * NS_PER_S + 999999;
        uint32_t now = timestamps_val(&ts, now_ns);
        const uint32_t ms[] = {0, 1, 2, 250, 120000, 0x7fffffff};
        for (unsigned j = 0; j < sizeof ms / sizeof *ms; j++) {
            uint32_t ecr = now - ms[j];
            uint64_t rtt_ns = ms[j] == 0 ? MS : ms[j] * MS;
            assert_int_equal(timestamps_rtt_ns(&ts, ecr, now_ns), ecr == 0 ? 0 : rtt_ns);
        }
    }
}

/* What was never sent tells nothing. */
static void no_round_trip(void **state)
{
    (void)state;
    for (unsigned i = 0; i < N_PLACES; i++) {
        struct timestamps ts = {.offset = places[i]};
        uint32_t now = timestamps_val(&ts, NS_PER_S);
        assert_int_equal(timestamps_rtt_ns(&ts, now + 1, NS_PER_S), 0);
        assert_int_equal(timestamps_rtt_ns(&ts, now + 0x7fffffff, NS_PER_S), 0);
        assert_int_equal(timestamps_rtt_ns(&ts, 0, NS_PER_S), 0);
    }
}

/* RFC 3522 3.2 (4), RFC 8985 6.2 step 2: a segment that had this TSval went before the next tick,
 * also where the clock wraps; or it is not known when. */
static void echo_end(void **state)
{
    (void)state;
    for (unsigned i = 0; i < N_PLACES; i++) {
        struct timestamps ts = {.offset = places[i]};
        uint64_t sent_ns = 3 * NS_PER_S + 400 * NS_PER_US, now_ns = 5 * NS_PER_S + 1;
        uint32_t val = timestamps_val(&ts, sent_ns);
        assert_true(timestamps_echo_end_ns(&ts, val, now_ns) == 3 * NS_PER_S + NS_PER_MS);
        assert_true(timestamps_echo_end_ns(&ts, timestamps_val(&ts, now_ns) + 1, now_ns) ==
                    TIME_NEVER);
        assert_true(timestamps_echo_end_ns(&ts, 0, now_ns) == TIME_NEVER);
        assert_true(timestamps_echo_end_ns(&ts, val - 100000, now_ns) == 0);
    }
}

/* 5.2: whatever arrives, TS.Recent does not go back while nothing is silent for long. */
static void never_back(void **state)
{
    (void)state;
    struct rnd r = rnd_start(__func__);
    for (unsigned i = 0; i < 200; i++) {
        struct timestamps ts = begun((uint32_t)rnd_u64(&r), 0);
        uint64_t now_ns = 0;
        for (unsigned j = 0; j < 200; j++) {
            uint32_t was = ts.recent, val = was + (uint32_t)rnd_magnitude(&r);
            now_ns += rnd_below(&r, 86400) * NS_PER_S;
            if (timestamps_outdated(&ts, val, now_ns))
                continue;
            timestamps_arrived(&ts, val, seq(1000 - rnd_below(&r, 100)), now_ns);
            assert_true(ts.recent - was <= 0x80000000);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clock),         cmocka_unit_test(outdated),   cmocka_unit_test(newer),
        cmocka_unit_test(after_24_days), cmocka_unit_test(echoed),     cmocka_unit_test(round_trip),
        cmocka_unit_test(no_round_trip), cmocka_unit_test(never_back), cmocka_unit_test(echo_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
