/* RFC 9293 3.9.1.2: SEND. The URGENT flag is in test_3_8_5.c. */
#include "hosts.h"

/* Not on what was never opened, or is a listener: an error. */
static void not_opened(void **state)
{
    (void)state;
    struct sock *l = host_listen(80, 5);
    assert_int_equal(host_send(l, 0, 1), ERR_NOT_CONNECTED);
    nothing_leaves();
}

/* MUST-61: without another word each SEND is a push: the last segment of what is queued has PSH,
 * and no other. */
static void psh_in_the_last_segment(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    host_sends(so, 0, 2500);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    leaves(&a, .flags = ACK, .seq = 1001, .ack = 1, .text = 1000);
    leaves(&a, .flags = PSH | ACK, .seq = 2001, .ack = 1, .text = 500);
    host_at(200); /* again: all of it is still queued */
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 2501);
    host_sends(so, 2500, 1000); /* a full one that is the last */
    leaves(&a, .flags = PSH | ACK, .seq = 2501, .ack = 1, .text = 1000);
}

/* MAY-15: a SEND without PUSH: no PSH, and text waits for more to make segments of (MAY-16). */
static void without_push(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    for (uint32_t i = 0; i < 5; i++) {
        host_sends(so, 450 * i, 450);
        stack_more(so, host.now_ns);
        if (i == 2)
            leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
        if (i == 4)
            leaves(&a, .flags = ACK, .seq = 1001, .ack = 1, .text = 1000);
    }
    host_sends(so, 2250, 50); /* and with PUSH again */
    leaves(&a, .flags = PSH | ACK, .seq = 2001, .ack = 1, .text = 300);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 2301);
}

/* MUST-60: nor does that wait for ever. */
static void without_push_it_goes_too(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    host_sends(so, 0, 450);
    stack_more(so, host.now_ns);
    host_at(199);
    nothing_leaves();
    host_at(200);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 450);
}

/* MUST-60: nothing is buffered for ever: not a single octet, nor the rest behind full segments. */
static void nothing_waits_for_ever(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    uint32_t at = 0;
    for (uint32_t n = 1; n < 4000; n += 333) {
        host_sends(so, at, n);
        (void)all_leaves();
        at += n;
        arrives(&a, .flags = ACK, .seq = 1, .ack = 1 + at);
        (void)all_leaves();
        arrives(&a, .flags = ACK, .seq = 1, .ack = 1 + at);
        assert_int_equal(host_status(so).unsent_or_unacked, 0);
    }
}

/* SHLD-27, SHLD-28, MAY-16: what several SENDs have left is sent in segments as large as possible,
 * with one PSH at the end. */
static void pushes_are_collapsed(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    host_sends(so, 0, 100);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 100);
    for (uint32_t i = 1; i < 9; i++)
        host_sends(so, 100 * i, 100);
    nothing_leaves();
    host_sends(so, 900, 300);
    leaves(&a, .flags = ACK, .seq = 101, .ack = 1, .text = 1000);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1101);
    leaves(&a, .flags = PSH | ACK, .seq = 1101, .ack = 1, .text = 100);
}

/* SENDs are served in their order. What does not fit the buffer is not taken: how much was, is the
 * answer. */
static void in_order_and_bounded(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    a.wnd = ZERO;
    struct sock *so = host_connected(HERE, &a);
    host_set(so, sndbuf, 1000);
    host_sends(so, 0, 600);
    assert_int_equal(host_send(so, 600, 600), 400);
    assert_int_equal(host_send(so, 1000, 600), ERR_AGAIN);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = 10000);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1000); /* each octet is compared */
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1001);
    expect_event(so, SOCK_EV_ACKED);
    host_sends(so, 1000, 600);
    leaves(&a, .flags = PSH | ACK, .seq = 1001, .ack = 1, .text = 600);
}

/* Who has accepted a connection sends to the peer that called, without having named it. */
static void to_the_implied_remote_socket(void **state)
{
    (void)state;
    struct peer a = peer(1, 80);
    struct sock *l = host_listen(80, 5);
    host_handshake(HERE, &a);
    struct sock *so = host_accept(l);
    host_sends(so, 0, 10);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    expect_peer(so, &a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(not_opened),
        host_test(psh_in_the_last_segment),
        host_test(without_push),
        host_test(without_push_it_goes_too),
        host_test(nothing_waits_for_ever),
        host_test(pushes_are_collapsed),
        host_test(in_order_and_bounded),
        host_test(to_the_implied_remote_socket),
    };
    return host_main(tests);
}
