/* output.c, user.c: text that waits because the user wants it so: TCP_CORK, MSG_MORE. RFC 9293
 * 3.9.1.2 (MAY-15, MAY-16, MUST-60), tcp(7); and what waits to fill a super-segment. The round trip
 * is 100 ms. */
#include "segments.h"
#include "user.h"

static void cork(bool on)
{
    user_sets(cork, on);
}

/* A SEND with MSG_MORE. */
static void user_sends_more(size_t n)
{
    user_sends(n);
    tcp_more(&the.tcb);
}

static void corked(void **state)
{
    (void)state;
    establish();
    cork(true);
    user_sends(400);
    at(250);
    user_sends(500);
    expect_silence();
    user_sends(1300);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    expect(.flags = ACK, .seq = 1001, .ack = 1, .text = 1000);
    receive(.flags = ACK, .seq = 1, .ack = 2001);
    expect_silence();
    cork(false);
    expect(.flags = PSH | ACK, .seq = 2001, .ack = 1, .text = 200);
    user_sends(10);
    expect_silence(); /* Nagle, as ever */
    receive(.flags = ACK, .seq = 1, .ack = 2201);
    expect(.flags = PSH | ACK, .seq = 2201, .ack = 1, .text = 10);
}

/* MUST-60: 200 ms after nothing is in flight any more; what comes later waits again. */
static void not_for_ever(void **state)
{
    (void)state;
    establish();
    cork(true);
    user_sends(400);
    at(299);
    expect_silence();
    at(300);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 400);
    user_sends(100);
    at(400);
    receive(.flags = ACK, .seq = 1, .ack = 401);
    at(599);
    expect_silence();
    at(600);
    expect(.flags = PSH | ACK, .seq = 401, .ack = 1, .text = 100);
    receive(.flags = ACK, .seq = 1, .ack = 501);
    at(100000); /* and no timer is left */
}

/* Corking does not hold a FIN back, nor what comes before it. */
static void closed(void **state)
{
    (void)state;
    establish();
    cork(true);
    user_sends(400);
    user_close();
    expect(.flags = FIN | PSH | ACK, .seq = 1, .ack = 1, .text = 400);
}

/* TCP_NODELAY yields to it; but setting that flushes what is queued, and only that. */
static void flushed(void **state)
{
    (void)state;
    establish();
    user_sets(nodelay, true);
    cork(true);
    user_sends(400);
    expect_silence();
    tcp_flush(&the.tcb);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 400);
    user_sends(100);
    expect_silence();
    receive(.flags = ACK, .seq = 1, .ack = 401);
}

/* Without PUSH (MAY-15): no PSH, and it waits for the next SEND that has it. */
static void more(void **state)
{
    (void)state;
    establish();
    user_sends_more(400);
    user_sends_more(300);
    expect_silence();
    user_sends(100);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 800);
    receive(.flags = ACK, .seq = 1, .ack = 801);
    user_sends_more(2100);
    expect(.flags = ACK, .seq = 801, .ack = 1, .text = 1000);
    expect(.flags = ACK, .seq = 1801, .ack = 1, .text = 1000);
    receive(.flags = ACK, .seq = 1, .ack = 1801); /* as Linux: an ACK lets it go */
    expect(.flags = ACK, .seq = 2801, .ack = 1, .text = 100);
    user_sends_more(10);
    expect_silence();
    receive(.flags = ACK, .seq = 1, .ack = 2901);
    expect(.flags = ACK, .seq = 2901, .ack = 1, .text = 10);
}

static void more_not_for_ever(void **state)
{
    (void)state;
    establish();
    user_sends_more(400);
    at(299);
    expect_silence();
    at(300);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 400);
    receive(.flags = ACK, .seq = 1, .ack = 401);
    user_sends(10);
    expect(.flags = PSH | ACK, .seq = 401, .ack = 1, .text = 10);
}

/* It overrides TCP_NODELAY, ends with TCP_CORK and by a flush, and does not hold a FIN back. */
static void more_and_others(void **state)
{
    (void)state;
    the.config.nodelay = true;
    establish();
    user_sends_more(400);
    expect_silence();
    tcp_flush(&the.tcb);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 400);
    cork(true);
    user_sends_more(100);
    cork(false);
    expect(.flags = ACK, .seq = 401, .ack = 1, .text = 100);
    user_sends_more(100);
    expect_silence();
    user_close();
    expect(.flags = FIN | ACK, .seq = 501, .ack = 1, .text = 100);
}

/* A shut window is probed as ever (3.8.6.1), and when it opens, corked text waits on. */
static void shut_window(void **state)
{
    (void)state;
    establish(.wnd = ZERO);
    cork(true);
    user_sends(400);
    at(399);
    expect_silence();
    at(400);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1);
    receive(.flags = ACK, .seq = 1, .ack = 2, .wnd = 10000);
    at(599);
    expect_silence();
    at(600);
    expect(.flags = PSH | ACK, .seq = 2, .ack = 1, .text = 399);
}

/* Urgent data goes, and all that is before it; what comes after it waits. */
static void urgent(void **state)
{
    (void)state;
    establish();
    cork(true);
    user_sends(400);
    expect_silence();
    user_sends_urgent(1);
    expect(.flags = PSH | ACK | URG, .seq = 1, .ack = 1, .text = 401, .up = 401);
    user_sends(10);
    expect_silence();
    receive(.flags = ACK, .seq = 1, .ack = 402);
    at(300);
    expect(.flags = PSH | ACK, .seq = 402, .ack = 1, .text = 10);
}

/* Text that is lost goes again, corked or not. */
static void lost(void **state)
{
    (void)state;
    establish();
    cork(true);
    user_sends(1400);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    at(400);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    receive(.flags = ACK, .seq = 1, .ack = 1001);
    at(600);
    expect(.flags = PSH | ACK, .seq = 1001, .ack = 1, .text = 400);
}

/* Established, with super-segments of so many octets, and a round trip of so many us. */
static void begin_super(uint32_t super_max, uint32_t srtt_us)
{
    the.path.super_max = super_max;
    establish(.wnd = 65000);
    the.tcb.busy->cc.cwnd = 60000;
    the.tcb.last_sent_ns = the.now_ns; /* or cwnd would be an idle one's */
    user_sets(nodelay, true);
    the.tcb.rto.srtt_us = srtt_us;
}

/* What does not fill a super-segment waits for the ACK of one before it, where that is here within
 * a millisecond: with more of the user's it is one packet, not two. */
static void fills_super(void **state)
{
    (void)state;
    begin_super(4000, 999);
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

/* Nor longer than that, nor behind less, nor without super-segments, nor what is urgent or the
 * last. */
static void fills_no_super(void **state)
{
    (void)state;
    static const uint32_t super_max[] = {4000, 4000, 4000, 0}, srtt_us[] = {1000, 0, 999, 999};
    for (int i = 0; i < 4; i++) {
        const uint32_t text = i == 2 ? 3000 : 4000;
        begin_super(super_max[i], srtt_us[i]);
        user_sends(text);
        ignore();
        user_sends(300);
        expect(.flags = PSH | ACK, .seq = text + 1, .ack = 1, .text = 300);
        again();
    }
    begin_super(4000, 999);
    user_sends(4300);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 4000, .gso = 1000);
    expect_silence();
    user_close();
    expect(.flags = FIN | PSH | ACK, .seq = 4001, .ack = 1, .text = 300);
    again();
    begin_super(4000, 999);
    user_sends(4000);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 4000, .gso = 1000);
    user_sends_urgent(10);
    expect(.flags = URG | PSH | ACK, .seq = 4001, .ack = 1, .text = 10, .up = 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ladder_test(corked),          ladder_test(not_for_ever), ladder_test(closed),
        ladder_test(flushed),         ladder_test(more),         ladder_test(more_not_for_ever),
        ladder_test(more_and_others), ladder_test(shut_window),  ladder_test(lost),
        ladder_test(urgent),          ladder_test(fills_super),  ladder_test(fills_no_super),
    };
    return ladder_main(tests);
}
