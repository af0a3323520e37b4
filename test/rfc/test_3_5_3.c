/* RFC 9293 3.5.3: what a RST does. Which exact number it needs in synchronized states is RFC
 * 5961's: test_3_10_7_4.c, test_rfc5961.c. */
#include "hosts.h"

/* In SYN-SENT a RST is valid if its ACK acknowledges the SYN; the user is refused. */
static void in_syn_sent(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_reach(&a, STATE_SYN_SENT);
    arrives(&a, .flags = RST, .seq = 0);
    arrives(&a, .flags = RST, .seq = 1);
    arrives(&a, .flags = RST | ACK, .seq = 0, .ack = 0);
    arrives(&a, .flags = RST | ACK, .seq = 0, .ack = 2);
    assert_int_equal(stack_state(so), STATE_SYN_SENT);
    arrives(&a, .flags = RST | ACK, .seq = 0, .ack = 1);
    nothing_leaves();
    expect_event(so, SOCK_EV_CLOSED);
    assert_int_equal(stack_error(so), ERR_REFUSED);
}

/* Elsewhere by its sequence number, which has to be in the window. */
static void outside_of_the_window(void **state)
{
    (void)state;
    for (enum tcp_state s = STATE_SYN_RECEIVED; s <= STATE_TIME_WAIT; s++) {
        struct peer a = peer(s, 0);
        struct sock *so = host_reach(&a, s);
        arrives(&a, .flags = RST, .seq = 0);
        arrives(&a, .flags = RST, .seq = 20000);
        arrives(&a, .flags = RST, .seq = 0x80000000);
        nothing_leaves();
        assert_int_equal(stack_state(so), s);
        expect_no_event();
    }
}

/* LISTEN ignores it; SYN-RECEIVED returns there, if it came from there. */
static void of_a_listener(void **state)
{
    (void)state;
    struct peer a = peer(1, 80);
    struct sock *l = host_listen(80, 5);
    arrives(&a, .flags = RST, .seq = 0);
    arrives(&a, .flags = RST | ACK, .seq = 0, .ack = 1);
    arrives(&a, .flags = SYN, .seq = 0);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    arrives(&a, .flags = RST, .seq = 1);
    nothing_leaves();
    expect_no_event();
    assert_int_equal(stack_state(l), STATE_LISTEN);
    assert_int_equal(stack_sock_count(host.stack), 1);
}

/* Any other state: the connection is aborted, its user is told. */
static void aborts_and_tells(void **state)
{
    (void)state;
    for (enum tcp_state s = STATE_ESTABLISHED; s < STATE_TIME_WAIT; s++) {
        struct peer a = peer(s, 0);
        struct sock *so = host_reach(&a, s);
        bool closed = s == STATE_CLOSE_WAIT || s == STATE_CLOSING || s == STATE_LAST_ACK;
        arrives(&a, .flags = RST, .seq = closed ? 2 : 1);
        nothing_leaves();
        expect_event(so, SOCK_EV_CLOSED);
        assert_int_equal(stack_state(so), STATE_CLOSED);
    }
}

/* SHLD-2: a RST may have text, which is not for the user. */
static void with_text(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), b = peer(2, 0);
    struct sock *so = host_connected(HERE, &a), *opening = host_reach(&b, STATE_SYN_SENT);
    arrives(&a, .flags = RST, .seq = 1, .text = 30);
    expect_event(so, SOCK_EV_CLOSED);
    assert_int_equal(host_recv(so, 0, 30), ERR_RESET);
    arrives(&b, .flags = RST | ACK, .seq = 0, .ack = 1, .text = 30);
    expect_event(opening, SOCK_EV_CLOSED);
    assert_int_equal(host_recv(opening, 0, 30), ERR_REFUSED);
    nothing_leaves();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(in_syn_sent),   host_test(outside_of_the_window),
        host_test(of_a_listener), host_test(aborts_and_tells),
        host_test(with_text),
    };
    return host_main(tests);
}
