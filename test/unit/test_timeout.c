/* timeout.c: TIMEOUTS (RFC 9293 3.10.8): retransmission (RFC 6298 5, 3.8.3's R1 and R2), user
 * timeout, TIME-WAIT, zero-window probes (3.8.6.1). */
#include "segments.h"
#include "timeout.h"

/* ---- Retransmission ---- */

/* RFC 6298 2.1, 5.5: SYN at 0, 1, 3, 7 s ...; MUST-23: for three minutes at least; then the user
 * learns it. */
static void syn(void **state)
{
    (void)state;
    open_active();
    expect(.flags = SYN, .seq = 0);
    for (unsigned i = 1; i <= 7; i++) { /* 1, 3, 7, 15, 31, 63, 127 s */
        at(((1u << i) - 1) * 1000);
        expect(.flags = SYN, .seq = 0, .mss = 1000);
        expect_events(i == 3 ? TCB_EV_TROUBLE : 0); /* R1, SHLD-9 (MUST-22) */
    }
    at(179999);
    expect_state(STATE_SYN_SENT);
    at(180000);
    expect_closed(ERR_TIMEDOUT);
    expect_events(TCB_EV_CLOSED);
}

/* The same for a SYN-ACK. */
static void syn_ack(void **state)
{
    (void)state;
    open_passive();
    receive(.flags = SYN, .seq = 0);
    expect(.flags = SYN | ACK, .seq = 0, .ack = 1);
    for (unsigned i = 1; i <= 7; i++) {
        at(((1u << i) - 1) * 1000);
        expect(.flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
    }
    at(180000);
    expect_closed(ERR_TIMEDOUT);
}

/* It has a time of its own, which is not the SYN's. */
static void syn_ack_gives_up(void **state)
{
    (void)state;
    the.config.synack_timeout_ns = 5 * NS_PER_S;
    open_passive();
    receive(.flags = SYN, .seq = 0);
    expect(.flags = SYN | ACK, .seq = 0, .ack = 1);
    at(1000);
    expect(.flags = SYN | ACK, .seq = 0, .ack = 1);
    at(3000);
    expect(.flags = SYN | ACK, .seq = 0, .ack = 1);
    at(5000);
    expect_closed(ERR_TIMEDOUT);
}

/* RFC 6298 5.7: RTO begins at 3 s after a SYN was lost; RFC 5681 3.1: and cwnd with one segment. No
 * sample is taken (Karn). */
static void after_a_lost_syn(void **state)
{
    (void)state;
    open_active();
    expect(.flags = SYN, .seq = 0);
    at(1000);
    expect(.flags = SYN, .seq = 0);
    at(1100);
    receive(.flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
    expect(.flags = ACK, .seq = 1, .ack = 1);
    assert_int_equal(rto_srtt_ns(&the.tcb.rto), 0);
    assert_int_equal(the.tcb.busy->cc.ssthresh, CC_SSTHRESH_INITIAL);
    user_sends(2000);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    at(4099);
    expect_silence();
    at(4100);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    receive(.flags = ACK, .seq = 1, .ack = 1001);
    expect(.flags = PSH | ACK, .seq = 1001, .ack = 1, .text = 1000);
    receive(.flags = ACK, .seq = 1, .ack = 2001);
}

/* RFC 6298 5.4-5.6: the earliest segment again, the timer doubled, up to the maximum; R1 is
 * reported once (SHLD-9, SHLD-10), R2 ends the connection without a RST (3.10.8, MUST-20). */
static void text(void **state)
{
    (void)state;
    establish();
    user_sends(500);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 500);
    uint64_t due = 100, rto = 300;
    for (unsigned i = 1; due + rto < 300100; i++) {
        due += rto;
        rto = rto < 60000 ? 2 * rto : 120000;
        at(due);
        expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 500);
        expect_events(i == 3 ? TCB_EV_TROUBLE : 0);
    }
    at(300099);
    expect_state(STATE_ESTABLISHED);
    at(300100);
    expect_closed(ERR_TIMEDOUT);
    expect_events(TCB_EV_CLOSED);
    expect_rest();
}

/* RFC 5681 3.1: cwnd is one segment after a timeout; the rest follows as ACKs come in. */
static void go_back_n(void **state)
{
    (void)state;
    the.config.cc = &cc_newreno;
    establish();
    user_sends(4000);
    for (uint32_t i = 0; i < 4; i++)
        expect(.flags = i < 3 ? ACK : PSH | ACK, .seq = 1 + 1000 * i, .ack = 1, .text = 1000);
    at(400);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    expect_silence();
    assert_int_equal(the.tcb.busy->cc.ssthresh, 2000);
    at(500);
    receive(.flags = ACK, .seq = 1, .ack = 1001);
    expect(.flags = ACK, .seq = 1001, .ack = 1, .text = 1000);
    expect(.flags = ACK, .seq = 2001, .ack = 1, .text = 1000);
    expect_silence();
    receive(.flags = ACK, .seq = 1, .ack = 4001); /* the fourth had arrived */
    at(100000);
    expect_state(STATE_ESTABLISHED);
}

/* The FIN is sent again like text, with it and alone. */
static void fin(void **state)
{
    (void)state;
    establish();
    user_sends(10);
    batch();
    user_close();
    expect(.flags = FIN | PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    at(400);
    expect(.flags = FIN | PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    at(750); /* too late to fit the estimate (rto.h): RTO stays 600 */
    receive(.flags = ACK, .seq = 1, .ack = 11);
    at(1350);
    expect(.flags = FIN | ACK, .seq = 11, .ack = 1);
    receive(.flags = ACK, .seq = 1, .ack = 12);
    expect_state(STATE_FIN_WAIT_2);
}

static void fin_of_last_ack(void **state)
{
    (void)state;
    reach(STATE_LAST_ACK);
    at(400);
    expect(.flags = FIN | ACK, .seq = 1, .ack = 2);
    at(1000);
    expect(.flags = FIN | ACK, .seq = 1, .ack = 2);
    receive(.flags = ACK, .seq = 2, .ack = 2);
    expect_closed(ERR_NONE);
}

/* 3.6, case 2: "If an ACK is not forthcoming, after the user timeout the connection is aborted." */
static void fin_never_acknowledged(void **state)
{
    (void)state;
    the.config.user_timeout_ns = 5 * NS_PER_S;
    reach(STATE_LAST_ACK); /* at 100 */
    for (uint64_t due = 400, rto = 600; due < 5100; due += rto, rto *= 2) {
        at(due);
        expect(.flags = FIN | ACK, .seq = 1, .ack = 2);
    }
    at(5100);
    expect_closed(ERR_TIMEDOUT);
}

/* ---- User timeout ---- */

/* MUST-21: settable, and measured from the last progress. */
static void r2_counts_from_progress(void **state)
{
    (void)state;
    the.config.user_timeout_ns = 2 * NS_PER_S;
    establish();
    at(10000); /* idle: nothing waits, so nothing times out */
    user_sends(2000);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    expect(.flags = PSH | ACK, .seq = 1001, .ack = 1, .text = 1000);
    at(10300);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    at(10700);
    receive(.flags = ACK, .seq = 1, .ack = 1001);
    expect(.flags = PSH | ACK, .seq = 1001, .ack = 1, .text = 1000);
    at(11300);
    expect(.flags = PSH | ACK, .seq = 1001, .ack = 1, .text = 1000);
    at(12500);
    expect(.flags = PSH | ACK, .seq = 1001, .ack = 1, .text = 1000);
    at(12699);
    expect_events(TCB_EV_ACKED); /* R1 counts from there as well: no trouble yet */
    at(12700);
    expect_closed(ERR_TIMEDOUT);
}

/* R2 may be "infinity" (3.8.3 (d)). */
static void r2_infinite(void **state)
{
    (void)state;
    the.config.user_timeout_ns = UINT64_C(1000000) * NS_PER_S;
    establish();
    user_sends(1);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1);
    uint64_t due = 100, rto = 300;
    for (unsigned i = 0; i < 300; i++) {
        due += rto;
        rto = 2 * rto < 120000 ? 2 * rto : 120000; /* RFC 6298 2.5 */
        at(due);
        expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1);
    }
    receive(.flags = ACK, .seq = 1, .ack = 2);
    expect_state(STATE_ESTABLISHED);
}

/* ---- Zero window ---- */

/* SHLD-29: the first probe one RTO after the window was found shut; SHLD-30: then doubling; one
 * octet (3.8.6.1); MUST-37: for as long as they are answered. */
static void probes(void **state)
{
    (void)state;
    establish();
    user_sends(1000);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1000);
    at(200);
    receive(.flags = ACK, .seq = 1, .ack = 1001, .wnd = ZERO); /* a sample of 100: RTO 300 */
    at(1000);
    user_sends(5000);
    uint64_t due = 1000, wait = 300;
    for (unsigned i = 0; i < 40; i++) {
        due += wait;
        wait = 2 * wait < 60000 ? 2 * wait : 60000;
        at(due);
        expect(.flags = ACK, .seq = 1001, .ack = 1, .text = 1);
        receive(.flags = ACK, .seq = 1, .ack = 1001, .wnd = ZERO);
    }
    expect_events(TCB_EV_ACKED); /* no trouble: the peer answers */
    assert_int_equal(the.tcb.busy->cc.ssthresh, CC_SSTHRESH_INITIAL); /* nor duplicate ACKs */
    expect_state(STATE_ESTABLISHED);
    assert_true(ladder_now() > 300 * NS_PER_S);
    receive(.flags = ACK, .seq = 1, .ack = 1001, .wnd = 10000);
    /* 3.8.6.1, SHLD-28: what the probe carried is merged into whole segments */
    expect(.flags = ACK, .seq = 1001, .ack = 1, .text = 1000);
    ignore();
    receive(.flags = ACK, .seq = 1, .ack = 5001);
    ignore();
    receive(.flags = ACK, .seq = 1, .ack = 6001);
}

/* A peer that takes the probe's octet: the next probe is the next octet. */
static void probes_are_taken(void **state)
{
    (void)state;
    establish(.wnd = ZERO);
    user_sends(1000);
    at(400);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1);
    receive(.flags = ACK, .seq = 1, .ack = 2, .wnd = ZERO);
    at(1000);
    expect(.flags = ACK, .seq = 2, .ack = 1, .text = 1);
    receive(.flags = ACK, .seq = 1, .ack = 3, .wnd = 5000);
    expect(.flags = PSH | ACK, .seq = 3, .ack = 1, .text = 998);
    receive(.flags = ACK, .seq = 1, .ack = 1001);
}

/* Probes that get no answer run into R2 like any retransmission. */
static void probes_without_answer(void **state)
{
    (void)state;
    the.config.user_timeout_ns = 5 * NS_PER_S;
    establish(.wnd = ZERO);
    user_sends(10);
    const unsigned at_ms[] = {400, 1000, 2200, 4600};
    for (unsigned i = 0; i < 4; i++) {
        at(at_ms[i]);
        expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1);
    }
    at(5400);
    expect_closed(ERR_TIMEDOUT);
}

/* The device was busy: the ACK of all text has come between the timer and the probe. There is
 * nothing to probe with, and nothing that the user timeout could be waiting for. */
static void probe_too_late(void **state)
{
    (void)state;
    establish();
    user_sends(1000);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1000);
    at(150);
    receive(.flags = ACK, .seq = 1, .ack = 1, .wnd = ZERO);
    at(400);
    batch();
    receive(.flags = ACK, .seq = 1, .ack = 1001, .wnd = ZERO);
    at(1000000);
    expect_state(STATE_ESTABLISHED);
}

/* A pure ACK stays inside of the peer's window, where the peer takes it, though a probe went beyond
 * (output.c). */
static void ack_while_probing(void **state)
{
    (void)state;
    establish(.wnd = ZERO);
    user_sends(10);
    at(400);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1);
    receive(.flags = ACK, .seq = 1, .ack = 1, .wnd = ZERO, .text = 100);
    at(440);
    expect(.flags = ACK, .seq = 1, .ack = 101);
    receive(.flags = ACK, .seq = 101, .ack = 2, .wnd = 100);
    expect(.flags = PSH | ACK, .seq = 2, .ack = 101, .text = 9);
    receive(.flags = ACK, .seq = 101, .ack = 11);
}

/* A FIN alone is probed with. */
static void probe_with_fin(void **state)
{
    (void)state;
    establish(.wnd = ZERO);
    user_close();
    at(400);
    expect(.flags = FIN | ACK, .seq = 1, .ack = 1);
    at(1000);
    expect(.flags = FIN | ACK, .seq = 1, .ack = 1);
    receive(.flags = ACK, .seq = 1, .ack = 2, .wnd = ZERO);
    expect_state(STATE_FIN_WAIT_2);
    at(100000);
}

/* MUST-34, MUST-35: a window that is shut on what is in flight. */
static void window_shuts_on_flight(void **state)
{
    (void)state;
    establish();
    user_sends(2000);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    expect(.flags = PSH | ACK, .seq = 1001, .ack = 1, .text = 1000);
    receive(.flags = ACK, .seq = 1, .ack = 1, .wnd = ZERO);
    at(400);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1);
    receive(.flags = ACK, .seq = 1, .ack = 1, .wnd = ZERO);
    at(700);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1);
    receive(.flags = ACK, .seq = 1, .ack = 1, .wnd = 10000);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    expect(.flags = PSH | ACK, .seq = 1001, .ack = 1, .text = 1000);
    receive(.flags = ACK, .seq = 1, .ack = 2001);
    at(100000);
}

/* ---- Deadlines ---- */

/* tcp_timeout() before the deadline does nothing; the deadline is the earliest timer. */
static void too_early(void **state)
{
    (void)state;
    establish();
    user_sends(10);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    uint64_t due = tcp_deadline(&the.tcb);
    assert_int_equal(due, the.start_ns + 400 * NS_PER_MS);
    tcp_timeout(&the.tcb, due - 1);
    expect_silence();
    receive(.flags = ACK, .seq = 1, .ack = 1, .text = 5);
    assert_int_equal(tcp_deadline(&the.tcb), the.start_ns + 140 * NS_PER_MS);
    at(140);
    expect(.flags = ACK, .seq = 11, .ack = 6);
    assert_int_equal(tcp_deadline(&the.tcb), due);
    receive(.flags = ACK, .seq = 6, .ack = 11);
    assert_true(tcp_deadline(&the.tcb) == TIME_NEVER);
}

/* A caller that comes late: each timer counts once. */
static void too_late(void **state)
{
    (void)state;
    establish();
    user_sends(10);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    the.now_ns += 50 * NS_PER_S;
    tcp_timeout(&the.tcb, the.now_ns);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    expect_silence();
    later(600);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    receive(.flags = ACK, .seq = 1, .ack = 11);
}

/* MUST-37: probes that are answered keep the connection, however short the user timeout
 * (MUST-21) and however long the interval has grown. */
static void answered_probes_keep_the_connection(void **state)
{
    (void)state;
    the.config.user_timeout_ns = 20 * NS_PER_S;
    establish(.wnd = ZERO);
    user_sends(10);
    for (uint64_t wait = 300, i = 0; i < 12; i++, wait = wait < 30000 ? 2 * wait : 60000) {
        later(wait);
        expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1);
        receive(.flags = ACK, .seq = 1, .ack = 1, .wnd = ZERO);
    }
    expect_state(STATE_ESTABLISHED);
}

/* SHLD-17: nor does what was sent before the window shrank, and now lies beyond its edge, end it.
 */
static void shrunk_window_keeps_the_connection(void **state)
{
    (void)state;
    the.config.user_timeout_ns = 20 * NS_PER_S;
    establish();
    user_sends(2000);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    expect(.flags = PSH | ACK, .seq = 1001, .ack = 1, .text = 1000);
    receive(.flags = ACK, .seq = 1, .ack = 1001, .wnd = ZERO);
    for (unsigned i = 0; i < 12; i++) {
        ladder_at(HERE, tcp_deadline(&the.tcb) - the.start_ns);
        expect(.flags = ACK, .seq = 1001, .ack = 1, .text = 1);
        receive(.flags = ACK, .seq = 1, .ack = 1001, .wnd = ZERO);
    }
    assert_true(ladder_now() > 60 * NS_PER_S);
    expect_state(STATE_ESTABLISHED);
    receive(.flags = ACK, .seq = 1, .ack = 1001, .wnd = 10000);
    expect(.flags = PSH | ACK, .seq = 1001, .ack = 1, .text = 1000);
    receive(.flags = ACK, .seq = 1, .ack = 2001);
}

/* SHLD-9, MUST-20: R1 counts anew after the handshake. Trouble told of the SYN is not that of the
 * text. */
static void trouble_after_trouble_with_syn(void **state)
{
    (void)state;
    open_active();
    expect(.flags = SYN, .seq = 0);
    for (unsigned i = 1; i <= 3; i++) {
        at(((1u << i) - 1) * 1000);
        expect(.flags = SYN, .seq = 0);
    }
    expect_events(TCB_EV_TROUBLE);
    receive(.flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
    expect(.flags = ACK, .seq = 1, .ack = 1);
    expect_events(TCB_EV_ESTABLISHED);
    user_sends(10);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    const unsigned at_ms[] = {10000, 16000, 28000}; /* RTO begins at 3 s (RFC 6298 5.7) */
    for (unsigned i = 0; i < 3; i++) {
        at(at_ms[i]);
        expect_events(i == 2 ? TCB_EV_TROUBLE : 0);
        expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    }
    receive(.flags = ACK, .seq = 1, .ack = 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ladder_test(syn),
        ladder_test(syn_ack),
        ladder_test(syn_ack_gives_up),
        ladder_test(after_a_lost_syn),
        ladder_test(text),
        ladder_test(go_back_n),
        ladder_test(fin),
        ladder_test(fin_of_last_ack),
        ladder_test(fin_never_acknowledged),
        ladder_test(r2_counts_from_progress),
        ladder_test(r2_infinite),
        ladder_test(probes),
        ladder_test(probes_are_taken),
        ladder_test(probes_without_answer),
        ladder_test(probe_too_late),
        ladder_test(ack_while_probing),
        ladder_test(probe_with_fin),
        ladder_test(window_shuts_on_flight),
        ladder_test(too_early),
        ladder_test(too_late),
        ladder_test(answered_probes_keep_the_connection),
        ladder_test(shrunk_window_keeps_the_connection),
        ladder_test(trouble_after_trouble_with_syn),
    };
    return ladder_main(tests);
}
