/* RFC 9293 3.10.3: the RECEIVE call, in each state. */
#include "hosts.h"

/* CLOSED: the error once, then the end. LISTEN: there is nobody to receive from. */
static void closed_and_listen(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_reach(&a, STATE_SYN_SENT), *l = host_listen(80, 5);
    arrives(&a, .flags = RST | ACK, .seq = 0, .ack = 1);
    assert_int_equal(host_recv(so, 0, 1), ERR_REFUSED);
    assert_int_equal(host_recv(so, 0, 1), 0);
    assert_int_equal(host_recv(l, 0, 1), ERR_NOT_CONNECTED);
}

/* SYN-SENT, SYN-RECEIVED: it waits, which here means: not yet. */
static void before_established(void **state)
{
    (void)state;
    for (enum tcp_state s = STATE_SYN_SENT; s <= STATE_SYN_RECEIVED; s++) {
        struct peer a = peer(s, 0);
        struct sock *so = host_reach(&a, s);
        assert_int_equal(host_recv(so, 0, 10), ERR_AGAIN);
        assert_int_equal(stack_readiness(so) & SOCK_READABLE, 0);
        nothing_leaves();
    }
}

/* ESTABLISHED, FIN-WAIT-1, FIN-WAIT-2: what has arrived in order; less than was asked for is an
 * answer, nothing at all is none yet. That the user has read it makes the window larger. */
static void while_text_may_come(void **state)
{
    (void)state;
    for (enum tcp_state s = STATE_ESTABLISHED; s <= STATE_FIN_WAIT_2; s++) {
        struct peer a = peer(s, 0);
        struct sock *so = host_reach(&a, s);
        uint32_t us = s == STATE_ESTABLISHED ? 1 : 2, acked = s == STATE_FIN_WAIT_2 ? 2 : 1;
        assert_int_equal(host_recv(so, 0, 10), ERR_AGAIN);
        arrives(&a, .flags = ACK, .seq = 1, .ack = acked, .text = 10000);
        leaves(&a, .flags = ACK, .seq = us, .ack = 10001, .wnd = ZERO);
        expect_event(so, SOCK_EV_ARRIVED);
        host_receives(so, 0, 8000);
        leaves(&a, .flags = ACK, .seq = us, .ack = 10001, .wnd = 8000);
        assert_int_equal(host_recv(so, 8000, 8000), 2000);
        assert_int_equal(host_recv(so, 10000, 1), ERR_AGAIN);
        host_abort(so);
        (void)all_leaves();
    }
}

/* CLOSE-WAIT: what is on hand, then "connection closing", which for POSIX is an end of 0 octets. */
static void in_close_wait(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_reach(&a, STATE_ESTABLISHED);
    arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = 1, .text = 30);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 32);
    assert_int_equal(stack_state(so), STATE_CLOSE_WAIT);
    host_receives(so, 0, 20);
    assert_int_equal(host_recv(so, 20, 20), 10);
    assert_int_equal(host_recv(so, 30, 20), 0);
    assert_int_equal(host_recv(so, 30, 20), 0);
    host_later(1000);
    nothing_leaves(); /* no window is offered to who sends no more */
}

/* CLOSING, LAST-ACK, TIME-WAIT: "connection closing"; but what was acknowledged and is not read yet
 * can be, in any of them: it was the peer's to send, and is ours to lose. */
static void after_both_have_closed(void **state)
{
    (void)state;
    const enum tcp_state states[] = {STATE_CLOSING, STATE_LAST_ACK, STATE_TIME_WAIT};
    for (unsigned i = 0; i < 3; i++) {
        struct peer a = peer(i, 0);
        struct sock *so = host_reach(&a, states[i]);
        assert_int_equal(host_recv(so, 0, 1), 0);
        assert_int_equal(stack_readiness(so) & SOCK_READABLE, SOCK_READABLE);
        struct peer b = peer(10 + i, 0);
        so = host_reach(&b, STATE_ESTABLISHED);
        if (states[i] == STATE_LAST_ACK) {
            arrives(&b, .flags = FIN | ACK, .seq = 1, .ack = 1, .text = 30);
            leaves(&b, .flags = ACK, .seq = 1, .ack = 32);
        }
        assert_int_equal(host_shutdown_send(so), ERR_NONE);
        (void)all_leaves();
        if (states[i] != STATE_LAST_ACK) {
            bool acked = states[i] == STATE_TIME_WAIT;
            arrives(&b, .flags = FIN | ACK, .seq = 1, .ack = 1 + acked, .text = 30);
            leaves(&b, .flags = acked ? ACK : FIN | ACK, .seq = 1 + acked, .ack = 32);
        }
        assert_int_equal(stack_state(so), states[i]);
        host_receives(so, 0, 30);
        assert_int_equal(host_recv(so, 30, 1), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(closed_and_listen),      host_test(before_established),
        host_test(while_text_may_come),    host_test(in_close_wait),
        host_test(after_both_have_closed),
    };
    return host_main(tests);
}
