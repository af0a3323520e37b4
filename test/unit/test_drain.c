/* drain.c: ending a whole stack in order (RFC 9293 3.6: what was SENT is delivered reliably). */
#include "hosts.h"

/* A connection is unfinished until its text and FIN are acknowledged, whether or not a user holds
 * it. */
static void until_the_fin_is_acknowledged(void **state)
{
    (void)state;
    assert_int_equal(stack_unfinished(host.stack), 0);
    struct sock *l = host_listen(80, 5);
    assert_int_equal(stack_unfinished(host.stack), 0); /* a listener never is */
    struct peer a = peer(1, 80), b = peer(2, 0);
    host_handshake(HERE, &a);
    expect_event(l, SOCK_EV_COMPLETED);
    struct sock *so = host_accept(l);
    assert_int_equal(stack_unfinished(host.stack), 1);
    host_connected(HERE, &b);
    assert_int_equal(stack_unfinished(host.stack), 2);
    assert_int_equal(host_send(so, 0, 10), 10);
    host_batch();
    host_close(so);
    leaves(&a, .flags = FIN | PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    assert_int_equal(stack_unfinished(host.stack), 2);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 11); /* the text, not the FIN */
    assert_int_equal(stack_unfinished(host.stack), 2);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 12);
    assert_int_equal(stack_unfinished(host.stack), 1);
    arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = 12); /* TIME-WAIT holds nobody up */
    leaves(&a, .flags = ACK, .seq = 12, .ack = 2);
    assert_int_equal(stack_unfinished(host.stack), 1);
    arrives(&b, .flags = RST, .seq = 1);
    assert_int_equal(stack_unfinished(host.stack), 0);
}

/* A RST that has not been sent yet is worth waiting for. */
static void until_the_reset_is_sent(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    host_abort(so);
    assert_int_equal(stack_unfinished(host.stack), 1);
    leaves(&a, .flags = RST, .seq = 1);
    nothing_leaves();
    assert_int_equal(stack_unfinished(host.stack), 0);
}

/* Only those that were given up: RST where 3.10.5 has one. */
static void abort_left(void **state)
{
    (void)state;
    struct peer held = peer(1, 0), left = peer(2, 0), closing = peer(3, 0);
    struct sock *sh = host_connected(HERE, &held), *sl = host_connected(HERE, &left),
                *sc = host_connected(HERE, &closing);
    assert_int_equal(host_send(sl, 0, 10), 10);
    host_batch();
    host_close(sl);
    leaves(&left, .flags = FIN | PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    host_close(sc);
    leaves(&closing, .flags = FIN | ACK, .seq = 1, .ack = 1);
    arrives(&closing, .flags = FIN | ACK, .seq = 1, .ack = 1); /* CLOSING */
    leaves(&closing, .flags = ACK, .seq = 2, .ack = 2);
    stack_abort_left(host.stack, host.now_ns);
    leaves(&left, .flags = RST, .seq = 12);
    nothing_leaves();
    assert_int_equal(stack_sock_count(host.stack), 1);
    assert_int_equal(stack_error(sh), ERR_NONE);
    assert_int_equal(host_send(sh, 0, 10), 10);
    leaves(&held, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(until_the_fin_is_acknowledged),
        host_test(until_the_reset_is_sent),
        host_test(abort_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
