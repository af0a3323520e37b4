/* RFC 4987 3.6: what a SYN cookie keeps of the SYN's options, and what its connection does not
 * know. */
#include "flooded.h"
#include "isn.h"
#include "nstime.h"
#include "with_ecn.h"

/* 3.6: without timestamps there is no place for window scale and SACK-permitted, and our SYN-ACK
 * has none of them; the MSS is the largest of the table that the peer takes (RFC 9293 MUST-16). */
static void without_timestamps(void **state)
{
    (void)state;
    struct sock *l = full(4);
    struct peer a = peer(200, 80);
    arrives(&a, .flags = SYN, .seq = 0, .mss = 900, .scale = 7, .sack_ok = 1);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = HOST_MSS, .scale = NONE,
           .sack_ok = NONE, .ts = NONE);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = 1600);
    struct sock *so = host_accept(l);
    struct tcp_status s = host_status(so);
    assert_int_equal(s.snd_mss, 536);
    assert_int_equal(s.snd_wnd, 1600);
    assert_false(s.sack || s.timestamps || s.scaled);
    host_sends(so, 0, 1600);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 536);
    leaves(&a, .flags = ACK, .seq = 537, .ack = 1, .text = 536);
    leaves(&a, .flags = PSH | ACK, .seq = 1073, .ack = 1, .text = 528);
}

/* 3.6: with timestamps the connection has what both have offered: the window is scaled from its ACK
 * on, SACK is permitted, and the TSval goes on (RFC 7323 5.4). */
static void with_timestamps(void **state)
{
    (void)state;
    struct sock *l = full(4);
    for (int i = 0; i < 4; i++) {
        const bool scale = i & 1, sack = i & 2;
        struct peer a = peer(200 + (unsigned)i, 80);
        const uint32_t told = 100 + 37 * (uint32_t)i;
        host_at(told);
        arrives(&a, .flags = SYN, .seq = 0, .mss = 1000, .scale = scale ? 3 : NONE,
                .sack_ok = sack ? 1 : NONE, TS(5, 0));
        leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = HOST_MSS,
               .scale = scale ? ZERO : NONE, .sack_ok = sack ? 1 : NONE, TS(told, 5));
        host_later(20);
        arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = 1000, TS(25, told));
        struct sock *so = host_accept(l);
        struct tcp_status s = host_status(so);
        assert_true(s.timestamps && s.sack == sack && s.scaled == scale);
        assert_int_equal(s.snd_wnd, scale ? 8000 : 1000);
        assert_int_equal(s.snd_mss, 536 - 12);
    }
}

/* 3.6, RFC 3168 6.1.1: and ECN, when the SYN asks for it and we have it. */
static void ecn(void **state)
{
    (void)state;
    struct sock *l = full(4);
    for (unsigned i = 0; i < 4; i++) {
        const uint8_t asks = i & 1 ? ECE | CWR : 0;
        const bool ts = i & 2, has = asks && ts;
        struct peer a = peer(200 + i, 80);
        host_at(100);
        arrives(&a, .flags = SYN | asks, .seq = 0, .mss = 1000, .ts = ts ? 1 : NONE, .ts_val = 5);
        leaves(&a, .flags = SYN | ACK | (has ? ECE : 0), .seq = 0, .ack = 1);
        arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .ts = ts ? 1 : NONE, .ts_val = 25,
                .ts_ecr = 100);
        struct sock *so = host_accept(l);
        assert_int_equal(host_status(so).ecn, has);
        host_sends(so, 0, 1);
        leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1,
               .ecn = has ? ECN_ECT0 : ECN_NOT_ECT);
    }
}

/* RFC 7323 5.4: what is sent later has no earlier TSval than the cookie, which has none of the
 * future. 4.3: it echoes what the ACK had. */
static void ts_val_does_not_go_back(void **state)
{
    (void)state;
    struct sock *l = full(4);
    for (uint32_t ms = 100; ms < 164; ms += 7) {
        struct peer a = peer(100 + ms, 80);
        const uint32_t now = ms + (uint32_t)(host.start_ns / NS_PER_MS) +
                             isn_ts_offset(&host.config.secret, &a.flow);
        host_at(ms);
        arrives(&a, .flags = SYN, .seq = 0, .mss = 1000, .scale = (int)ms % 15, TS(5, 0));
        leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
        uint32_t cookie = a.clock + ms;
        assert_in_range(now - cookie, 0, 63);
        arrives(&a, .flags = ACK, .seq = 1, .ack = 1, TS(7, ms));
        host_sends(host_accept(l), 0, 1);
        a.clock = now - ms;
        leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1, TS(ms, 7));
    }
}

/* RFC 6298 3: no round trip was measured, and the TSval of a cookie is too old to tell one. RFC
 * 6928: the initial window is ten segments. */
static void no_round_trip_known(void **state)
{
    (void)state;
    struct sock *l = full(4);
    struct peer a = peer(200, 80);
    host_at(100);
    asks(&a, .mss = 536, .scale = 2, TS(5, 0));
    host_at(150);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = 10000, TS(55, 100));
    struct sock *so = host_accept(l);
    struct tcp_status s = host_status(so);
    assert_int_equal(s.srtt_ns, 0);
    assert_int_equal(s.rto_ns, NS_PER_S);
    assert_int_equal(s.cwnd, 10 * s.snd_mss);
    host_sends(so, 0, 10);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    host_at(250);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 11, TS(155, 150));
    assert_int_equal(host_status(so).srtt_ns, 100 * NS_PER_MS);
}

/* The listener's receive buffer decides the window scale that our SYN-ACK has told: once it is
 * another, what was told is not known any more. */
static void another_window_scale(void **state)
{
    (void)state;
    struct sock *l = full(4);
    struct peer a = peer(200, 80), b = peer(201, 80), c = peer(202, 80);
    asks(&a, .mss = 1000);
    asks(&c, .mss = 1000);
    host_set(l, rcvbuf, 1 << 20);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
    leaves(&a, .flags = RST, .seq = 1);
    host_at(100);
    arrives(&b, .flags = SYN, .seq = 0, .mss = 1000, .scale = 7, TS(5, 0));
    leaves(&b, .flags = SYN | ACK, .seq = 0, .ack = 1, .scale = 5, .wnd = 65535);
    arrives(&c, .flags = ACK, .seq = 1, .ack = 1); /* of before, though later ones are good */
    leaves(&c, .flags = RST, .seq = 1);
    host_set(l, nodelay, true);
    arrives(&b, .flags = ACK, .seq = 1, .ack = 1, TS(5, 100));
    expect_event(l, SOCK_EV_COMPLETED);
}

/* Timestamps that are off are not in the SYN-ACK, and an ACK's mean nothing. */
static void timestamps_off(void **state)
{
    (void)state;
    host.config.tcp.timestamps = false;
    host_start();
    struct sock *l = full(4);
    struct peer a = peer(200, 80);
    arrives(&a, .flags = SYN, .seq = 0, .mss = 1000, .scale = 7, .sack_ok = 1, TS(5, 0));
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .scale = NONE, .sack_ok = NONE, .ts = NONE);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = 1000, TS(5, 3));
    struct sock *so = host_accept(l);
    assert_int_equal(host_status(so).snd_wnd, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(without_timestamps),
        host_test(with_timestamps),
        host_test(ts_val_does_not_go_back),
        host_test(no_round_trip_known),
        host_test(another_window_scale),
        host_test(timestamps_off),
        host_test(ecn),
    };
    return host_main(tests);
}
