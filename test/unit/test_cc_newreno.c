/* Congestion control: RFC 5681 3.1 and 4.1, with RFC 3465's byte counting. */
#include "cc.h"
#include "support.h"

#define MSS 1000

static struct cc fresh(void)
{
    struct cc c;
    cc_init(&c, &cc_newreno, MSS, false);
    c.cwnd = 4 * MSS;
    return c;
}

/* In congestion avoidance, with cwnd = ssthresh. */
static struct cc avoiding(uint32_t cwnd)
{
    struct cc c = fresh();
    c.cwnd = c.ssthresh = cwnd;
    return c;
}

static void acked(struct cc *c, uint32_t bytes)
{
    c->ops->acked(c, &(struct cc_ack){.octets = bytes, .used = true});
}

/* RFC 6928 2: IW by the size of SMSS; one SMSS when the SYN was lost (RFC 5681 3.1). */
static void initial_window(void **state)
{
    (void)state;
    static const struct {
        uint32_t mss, octets;
    } table[] = {{1, 10},       {536, 5360},   {1460, 14600},  {1461, 14600},
                 {7300, 14600}, {7301, 14602}, {65535, 131070}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct cc c;
        cc_init(&c, &cc_newreno, table[i].mss, false);
        assert_int_equal(c.cwnd, table[i].octets);
        assert_int_equal(c.ssthresh, UINT32_MAX); /* arbitrarily high */
        cc_init(&c, &cc_newreno, table[i].mss, true);
        assert_int_equal(c.cwnd, table[i].mss);
        assert_int_equal(c.ssthresh, UINT32_MAX);
    }
    assert_string_equal(cc_newreno.name, "reno");
}

/* RFC 3465 2.2: what was acknowledged, up to L segments per ACK. */
static void slow_start_counts_octets(void **state)
{
    (void)state;
    struct cc c = fresh();
    acked(&c, 1);
    assert_int_equal(c.cwnd, 4 * MSS + 1);
    acked(&c, 8 * MSS);
    assert_int_equal(c.cwnd, 12 * MSS + 1);
    acked(&c, 8 * MSS + 1);
    assert_int_equal(c.cwnd, 20 * MSS + 1);
    acked(&c, UINT32_MAX);
    assert_int_equal(c.cwnd, 28 * MSS + 1);
}

/* RFC 5681 3.1: ACK division wins nothing. */
static void ack_division(void **state)
{
    (void)state;
    struct cc whole = fresh(), divided = fresh();
    acked(&whole, MSS);
    for (int i = 0; i < MSS; i++)
        acked(&divided, 1);
    assert_int_equal(divided.cwnd, whole.cwnd);

    whole = avoiding(5 * MSS);
    divided = avoiding(5 * MSS);
    acked(&whole, 5 * MSS);
    for (int i = 0; i < 5 * MSS; i++)
        acked(&divided, 1);
    assert_int_equal(whole.cwnd, 6 * MSS);
    assert_int_equal(divided.cwnd, whole.cwnd);
}

/* Slow start ends at ssthresh exactly; the rest of the ACK counts for congestion avoidance. */
static void slow_start_ends_at_ssthresh(void **state)
{
    (void)state;
    struct cc c = fresh();
    c.ssthresh = 6 * MSS;
    acked(&c, 8 * MSS); /* 2 to reach ssthresh, then 6: one window */
    assert_int_equal(c.cwnd, 7 * MSS);
    assert_int_equal(c.acked, 0);

    c = fresh();
    c.ssthresh = 6 * MSS;
    acked(&c, 5 * MSS);
    assert_int_equal(c.cwnd, 6 * MSS);
    assert_int_equal(c.acked, 3 * MSS);
    acked(&c, 3 * MSS - 1);
    assert_int_equal(c.cwnd, 6 * MSS);
    acked(&c, 1);
    assert_int_equal(c.cwnd, 7 * MSS);
}

/* RFC 3465 2.3: one SMSS per ACK while a timeout's losses are repaired. */
static void limit_of_one(void **state)
{
    (void)state;
    struct cc c = fresh();
    c.abc_limit = 1;
    acked(&c, 8 * MSS);
    assert_int_equal(c.cwnd, 5 * MSS);
    acked(&c, 300);
    assert_int_equal(c.cwnd, 5 * MSS + 300);
}

/* RFC 5681 3.1, RFC 3465 2.1: one SMSS per window of acknowledged octets. */
static void congestion_avoidance(void **state)
{
    (void)state;
    struct cc c = avoiding(10 * MSS);
    uint32_t windows[] = {10, 11, 12};
    for (int i = 0; i < 3; i++) {
        for (uint32_t sent = 0; sent < windows[i]; sent++) {
            assert_int_equal(c.cwnd, windows[i] * MSS);
            acked(&c, MSS);
        }
    }
    assert_int_equal(c.cwnd, 13 * MSS);
}

/* RFC 5681 3.1: MUST NOT increment cwnd by more than SMSS, whatever one ACK covers, nor later. */
static void one_ack_one_segment(void **state)
{
    (void)state;
    struct cc c = avoiding(10 * MSS);
    acked(&c, 9 * MSS);
    acked(&c, 1000 * MSS);
    assert_int_equal(c.cwnd, 11 * MSS);
    acked(&c, MSS); /* 9 + 10 - 10 + 1: not a window */
    assert_int_equal(c.cwnd, 11 * MSS);
    acked(&c, MSS);
    assert_int_equal(c.cwnd, 12 * MSS);
}

/* Equation (4) goes by FlightSize, not by cwnd; at least two segments. */
static void loss(void **state)
{
    (void)state;
    struct cc c = avoiding(100 * MSS);
    acked(&c, 99 * MSS);
    c.ops->loss(&c, 40 * MSS, 0);
    assert_int_equal(c.ssthresh, 20 * MSS);
    assert_int_equal(c.cwnd, 20 * MSS);
    assert_int_equal(c.acked, 0);

    c.ops->loss(&c, 5 * MSS, 0);
    assert_int_equal(c.ssthresh, 2500);

    c.ops->loss(&c, 3 * MSS, 0);
    assert_int_equal(c.ssthresh, 2 * MSS);
    assert_int_equal(c.cwnd, 2 * MSS);
}

/* 3.1: loss window of one SMSS; ssthresh only by the first timeout of a segment. */
static void timeouts(void **state)
{
    (void)state;
    struct cc c = avoiding(100 * MSS);
    acked(&c, 99 * MSS);
    c.ops->timeout(&c, 40 * MSS, true, 0);
    assert_int_equal(c.ssthresh, 20 * MSS);
    assert_int_equal(c.cwnd, MSS);
    assert_int_equal(c.acked, 0);
    c.ops->timeout(&c, MSS, false, 0);
    assert_int_equal(c.ssthresh, 20 * MSS);
    assert_int_equal(c.cwnd, MSS);
    acked(&c, MSS); /* and slow start from there */
    assert_int_equal(c.cwnd, 2 * MSS);
    c.ops->timeout(&c, MSS, true, 0);
    assert_int_equal(c.ssthresh, 2 * MSS);
}

/* 3.1: a smaller MSS takes cwnd down in proportion; the floors hold either way. */
static void mss_changes(void **state)
{
    (void)state;
    struct cc c = fresh();
    cc_set_mss(&c, 500);
    assert_int_equal(c.cwnd, 2000);
    assert_int_equal(c.mss, 500);
    assert_int_equal(c.ssthresh, UINT32_MAX);

    c = avoiding(CC_CWND_MAX);
    cc_set_mss(&c, 500);
    assert_int_equal(c.cwnd, CC_CWND_MAX / 2);

    c = avoiding(2500);
    acked(&c, 2400);
    cc_set_mss(&c, MSS + 1);
    assert_int_equal(c.cwnd, 2500);
    assert_int_equal(c.ssthresh, 2500);
    assert_int_equal(c.acked, 0);

    c = avoiding(2 * MSS);
    cc_set_mss(&c, 9000);
    assert_int_equal(c.cwnd, 9000);
    assert_int_equal(c.ssthresh, 18000);
    cc_set_mss(&c, 9000);
    assert_int_equal(c.cwnd, 9000);
}

/* 4.1: RW = min(IW, cwnd). */
static void idle(void **state)
{
    (void)state;
    struct cc c = avoiding(100 * MSS);
    acked(&c, 99 * MSS);
    cc_idle(&c);
    assert_int_equal(c.cwnd, 10 * MSS);
    assert_int_equal(c.acked, 0);
    assert_int_equal(c.ssthresh, 100 * MSS);
    c.cwnd = 3 * MSS;
    cc_idle(&c);
    assert_int_equal(c.cwnd, 3 * MSS);
}

/* cwnd saturates, in slow start as in congestion avoidance. */
static void saturates(void **state)
{
    (void)state;
    struct cc c = fresh();
    c.cwnd = CC_CWND_MAX - 1;
    acked(&c, UINT32_MAX);
    assert_int_equal(c.cwnd, CC_CWND_MAX);
    acked(&c, UINT32_MAX);
    assert_int_equal(c.cwnd, CC_CWND_MAX);

    c = avoiding(CC_CWND_MAX - 1);
    acked(&c, UINT32_MAX);
    assert_int_equal(c.cwnd, CC_CWND_MAX);
    acked(&c, UINT32_MAX);
    assert_int_equal(c.cwnd, CC_CWND_MAX);

    c.ops->loss(&c, UINT32_MAX, 0);
    assert_int_equal(c.cwnd, CC_CWND_MAX);
}

static void check_ack(struct cc *c, uint32_t bytes)
{
    struct cc old = *c;
    acked(c, bytes);
    uint32_t step = c->cwnd - old.cwnd;
    assert_true(c->cwnd >= old.cwnd);
    assert_int_equal(c->ssthresh, old.ssthresh);
    if (old.cwnd < old.ssthresh) {
        assert_true(step <= bytes && step <= old.abc_limit * old.mss);
    } else {
        assert_true(step <= old.mss);
        assert_true(step == 0 || (uint64_t)old.acked + bytes >= old.cwnd);
    }
}

/* cc.h: the limits of cwnd and ssthresh hold after any history; an ACK never shrinks anything and
 * grows cwnd by what RFC 5681 and 3465 allow. */
static void limits_for_all_histories(void **state)
{
    (void)state;
    struct rnd p = rnd_start(__func__);
    for (int run = 0; run < 3000; run++) {
        struct cc c;
        cc_init(&c, &cc_newreno, 1 + rnd_below(&p, 65535), rnd_below(&p, 2));
        for (int step = 0; step < 200; step++) {
            uint32_t n = (uint32_t)rnd_magnitude(&p);
            switch (rnd_below(&p, 16)) {
            case 0:
                c.ops->loss(&c, n, 0);
                assert_true(c.ssthresh <= n / 2 || c.ssthresh == 2 * c.mss);
                break;
            case 1:
                c.ops->timeout(&c, n, rnd_below(&p, 2), 0);
                assert_int_equal(c.cwnd, c.mss);
                break;
            case 2:
                cc_idle(&c);
                break;
            case 3:
                cc_set_mss(&c, 1 + rnd_below(&p, 65535));
                break;
            default:
                check_ack(&c, n);
                break;
            }
            assert_in_range(c.cwnd, c.mss, CC_CWND_MAX);
            assert_true(c.ssthresh >= 2 * c.mss);
            assert_true(c.acked < c.cwnd);
        }
    }
}

/* RFC 3168 6.1.2, RFC 9438 4.6: ECN-Echo is a loss, but that cwnd goes down to one SMSS. Each
 * reduction is to be told to the peer. */
static void echo(void **state)
{
    (void)state;
    static const struct {
        uint32_t flight, cwnd, ssthresh; /* SMSS */
    } t[] = {{40, 20, 20}, {5, 2, 2}, {4, 2, 2}, {2, 1, 2}, {1, 1, 2}};
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct cc c;
        cc_init(&c, &cc_newreno, MSS, false);
        assert_false(c.cwr);
        cc_echo(&c, t[i].flight * MSS, 0);
        assert_int_equal(c.cwnd / MSS, t[i].cwnd);
        assert_int_equal(c.ssthresh / MSS, t[i].ssthresh);
        assert_true(c.cwr);
    }
    struct cc lost, timed_out;
    cc_init(&lost, &cc_newreno, MSS, false);
    timed_out = lost;
    cc_loss(&lost, 40 * MSS, 0);
    cc_timeout(&timed_out, 40 * MSS, true, 0);
    assert_true(lost.cwr && timed_out.cwr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(echo),
        cmocka_unit_test(initial_window),
        cmocka_unit_test(slow_start_counts_octets),
        cmocka_unit_test(ack_division),
        cmocka_unit_test(slow_start_ends_at_ssthresh),
        cmocka_unit_test(limit_of_one),
        cmocka_unit_test(congestion_avoidance),
        cmocka_unit_test(one_ack_one_segment),
        cmocka_unit_test(loss),
        cmocka_unit_test(timeouts),
        cmocka_unit_test(mss_changes),
        cmocka_unit_test(idle),
        cmocka_unit_test(saturates),
        cmocka_unit_test(limits_for_all_histories),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
