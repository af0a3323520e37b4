/* state.c: the states of a connection (RFC 9293 3.3.2, Figure 5), each edge of the diagram, and
 * what begins and ends with a state. */
#include "segments.h"
#include "timeout.h"
#include "user.h"

static void names(void **state)
{
    (void)state;
    assert_string_equal(state_name(STATE_CLOSED), "CLOSED");
    assert_string_equal(state_name(STATE_LISTEN), "LISTEN");
    assert_string_equal(state_name(STATE_SYN_SENT), "SYN-SENT");
    assert_string_equal(state_name(STATE_SYN_RECEIVED), "SYN-RECEIVED");
    assert_string_equal(state_name(STATE_ESTABLISHED), "ESTABLISHED");
    assert_string_equal(state_name(STATE_FIN_WAIT_1), "FIN-WAIT-1");
    assert_string_equal(state_name(STATE_FIN_WAIT_2), "FIN-WAIT-2");
    assert_string_equal(state_name(STATE_CLOSE_WAIT), "CLOSE-WAIT");
    assert_string_equal(state_name(STATE_CLOSING), "CLOSING");
    assert_string_equal(state_name(STATE_LAST_ACK), "LAST-ACK");
    assert_string_equal(state_name(STATE_TIME_WAIT), "TIME-WAIT");
}

/* Figure 5: CLOSED - LISTEN - CLOSED, CLOSED - SYN-SENT - CLOSED. */
static void open_and_close(void **state)
{
    (void)state;
    open_passive();
    expect_state(STATE_LISTEN);
    user_close();
    expect_closed(ERR_NONE);
    again();
    open_active();
    expect_state(STATE_SYN_SENT);
    expect(.flags = SYN, .seq = 0);
    user_close();
    expect_closed(ERR_NONE);
}

/* Figure 6 from the side of TCP Peer A. */
static void three_way_handshake_active(void **state)
{
    (void)state;
    open_active();
    expect(.flags = SYN, .seq = 0);
    expect_state(STATE_SYN_SENT);
    at(10);
    receive(.flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
    expect(.flags = ACK, .seq = 1, .ack = 1);
    expect_state(STATE_ESTABLISHED);
    expect_events(TCB_EV_ESTABLISHED);
    user_sends(10);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    receive(.flags = ACK, .seq = 1, .ack = 11);
}

/* The same from the side of B. */
static void three_way_handshake_passive(void **state)
{
    (void)state;
    open_passive();
    receive(.flags = SYN, .seq = 0, .mss = 1000);
    expect_state(STATE_SYN_RECEIVED);
    expect(.flags = SYN | ACK, .seq = 0, .ack = 1);
    expect_events(0);
    at(10);
    receive(.flags = ACK, .seq = 1, .ack = 1);
    expect_state(STATE_ESTABLISHED);
    expect_events(TCB_EV_ESTABLISHED);
    receive(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    at(50);
    expect(.flags = ACK, .seq = 1, .ack = 11);
}

/* Figure 8 up to SYN-RECEIVED (MUST-10), and the ACK that a SYN-ACK of ours would get. */
static void simultaneous_open(void **state)
{
    (void)state;
    open_active();
    expect(.flags = SYN, .seq = 0);
    receive(.flags = SYN, .seq = 0, .mss = 1000);
    expect_state(STATE_SYN_RECEIVED);
    expect(.flags = SYN | ACK, .seq = 0, .ack = 1);
    receive(.flags = ACK, .seq = 1, .ack = 1);
    expect_state(STATE_ESTABLISHED);
    expect_events(TCB_EV_ESTABLISHED);
}

/* Figure 12 from the side of A: FIN-WAIT-1, FIN-WAIT-2, TIME-WAIT, CLOSED. */
static void normal_close_first(void **state)
{
    (void)state;
    establish();
    user_close();
    expect_state(STATE_FIN_WAIT_1);
    expect(.flags = FIN | ACK, .seq = 1, .ack = 1);
    at(200);
    receive(.flags = ACK, .seq = 1, .ack = 2);
    expect_state(STATE_FIN_WAIT_2);
    expect_events(TCB_EV_ACKED);
    at(300);
    receive(.flags = FIN | ACK, .seq = 1, .ack = 2);
    expect(.flags = ACK, .seq = 2, .ack = 2);
    expect_state(STATE_TIME_WAIT);
    expect_events(TCB_EV_ARRIVED | TCB_EV_CLOSED);
    at(300 + 60000 - 1); /* MUST-13 */
    expect_state(STATE_TIME_WAIT);
    at(300 + 60000);
    expect_closed(ERR_NONE);
}

/* Figure 12 from the side of B: CLOSE-WAIT, LAST-ACK, CLOSED. */
static void normal_close_second(void **state)
{
    (void)state;
    establish();
    receive(.flags = FIN | ACK, .seq = 1, .ack = 1);
    expect_state(STATE_CLOSE_WAIT);
    expect_events(TCB_EV_ARRIVED);
    expect(.flags = ACK, .seq = 1, .ack = 2);
    at(200);
    user_close();
    expect(.flags = FIN | ACK, .seq = 1, .ack = 2);
    expect_state(STATE_LAST_ACK);
    at(300);
    receive(.flags = ACK, .seq = 2, .ack = 2);
    expect_closed(ERR_NONE);
    expect_events(TCB_EV_CLOSED);
}

/* Figure 13: FIN-WAIT-1, CLOSING, TIME-WAIT; but the ACK of the FIN that has crossed ours carries
 * ours again. It may be lost as well: then it goes by the timer. */
static void simultaneous_close(void **state)
{
    (void)state;
    establish();
    user_close();
    expect(.flags = FIN | ACK, .seq = 1, .ack = 1);
    receive(.flags = FIN | ACK, .seq = 1, .ack = 1);
    expect_state(STATE_CLOSING);
    expect(.flags = FIN | ACK, .seq = 1, .ack = 2);
    at(400);
    expect(.flags = FIN | ACK, .seq = 1, .ack = 2);
    receive(.flags = ACK, .seq = 2, .ack = 2);
    expect_state(STATE_TIME_WAIT);
    at(400 + 60000);
    expect_closed(ERR_NONE);
}

/* Figure 5: FIN-WAIT-1 to TIME-WAIT, by a FIN that acknowledges ours. */
static void fin_with_ack_of_fin(void **state)
{
    (void)state;
    reach(STATE_FIN_WAIT_1);
    receive(.flags = FIN | ACK, .seq = 1, .ack = 2);
    expect_state(STATE_TIME_WAIT);
    expect(.flags = ACK, .seq = 2, .ack = 2);
}

/* Figure 5: SYN-RECEIVED to LISTEN by RST; the listener is stack/'s, so the connection just ends
 * and the user need not be informed. */
static void rst_returns_to_listen(void **state)
{
    (void)state;
    reach(STATE_SYN_RECEIVED);
    receive(.flags = RST, .seq = 1);
    expect_closed(ERR_NONE);
}

/* Figure 5: CLOSE in SYN-RECEIVED leads to FIN-WAIT-1 (3.10.4; we wait for the ACK of our SYN). */
static void close_in_syn_received(void **state)
{
    (void)state;
    reach(STATE_SYN_RECEIVED);
    user_close();
    receive(.flags = ACK, .seq = 1, .ack = 1);
    expect_state(STATE_FIN_WAIT_1);
    expect(.flags = FIN | ACK, .seq = 1, .ack = 1);
}

/* 3.10.7.4 eighth step: "start the time-wait timer, turn off the other timers". */
static void time_wait_has_one_timer(void **state)
{
    (void)state;
    reach(STATE_TIME_WAIT);
    assert_true(the.tcb.busy->rtx_due_ns == TIME_NEVER);
    assert_true(the.tcb.busy->give_up_due_ns == TIME_NEVER);
    assert_false(persist_on(&the.tcb.busy->persist));
    assert_int_equal(tcp_deadline(&the.tcb), the.now_ns + 2 * the.config.msl_ns);
}

/* 3.10.7.4 second step: what waits to be sent is flushed, and its memory is given back; what has
 * arrived can still be read. */
static void failing_flushes(void **state)
{
    (void)state;
    establish();
    user_sends(3000);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    expect(.flags = ACK, .seq = 1001, .ack = 1, .text = 1000);
    expect(.flags = PSH | ACK, .seq = 2001, .ack = 1, .text = 1000);
    receive(.flags = ACK, .seq = 1, .ack = 1, .text = 50);
    batch();
    receive(.flags = RST, .seq = 51);
    expect_closed(ERR_RESET);
    expect_events(TCB_EV_ARRIVED | TCB_EV_CLOSED);
    assert_true(tcp_deadline(&the.tcb) == TIME_NEVER);
    user_receives(50);
    expect_rest();
}

/* A user that has left can't hold FIN-WAIT-2 for ever (config.orphan_ns). */
static void orphan_in_fin_wait_2(void **state)
{
    (void)state;
    reach(STATE_FIN_WAIT_1);
    user_leave();
    at(150);
    receive(.flags = ACK, .seq = 1, .ack = 2);
    expect_state(STATE_FIN_WAIT_2);
    at(150 + 60000 - 1);
    expect_state(STATE_FIN_WAIT_2);
    at(150 + 60000);
    expect_closed(ERR_NONE);
}

/* TCP_LINGER2: the user says for how long; or not at all, whether our FIN is acknowledged before it
 * leaves or after. */
static void orphan_for_so_long(void **state)
{
    (void)state;
    for (unsigned first = 0; first < 2; first++) {
        for (unsigned ms = 0; ms < 3000; ms += 1500) {
            reach(first ? STATE_FIN_WAIT_1 : STATE_FIN_WAIT_2);
            struct tcp_settings settings = *the.tcb.settings;
            settings.orphan_ms = ms ? ms : ORPHAN_NONE;
            ladder_set(&settings);
            user_leave();
            if (first)
                receive(.flags = ACK, .seq = 1, .ack = 2);
            if (ms == 0) {
                expect(.flags = RST | ACK, .seq = 2, .ack = 1);
                expect_closed(ERR_ABORTED);
            } else {
                later(1499);
                expect_state(STATE_FIN_WAIT_2);
                later(1);
                expect_closed(ERR_NONE);
            }
            again();
        }
    }
}

static void user_in_fin_wait_2_may_wait(void **state)
{
    (void)state;
    reach(STATE_FIN_WAIT_2);
    assert_true(tcp_deadline(&the.tcb) == TIME_NEVER);
    at(86400 * 1000);
    receive(.flags = ACK, .seq = 1, .ack = 2, .text = 10);
    user_receives(10);
    later(40);
    expect(.flags = ACK, .seq = 2, .ack = 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ladder_test(names),
        ladder_test(open_and_close),
        ladder_test(three_way_handshake_active),
        ladder_test(three_way_handshake_passive),
        ladder_test(simultaneous_open),
        ladder_test(normal_close_first),
        ladder_test(normal_close_second),
        ladder_test(simultaneous_close),
        ladder_test(fin_with_ack_of_fin),
        ladder_test(rst_returns_to_listen),
        ladder_test(close_in_syn_received),
        ladder_test(time_wait_has_one_timer),
        ladder_test(failing_flushes),
        ladder_test(orphan_in_fin_wait_2),
        ladder_test(orphan_for_so_long),
        ladder_test(user_in_fin_wait_2_may_wait),
    };
    return ladder_main(tests);
}
