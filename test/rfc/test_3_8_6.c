/* RFC 9293 3.8.6: managing the window. */
#include "hosts.h"

/* The window tells what can be accepted: what is unread takes from it. */
static void tells_the_room(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    for (int i = 1; i <= 5; i++) {
        arrives(&a, .flags = ACK, .seq = 1 + 2000 * (uint32_t)(i - 1), .ack = 1, .text = 2000);
        leaves(&a, .flags = ACK, .seq = 1, .ack = 1 + 2000 * (uint32_t)i,
               .wnd = i < 5 ? 10000 - 2000 * i : ZERO);
    }
    assert_int_equal(host_status(so).unread, 10000);
}

/* Segments fit the peer's window; what was to be sent again in one piece may go in others. */
static void segments_fit_the_window(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    a.wnd = 1500;
    struct sock *so = host_connected(HERE, &a);
    host_sends(so, 0, 3000);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    nothing_leaves();
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = 700); /* it has shrunk meanwhile */
    host_at(200);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 700);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 701, .wnd = 5000);
    leaves(&a, .flags = ACK, .seq = 701, .ack = 1, .text = 1000);
}

/* Windows of old reports: the segment with the highest acknowledgment number counts. */
static void old_windows_are_not_taken(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    host_sends(so, 0, 2000);
    assert_int_equal(all_leaves(), 2);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 2001, .wnd = 8000);
    assert_int_equal(host_status(so).snd_wnd, 8000);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1001, .wnd = 300); /* was overtaken */
    assert_int_equal(host_status(so).snd_wnd, 8000);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 2001, .wnd = 9000);
    assert_int_equal(host_status(so).snd_wnd, 9000);
}

/* More than can be accepted is discarded, and the window told. */
static void text_beyond_the_window(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 10500);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 10001, .wnd = ZERO);
    host_receives(so, 0, 10000);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 10001, .wnd = 10000);
    assert_int_equal(host_recv(so, 10000, 1), ERR_AGAIN);
}

/* SHLD-14: our right edge never moves left, though the user makes the buffer smaller. */
static void edge_does_not_move_left(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    host_step(HERE);
    host_set(so, rcvbuf, 3000);
    uint32_t edge = 10001;
    for (uint32_t at = 1; at < 20001;) {
        arrives(&a, .flags = ACK, .seq = at, .ack = 1, .text = 500);
        host_batch();
        host_receives(so, at - 1, 500);
        at += 500;
        host_later(40);
        for (struct packet p; stack_output(host.stack, &p, 1, host.now_ns) > 0;) {
            struct headers h = headers_read(&p);
            uint32_t now = h.ack - a.irs + h.wnd;
            assert_true(now >= edge);
            edge = now;
        }
    }
    assert_int_equal(edge, 20001 + 3000);
}

/* MUST-34: the peer's window shrinks below what is in flight, so that the usable window is
 * negative. SHLD-15: nothing new is sent, SHLD-16: what lies inside is sent again as ever, and
 * (MAY-7 is not taken up) what lies beyond is not. */
static void peer_shrinks_its_window(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    a.wnd = 4000;
    struct sock *so = host_connected(HERE, &a);
    host_sends(so, 0, 6000);
    assert_int_equal(all_leaves(), 4);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = 1500);
    nothing_leaves();
    host_at(200);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    nothing_leaves();
    host_at(600);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1001, .wnd = 1500);
    leaves(&a, .flags = ACK, .seq = 1001, .ack = 1, .text = 1000);
    leaves(&a, .flags = ACK, .seq = 2001, .ack = 1, .text = 500);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 4001, .wnd = 10000);
    leaves(&a, .flags = ACK, .seq = 4001, .ack = 1, .text = 1000);
    leaves(&a, .flags = PSH | ACK, .seq = 5001, .ack = 1, .text = 1000);
    assert_int_equal(stack_state(so), STATE_ESTABLISHED);
}

/* SHLD-17: what lies beyond the edge, and so is not acknowledged, ends no connection, as long as
 * the peer answers. */
static void beyond_the_edge_for_long(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    host_sends(so, 0, 2000);
    assert_int_equal(all_leaves(), 2);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1001, .wnd = 500);
    nothing_leaves();
    uint64_t end = host.now_ns + 3600 * NS_PER_S;
    while (host.now_ns < end) {
        host_go(HERE, stack_deadline(host.stack));
        leaves(&a, .flags = ACK, .seq = 1001, .ack = 1, .text = 500);
        arrives(&a, .flags = ACK, .seq = 1, .ack = 1001, .wnd = 500);
        nothing_leaves();
    }
    assert_int_equal(stack_state(so), STATE_ESTABLISHED);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 2001, .wnd = 500);
}

/* MUST-35: when it shrinks to zero it is probed: with an octet of what was sent. */
static void shrunk_to_zero(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    host_sends(so, 0, 2000);
    assert_int_equal(all_leaves(), 2);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = ZERO);
    nothing_leaves();
    host_at(200);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = ZERO);
    host_at(400);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 2, .wnd = 5000);
    leaves(&a, .flags = ACK, .seq = 2, .ack = 1, .text = 1000);
    leaves(&a, .flags = PSH | ACK, .seq = 1002, .ack = 1, .text = 999);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 2001, .wnd = 5000);
    assert_int_equal(host_status(so).flight, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(tells_the_room),
        host_test(segments_fit_the_window),
        host_test(old_windows_are_not_taken),
        host_test(text_beyond_the_window),
        host_test_ipv4(edge_does_not_move_left),
        host_test(peer_shrinks_its_window),
        host_test(beyond_the_edge_for_long),
        host_test(shrunk_to_zero),
    };
    return host_main(tests);
}
