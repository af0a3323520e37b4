/* settle.c: what follows from a call on a connection: events, output, the timer, and the end. */
#include "hosts.h"
#include "sock.h"

/* A connection that a user holds stays until it is given up, in whatever state. */
static void held_until_given_up(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    arrives(&a, .flags = RST, .seq = 1);
    nothing_leaves();
    assert_int_equal(stack_sock_count(host.stack), 1);
    expect_event(so, SOCK_EV_CLOSED);
    host_close(so);
    assert_int_equal(stack_sock_count(host.stack), 0);
    nothing_leaves();
}

/* One that the user has left ends by itself: LAST-ACK, TIME-WAIT, RST, timeouts. */
static void left_ends_by_itself(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = 1);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 2);
    host_close(so);
    leaves(&a, .flags = FIN | ACK, .seq = 1, .ack = 2);
    assert_int_equal(stack_sock_count(host.stack), 1);
    arrives(&a, .flags = ACK, .seq = 2, .ack = 2);
    assert_int_equal(stack_sock_count(host.stack), 0);

    so = host_connected(HERE, &a);
    host_close(so);
    leaves(&a, .flags = FIN | ACK, .seq = 1, .ack = 1);
    arrives(&a, .flags = RST, .seq = 1);
    assert_int_equal(stack_sock_count(host.stack), 0);

    so = host_connected(HERE, &a);
    host_close(so);
    leaves(&a, .flags = FIN | ACK, .seq = 1, .ack = 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 2);
    host_later(60000); /* FIN-WAIT-2 with nobody left */
    nothing_leaves();
    assert_int_equal(stack_sock_count(host.stack), 0);
    expect_no_event();
}

/* The RST of one that is reset goes out before it is gone. */
static void reset_goes_out_first(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    host_abort(so);
    assert_int_equal(stack_sock_count(host.stack), 1);
    leaves(&a, .flags = RST | ACK, .seq = 1, .ack = 1);
    nothing_leaves();
    assert_int_equal(stack_sock_count(host.stack), 0);
}

/* And meanwhile its four-tuple is nobody's (3.10.7.1). */
static void segment_while_the_reset_waits(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    host_abort(so);
    host_batch();
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 10);
    leaves(&a, .flags = RST, .seq = 1);
    all_leaves();
    assert_int_equal(stack_sock_count(host.stack), 0);
}

/* The deadline follows the connection's timers: retransmission, delayed ACK, none. */
static void timer_follows(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), b = peer(2, 0);
    struct sock *sa = host_connected(HERE, &a);
    host_connected(HERE, &b);
    nothing_leaves();
    host_at(1000); /* both have nothing to do for a while */
    assert_true(stack_deadline(host.stack) == TIME_NEVER);
    assert_int_equal(host_send(sa, 0, 10), 10);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    nothing_leaves();
    assert_int_equal(stack_deadline(host.stack), host.now_ns + 200 * NS_PER_MS);
    arrives(&b, .flags = ACK, .seq = 1, .ack = 1, .text = 10);
    nothing_leaves();
    assert_int_equal(stack_deadline(host.stack), host.now_ns + 40 * NS_PER_MS);
    host_later(40);
    leaves(&b, .flags = ACK, .seq = 1, .ack = 11);
    nothing_leaves();
    assert_int_equal(stack_deadline(host.stack), host.start_ns + 1200 * NS_PER_MS);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 11);
    nothing_leaves();
    host_later(1000);
    assert_true(stack_deadline(host.stack) == TIME_NEVER);
}

/* Trouble (R1, SHLD-9) and the end by R2 come as events. */
static void trouble_and_timeout(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connect(&a);
    leaves(&a, .flags = SYN, .seq = 0);
    for (unsigned i = 1; i <= 7; i++) {
        host_at(((1u << i) - 1) * 1000);
        leaves(&a, .flags = SYN, .seq = 0);
        if (i == 3)
            expect_event(so, SOCK_EV_TROUBLE);
        else
            expect_no_event();
    }
    host_at(180000);
    expect_event(so, SOCK_EV_CLOSED);
    assert_int_equal(stack_error(so), ERR_TIMEDOUT);
}

#ifdef NDEBUG
/* In release a failed invariant resets that one connection, and is counted. */
static void failed_invariant(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), b = peer(2, 0);
    struct sock *sa = host_connected(HERE, &a), *sb = host_connected(HERE, &b);
    as_conn(sa)->tcb.busy->cc.cwnd = 0;
    assert_int_equal(host_send(sa, 0, 1), 1);
    leaves(&a, .flags = RST | ACK, .seq = 1, .ack = 1);
    assert_int_equal(host_counters().invariants, 1);
    assert_int_equal(stack_error(sa), ERR_ABORTED);
    assert_int_equal(host_send(sb, 0, 1), 1);
    leaves(&b, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(held_until_given_up),  host_test(left_ends_by_itself),
        host_test(reset_goes_out_first), host_test(segment_while_the_reset_waits),
        host_test(timer_follows),        host_test(trouble_and_timeout),
#ifdef NDEBUG
        host_test(failed_invariant),
#endif
    };
    return host_main(tests);
}
