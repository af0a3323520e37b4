/* The retransmission timeout: RFC 6298. */
#include "minmax.h"
#include "nstime.h"
#include "rto.h"
#include "support.h"

#define MS(n) ((uint64_t)(n)*NS_PER_MS)

/* With what a connection keeps elsewhere. */
struct timer {
    struct rto rto;
    struct rto_timed timed;
    uint64_t var_min_ns, max_ns;
};

static void begin(struct timer *r, uint64_t initial_ns, uint64_t var_min_ns, uint64_t max_ns)
{
    *r = (struct timer){.var_min_ns = var_min_ns, .max_ns = max_ns};
    rto_init(&r->rto, initial_ns);
}

static uint64_t get(const struct timer *r)
{
    return rto_get(&r->rto, r->max_ns);
}

static bool acked(struct timer *r, seq_t ack, uint64_t now_ns)
{
    return rto_acked(&r->rto, &r->timed, ack, 0, r->var_min_ns, now_ns);
}

/* An RTO without limits of its own, and one segment timed and acknowledged after rtt. */
static void unlimited(struct timer *r)
{
    begin(r, NS_PER_S, 0, UINT64_MAX);
}

static void sample(struct timer *r, uint64_t rtt_ns)
{
    rto_sent(&r->timed, seq(1000), MS(5));
    assert_true(acked(r, seq(1000), MS(5) + rtt_ns));
}

/* 2.1, 5.5: the initial RTO, doubled with every timeout. */
static void before_the_first_sample(void **state)
{
    (void)state;
    struct timer r;
    begin(&r, NS_PER_S, MS(200), 60 * NS_PER_S);
    assert_int_equal(get(&r), NS_PER_S);
    rto_backoff(&r.rto);
    assert_int_equal(get(&r), 2 * NS_PER_S);
    rto_backoff(&r.rto);
    assert_int_equal(get(&r), 4 * NS_PER_S);
}

/* 2.2: SRTT = R, RTTVAR = R/2, RTO = SRTT + 4 RTTVAR. */
static void first_sample(void **state)
{
    (void)state;
    struct timer r;
    unlimited(&r);
    sample(&r, MS(100));
    assert_int_equal(rto_srtt_ns(&r.rto), MS(100));
    assert_int_equal(rto_rttvar_ns(&r.rto), MS(50));
    assert_int_equal(get(&r), MS(300));
}

/* 2.3, worked by hand. RTTVAR must use SRTT as it was before: else it would be 46.25 ms. */
static void next_samples(void **state)
{
    (void)state;
    struct timer r;
    unlimited(&r);
    sample(&r, MS(100));
    sample(&r, MS(140));
    assert_int_equal(rto_rttvar_ns(&r.rto), 47500000);
    assert_int_equal(rto_srtt_ns(&r.rto), MS(105));
    assert_int_equal(get(&r), MS(295));

    sample(&r, MS(25)); /* below SRTT: |105 - 25| = 80 */
    assert_int_equal(rto_rttvar_ns(&r.rto), 55625000);
    assert_int_equal(rto_srtt_ns(&r.rto), MS(95));
    assert_int_equal(get(&r), 95000000 + 4 * 55625000);
}

/* 4: without variance the RTO still keeps the granularity above SRTT. */
static void steady_round_trip(void **state)
{
    (void)state;
    struct timer r;
    unlimited(&r);
    for (int i = 0; i < 200; i++)
        sample(&r, MS(10));
    assert_int_equal(rto_srtt_ns(&r.rto), MS(10));
    assert_int_equal(get(&r), MS(11));

    unlimited(&r);
    sample(&r, 0);
    assert_int_equal(get(&r), MS(1));
}

/* 2.4, 5.5: the minimum is above SRTT, and doubles with it. */
static void minimum_doubles(void **state)
{
    (void)state;
    struct timer r;
    begin(&r, NS_PER_S, MS(200), 60 * NS_PER_S);
    sample(&r, MS(10));
    assert_int_equal(get(&r), MS(210));
    rto_backoff(&r.rto);
    assert_int_equal(get(&r), MS(420));
}

/* 2.5: the maximum bounds samples, the initial value and every backoff. */
static void maximum(void **state)
{
    (void)state;
    struct timer r;
    begin(&r, NS_PER_S, MS(200), 60 * NS_PER_S);
    for (int i = 0; i < 5; i++)
        rto_backoff(&r.rto);
    assert_int_equal(get(&r), 32 * NS_PER_S);
    rto_backoff(&r.rto);
    assert_int_equal(get(&r), 60 * NS_PER_S);
    for (int i = 0; i < 200; i++) {
        rto_backoff(&r.rto);
        assert_int_equal(get(&r), 60 * NS_PER_S);
    }
    r.rto.backoff = UINT8_MAX; /* does not wrap to none */
    rto_backoff(&r.rto);
    assert_int_equal(get(&r), 60 * NS_PER_S);

    sample(&r, 100 * NS_PER_S);
    assert_int_equal(r.rto.backoff, 0);
    assert_int_equal(get(&r), 60 * NS_PER_S);

    begin(&r, 3000, 0, 7000); /* the last doubling that fits is made */
    rto_backoff(&r.rto);
    assert_int_equal(get(&r), 6000);
}

/* 3, 5: Karn: no sample from what was sent twice, and the backoff lasts until there is one. */
static void karn(void **state)
{
    (void)state;
    struct timer r;
    begin(&r, NS_PER_S, MS(200), 60 * NS_PER_S);
    sample(&r, MS(100));
    assert_int_equal(get(&r), MS(300));

    rto_sent(&r.timed, seq(2000), MS(1000));
    rto_backoff(&r.rto);
    rto_resent(&r.timed, seq(1000), seq(2000), false, MS(1300));
    assert_false(acked(&r, seq(2000), MS(1310)));
    assert_int_equal(rto_srtt_ns(&r.rto), MS(100));
    assert_int_equal(get(&r), MS(600));

    rto_sent(&r.timed, seq(3000), MS(1400));
    assert_true(acked(&r, seq(3000), MS(1500)));
    assert_int_equal(r.rto.backoff, 0);
    assert_int_equal(get(&r), MS(300));
}

/* 3: one segment is timed at a time, from its own sending to the ACK that covers it all. */
static void one_at_a_time(void **state)
{
    (void)state;
    struct timer r;
    unlimited(&r);
    assert_false(acked(&r, seq(0), MS(1)));
    rto_sent(&r.timed, seq(5), MS(10)); /* its octets begin before the number wraps */
    rto_sent(&r.timed, seq(100), MS(20));
    assert_false(acked(&r, seq(UINT32_MAX), MS(30)));
    assert_false(acked(&r, seq(4), MS(31)));
    assert_true(acked(&r, seq(300), MS(60)));
    assert_int_equal(rto_srtt_ns(&r.rto), MS(50));
    assert_false(acked(&r, seq(400), MS(70)));
}

/* 5.7 */
static void after_a_lost_syn(void **state)
{
    (void)state;
    struct timer r;
    begin(&r, NS_PER_S, MS(200), 60 * NS_PER_S);
    rto_backoff(&r.rto);
    rto_backoff(&r.rto);
    rto_after_syn(&r.rto);
    assert_int_equal(get(&r), 3 * NS_PER_S);

    begin(&r, 5 * NS_PER_S, MS(200), 60 * NS_PER_S);
    rto_after_syn(&r.rto);
    assert_int_equal(get(&r), 5 * NS_PER_S);

    sample(&r, MS(100));
    rto_backoff(&r.rto);
    rto_after_syn(&r.rto);
    assert_int_equal(get(&r), MS(300));
}

static uint32_t saturated(uint64_t us)
{
    return us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

/* What rto_get must give, in arithmetic that cannot overflow. */
static uint64_t expected_rto(const struct timer *r)
{
    unsigned __int128 rto = r->rto.base_us * NS_PER_US;
    for (uint32_t i = 0; i < r->rto.backoff && rto < r->max_ns; i++)
        rto *= 2;
    return rto < r->max_ns ? (uint64_t)rto : r->max_ns;
}

static bool within(uint64_t a, uint64_t b, unsigned diff)
{
    return (a > b ? a - b : b - a) < diff;
}

/* 2: for every history of samples the arithmetic is the RFC's, to less than 1 us a step. */
static void arithmetic_for_all_inputs(void **state)
{
    (void)state;
    struct rnd p = rnd_start(__func__);
    for (int run = 0; run < 2000; run++) {
        struct timer r;
        uint64_t var_min_ns = rnd_magnitude(&p);
        uint32_t least = max_u32(saturated(var_min_ns / NS_PER_US), 1000);
        begin(&r, rnd_magnitude(&p), var_min_ns, rnd_magnitude(&p));
        for (int step = 0; step < 50; step++) {
            uint64_t rtt_ns = rnd_magnitude(&p);
            uint64_t at = time_min(rnd_magnitude(&p), UINT64_MAX - rtt_ns);
            uint32_t rtt = saturated(rtt_ns / NS_PER_US);
            const struct rto old = r.rto, *is = &r.rto;
            rto_sent(&r.timed, seq(7), at);
            assert_true(acked(&r, seq(7), at + rtt_ns));
            uint64_t srtt = old.srtt_us, var = old.rttvar_us;
            if (step == 0) {
                assert_true(is->srtt_us == rtt && is->rttvar_us == rtt / 2);
            } else {
                uint64_t err = srtt > rtt ? srtt - rtt : rtt - srtt;
                assert_true(within(UINT64_C(4) * is->rttvar_us, 3 * var + err, 4));
                assert_true(within(UINT64_C(8) * is->srtt_us, 7 * srtt + rtt, 8));
            }
            uint64_t term = UINT64_C(4) * is->rttvar_us;
            if (term < least)
                term = least;
            assert_true(is->base_us == saturated(is->srtt_us + term));

            for (uint32_t n = rnd_below(&p, 70); n > 0; n--) {
                assert_true(get(&r) == expected_rto(&r));
                rto_backoff(&r.rto);
            }
            assert_true(get(&r) == expected_rto(&r));
        }
    }
}

/* What an ACK's timestamp says; the time in ms. */
static bool echoed(struct timer *r, uint32_t ack, uint64_t ts_rtt, uint64_t now)
{
    return rto_acked(&r->rto, &r->timed, seq(ack), MS(ts_rtt), r->var_min_ns, MS(now));
}

/* Something is timed, and RTO has run out; SRTT is 100 ms. */
static void timed_and_backed_off(struct timer *r)
{
    begin(r, NS_PER_S, MS(200), 60 * NS_PER_S);
    sample(r, MS(100));
    rto_sent(&r->timed, seq(2000), MS(1000));
    rto_backoff(&r->rto);
}

/* RFC 7323 4.1: what was sent again is measured, by our own clock, when the echo is of that sending
 * or of a later one, and that ends the backoff; it is the one sample of its round trip. */
static void by_timestamp(void **state)
{
    (void)state;
    struct timer r;
    timed_and_backed_off(&r);
    rto_resent(&r.timed, seq(1000), seq(9000), true, MS(1350)); /* it ends where it did */
    rto_sent(&r.timed, seq(3000), MS(1350));
    assert_false(echoed(&r, 1999, 10, 1360));
    assert_true(echoed(&r, 2000, 21, 1370)); /* of the tick before that of 1350 */
    assert_int_equal(rto_srtt_ns(&r.rto), MS(90));
    assert_int_equal(r.rto.backoff, 0);
    assert_false(echoed(&r, 3000, 20, 1380));
    timed_and_backed_off(&r);
    rto_resent(&r.timed, seq(1000), seq(2000), true, MS(1350));
    assert_true(echoed(&r, 2000, 1, 1370));
    assert_int_equal(rto_srtt_ns(&r.rto), MS(90));
}

/* Not by the echo of an earlier sending: perhaps its ACK was lost, and the answer is to a later
 * one. */
static void by_an_old_timestamp(void **state)
{
    (void)state;
    struct timer r;
    timed_and_backed_off(&r);
    rto_resent(&r.timed, seq(1000), seq(2000), true, MS(1350));
    assert_false(echoed(&r, 2000, 370, 1370));
    assert_int_equal(rto_srtt_ns(&r.rto), MS(100));
    assert_int_equal(r.rto.backoff, 1);
    timed_and_backed_off(&r);
    rto_resent(&r.timed, seq(1000), seq(1500), true, MS(1350)); /* before its end as well */
    rto_resent(&r.timed, seq(1000), seq(1500), true, MS(1950));
    assert_false(echoed(&r, 2000, 602, 1951));
    timed_and_backed_off(&r);
    rto_resent(&r.timed, seq(1000), seq(2000), true, MS(1350));
    rto_resent(&r.timed, seq(2000), seq(3000), true, MS(1360)); /* behind it: of no account */
    assert_true(echoed(&r, 2000, 20, 1370));
    assert_int_equal(rto_srtt_ns(&r.rto), MS(90));
}

/* Nothing was timed when it went again; the echo may tell nothing; and what has gone once only is
 * measured whatever it tells. */
static void by_timestamp_or_not(void **state)
{
    (void)state;
    struct timer r;
    begin(&r, NS_PER_S, MS(200), 60 * NS_PER_S);
    sample(&r, MS(100));
    rto_resent(&r.timed, seq(1000), seq(2000), true, MS(1350));
    assert_true(echoed(&r, 2000, 20, 1370));
    assert_int_equal(rto_srtt_ns(&r.rto), MS(90));
    rto_resent(&r.timed, seq(2000), seq(3000), true, MS(1450));
    rto_backoff(&r.rto);
    assert_false(echoed(&r, 3000, 0, 1470));
    assert_int_equal(r.rto.backoff, 1);
    rto_sent(&r.timed, seq(4000), MS(1500)); /* it is timed anew */
    assert_true(echoed(&r, 4000, 5000, 1590));
    assert_int_equal(rto_srtt_ns(&r.rto), MS(90));
}

/* A clock that goes back is somebody's bug; it must not become an RTO of centuries. */
static void clock_goes_back(void **state)
{
    (void)state;
    struct timer r;
    unlimited(&r);
    rto_sent(&r.timed, seq(1), MS(10));
    assert_true(acked(&r, seq(1), MS(9)));
    assert_int_equal(rto_srtt_ns(&r.rto), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_the_first_sample),
        cmocka_unit_test(first_sample),
        cmocka_unit_test(next_samples),
        cmocka_unit_test(steady_round_trip),
        cmocka_unit_test(minimum_doubles),
        cmocka_unit_test(maximum),
        cmocka_unit_test(karn),
        cmocka_unit_test(by_timestamp),
        cmocka_unit_test(by_an_old_timestamp),
        cmocka_unit_test(by_timestamp_or_not),
        cmocka_unit_test(one_at_a_time),
        cmocka_unit_test(after_a_lost_syn),
        cmocka_unit_test(arithmetic_for_all_inputs),
        cmocka_unit_test(clock_goes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
