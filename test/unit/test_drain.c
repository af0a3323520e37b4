/* drain.c, and stack_linger() of calls.c: ending a whole stack, or one socket, in order (RFC
 * 9293 3.6: what was SENT is delivered reliably). */
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
    leaves(&a, .flags = RST | ACK, .seq = 1, .ack = 1);
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
    leaves(&closing, .flags = FIN | ACK, .seq = 1, .ack = 2);
    stack_abort_left(host.stack, host.now_ns);
    leaves(&left, .flags = RST | ACK, .seq = 12, .ack = 1);
    nothing_leaves();
    assert_int_equal(stack_sock_count(host.stack), 1);
    assert_int_equal(stack_error(sh), ERR_NONE);
    assert_int_equal(host_send(sh, 0, 10), 10);
    leaves(&held, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
}

/* ---- SO_LINGER with a time ---- */

/* stack_finished() turns true, and an event tells of it, when the FIN is acknowledged; the socket
 * is there until stack_close(). */
static void linger(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    assert_false(stack_finished(so));
    assert_int_equal(host_send(so, 0, 10), 10);
    host_batch();
    host_linger(so);
    leaves(&a, .flags = FIN | PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 11);
    expect_event(so, SOCK_EV_ACKED);
    assert_false(stack_finished(so));
    arrives(&a, .flags = ACK, .seq = 1, .ack = 12);
    expect_event(so, SOCK_EV_ACKED);
    assert_true(stack_finished(so));
    host_close(so);
    arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = 12);
    leaves(&a, .flags = ACK, .seq = 12, .ack = 2);
}

/* The peer closes first, both at once, not at all: what ends the wait each time. */
static void linger_ends(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), b = peer(2, 0), c = peer(3, 0);
    struct sock *sa = host_connected(HERE, &a), *sb = host_connected(HERE, &b),
                *sc = host_connected(HERE, &c);
    arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = 1);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 2);
    expect_event(sa, SOCK_EV_ARRIVED);
    host_linger(sa);
    leaves(&a, .flags = FIN | ACK, .seq = 1, .ack = 2);
    expect_no_event();
    arrives(&a, .flags = ACK, .seq = 2, .ack = 2);
    expect_event(sa, SOCK_EV_CLOSED);
    assert_true(stack_finished(sa));

    host_linger(sb);
    leaves(&b, .flags = FIN | ACK, .seq = 1, .ack = 1);
    arrives(&b, .flags = FIN | ACK, .seq = 1, .ack = 1);
    leaves(&b, .flags = FIN | ACK, .seq = 1, .ack = 2);
    expect_event(sb, SOCK_EV_ARRIVED);
    assert_false(stack_finished(sb));
    arrives(&b, .flags = ACK, .seq = 2, .ack = 2);
    expect_event(sb, SOCK_EV_CLOSED);
    assert_true(stack_finished(sb));

    assert_int_equal(host_send(sc, 0, 10), 10);
    host_batch();
    host_linger(sc);
    leaves(&c, .flags = FIN | PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    host_close(sc); /* the time is over: the rest goes on behind the scenes */
    host_later(200);
    leaves(&c, .flags = FIN | PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    arrives(&c, .flags = ACK, .seq = 1, .ack = 12);
    assert_int_equal(stack_unfinished(host.stack), 0);
    host_close(sa);
    host_close(sb);
}

/* Nobody reads any more: RST for text that is unread or arrives, as after close (3.6.1). The wait
 * is over then. */
static void linger_with_text(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), b = peer(2, 0);
    struct sock *sa = host_connected(HERE, &a), *sb = host_connected(HERE, &b);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 10);
    expect_event(sa, SOCK_EV_ARRIVED);
    host_batch();
    host_linger(sa);
    assert_true(stack_finished(sa)); /* though the RST is to be sent yet */
    leaves(&a, .flags = RST | ACK, .seq = 1, .ack = 11);
    expect_event(sa, SOCK_EV_CLOSED);
    assert_true(stack_finished(sa));

    host_linger(sb);
    leaves(&b, .flags = FIN | ACK, .seq = 1, .ack = 1);
    arrives(&b, .flags = ACK, .seq = 1, .ack = 1, .text = 10);
    leaves(&b, .flags = RST, .seq = 1);
    expect_event(sb, SOCK_EV_CLOSED);
    assert_true(stack_finished(sb));
    host_close(sa);
    host_close(sb);
    assert_int_equal(stack_sock_count(host.stack), 0);
}

/* FIN-WAIT-2 without a user is counted from when the user began to linger, not from the close. */
static void linger_then_fin_wait_2(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    host_linger(so);
    leaves(&a, .flags = FIN | ACK, .seq = 1, .ack = 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 2);
    expect_event(so, SOCK_EV_ACKED);
    host_at(30000);
    host_close(so);
    host_at(59999);
    assert_int_equal(stack_sock_count(host.stack), 1);
    host_at(60000);
    assert_int_equal(stack_sock_count(host.stack), 0);
}

/* A listener has nothing to wait for. */
static void linger_on_a_listener(void **state)
{
    (void)state;
    struct sock *l = host_listen(80, 1);
    host_linger(l);
    assert_true(stack_finished(l));
    struct peer a = peer(1, 80);
    host_handshake(HERE, &a);
    expect_event(l, SOCK_EV_COMPLETED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(until_the_fin_is_acknowledged),
        host_test(until_the_reset_is_sent),
        host_test(abort_left),
        host_test(linger),
        host_test(linger_ends),
        host_test(linger_with_text),
        host_test(linger_then_fin_wait_2),
        host_test(linger_on_a_listener),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
