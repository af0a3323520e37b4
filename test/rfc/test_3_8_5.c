/* RFC 9293 3.8.5: urgent data, with what RFC 6093 says about it. (MUST-30 is all of it. SHLD-13 is
 * about applications.) */
#include "hosts.h"

/* ---- What we send ---- */

/* MUST-62: the pointer is added to SEG.SEQ, and points to the octet behind the urgent data. */
static void pointer_behind_the_data(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    assert_int_equal(host_send_urgent(so, 0, 10), 10);
    leaves(&a, .flags = PSH | ACK | URG, .seq = 1, .ack = 1, .text = 10, .up = 10);
    assert_int_equal(host_send_urgent(so, 10, 1), 1);
    leaves(&a, .flags = PSH | ACK | URG, .seq = 11, .ack = 1, .text = 1, .up = 1);
}

/* All that comes before it in the stream is urgent as well, and what comes behind it is not. */
static void all_before_it(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    a.wnd = 500;
    struct sock *so = host_connected(HERE, &a);
    host_sends(so, 0, 700);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 500);
    assert_int_equal(host_send_urgent(so, 700, 5), 5);
    leaves(&a, .flags = ACK | URG, .seq = 501, .ack = 1, .up = 205);
    host_sends(so, 705, 95);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 501, .wnd = 10000);
    leaves(&a, .flags = PSH | ACK | URG, .seq = 501, .ack = 1, .text = 300, .up = 205);
}

/* MUST-31: of any length: every segment says where it ends, and none behind it has URG. */
static void any_length(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    assert_int_equal(host_send_urgent(so, 0, 4500), 4500);
    host_batch();
    host_sends(so, 4500, 1500);
    for (uint32_t i = 0; i < 5; i++)
        leaves(&a, .flags = ACK | URG, .seq = 1 + 1000 * i, .ack = 1, .text = 1000,
               .up = (uint16_t)(4500 - 1000 * i));
    leaves(&a, .flags = PSH | ACK, .seq = 5001, .ack = 1, .text = 1000);
}

/* Also of more than the field can say: it points as far as it can, and further with each segment.
 */
static void beyond_the_field(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    a.wnd = 65535;
    struct sock *so = host_connected(HERE, &a);
    assert_int_equal(host_send_urgent(so, 0, 100000), 100000);
    for (uint32_t i = 0; i < 100; i++) {
        uint32_t left = 100000 - 1000 * i;
        leaves(&a, .flags = ACK | URG | (i == 99 ? PSH : 0), .seq = 1 + 1000 * i, .ack = 1,
               .text = 1000, .up = (uint16_t)(left < 65535 ? left : 65535));
        if (i % 10 == 9) {
            host_batch();
            arrives(&a, .flags = ACK, .seq = 1, .ack = 1 + 1000 * (i + 1));
        }
    }
}

/* An urgent indication takes an octet of data at least. */
static void not_without_data(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    assert_int_equal(host_send_urgent(so, 0, 0), 0);
    nothing_leaves();
    host_sends(so, 0, 5);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 5);
}

/* No URG: nothing urgent is outstanding. */
static void no_urg_without(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    assert_int_equal(host_send_urgent(so, 0, 10), 10);
    leaves(&a, .flags = PSH | ACK | URG, .seq = 1, .ack = 1, .text = 10, .up = 10);
    host_sends(so, 10, 1000);
    leaves(&a, .flags = PSH | ACK, .seq = 11, .ack = 1, .text = 1000);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1011, .text = 1);
    host_later(40);
    leaves(&a, .flags = ACK, .seq = 1011, .ack = 2);
}

/* What is sent again says it again, and newer news. */
static void sent_again(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    a.wnd = 1000;
    struct sock *so = host_connected(HERE, &a);
    assert_int_equal(host_send_urgent(so, 0, 1000), 1000);
    leaves(&a, .flags = PSH | ACK | URG, .seq = 1, .ack = 1, .text = 1000, .up = 1000);
    assert_int_equal(host_send_urgent(so, 1000, 500), 500);
    nothing_leaves(); /* the peer knows that there is urgent data */
    host_at(200);
    leaves(&a, .flags = ACK | URG, .seq = 1, .ack = 1, .text = 1000, .up = 1500);
}

/* The user stimulates the other at once: also when no text can go because the window is shut. */
static void though_no_text_can_go(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    a.wnd = ZERO;
    struct sock *so = host_connected(HERE, &a);
    assert_int_equal(host_send_urgent(so, 0, 300), 300);
    leaves(&a, .flags = ACK | URG, .seq = 1, .ack = 1, .up = 300);
    host_at(199);
    nothing_leaves();
}

/* ---- What arrives ---- */

/* MUST-32: the user is told when there is urgent data and was none, and when the pointer advances.
 * A segment with URG needs no text. */
static void told(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    arrives(&a, .flags = ACK | URG, .seq = 1, .ack = 1, .up = 20);
    expect_event(so, SOCK_EV_URGENT);
    arrives(&a, .flags = ACK | URG, .seq = 1, .ack = 1, .up = 20); /* nothing new */
    expect_no_event();
    arrives(&a, .flags = ACK | URG, .seq = 1, .ack = 1, .up = 21);
    expect_event(so, SOCK_EV_URGENT);
    arrives(&a, .flags = ACK | URG, .seq = 1, .ack = 1, .text = 21, .up = 21);
    expect_event(so, SOCK_EV_ARRIVED);
    host_later(40);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 22);
    host_receives(so, 0, 20);
    host_receives(so, 20, 1);
    arrives(&a, .flags = ACK | URG, .seq = 22, .ack = 1, .up = 1);
    expect_event(so, SOCK_EV_URGENT);
}

/* MUST-33: how much urgent data is left to be read, arrived or not: with 0 the user is back in
 * normal mode. */
static void how_much_is_left(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    assert_int_equal(stack_urgent(so), 0);
    arrives(&a, .flags = ACK | URG, .seq = 1, .ack = 1, .text = 10, .up = 300);
    assert_int_equal(stack_urgent(so), 300);
    host_receives(so, 0, 10);
    assert_int_equal(stack_urgent(so), 290);
    arrives(&a, .flags = ACK, .seq = 11, .ack = 1, .text = 390);
    (void)all_leaves();
    assert_int_equal(stack_urgent(so), 290);
    host_receives(so, 10, 100);
    assert_int_equal(stack_urgent(so), 190);
    host_receives(so, 110, 189);
    assert_int_equal(stack_urgent(so), 1);
    host_receives(so, 299, 1);
    assert_int_equal(stack_urgent(so), 0);
    assert_int_equal(stack_unread(so), 100);
}

/* MUST-31: of any length: the pointer moves on and on, and is never caught up with. */
static void any_length_arrives(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    host_take_events();
    for (uint32_t at = 0; at < 80000; at += 1000) {
        arrives(&a, .flags = ACK | URG, .seq = 1 + at, .ack = 1, .text = 1000, .up = 65535);
        expect_event(so, SOCK_EV_ARRIVED | SOCK_EV_URGENT);
        (void)all_leaves();
        assert_int_equal(stack_urgent(so), 65535);
        host_receives(so, at, 1000);
        (void)all_leaves();
    }
}

/* It can't recede, but a receiver bears one that does, and any other: urgent is what lies between
 * what has arrived and the furthest of them. */
static void pointers_that_lie(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    arrives(&a, .flags = ACK | URG, .seq = 1, .ack = 1, .up = 100);
    expect_event(so, SOCK_EV_URGENT);
    arrives(&a, .flags = ACK | URG, .seq = 1, .ack = 1, .up = 50);
    arrives(&a, .flags = ACK | URG, .seq = 1, .ack = 1, .up = 0);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .up = 200); /* without URG it means nothing */
    assert_int_equal(stack_urgent(so), 100);
    expect_no_event();
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 400);
    host_receives(so, 0, 99);
    host_receives(so, 99, 301);
    host_later(40);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 401);
    expect_event(so, SOCK_EV_ARRIVED);
    arrives(&a, .flags = ACK | URG, .seq = 301, .ack = 1, .text = 100, .up = 50); /* old */
    leaves(&a, .flags = ACK, .seq = 1, .ack = 401);
    arrives(&a, .flags = ACK | URG, .seq = 401, .ack = 1, .up = 0);
    assert_int_equal(stack_urgent(so), 0);
    expect_no_event();
    arrives(&a, .flags = ACK | URG, .seq = 401, .ack = 1, .up = 65535); /* far beyond the window */
    expect_event(so, SOCK_EV_URGENT);
    arrives(&a, .flags = FIN | ACK, .seq = 401, .ack = 1, .text = 10); /* it never comes */
    leaves(&a, .flags = ACK, .seq = 1, .ack = 412);
    host_receives(so, 400, 10);
    assert_int_equal(host_recv(so, 410, 1), 0);
}

/* Such a pointer is news whatever stands in front of it: a hole, or a window that is shut. */
static void ahead_of_what_is_here(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    arrives(&a, .flags = ACK | URG, .seq = 1001, .ack = 1, .text = 1000, .up = 1000);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    expect_event(so, SOCK_EV_URGENT);
    assert_int_equal(stack_urgent(so), 2000);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 2001);
    for (uint32_t i = 2; i < 10; i++) {
        arrives(&a, .flags = ACK, .seq = 1 + 1000 * i, .ack = 1, .text = 1000);
        (void)all_leaves();
    }
    host_take_events();
    assert_int_equal(host_status(so).rcv_wnd, 0);
    arrives(&a, .flags = ACK | URG, .seq = 10001, .ack = 1, .up = 3);
    expect_event(so, SOCK_EV_URGENT);
    assert_int_equal(stack_urgent(so), 10003);
}

/* MUST-32: a user who has to make room before the urgent octet can come is told; so is one who has
 * left room for less than a unit of the window field, which the peer knows as none (RFC 7323 2.4).
 */
static void less_than_a_unit_of_room(void **state)
{
    (void)state;
    host.config.tcp.rcvbuf = host.config.tcp.rcvbuf_max = 100000; /* units of 2 octets */
    host_start();
    struct peer a = peer(1, 0);
    struct sock *so = host_connect(&a);
    leaves(&a, .flags = SYN, .seq = 0, .scale = 1);
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = HOST_MSS, .scale = 1);
    (void)all_leaves();
    uint32_t whole = host_status(so).rcv_wnd, at = 1;
    for (uint32_t n; at < whole; at += n) {
        n = whole - at < 999 ? whole - at : 999;
        arrives(&a, .flags = ACK, .seq = at, .ack = 1, .text = n);
        host_later(40);
        (void)all_leaves();
    }
    arrives(&a, .flags = ACK | URG, .seq = at, .ack = 1, .up = 50);
    assert_false(stack_readiness(so) & SOCK_URGENT);
    arrives(&a, .flags = ACK | URG, .seq = at, .ack = 1, .text = 1, .up = 50);
    host_later(40);
    leaves(&a, .flags = ACK, .seq = 1, .ack = at + 1, .wnd = ZERO);
    assert_int_equal(host_status(so).rcv_wnd, 1);
    assert_true(stack_readiness(so) & SOCK_URGENT);
}

/* RFC 6093 6: urgent data comes in line, unless the user has sockets' way (lib/README.md): the last
 * octet apart, once. */
static void in_line_or_not(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), b = peer(2, 0);
    struct sock *so = host_connected(HERE, &a);
    uint8_t octet = 0;
    arrives(&a, .flags = ACK | URG, .seq = 1, .ack = 1, .text = 10, .up = 5);
    assert_int_equal(stack_recv_urgent(so, &octet, false), ERR_INVAL);
    assert_int_equal(host_recv(so, 0, 10), 4); /* ends at the mark, */
    assert_int_equal(host_recv(so, 4, 10), 6); /* and goes on with all */
    host_take_events();
    so = host_connected(HERE, &b);
    host_set(so, oobinline, false);
    arrives(&b, .flags = ACK | URG, .seq = 1, .ack = 1, .text = 10, .up = 5);
    assert_int_equal(stack_recv_urgent(so, &octet, false), 1);
    assert_int_equal(octet, stream_octet(true, 4));
    assert_int_equal(stack_recv_urgent(so, &octet, false), ERR_INVAL);
    assert_int_equal(host_recv(so, 0, 10), 4);
    assert_int_equal(host_recv(so, 5, 10), 5);
    host_later(40);
    (void)all_leaves();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(pointer_behind_the_data),
        host_test(all_before_it),
        host_test(any_length),
        host_test(beyond_the_field),
        host_test(not_without_data),
        host_test(no_urg_without),
        host_test(sent_again),
        host_test(though_no_text_can_go),
        host_test(told),
        host_test(how_much_is_left),
        host_test(any_length_arrives),
        host_test(pointers_that_lie),
        host_test(ahead_of_what_is_here),
        host_test(less_than_a_unit_of_room),
        host_test(in_line_or_not),
    };
    return host_main(tests);
}
