/* RFC 9293 3.5.2: when a RST is sent, by the three groups of states. (Security levels and
 * compartments: IP has none any more, A.1.) */
#include "hosts.h"

/* Group 1: for no connection every segment but a RST is answered: with the number that its ACK
 * names, or else with an ACK of all that it carried. */
static void no_connection(void **state)
{
    (void)state;
    for (unsigned flags = 0; flags < 64; flags++) {
        struct peer a = peer(flags, 9);
        for (uint32_t text = 0; text <= 7; text += 7) {
            arrives(&a, .flags = flags, .seq = flags == (RST | ACK) ? a.irs + 5 : 5, .ack = 77,
                    .text = text);
            uint32_t len = text + !!(flags & SYN) + !!(flags & FIN);
            if (!(flags & RST) && flags & ACK)
                leaves(&a, .flags = RST, .seq = 77);
            else if (!(flags & RST))
                leaves(&a, .flags = RST | ACK, .seq = 0, .ack = 5 + len);
            nothing_leaves();
        }
    }
    assert_int_equal(stack_sock_count(host.stack), 0);
}

/* Group 2, LISTEN: every ACK acknowledges what was never sent. */
static void listening(void **state)
{
    (void)state;
    struct peer a = peer(1, 80);
    struct sock *l = host_listen(80, 5);
    arrives(&a, .flags = ACK, .seq = 5, .ack = 77);
    leaves(&a, .flags = RST, .seq = 77);
    arrives(&a, .flags = SYN | ACK, .seq = 5, .ack = 78, .text = 3);
    leaves(&a, .flags = RST, .seq = 78);
    arrives(&a, .flags = RST | ACK, .seq = a.irs + 5, .ack = 79);
    nothing_leaves();
    assert_int_equal(stack_state(l), STATE_LISTEN);
}

/* Group 2, SYN-SENT: an ACK of something else than the SYN. The state stays. */
static void syn_sent(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_reach(&a, STATE_SYN_SENT);
    const uint32_t wrong[] = {0, 2, 100, (uint32_t)-100};
    for (unsigned i = 0; i < 4; i++) {
        arrives(&a, .flags = ACK, .seq = 5, .ack = wrong[i]);
        leaves(&a, .flags = RST, .seq = wrong[i]);
        arrives(&a, .flags = SYN | ACK, .seq = 5, .ack = wrong[i]);
        leaves(&a, .flags = RST, .seq = wrong[i]);
        arrives(&a, .flags = RST | ACK, .seq = a.irs + 5, .ack = wrong[i]);
        nothing_leaves();
    }
    assert_int_equal(stack_state(so), STATE_SYN_SENT);
    expect_no_event();
}

/* Group 2, SYN-RECEIVED, reached either way. */
static void syn_received(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), b = peer(2, 80);
    struct sock *so = host_reach(&a, STATE_SYN_RECEIVED);
    host_listen(80, 5);
    arrives(&b, .flags = SYN, .seq = 0);
    leaves(&b, .flags = SYN | ACK, .seq = 0, .ack = 1);
    const uint32_t wrong[] = {0, 2, 100};
    for (unsigned i = 0; i < 3; i++) {
        arrives(&a, .flags = ACK, .seq = 1, .ack = wrong[i]);
        leaves(&a, .flags = RST, .seq = wrong[i]);
        arrives(&b, .flags = ACK, .seq = 1, .ack = wrong[i]);
        leaves(&b, .flags = RST, .seq = wrong[i]);
    }
    assert_int_equal(stack_state(so), STATE_SYN_RECEIVED);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
    arrives(&b, .flags = ACK, .seq = 1, .ack = 1);
    assert_int_equal(stack_state(so), STATE_ESTABLISHED);
}

/* Group 3: once synchronized, what is not acceptable by its sequence number or its ACK is answered
 * by an empty segment that says where both ends are, never by a RST, and the state stays. */
static void synchronized(void **state)
{
    (void)state;
    for (enum tcp_state s = STATE_ESTABLISHED; s <= STATE_TIME_WAIT; s++) {
        struct peer a = peer(s, 0);
        struct sock *so = host_reach(&a, s);
        uint32_t us = s == STATE_ESTABLISHED || s == STATE_CLOSE_WAIT ? 1 : 2;
        uint32_t them =
            s == STATE_ESTABLISHED || s == STATE_FIN_WAIT_1 || s == STATE_FIN_WAIT_2 ? 1 : 2;
        arrives(&a, .flags = ACK, .seq = them + 20000, .ack = us, .text = 10);
        leaves(&a, .flags = ACK, .seq = us, .ack = them);
        arrives(&a, .flags = ACK, .seq = them - 1, .ack = us);
        leaves(&a, .flags = ACK, .seq = us, .ack = them);
        arrives(&a, .flags = ACK, .seq = them, .ack = us + 1); /* not sent yet */
        leaves(&a, .flags = ACK, .seq = us, .ack = them);
        arrives(&a, .flags = SYN, .seq = them + 20000);
        leaves(&a, .flags = ACK, .seq = us, .ack = them);
        assert_int_equal(stack_state(so), s);
        nothing_leaves();
        host_abort(so);
        (void)all_leaves();
    }
}

/* Not if it is not clear that the segment is for another connection: nothing of what belongs to an
 * open one brings a RST, be it old, early or out of order. */
static void never_in_doubt(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    host_sends(so, 0, 100);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 100);
    for (unsigned flags = 0; flags < 64; flags++) {
        if (flags & RST)
            continue;
        for (uint32_t at = 0; at < 3; at++) {
            host_later(1);
            arrives(&a, .flags = flags, .seq = 5000 * at, .ack = 1, .text = at);
            struct packet p;
            while (stack_output(host.stack, &p, 1, host.now_ns) > 0)
                assert_int_equal(headers_read(&p).flags & RST, 0);
        }
    }
    assert_int_not_equal(stack_state(so), STATE_CLOSED);
}

/* The user can issue a RST at any time. */
static void by_the_user(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    host_sends(so, 0, 100);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 100);
    host_abort(so);
    leaves(&a, .flags = RST | ACK, .seq = 101, .ack = 1);
    nothing_leaves();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(no_connection), host_test(listening),    host_test(syn_sent),
        host_test(syn_received),  host_test(synchronized), host_test(never_in_doubt),
        host_test(by_the_user),
    };
    return host_main(tests);
}
