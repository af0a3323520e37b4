/* RFC 9293 3.10.7.4: SEGMENT ARRIVES in all other states: steps six to eight. */
#include "hosts.h"

static bool receives(enum tcp_state s)
{
    return s == STATE_ESTABLISHED || s == STATE_FIN_WAIT_1 || s == STATE_FIN_WAIT_2;
}

static uint32_t us(enum tcp_state s)
{
    return s == STATE_ESTABLISHED || s == STATE_CLOSE_WAIT ? 1 : 2;
}

/* What the peer has acknowledged: in these states our FIN. */
static uint32_t acked(enum tcp_state s)
{
    return s == STATE_FIN_WAIT_2 || s == STATE_TIME_WAIT ? 2 : 1;
}

/* Sixth: the user hears of urgent data where text can still come; elsewhere URG is ignored. */
static void sixth_urg(void **state)
{
    (void)state;
    for (enum tcp_state s = STATE_ESTABLISHED; s <= STATE_TIME_WAIT; s++) {
        struct peer a = peer(s, 0);
        struct sock *so = host_reach(&a, s);
        arrives(&a, .flags = URG | ACK, .seq = receives(s) ? 1 : 2, .ack = acked(s), .up = 7);
        nothing_leaves();
        if (receives(s))
            expect_event(so, SOCK_EV_URGENT);
        else
            expect_no_event();
    }
}

/* Seventh: text is taken, RCV.NXT advances over it, the window shrinks by as much, so that their
 * sum stays; and it is acknowledged. */
static void seventh_text(void **state)
{
    (void)state;
    for (enum tcp_state s = STATE_ESTABLISHED; s <= STATE_FIN_WAIT_2; s++) {
        struct peer a = peer(s, 0);
        struct sock *so = host_reach(&a, s);
        arrives(&a, .flags = ACK, .seq = 1, .ack = acked(s), .text = 2000);
        leaves(&a, .flags = ACK, .seq = us(s), .ack = 2001, .wnd = 8000);
        expect_event(so, SOCK_EV_ARRIVED);
        host_receives(so, 0, 2000);
        host_abort(so);
        (void)all_leaves();
    }
}

/* After the peer's FIN there is no text: it is ignored; in TIME-WAIT it is answered
 * (lib/README.md). (Within the window; left of it it is old.) */
static void seventh_after_the_fin(void **state)
{
    (void)state;
    for (enum tcp_state s = STATE_CLOSE_WAIT; s <= STATE_TIME_WAIT; s++) {
        struct peer a = peer(s, 0);
        struct sock *so = host_reach(&a, s);
        arrives(&a, .flags = ACK, .seq = 2, .ack = acked(s), .text = 100);
        if (s == STATE_TIME_WAIT)
            leaves(&a, .flags = ACK, .seq = 2, .ack = 2);
        nothing_leaves();
        assert_int_equal(host_status(so).unread, 0);
        assert_int_equal(host_recv(so, 0, 1), 0);
        assert_int_equal(stack_state(so), s);
    }
}

/* The ACK goes with text of ours where there is some, without undue delay. */
static void seventh_piggybacked(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_reach(&a, STATE_ESTABLISHED);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 100);
    host_sends(so, 0, 10);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 101, .text = 10);
    nothing_leaves();
}

/* MAY-13: what is in the window but not at its left edge brings an ACK of RCV.NXT at once. */
static void seventh_out_of_order(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    host_reach(&a, STATE_ESTABLISHED);
    for (uint32_t i = 1; i <= 3; i++) {
        arrives(&a, .flags = ACK, .seq = 1 + 1000 * i, .ack = 1, .text = 1000);
        leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    }
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 4001);
}

/* Eighth: RCV.NXT advances over the FIN, which is acknowledged at once; the user hears of it, and
 * the state follows. It pushes: what came before it can be read. */
static void eighth_fin(void **state)
{
    (void)state;
    static const enum tcp_state then[] = {
        [STATE_SYN_RECEIVED] = STATE_CLOSE_WAIT,
        [STATE_ESTABLISHED] = STATE_CLOSE_WAIT,
        [STATE_FIN_WAIT_1] = STATE_CLOSING,
        [STATE_FIN_WAIT_2] = STATE_TIME_WAIT,
    };
    for (enum tcp_state s = STATE_SYN_RECEIVED; s <= STATE_FIN_WAIT_2; s++) {
        struct peer a = peer(s, 0);
        struct sock *so = host_reach(&a, s);
        arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = acked(s), .text = 10);
        if (s == STATE_FIN_WAIT_1) /* our FIN again: lib/README.md */
            leaves(&a, .flags = FIN | ACK, .seq = 1, .ack = 12);
        else
            leaves(&a, .flags = ACK, .seq = s == STATE_SYN_RECEIVED ? 1 : us(s), .ack = 12);
        assert_int_equal(stack_state(so), then[s]);
        struct stack_event ev;
        assert_true(stack_next_event(host.stack, &ev));
        assert_int_equal(ev.what & SOCK_EV_ARRIVED, SOCK_EV_ARRIVED);
        host_receives(so, 0, 10);
        assert_int_equal(host_recv(so, 10, 1), 0);
        host_abort(so);
        (void)all_leaves();
    }
}

/* FIN-WAIT-1, and our FIN is acknowledged by the same segment: TIME-WAIT, and no other timer runs:
 * nothing more is sent. */
static void eighth_with_the_ack_of_ours(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_reach(&a, STATE_FIN_WAIT_1);
    arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = 2);
    leaves(&a, .flags = ACK, .seq = 2, .ack = 2);
    assert_int_equal(stack_state(so), STATE_TIME_WAIT);
    host_at(59999);
    nothing_leaves();
    assert_int_equal(stack_state(so), STATE_TIME_WAIT);
    host_at(60000);
    assert_int_equal(stack_state(so), STATE_CLOSED);
}

/* CLOSE-WAIT to TIME-WAIT: the state stays. The FIN again, which is old now, is acknowledged;
 * TIME-WAIT begins again (test_3_10_7_4.c: fifth_in_time_wait). */
static void eighth_again(void **state)
{
    (void)state;
    for (enum tcp_state s = STATE_CLOSE_WAIT; s <= STATE_TIME_WAIT; s++) {
        struct peer a = peer(s, 0);
        struct sock *so = host_reach(&a, s);
        arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = acked(s));
        leaves(&a, .flags = ACK, .seq = us(s), .ack = 2);
        assert_int_equal(stack_state(so), s);
        expect_no_event();
    }
}

/* One beyond the window is trimmed with the text before it (first): the stream may still go on. */
static void eighth_beyond_the_window(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_reach(&a, STATE_ESTABLISHED);
    arrives(&a, .flags = FIN | ACK, .seq = 9991, .ack = 1, .text = 20); /* the edge is at 10001 */
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    for (uint32_t at = 1; at < 9991; at += 999) {
        arrives(&a, .flags = ACK, .seq = at, .ack = 1, .text = 999);
        (void)all_leaves();
    }
    host_receives(so, 0, 10000);
    (void)all_leaves();
    arrives(&a, .flags = ACK, .seq = 10001, .ack = 1, .text = 1000);
    host_receives(so, 10000, 1000);
    (void)all_leaves();
    assert_int_equal(stack_state(so), STATE_ESTABLISHED);
}

/* CLOSED, LISTEN, SYN-SENT: a FIN there is not processed: its number means nothing yet. */
static void eighth_not_before_the_syn(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), b = peer(2, 80);
    struct sock *so = host_reach(&a, STATE_SYN_SENT), *l = host_listen(80, 5);
    arrives(&a, .flags = FIN, .seq = 0);
    arrives(&a, .flags = FIN | ACK, .seq = 0, .ack = 1);
    arrives(&b, .flags = FIN, .seq = 0);
    nothing_leaves();
    expect_no_event();
    assert_int_equal(stack_state(so), STATE_SYN_SENT);
    assert_int_equal(stack_state(l), STATE_LISTEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(sixth_urg),
        host_test(seventh_text),
        host_test(seventh_after_the_fin),
        host_test(seventh_piggybacked),
        host_test(seventh_out_of_order),
        host_test(eighth_fin),
        host_test(eighth_with_the_ack_of_ours),
        host_test(eighth_again),
        host_test(eighth_beyond_the_window),
        host_test(eighth_not_before_the_syn),
    };
    return host_main(tests);
}
