/* RFC 9293 3.6: closing a connection: figures 12 and 13, and the three cases. */
#include "hosts.h"

static void in_state(const struct sock *so, enum tcp_state s)
{
    assert_int_equal(stack_state(so), s);
}

/* Figure 12 as peer A, which closes first. */
static void normal_close_as_a(void **state)
{
    (void)state;
    struct peer b = peer(1, 0);
    struct sock *so = host_connected(HERE, &b);
    assert_int_equal(host_shutdown_send(so), ERR_NONE);
    leaves(&b, .flags = FIN | ACK, .seq = 1, .ack = 1);
    in_state(so, STATE_FIN_WAIT_1);
    host_at(100);
    arrives(&b, .flags = ACK, .seq = 1, .ack = 2);
    in_state(so, STATE_FIN_WAIT_2);
    host_at(5000);
    arrives(&b, .flags = FIN | ACK, .seq = 1, .ack = 2);
    leaves(&b, .flags = ACK, .seq = 2, .ack = 2);
    in_state(so, STATE_TIME_WAIT);
    host_at(64999);
    in_state(so, STATE_TIME_WAIT);
    host_at(65000); /* 2 MSL */
    in_state(so, STATE_CLOSED);
    nothing_leaves();
}

/* Figure 12 as peer B. */
static void normal_close_as_b(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = 1);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 2);
    in_state(so, STATE_CLOSE_WAIT);
    expect_event(so, SOCK_EV_ARRIVED);
    host_at(5000);
    nothing_leaves(); /* not before the user has closed as well */
    assert_int_equal(host_shutdown_send(so), ERR_NONE);
    leaves(&a, .flags = FIN | ACK, .seq = 1, .ack = 2);
    in_state(so, STATE_LAST_ACK);
    arrives(&a, .flags = ACK, .seq = 2, .ack = 2);
    in_state(so, STATE_CLOSED);
    expect_event(so, SOCK_EV_CLOSED);
    assert_int_equal(stack_error(so), ERR_NONE);
}

/* Figure 13, the same from either side. The ACK of the peer's FIN has ours again (lib/README.md).
 */
static void simultaneous_close(void **state)
{
    (void)state;
    struct peer b = peer(1, 0);
    struct sock *so = host_connected(HERE, &b);
    assert_int_equal(host_shutdown_send(so), ERR_NONE);
    leaves(&b, .flags = FIN | ACK, .seq = 1, .ack = 1);
    arrives(&b, .flags = FIN | ACK, .seq = 1, .ack = 1);
    leaves(&b, .flags = FIN | ACK, .seq = 1, .ack = 2);
    in_state(so, STATE_CLOSING);
    arrives(&b, .flags = ACK, .seq = 2, .ack = 2);
    in_state(so, STATE_TIME_WAIT);
    host_at(59999);
    in_state(so, STATE_TIME_WAIT);
    host_at(60000);
    in_state(so, STATE_CLOSED);
    nothing_leaves();
}

/* Case 1: after CLOSE no SEND is taken, RECEIVEs are, and what precedes the FIN and the FIN itself
 * are sent again until they are acknowledged. */
static void all_before_the_fin_arrives(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    host_sends(so, 0, 1500);
    host_batch();
    assert_int_equal(host_shutdown_send(so), ERR_NONE);
    assert_int_equal(stack_send(so, "", 1, host.now_ns), ERR_PIPE);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    leaves(&a, .flags = FIN | PSH | ACK, .seq = 1001, .ack = 1, .text = 500);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1001, .text = 100);
    host_receives(so, 0, 100);
    host_at(40);
    leaves(&a, .flags = ACK, .seq = 1502, .ack = 101);
    host_at(200);
    leaves(&a, .flags = FIN | PSH | ACK, .seq = 1001, .ack = 101, .text = 500);
    arrives(&a, .flags = ACK, .seq = 101, .ack = 1501); /* the text, not the FIN */
    host_later(400);                                    /* backed off, and no sample yet */
    leaves(&a, .flags = FIN | ACK, .seq = 1501, .ack = 101);
    arrives(&a, .flags = ACK, .seq = 101, .ack = 1502);
    in_state(so, STATE_FIN_WAIT_2);
    host_later(10000);
    nothing_leaves();
}

/* Case 1: one can go on receiving, for as long as the peer has more. */
static void receiving_after_close(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_reach(&a, STATE_FIN_WAIT_2);
    host_at(3600000);
    for (uint32_t at = 0; at < 8000; at += 2000) {
        arrives(&a, .flags = ACK, .seq = 1 + at, .ack = 2, .text = 2000);
        leaves(&a, .flags = ACK, .seq = 2, .ack = 2001 + at);
        host_receives(so, at, 2000);
    }
    assert_int_equal(host_recv(so, 8000, 1), ERR_AGAIN);
    arrives(&a, .flags = FIN | ACK, .seq = 8001, .ack = 2);
    leaves(&a, .flags = ACK, .seq = 2, .ack = 8002);
    assert_int_equal(host_recv(so, 8000, 1), 0);
}

/* Case 2: what was SENT before our CLOSE goes before our FIN. */
static void remaining_data_before_the_fin(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_reach(&a, STATE_CLOSE_WAIT);
    host_sends(so, 0, 700);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 2, .text = 700);
    host_sends(so, 700, 700);
    nothing_leaves(); /* Nagle */
    in_state(so, STATE_CLOSE_WAIT);
    assert_int_equal(host_shutdown_send(so), ERR_NONE);
    leaves(&a, .flags = FIN | PSH | ACK, .seq = 701, .ack = 2, .text = 700);
    in_state(so, STATE_LAST_ACK);
    arrives(&a, .flags = ACK, .seq = 2, .ack = 1402);
    in_state(so, STATE_CLOSED);
}

/* Case 2: if no ACK is forthcoming, the connection is aborted after the user timeout, and the user
 * is told. */
static void no_ack_for_our_fin(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_reach(&a, STATE_LAST_ACK);
    uint32_t ms = 0;
    for (uint32_t rto = 200; ms + rto < 300000; rto = rto < 60000 ? 2 * rto : 120000) {
        ms += rto;
        host_at(ms);
        leaves(&a, .flags = FIN | ACK, .seq = 1, .ack = 2);
    }
    host_take_events();
    host_at(299999);
    in_state(so, STATE_LAST_ACK);
    host_at(300000);
    in_state(so, STATE_CLOSED);
    expect_event(so, SOCK_EV_CLOSED);
    assert_int_equal(stack_error(so), ERR_TIMEDOUT);
}

/* Case 3 with text on both sides: the FINs wait for what precedes them. */
static void both_close_with_text_under_way(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    host_sends(so, 0, 100);
    host_batch();
    assert_int_equal(host_shutdown_send(so), ERR_NONE);
    leaves(&a, .flags = FIN | PSH | ACK, .seq = 1, .ack = 1, .text = 100);
    arrives(&a, .flags = FIN | ACK, .seq = 51, .ack = 1, .text = 50); /* the first half is lost */
    leaves(&a, .flags = ACK, .seq = 102, .ack = 1);
    in_state(so, STATE_FIN_WAIT_1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 101, .text = 50);
    leaves(&a, .flags = FIN | ACK, .seq = 101, .ack = 102);
    in_state(so, STATE_CLOSING);
    host_receives(so, 0, 100);
    assert_int_equal(host_recv(so, 100, 1), 0);
    arrives(&a, .flags = ACK, .seq = 102, .ack = 102);
    in_state(so, STATE_TIME_WAIT);
}

/* The peer has closed: the user is told even without a RECEIVE that waits. */
static void the_user_is_told(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = 1);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 2);
    expect_event(so, SOCK_EV_ARRIVED);
    assert_int_equal(stack_readiness(so) & SOCK_PEER_DONE, SOCK_PEER_DONE);
}

/* MUST-12: closed normally or aborted by the peer: the user can tell. */
static void closed_or_aborted(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), b = peer(2, 0);
    struct sock *closed = host_connected(HERE, &a), *aborted = host_connected(HERE, &b);
    arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = 1);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 2);
    arrives(&b, .flags = RST, .seq = 1);
    assert_int_equal(host_recv(closed, 0, 1), 0);
    assert_int_equal(host_recv(aborted, 0, 1), ERR_RESET);
    assert_int_equal(stack_error(closed), ERR_NONE);
    assert_int_equal(stack_error(aborted), ERR_RESET);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(normal_close_as_a),     host_test(normal_close_as_b),
        host_test(simultaneous_close),    host_test(all_before_the_fin_arrives),
        host_test(receiving_after_close), host_test(remaining_data_before_the_fin),
        host_test(no_ack_for_our_fin),    host_test(both_close_with_text_under_way),
        host_test(the_user_is_told),      host_test(closed_or_aborted),
    };
    return host_main(tests);
}
