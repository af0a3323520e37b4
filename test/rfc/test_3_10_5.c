/* RFC 9293 3.10.5 and 3.10.6: the ABORT and STATUS calls, in each state. */
#include "hosts.h"

/* CLOSED, LISTEN, SYN-SENT: nothing is sent, and nothing is left. */
static void without_a_word(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), b = peer(2, 0);
    struct sock *closed = host_reach(&a, STATE_LAST_ACK), *sent = host_reach(&b, STATE_SYN_SENT);
    arrives(&a, .flags = ACK, .seq = 2, .ack = 2);
    assert_int_equal(stack_state(closed), STATE_CLOSED);
    host_abort(closed);
    host_abort(host_listen(80, 5));
    host_abort(sent);
    nothing_leaves();
    assert_int_equal(stack_sock_count(host.stack), 0);
    host_at(5000);
    nothing_leaves();
    arrives(&b, .flags = SYN | ACK, .seq = 0, .ack = 1); /* for no connection any more */
    leaves(&b, .flags = RST, .seq = 1);
}

/* SYN-RECEIVED to CLOSE-WAIT: <SEQ=SND.NXT><CTL=RST>, which has an ACK here (lib/README.md); what
 * is queued is flushed. */
static void with_a_rst(void **state)
{
    (void)state;
    for (enum tcp_state s = STATE_SYN_RECEIVED; s <= STATE_CLOSE_WAIT; s++) {
        struct peer a = peer(s, 0);
        struct sock *so = host_reach(&a, s);
        uint32_t us = s == STATE_FIN_WAIT_1 || s == STATE_FIN_WAIT_2 ? 2 : 1;
        if (s == STATE_ESTABLISHED || s == STATE_CLOSE_WAIT) {
            host_sends(so, 0, 300);
            (void)all_leaves();
            host_sends(so, 300, 300); /* which Nagle keeps */
            us += 300;
        }
        host_abort(so);
        leaves(&a, .flags = RST | ACK, .seq = us, .ack = s == STATE_CLOSE_WAIT ? 2 : 1);
        nothing_leaves();
        assert_int_equal(stack_sock_count(host.stack), 0);
    }
    host_at(100000);
    nothing_leaves();
}

/* To a peer with no window too: before our SYN is acknowledged it takes no number but ISS + 1. So
 * it is for ACKs. */
static void with_a_rst_to_a_shut_window(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), b = peer(2, 80);
    struct sock *so = host_connect(&a), *listener = host_listen(80, 5);
    leaves(&a, .flags = SYN);
    arrives(&a, .flags = SYN, .wnd = ZERO, .mss = 1000);
    leaves(&a, .flags = SYN | ACK, .ack = 1);
    arrives(&a, .flags = ACK, .seq = 20000, .ack = 1); /* not acceptable */
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    host_abort(so);
    leaves(&a, .flags = RST | ACK, .seq = 1, .ack = 1);
    arrives(&b, .flags = SYN, .wnd = ZERO, .mss = 1000);
    leaves(&b, .flags = SYN | ACK, .ack = 1);
    host_abort(listener);
    leaves(&b, .flags = RST | ACK, .seq = 1, .ack = 1);
    nothing_leaves();
}

/* CLOSING, LAST-ACK, TIME-WAIT: gone, and no RST: all that was SENT has been heard of. */
static void when_all_was_said(void **state)
{
    (void)state;
    const enum tcp_state states[] = {STATE_CLOSING, STATE_LAST_ACK, STATE_TIME_WAIT};
    for (unsigned i = 0; i < 3; i++) {
        struct peer a = peer(i, 0);
        host_abort(host_reach(&a, states[i]));
        nothing_leaves();
        assert_int_equal(stack_sock_count(host.stack), 0);
    }
}

/* In CLOSING and LAST-ACK text that was not acknowledged is a reason for a RST (lib/README.md). */
static void when_it_was_not(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct peer a = peer(i, 0);
        struct sock *so = host_reach(&a, i ? STATE_CLOSE_WAIT : STATE_ESTABLISHED);
        host_sends(so, 0, 300);
        host_batch();
        assert_int_equal(host_shutdown_send(so), ERR_NONE);
        leaves(&a, .flags = FIN | PSH | ACK, .seq = 1, .ack = 1 + i, .text = 300);
        if (i == 0) {
            arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = 1);
            leaves(&a, .flags = ACK, .seq = 302, .ack = 2);
        }
        assert_int_equal(stack_state(so), i ? STATE_LAST_ACK : STATE_CLOSING);
        host_abort(so);
        leaves(&a, .flags = RST | ACK, .seq = 302, .ack = 2);
    }
}

/* STATUS names the state, in each of them. */
static void status(void **state)
{
    (void)state;
    for (enum tcp_state s = STATE_SYN_SENT; s <= STATE_TIME_WAIT; s++) {
        struct peer a = peer(s, 0);
        struct sock *so = host_reach(&a, s);
        assert_int_equal(host_status(so).state, s);
        expect_peer(so, &a);
    }
    struct sock *l = host_listen(80, 5);
    assert_int_equal(host_status(l).state, STATE_LISTEN);
    struct peer a = peer(99, 0);
    struct sock *so = host_reach(&a, STATE_SYN_SENT);
    arrives(&a, .flags = RST | ACK, .seq = 0, .ack = 1);
    assert_int_equal(host_status(so).state, STATE_CLOSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(without_a_word),
        host_test(with_a_rst),
        host_test(with_a_rst_to_a_shut_window),
        host_test(when_all_was_said),
        host_test(when_it_was_not),
        host_test(status),
    };
    return host_main(tests);
}
