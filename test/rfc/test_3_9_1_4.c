/* RFC 9293 3.9.1.4 to 3.9.1.6: CLOSE, STATUS, ABORT. What each does in each state is in
 * test_3_10_4.c to test_3_10_6.c. (3.9.1.7, FLUSH, MAY-14: POSIX has no such call.) */
#include "hosts.h"

/* CLOSE is graceful: several SENDs and a CLOSE, and all of it arrives, as the window permits. */
static void all_is_delivered_first(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    a.wnd = 1000;
    struct sock *so = host_connected(HERE, &a);
    host_sends(so, 0, 1500);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    host_sends(so, 1500, 1000);
    host_close(so);
    nothing_leaves();
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1001);
    leaves(&a, .flags = ACK, .seq = 1001, .ack = 1, .text = 1000);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 2001);
    leaves(&a, .flags = FIN | PSH | ACK, .seq = 2001, .ack = 1, .text = 500);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 2502);
    host_at(60000); /* nobody is left to receive: FIN-WAIT-2 ends (user.c) */
    assert_int_equal(stack_sock_count(host.stack), 0);
}

/* It says "I have no more to send", not "I will receive no more". */
static void receiving_goes_on(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_reach(&a, STATE_FIN_WAIT_1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 2, .text = 100);
    host_receives(so, 0, 100);
    host_later(40);
    leaves(&a, .flags = ACK, .seq = 2, .ack = 101);
}

/* If the data can't be got rid of, CLOSE turns into ABORT, and the TCP gives up. */
static void turns_into_abort(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    host_sends(so, 0, 10);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    host_close(so);
    leaves(&a, .flags = FIN | ACK, .seq = 11, .ack = 1);
    nothing_leaves();
    while (stack_sock_count(host.stack) > 0) {
        host_go(HERE, stack_deadline(host.stack));
        (void)all_leaves();
        assert_true(host.now_ns <= host.start_ns + 300 * NS_PER_S);
    }
    assert_int_equal(host.now_ns - host.start_ns, 300 * NS_PER_S);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 12);
    leaves(&a, .flags = RST, .seq = 12);
}

/* The connection can't be opened again while it is closing. */
static void not_opened_again_while_closing(void **state)
{
    (void)state;
    struct peer a = peer(1, 4000);
    struct sock *so = host_reach(&a, STATE_FIN_WAIT_1), *again = NULL;
    assert_int_equal(stack_connect(host.stack, &a.flow, 0, NULL, host.now_ns, &again), ERR_IN_USE);
    host_close(so);
    assert_int_equal(stack_connect(host.stack, &a.flow, 0, NULL, host.now_ns, &again), ERR_IN_USE);
}

/* STATUS: both sockets, windows, state, what waits to be acknowledged and to be received, and the
 * timeouts. */
static void status(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    a.wnd = 7000;
    struct sock *so = host_connected(HERE, &a);
    host_sends(so, 0, 300);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 300);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 101, .text = 50);
    host_later(40);
    leaves(&a, .flags = ACK, .seq = 301, .ack = 51);
    struct tcp_status s = host_status(so);
    expect_peer(so, &a);
    assert_int_equal(s.rcv_wnd, 9950);
    assert_int_equal(s.snd_wnd, 7000);
    assert_int_equal(s.state, STATE_ESTABLISHED);
    assert_int_equal(s.unsent_or_unacked, 200);
    assert_int_equal(s.unread, 50);
    assert_int_equal(s.rto_ns, 200 * NS_PER_MS);
    assert_int_not_equal(stack_sock_id(so), 0); /* its name */
}

/* ABORT: everything that waits is given up, a RST is sent, the connection is no more. */
static void abort_gives_up(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    a.wnd = 1000;
    struct sock *so = host_connected(HERE, &a);
    host_sends(so, 0, 5000);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 10);
    host_abort(so);
    leaves(&a, .flags = RST | ACK, .seq = 1001, .ack = 11);
    nothing_leaves();
    assert_int_equal(stack_sock_count(host.stack), 0);
    arrives(&a, .flags = ACK, .seq = 11, .ack = 1001);
    leaves(&a, .flags = RST, .seq = 1001);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(all_is_delivered_first),
        host_test(receiving_goes_on),
        host_test(turns_into_abort),
        host_test(not_opened_again_while_closing),
        host_test(status),
        host_test(abort_gives_up),
    };
    return host_main(tests);
}
