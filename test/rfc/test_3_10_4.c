/* RFC 9293 3.10.4: the CLOSE call, in each state. It has two forms: stack_shutdown_send() is the
 * RFC's, after which one may go on receiving; stack_close() gives the socket up as well (3.6.1). */
#include "hosts.h"

/* CLOSED, LISTEN: there is no connection; closing a listener ends it, and resets those that nobody
 * has accepted. */
static void closed_and_listen(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), b = peer(2, 80), c = peer(3, 80);
    struct sock *so = host_reach(&a, STATE_LAST_ACK), *l = host_listen(80, 5);
    arrives(&a, .flags = ACK, .seq = 2, .ack = 2);
    assert_int_equal(stack_state(so), STATE_CLOSED);
    assert_int_equal(host_shutdown_send(so), ERR_NOT_CONNECTED);
    assert_int_equal(host_shutdown_send(l), ERR_NOT_CONNECTED);
    host_handshake(HERE, &b);
    arrives(&c, .flags = SYN, .seq = 0);
    leaves(&c, .flags = SYN | ACK, .seq = 0, .ack = 1);
    host_close(so);
    nothing_leaves();
    host_close(l);
    leaves(&c, .flags = RST | ACK, .seq = 1, .ack = 1);
    leaves(&b, .flags = RST | ACK, .seq = 1, .ack = 1);
    nothing_leaves();
    assert_int_equal(stack_sock_count(host.stack), 0);
}

/* SYN-SENT: the connection is no more, without a word to the peer. */
static void in_syn_sent(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), b = peer(2, 0);
    struct sock *so = host_reach(&a, STATE_SYN_SENT), *other = host_reach(&b, STATE_SYN_SENT);
    assert_int_equal(host_shutdown_send(so), ERR_NOT_CONNECTED); /* POSIX */
    assert_int_equal(stack_state(so), STATE_SYN_SENT);
    host_linger(so);
    assert_int_equal(stack_state(so), STATE_CLOSED);
    host_close(so);
    host_close(other);
    host_at(5000);
    nothing_leaves();
    assert_int_equal(stack_sock_count(host.stack), 0);
}

/* SYN-RECEIVED: queued until ESTABLISHED (lib/README.md: always). */
static void in_syn_received(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    host_close(host_reach(&a, STATE_SYN_RECEIVED));
    nothing_leaves();
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
    leaves(&a, .flags = FIN | ACK, .seq = 1, .ack = 1);
    arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = 2);
    leaves(&a, .flags = ACK, .seq = 2, .ack = 2);
}

/* ESTABLISHED: FIN-WAIT-1 at once; the FIN when all that was SENT is segments. */
static void in_established(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    a.wnd = 4000;
    struct sock *so = host_reach(&a, STATE_ESTABLISHED);
    host_sends(so, 0, 6000);
    host_batch();
    assert_int_equal(host_shutdown_send(so), ERR_NONE);
    assert_int_equal(stack_state(so), STATE_FIN_WAIT_1);
    for (uint32_t i = 0; i < 4; i++)
        leaves(&a, .flags = ACK, .seq = 1 + 1000 * i, .ack = 1, .text = 1000);
    nothing_leaves(); /* as the window has it */
    arrives(&a, .flags = ACK, .seq = 1, .ack = 4001);
    leaves(&a, .flags = ACK, .seq = 4001, .ack = 1, .text = 1000);
    leaves(&a, .flags = FIN | PSH | ACK, .seq = 5001, .ack = 1, .text = 1000);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 6002);
    assert_int_equal(stack_state(so), STATE_FIN_WAIT_2);
}

/* CLOSE-WAIT: the FIN after all that was SENT, and with it LAST-ACK. */
static void in_close_wait(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_reach(&a, STATE_CLOSE_WAIT);
    arrives(&a, .flags = ACK, .seq = 2, .ack = 1, .wnd = 1000);
    host_sends(so, 0, 1500);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 2, .text = 1000);
    assert_int_equal(host_shutdown_send(so), ERR_NONE);
    nothing_leaves();
    assert_int_equal(stack_state(so), STATE_CLOSE_WAIT);
    arrives(&a, .flags = ACK, .seq = 2, .ack = 1001);
    leaves(&a, .flags = FIN | PSH | ACK, .seq = 1001, .ack = 2, .text = 500);
    assert_int_equal(stack_state(so), STATE_LAST_ACK);
}

/* All others: "connection closing", and no second FIN; the first may be sent again. */
static void twice(void **state)
{
    (void)state;
    for (enum tcp_state s = STATE_FIN_WAIT_1; s <= STATE_TIME_WAIT; s++) {
        if (s == STATE_CLOSE_WAIT)
            continue;
        struct peer a = peer(s, 0);
        struct sock *so = host_reach(&a, s);
        assert_int_equal(host_shutdown_send(so), ERR_PIPE);
        host_linger(so);
        nothing_leaves();
        assert_int_equal(stack_state(so), s);
        if (s == STATE_FIN_WAIT_1) {
            host_later(200);
            leaves(&a, .flags = FIN | ACK, .seq = 1, .ack = 1);
            arrives(&a, .flags = ACK, .seq = 1, .ack = 2);
        }
        host_abort(so);
        (void)all_leaves();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(closed_and_listen), host_test(in_syn_sent),   host_test(in_syn_received),
        host_test(in_established),    host_test(in_close_wait), host_test(twice),
    };
    return host_main(tests);
}
