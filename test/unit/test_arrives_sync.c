/* arrives_sync.c: the first five steps of SEGMENT ARRIVES in SYN-RECEIVED and later (RFC 9293
 * 3.10.7.4), each and in order. Steps six to eight are in test_arrives_text.c. */
#include "segments.h"

/* States in which 3.10.7.4 applies. */
#define EACH_STATE(s)                                                                              \
    enum tcp_state s = STATE_SYN_RECEIVED;                                                         \
    s <= STATE_TIME_WAIT;                                                                          \
    s++

/* ---- First: sequence number ---- */

/* Table 6, length 0, window > 0; a segment outside is answered by <SEQ=SND.NXT><ACK=RCV.NXT>. */
static void first_empty_segment(void **state)
{
    (void)state;
    for (EACH_STATE(s)) {
        reach(s);
        uint32_t us = ours(), them = theirs();
        receive(.flags = ACK, .seq = them - 1, .ack = us);
        expect(.flags = ACK, .seq = us, .ack = them);
        receive(.flags = ACK, .seq = them + 10001, .ack = us);
        expect(.flags = ACK, .seq = us, .ack = them);
        receive(.flags = ACK, .seq = them + 0x80000000u, .ack = us);
        expect(.flags = ACK, .seq = us, .ack = them);
        expect_state(s);
        if (s != STATE_SYN_RECEIVED) { /* whose ACK this would be */
            receive(.flags = 0, .seq = them);
            receive(.flags = 0, .seq = them + 9999);
        }
        again();
    }
}

/* Length > 0, window > 0: one octet inside is enough, at either end. */
static void first_text(void **state)
{
    (void)state;
    establish();
    receive(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    batch();
    receive(.flags = ACK, .seq = 1001, .ack = 1, .text = 1000);
    expect(.flags = ACK, .seq = 1, .ack = 2001, .wnd = 8000);
    /* all old */
    receive(.flags = ACK, .seq = 1001, .ack = 1, .text = 1000);
    expect(.flags = ACK, .seq = 1, .ack = 2001);
    /* the last octet is new: "only the new parts are processed" */
    receive(.flags = ACK, .seq = 1002, .ack = 1, .text = 1000);
    expect(.flags = ACK, .seq = 1, .ack = 2002);
    /* beyond the edge, which is at 10001 */
    receive(.flags = ACK, .seq = 10001, .ack = 1, .text = 1);
    expect(.flags = ACK, .seq = 1, .ack = 2002);
    /* the first octet is the last inside */
    receive(.flags = ACK, .seq = 10000, .ack = 1, .text = 1000);
    expect(.flags = ACK, .seq = 1, .ack = 2002);
    /* larger than the window at both ends: by Table 6 not acceptable */
    receive(.flags = ACK, .seq = 1501, .ack = 1, .text = 9500);
    expect(.flags = ACK, .seq = 1, .ack = 2002);
    receive(.flags = ACK, .seq = 1501, .ack = 1, .text = 8500);
    expect(.flags = ACK, .seq = 1, .ack = 10001, .wnd = ZERO);
    user_receives(10000);
    expect(.flags = ACK, .seq = 1, .ack = 10001, .wnd = 10000);
}

/* Window 0: text is not acceptable and is answered; ACK, URG and RST are let in (MUST-66). */
static void first_window_shut(void **state)
{
    (void)state;
    establish(.wnd = 5000);
    user_sends(500);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 500);
    receive(.flags = ACK, .seq = 1, .ack = 1, .text = 10000);
    expect(.flags = ACK, .seq = 1 + 500, .ack = 10001, .wnd = ZERO);
    receive(.flags = ACK, .seq = 10001, .ack = 1, .text = 1); /* a probe */
    expect(.flags = ACK, .seq = 501, .ack = 10001, .wnd = ZERO);
    receive(.flags = ACK, .seq = 10000, .ack = 1, .text = 1); /* a keep-alive */
    expect(.flags = ACK, .seq = 501, .ack = 10001, .wnd = ZERO);
    expect_events(TCB_EV_ARRIVED);
    receive(.flags = ACK | URG, .seq = 10001, .ack = 301, .text = 1, .up = 9);
    expect(.flags = ACK, .seq = 501, .ack = 10001, .wnd = ZERO);
    expect_events(TCB_EV_ACKED | TCB_EV_URGENT);
    assert_int_equal(the.tcb.snd.una.v, the.iss + 301);
    receive(.flags = ACK, .seq = 10001, .ack = 501, .wnd = 7000);
    assert_int_equal(the.tcb.snd.wnd, 7000);
    assert_int_equal(user_receive(20000), 10000);
    batch();
    receive(.flags = RST, .seq = 10001);
    expect_closed(ERR_RESET);
}

static void first_window_shut_rst(void **state)
{
    (void)state;
    establish();
    receive(.flags = ACK, .seq = 1, .ack = 1, .text = 10000);
    expect(.flags = ACK, .seq = 1, .ack = 10001, .wnd = ZERO);
    receive(.flags = RST, .seq = 10001, .text = 20); /* SHLD-2: with text */
    expect_closed(ERR_RESET);
}

/* A RST outside of the window is not answered (and does nothing). */
static void first_rst_outside(void **state)
{
    (void)state;
    for (EACH_STATE(s)) {
        reach(s);
        receive(.flags = RST, .seq = theirs() - 1);
        receive(.flags = RST | ACK, .seq = theirs() + 10002 + the.irs, .ack = ours());
        receive(.flags = RST, .seq = theirs() + 10002);
        expect_state(s);
        again();
    }
}

/* An old SYN-ACK, as Figure 10 line 3 has it: "responds with an acknowledgment". */
static void first_before_fourth(void **state)
{
    (void)state;
    reach(STATE_SYN_RECEIVED);
    receive(.flags = SYN | ACK, .seq = 20000, .ack = 1); /* outside: no return to LISTEN */
    expect(.flags = ACK, .seq = 1, .ack = 1);
    expect_state(STATE_SYN_RECEIVED);
}

/* What is unacceptable is not looked at further: no ACK, no URG, no text, no FIN. */
static void first_drops_all(void **state)
{
    (void)state;
    establish();
    user_sends(100);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 100);
    receive(.flags = FIN | URG | ACK, .seq = 10001, .ack = 101, .up = 5, .text = 10, .wnd = 77);
    expect(.flags = ACK, .seq = 101, .ack = 1);
    expect_state(STATE_ESTABLISHED);
    expect_events(0);
    assert_int_equal(the.tcb.snd.una.v, the.iss + 1);
    assert_int_equal(the.tcb.snd.wnd, 10000);
    receive(.flags = ACK, .seq = 1, .ack = 101);
}

/* SYN-RECEIVED: the peer's SYN again brings the SYN-ACK again, not an ACK (arrives_sync.c says
 * why). */
static void syn_again(void **state)
{
    (void)state;
    reach(STATE_SYN_RECEIVED);
    receive(.flags = SYN, .seq = 0, .mss = 1000);
    expect(.flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
    receive(.flags = SYN, .seq = 0, .mss = 1000);
    expect(.flags = SYN | ACK, .seq = 0, .ack = 1);
    receive(.flags = ACK, .seq = 1, .ack = 1);
    expect_state(STATE_ESTABLISHED);
}

/* ---- Second: RST (RFC 5961 3.2) ---- */

/* 2) exactly RCV.NXT: the connection ends. */
static void second_exact(void **state)
{
    (void)state;
    const int error[] = {
        [STATE_SYN_RECEIVED] = ERR_NONE, /* passive: "the user need not be informed" */
        [STATE_ESTABLISHED] = ERR_RESET, [STATE_FIN_WAIT_1] = ERR_RESET,
        [STATE_FIN_WAIT_2] = ERR_RESET,  [STATE_CLOSE_WAIT] = ERR_RESET,
        [STATE_CLOSING] = ERR_RESET,     [STATE_LAST_ACK] = ERR_RESET,
    };
    for (enum tcp_state s = STATE_SYN_RECEIVED; s < STATE_TIME_WAIT; s++) {
        reach(s);
        receive(.flags = RST, .seq = theirs());
        expect_closed(error[s]);
        expect_events(TCB_EV_CLOSED);
        again();
    }
}

/* The ACK field of a RST is not looked at (second before fifth), nor is its text (SHLD-2). */
static void second_before_fifth(void **state)
{
    (void)state;
    establish();
    receive(.flags = RST, .seq = 1, .text = 30);
    expect_closed(ERR_RESET);
    again();
    establish();
    struct line l = {.flags = RST | ACK | PSH, .seq = 1, .ack = 4711};
    ladder_receive(HERE, l);
    expect_closed(ERR_RESET);
}

/* RST before SYN. */
static void second_before_fourth(void **state)
{
    (void)state;
    establish();
    receive(.flags = RST | SYN, .seq = 1);
    expect_closed(ERR_RESET);
}

/* 3) elsewhere in the window: a challenge ACK, nothing else. */
static void second_challenge(void **state)
{
    (void)state;
    for (enum tcp_state s = STATE_SYN_RECEIVED; s < STATE_TIME_WAIT; s++) {
        reach(s);
        receive(.flags = RST, .seq = theirs() + 1);
        expect(.flags = ACK, .seq = ours(), .ack = theirs());
        receive(.flags = RST, .seq = theirs() + 9000);
        expect(.flags = ACK, .seq = ours(), .ack = theirs());
        expect_state(s);
        again();
    }
}

/* SYN-RECEIVED from an active OPEN: refused (MUST-11). */
static void second_active_syn_received(void **state)
{
    (void)state;
    open_active();
    expect(.flags = SYN, .seq = 0);
    receive(.flags = SYN, .seq = 0);
    expect(.flags = SYN | ACK, .seq = 0, .ack = 1);
    receive(.flags = RST, .seq = 1);
    expect_closed(ERR_REFUSED);
}

/* With text of ours not acknowledged, a RST in LAST-ACK is a loss that the user learns (MUST-12).
 */
static void second_last_ack_with_text(void **state)
{
    (void)state;
    reach(STATE_CLOSE_WAIT);
    user_sends(10);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 2, .text = 10);
    user_close();
    expect(.flags = FIN | ACK, .seq = 11, .ack = 2);
    receive(.flags = RST, .seq = 2);
    expect_closed(ERR_RESET);
}

/* ---- Fourth: SYN ---- */

/* SYN-RECEIVED, passive: back to LISTEN. */
static void fourth_passive_syn_received(void **state)
{
    (void)state;
    reach(STATE_SYN_RECEIVED);
    receive(.flags = SYN, .seq = 5);
    expect_closed(ERR_NONE);
}

/* All others, and SYN-RECEIVED from an active OPEN: a challenge ACK, "irrespective of the sequence
 * number" (RFC 5961 4.2). TIME-WAIT: also for a newer SYN; whether that opens a new connection is
 * asked before (tcp_arrives_reopens). */
static void fourth_challenge(void **state)
{
    (void)state;
    for (enum tcp_state s = STATE_ESTABLISHED; s <= STATE_TIME_WAIT; s++) {
        reach(s);
        const uint32_t at[] = {theirs(), theirs() + 500, theirs() - 7, theirs() + 20000};
        for (unsigned i = 0; i < 4; i++) {
            receive(.flags = SYN, .seq = at[i]);
            expect(.flags = ACK, .seq = ours(), .ack = theirs());
            receive(.flags = SYN | ACK, .seq = at[i], .ack = ours());
            expect(.flags = ACK, .seq = ours(), .ack = theirs());
        }
        expect_state(s);
        again();
    }
    open_active();
    expect(.flags = SYN, .seq = 0);
    receive(.flags = SYN, .seq = 0);
    expect(.flags = SYN | ACK, .seq = 0, .ack = 1);
    receive(.flags = SYN, .seq = 5);
    expect(.flags = ACK, .seq = 1, .ack = 1);
    expect_state(STATE_SYN_RECEIVED);
}

/* Then the segment is dropped: its ACK, text and FIN do nothing. */
static void fourth_before_fifth(void **state)
{
    (void)state;
    establish();
    user_sends(10);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    receive(.flags = SYN | FIN | ACK, .seq = 1, .ack = 11, .text = 5);
    expect(.flags = ACK, .seq = 11, .ack = 1);
    expect_state(STATE_ESTABLISHED);
    expect_events(0);
    receive(.flags = ACK, .seq = 1, .ack = 11);
}

/* ---- Fifth: ACK ---- */

/* "if the ACK bit is off, drop the segment": text and FIN too. */
static void fifth_without_ack(void **state)
{
    (void)state;
    for (EACH_STATE(s)) {
        reach(s);
        receive(.flags = FIN | PSH | URG, .seq = theirs(), .text = 10, .up = 3);
        expect_state(s);
        expect_events(0);
        again();
    }
}

/* SYN-RECEIVED: an ACK of something else is answered with <SEQ=SEG.ACK><CTL=RST>, and the state
 * remains (3.5.2, group 2). */
static void fifth_syn_received(void **state)
{
    (void)state;
    reach(STATE_SYN_RECEIVED);
    receive(.flags = ACK, .seq = 1, .ack = 0);
    expect(.flags = RST, .seq = 0);
    receive(.flags = ACK, .seq = 1, .ack = 2, .text = 4);
    expect(.flags = RST, .seq = 2);
    expect_state(STATE_SYN_RECEIVED);
    receive(.flags = ACK, .seq = 1, .ack = 1, .wnd = 4444);
    expect_state(STATE_ESTABLISHED);
    assert_int_equal(the.tcb.snd.wnd, 4444);
    assert_int_equal(the.tcb.snd.wl1.v, the.irs + 1);
    assert_int_equal(the.tcb.snd.wl2.v, the.iss + 1);
}

/* RFC 5961 5.2 (MAY-12): SND.UNA - MAX.SND.WND =< SEG.ACK =< SND.NXT, or an ACK and no more. */
static void fifth_range(void **state)
{
    (void)state;
    for (enum tcp_state s = STATE_ESTABLISHED; s <= STATE_TIME_WAIT; s++) {
        reach(s);
        const uint32_t una = the.tcb.snd.una.v - the.iss;
        receive(.flags = ACK, .seq = theirs(), .ack = ours() + 1, .text = 5);
        expect(.flags = ACK, .seq = ours(), .ack = theirs());
        receive(.flags = FIN | ACK, .seq = theirs(), .ack = una - 10001);
        expect(.flags = ACK, .seq = ours(), .ack = theirs());
        receive(.flags = ACK, .seq = theirs(), .ack = una + 0x80000000u);
        expect(.flags = ACK, .seq = ours(), .ack = theirs());
        expect_state(s);
        expect_events(0);
        receive(.flags = ACK, .seq = theirs(), .ack = una - 10000); /* just old */
        expect_state(s);
        again();
    }
}

/* An old ACK is ignored, the text with it is not. */
static void fifth_old_ack(void **state)
{
    (void)state;
    establish();
    user_sends(10);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    receive(.flags = ACK, .seq = 1, .ack = 11);
    receive(.flags = ACK, .seq = 1, .ack = 1, .text = 7);
    user_receives(7);
    later(40);
    expect(.flags = ACK, .seq = 11, .ack = 8);
}

/* FIN-WAIT-1: only the ACK of the FIN leads on. */
static void fifth_fin_wait_1(void **state)
{
    (void)state;
    establish();
    user_sends(10);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    user_close();
    expect(.flags = FIN | ACK, .seq = 11, .ack = 1);
    receive(.flags = ACK, .seq = 1, .ack = 11);
    expect_state(STATE_FIN_WAIT_1);
    receive(.flags = ACK, .seq = 1, .ack = 12);
    expect_state(STATE_FIN_WAIT_2);
}

/* CLOSING and LAST-ACK: "if the ACK acknowledges our FIN", "otherwise, ignore the segment". */
static void fifth_closing_and_last_ack(void **state)
{
    (void)state;
    reach(STATE_CLOSING);
    receive(.flags = ACK, .seq = 2, .ack = 1);
    expect_state(STATE_CLOSING);
    receive(.flags = ACK, .seq = 2, .ack = 2);
    expect_state(STATE_TIME_WAIT);
    again();
    reach(STATE_LAST_ACK);
    receive(.flags = ACK, .seq = 2, .ack = 1);
    expect_state(STATE_LAST_ACK);
    receive(.flags = ACK, .seq = 2, .ack = 2);
    expect_closed(ERR_NONE);
}

/* Figure 8, line 6 (MUST-10): the peer's SYN-ACK completes a simultaneous open, and
 * asks for no ACK. */
static void simultaneous_open_by_syn_ack(void **state)
{
    (void)state;
    open_active();
    expect(.flags = SYN, .seq = 0);
    receive(.flags = SYN, .seq = 0, .mss = 1000);
    expect(.flags = SYN | ACK, .seq = 0, .ack = 1);
    receive(.flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
    expect_state(STATE_ESTABLISHED);
    user_sends(1);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1);
}

/* RFC 5961 3.2 1): a RST at the right edge is outside of the window. */
static void rst_at_the_edge(void **state)
{
    (void)state;
    establish();
    receive(.flags = RST, .seq = 10001);
    expect_silence();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ladder_test(first_empty_segment),
        ladder_test(first_text),
        ladder_test(first_window_shut),
        ladder_test(first_window_shut_rst),
        ladder_test(first_rst_outside),
        ladder_test(first_before_fourth),
        ladder_test(first_drops_all),
        ladder_test(syn_again),
        ladder_test(second_exact),
        ladder_test(second_before_fifth),
        ladder_test(second_before_fourth),
        ladder_test(second_challenge),
        ladder_test(second_active_syn_received),
        ladder_test(second_last_ack_with_text),
        ladder_test(fourth_passive_syn_received),
        ladder_test(fourth_challenge),
        ladder_test(fourth_before_fifth),
        ladder_test(fifth_without_ack),
        ladder_test(fifth_syn_received),
        ladder_test(fifth_range),
        ladder_test(fifth_old_ack),
        ladder_test(fifth_fin_wait_1),
        ladder_test(fifth_closing_and_last_ack),
        ladder_test(simultaneous_open_by_syn_ack),
        ladder_test(rst_at_the_edge),
    };
    return ladder_main(tests);
}
