/* RFC 4987: SYN flooding, and SYN cookies (3.6, 3.7, appendix A). Where the RFC leaves room, as
 * Linux. What a cookie keeps of the SYN's options: test_rfc4987_options.c. */
#include "flooded.h"

#define LASTS_MS 128000 /* no cookie is good for longer, and each for half of it */

/* 3.6: a SYN beyond the backlog costs no memory, however many there are, and nobody gives way
 * (3.7); an honest client among them is served. */
static void no_state(void **state)
{
    (void)state;
    struct sock *l = full(4);
    size_t used = host.mem.mem.used;
    struct peer honest = peer(200, 80);
    asks(&honest, .mss = 1000);
    for (unsigned i = 0; i < 1000; i++) {
        struct peer p = peer(i % 250, 80);
        p.flow.remote_port = (uint16_t)(20000 + i);
        arrives(&p, .flags = SYN, .seq = 0);
        leaves(&p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    }
    assert_int_equal(stack_sock_count(host.stack), HALF_OPEN + 1);
    assert_int_equal(host.mem.mem.used, used);
    assert_int_equal(host_counters().cookies_sent, 1001);
    assert_int_equal(host_counters().listen_drops, 0);
    expect_no_event();
    arrives(&honest, .flags = ACK, .seq = 1, .ack = 1);
    expect_event(l, SOCK_EV_COMPLETED);
    expect_peer(host_accept(l), &honest);
    arrives(&half_open[0], .flags = ACK, .seq = 1, .ack = 1); /* it has not given way */
    expect_event(l, SOCK_EV_COMPLETED);
    expect_peer(host_accept(l), &half_open[0]);
    assert_int_equal(host_counters().cookies_received, 1);
}

/* A, the ACK: ESTABLISHED at once, with the text that comes with it, or that it comes with because
 * it was lost by itself. */
static void ack_with_text(void **state)
{
    (void)state;
    struct sock *l = full(4);
    struct peer a = peer(200, 80);
    asks(&a, .mss = 1000);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 100, .wnd = 2000);
    expect_event(l, SOCK_EV_COMPLETED);
    struct sock *so = host_accept(l);
    expect_event(so, SOCK_EV_ARRIVED);
    assert_int_equal(host_status(so).state, STATE_ESTABLISHED);
    host_receives(so, 0, 100);
    host_sends(so, 0, 10);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 101, .text = 10);
    arrives(&a, .flags = FIN | ACK, .seq = 101, .ack = 11);
    leaves(&a, .flags = ACK, .seq = 11, .ack = 102);
    host_close(so);
    leaves(&a, .flags = FIN | ACK, .seq = 11, .ack = 102);
    arrives(&a, .flags = ACK, .seq = 102, .ack = 12);
    assert_int_equal(stack_sock_count(host.stack), HALF_OPEN + 1);
}

/* And with a FIN, from one that has said all. */
static void ack_with_fin(void **state)
{
    (void)state;
    struct sock *l = full(4);
    struct peer a = peer(200, 80);
    asks(&a, .mss = 1000);
    arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = 1, .text = 100);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 102);
    struct sock *so = host_accept(l);
    assert_int_equal(host_status(so).state, STATE_CLOSE_WAIT);
    host_receives(so, 0, 100);
    assert_int_equal(host_recv(so, 0, 1), 0);
}

/* 3.6, A (3): what is no cookie gets what 3.10.7.2 has for an ACK, a RST: a guess, the cookie of
 * another, of another SYN, or one that is too old; and any that has a SYN. */
static void no_cookie(void **state)
{
    (void)state;
    full(4);
    struct peer a = peer(200, 80), b = peer(201, 80);
    asks(&a, .mss = 1000);
    b.iss = a.iss;
    arrives(&b, .flags = ACK, .seq = 1, .ack = 1);
    leaves(&b, .flags = RST, .seq = 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 100);
    leaves(&a, .flags = RST, .seq = 100);
    arrives(&a, .flags = ACK, .seq = 2, .ack = 1);
    leaves(&a, .flags = RST, .seq = 1);
    arrives(&a, .flags = SYN | ACK, .seq = 1, .ack = 1);
    leaves(&a, .flags = RST, .seq = 1);
    arrives(&a, .flags = RST | ACK, .seq = 1, .ack = 1);
    nothing_leaves();
    assert_int_equal(host_counters().cookies_failed, 3);
    assert_int_equal(stack_sock_count(host.stack), HALF_OPEN + 1);
    relax();
    host_at(LASTS_MS);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
    leaves(&a, .flags = RST, .seq = 1);
}

/* A (2): without an overflow lately nobody looks: an ACK costs nothing, and none can be guessed. */
static void only_after_an_overflow(void **state)
{
    (void)state;
    struct peer a = peer(200, 80);
    full(4);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 100);
    leaves(&a, .flags = RST, .seq = 100);
    assert_int_equal(host_counters().cookies_failed, 0);
    asks(&a, .mss = 1000);
    relax();
    host_at(LASTS_MS - 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 100);
    leaves(&a, .flags = RST, .seq = 100);
    assert_int_equal(host_counters().cookies_failed, 1);
    host_at(LASTS_MS);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 100);
    leaves(&a, .flags = RST, .seq = 100);
    assert_int_equal(host_counters().cookies_failed, 1);
}

/* And at another listener, which has sent none. */
static void only_where_it_overflowed(void **state)
{
    (void)state;
    full(4);
    host_listen(81, 4);
    struct peer a = peer(200, 80), b = peer(201, 81);
    asks(&a, .mss = 1000);
    arrives(&b, .flags = ACK, .seq = 1, .ack = 1);
    leaves(&b, .flags = RST, .seq = 1);
    assert_int_equal(host_counters().cookies_failed, 0);
}

/* Each cookie is good for 64 s at least. */
static void good_for_a_minute(void **state)
{
    (void)state;
    struct sock *l = full(4);
    struct peer a = peer(200, 80);
    asks(&a, .mss = 1000);
    relax();
    host_at(64000);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
    expect_event(l, SOCK_EV_COMPLETED);
}

/* The SYN again is answered again, with the same number. */
static void syn_again(void **state)
{
    (void)state;
    struct sock *l = full(4);
    struct peer a = peer(200, 80);
    asks(&a, .mss = 1000);
    uint32_t first = a.iss;
    host_at(900);
    asks(&a, .mss = 1000);
    assert_int_equal(a.iss, first);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
    expect_event(l, SOCK_EV_COMPLETED);
}

/* As Linux: with the accept queue full the SYN is dropped, and so is the ACK of a cookie that was
 * sent before: what the peer sends next brings it again. */
static void accept_queue_full(void **state)
{
    (void)state;
    struct sock *l = full(1);
    struct peer a = peer(200, 80), b = peer(201, 80), c = peer(202, 80);
    asks(&a, .mss = 1000);
    asks(&b, .mss = 1000);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
    arrives(&b, .flags = ACK, .seq = 1, .ack = 1);
    nothing_leaves();
    arrives(&c, .flags = SYN, .seq = 0);
    nothing_leaves();
    assert_int_equal(host_counters().listen_drops, 2);
    expect_peer(host_accept(l), &a);
    arrives(&b, .flags = ACK, .seq = 1, .ack = 1, .text = 10);
    struct sock *so = host_accept(l);
    expect_peer(so, &b);
    host_receives(so, 0, 10);
}

/* Without memory for the connection, and nobody to give way, the ACK is dropped, and nothing is
 * left of it. */
static void no_memory(void **state)
{
    (void)state;
    struct sock *l = full(4);
    struct peer a = peer(200, 80);
    asks(&a, .mss = 1000);
    relax();
    size_t used = host.mem.mem.used;
    for (unsigned nth = 1; nth <= 2; nth++) {
        test_mem_fail_at(&host.mem, nth);
        arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
        nothing_leaves();
        assert_int_equal(host_counters().no_memory, nth);
        assert_int_equal(host.mem.mem.used, used);
    }
    test_mem_fail_at(&host.mem, 0);
    expect_no_event();
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
    expect_event(l, SOCK_EV_COMPLETED);
}

/* A cookie takes no memory: where there is none at all, SYNs are answered all the same. */
static void no_memory_for_the_syn(void **state)
{
    (void)state;
    struct sock *l = full(4);
    struct peer a = peer(200, 80);
    test_mem_fail_at(&host.mem, 1);
    asks(&a, .mss = 1000);
    test_mem_fail_at(&host.mem, 0);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
    expect_event(l, SOCK_EV_COMPLETED);
}

/* A: cookies are for when there is no memory for another connection, however few half-open ones
 * there are. Who has brought one back takes the place of one that has not. */
static void no_room_at_all(void **state)
{
    (void)state;
    host.config.max_socks = 3;
    host_start();
    struct sock *l = host_listen(80, 4);
    struct peer a = peer(1, 80), b = peer(2, 80), c = peer(3, 80);
    arrives(&a, .flags = SYN, .seq = 0);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    arrives(&b, .flags = SYN, .seq = 0);
    leaves(&b, .flags = SYN | ACK, .seq = 0, .ack = 1);
    asks(&c, .mss = 1000);
    assert_int_equal(stack_sock_count(host.stack), 3);
    arrives(&c, .flags = ACK, .seq = 1, .ack = 1, .text = 10);
    expect_event(l, SOCK_EV_COMPLETED);
    host_receives(host_accept(l), 0, 10);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
    leaves(&a, .flags = RST, .seq = 1);
    arrives(&b, .flags = ACK, .seq = 1, .ack = 1);
    host_accept(l);
    arrives(&a, .flags = SYN, .seq = 0);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1); /* nobody is left to give way */
    nothing_leaves();
    assert_int_equal(stack_sock_count(host.stack), 3);
}

/* A cookie opens one connection: what is late of the client's first segments opens no other when
 * that has ended, or their text would come twice. Nor is it sent once more: the client that uses
 * the same numbers again within a minute gets a connection as if there were room. */
static void opens_only_one(void **state)
{
    (void)state;
    struct sock *l = full(4);
    struct peer a = peer(200, 80);
    asks(&a, .mss = 1000);
    struct peer late = a;
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 10);
    struct sock *so = host_accept(l);
    host_receives(so, 0, 10);
    host_abort(so);
    leaves(&a, .flags = RST | ACK, .seq = 1, .ack = 11);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 10);
    leaves(&a, .flags = RST, .seq = 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 2,
            .text = 10); /* what was acknowledged is no other */
    leaves(&a, .flags = RST, .seq = 2);
    assert_int_equal(stack_sock_count(host.stack), HALF_OPEN + 1);
    host_at(100);
    asks(&a, .mss = 1000);
    assert_int_equal(stack_sock_count(host.stack), HALF_OPEN + 1); /* the oldest has given way */
    assert_int_not_equal(a.iss, late.iss);
    arrives(&late, .flags = ACK, .seq = 1, .ack = 1);
    leaves(&late, .flags = RST, .seq = 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
    expect_peer(host_accept(l), &a);
}

/* The cookie was late, and the SYN came again when there was room: what the peer has acknowledged
 * is the cookie. */
static void half_open_beside_a_cookie(void **state)
{
    (void)state;
    struct sock *l = full(4);
    struct peer a = peer(200, 80);
    asks(&a, .mss = 1000);
    struct peer late = a;
    arrives(&half_open[0], .flags = RST, .seq = 1);
    asks(&a, .mss = 1000);
    assert_int_not_equal(a.iss, late.iss);
    assert_int_equal(stack_sock_count(host.stack), HALF_OPEN + 1);
    arrives(&late, .flags = ACK, .seq = 1, .ack = 100); /* neither */
    leaves(&late, .flags = RST, .seq = 100);
    arrives(&late, .flags = ACK, .seq = 1, .ack = 1, .text = 10);
    expect_event(l, SOCK_EV_COMPLETED);
    struct sock *so = host_accept(l);
    host_receives(so, 0, 10);
    host_sends(so, 0, 10);
    leaves(&late, .flags = PSH | ACK, .seq = 1, .ack = 11, .text = 10);
    assert_int_equal(stack_sock_count(host.stack), HALF_OPEN + 1);
}

/* net.ipv4.tcp_syncookies 2: each SYN is answered by a cookie, but one that takes the place of a
 * connection in TIME-WAIT, whose memory it has, and whose numbers it has to go beyond (MAY-2). */
static void always(void **state)
{
    (void)state;
    host.config.tcp.syncookies = SYNCOOKIES_ALWAYS;
    host_start();
    struct peer first = peer(9, 0), a = peer(1, 80);
    host_connect(&first);
    leaves(&first, .flags = SYN, .seq = 0);
    struct sock *l = host_listen(80, 4);
    arrives(&a, .flags = SYN, .seq = 0);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    assert_int_equal(stack_sock_count(host.stack), 2);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
    expect_event(l, SOCK_EV_COMPLETED);
    struct sock *so = host_accept(l);
    host_close(so);
    leaves(&a, .flags = FIN | ACK, .seq = 1, .ack = 1);
    arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = 2);
    leaves(&a, .flags = ACK, .seq = 2, .ack = 2);
    uint32_t old = a.iss;
    a.irs += 100;
    arrives(&a, .flags = SYN, .seq = 0);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    assert_true((int32_t)(a.iss - (old + 2)) > 0);
    assert_int_equal(stack_sock_count(host.stack), 3);
    assert_int_equal(host_counters().cookies_sent, 1);
}

/* 0: no cookies, and none are looked for. 3.4: the oldest gives way (unit/test_listen.c). */
static void never(void **state)
{
    (void)state;
    host.config.tcp.syncookies = SYNCOOKIES_NEVER;
    host_start();
    full(4);
    struct peer a = peer(200, 80);
    arrives(&a, .flags = SYN, .seq = 0);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    assert_int_equal(stack_sock_count(host.stack), HALF_OPEN + 1);
    assert_int_equal(host_counters().listen_drops, 1);
    assert_int_equal(host_counters().cookies_sent, 0);
}

/* A flood within one batch costs no more than the places for answers. */
static void answers_are_bounded(void **state)
{
    (void)state;
    full(4);
    for (unsigned i = 0; i < 100; i++) {
        struct peer p = peer(150 + i % 50, 80);
        p.flow.remote_port = (uint16_t)(20000 + i);
        host_batch();
        arrives(&p, .flags = SYN, .seq = 0);
    }
    host_batch();
    assert_int_equal(host_counters().cookies_sent, 64);
    assert_int_equal(host_counters().listen_drops, 36);
    assert_int_equal(all_leaves(), 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(no_state),
        host_test(ack_with_text),
        host_test(ack_with_fin),
        host_test(no_cookie),
        host_test(only_after_an_overflow),
        host_test(only_where_it_overflowed),
        host_test(good_for_a_minute),
        host_test(syn_again),
        host_test(accept_queue_full),
        host_test(no_memory),
        host_test(no_memory_for_the_syn),
        host_test(no_room_at_all),
        host_test(opens_only_one),
        host_test(half_open_beside_a_cookie),
        host_test(always),
        host_test(never),
        host_test(answers_are_bounded),
    };
    return host_main(tests);
}
