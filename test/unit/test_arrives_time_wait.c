/* arrives_sync.c: TIME-WAIT (RFC 9293 3.6.1, 3.10.7.4; RFC 1337). */
#include "segments.h"

/* TIME-WAIT: RFC 1337 3 (F1): ignored. */
static void second_time_wait(void **state)
{
    (void)state;
    reach(STATE_TIME_WAIT);
    receive(.flags = RST, .seq = theirs());
    receive(.flags = RST, .seq = theirs() + 5);
    expect_state(STATE_TIME_WAIT);
}

/* TIME-WAIT: "a retransmission of the remote FIN. Acknowledge it, and restart the 2 MSL timeout."
 */
static void fifth_time_wait(void **state)
{
    (void)state;
    reach(STATE_TIME_WAIT);
    at(50000);
    receive(.flags = FIN | ACK, .seq = 1, .ack = 2);
    expect(.flags = ACK, .seq = 2, .ack = 2);
    at(50000 + 60000 - 1);
    expect_state(STATE_TIME_WAIT);
    receive(.flags = ACK, .seq = 2, .ack = 2); /* anything else does not */
    at(50000 + 60000);
    expect_closed(ERR_NONE);
}

/* What else lies in the window in TIME-WAIT is acknowledged as well, but for an ACK that says
 * nothing new: two ends in TIME-WAIT would go on for ever. Nothing restarts the timeout. */
static void time_wait_answers(void **state)
{
    (void)state;
    const struct line lines[] = {
        {.flags = ACK, .seq = 3, .ack = 2},
        {.flags = ACK, .seq = 10001, .ack = 2},
        {.flags = ACK, .seq = 2, .ack = 2, .text = 1},
        {.flags = FIN | ACK, .seq = 2, .ack = 2},
        {.flags = FIN | ACK, .seq = 5000, .ack = 2, .text = 100},
    };
    reach(STATE_TIME_WAIT);
    at(50000);
    for (unsigned i = 0; i < sizeof lines / sizeof *lines; i++) {
        ladder_receive(HERE, lines[i]);
        expect(.flags = ACK, .seq = 2, .ack = 2);
    }
    receive(.flags = ACK, .seq = 2, .ack = 2);
    for (int i = 0; i < 20; i++) {
        receive(.flags = ACK, .seq = 3, .ack = 2);
        ignore();
    }
    receive(.flags = ACK, .seq = 3, .ack = 2); /* RFC 5961 7: enough */
    expect_silence();
    expect_events(0);
    at(60100);
    expect_closed(ERR_NONE);
}

/* TIME-WAIT starts anew by the FIN that was received, not by just any. */
static void blind_fin_in_time_wait(void **state)
{
    (void)state;
    reach(STATE_TIME_WAIT);
    at(50000);
    receive(.flags = FIN | ACK, .seq = 50000, .ack = 2);
    expect(.flags = ACK, .seq = 2, .ack = 2);
    at(60100);
    expect_closed(ERR_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ladder_test(second_time_wait),
        ladder_test(fifth_time_wait),
        ladder_test(time_wait_answers),
        ladder_test(blind_fin_in_time_wait),
    };
    return ladder_main(tests);
}
