/* RFC 9293 3.6.1: half-closed connections, and TIME-WAIT. */
#include "hosts.h"

/* Each direction is closed by itself: text goes on in the other one, for hours. */
static void half_closed_by_us(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_reach(&a, STATE_FIN_WAIT_2);
    host_at(7200000);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 2, .text = 2000);
    leaves(&a, .flags = ACK, .seq = 2, .ack = 2001);
    host_receives(so, 0, 2000);
    assert_int_equal(stack_state(so), STATE_FIN_WAIT_2);
}

static void half_closed_by_the_peer(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_reach(&a, STATE_CLOSE_WAIT);
    host_at(7200000);
    host_sends(so, 0, 500);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 2, .text = 500);
    host_later(200);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 2, .text = 500);
    arrives(&a, .flags = ACK, .seq = 2, .ack = 501);
    assert_int_equal(stack_state(so), STATE_CLOSE_WAIT);
}

/* MAY-1: who gives a socket up reads no more. SHLD-3: what is unread then is lost, and a RST says
 * so to the peer. */
static void close_with_unread_data(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 100);
    host_close(so);
    leaves(&a, .flags = RST | ACK, .seq = 1, .ack = 101);
    nothing_leaves();
    assert_int_equal(stack_sock_count(host.stack), 0);
}

/* SHLD-3: data that arrives after it, likewise, in each state that could take it. */
static void data_after_close(void **state)
{
    (void)state;
    for (unsigned acked = 0; acked < 2; acked++) {
        struct peer a = peer(acked, 0);
        struct sock *so = host_connected(HERE, &a);
        host_close(so);
        leaves(&a, .flags = FIN | ACK, .seq = 1, .ack = 1);
        if (acked)
            arrives(&a, .flags = ACK, .seq = 1, .ack = 2);
        arrives(&a, .flags = ACK, .seq = 1, .ack = 1 + acked, .text = 100);
        leaves(&a, .flags = RST, .seq = 1 + acked); /* as from CLOSED */
        nothing_leaves();
        assert_int_equal(stack_sock_count(host.stack), 0);
    }
}

/* SHLD-3: and data that came with the SYN of a simultaneous open, which nobody can have read. */
static void data_before_it_is_open(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connect(&a);
    leaves(&a, .flags = SYN, .seq = 0);
    arrives(&a, .flags = SYN, .seq = 0, .mss = 1000, .text = 100);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    host_close(so);
    arrives(&a, .flags = ACK, .seq = 101, .ack = 1);
    leaves(&a, .flags = RST, .seq = 1);
    nothing_leaves();
    assert_int_equal(stack_sock_count(host.stack), 0);
}

/* A FIN alone loses nothing. */
static void fin_after_close(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    host_close(host_connected(HERE, &a));
    leaves(&a, .flags = FIN | ACK, .seq = 1, .ack = 1);
    arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = 2);
    leaves(&a, .flags = ACK, .seq = 2, .ack = 2);
    assert_int_equal(stack_sock_count(host.stack), 1);
}

/* MUST-13: who closes actively lingers in TIME-WAIT for 2 MSL, also when the user has gone. */
static void two_msl(void **state)
{
    (void)state;
    struct peer a = peer(1, 80);
    struct sock *l = host_listen(80, 5);
    host_to_time_wait(HERE, &a, l);
    host_at(59999);
    arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = 2); /* our ACK was lost; it begins again */
    leaves(&a, .flags = ACK, .seq = 2, .ack = 2);
    host_at(119998);
    arrives(&a, .flags = ACK, .seq = 2, .ack = 2);
    nothing_leaves();
    host_at(119999);
    arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = 2);
    leaves(&a, .flags = RST, .seq = 2);
}

/* Who closes second has no TIME-WAIT. */
static void not_for_a_passive_close(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_reach(&a, STATE_LAST_ACK);
    arrives(&a, .flags = ACK, .seq = 2, .ack = 2);
    assert_int_equal(stack_state(so), STATE_CLOSED);
    arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = 2);
    leaves(&a, .flags = RST, .seq = 2);
}

/* MAY-2 (1): a SYN beyond what was received reopens the connection, with an ISS larger than every
 * number of the old one. */
static void reopened(void **state)
{
    (void)state;
    struct peer a = peer(1, 80);
    struct sock *l = host_listen(80, 5);
    host_to_time_wait(HERE, &a, l);
    host_take_events();
    uint32_t largest = a.iss + 2;
    a.irs += 3;
    arrives(&a, .flags = SYN, .seq = 0, .mss = 1000);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    assert_in_range(a.iss - largest, 1, 0x7fffffff);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
    expect_event(l, SOCK_EV_COMPLETED);
    assert_int_equal(stack_state(host_accept(l)), STATE_ESTABLISHED);
}

/* A SYN that is not newer is one of the old connection's: an ACK, and TIME-WAIT goes on. */
static void not_reopened_by_an_old_syn(void **state)
{
    (void)state;
    struct peer a = peer(1, 80);
    struct sock *l = host_listen(80, 5);
    host_to_time_wait(HERE, &a, l);
    host_take_events();
    for (uint32_t seq = 0; seq <= 2; seq++) {
        arrives(&a, .flags = SYN, .seq = seq, .mss = 1000);
        leaves(&a, .flags = ACK, .seq = 2, .ack = 2);
    }
    arrives(&a, .flags = SYN, .seq = 0x80000003, .mss = 1000);
    leaves(&a, .flags = ACK, .seq = 2, .ack = 2);
    assert_int_equal(stack_sock_count(host.stack), 2);
    host_at(60000);
    assert_int_equal(stack_sock_count(host.stack), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(half_closed_by_us),
        host_test(half_closed_by_the_peer),
        host_test(close_with_unread_data),
        host_test(data_after_close),
        host_test(data_before_it_is_open),
        host_test(fin_after_close),
        host_test(two_msl),
        host_test(not_for_a_passive_close),
        host_test(reopened),
        host_test(not_reopened_by_an_old_syn),
    };
    return host_main(tests);
}
