/* ackin.c: what an ACK does to the sender (RFC 9293 3.10.7.4 fifth): SND.UNA, the window, RTT (RFC
 * 6298), duplicate ACKs, fast retransmit and NewReno (RFC 5681, 6582). */
#include "segments.h"

/* Sends n segments of 1000 octets, all that there is to send, beginning at octet `at`. */
static void send_segments(uint32_t at, unsigned n)
{
    user_sends(1000 * n);
    for (unsigned i = 0; i < n; i++)
        expect(.flags = i + 1 < n ? ACK : PSH | ACK, .seq = at + 1000 * i, .ack = 1, .text = 1000);
}

/* Makes cwnd large: acknowledges 40 segments, five at a time. Octet 40001 is next. */
static void open_cwnd(void)
{
    the.config.sndbuf = 1 << 20;
    the.config.cc = &cc_newreno;
    establish(.wnd = 60000);
    uint32_t at = 1;
    for (unsigned i = 0; i < 10; i++, at += 4000) {
        send_segments(at, 4);
        later(100);
        receive(.flags = ACK, .seq = 1, .ack = at + 4000);
    }
    assert_true(the.tcb.busy->cc.cwnd >= 7000);
    the.tcb.events = 0;
}

/* ---- SND.UNA ---- */

static void una_moves(void **state)
{
    (void)state;
    establish();
    send_segments(1, 3);
    receive(.flags = ACK, .seq = 1, .ack = 1500); /* within a segment */
    assert_int_equal(the.tcb.snd.una.v, the.iss + 1500);
    assert_int_equal(the.tcb.busy->sndq.len, 1501);
    expect_events(TCB_EV_ACKED);
    receive(.flags = ACK, .seq = 1, .ack = 1001); /* an old one */
    assert_int_equal(the.tcb.snd.una.v, the.iss + 1500);
    expect_events(0);
    receive(.flags = ACK, .seq = 1, .ack = 3001);
    assert_int_equal(the.tcb.busy->sndq.len, 0);
    expect_rest();
    expect_events(TCB_EV_ACKED);
}

/* The FIN is no text, but who lingers waits for its ACK. */
static void una_over_fin(void **state)
{
    (void)state;
    establish();
    send_segments(1, 1);
    user_close();
    expect(.flags = FIN | ACK, .seq = 1001, .ack = 1);
    receive(.flags = ACK, .seq = 1, .ack = 1001);
    expect_events(TCB_EV_ACKED);
    receive(.flags = ACK, .seq = 1, .ack = 1002);
    expect_events(TCB_EV_ACKED);
    expect_state(STATE_FIN_WAIT_2);
}

/* ---- SND.WND, SND.WL1, SND.WL2 ---- */

static void window_by_newer_segments_only(void **state)
{
    (void)state;
    establish(.wnd = 5000);
    send_segments(1, 2);
    receive(.flags = ACK, .seq = 1, .ack = 1001, .wnd = 4000);
    assert_int_equal(the.tcb.snd.wnd, 4000);
    receive(.flags = ACK, .seq = 1, .ack = 1001, .wnd = 4500); /* same SEQ, same ACK */
    assert_int_equal(the.tcb.snd.wnd, 4500);
    receive(.flags = ACK, .seq = 1, .ack = 1, .wnd = 100); /* an older ACK */
    assert_int_equal(the.tcb.snd.wnd, 4500);
    receive(.flags = ACK, .seq = 11, .ack = 1001, .text = 10, .wnd = 3000); /* newer SEQ */
    assert_int_equal(the.tcb.snd.wnd, 3000);
    expect(.flags = ACK, .seq = 2001, .ack = 1);
    receive(.flags = ACK, .seq = 1, .ack = 1001, .text = 5, .wnd = 9999); /* older SEQ */
    assert_int_equal(the.tcb.snd.wnd, 3000);
    expect(.flags = ACK, .seq = 2001, .ack = 6);
    /* older SEQ, but the ACK advances: what was sent again (ackin.c says why) */
    receive(.flags = ACK, .seq = 1, .ack = 2001, .text = 10, .wnd = 2000);
    assert_int_equal(the.tcb.snd.wnd, 2000);
    expect(.flags = ACK, .seq = 2001, .ack = 21);
    assert_int_equal(the.tcb.snd.wnd_max, 5000);
}

/* MUST-1, REC-1: a large window is not a negative one. */
static void window_of_65535(void **state)
{
    (void)state;
    establish(.wnd = 65535, .scale = 14);
    receive(.flags = ACK, .seq = 1, .ack = 1, .wnd = 65535);
    assert_int_equal(the.tcb.snd.wnd, 65535u << 14);
    send_segments(1, 4);
    receive(.flags = ACK, .seq = 1, .ack = 4001);
}

/* An update alone lets text go that the window kept back. */
static void window_update_releases_text(void **state)
{
    (void)state;
    establish(.wnd = 1000);
    user_sends(2000);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    receive(.flags = ACK, .seq = 1, .ack = 1, .wnd = 2000);
    expect(.flags = PSH | ACK, .seq = 1001, .ack = 1, .text = 1000);
    receive(.flags = ACK, .seq = 1, .ack = 2001);
}

/* ---- RFC 6298 ---- */

static void rtt_samples(void **state)
{
    (void)state;
    establish(); /* R = 100: SRTT 100, RTTVAR 50 */
    assert_int_equal(rto_srtt_ns(&the.tcb.rto), 100 * NS_PER_MS);
    assert_int_equal(rto_rttvar_ns(&the.tcb.rto), 50 * NS_PER_MS);
    send_segments(1, 1);
    later(180);
    receive(.flags = ACK, .seq = 1, .ack = 1001); /* R' = 180 */
    assert_int_equal(rto_rttvar_ns(&the.tcb.rto), (3 * 50 + 80) * NS_PER_MS / 4);
    assert_int_equal(rto_srtt_ns(&the.tcb.rto), (7 * 100 + 180) * NS_PER_MS / 8);
}

/* 5.2, 5.3: the timer starts anew with every ACK that acknowledges something, and stops with the
 * last. A duplicate does not touch it. */
static void timer_restarts(void **state)
{
    (void)state;
    establish();
    send_segments(1, 3); /* at 100: due at 400 */
    at(200);
    receive(.flags = ACK, .seq = 1, .ack = 1001); /* a sample of 100: RTO 300 */
    at(300);
    receive(.flags = ACK, .seq = 1, .ack = 1001);
    at(499);
    expect_silence();
    at(500);
    expect(.flags = ACK, .seq = 1001, .ack = 1, .text = 1000);
    receive(.flags = ACK, .seq = 1, .ack = 3001);
    at(100000);
}

/* Karn (MUST-18): the ACK of what was sent twice is no sample, and the backoff stays until there is
 * one (RFC 6298 5). */
static void karn(void **state)
{
    (void)state;
    establish();
    send_segments(1, 1);
    at(400);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1000);
    at(900);
    receive(.flags = ACK, .seq = 1, .ack = 1001);
    assert_int_equal(rto_srtt_ns(&the.tcb.rto), 100 * NS_PER_MS);
    send_segments(1001, 1); /* RTO is still 600 */
    at(1499);
    expect_silence();
    at(1500);
    expect(.flags = PSH | ACK, .seq = 1001, .ack = 1, .text = 1000);
    receive(.flags = ACK, .seq = 1, .ack = 2001);
}

/* ---- Duplicate ACKs ---- */

/* RFC 5681 3.2, 2-3: two are not enough, the third sends the first segment again at once. */
static void fast_retransmit(void **state)
{
    (void)state;
    open_cwnd();
    send_segments(40001, 5);
    later(50);
    receive(.flags = ACK, .seq = 1, .ack = 40001);
    receive(.flags = ACK, .seq = 1, .ack = 40001);
    expect_silence();
    receive(.flags = ACK, .seq = 1, .ack = 40001);
    expect(.flags = ACK, .seq = 40001, .ack = 1, .text = 1000);
    assert_int_equal(the.tcb.busy->cc.ssthresh, 2500); /* half of the flight */
    receive(.flags = ACK, .seq = 1, .ack = 40001);     /* a fourth: not again */
    later(50);
    receive(.flags = ACK, .seq = 1, .ack = 45001);
    expect_events(TCB_EV_ACKED);
    assert_true(the.tcb.busy->cc.cwnd <= 2500);
}

/* RFC 5681 3.2: two new segments beyond cwnd (step 1); ssthresh is half of the flight before them,
 * cwnd that and one segment per duplicate; new text goes as soon as cwnd is more than what is out.
 */
static void fast_recovery_sends_new_text(void **state)
{
    (void)state;
    open_cwnd();
    the.tcb.busy->cc.cwnd = 8000;
    user_sends(12000);
    for (uint32_t i = 0; i < 8; i++)
        expect(.flags = ACK, .seq = 40001 + 1000 * i, .ack = 1, .text = 1000);
    for (uint32_t i = 8; i < 10; i++) {
        receive(.flags = ACK, .seq = 1, .ack = 40001);
        expect(.flags = ACK, .seq = 40001 + 1000 * i, .ack = 1, .text = 1000);
    }
    receive(.flags = ACK, .seq = 1, .ack = 40001);
    expect(.flags = ACK, .seq = 40001, .ack = 1, .text = 1000);
    assert_int_equal(the.tcb.busy->cc.ssthresh, 4000);
    assert_int_equal(the.tcb.busy->cc.cwnd, 4000 + 3000);
    for (unsigned i = 0; i < 3; i++)
        receive(.flags = ACK, .seq = 1, .ack = 40001); /* cwnd 10000, 10000 out */
    receive(.flags = ACK, .seq = 1, .ack = 40001);     /* 7 */
    expect(.flags = ACK, .seq = 50001, .ack = 1, .text = 1000);
    receive(.flags = ACK, .seq = 1, .ack = 40001); /* 8 */
    expect(.flags = PSH | ACK, .seq = 51001, .ack = 1, .text = 1000);
    receive(.flags = ACK, .seq = 1, .ack = 50001);
    assert_int_equal(the.tcb.busy->cc.cwnd, 3000); /* what is out and one segment (step 3 (2)) */
    receive(.flags = ACK, .seq = 1, .ack = 52001);
}

/* RFC 6582 3.2 step 3: a partial ACK sends the next hole's segment at once; recovery ends when all
 * that was out when it began is acknowledged. */
static void partial_acks(void **state)
{
    (void)state;
    open_cwnd();
    send_segments(40001, 6); /* 1st, 3rd and 5th are lost */
    later(10);
    for (unsigned i = 0; i < 3; i++)
        receive(.flags = ACK, .seq = 1, .ack = 40001);
    expect(.flags = ACK, .seq = 40001, .ack = 1, .text = 1000);
    later(10);
    receive(.flags = ACK, .seq = 1, .ack = 42001);
    expect(.flags = ACK, .seq = 42001, .ack = 1, .text = 1000);
    later(10);
    receive(.flags = ACK, .seq = 1, .ack = 44001);
    expect(.flags = ACK, .seq = 44001, .ack = 1, .text = 1000);
    later(10);
    receive(.flags = ACK, .seq = 1, .ack = 46001);
    assert_int_equal(the.tcb.busy->recovery.mode, RECOVERY_OPEN);
    at(100000);
}

/* Only the first partial ACK restarts the timer: with many losses a timeout is quicker than one
 * segment per round trip (RFC 6582 3.2 step 3, 4). */
static void partial_acks_and_the_timer(void **state)
{
    (void)state;
    open_cwnd();
    assert_int_equal(tcb_rto_ns(&the.tcb), 300 * NS_PER_MS);
    send_segments(40001, 6);
    later(10);
    for (unsigned i = 0; i < 3; i++)
        receive(.flags = ACK, .seq = 1, .ack = 40001);
    expect(.flags = ACK, .seq = 40001, .ack = 1, .text = 1000);
    later(100);
    receive(.flags = ACK, .seq = 1, .ack = 41001); /* the timer starts */
    expect(.flags = ACK, .seq = 41001, .ack = 1, .text = 1000);
    later(100);
    receive(.flags = ACK, .seq = 1, .ack = 42001); /* and goes on */
    expect(.flags = ACK, .seq = 42001, .ack = 1, .text = 1000);
    later(199);
    expect_silence();
    later(1);
    expect(.flags = ACK, .seq = 42001, .ack = 1, .text = 1000);
    receive(.flags = ACK, .seq = 1, .ack = 46001);
}

/* RFC 5681 2: an ACK is a duplicate only with something outstanding, without text, SYN or FIN, and
 * with the window of the last. */
static void no_duplicates(void **state)
{
    (void)state;
    open_cwnd();
    for (unsigned i = 0; i < 5; i++) /* nothing outstanding */
        receive(.flags = ACK, .seq = 1, .ack = 40001);
    send_segments(40001, 4);
    for (unsigned i = 0; i < 5; i++) /* window updates */
        receive(.flags = ACK, .seq = 1, .ack = 40001, .wnd = 50000 + (int)i);
    for (uint32_t i = 0; i < 5; i++) { /* with text */
        receive(.flags = ACK, .seq = 1 + 10 * i, .ack = 40001, .text = 10);
        batch();
    }
    expect(.flags = ACK, .seq = 44001, .ack = 51);
    receive(.flags = ACK, .seq = 51, .ack = 44001);
}

/* RFC 6582 3.2 step 2 and 4: after a timeout duplicates come from what was sent twice. */
static void no_fast_retransmit_after_timeout(void **state)
{
    (void)state;
    open_cwnd();
    send_segments(40001, 4);
    later(tcb_rto_ns(&the.tcb) / NS_PER_MS);
    expect(.flags = ACK, .seq = 40001, .ack = 1, .text = 1000);
    for (unsigned i = 0; i < 4; i++)
        receive(.flags = ACK, .seq = 1, .ack = 40001);
    expect_silence();
    receive(.flags = ACK, .seq = 1, .ack = 44001);
}

/* RFC 5681 3.1: slow start grows by what was acknowledged. */
static void slow_start(void **state)
{
    (void)state;
    establish(.wnd = 60000);
    the.tcb.busy->cc.cwnd = 4000;
    user_sends(20000);
    for (uint32_t i = 0; i < 4; i++)
        expect(.flags = ACK, .seq = 1 + 1000 * i, .ack = 1, .text = 1000);
    expect_silence();
    later(100);
    receive(.flags = ACK, .seq = 1, .ack = 2001);
    for (uint32_t i = 4; i < 8; i++)
        expect(.flags = ACK, .seq = 1 + 1000 * i, .ack = 1, .text = 1000);
    expect_silence();
    receive(.flags = ACK, .seq = 1, .ack = 4001);
    for (uint32_t i = 8; i < 12; i++)
        expect(.flags = ACK, .seq = 1 + 1000 * i, .ack = 1, .text = 1000);
    expect_silence();
    receive(.flags = ACK, .seq = 1, .ack = 12001);
    for (uint32_t i = 12; i < 20; i++)
        expect(.flags = i < 19 ? ACK : PSH | ACK, .seq = 1 + 1000 * i, .ack = 1, .text = 1000);
    receive(.flags = ACK, .seq = 1, .ack = 20001);
}

/* RFC 5681 3.1: what is outstanding is never more than cwnd, also where that ends within a segment
 * (as after a loss): the segment waits. */
static void cwnd_within_a_segment(void **state)
{
    (void)state;
    the.config.cc = &cc_newreno;
    establish(.wnd = 60000);
    the.tcb.busy->cc.cwnd = the.tcb.busy->cc.ssthresh = 2500;
    user_sends(5000);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    expect(.flags = ACK, .seq = 1001, .ack = 1, .text = 1000);
    expect_silence();
    receive(.flags = ACK, .seq = 1, .ack = 1001);
    expect(.flags = ACK, .seq = 2001, .ack = 1, .text = 1000);
    expect_silence();
    receive(.flags = ACK, .seq = 1, .ack = 3001);
    ignore();
    receive(.flags = ACK, .seq = 1, .ack = 5001);
}

/* A cwnd that is not used says nothing about the path, and does not grow (RFC 7661 1 tells what
 * becomes of one that does). */
static void cwnd_that_is_not_used(void **state)
{
    (void)state;
    establish(.wnd = 60000);
    the.tcb.busy->cc.cwnd = 4000;
    for (uint32_t i = 0; i < 20; i++) {
        user_sends(1000);
        expect(.flags = PSH | ACK, .seq = 1 + 1000 * i, .ack = 1, .text = 1000);
        later(100);
        receive(.flags = ACK, .seq = 1, .ack = 1001 + 1000 * i);
    }
    assert_int_equal(the.tcb.busy->cc.cwnd, 4000);
    user_sends(2000); /* half of it */
    ignore();
    receive(.flags = ACK, .seq = 1, .ack = 22001);
    assert_int_equal(the.tcb.busy->cc.cwnd, 6000);
}

/* ---- The window of what was sent again ---- */

/* 3.8.6: what the peer has offered is SEG.ACK + SEG.WND. Its segment sent again has an old SEG.SEQ
 * and a new SEG.ACK: were only the ACK taken, SND.UNA + SND.WND would move beyond that. */
static void window_of_a_segment_sent_again(void **state)
{
    (void)state;
    establish(.wnd = 2000);
    user_sends(5000);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    expect(.flags = ACK, .seq = 1001, .ack = 1, .text = 1000);
    receive(.flags = ACK, .seq = 501, .ack = 1, .text = 500, .wnd = 2000); /* the first is lost */
    expect(.flags = ACK, .seq = 2001, .ack = 1);
    receive(.flags = ACK, .seq = 1, .ack = 2001, .text = 500, .wnd = ZERO);
    expect(.flags = ACK, .seq = 2001, .ack = 1001);
    expect_silence(); /* not one octet beyond 2001 */
    receive(.flags = ACK, .seq = 1, .ack = 2001, .text = 500, .wnd = 9000); /* now it is old */
    expect(.flags = ACK, .seq = 2001, .ack = 1001);
    assert_int_equal(the.tcb.snd.wnd, 0);
    receive(.flags = ACK, .seq = 1001, .ack = 2001, .wnd = 1000);
    expect(.flags = ACK, .seq = 2001, .ack = 1001, .text = 1000);
    receive(.flags = ACK, .seq = 1001, .ack = 3001, .wnd = ZERO);
}

/* RFC 6298 5, RFC 5681 3.1: only the timer and duplicate ACKs have text sent again. A window that
 * shuts and opens says nothing of a loss, and starts no timer anew. */
static void window_that_flaps(void **state)
{
    (void)state;
    establish();
    send_segments(1, 4);
    for (unsigned i = 1; i <= 29; i++) {
        at(100 + 10 * i);
        receive(.flags = ACK, .seq = 1, .ack = 1, .wnd = ZERO);
        receive(.flags = ACK, .seq = 1, .ack = 1, .wnd = 10000);
    }
    at(399);
    expect_silence();
    at(400);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    receive(.flags = ACK, .seq = 1, .ack = 1, .wnd = ZERO);
    receive(.flags = ACK, .seq = 1, .ack = 1, .wnd = 10000);
    expect_silence(); /* cwnd is one segment, and that is out */
    receive(.flags = ACK, .seq = 1, .ack = 4001);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ladder_test(una_moves),
        ladder_test(una_over_fin),
        ladder_test(window_by_newer_segments_only),
        ladder_test(window_of_65535),
        ladder_test(window_update_releases_text),
        ladder_test(rtt_samples),
        ladder_test(timer_restarts),
        ladder_test(karn),
        ladder_test(fast_retransmit),
        ladder_test(fast_recovery_sends_new_text),
        ladder_test(partial_acks),
        ladder_test(partial_acks_and_the_timer),
        ladder_test(no_duplicates),
        ladder_test(no_fast_retransmit_after_timeout),
        ladder_test(slow_start),
        ladder_test(cwnd_within_a_segment),
        ladder_test(cwnd_that_is_not_used),
        ladder_test(window_of_a_segment_sent_again),
        ladder_test(window_that_flaps),
    };
    return ladder_main(tests);
}
