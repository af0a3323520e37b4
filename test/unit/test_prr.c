/* RFC 6937 3: how cwnd comes down to ssthresh. */
#include "prr.h"
#include "support.h"

#define MSS 1000u

/* An ACK of one segment, after which so much is in flight; what cwnd lets go is sent. Segments. */
static uint32_t acked(struct prr *p, uint32_t pipe, uint32_t ssthresh, bool safe)
{
    uint32_t cwnd = prr_cwnd(p, MSS, pipe * MSS, ssthresh * MSS, MSS, safe);
    assert_true(cwnd >= pipe * MSS);
    uint32_t sent = (cwnd - pipe * MSS) / MSS;
    prr_sent(p, sent * MSS);
    return sent;
}

/* 3.1, the first figure: one loss of twenty; ssthresh is 10: one goes for every second ACK, and in
 * the end cwnd is ssthresh. */
static void proportional(void **state)
{
    (void)state;
    struct prr p;
    prr_begin(&p, 20 * MSS);
    uint32_t pipe = 19, sent = 0;
    for (unsigned i = 1; i <= 19; i++) {
        uint32_t n = acked(&p, --pipe, 10, true);
        pipe += n;
        sent += n;
        if (pipe > 10) /* prr_delivered * ssthresh / RecoverFS, and the first at once */
            assert_int_equal(sent, i == 1 ? 1 : i / 2);
    }
    assert_int_equal(pipe, 10);
}

/* 3.1, the second figure: so many are lost that less than ssthresh is in flight: PRR-SSRB lets one
 * more go with every ACK than it has delivered, until ssthresh is reached. */
static void slow_start_reduction_bound(void **state)
{
    (void)state;
    struct prr p;
    prr_begin(&p, 20 * MSS);
    uint32_t pipe = 4;
    static const uint32_t pipes[] = {5, 6, 7, 8, 9, 10, 10, 10};
    for (unsigned i = 0; i < 8; i++) {
        pipe = pipe - 1 + acked(&p, pipe - 1, 10, true);
        assert_int_equal(pipe, pipes[i]);
    }
}

/* While ACKs tell of further losses no more goes than has arrived (PRR-CRB); but what each says has
 * arrived, also when more has been sent before, as with SSRB. */
static void conservative_reduction_bound(void **state)
{
    (void)state;
    struct prr p;
    prr_begin(&p, 20 * MSS);
    uint32_t pipe = 4;
    for (unsigned i = 0; i < 8; i++) {
        pipe = pipe - 1 + acked(&p, pipe - 1, 10, false);
        assert_int_equal(pipe, 4);
    }
    assert_int_equal(p.out, p.delivered);
    prr_sent(&p, 5 * MSS);
    assert_int_equal(acked(&p, 3, 10, false), 1);
}

/* What could not be sent before may go later, not more. */
static void bank(void **state)
{
    (void)state;
    struct prr p;
    prr_begin(&p, 20 * MSS);
    prr_sent(&p, MSS);
    assert_int_equal(prr_cwnd(&p, 3 * MSS, 4 * MSS, 10 * MSS, MSS, false), 7 * MSS);
    assert_int_equal(prr_cwnd(&p, 0, 4 * MSS, 10 * MSS, MSS, false), 6 * MSS);
    assert_int_equal(prr_cwnd(&p, 0, 4 * MSS, 10 * MSS, MSS, true), 7 * MSS);
    prr_sent(&p, 2 * MSS);
    assert_int_equal(prr_cwnd(&p, 0, 6 * MSS, 10 * MSS, MSS, false), 6 * MSS);
}

/* The first retransmission goes at once, whatever is in flight. */
static void first_goes(void **state)
{
    (void)state;
    struct prr p;
    prr_begin(&p, 100 * MSS);
    assert_int_equal(prr_cwnd(&p, 0, 99 * MSS, 50 * MSS, MSS, false), 100 * MSS);
    prr_sent(&p, MSS);
    assert_int_equal(prr_cwnd(&p, 0, 99 * MSS, 50 * MSS, MSS, false), 99 * MSS);
}

/* A reduction to nearly nothing: never less than a segment, no division by zero, no overflow. */
static void limits(void **state)
{
    (void)state;
    struct prr p;
    prr_begin(&p, 0);
    prr_sent(&p, MSS);
    assert_int_equal(prr_cwnd(&p, 0, 0, 2 * MSS, MSS, false), MSS);
    prr_begin(&p, UINT32_MAX);
    assert_int_equal(prr_cwnd(&p, UINT32_MAX, UINT32_MAX, UINT32_MAX / 2, MSS, true), UINT32_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(proportional),
        cmocka_unit_test(slow_start_reduction_bound),
        cmocka_unit_test(conservative_reduction_bound),
        cmocka_unit_test(bank),
        cmocka_unit_test(first_goes),
        cmocka_unit_test(limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
