/* RFC 9293 3.5.1: half-open connections and other anomalies: figures 9 to 11, each from both
 * sides. */
#include "hosts.h"

static void in_state(const struct sock *so, enum tcp_state s)
{
    assert_int_equal(stack_state(so), s);
}

/* Figure 9 as peer A: we have crashed, and open again. The ACK of line 4 speaks of a connection
 * that we know nothing of: the RST of line 5 ends it, and our SYN goes again (line 7). */
static void discovered_as_a(void **state)
{
    (void)state;
    struct peer b = peer(1, 0);
    struct sock *so = host_connect(&b);
    leaves(&b, .flags = SYN, .seq = 0);
    arrives(&b, .flags = ACK, .seq = 300, .ack = 100);
    leaves(&b, .flags = RST, .seq = 100);
    in_state(so, STATE_SYN_SENT);
    expect_no_event();
    host_at(1000);
    leaves(&b, .flags = SYN, .seq = 0);
    b.irs += 70000;
    arrives(&b, .flags = SYN | ACK, .seq = 0, .ack = 1);
    leaves(&b, .flags = ACK, .seq = 1, .ack = 1);
    in_state(so, STATE_ESTABLISHED);
}

/* Figure 9 as peer B: the peer has crashed. Its SYN gets the ACK of line 4, which says what we wait
 * for; the RST that it causes ends the connection, of which the user learns. */
static void discovered_as_b(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    arrives(&a, .flags = SYN, .seq = 20000, .mss = 1000);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    in_state(so, STATE_ESTABLISHED);
    arrives(&a, .flags = RST, .seq = 1);
    nothing_leaves();
    expect_event(so, SOCK_EV_CLOSED);
    assert_int_equal(stack_error(so), ERR_RESET);
    in_state(so, STATE_CLOSED);
}

/* The same, and the listener takes the SYN of line 7, which comes again: the four-tuple is free,
 * though a user holds what is left of the old connection. */
static void opened_again_as_b(void **state)
{
    (void)state;
    struct peer a = peer(1, 80);
    struct sock *l = host_listen(80, 5);
    host_handshake(HERE, &a);
    struct sock *old = host_accept(l);
    host_take_events();
    arrives(&a, .flags = SYN, .seq = 20000, .mss = 1000);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    arrives(&a, .flags = RST, .seq = 1);
    expect_event(old, SOCK_EV_CLOSED);
    a.irs += 20000;
    host_handshake(HERE, &a);
    expect_event(l, SOCK_EV_COMPLETED);
    in_state(host_accept(l), STATE_ESTABLISHED);
    in_state(old, STATE_CLOSED);
}

/* Figure 10 as peer A: text for a connection that we no longer have. */
static void active_side_as_a(void **state)
{
    (void)state;
    struct peer b = peer(1, 9);
    arrives(&b, .flags = ACK, .seq = 300, .ack = 100, .text = 10);
    leaves(&b, .flags = RST, .seq = 100);
}

/* Figure 10 as peer B: the RST that our text has caused ends the connection. */
static void active_side_as_b(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    host_sends(so, 0, 10);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    arrives(&a, .flags = RST, .seq = 1);
    expect_event(so, SOCK_EV_CLOSED);
    assert_int_equal(host_send(so, 10, 1), ERR_RESET);
    host_later(1000);
    nothing_leaves();
}

/* Figure 11 as peer A: a SYN,ACK for a listener, which has sent no SYN. */
static void two_listeners_as_a(void **state)
{
    (void)state;
    struct peer b = peer(1, 80);
    struct sock *l = host_listen(80, 5);
    arrives(&b, .flags = SYN | ACK, .seq = 0, .ack = 777);
    leaves(&b, .flags = RST, .seq = 777);
    in_state(l, STATE_LISTEN);
    assert_int_equal(stack_sock_count(host.stack), 1);
}

/* Figure 11 as peer B: the old duplicate of line 2 is answered, the RST of line 4 takes it back. */
static void two_listeners_as_b(void **state)
{
    (void)state;
    struct peer a = peer(1, 80);
    struct sock *l = host_listen(80, 5);
    arrives(&a, .flags = SYN, .seq = 0);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    arrives(&a, .flags = RST, .seq = 1);
    nothing_leaves();
    in_state(l, STATE_LISTEN);
    assert_int_equal(stack_sock_count(host.stack), 1);
    host_later(300000);
    nothing_leaves();
}

/* A connection that the peer has closed or lost without our knowledge: whatever we send on it
 * brings a RST, text, FIN or a retransmission. Silence alone keeps it open. */
static void half_open_until_something_is_sent(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct peer a = peer(i, 0);
        struct sock *so = host_connected(HERE, &a);
        host_later(24 * 3600 * 1000);
        in_state(so, STATE_ESTABLISHED);
        if (i == 0)
            host_sends(so, 0, 1);
        else
            assert_int_equal(host_shutdown_send(so), ERR_NONE);
        leaves(&a, .flags = (i == 0 ? PSH : FIN) | ACK, .seq = 1, .ack = 1, .text = i == 0);
        arrives(&a, .flags = RST, .seq = 1);
        expect_event(so, SOCK_EV_CLOSED);
        assert_int_equal(stack_error(so), ERR_RESET);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(discovered_as_a),    host_test(discovered_as_b),
        host_test(opened_again_as_b),  host_test(active_side_as_a),
        host_test(active_side_as_b),   host_test(two_listeners_as_a),
        host_test(two_listeners_as_b), host_test(half_open_until_something_is_sent),
    };
    return host_main(tests);
}
