/* RFC 1337: TIME-WAIT must not be assassinated: fix F1, and the three hazards. */
#include "hosts.h"

/* Figure 1: an old duplicate (5.1) is acknowledged (5.2), and the peer, which knows nothing any
 * more, answers by a RST (5.3). TIME-WAIT lasts all the same: F1. */
static void assassination(void **state)
{
    (void)state;
    struct peer b = peer(1, 80);
    struct sock *l = host_listen(80, 5);
    host_to_time_wait(HERE, &b, l);
    host_at(1000);
    arrives(&b, .flags = ACK, .seq = (uint32_t)-45, .ack = (uint32_t)-67, .text = 5);
    leaves(&b, .flags = ACK, .seq = 2, .ack = 2);
    arrives(&b, .flags = RST, .seq = 2);
    nothing_leaves();
    assert_int_equal(stack_sock_count(host.stack), 2);
    host_at(59999);
    assert_int_equal(stack_sock_count(host.stack), 2);
    host_at(60000);
    assert_int_equal(stack_sock_count(host.stack), 1);
}

/* Whatever the RST's number, and whether a user has the socket or not. */
static void no_rst_ends_it(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_reach(&a, STATE_TIME_WAIT);
    for (uint32_t seq = 0; seq < 5; seq++) {
        arrives(&a, .flags = RST, .seq = seq);
        arrives(&a, .flags = RST | ACK | PSH, .seq = seq, .ack = 2);
    }
    nothing_leaves();
    assert_int_equal(stack_state(so), STATE_TIME_WAIT);
}

/* But the answer to our ACK of a SYN, which is no old RST: a client that comes again with a smaller
 * number is served when it sends its SYN again. A later one is ignored as ever. */
static void a_new_connection_ends_it(void **state)
{
    (void)state;
    struct sock *l = host_listen(80, 5);
    struct peer a = peer(1, 80), b = peer(2, 80);
    host_to_time_wait(HERE, &a, l);
    arrives(&a, .flags = SYN, .seq = (uint32_t)-100000, .mss = 1000);
    leaves(&a, .flags = ACK, .seq = 2, .ack = 2);
    arrives(&a, .flags = RST, .seq = 1);
    arrives(&a, .flags = RST, .seq = 3);
    nothing_leaves();
    assert_int_equal(stack_sock_count(host.stack), 2);
    arrives(&a, .flags = RST, .seq = 2);
    nothing_leaves();
    assert_int_equal(stack_sock_count(host.stack), 1);
    a.irs -= 100000;
    arrives(&a, .flags = SYN, .seq = 0, .mss = 1000);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    host_to_time_wait(HERE, &b, l);
    arrives(&b, .flags = SYN, .seq = (uint32_t)-100000, .mss = 1000);
    leaves(&b, .flags = ACK, .seq = 2, .ack = 2);
    host_later(201); /* RTO is 200 ms */
    arrives(&b, .flags = RST, .seq = 2);
    nothing_leaves();
    assert_int_equal(stack_sock_count(host.stack), 3);
}

/* Nor does one make it longer. */
static void no_rst_prolongs_it(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_reach(&a, STATE_TIME_WAIT);
    host_at(30000);
    arrives(&a, .flags = RST, .seq = 2);
    host_at(60000);
    assert_int_equal(stack_state(so), STATE_CLOSED);
}

/* H1, old data: what arrives meanwhile is for the old connection, and nobody gets it. */
static void old_data(void **state)
{
    (void)state;
    struct peer b = peer(1, 80);
    struct sock *l = host_listen(80, 5);
    host_to_time_wait(HERE, &b, l);
    host_take_events();
    arrives(&b, .flags = ACK, .seq = 1, .ack = 2, .text = 100);
    leaves(&b, .flags = ACK, .seq = 2, .ack = 2);
    arrives(&b, .flags = RST, .seq = 2);
    nothing_leaves();
    arrives(&b, .flags = ACK, .seq = 2, .ack = 2, .text = 100);
    leaves(&b, .flags = ACK, .seq = 2, .ack = 2);
    expect_no_event();
    assert_int_equal(stack_sock_count(host.stack), 2);
}

/* How many answers a hundred ACKs get. */
static unsigned answers(struct peer *a, uint32_t seq, uint32_t ack)
{
    unsigned n = 0;
    for (unsigned i = 0; i < 100; i++) {
        host_later(1);
        arrives(a, .flags = ACK, .seq = seq, .ack = ack);
        n += all_leaves();
    }
    return n;
}

/* H2, figure 3: an ACK of something not sent, and the answers to the answers: no infinite loop. */
static void ack_loop(void **state)
{
    (void)state;
    struct peer b = peer(1, 0);
    struct sock *so = host_connected(HERE, &b);
    assert_int_equal(answers(&b, 1, 641), 10);
    assert_int_equal(stack_state(so), STATE_ESTABLISHED);
}

/* The same in TIME-WAIT: of something not sent, before, inside and beyond the window; and an ACK
 * that says nothing new gets no answer at all. */
static void ack_loop_in_time_wait(void **state)
{
    (void)state;
    const struct {
        uint32_t seq, ack;
        unsigned answers;
    } cases[] = {{2, 641, 10}, {0, 2, 10}, {3, 2, 10}, {20002, 2, 10}, {2, 2, 0}};
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct peer a = peer(i, 0);
        struct sock *so = host_reach(&a, STATE_TIME_WAIT);
        assert_int_equal(answers(&a, cases[i].seq, cases[i].ack), cases[i].answers);
        assert_int_equal(stack_state(so), STATE_TIME_WAIT);
    }
}

/* H3, figure 4, as A: an old ACK in SYN-SENT brings the RST of line 5, and the connection is tried
 * on with the same SYN. */
static void old_ack_in_syn_sent(void **state)
{
    (void)state;
    struct peer b = peer(1, 0);
    struct sock *so = host_connect(&b);
    leaves(&b, .flags = SYN, .seq = 0);
    arrives(&b, .flags = ACK, .seq = (uint32_t)-100, .ack = 23);
    leaves(&b, .flags = RST, .seq = 23);
    assert_int_equal(stack_state(so), STATE_SYN_SENT);
    host_at(1000);
    leaves(&b, .flags = SYN, .seq = 0);
    arrives(&b, .flags = SYN | ACK, .seq = 0, .ack = 1);
    leaves(&b, .flags = ACK, .seq = 1, .ack = 1);
}

/* And as B: that RST lies in the window of SYN-RECEIVED, but is not at its edge: RFC 5961's
 * challenge, and the connection is opened. */
static void rst_in_the_window_of_syn_received(void **state)
{
    (void)state;
    struct peer a = peer(1, 80);
    struct sock *l = host_listen(80, 5);
    arrives(&a, .flags = SYN, .seq = 0);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    arrives(&a, .flags = RST, .seq = 23);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
    expect_event(l, SOCK_EV_COMPLETED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(assassination),
        host_test(no_rst_ends_it),
        host_test(a_new_connection_ends_it),
        host_test(no_rst_prolongs_it),
        host_test(old_data),
        host_test(ack_loop),
        host_test(ack_loop_in_time_wait),
        host_test(old_ack_in_syn_sent),
        host_test(rst_in_the_window_of_syn_received),
    };
    return host_main(tests);
}
