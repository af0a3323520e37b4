/* autocork.c: what does not fill a super-segment waits for the ACK of one in flight. */
#include "autocork.h"

#include "segments.h"
#include "user.h"

/* Established, with super-segments of so many octets, and a round trip of so many us. */
static void begin(uint32_t super_max, uint32_t srtt_us, bool sack)
{
    the.path.super_max = super_max;
    establish(.wnd = 65000, .sack_ok = sack ? 1 : NONE);
    the.tcb.busy->cc.cwnd = 60000;
    the.tcb.last_sent_ns = the.now_ns; /* or cwnd would be an idle one's */
    user_sets(nodelay, true);
    the.tcb.rto.srtt_us = srtt_us;
}

/* A super-segment is in flight, and 300 octets wait. */
static void begin_waiting(bool sack)
{
    begin(4000, 999, sack);
    user_sends(4300);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 4000, .gso = 1000);
    expect_silence();
}

/* What does not fill a super-segment waits for the ACK of one before it, where that is here within
 * a millisecond: with more of the user's it is one packet, not two. */
static void fills_super(void **state)
{
    (void)state;
    begin(4000, 999, true);
    user_sends(9300);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 4000, .gso = 1000);
    expect(.flags = ACK, .seq = 4001, .ack = 1, .text = 4000, .gso = 1000);
    expect_silence();
    user_sends(3000);
    expect(.flags = ACK, .seq = 8001, .ack = 1, .text = 4000, .gso = 1000);
    expect_silence();
    receive(.flags = ACK, .seq = 1, .ack = 8001, .wnd = 65000);
    expect_silence(); /* one is in flight yet */
    receive(.flags = ACK, .seq = 1, .ack = 8002, .wnd = 65000);
    expect(.flags = PSH | ACK, .seq = 12001, .ack = 1, .text = 300);
}

/* A peer may delay its ACK all the same: not for longer than a millisecond, and what comes then has
 * a millisecond of its own. */
static void not_for_long(void **state)
{
    (void)state;
    begin_waiting(true);
    uint64_t from = ladder_now();
    ladder_at(HERE, from + NS_PER_MS - 1);
    expect_silence();
    ladder_at(HERE, from + NS_PER_MS);
    expect(.flags = PSH | ACK, .seq = 4001, .ack = 1, .text = 300);
    ladder_at(HERE, from + 3 * NS_PER_MS / 2);
    user_sends(300);
    ladder_at(HERE, from + 5 * NS_PER_MS / 2 - 1);
    expect_silence();
    ladder_at(HERE, from + 5 * NS_PER_MS / 2);
    expect(.flags = PSH | ACK, .seq = 4301, .ack = 1, .text = 300);
}

/* Behind a shut window its time may go by; then it goes as soon as it can. */
static void over_and_shut(void **state)
{
    (void)state;
    begin_waiting(true);
    receive(.flags = ACK, .seq = 1, .ack = 1, .wnd = 4000);
    later(2);
    expect_silence();
    receive(.flags = ACK, .seq = 1, .ack = 1, .wnd = 65000);
    expect(.flags = PSH | ACK, .seq = 4001, .ack = 1, .text = 300);
}

/* RFC 8985 6.2: a retransmission that is lost again is found by what was sent after it. (A review's
 * finding: it took an RTO.) */
static void not_in_recovery(void **state)
{
    (void)state;
    begin(4000, 500, true);
    user_sends(16000);
    ignore();
    receive(.flags = ACK, .seq = 1, .ack = 1, .wnd = 65000, SACKS(1, {4001, 16001}));
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 4000, .gso = 1000);
    user_sends(300);
    expect(.flags = PSH | ACK, .seq = 16001, .ack = 1, .text = 300);
}

/* RFC 3042: each of the first two duplicate ACKs lets new text go. */
static void not_in_limited_transmit(void **state)
{
    (void)state;
    begin_waiting(false);
    receive(.flags = ACK, .seq = 1, .ack = 1, .wnd = 65000);
    expect(.flags = PSH | ACK, .seq = 4001, .ack = 1, .text = 300);
}

/* Nor longer than that, nor behind less, nor without super-segments, nor what is urgent or the
 * last. */
static void fills_no_super(void **state)
{
    (void)state;
    static const uint32_t super_max[] = {4000, 4000, 4000, 0}, srtt_us[] = {1000, 0, 999, 999};
    for (int i = 0; i < 4; i++) {
        const uint32_t text = i == 2 ? 3000 : 4000;
        begin(super_max[i], srtt_us[i], false);
        user_sends(text);
        ignore();
        user_sends(300);
        expect(.flags = PSH | ACK, .seq = text + 1, .ack = 1, .text = 300);
        again();
    }
    begin_waiting(true);
    user_close();
    expect(.flags = FIN | PSH | ACK, .seq = 4001, .ack = 1, .text = 300);
    again();
    begin(4000, 999, true);
    user_sends(4000);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 4000, .gso = 1000);
    user_sends_urgent(10);
    expect(.flags = URG | PSH | ACK, .seq = 4001, .ack = 1, .text = 10, .up = 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ladder_test(fills_super),
        ladder_test(not_for_long),
        ladder_test(over_and_shut),
        ladder_test(not_in_recovery),
        ladder_test(not_in_limited_transmit),
        ladder_test(fills_no_super),
    };
    return ladder_main(tests);
}
