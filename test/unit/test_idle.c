/* RFC 5681 4.1: a restart after idleness (timeout.c tcp_timeout_silent()). */
#include "segments.h"

/* A congestion window that stands in nobody's way. */
static void wide_cwnd(void)
{
    the.tcb.busy->cc.cwnd = 60000;
    the.tcb.last_sent_ns = the.now_ns; /* or it would count as idle */
}

/* RFC 5681 4.1: after more than one RTO of silence cwnd is at most the initial window again. */
static void idle_restart(void **state)
{
    (void)state;
    establish(.wnd = 50000);
    wide_cwnd();
    at(1000);
    user_sends(20000);
    for (uint32_t i = 0; i < 10; i++)
        expect(.flags = ACK, .seq = 1 + 1000 * i, .ack = 1, .text = 1000);
    expect_silence();
    receive(.flags = ACK, .seq = 1, .ack = 10001);
    ignore();
    receive(.flags = ACK, .seq = 1, .ack = ours());
    ignore();
    receive(.flags = ACK, .seq = 1, .ack = 20001);
}

/* The same while the peer's window was shut: a probe is no text worth the name. */
static void idle_while_shut(void **state)
{
    (void)state;
    establish(.wnd = 50000);
    wide_cwnd();
    user_sends(1000);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1000);
    later(100);
    receive(.flags = ACK, .seq = 1, .ack = 1001, .wnd = ZERO);
    user_sends(20000);
    uint64_t rto_ns = tcb_rto_ns(&the.tcb);
    later(rto_ns / NS_PER_MS);
    expect(.flags = ACK, .seq = 1001, .ack = 1, .text = 1);
    receive(.flags = ACK, .seq = 1, .ack = 1001, .wnd = ZERO);
    later(50);
    receive(.flags = ACK, .seq = 1, .ack = 1001, .wnd = 50000);
    for (uint32_t i = 0; i < 10; i++)
        expect(.flags = ACK, .seq = 1001 + 1000 * i, .ack = 1, .text = 1000);
    expect_silence();
    ignore();
}

/* What is sent again is sent: RFC 5681 4.1 counts from there. */
static void no_idleness_in_recovery(void **state)
{
    (void)state;
    establish(.sack_ok = 1, .wnd = 20000);
    the.tcb.rto.srtt_us = 300000;
    the.tcb.rto.rttvar_us = 10000;
    the.tcb.rto.base_us = 500000;
    wide_cwnd();
    user_sends(60000);
    for (uint32_t i = 0; i < 20; i++)
        expect(.flags = ACK, .seq = 1 + 1000 * i, .ack = 1, .text = 1000);
    the.tcb.busy->cc.cwnd = 40000;
    later(300);
    receive(.flags = ACK, .seq = 1, .ack = 1, SACKS(1, {1001, 20001}));
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    later(300);
    batch();
    receive(.flags = ACK, .seq = 1, .ack = 20001);
    uint32_t cwnd = the.tcb.busy->cc.cwnd;
    assert_true(cwnd > 10000);
    ignore();
    assert_int_equal(the.tcb.busy->cc.cwnd, cwnd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ladder_test(idle_restart),
        ladder_test(idle_while_shut),
        ladder_test(no_idleness_in_recovery),
    };
    return ladder_main(tests);
}
