/* cc.c: what a connection that rests keeps of its congestion control, and with what it goes on; and
 * that HyStart++ begins anew where the window was taken down. */
#include "cc.h"
#include "nstime.h"
#include "support.h"

#define MSS 1000
#define MS  NS_PER_MS

static struct cc fresh(void)
{
    struct cc c;
    cc_init(&c, &cc_cubic, MSS, false);
    return c;
}

static void acked(struct cc *c, uint64_t now_ns)
{
    c->ops->acked(c, &(struct cc_ack){.octets = MSS,
                                      .used = true,
                                      .una = seq(MSS),
                                      .nxt = seq(9 * MSS),
                                      .rtt_ns = 100 * MS,
                                      .srtt_ns = 100 * MS,
                                      .now_ns = now_ns});
}

static struct cc rested(const struct cc *c, const struct cc_ops *ops, uint32_t mss)
{
    struct cc_rest r;
    struct cc resumed;
    cc_rest(c, &r);
    cc_resume(&resumed, &r, ops, mss);
    return resumed;
}

/* The first slow start goes on, with a new round of HyStart++. */
static void slow_start(void **state)
{
    (void)state;
    struct cc c = fresh();
    acked(&c, 0);
    assert_true(c.hystart.begun);
    c = rested(&c, &cc_cubic, MSS);
    assert_ptr_equal(c.ops, &cc_cubic);
    assert_int_equal(c.mss, MSS);
    assert_int_equal(c.stage, CC_FIRST_SLOW_START);
    assert_int_equal(c.cwnd, 11 * MSS);
    assert_int_equal(c.ssthresh, CC_SSTHRESH_INITIAL);
    assert_int_equal(c.abc_limit, CC_ABC_LIMIT);
    assert_false(c.hystart.begun);
    assert_int_equal(c.hystart.samples, 0);
}

/* W_max stays, and with it the place on the curve, as far as that is below the plateau. */
static void avoidance(void **state)
{
    (void)state;
    struct cc c = fresh();
    c.cwnd = 100 * MSS;
    c.ops->loss(&c, 100 * MSS, 0);
    for (unsigned i = 0; i < 100; i++)
        acked(&c, 10 * MS * i);
    uint32_t cwnd = c.cwnd;
    assert_in_range(cwnd, 71 * MSS, 99 * MSS);
    c = rested(&c, &cc_cubic, MSS);
    assert_int_equal(c.stage, CC_SLOW_START);
    assert_int_equal(c.cwnd, cwnd);
    assert_int_equal(c.ssthresh, 70 * MSS);
    assert_int_equal(c.cubic.w_max, 100 * MSS);
    assert_int_equal(c.cubic.cwnd_prior, 100 * MSS);
    acked(&c, 100000 * MS);
    assert_int_equal(c.stage, CC_AVOIDANCE);
    assert_in_range(c.cwnd, cwnd, cwnd + MSS);
    assert_in_range(c.cubic.k_ms, 1, 4217); /* what it was at 70 segments */
}

/* RFC 9438 4.8: the stage after a timeout has its plateau where it begins, W_max or not. */
static void timeout(void **state)
{
    (void)state;
    struct cc c = fresh();
    c.cwnd = 100 * MSS;
    c.ops->timeout(&c, 100 * MSS, true, 0);
    c = rested(&c, &cc_cubic, MSS);
    c.cwnd = c.ssthresh;
    acked(&c, 0);
    assert_int_equal(c.cubic.w_max, 70 * MSS);
    assert_int_equal(c.cubic.k_ms, 0);
}

/* What has changed meanwhile: the MSS (RFC 5681 3.1), and the algorithm. */
static void changed(void **state)
{
    (void)state;
    struct cc c = fresh();
    c.cwnd = 100 * MSS;
    c.ops->loss(&c, 100 * MSS, 0);
    c = rested(&c, &cc_newreno, MSS / 2);
    assert_ptr_equal(c.ops, &cc_newreno);
    assert_int_equal(c.mss, MSS / 2);
    assert_int_equal(c.cwnd, 35 * MSS);
    assert_int_equal(c.ssthresh, 70 * MSS);
    c = rested(&c, &cc_newreno, 2 * MSS);
    assert_int_equal(c.mss, 2 * MSS);
    assert_int_equal(c.cwnd, 35 * MSS);
}

/* RFC 9406 4.2 compares round trips of a window that grows: where it was taken down after silence,
 * or for a smaller MSS, those of before say nothing. */
static void hystart_anew(void **state)
{
    (void)state;
    struct cc c = fresh();
    c.cwnd = 100 * MSS;
    acked(&c, 0);
    cc_idle(&c);
    assert_int_equal(c.stage, CC_FIRST_SLOW_START);
    assert_int_equal(c.cwnd, 10 * MSS);
    assert_false(c.hystart.begun);
    acked(&c, 0);
    assert_int_equal(c.hystart.samples, 1);
    cc_set_mss(&c, MSS / 2);
    assert_false(c.hystart.begun);
    assert_int_equal(c.hystart.samples, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slow_start), cmocka_unit_test(avoidance),    cmocka_unit_test(timeout),
        cmocka_unit_test(changed),    cmocka_unit_test(hystart_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
