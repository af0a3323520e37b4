/* user.c: tcp_set(): user timeout (RFC 9293 3.8.3, 3.10.8), receive buffer (3.8.6), at any time. */
#include "segments.h"
#include "timeout.h"
#include "user.h"

static void set_user_timeout(uint32_t ms)
{
    user_sets(user_timeout_ms, ms);
}

static void set_rcvbuf(uint32_t bytes)
{
    user_sets(rcvbuf, bytes);
}

/* ---- R2 for a particular connection: MUST-21 ---- */

/* MUST-23 bounds R2 for SYN "of course" (3.8.3) only from the user's side: sooner, or later. */
static void syn_sooner_and_later(void **state)
{
    (void)state;
    open_active();
    set_user_timeout(2500);
    expect(.flags = SYN, .seq = 0);
    at(1000);
    expect(.flags = SYN, .seq = 0);
    at(2499);
    expect_state(STATE_SYN_SENT);
    at(2500);
    expect_closed(ERR_TIMEDOUT);
    again();
    open_active();
    set_user_timeout(400000);
    expect(.flags = SYN, .seq = 0);
    for (unsigned i = 1; i <= 7; i++) {
        at(((1u << i) - 1) * 1000);
        expect(.flags = SYN, .seq = 0);
    }
    at(247000); /* RFC 6298 2.5: RTO grows to 120 s */
    expect(.flags = SYN, .seq = 0);
    at(367000);
    expect(.flags = SYN, .seq = 0);
    at(399999);
    expect_state(STATE_SYN_SENT);
    at(400000);
    expect_closed(ERR_TIMEDOUT);
}

/* What already runs is counted from where it began: shorter, longer, and the default again. */
static void text_while_it_runs(void **state)
{
    (void)state;
    const struct {
        uint32_t ms[2];
        uint64_t over_ms;
    } cases[] = {{{5000, 7000}, 7100}, {{7000, 5000}, 5100}, {{5000, 0}, 20100}, {{0, 400}, 2000}};
    for (unsigned i = 0; i < 4; i++) {
        the.config.user_timeout_ns = 20 * NS_PER_S;
        establish();
        set_user_timeout(cases[i].ms[0]);
        user_sends(10);
        expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
        at(400);
        expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
        at(1000);
        expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
        at(2000);
        set_user_timeout(cases[i].ms[1]);
        for (uint64_t due = 2200, rto = 2400; due < cases[i].over_ms; due += rto, rto *= 2) {
            at(due);
            expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
        }
        if (cases[i].over_ms > 2000) {
            at(cases[i].over_ms - 1);
            expect_state(STATE_ESTABLISHED);
        }
        if (cases[i].over_ms > 2000)
            at(cases[i].over_ms);
        else
            tcp_timeout(&the.tcb, the.now_ns); /* long over: the caller finds a deadline gone by */
        expect_closed(ERR_TIMEDOUT);
        again();
    }
}

/* tcp(7): TCP_USER_TIMEOUT also ends what a shut window keeps back, though the peer answers; and a
 * window that opens and shuts is no progress. MUST-37 forbids that to us (test_timeout.c), not to
 * the user (RFC 6429 4). Progress begins it anew. */
static void shut_window(void **state)
{
    (void)state;
    establish(.wnd = ZERO);
    set_user_timeout(5000);
    user_sends(1000);
    at(400);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1);
    receive(.flags = ACK, .seq = 1, .ack = 1, .wnd = ZERO);
    at(1000);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1);
    receive(.flags = ACK, .seq = 1, .ack = 2, .wnd = ZERO);
    at(2200);
    expect(.flags = ACK, .seq = 2, .ack = 1, .text = 1); /* R2 counts from here */
    receive(.flags = ACK, .seq = 1, .ack = 2, .wnd = ZERO);
    at(4600);
    expect(.flags = ACK, .seq = 2, .ack = 1, .text = 1);
    receive(.flags = ACK, .seq = 1, .ack = 2, .wnd = 100);
    ignore();
    receive(.flags = ACK, .seq = 1, .ack = 2, .wnd = ZERO);
    ignore();
    for (unsigned i = 0; ladder_now() < 7199 * NS_PER_MS; i++) {
        receive(.flags = ACK, .seq = 1, .ack = 2, .wnd = i % 2 ? 100 : ZERO);
        ignore();
        uint64_t due = tcp_deadline(&the.tcb) - the.start_ns;
        ladder_at(HERE, due < 7199 * NS_PER_MS ? due : 7199 * NS_PER_MS);
        ignore();
    }
    expect_state(STATE_ESTABLISHED);
    at(7200);
    expect_closed(ERR_TIMEDOUT);
}

/* ---- TCP_SYNCNT: R2 as a number (3.8.3) ---- */

static void set_syn_retries(uint8_t n)
{
    user_sets(syn_retries, n);
}

/* After the last one as long again as its RTO; for a SYN-ACK too (MUST-22). */
static void syn_retries(void **state)
{
    (void)state;
    for (unsigned passive = 0; passive < 2; passive++) {
        for (uint8_t n = 1; n <= 10; n++) {
            struct line syn = {.flags = passive ? SYN | ACK : SYN, .ack = passive};
            ladder_open(HERE, passive);
            set_syn_retries(n);
            if (passive)
                receive(.flags = SYN, .seq = 0, .mss = 1000);
            ladder_expect(HERE, syn);
            uint64_t due = 1000, rto = 1000;
            for (uint8_t i = 0; i < n; i++) {
                at(due);
                ladder_expect(HERE, syn);
                rto = 2 * rto < 120000 ? 2 * rto : 120000;
                due += rto;
            }
            at(due - 1);
            expect_state(passive ? STATE_SYN_RECEIVED : STATE_SYN_SENT);
            at(due);
            expect_closed(ERR_TIMEDOUT);
            again();
        }
    }
}

/* Changed on the way; and the user timeout is sooner, or later. For text it is without meaning. */
static void syn_retries_and_others(void **state)
{
    (void)state;
    open_active();
    expect(.flags = SYN, .seq = 0);
    set_syn_retries(2);
    set_user_timeout(2500);
    at(1000);
    expect(.flags = SYN, .seq = 0);
    at(2500);
    expect_closed(ERR_TIMEDOUT);
    again();
    open_active();
    set_syn_retries(1);
    expect(.flags = SYN, .seq = 0);
    at(1000);
    expect(.flags = SYN, .seq = 0);
    set_syn_retries(0);
    at(3000);
    expect(.flags = SYN, .seq = 0);
    set_syn_retries(2);
    at(7000);
    expect_closed(ERR_TIMEDOUT);
    again();
    the.config.user_timeout_ns = 20 * NS_PER_S;
    establish();
    set_syn_retries(1);
    user_sends(10);
    for (unsigned i = 0; i < 6; i++) {
        expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
        later(300 << i);
    }
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    at(20099);
    expect_state(STATE_ESTABLISHED);
    at(20100);
    expect_closed(ERR_TIMEDOUT);
}

/* ---- SO_RCVBUF ---- */

/* Before the SYN it decides window and scale (RFC 7323 2.2, 2.3), for good. */
static void rcvbuf_before_the_syn(void **state)
{
    (void)state;
    const struct {
        uint32_t bytes;
        int wnd, scale, later;
    } cases[] = {
        {3000, 3000, ZERO, 3000},   {65535, 65535, ZERO, 65535},  {65536, 65535, 1, 33000},
        {1000000, 65535, 4, 62500}, {1u << 31, 65535, 14, 65535},
    };
    for (unsigned i = 0; i < 5; i++) {
        for (unsigned passive = 0; passive < 2; passive++) {
            if (passive)
                open_passive();
            else
                open_active();
            set_rcvbuf(cases[i].bytes);
            if (passive)
                receive(.flags = SYN, .seq = 0, .mss = 1000, .scale = 2);
            ladder_expect(HERE, (struct line){.flags = passive ? SYN | ACK : SYN,
                                              .ack = passive,
                                              .wnd = cases[i].wnd,
                                              .scale = cases[i].scale});
            if (passive)
                receive(.flags = ACK, .seq = 1, .ack = 1);
            else
                receive(.flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000, .scale = 2);
            ignore();
            receive(.flags = ACK, .seq = 1, .ack = 1, .text = 2000); /* two, so an ACK at once */
            batch();
            user_receives(2000);
            ladder_expect(
                HERE, (struct line){.flags = ACK, .seq = 1, .ack = 2001, .wnd = cases[i].later});
            set_rcvbuf(1u << 30); /* whatever comes later, the scale stays */
            ignore();
            assert_int_equal(the.tcb.rcvwnd.shift,
                             cases[i].scale == ZERO ? 0 : (uint8_t)cases[i].scale);
            again();
        }
    }
}

/* SHLD-14: the right edge stays; the smaller window is there when the old one is used up. Nothing
 * that was promised is refused. */
static void smaller_while_connected(void **state)
{
    (void)state;
    establish(); /* a window of 10000 */
    set_rcvbuf(4000);
    for (uint32_t i = 0; i < 5; i++) {
        receive(.flags = ACK, .seq = 1 + 2000 * i, .ack = 1, .text = 2000);
        expect(.flags = ACK, .seq = 1, .ack = 2001 + 2000 * i,
               .wnd = i == 4 ? ZERO : 8000 - 2000 * (int)i);
    }
    user_receives(6000); /* 4000 unread: full */
    expect_silence();
    user_receives(1000);
    expect(.flags = ACK, .seq = 1, .ack = 10001, .wnd = 1000);
    user_receives(3000);
    expect(.flags = ACK, .seq = 1, .ack = 10001, .wnd = 4000);
    /* It no longer grows. */
    for (uint32_t at_octet = 10001; at_octet < 200000; at_octet += 2000) {
        receive(.flags = ACK, .seq = at_octet, .ack = 1, .text = 2000);
        batch();
        user_receives(2000);
        expect(.flags = ACK, .seq = 1, .ack = at_octet + 2000, .wnd = 4000);
        later(100);
    }
}

/* A larger one is told at once when the peer may be waiting for it (MUST-39's steps). */
static void larger_while_connected(void **state)
{
    (void)state;
    the.config.rcvbuf = the.config.rcvbuf_max = 3000;
    establish();
    receive(.flags = ACK, .seq = 1, .ack = 1, .text = 3000);
    expect(.flags = ACK, .seq = 1, .ack = 3001, .wnd = ZERO);
    set_rcvbuf(50000);
    expect(.flags = ACK, .seq = 1, .ack = 3001, .wnd = 47000);
    set_rcvbuf(200000); /* without scale no further than the field goes */
    expect_silence();
    user_receives(3000);
    expect_silence();
    receive(.flags = ACK, .seq = 3001, .ack = 1, .text = 2000);
    expect(.flags = ACK, .seq = 1, .ack = 5001, .wnd = 65535);
}

/* ---- TCP_MAYSEG: 3.7.1 ---- */

static void set_mss(uint32_t octets)
{
    user_sets(mss_max, octets);
}

/* What is announced, and what is sent: the least of it, the path's and the peer's. */
static void mss_before_the_syn(void **state)
{
    (void)state;
    const struct {
        uint32_t wanted;
        int peer, announced;
        uint32_t sent;
    } cases[] = {
        {0, 1000, 1000, 1000}, {700, 1000, 700, 700}, {700, 300, 700, 300},
        {700, NONE, 700, 536}, {500, NONE, 500, 500}, {32767, 1000, 1000, 1000},
    };
    for (unsigned i = 0; i < 6; i++) {
        for (unsigned passive = 0; passive < 2; passive++) {
            ladder_open(HERE, passive);
            set_mss(99);
            set_mss(cases[i].wanted); /* the last one counts */
            if (passive)
                receive(.flags = SYN, .seq = 0, .mss = cases[i].peer);
            expect(.flags = passive ? SYN | ACK : SYN, .seq = 0, .ack = passive,
                   .mss = cases[i].announced);
            if (passive)
                receive(.flags = ACK, .seq = 1, .ack = 1);
            else
                receive(.flags = SYN | ACK, .seq = 0, .ack = 1, .mss = cases[i].peer);
            ignore();
            user_sends(cases[i].sent + 1);
            expect(.flags = ACK, .seq = 1, .ack = 1, .text = cases[i].sent);
            expect(.flags = PSH | ACK, .seq = 1 + cases[i].sent, .ack = 1, .text = 1);
            again();
        }
    }
}

/* Two of the segments that we have asked for are acknowledged at once (SHLD-19). */
static void mss_and_acks(void **state)
{
    (void)state;
    open_active();
    set_mss(400);
    expect(.flags = SYN, .seq = 0, .mss = 400);
    receive(.flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
    expect(.flags = ACK, .seq = 1, .ack = 1);
    receive(.flags = ACK, .seq = 1, .ack = 1, .text = 400);
    receive(.flags = ACK, .seq = 401, .ack = 1, .text = 400);
    expect(.flags = ACK, .seq = 1, .ack = 801);
}

/* Once the SYN has left, what it says stands; once the peer's has come, all of it does. */
static void mss_after_the_syn(void **state)
{
    (void)state;
    open_active();
    expect(.flags = SYN, .seq = 0, .mss = 1000);
    set_mss(300);
    at(1000);
    expect(.flags = SYN, .seq = 0, .mss = 1000);
    receive(.flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
    ignore();
    set_mss(200);
    user_sends(400);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 300);
}

/* Ten windows of text are read as they come, after a SYN-ACK that went twice and gave no sample;
 * the buffer may grow from 10000 to 40000 octets. */
static void ten_windows_without_samples(void)
{
    the.config.rcvbuf = 10000;
    the.config.rcvbuf_max = 40000;
    open_passive();
    receive(.flags = SYN, .seq = 0, .mss = 1000);
    expect(.flags = SYN | ACK, .seq = 0, .ack = 1);
    at(1000);
    expect(.flags = SYN | ACK, .seq = 0, .ack = 1);
    receive(.flags = ACK, .seq = 1, .ack = 1);
    uint32_t at_octet = 1;
    for (unsigned round = 0; round < 10; round++) {
        for (uint32_t left = tcb_rcv_wnd(&the.tcb); left >= 1000; left -= 1000) {
            receive(.flags = ACK, .seq = at_octet, .ack = 1, .text = 1000);
            at_octet += 1000;
            ignore();
            user_receives(1000);
            ignore();
        }
        later(40); /* the last may be acknowledged late */
        ignore();
        later(60);
    }
    assert_int_equal(rto_srtt_ns(&the.tcb.rto), 0);
}

/* A buffer that is used grows also then. */
static void buffer_grows_without_samples(void **state)
{
    (void)state;
    ten_windows_without_samples();
    assert_int_equal(the.tcb.rcvwnd.size, 40000);
}

/* tcp_moderate_rcvbuf off. */
static void buffer_stays(void **state)
{
    (void)state;
    the.config.moderate_rcvbuf = false;
    ten_windows_without_samples();
    assert_int_equal(the.tcb.rcvwnd.size, 10000);
    again();
    the.config.moderate_rcvbuf = false; /* the user may still set it to as much */
    the.config.rcvbuf_max = 1 << 20;
    open_active();
    expect(.flags = SYN, .seq = 0, .scale = 5);
}

/* TCP_CONGESTION: before the handshake, which begins with a window of it, and at any time after,
 * when cwnd and ssthresh stay. */
static void congestion(void **state)
{
    (void)state;
    open_active();
    batch();
    struct tcp_settings settings = *the.tcb.settings;
    assert_ptr_equal(settings.cc, &cc_cubic);
    settings.cc = &cc_newreno;
    ladder_set(&settings);
    expect(.flags = SYN, .seq = 0);
    receive(.flags = SYN | ACK, .seq = 0, .ack = 1, .wnd = 60000, .mss = 1000);
    expect(.flags = ACK, .seq = 1, .ack = 1);
    assert_ptr_equal(the.tcb.busy->cc.ops, &cc_newreno);
    the.tcb.busy->cc.cwnd = 7000;
    the.tcb.busy->cc.ssthresh = 6000;
    settings.cc = &cc_cubic;
    ladder_set(&settings);
    assert_ptr_equal(the.tcb.busy->cc.ops, &cc_cubic);
    assert_int_equal(the.tcb.busy->cc.cwnd, 7000);
    assert_int_equal(the.tcb.busy->cc.ssthresh, 6000);
    the.tcb.busy->cc.cubic.w_max = 12345;
    ladder_set(&settings); /* the same: nothing is forgotten */
    assert_int_equal(the.tcb.busy->cc.cubic.w_max, 12345);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ladder_test(syn_sooner_and_later),
        ladder_test(text_while_it_runs),
        ladder_test(shut_window),
        ladder_test(rcvbuf_before_the_syn),
        ladder_test(smaller_while_connected),
        ladder_test(larger_while_connected),
        ladder_test(syn_retries),
        ladder_test(syn_retries_and_others),
        ladder_test(mss_before_the_syn),
        ladder_test(mss_and_acks),
        ladder_test(mss_after_the_syn),
        ladder_test(buffer_grows_without_samples),
        ladder_test(buffer_stays),
        ladder_test(congestion),
    };
    return ladder_main(tests);
}
