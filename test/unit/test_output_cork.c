/* output.c, user.c: text that waits because the user wants it so: TCP_CORK, MSG_MORE. RFC 9293
 * 3.9.1.2 (MAY-15, MAY-16, MUST-60), tcp(7). The round trip is 100 ms. */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        ladder_test(corked),          ladder_test(not_for_ever), ladder_test(closed),
        ladder_test(flushed),         ladder_test(more),         ladder_test(more_not_for_ever),
        ladder_test(more_and_others), ladder_test(shut_window),  ladder_test(lost),
        ladder_test(urgent),
    };
    return ladder_main(tests);
}
