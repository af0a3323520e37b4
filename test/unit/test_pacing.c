/* pacing.c: new text is spread over the round trip (RFC 9002 7.7, as no RFC on TCP has it). */
#include "pacing.h"

#include "segments.h"

static void paced(void)
{
    the.config.pacing_ss_ratio = 200;
    the.config.pacing_ca_ratio = 120;
}

/* Established, a round trip of 100 ms, one segment acknowledged at 200 ms, and then this window. */
static void begin(uint32_t cwnd, uint32_t ssthresh)
{
    paced();
    establish(.wnd = 65000);
    user_sends(1000);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1000);
    at(200);
    receive(.flags = ACK, .seq = 1, .ack = 1001, .wnd = 65000);
    the.tcb.busy->cc.cwnd = cwnd;
    the.tcb.busy->cc.ssthresh = ssthresh;
}

static void burst(unsigned from, unsigned n)
{
    for (unsigned i = from; i < from + n; i++)
        expect(.flags = ACK, .seq = 1001 + 1000 * i, .ack = 1, .text = 1000);
    expect_silence();
}

/* Of 40, all that are left. */
static void all_from(unsigned i)
{
    for (; i < 39; i++)
        expect(.flags = ACK, .seq = 1001 + 1000 * i, .ack = 1, .text = 1000);
    expect(.flags = PSH | ACK, .seq = 40001, .ack = 1, .text = 1000);
}

/* Ten segments at once, before their time, and one each ms. */
static void one_each_ms(void)
{
    user_sends(40000);
    burst(0, 11);
    at(201);
    burst(11, 1);
    at(202);
    burst(12, 1);
}

/* Slow start: 50 segments in half a round trip, one each ms; ten of them before their time. */
static void twice_as_fast_in_slow_start(void **state)
{
    (void)state;
    begin(50000, UINT32_MAX);
    one_each_ms();
    assert_true(the.tcb.busy->pacing.waits);
    /* An ACK does not let more go than the time does; and what time has let go is not lost. */
    batch();
    receive(.flags = ACK, .seq = 1, .ack = 3001, .wnd = 65000);
    expect_silence();
    at(203);
    burst(13, 1);
}

/* RFC 9406 4.3: what an ACK lets go is spread, so all that it covers counts (L is infinite); but
 * one SMSS while a timeout is repaired (RFC 3465 2.3). */
static void all_of_an_ack_counts(void **state)
{
    (void)state;
    begin(20000, UINT32_MAX);
    user_sends(40000);
    burst(0, 11);
    receive(.flags = ACK, .seq = 1, .ack = 12001, .wnd = 65000);
    assert_int_equal(the.tcb.busy->cc.cwnd, 31000);
    the.tcb.busy->cc.abc_limit = 1;
    const struct cc_ack ack = {.octets = 20000, .used = true, .paced = true};
    the.tcb.busy->cc.ops->acked(&the.tcb.busy->cc, &ack);
    assert_int_equal(the.tcb.busy->cc.cwnd, 32000);
    ignore();
}

/* Congestion avoidance: 100 segments in five sixths of a round trip of 120 ms. */
static void a_fifth_faster_in_avoidance(void **state)
{
    (void)state;
    begin(100000, 20000);
    the.tcb.rto.srtt_us = 120000;
    one_each_ms();
}

/* Time that went by without text is no credit, but for the burst that may always go. */
static void no_credit(void **state)
{
    (void)state;
    begin(50000, UINT32_MAX);
    user_sends(2000);
    expect(.flags = ACK, .seq = 1001, .ack = 1, .text = 1000);
    expect(.flags = PSH | ACK, .seq = 2001, .ack = 1, .text = 1000);
    at(260);
    user_sends(38000);
    burst(2, 11);
    at(261);
    burst(13, 1);
}

/* RFC 6928: the initial window goes as it is, and so does what is sent when nothing is in flight.
 */
static void first_flight(void **state)
{
    (void)state;
    paced();
    establish(.wnd = 65000);
    the.tcb.busy->cc.cwnd = 20000;
    the.tcb.last_sent_ns = the.now_ns; /* else it has been idle, RFC 5681 4.1 */
    user_sends(40000);
    for (unsigned i = 0; i < 20; i++)
        expect(.flags = ACK, .seq = 1 + 1000 * i, .ack = 1, .text = 1000);
    expect_silence();
    at(200);
    receive(.flags = ACK, .seq = 1, .ack = 20001, .wnd = 65000);
    expect(.flags = ACK, .seq = 20001, .ack = 1, .text = 1000);
    ignore();
}

/* What is sent again does not wait, and neither do a FIN and an ACK. */
static void text_that_is_new_alone(void **state)
{
    (void)state;
    begin(50000, UINT32_MAX);
    user_sends(40000);
    burst(0, 11);
    for (unsigned i = 0; i < 2; i++)
        receive(.flags = ACK, .seq = 1, .ack = 1001, .wnd = 65000);
    receive(.flags = ACK, .seq = 1, .ack = 1001, .wnd = 65000);
    expect(.flags = ACK, .seq = 1001, .ack = 1, .text = 1000);
    receive(.flags = PSH | ACK, .seq = 1, .ack = 1001, .text = 10, .wnd = 65000);
    ignore();
}

/* Super-segments have what goes in a millisecond, at least two segments. */
static void super_segments(void **state)
{
    (void)state;
    the.path.super_max = 64000;
    begin(50000, UINT32_MAX);
    user_sends(40000);
    for (unsigned i = 0; i < 6; i++)
        expect(.flags = ACK, .seq = 1001 + 2000 * i, .ack = 1, .text = 2000);
    expect_silence();
    assert_int_equal(pacing_super_max(&the.tcb), 2000);
    the.tcb.busy->cc.cwnd = 500000;
    assert_int_equal(pacing_super_max(&the.tcb), 10000);
}

/* Where a round trip takes less than a millisecond there is nothing to spread; nor where it is off.
 */
static void not_at_all(void **state)
{
    (void)state;
    begin(50000, UINT32_MAX);
    the.tcb.rto.srtt_us = 999;
    user_sends(40000);
    for (unsigned i = 0; i < 39; i++)
        expect(.flags = ACK, .seq = 1001 + 1000 * i, .ack = 1, .text = 1000);
    ignore();
    assert_int_equal(pacing_super_max(&the.tcb), UINT32_MAX);
    the.tcb.rto.srtt_us = 1000;
    assert_int_not_equal(pacing_super_max(&the.tcb), UINT32_MAX);
    the.config.pacing_ss_ratio = the.config.pacing_ca_ratio = 0;
    assert_int_equal(pacing_super_max(&the.tcb), UINT32_MAX);
}

/* Linux's tcp_pacing_ss_ratio and tcp_pacing_ca_ratio: 50 segments in a round trip; and where the
 * ratio is 0, all at once. */
static void ratios(void **state)
{
    (void)state;
    begin(50000, UINT32_MAX);
    the.config.pacing_ss_ratio = 100;
    the.config.pacing_ca_ratio = 0;
    user_sends(40000);
    burst(0, 11);
    at(202);
    burst(11, 1);
    the.tcb.busy->cc.ssthresh = 50000;
    assert_int_equal(pacing_super_max(&the.tcb), UINT32_MAX);
    at(204);
    all_from(12);
    the.config.pacing_ca_ratio = 1000;
    struct tcp_status status;
    tcb_status(&the.tcb, &status);
    assert_int_equal(status.pacing_rate, 5000000);
    assert_true(status.max_pacing_rate == PACING_UNLIMITED);
}

/* SO_MAX_PACING_RATE (tc-fq(8)): a segment each 10 ms, behind ten that go at once, whatever cwnd
 * is and however short the round trip; and also when nothing is in flight any more. */
static void limit(void **state)
{
    (void)state;
    begin(50000, UINT32_MAX);
    the.tcb.rto.srtt_us = 100;
    user_sets(max_pacing_rate, 100000);
    user_sends(30000);
    burst(0, 11);
    struct tcp_status status;
    tcb_status(&the.tcb, &status);
    assert_int_equal(status.pacing_rate, 100000);
    assert_int_equal(status.max_pacing_rate, 100000);
    at(209);
    receive(.flags = ACK, .seq = 1, .ack = 12001, .wnd = 65000);
    expect_silence();
    at(210);
    burst(11, 1);
    at(211);
    receive(.flags = ACK, .seq = 1, .ack = 13001, .wnd = 65000);
    at(219);
    expect_silence();
    at(220);
    burst(12, 1);
    assert_int_equal(pacing_super_max(&the.tcb), 2000);
    user_sets(max_pacing_rate, 10000000);
    assert_int_equal(pacing_super_max(&the.tcb), 10000);
    ignore();
}

/* The smaller of the two rates holds; another limit begins anew; PACING_NONE lets all go. */
static void limit_changes(void **state)
{
    (void)state;
    begin(50000, UINT32_MAX);
    user_sets(max_pacing_rate, 1);
    user_sends(40000);
    burst(0, 11);
    at(300);
    expect_silence();
    user_sets(max_pacing_rate, UINT64_C(1) << 63);
    burst(11, 11);
    struct tcp_status status;
    tcb_status(&the.tcb, &status);
    assert_int_equal(status.pacing_rate, 1000000);
    at(301);
    burst(22, 1);
    user_sets(max_pacing_rate, PACING_NONE);
    all_from(23);
    assert_int_equal(pacing_super_max(&the.tcb), UINT32_MAX);
}

/* The slowest there is: a window of one small segment, a round trip beyond all bounds, a clock that
 * has hardly begun. Times have no end, nothing is divided by 0, and text is not held back for ever.
 */
static void slowest(void **state)
{
    (void)state;
    begin(8, UINT32_MAX);
    the.tcb.rto.srtt_us = UINT32_MAX;
    the.tcb.snd.mss = 8;
    the.tcb.busy->pacing.gone_ns = 0;
    pacing_sent(&the.tcb, 8, 1);
    assert_true(the.tcb.busy->pacing.gone_ns == 1 + 50 * NS_PER_S);
    assert_true(the.tcb.busy->pacing.go_ns == 0);
    pacing_sent(&the.tcb, UINT16_MAX, 1);
    assert_true(the.tcb.busy->pacing.go_ns < UINT64_C(1) << 60);
    assert_int_equal(pacing_super_max(&the.tcb), 16);
    the.tcb.busy->cc.cwnd = CC_CWND_MAX;
    assert_int_equal(pacing_super_max(&the.tcb), 2 * (CC_CWND_MAX / 100000));
    the.tcb.snd.mss = 1000;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ladder_test(twice_as_fast_in_slow_start),
        ladder_test(all_of_an_ack_counts),
        ladder_test(a_fifth_faster_in_avoidance),
        ladder_test(no_credit),
        ladder_test(first_flight),
        ladder_test(text_that_is_new_alone),
        ladder_test(super_segments),
        ladder_test(not_at_all),
        ladder_test(ratios),
        ladder_test(limit),
        ladder_test(limit_changes),
        ladder_test(slowest),
    };
    return ladder_main(tests);
}
