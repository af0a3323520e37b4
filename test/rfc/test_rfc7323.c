/* RFC 7323 2: the Window Scale option. (Timestamps: test_rfc7323_timestamps.c,
 * test_rfc7323_paws.c.) */
#include "hosts.h"

/* From now on receive windows are up to n octets. */
static void buffer(uint32_t n)
{
    host.config.tcp.rcvbuf = host.config.tcp.rcvbuf_max = n;
    host_start();
}

/* 2.2: scaling needs the option in both SYNs: as who opens. */
static void both_sides_active(void **state)
{
    (void)state;
    buffer(1 << 20);
    struct peer a = peer(1, 0), b = peer(2, 0);
    struct sock *so = host_connect(&a);
    leaves(&a, .flags = SYN, .seq = 0, .scale = 5);
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 512, .scale = 3);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = 1 << 15);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = 1000);
    assert_int_equal(host_status(so).snd_wnd, 8000);
    so = host_connect(&b);
    leaves(&b, .flags = SYN, .seq = 0, .scale = 5);
    arrives(&b, .flags = SYN | ACK, .seq = 0, .ack = 1, .scale = NONE);
    leaves(&b, .flags = ACK, .seq = 1, .ack = 1, .wnd = 65535);
    arrives(&b, .flags = ACK, .seq = 1, .ack = 1, .wnd = 1000);
    assert_int_equal(host_status(so).snd_wnd, 1000);
}

/* As who is connected to: the option goes into the SYN,ACK if and only if it was in the SYN. */
static void both_sides_passive(void **state)
{
    (void)state;
    buffer(1 << 20);
    struct peer a = peer(1, 80), b = peer(2, 80);
    struct sock *l = host_listen(80, 5);
    arrives(&a, .flags = SYN, .seq = 0, .scale = 3);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .scale = 5);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = 1000);
    assert_int_equal(host_status(host_accept(l)).snd_wnd, 8000);
    arrives(&b, .flags = SYN, .seq = 0, .scale = NONE);
    leaves(&b, .flags = SYN | ACK, .seq = 0, .ack = 1, .scale = NONE);
    arrives(&b, .flags = ACK, .seq = 1, .ack = 1, .wnd = 1000);
    assert_int_equal(host_status(host_accept(l)).snd_wnd, 1000);
}

/* 2.2: a count of zero is an offer too: our small window is not scaled, the peer's is. */
static void zero_is_an_offer(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connect(&a);
    leaves(&a, .flags = SYN, .seq = 0, .wnd = 10000, .scale = ZERO);
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .scale = 7);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = 10000);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = 100);
    assert_int_equal(host_status(so).snd_wnd, 100 << 7);
}

/* 2.3: the count that our buffer needs, of 64 KiB and more. */
static void count_for_our_buffer(void **state)
{
    (void)state;
    const struct {
        uint32_t size;
        int shift;
    } cases[] = {{65535, ZERO}, {65536, 1}, {131070, 1}, {131071, 2}, {1 << 22, 7}, {1 << 26, 11}};
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        buffer(cases[i].size);
        struct peer a = peer(1, 0);
        host_connect(&a);
        leaves(&a, .flags = SYN, .seq = 0, .scale = cases[i].shift);
    }
}

/* Of a buffer that may grow it is that of its largest size, whoever opens. */
static void count_for_what_it_may_become(void **state)
{
    (void)state;
    host.config.tcp.rcvbuf_max = 1 << 20;
    host_start();
    struct peer a = peer(1, 0), b = peer(2, 80);
    host_connect(&a);
    leaves(&a, .flags = SYN, .seq = 0, .scale = 5);
    host_listen(80, 5);
    arrives(&b, .flags = SYN, .seq = 0, .scale = ZERO);
    leaves(&b, .flags = SYN | ACK, .seq = 0, .ack = 1, .scale = 5);
}

/* 2.2: the option in a segment without SYN is ignored. */
static void ignored_without_syn(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connect(&a);
    leaves(&a, .flags = SYN, .seq = 0);
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .scale = 2);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    with(.options = OPTIONS(WINDOW_SCALE(9), NO_OPERATION));
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = 1000);
    assert_int_equal(host_status(so).snd_wnd, 4000);
}

/* 2.2: the window of a SYN is never scaled, ours or the peer's, whichever crosses which. */
static void not_in_a_syn(void **state)
{
    (void)state;
    buffer(1 << 20);
    struct peer a = peer(1, 0), b = peer(2, 0);
    struct sock *so = host_connect(&a);
    leaves(&a, .flags = SYN, .seq = 0, .wnd = 65535, .scale = 5);
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .wnd = 700, .scale = 3);
    assert_int_equal(host_status(so).snd_wnd, 700);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    so = host_connect(&b);
    leaves(&b, .flags = SYN, .seq = 0);
    arrives(&b, .flags = SYN, .seq = 0, .wnd = 700, .scale = 3);
    leaves(&b, .flags = SYN | ACK, .seq = 0, .ack = 1, .wnd = 65535, .scale = 5);
    assert_int_equal(host_status(so).snd_wnd, 700);
    arrives(&b, .flags = SYN | ACK, .seq = 0, .ack = 1, .wnd = 700, .scale = 3);
    assert_int_equal(host_status(so).snd_wnd, 700);
    arrives(&b, .flags = ACK, .seq = 1, .ack = 1, .wnd = 700);
    assert_int_equal(host_status(so).snd_wnd, 5600);
}

/* Nor in the SYN,ACK of a simultaneous open: the largest window there ever was is 1000 octets, so
 * 768 are more than half of it and worth sending (RFC 9293 3.8.6.2.1 (3)). */
static void not_in_a_crossing_syn(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connect(&a);
    leaves(&a, .flags = SYN, .seq = 0);
    arrives(&a, .flags = SYN, .seq = 0, .mss = 1000, .scale = 7, .wnd = 1000);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000, .scale = 7, .wnd = 1000);
    assert_int_equal(host_status(so).snd_wnd, 1000);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = 6);
    host_sends(so, 0, 5000);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 768);
}

/* 2.3: a count above 14 is used as 14. */
static void at_most_14(void **state)
{
    (void)state;
    struct peer a[3];
    const int counts[] = {14, 15, 255};
    for (unsigned i = 0; i < 3; i++) {
        a[i] = peer(i, 0);
        struct sock *so = host_connect(&a[i]);
        leaves(&a[i], .flags = SYN, .seq = 0);
        arrives(&a[i], .flags = SYN | ACK, .seq = 0, .ack = 1, .scale = counts[i]);
        leaves(&a[i], .flags = ACK, .seq = 1, .ack = 1);
        arrives(&a[i], .flags = ACK, .seq = 1, .ack = 1, .wnd = 65535);
        assert_int_equal(host_status(so).snd_wnd, 65535 << 14);
        host_take_events();
    }
}

/* cwnd is in octets, whatever the scale. */
static void cwnd_is_not_scaled(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connect(&a);
    leaves(&a, .flags = SYN, .seq = 0);
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000, .scale = 7);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    assert_int_equal(host_status(so).cwnd, 10000);
}

/* A connection whose windows are in units of 16 octets: ours of 1000000. */
static struct sock *in_units_of_16(struct peer *a)
{
    buffer(1000000);
    struct sock *so = host_connect(a);
    leaves(a, .flags = SYN, .seq = 0, .scale = 4);
    arrives(a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000, .scale = 4);
    leaves(a, .flags = ACK, .seq = 1, .ack = 1, .wnd = 62500);
    return so;
}

/* What has left until now: the largest edge that it announces to the peer, or the one before. */
static uint32_t largest_edge(const struct peer *a, uint32_t edge, uint32_t *newest)
{
    for (struct packet p; stack_output(host.stack, &p, 1, host.now_ns) > 0;) {
        struct headers h = headers_read(&p);
        *newest = h.ack - a->irs + ((uint32_t)h.wnd << 4);
        edge = *newest > edge ? *newest : edge;
    }
    return edge;
}

/* 2.4 (1), (2): what lay in any window that was announced is taken, up to the largest edge, though
 * the newest one, cut to a unit, ends before it. */
static void honours_every_window(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_units_of_16(&a);
    uint32_t edge = 1000001, newest = edge, at = 1;
    while (edge - at > 997) { /* pieces that are no multiple of the unit */
        arrives(&a, .flags = ACK, .seq = at, .ack = 1, .text = 997);
        edge = largest_edge(&a, edge, &newest);
        at += 997;
    }
    assert_true(newest < edge);
    arrives(&a, .flags = ACK, .seq = at, .ack = 1, .text = edge - at);
    (void)all_leaves();
    assert_int_equal(host_status(so).unread, edge - 1);
    host_later(40);
    (void)all_leaves();
}

/* 2.4 (3), (5): the sender stays within the newest window, also when it has moved left by less than
 * a unit. */
static void sender_stays_within_the_window(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_units_of_16(&a);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = 100); /* 1600 octets */
    host_sends(so, 0, 3000);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    nothing_leaves();
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1001, .wnd = 37); /* 592: 8 less than there were */
    nothing_leaves();
    host_later(200); /* 3.8.6.2.1 (4) */
    leaves(&a, .flags = ACK, .seq = 1001, .ack = 1, .text = 592);
    host_later(200);
    leaves(&a, .flags = ACK, .seq = 1001, .ack = 1, .text = 592);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1001,
            .wnd = 36); /* 576: beyond by less than a unit */
    host_later(400);
    leaves(&a, .flags = ACK, .seq = 1001, .ack = 1, .text = 576);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(both_sides_active),
        host_test(both_sides_passive),
        host_test(zero_is_an_offer),
        host_test(count_for_our_buffer),
        host_test(count_for_what_it_may_become),
        host_test(ignored_without_syn),
        host_test(not_in_a_syn),
        host_test(not_in_a_crossing_syn),
        host_test(at_most_14),
        host_test(cwnd_is_not_scaled),
        host_test(honours_every_window),
        host_test(sender_stays_within_the_window),
    };
    return host_main(tests);
}
