/* arrives.c: SEGMENT ARRIVES in CLOSED, LISTEN and SYN-SENT (RFC 9293 3.10.7.1-3), and what the two
 * SYNs agree on: MSS (3.7.1) and window scale (RFC 7323 2). */
#include "arrives.h"
#include "segments.h"
#include "user.h"

/* ---- 3.10.7.1 ---- */

static void closed_answers_rst(void **state)
{
    (void)state;
    reach(STATE_CLOSED);
    receive(.flags = ACK, .seq = 17, .ack = 23, .text = 5);
    expect(.flags = RST, .seq = 23);
    receive(.flags = SYN, .seq = 17);
    expect(.flags = RST | ACK, .seq = 0, .ack = 18);
    receive(.flags = RST, .seq = 17);
    expect_state(STATE_CLOSED);
}

/* ---- 3.10.7.2 ---- */

/* First: a RST is ignored, even with an ACK, which would be answered. */
static void listen_first_rst(void **state)
{
    (void)state;
    open_passive();
    receive(.flags = RST, .seq = 0);
    receive(.flags = RST | ACK, .seq = 0, .ack = 1);
    receive(.flags = RST | SYN, .seq = 0);
    expect_state(STATE_LISTEN);
}

/* Second: any ACK is bad, even with a SYN. */
static void listen_second_ack(void **state)
{
    (void)state;
    open_passive();
    receive(.flags = ACK, .seq = 5, .ack = 77);
    expect(.flags = RST, .seq = 77);
    receive(.flags = SYN | ACK, .seq = 0, .ack = 1);
    expect(.flags = RST, .seq = 1);
    receive(.flags = FIN | ACK, .seq = 5, .ack = 78, .text = 9);
    expect(.flags = RST, .seq = 78);
    expect_state(STATE_LISTEN);
}

/* Third: a SYN. */
static void listen_third_syn(void **state)
{
    (void)state;
    open_passive();
    receive(.flags = SYN, .seq = 0, .wnd = 4000, .mss = 900);
    expect(.flags = SYN | ACK, .seq = 0, .ack = 1, .wnd = 10000, .mss = 1000, .scale = NONE);
    expect_state(STATE_SYN_RECEIVED);
    assert_true(the.tcb.passive); /* MUST-11 */
    assert_int_equal(the.tcb.rcv.irs.v, the.irs);
    assert_int_equal(the.tcb.snd.una.v, the.iss);
    assert_int_equal(the.tcb.snd.nxt.v, the.iss + 1);
    assert_int_equal(the.tcb.snd.wnd, 4000);
}

/* Fourth: anything else is dropped. */
static void listen_fourth_other(void **state)
{
    (void)state;
    open_passive();
    receive(.flags = PSH, .seq = 1, .text = 10);
    receive(.flags = FIN, .seq = 1);
    receive(.flags = URG, .seq = 1, .up = 3);
    expect_state(STATE_LISTEN);
}

/* tcp_arrives_listen() says the same before there is a connection. */
static void listen_without_a_connection(void **state)
{
    (void)state;
    for (unsigned flags = 0; flags < 64; flags++) {
        struct seg seg = {.flags = (uint8_t)flags};
        enum arrives_listen want = flags & RST   ? LISTEN_DROP
                                   : flags & ACK ? LISTEN_ANSWER_RST
                                   : flags & SYN ? LISTEN_OPEN
                                                 : LISTEN_DROP;
        assert_int_equal(tcp_arrives_listen(&seg), want);
    }
}

/* Text with the SYN is not acknowledged (arrives.c says why), and taken when it comes again. */
static void listen_syn_with_text(void **state)
{
    (void)state;
    open_passive();
    receive(.flags = SYN, .seq = 0, .text = 50, .mss = 1000);
    expect(.flags = SYN | ACK, .seq = 0, .ack = 1);
    receive(.flags = ACK, .seq = 1, .ack = 1, .text = 50);
    expect_state(STATE_ESTABLISHED);
    user_receives(50);
    later(40);
    expect(.flags = ACK, .seq = 1, .ack = 51);
}

/* Figure 9 from the side of B: the RST of a peer that knows nothing of the SYN. */
static void old_duplicate_syn(void **state)
{
    (void)state;
    open_passive();
    receive(.flags = SYN, .seq = 0);
    expect(.flags = SYN | ACK, .seq = 0, .ack = 1);
    receive(.flags = RST, .seq = 1);
    expect_closed(ERR_NONE);
}

/* ---- 3.10.7.3 ---- */

/* First: an ACK outside of ISS < SEG.ACK =< SND.NXT is answered with RST, unless it is one. Figure
 * 10, line 4: this is how a half-open connection is discovered. */
static void syn_sent_first_ack(void **state)
{
    (void)state;
    reach(STATE_SYN_SENT);
    receive(.flags = ACK, .seq = 300, .ack = 0);
    expect(.flags = RST, .seq = 0);
    receive(.flags = SYN | ACK, .seq = 300, .ack = 2);
    expect(.flags = RST, .seq = 2);
    receive(.flags = ACK, .seq = 300, .ack = (uint32_t)-100, .text = 3);
    expect(.flags = RST, .seq = (uint32_t)-100);
    receive(.flags = RST | ACK, .seq = 0, .ack = 2);
    receive(.flags = RST | ACK, .seq = 0, .ack = 0);
    expect_state(STATE_SYN_SENT);
}

/* Second: a RST counts when its ACK acknowledges the SYN (3.5.3). */
static void syn_sent_second_rst(void **state)
{
    (void)state;
    reach(STATE_SYN_SENT);
    receive(.flags = RST, .seq = 0);
    expect_state(STATE_SYN_SENT);
    receive(.flags = RST | SYN, .seq = 0);
    expect_state(STATE_SYN_SENT);
    receive(.flags = RST | ACK, .seq = 0, .ack = 1);
    expect_closed(ERR_REFUSED);
    expect_events(TCB_EV_CLOSED);
}

/* The RST comes before the SYN bit. */
static void syn_sent_rst_before_syn(void **state)
{
    (void)state;
    reach(STATE_SYN_SENT);
    receive(.flags = RST | SYN | ACK, .seq = 0, .ack = 1);
    expect_closed(ERR_REFUSED);
}

/* Fourth: SYN with an ACK. */
static void syn_sent_fourth_syn_ack(void **state)
{
    (void)state;
    reach(STATE_SYN_SENT);
    at(100);
    receive(.flags = SYN | ACK, .seq = 0, .ack = 1, .wnd = 3000, .mss = 700);
    expect(.flags = ACK, .seq = 1, .ack = 1, .wnd = 10000);
    expect_state(STATE_ESTABLISHED);
    expect_events(TCB_EV_ESTABLISHED);
    assert_int_equal(the.tcb.snd.una.v, the.iss + 1);
    assert_int_equal(the.tcb.snd.wnd, 3000);
    assert_int_equal(the.tcb.snd.mss, 700);
    assert_int_equal(rto_srtt_ns(&the.tcb.rto), 100 * NS_PER_MS);
}

/* "If there are other controls or text in the segment, then continue processing at the sixth
 * step." */
static void syn_ack_with_text_and_fin(void **state)
{
    (void)state;
    reach(STATE_SYN_SENT);
    receive(.flags = SYN | ACK | FIN, .seq = 0, .ack = 1, .text = 20);
    expect_state(STATE_CLOSE_WAIT);
    expect(.flags = ACK, .seq = 1, .ack = 22);
    user_receives(20);
    assert_int_equal(user_receive(1), 0);
}

/* "Data or controls that were queued for transmission MAY be included" (U-3). */
static void queued_text_goes_with_the_ack(void **state)
{
    (void)state;
    reach(STATE_SYN_SENT);
    user_sends(100);
    receive(.flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 100);
}

/* Fourth: SYN without an ACK (3.5, MUST-10). */
static void syn_sent_fourth_syn(void **state)
{
    (void)state;
    reach(STATE_SYN_SENT);
    receive(.flags = SYN, .seq = 0, .wnd = 3000, .mss = 700);
    expect(.flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
    expect_state(STATE_SYN_RECEIVED);
    expect_events(0);
    assert_false(the.tcb.passive); /* MUST-11 */
    assert_int_equal(the.tcb.snd.wnd, 3000);
    receive(.flags = RST, .seq = 1); /* hence: refused */
    expect_closed(ERR_REFUSED);
}

/* Fifth: neither SYN nor RST. */
static void syn_sent_fifth_other(void **state)
{
    (void)state;
    reach(STATE_SYN_SENT);
    receive(.flags = ACK, .seq = 1, .ack = 1, .text = 5);
    receive(.flags = FIN, .seq = 1);
    receive(.flags = 0, .seq = 1, .text = 5);
    expect_state(STATE_SYN_SENT);
}

/* ---- 3.7.1: MSS ---- */

/* MUST-15, MUST-16; the floor against CVE-2019-11479. */
static void mss_taken(void **state)
{
    (void)state;
    const struct {
        int option;
        unsigned effective;
    } cases[] = {
        {NONE, 536}, {ZERO, 48}, {1, 48},      {47, 48},     {48, 48},      {49, 49},
        {536, 536},  {900, 900}, {1000, 1000}, {1001, 1000}, {65535, 1000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned mss = cases[i].effective;
        establish(.mss = cases[i].option);
        user_sends(2 * mss);
        expect(.flags = ACK, .seq = 1, .ack = 1, .text = mss);
        expect(.flags = PSH | ACK, .seq = 1 + mss, .ack = 1, .text = mss);
        assert_int_equal(the.tcb.busy->cc.mss, mss);
        again();
    }
}

static void mss_v6(void **state)
{
    (void)state;
    the.flow.local = the.flow.remote = (struct ip_addr){{0x20, 1, [15] = 1}};
    the.path.mtu = 1500;
    open_active();
    expect(.flags = SYN, .seq = 0, .mss = 1440);
    receive(.flags = SYN | ACK, .seq = 0, .ack = 1);
    expect(.flags = ACK, .seq = 1, .ack = 1);
    assert_int_equal(the.tcb.snd.mss, 1220);
}

/* A path whose MTU is below what the peer's silence would allow. */
static void mss_small_path(void **state)
{
    (void)state;
    the.path.mtu = 340;
    open_active();
    expect(.flags = SYN, .seq = 0, .mss = 300); /* MUST-14, SHLD-5 */
    receive(.flags = SYN | ACK, .seq = 0, .ack = 1);
    expect(.flags = ACK, .seq = 1, .ack = 1);
    assert_int_equal(the.tcb.snd.mss, 300);
}

static void mss_passive(void **state)
{
    (void)state;
    the.path.mtu = 1500;
    open_passive();
    receive(.flags = SYN, .seq = 0, .mss = 1300);
    expect(.flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1460);
    assert_int_equal(the.tcb.snd.mss, 1300);
}

/* ---- RFC 7323 2 ---- */

/* 2.2: a window in a SYN is never scaled; afterwards both are. */
static void scale_active(void **state)
{
    (void)state;
    the.config.rcvbuf = the.config.rcvbuf_max = 1 << 20;
    open_active();
    expect(.flags = SYN, .seq = 0, .wnd = 65535, .scale = 5);
    receive(.flags = SYN | ACK, .seq = 0, .ack = 1, .wnd = 700, .mss = 1000, .scale = 3);
    assert_int_equal(the.tcb.snd.wnd, 700);
    expect(.flags = ACK, .seq = 1, .ack = 1, .wnd = 1049000 >> 5); /* whole segments */
    receive(.flags = ACK, .seq = 1, .ack = 1, .wnd = 700);
    assert_int_equal(the.tcb.snd.wnd, 700 << 3);
}

static void scale_passive(void **state)
{
    (void)state;
    the.config.rcvbuf = the.config.rcvbuf_max = 1 << 20;
    open_passive();
    receive(.flags = SYN, .seq = 0, .wnd = 700, .scale = 2);
    expect(.flags = SYN | ACK, .seq = 0, .ack = 1, .wnd = 65535, .scale = 5);
    receive(.flags = ACK, .seq = 1, .ack = 1, .wnd = 900);
    assert_int_equal(the.tcb.snd.wnd, 900 << 2);
}

/* 2.3: a shift above 14 is used as 14. */
static void scale_of_15(void **state)
{
    (void)state;
    establish(.scale = 15);
    receive(.flags = ACK, .seq = 1, .ack = 1, .wnd = 65535);
    assert_int_equal(the.tcb.snd.wnd, 65535 << 14);
}

/* 1.3 and 2.2: a peer that does not offer it: neither side scales. */
static void scale_not_offered_by_peer(void **state)
{
    (void)state;
    the.config.rcvbuf = the.config.rcvbuf_max = 1 << 20;
    establish(.wnd = 500);
    receive(.flags = ACK, .seq = 1, .ack = 1, .text = 1);
    assert_int_equal(the.tcb.snd.wnd, 500);
    assert_int_equal(the.tcb.rcvwnd.shift, 0);
    later(40);
    expect(.flags = ACK, .seq = 1, .ack = 2, .wnd = 65535);
}

/* 2.2: the option goes into a SYN-ACK only when the SYN had it. */
static void scale_not_offered_to_us(void **state)
{
    (void)state;
    the.config.rcvbuf = the.config.rcvbuf_max = 1 << 20;
    open_passive();
    receive(.flags = SYN, .seq = 0, .scale = NONE);
    expect(.flags = SYN | ACK, .seq = 0, .ack = 1, .scale = NONE, .wnd = 65535);
    receive(.flags = ACK, .seq = 1, .ack = 1, .text = 1);
    later(40);
    expect(.flags = ACK, .seq = 1, .ack = 2, .wnd = 65535);
}

/* In a SYN-ACK that is sent again, and in a simultaneous open, the options are still there. */
static void options_in_every_syn(void **state)
{
    (void)state;
    the.config.rcvbuf = the.config.rcvbuf_max = 1 << 20;
    open_active();
    expect(.flags = SYN, .seq = 0, .mss = 1000, .scale = 5);
    at(1000);
    expect(.flags = SYN, .seq = 0, .mss = 1000, .scale = 5);
    receive(.flags = SYN, .seq = 0, .scale = ZERO);
    expect(.flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000, .scale = 5);
}

/* ---- 3.6.1, MAY-2 ---- */

static bool reopens(unsigned flags, uint32_t at)
{
    struct seg seg = {.flags = (uint8_t)flags, .seq = seq(the.irs + at)};
    return tcp_arrives_reopens(&the.tcb, &seg);
}

static void newer_syn_reopens(void **state)
{
    (void)state;
    reach(STATE_TIME_WAIT); /* RCV.NXT is 2 */
    assert_true(reopens(SYN, 3));
    assert_true(reopens(SYN, 2 + 0x7fffffffu));
    assert_false(reopens(SYN, 1));
    assert_false(reopens(SYN, 2));
    assert_false(reopens(SYN | ACK, 3));
    assert_false(reopens(SYN | RST, 3));
    assert_false(reopens(ACK, 3));
    again();
    reach(STATE_FIN_WAIT_2);
    assert_false(reopens(SYN, 5));
}

/* Nothing was lost: RTO and cwnd are as ever (RFC 6298 5.7, RFC 5681 3.1). */
static void simultaneous_open_loses_nothing(void **state)
{
    (void)state;
    open_active();
    expect(.flags = SYN, .seq = 0);
    receive(.flags = SYN, .seq = 0, .mss = 1000);
    expect(.flags = SYN | ACK, .seq = 0, .ack = 1);
    at(100);
    receive(.flags = ACK, .seq = 1, .ack = 1);
    expect_state(STATE_ESTABLISHED);
    assert_int_equal(the.tcb.busy->cc.cwnd, 10000);
    assert_true(tcb_rto_ns(&the.tcb) <= NS_PER_S);
}

/* A stack that is told to does without: neither offered nor answered, whatever SO_RCVBUF says. */
static void no_scaling(void **state)
{
    (void)state;
    for (unsigned passive = 0; passive < 2; passive++) {
        the.config.rcvbuf = the.config.rcvbuf_max = 1 << 20;
        the.config.window_scaling = false;
        ladder_open(HERE, passive);
        struct tcp_settings settings = *the.tcb.settings;
        settings.rcvbuf = 2 << 20;
        ladder_set(&settings);
        if (passive)
            receive(.flags = SYN, .seq = 0, .wnd = 700, .scale = 3);
        expect(.flags = passive ? SYN | ACK : SYN, .seq = 0, .ack = passive, .wnd = 65535,
               .scale = NONE);
        if (passive)
            receive(.flags = ACK, .seq = 1, .ack = 1, .wnd = 700);
        else
            receive(.flags = SYN | ACK, .seq = 0, .ack = 1, .wnd = 700, .scale = 3);
        ignore();
        assert_int_equal(the.tcb.snd.wnd, 700);
        receive(.flags = FIN | ACK, .seq = 1, .ack = 1);
        expect(.flags = ACK, .seq = 1, .ack = 2, .wnd = 65535);
        again();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ladder_test(closed_answers_rst),
        ladder_test(listen_first_rst),
        ladder_test(listen_second_ack),
        ladder_test(listen_third_syn),
        ladder_test(listen_fourth_other),
        ladder_test(listen_without_a_connection),
        ladder_test(listen_syn_with_text),
        ladder_test(old_duplicate_syn),
        ladder_test(syn_sent_first_ack),
        ladder_test(syn_sent_second_rst),
        ladder_test(syn_sent_rst_before_syn),
        ladder_test(syn_sent_fourth_syn_ack),
        ladder_test(syn_ack_with_text_and_fin),
        ladder_test(queued_text_goes_with_the_ack),
        ladder_test(syn_sent_fourth_syn),
        ladder_test(syn_sent_fifth_other),
        ladder_test(mss_taken),
        ladder_test(mss_v6),
        ladder_test(mss_small_path),
        ladder_test(mss_passive),
        ladder_test(scale_active),
        ladder_test(scale_passive),
        ladder_test(no_scaling),
        ladder_test(scale_of_15),
        ladder_test(scale_not_offered_by_peer),
        ladder_test(scale_not_offered_to_us),
        ladder_test(options_in_every_syn),
        ladder_test(newer_syn_reopens),
        ladder_test(simultaneous_open_loses_nothing),
    };
    return ladder_main(tests);
}
