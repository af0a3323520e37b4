/* RFC 9293 3.10.2: the SEND call, in each state. */
#include "hosts.h"

/* CLOSED: "connection does not exist": its error once, then EPIPE. LISTEN: the remote socket is not
 * specified. */
static void closed_and_listen(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_reach(&a, STATE_SYN_SENT), *l = host_listen(80, 5);
    arrives(&a, .flags = RST | ACK, .seq = 0, .ack = 1);
    assert_int_equal(host_send(so, 0, 1), ERR_REFUSED);
    assert_int_equal(host_send(so, 0, 1), ERR_PIPE);
    assert_int_equal(host_send(l, 0, 1), ERR_NOT_CONNECTED);
    assert_int_equal(stack_state(l), STATE_LISTEN);
    nothing_leaves();
}

/* SYN-SENT, SYN-RECEIVED: nothing is taken yet (lib/README.md): the caller waits, and is told when
 * it can. */
static void before_established(void **state)
{
    (void)state;
    for (enum tcp_state s = STATE_SYN_SENT; s <= STATE_SYN_RECEIVED; s++) {
        struct peer a = peer(s, 0);
        struct sock *so = host_reach(&a, s);
        assert_int_equal(host_send(so, 0, 10), ERR_AGAIN);
        assert_int_equal(stack_readiness(so) & SOCK_WRITABLE, 0);
        nothing_leaves();
        arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
        (void)all_leaves();
        expect_event(so, SOCK_EV_COMPLETED);
        assert_int_equal(stack_readiness(so) & SOCK_WRITABLE, SOCK_WRITABLE);
        host_sends(so, 0, 10);
        leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
        host_abort(so);
        leaves(&a, .flags = RST | ACK, .seq = 11, .ack = 1);
    }
}

/* ESTABLISHED, CLOSE-WAIT: segments, with an acknowledgment of RCV.NXT. */
static void when_it_can(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct peer a = peer(i, 0);
        struct sock *so = host_reach(&a, i ? STATE_CLOSE_WAIT : STATE_ESTABLISHED);
        uint32_t them = i ? 2 : 1;
        host_sends(so, 0, 1500);
        leaves(&a, .flags = ACK, .seq = 1, .ack = them, .text = 1000);
        leaves(&a, .flags = PSH | ACK, .seq = 1001, .ack = them, .text = 500);
        arrives(&a, .flags = ACK, .seq = them, .ack = 1501);
        expect_event(so, SOCK_EV_ACKED);
    }
}

/* No room: what fits is taken, and then "insufficient resources", until some is acknowledged. */
static void without_room(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_reach(&a, STATE_ESTABLISHED);
    host_set(so, sndbuf, 1000);
    assert_int_equal(host_send(so, 0, 1200), 1000);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1000);
    assert_int_equal(host_send(so, 1000, 200), ERR_AGAIN);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1001);
    host_sends(so, 1000, 200);
    leaves(&a, .flags = PSH | ACK, .seq = 1001, .ack = 1, .text = 200);
}

/* All others: "connection closing": the call is not served. */
static void after_close(void **state)
{
    (void)state;
    for (enum tcp_state s = STATE_FIN_WAIT_1; s <= STATE_TIME_WAIT; s++) {
        if (s == STATE_CLOSE_WAIT)
            continue;
        struct peer a = peer(s, 0);
        struct sock *so = host_reach(&a, s);
        assert_int_equal(host_send(so, 0, 10), ERR_PIPE);
        nothing_leaves();
        assert_int_equal(stack_state(so), s);
        assert_int_equal(host_status(so).unsent_or_unacked, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(closed_and_listen), host_test(before_established), host_test(when_it_can),
        host_test(without_room),      host_test(after_close),
    };
    return host_main(tests);
}
