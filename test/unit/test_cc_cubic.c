/* cc_cubic.c: CUBIC, RFC 9438, rule by rule. Against the RFC's formulas in floating point, and over
 * whole transfers, in test_cc_cubic_model.c. */
#include "cc.h"
#include "nstime.h"
#include "recovery.h"
#include "support.h"

#define MSS 1000
#define MS  NS_PER_MS

/* A connection of its own: the ACKs come one after the other. */
static uint64_t now_ns;

static struct cc fresh(void)
{
    struct cc c;
    now_ns = NS_PER_S;
    cc_init(&c, &cc_cubic, MSS, false);
    return c;
}

/* An ACK of so much, so long after the last, on a path of that round trip. */
static void acked(struct cc *c, uint32_t octets, uint64_t after_ns, uint64_t srtt_ns)
{
    now_ns += after_ns;
    c->ops->acked(
        c, &(struct cc_ack){.octets = octets, .used = true, .srtt_ns = srtt_ns, .now_ns = now_ns});
}

/* The same when cwnd was not in use. */
static void acked_unused(struct cc *c, uint32_t octets, uint64_t after_ns)
{
    now_ns += after_ns;
    c->ops->acked(c, &(struct cc_ack){.octets = octets, .srtt_ns = 100 * MS, .now_ns = now_ns});
}

/* A round trip in which ACKs of one segment each come for a whole window. */
static void round_trip(struct cc *c, uint64_t rtt_ns)
{
    uint32_t n = c->cwnd / c->mss;
    for (uint32_t i = 0; i < n; i++)
        acked(c, c->mss, rtt_ns / n, rtt_ns);
}

/* After a loss with a window of so many segments, all in use. */
static struct cc after_loss(uint32_t segments)
{
    struct cc c = fresh();
    c.cwnd = segments * MSS;
    c.ops->loss(&c, c.cwnd, now_ns);
    return c;
}

/* The same, and congestion avoidance has begun. */
static struct cc avoiding(uint32_t segments)
{
    struct cc c = after_loss(segments);
    acked_unused(&c, MSS, 0);
    assert_int_equal(c.stage, CC_AVOIDANCE);
    return c;
}

/* ---- 4.6, 4.7: multiplicative decrease ---- */

/* To 0.7 of what was in flight, two segments at least; W_max and cwnd_prior are cwnd. */
static void loss(void **state)
{
    (void)state;
    struct cc c = fresh();
    assert_string_equal(c.ops->name, "cubic");
    c.cwnd = 100 * MSS;
    c.ops->loss(&c, 90 * MSS, 0);
    assert_int_equal(c.ssthresh, 63 * MSS);
    assert_int_equal(c.cwnd, 63 * MSS);
    assert_int_equal(c.cubic.w_max, 100 * MSS);
    assert_int_equal(c.cubic.cwnd_prior, 100 * MSS);
    c.ops->loss(&c, 2 * MSS, 0);
    assert_int_equal(c.ssthresh, 2 * MSS);
    assert_int_equal(c.cwnd, 2 * MSS);
    c.ops->loss(&c, UINT32_MAX, 0);
    assert_int_equal(c.ssthresh, UINT64_C(7) * UINT32_MAX / 10);
    assert_int_equal(c.cwnd, CC_CWND_MAX);
}

/* A loss below W_max gives more way: W_max is 0.85 of cwnd then. */
static void fast_convergence(void **state)
{
    (void)state;
    struct cc c = after_loss(100);
    c.ops->loss(&c, c.cwnd, 0);
    assert_int_equal(c.cubic.w_max, 59500); /* 0.85 * 70 */
    assert_int_equal(c.cubic.cwnd_prior, 70 * MSS);
    c.cwnd = 59500; /* as large is not below */
    c.ops->loss(&c, c.cwnd, 0);
    assert_int_equal(c.cubic.w_max, 59500);
    c.cwnd = 200 * MSS;
    c.ops->loss(&c, c.cwnd, 0);
    assert_int_equal(c.cubic.w_max, 200 * MSS);
}

/* ---- 4.2, 4.4, 4.5: the curve ---- */

/* On a path long enough for the curve to be above W_est, one that is followed by whole windows. */
static void concave_then_convex(void **state)
{
    (void)state;
    struct cc c = avoiding(1000); /* K = (300 / 0.4)^(1/3) = 9.08 s */
    assert_int_equal(c.cubic.k_ms, 9085);
    assert_int_equal(c.cubic.w_est, 700 * MSS);
    round_trip(&c, 200 * MS); /* up to the curve, which is a round trip ahead */
    round_trip(&c, 200 * MS);
    uint32_t last = c.cwnd, step = CC_CWND_MAX;
    for (int i = 2; i < 45; i++) { /* 9 s */
        round_trip(&c, 200 * MS);
        assert_true(c.cwnd >= last && c.cwnd - last < step + MSS / 2);
        step = c.cwnd - last;
        last = c.cwnd;
    }
    assert_in_range(c.cwnd, 999 * MSS, 1001 * MSS); /* the plateau */
    step = 0;
    round_trip(&c, 200 * MS);
    for (int i = 1; i < 45; i++) {
        last = c.cwnd;
        round_trip(&c, 200 * MS);
        assert_true(c.cwnd - last + MSS / 2 > step);
        step = c.cwnd - last;
    }
    /* 1000 + 0.4 * (18 - 9.085)^3 = 1283, and a round trip's rise more at most */
    assert_in_range(c.cwnd, 1283 * MSS, 1304 * MSS);
}

/* What an ACK covers counts, not that it is one (Linux; 4.4 counts ACKs). */
static void counts_octets(void **state)
{
    (void)state;
    struct cc one = avoiding(1000), many = one;
    uint64_t was_ns = now_ns;
    acked(&one, 100 * MSS, 50 * MS, 200 * MS);
    now_ns = was_ns + 50 * MS;
    for (int i = 0; i < 100; i++)
        acked(&many, MSS, 0, 200 * MS);
    assert_true(one.cwnd > 700 * MSS);
    assert_true(many.cwnd >= one.cwnd - MSS && many.cwnd <= one.cwnd + MSS);
}

/* The target is at most 1.5 * cwnd, and never below cwnd. */
static void bounds_of_target(void **state)
{
    (void)state;
    struct cc c = avoiding(10);
    c.cubic.t_us = UINT32_MAX; /* far up the curve */
    uint32_t cwnd = c.cwnd;
    acked(&c, cwnd, MS, 100 * MS);
    assert_int_equal(c.cwnd, cwnd + cwnd / 2);
    cwnd = c.cwnd;
    acked(&c, UINT32_MAX, MS, 100 * MS); /* one ACK is one window at most */
    assert_int_equal(c.cwnd, cwnd + cwnd / 2);

    c = avoiding(1000);
    c.cwnd = 2000 * MSS; /* above the curve */
    acked(&c, 2000 * MSS, MS, MS);
    assert_int_equal(c.cwnd, 2000 * MSS);
}

/* ---- 4.3: the Reno-friendly region ---- */

/* On a short path: by 9/17 of a segment for each window, and by one from cwnd_prior on. */
static void reno_friendly(void **state)
{
    (void)state;
    struct cc c = avoiding(20);
    for (uint32_t n = 14; n < 25; n++) {
        assert_in_range(c.cwnd, n * MSS, n * MSS + 9); /* where the curve has come to meanwhile */
        uint32_t octets = 0;
        for (; c.cwnd < (n + 1) * MSS; octets++)
            acked(&c, 1, 0, MS);
        uint32_t window = n < 20 ? n * MSS * 17 / 9 : n * MSS;
        assert_in_range(octets, window, window + 20);
    }
}

/* ---- 4.8: timeouts ---- */

/* cwnd is one segment, ssthresh 0.7 of the flight by the first timeout of a segment only. */
static void timeouts(void **state)
{
    (void)state;
    struct cc c = avoiding(100);
    c.ops->timeout(&c, 40 * MSS, true, 0);
    assert_int_equal(c.ssthresh, 28 * MSS);
    assert_int_equal(c.cwnd, MSS);
    assert_int_equal(c.cubic.cwnd_prior, 70 * MSS);
    c.ops->timeout(&c, MSS, false, 0);
    assert_int_equal(c.ssthresh, 28 * MSS);
    assert_int_equal(c.cubic.cwnd_prior, 70 * MSS);
    c.ops->timeout(&c, MSS, true, 0);
    assert_int_equal(c.ssthresh, 2 * MSS);
}

/* Slow start up to ssthresh; the first stage then has its plateau where it begins. */
static void stage_after_a_timeout(void **state)
{
    (void)state;
    struct cc c = avoiding(1000);
    c.ops->timeout(&c, 400 * MSS, true, 0);
    while (c.cwnd < c.ssthresh)
        acked(&c, 8 * MSS, 0, 100 * MS);
    assert_int_equal(c.cwnd, 280 * MSS);
    acked(&c, 1, 0, 100 * MS);
    assert_int_equal(c.cubic.k_ms, 0);
    assert_int_equal(c.cubic.w_max, 280 * MSS);
    assert_int_equal(c.cubic.w_est, 280 * MSS);
    for (int i = 0; i < 25; i++)
        round_trip(&c, 200 * MS);
    assert_in_range(c.cwnd, 330 * MSS, 337 * MSS); /* 280 + 0.4 * 5^3, + a round trip's rise */
    c.ops->loss(&c, c.cwnd, 0);                    /* the stage after this is one like others */
    acked(&c, 1, 0, 100 * MS);
    assert_true(c.cubic.k_ms > 0);
    c.ops->timeout(&c, c.cwnd, true, 0); /* and so it is when a loss comes before it */
    c.ops->loss(&c, 20 * MSS, 0);
    c.cwnd = c.ssthresh;
    c.cubic.w_max = 100 * MSS;
    acked(&c, 1, 0, 100 * MS);
    assert_true(c.cubic.k_ms > 0);
}

/* In the middle of fast recovery: the window that was there before is the one without what
 * duplicate ACKs have added, and ssthresh does not rise by what they have let go. */
static void timeout_in_fast_recovery(void **state)
{
    (void)state;
    for (uint32_t partial = 0; partial <= 1; partial++) {
        struct cc c = avoiding(100);
        struct recovery r;
        recovery_init(&r, seq(0));
        for (int i = 0; i < 33; i++)
            recovery_dup_ack(&r, &c, seq(1), seq(1 + 70 * MSS), 0);
        assert_int_equal(c.ssthresh, 49 * MSS);
        assert_int_equal(c.cwnd, 82 * MSS);
        if (partial)
            recovery_new_ack(&r, &c, seq(1), seq(1 + MSS), seq(1 + 200 * MSS));
        recovery_timeout(&r, &c, seq(1 + partial * MSS), seq(1 + 200 * MSS), true, 0);
        assert_int_equal(c.cubic.cwnd_prior, 49 * MSS);
        assert_int_equal(c.ssthresh, partial ? 49 * MSS : 34300);
    }
}

/* ---- 4.10: slow start, with HyStart++ the first time ---- */

/* A round of n segments, each acknowledged with a sample; the ACKs come fast. */
static void sampled(struct cc *c, uint32_t *una, uint32_t n, uint64_t rtt_ns)
{
    uint32_t end = *una + n * MSS;
    for (uint32_t i = 0; i < n; i++) {
        *una += MSS;
        c->ops->acked(c, &(struct cc_ack){.octets = MSS,
                                          .used = true,
                                          .una = seq(*una),
                                          .nxt = seq(end),
                                          .rtt_ns = rtt_ns,
                                          .srtt_ns = rtt_ns,
                                          .now_ns = now_ns += MS / 20});
    }
}

/* min(N, L * SMSS) per ACK, a quarter of that in CSS; congestion avoidance after five rounds of
 * CSS, its plateau where it begins, and no second HyStart++. */
static void hystart(void **state)
{
    (void)state;
    struct cc c = fresh();
    uint32_t una = 0;
    acked(&c, 20 * MSS, MS, 10 * MS);
    assert_int_equal(c.cwnd, 18 * MSS); /* L is 8 */
    acked_unused(&c, MSS, MS);
    assert_int_equal(c.cwnd, 18 * MSS);
    sampled(&c, &una, 40, 10 * MS);
    sampled(&c, &una, 40, 10 * MS);
    assert_int_equal(c.cwnd, 98 * MSS);
    sampled(&c, &una, 40, 20 * MS);
    assert_true(hystart_css(&c.hystart));
    uint32_t cwnd = c.cwnd;
    sampled(&c, &una, 40, 20 * MS);
    assert_int_equal(c.cwnd, cwnd + 10 * MSS);
    assert_int_equal(c.ssthresh, CC_SSTHRESH_INITIAL);
    for (int i = 0; i < 3; i++)
        sampled(&c, &una, 40, 20 * MS);
    assert_int_equal(c.stage, CC_FIRST_SLOW_START);
    sampled(&c, &una, 1, 20 * MS); /* which ends the fifth */
    acked_unused(&c, MSS, MS);
    assert_int_equal(c.stage, CC_AVOIDANCE);
    assert_int_equal(c.ssthresh, cwnd + 40 * MSS + MSS / 4);
    assert_int_equal(c.cubic.cwnd_prior, c.ssthresh);
    assert_int_equal(c.cubic.w_max, c.ssthresh);
    assert_int_equal(c.cubic.k_ms, 0);
    c.ops->timeout(&c, 50 * MSS, true, 0);
    while (c.cwnd < 30 * MSS)
        sampled(&c, &una, 1, 500 * MS);
    assert_int_equal(c.stage, CC_SLOW_START);
}

/* After a lost SYN, and with a peer that acknowledges little, ssthresh is two segments all the
 * same. */
static void hystart_of_a_small_window(void **state)
{
    (void)state;
    struct cc c;
    cc_init(&c, &cc_cubic, MSS, true);
    for (uint32_t una = 1; c.stage == CC_FIRST_SLOW_START; una++) {
        uint64_t rtt_ns = (una < 20 ? 10 : 20) * MS;
        c.ops->acked(
            &c,
            &(struct cc_ack){
                .octets = 1, .used = true, .una = seq(una), .nxt = seq(una + 8), .rtt_ns = rtt_ns});
        assert_true(una < 200);
    }
    assert_in_range(c.cwnd, MSS, 2 * MSS - 1);
    assert_int_equal(c.ssthresh, 2 * MSS);
}

/* Without samples it never speaks: slow start goes on until there is a loss. */
static void no_samples(void **state)
{
    (void)state;
    struct cc c = fresh();
    for (int i = 0; i < 1000; i++)
        acked(&c, MSS, MS, 10 * MS);
    assert_int_equal(c.cwnd, 1010 * MSS);
    c.ops->loss(&c, 1010 * MSS, 0);
    assert_int_equal(c.cubic.w_max, 1010 * MSS);
    assert_int_equal(c.cwnd, 707 * MSS);
}

/* ---- 4.2, 5.8: what does not count as time ---- */

/* While cwnd is not in use it does not grow, and t stands still. */
static void application_limited(void **state)
{
    (void)state;
    struct cc c = avoiding(1000), used = c;
    uint64_t was_ns = now_ns;
    for (int i = 0; i < 36000; i++) /* an hour */
        acked_unused(&c, MSS, 100 * MS);
    assert_int_equal(c.cwnd, 700 * MSS);
    assert_int_equal(c.cubic.t_us, 0);
    acked(&c, MSS, 70 * MS, 100 * MS);
    now_ns = was_ns;
    acked(&used, MSS, 70 * MS, 100 * MS);
    assert_int_equal(c.cubic.t_us, 70000);
    assert_int_equal(c.cwnd, used.cwnd);
}

/* Silence counts as one round trip, however long it is: also where 32 bits of microseconds wrap. */
static void silence(void **state)
{
    (void)state;
    static const uint64_t ns[] = {101 * MS, 10 * NS_PER_S, 36000 * NS_PER_S,
                                  (UINT64_C(1) << 32) * NS_PER_US - MS};
    for (size_t i = 0; i < sizeof ns / sizeof *ns; i++) {
        struct cc c = avoiding(1000);
        acked(&c, MSS, ns[i], 100 * MS);
        assert_int_equal(c.cubic.t_us, 100000);
    }
    struct cc c = avoiding(1000);
    acked(&c, MSS, (UINT64_C(1) << 32) * NS_PER_US + 3 * MS, 100 * MS);
    assert_true(c.cubic.t_us <= 100000);
    for (uint64_t i = 0; i < 1000; i++) /* of ACKs that come quickly nothing is lost */
        acked(&c, 1, 1234, 100 * MS);
    assert_in_range(c.cubic.t_us, 3000 + 1233, 3000 + 1235);
}

/* RFC 5681 4.1: after idleness slow start leads to ssthresh, and a new stage begins there. */
static void idle(void **state)
{
    (void)state;
    struct cc c = avoiding(1000);
    for (int i = 0; i < 20; i++)
        round_trip(&c, 200 * MS);
    cc_idle(&c);
    assert_int_equal(c.cwnd, 10 * MSS);
    assert_int_equal(c.stage, CC_SLOW_START);
    while (c.cwnd < c.ssthresh)
        acked(&c, 8 * MSS, MS, 200 * MS);
    acked(&c, 1, MS, 200 * MS);
    assert_in_range(c.cubic.k_ms, 9080, 9085); /* as after the loss */
    assert_int_equal(c.cubic.w_max, 1000 * MSS);
    assert_true(c.cubic.t_us < 2000);

    c = avoiding(3); /* where the restart window is larger than W_max */
    c.cwnd = 100 * MSS;
    cc_idle(&c);
    acked(&c, 1, MS, 200 * MS);
    assert_int_equal(c.cubic.k_ms, 0);
    assert_int_equal(c.cubic.w_max, 10 * MSS);
}

/* The path's octets are what they were: W_max stays, the stage begins anew with fewer of them. */
static void smaller_mss(void **state)
{
    (void)state;
    struct cc c = avoiding(1000);
    round_trip(&c, 200 * MS);
    cc_set_mss(&c, 500);
    assert_int_equal(c.stage, CC_SLOW_START);
    assert_int_equal(c.cubic.w_max, 1000 * MSS);
    c.cwnd = c.ssthresh;
    acked(&c, 1, MS, 200 * MS);
    assert_in_range(c.cubic.k_ms, 11440, 11447); /* 600 segments below: (600 / 0.4)^(1/3) */
}

/* ---- 4.9.2, and changing ---- */

/* A copy from before a loss, put back, goes on as if there had been none. */
static void taken_back(void **state)
{
    (void)state;
    struct cc c = avoiding(1000);
    for (int i = 0; i < 10; i++)
        round_trip(&c, 200 * MS);
    struct cc before = c, other = c;
    c.ops->loss(&c, c.cwnd, now_ns);
    uint64_t at_ns = now_ns;
    round_trip(&c, 200 * MS);
    c = before;
    now_ns = at_ns;
    for (int i = 0; i < 10; i++)
        round_trip(&c, 200 * MS);
    now_ns = at_ns;
    for (int i = 0; i < 10; i++)
        round_trip(&other, 200 * MS);
    assert_int_equal(c.cwnd, other.cwnd);
    assert_memory_equal(&c.cubic, &other.cubic, sizeof c.cubic);
}

/* TCP_CONGESTION: cwnd and ssthresh stay; what the algorithm has known is gone. */
static void changed(void **state)
{
    (void)state;
    struct cc c = avoiding(1000);
    c.abc_limit = 1;
    cc_change(&c, &cc_newreno);
    assert_ptr_equal(c.ops, &cc_newreno);
    assert_int_equal(c.cwnd, 700 * MSS);
    assert_int_equal(c.ssthresh, 700 * MSS);
    assert_int_equal(c.abc_limit, 1);
    acked(&c, 700 * MSS, MS, 100 * MS);
    assert_int_equal(c.cwnd, 701 * MSS);
    cc_change(&c, &cc_cubic);
    acked(&c, 1, MS, 100 * MS);
    assert_int_equal(c.cubic.w_max, 701 * MSS);
    assert_int_equal(c.cubic.k_ms, 0);

    c = fresh(); /* and back again in the first slow start */
    cc_change(&c, &cc_newreno);
    cc_change(&c, &cc_cubic);
    acked(&c, MSS, MS, 100 * MS);
    assert_int_equal(c.stage, CC_FIRST_SLOW_START);
    assert_int_equal(c.cwnd, 11 * MSS);
}

static void names(void **state)
{
    (void)state;
    assert_ptr_equal(cc_find("cubic", 5), &cc_cubic);
    assert_ptr_equal(cc_find("reno", 4), &cc_newreno);
    assert_null(cc_find("reno", 3));
    assert_null(cc_find("renown", 6));
    assert_null(cc_find("", 0));
    assert_null(cc_find("CUBIC", 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loss),
        cmocka_unit_test(fast_convergence),
        cmocka_unit_test(concave_then_convex),
        cmocka_unit_test(counts_octets),
        cmocka_unit_test(bounds_of_target),
        cmocka_unit_test(reno_friendly),
        cmocka_unit_test(timeouts),
        cmocka_unit_test(stage_after_a_timeout),
        cmocka_unit_test(timeout_in_fast_recovery),
        cmocka_unit_test(hystart),
        cmocka_unit_test(hystart_of_a_small_window),
        cmocka_unit_test(no_samples),
        cmocka_unit_test(application_limited),
        cmocka_unit_test(silence),
        cmocka_unit_test(idle),
        cmocka_unit_test(smaller_mss),
        cmocka_unit_test(taken_back),
        cmocka_unit_test(changed),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
