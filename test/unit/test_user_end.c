/* user.c: the user ends a connection, by ABORT (RFC 9293 3.10.5) or by leaving it (3.6.1), while
 * text is on its way. */
#include "segments.h"
#include "timeout.h"

/* ---- ABORT ---- */

/* CLOSING and LAST-ACK. 3.10.5 sends no RST there, taking all text to be sent and heard of; where
 * it is not, the peer would wait for the rest for ever (user.c). */
static void abort_in_closing_with_text_unsent(void **state)
{
    (void)state;
    establish(.wnd = 1000);
    user_sends(5000);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    user_close();
    receive(.flags = FIN | ACK, .seq = 1, .ack = 1);
    expect(.flags = ACK, .seq = 1001, .ack = 2);
    expect_state(STATE_CLOSING);
    user_abort();
    expect(.flags = RST | ACK, .seq = 1001, .ack = 2);
    expect_closed(ERR_ABORTED);
    expect_rest();
}

static void abort_in_closing_with_fin_unsent(void **state)
{
    (void)state;
    establish(.wnd = ZERO);
    user_close();
    receive(.flags = FIN | ACK, .seq = 1, .ack = 1);
    expect(.flags = ACK, .seq = 1, .ack = 2);
    expect_state(STATE_CLOSING);
    user_abort();
    expect(.flags = RST | ACK, .seq = 1, .ack = 2);
    expect_closed(ERR_ABORTED);
}

static void abort_in_last_ack_with_text_lost(void **state)
{
    (void)state;
    reach(STATE_CLOSE_WAIT);
    user_sends(1000);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 2, .text = 1000);
    user_close();
    expect(.flags = FIN | ACK, .seq = 1001, .ack = 2);
    expect_state(STATE_LAST_ACK);
    user_abort();
    expect(.flags = RST | ACK, .seq = 1002, .ack = 2);
    expect_closed(ERR_ABORTED);
}

/* With all text acknowledged, and only the FIN not, it is as 3.10.5 says. */
static void abort_in_last_ack_with_text_heard(void **state)
{
    (void)state;
    reach(STATE_CLOSE_WAIT);
    user_sends(1000);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 2, .text = 1000);
    user_close();
    expect(.flags = FIN | ACK, .seq = 1001, .ack = 2);
    receive(.flags = ACK, .seq = 2, .ack = 1001);
    expect_state(STATE_LAST_ACK);
    user_abort();
    expect_silence();
    expect_closed(ERR_ABORTED);
}

/* A RST beyond the peer's window is not heard (3.10.7.4 first). A probe of a shut one leaves
 * SND.NXT there: the RST stays at the edge (output.c). */
static void abort_while_probing(void **state)
{
    (void)state;
    establish(.wnd = ZERO);
    user_sends(100);
    at(400);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1);
    receive(.flags = ACK, .seq = 1, .ack = 1, .wnd = ZERO);
    user_abort();
    expect(.flags = RST | ACK, .seq = 1, .ack = 1);
}

/* The same for a window that shrinks below what is in flight, and for the RST of a user who leaves
 * text unread. */
static void reset_inside_of_a_shrunk_window(void **state)
{
    (void)state;
    establish();
    user_sends(2000);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    expect(.flags = PSH | ACK, .seq = 1001, .ack = 1, .text = 1000);
    receive(.flags = ACK, .seq = 1, .ack = 1001, .text = 10, .wnd = 300);
    user_leave();
    expect(.flags = RST | ACK, .seq = 1301, .ack = 11);
    expect_closed(ERR_ABORTED);
}

/* ---- The user leaves ---- */

/* Text that nobody will read does not outlive its reader: TIME-WAIT lasts for
 * two MSL. */
static void leave_unread_text_in_time_wait(void **state)
{
    (void)state;
    reach(STATE_FIN_WAIT_2);
    for (uint32_t at = 1; at < 9000; at += 3000) {
        receive(.flags = ACK, .seq = at, .ack = 2, .text = 3000);
        ignore();
    }
    receive(.flags = FIN | ACK, .seq = 9001, .ack = 2);
    expect(.flags = ACK, .seq = 2, .ack = 9002);
    expect_state(STATE_TIME_WAIT);
    assert_true(the.mem.mem.used >= 9000);
    user_leave();
    expect_silence(); /* the peer has closed and has heard all: a RST is for nobody */
    expect_state(STATE_TIME_WAIT);
    expect_rest();
}

/* Answers every probe with a window of 0, `taken` octets acknowledged each time, and returns how
 * many ms after the first probe the connection is CLOSED; up to an hour. */
static uint64_t probed_until_closed(uint32_t taken)
{
    uint64_t first = 0;
    for (uint32_t at = 1; the.tcb.state != STATE_CLOSED;) {
        ladder_at(HERE, tcp_deadline(&the.tcb) - the.start_ns);
        if (the.tcb.state == STATE_CLOSED)
            break;
        expect(.flags = ACK, .seq = at, .ack = 1, .text = 1);
        first = first > 0 ? first : ladder_now();
        if (ladder_now() > 3600 * NS_PER_S)
            break;
        at += taken;
        receive(.flags = ACK, .seq = 1, .ack = at, .wnd = ZERO);
    }
    return (ladder_now() - first) / NS_PER_MS;
}

/* 3.8.6.1 leaves it to "the implementation's resource management", RFC 6429 says how: MUST-37 is
 * for a connection with a user. Without one, a peer that answers probes and never opens its window
 * would hold our memory for ever; it has the user timeout (R2). */
static void leave_behind_a_shut_window(void **state)
{
    (void)state;
    establish(.wnd = ZERO);
    user_sends(5000);
    user_leave();
    assert_int_equal(probed_until_closed(0), 300000);
    expect_closed(ERR_TIMEDOUT);
    expect_rest();
}

/* Progress, however slow, counts. */
static void leave_behind_a_narrow_window(void **state)
{
    (void)state;
    establish(.wnd = ZERO);
    user_sends(5000);
    user_leave();
    assert_true(probed_until_closed(1) >= 3500000);
    expect_state(STATE_FIN_WAIT_1);
}

/* ---- CLOSE ---- */

/* The FIN does not wait for the congestion window, but for the peer's. */
static void fin_beyond_cwnd(void **state)
{
    (void)state;
    establish(.wnd = 60000);
    the.tcb.busy->cc.cwnd = 2000;
    user_sends(2000);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    expect(.flags = PSH | ACK, .seq = 1001, .ack = 1, .text = 1000);
    user_close();
    expect(.flags = FIN | ACK, .seq = 2001, .ack = 1);
    receive(.flags = ACK, .seq = 1, .ack = 2002);
    expect_state(STATE_FIN_WAIT_2);
    again();

    establish(.wnd = 2000);
    user_sends(2000);
    ignore();
    user_close();
    expect_silence();
    receive(.flags = ACK, .seq = 1, .ack = 1001, .wnd = 1001);
    expect(.flags = FIN | ACK, .seq = 2001, .ack = 1);
    receive(.flags = ACK, .seq = 1, .ack = 2002);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ladder_test(abort_in_closing_with_text_unsent),
        ladder_test(abort_in_closing_with_fin_unsent),
        ladder_test(abort_in_last_ack_with_text_lost),
        ladder_test(abort_in_last_ack_with_text_heard),
        ladder_test(abort_while_probing),
        ladder_test(reset_inside_of_a_shrunk_window),
        ladder_test(leave_unread_text_in_time_wait),
        ladder_test(leave_behind_a_shut_window),
        ladder_test(leave_behind_a_narrow_window),
        ladder_test(fin_beyond_cwnd),
    };
    return ladder_main(tests);
}
