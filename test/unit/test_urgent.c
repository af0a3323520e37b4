/* urgent.c and output.c: urgent data that is sent (RFC 9293 3.8.5, 3.10.2). segments.h checks the
 * pointer of every segment against SND.UP. */
#include "arrives.h"
#include "much_text.h"
#include "no_memory.h"
#include "output.h"
#include "segments.h"
#include "timeout.h"
#include "urgent.h"
#include "user.h"

/* A congestion window that stands in nobody's way. */
static void wide_cwnd(void)
{
    the.tcb.busy->cc.cwnd = 200000;
    the.tcb.last_sent_ns = the.now_ns; /* or it would count as idle */
}

/* MUST-62: the pointer is an offset from SEG.SEQ to the octet behind the urgent data. */
static void pointer_behind_the_data(void **state)
{
    (void)state;
    establish();
    user_sends_urgent(10);
    expect(.flags = PSH | ACK | URG, .seq = 1, .ack = 1, .text = 10, .up = 10);
    user_sends_urgent(1);
    expect(.flags = PSH | ACK | URG, .seq = 11, .ack = 1, .text = 1, .up = 1);
    receive(.flags = ACK, .seq = 1, .ack = 12);
    user_sends(10);
    expect(.flags = PSH | ACK, .seq = 12, .ack = 1, .text = 10);
    receive(.flags = ACK, .seq = 1, .ack = 22);
}

/* MUST-31: of any length; every segment that begins with urgent data has the pointer, and none
 * behind it. */
static void any_length(void **state)
{
    (void)state;
    establish();
    wide_cwnd();
    user_sends_urgent(4500);
    batch();
    user_sends(1500);
    for (uint32_t i = 0; i < 5; i++)
        expect(.flags = ACK | URG, .seq = 1 + 1000 * i, .ack = 1, .text = 1000,
               .up = (uint16_t)(4500 - 1000 * i));
    expect(.flags = PSH | ACK, .seq = 5001, .ack = 1, .text = 1000);
    receive(.flags = ACK, .seq = 1, .ack = 6001);
}

/* All up to the pointer is urgent, whatever SEND it came by. */
static void text_before_it(void **state)
{
    (void)state;
    establish();
    user_sends(10);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    user_sends(700); /* Nagle keeps it */
    user_sends_urgent(1);
    expect(.flags = PSH | ACK | URG, .seq = 11, .ack = 1, .text = 701, .up = 701);
    receive(.flags = ACK, .seq = 1, .ack = 712);
}

/* 3.10.2: in all states that take text, and none has moved SND.UP where it is refused. */
static void send_in_each_state(void **state)
{
    (void)state;
    for (enum tcp_state s = STATE_CLOSED; s <= STATE_TIME_WAIT; s++) {
        reach(s);
        seq_t up = the.tcb.snd.up;
        bool takes = s == STATE_SYN_SENT || s == STATE_SYN_RECEIVED || s == STATE_ESTABLISHED ||
                     s == STATE_CLOSE_WAIT;
        int64_t n = ladder_send(HERE, 10, true);
        assert_int_equal(n == 10, takes);
        assert_true(takes || seq_eq(the.tcb.snd.up, up));
        if (s == STATE_ESTABLISHED || s == STATE_CLOSE_WAIT)
            expect(.flags = PSH | ACK | URG, .seq = 1, .ack = theirs(), .text = 10, .up = 10);
        again();
    }
}

/* 3.10.1: "must be sent with the data segments sent as a result of this command", and not before
 * them. */
static void sent_before_established(void **state)
{
    (void)state;
    open_active();
    batch();
    user_sends_urgent(10);
    batch();
    user_sends(5);
    expect(.flags = SYN, .seq = 0);
    receive(.flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
    expect(.flags = PSH | ACK | URG, .seq = 1, .ack = 1, .text = 15, .up = 10);
    receive(.flags = ACK, .seq = 1, .ack = 16);
}

/* What was not taken is not urgent. */
static void part_of_it_is_taken(void **state)
{
    (void)state;
    the.config.sndbuf = 1500;
    establish(.wnd = ZERO);
    assert_int_equal(ladder_send(HERE, 2000, true), 1500);
    expect(.flags = ACK | URG, .seq = 1, .ack = 1, .up = 1500);
    assert_int_equal(ladder_send(HERE, 1, true), ERR_AGAIN);
    assert_int_equal(ladder_send(HERE, 0, true), 0);
    assert_int_equal(seq_diff(the.tcb.snd.up, seq(the.iss + 1)), 1500);
    receive(.flags = ACK, .seq = 1, .ack = 1, .wnd = 500);
    expect(.flags = ACK | URG, .seq = 1, .ack = 1, .text = 500, .up = 1500);
    receive(.flags = ACK, .seq = 1, .ack = 501, .wnd = ZERO);
}

static void no_memory(void **state)
{
    (void)state;
    establish();
    test_mem_fail_at(&the.mem, 1);
    assert_int_equal(ladder_send(HERE, 10, true), ERR_NOMEM);
    test_mem_fail_at(&the.mem, 0);
    user_sends(10);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    receive(.flags = ACK, .seq = 1, .ack = 11);
}

/* ---- When it goes ---- */

/* Not held back by Nagle; plain text behind it is. */
static void no_nagle(void **state)
{
    (void)state;
    establish();
    user_sends(10);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    user_sends_urgent(1);
    expect(.flags = PSH | ACK | URG, .seq = 11, .ack = 1, .text = 1, .up = 1);
    user_sends(10);
    expect_silence();
    receive(.flags = ACK, .seq = 1, .ack = 12);
    expect(.flags = PSH | ACK, .seq = 12, .ack = 1, .text = 10);
    receive(.flags = ACK, .seq = 1, .ack = 22);
}

/* The peer's window is shut: it is told at once all the same that there is urgent data, and where
 * that ends by then with every probe. */
static void window_shut(void **state)
{
    (void)state;
    establish(.wnd = ZERO);
    user_sends(5);
    user_sends_urgent(10);
    expect(.flags = ACK | URG, .seq = 1, .ack = 1, .up = 15);
    later(100);
    user_sends_urgent(5);
    expect_silence();
    at(400);
    expect(.flags = ACK | URG, .seq = 1, .ack = 1, .text = 1, .up = 20);
    user_sends_urgent(5);
    at(1000);
    expect(.flags = ACK | URG, .seq = 1, .ack = 1, .text = 1, .up = 25);
    receive(.flags = ACK, .seq = 1, .ack = 2, .wnd = 5000);
    expect(.flags = PSH | ACK | URG, .seq = 2, .ack = 1, .text = 24, .up = 24);
    receive(.flags = ACK, .seq = 1, .ack = 26);
}

/* SND.NXT lies beyond the window, and what goes there would be thrown away. */
static void window_probed(void **state)
{
    (void)state;
    establish(.wnd = ZERO);
    user_sends(10);
    at(400);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1);
    user_sends_urgent(5);
    expect(.flags = ACK | URG, .seq = 1, .ack = 1, .up = 15);
    at(1000);
    expect(.flags = ACK | URG, .seq = 1, .ack = 1, .text = 1, .up = 15);
    receive(.flags = ACK, .seq = 1, .ack = 2, .wnd = 5000);
    expect(.flags = PSH | ACK | URG, .seq = 2, .ack = 1, .text = 14, .up = 14);
    receive(.flags = ACK, .seq = 1, .ack = 16);
}

/* So it is when the congestion window is full, or when what is lost has to go first. */
static void cwnd_full(void **state)
{
    (void)state;
    establish();
    the.tcb.busy->cc.cwnd = 4000;
    user_sends(6000);
    for (uint32_t i = 0; i < 4; i++)
        expect(.flags = ACK, .seq = 1 + 1000 * i, .ack = 1, .text = 1000);
    user_sends_urgent(1);
    expect(.flags = ACK | URG, .seq = 4001, .ack = 1, .up = 2001);
    expect_silence();
    at(400); /* what went without the pointer has it when it goes again */
    expect(.flags = ACK | URG, .seq = 1, .ack = 1, .text = 1000, .up = 6001);
    user_sends_urgent(1);
    expect_silence();
    receive(.flags = ACK, .seq = 1, .ack = 4001);
    expect(.flags = ACK | URG, .seq = 4001, .ack = 1, .text = 1000, .up = 2002);
    expect(.flags = ACK | URG, .seq = 5001, .ack = 1, .text = 1000, .up = 1002);
    receive(.flags = ACK, .seq = 1, .ack = 6001);
    expect(.flags = PSH | ACK | URG, .seq = 6001, .ack = 1, .text = 2, .up = 2);
    receive(.flags = ACK, .seq = 1, .ack = 6003);
}

/* An ACK that has to go anyway tells it, and no second one follows; but one does when all that was
 * urgent has gone and there is more. */
static void told_once(void **state)
{
    (void)state;
    establish(.wnd = 3);
    receive(.flags = FIN | ACK, .seq = 1, .ack = 1, .wnd = ZERO, .text = 10);
    batch();
    user_sends_urgent(3);
    expect(.flags = ACK | URG, .seq = 1, .ack = 12, .up = 3);
    user_sends_urgent(3);
    expect_silence();
    receive(.flags = ACK, .seq = 12, .ack = 1, .wnd = 6);
    expect(.flags = PSH | ACK | URG, .seq = 1, .ack = 12, .text = 6, .up = 6);
    receive(.flags = ACK, .seq = 12, .ack = 7, .wnd = ZERO);
    user_sends_urgent(3);
    expect(.flags = ACK | URG, .seq = 7, .ack = 12, .up = 3);
}

/* Sent again, by the timer and by duplicate ACKs: with the pointer as it is by then. */
static void again_with_the_newest(void **state)
{
    (void)state;
    establish();
    user_sends_urgent(10);
    expect(.flags = PSH | ACK | URG, .seq = 1, .ack = 1, .text = 10, .up = 10);
    user_sends_urgent(20);
    expect(.flags = PSH | ACK | URG, .seq = 11, .ack = 1, .text = 20, .up = 20);
    at(400);
    expect(.flags = PSH | ACK | URG, .seq = 1, .ack = 1, .text = 30, .up = 30);
    receive(.flags = ACK, .seq = 1, .ack = 31);
}

/* 3.10.4: the FIN is not urgent; what goes with it is. */
static void close_behind_it(void **state)
{
    (void)state;
    establish();
    user_sends_urgent(10);
    batch();
    user_close();
    expect(.flags = FIN | PSH | ACK | URG, .seq = 1, .ack = 1, .text = 10, .up = 10);
    receive(.flags = ACK, .seq = 1, .ack = 11);
    at(400);
    expect(.flags = FIN | ACK, .seq = 11, .ack = 1);
    receive(.flags = ACK, .seq = 1, .ack = 12);
    expect_state(STATE_FIN_WAIT_2);
}

/* A super-segment's packets would all have one pointer: none while there is one. */
static void no_super_segments(void **state)
{
    (void)state;
    the.path.super_max = 64000;
    establish(.wnd = 60000);
    wide_cwnd();
    user_sends(4000);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 4000, .gso = 1000);
    user_sends_urgent(2500);
    batch();
    user_sends(4000);
    expect(.flags = ACK | URG, .seq = 4001, .ack = 1, .text = 1000, .up = 2500, .gso = ZERO);
    expect(.flags = ACK | URG, .seq = 5001, .ack = 1, .text = 1000, .up = 1500, .gso = ZERO);
    expect(.flags = ACK | URG, .seq = 6001, .ack = 1, .text = 1000, .up = 500, .gso = ZERO);
    expect(.flags = PSH | ACK, .seq = 7001, .ack = 1, .text = 3500, .gso = 1000);
    at(400); /* nor when it is sent again */
    expect(.flags = ACK | URG, .seq = 1, .ack = 1, .text = 1000, .up = 6500, .gso = ZERO);
    receive(.flags = ACK, .seq = 1, .ack = 10501);
}

/* No urgent data is outstanding where nothing is: keep-alives, whose number lies below. */
static void keepalive_without(void **state)
{
    (void)state;
    the.config.keepalive =
        (struct keepalive_settings){.on = true, .idle_ms = 5000, .interval_ms = 1000, .probes = 3};
    establish();
    user_sends_urgent(10);
    expect(.flags = PSH | ACK | URG, .seq = 1, .ack = 1, .text = 10, .up = 10);
    receive(.flags = ACK, .seq = 1, .ack = 11);
    later(5000);
    expect(.flags = ACK, .seq = 10, .ack = 1);
    receive(.flags = ACK, .seq = 1, .ack = 11);
}

/* ---- Farther ahead than the field can say ---- */

static void clamped(void **state)
{
    (void)state;
    establish(.wnd = ZERO);
    user_sends(65534);
    user_sends_urgent(1);
    expect(.flags = ACK | URG, .seq = 1, .ack = 1, .up = 65535); /* it just reaches */
    user_sends_urgent(1000);                                     /* it does not */
    receive(.flags = ACK, .seq = 1, .ack = 1, .wnd = 3000);
    expect(.flags = ACK | URG, .seq = 1, .ack = 1, .text = 1000, .up = 65535);
    expect(.flags = ACK | URG, .seq = 1001, .ack = 1, .text = 1000, .up = 65535);
    expect(.flags = ACK | URG, .seq = 2001, .ack = 1, .text = 1000, .up = 64535);
    receive(.flags = ACK, .seq = 1, .ack = 3001, .wnd = ZERO);
}

/* A receiver that does as 3.8.5 says, by whatever segments reach it in whatever order, never has
 * all text up to a pointer that is not the end of a SEND with URGENT. */
static void never_a_wrong_end(void **state)
{
    (void)state;
    struct rnd rnd = rnd_start("never_a_wrong_end");
    const uint32_t len = 200000, end = 190001; /* SND.UP as a stream offset */
    bool *arrived = calloc(len, sizeof *arrived);
    assert_non_null(arrived);
    the.config.sndbuf = len;
    the.path.mtu = 4040;
    establish(.wnd = 65000, .mss = 4000, .scale = 4);
    wide_cwnd();
    user_sends(end - 1);
    batch();
    user_sends_urgent(1);
    batch();
    user_sends(len - end);
    uint32_t up = 0, nxt = 0;
    for (unsigned i = 0; nxt < len; i++) {
        struct seg seg;
        while (ladder_take(HERE, &seg)) {
            uint32_t at = seg_text_start(&seg).v - the.iss - 1;
            if (rnd_below(&rnd, 4) == 0)
                continue; /* lost */
            if ((seg.flags & URG) && at + seg.up > up)
                up = at + seg.up;
            for (uint32_t k = 0; k < seg.text_len; k++)
                arrived[at + k] = true;
            while (nxt < len && arrived[nxt])
                nxt++;
            assert_true(nxt < up || up == end);
        }
        later(1);
        receive(.flags = ACK, .seq = 1, .ack = nxt + 1, .wnd = 65000 >> 4);
        if (i % 8 == 7) {
            ignore();
            the.now_ns = tcp_deadline(&the.tcb);
            tcp_timeout(&the.tcb, the.now_ns);
        }
    }
    assert_int_equal(up, end);
    ignore();
    free(arrived);
}

/* Text that was sent before there was urgent data has arrived without a pointer: to point into it,
 * from what is sent again, would make its reader stop there. */
static void not_into_what_went_before(void **state)
{
    (void)state;
    the.config.sndbuf = 200000;
    the.path.mtu = 4040;
    establish(.wnd = 65000, .mss = 4000, .scale = 4);
    receive(.flags = ACK, .seq = 1, .ack = 1, .wnd = 10000);
    wide_cwnd();
    user_sends(80000);
    for (uint32_t i = 0; i < 20; i++)
        expect(.flags = i < 19 ? ACK : PSH | ACK, .seq = 1 + 4000 * i, .ack = 1, .text = 4000);
    user_sends_urgent(80000);
    ignore();
    at(400);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 4000); /* 65535 ahead is what went before */
    receive(.flags = ACK, .seq = 1, .ack = 16001);
    expect(.flags = ACK | URG, .seq = 16001, .ack = 1, .text = 4000, .up = 65535);
    ignore();
}

/* ---- Numbers that wrap ---- */

/* A pointer long past does not become one far ahead, neither after half the sequence space nor
 * after all of it. */
static void long_after(void **state)
{
    (void)state;
    much_text_allow();
    establish(.wnd = 65535, .scale = 14);
    user_sends_urgent(10);
    expect(.flags = PSH | ACK | URG, .seq = 1, .ack = 1, .text = 10, .up = 10);
    receive(.flags = ACK, .seq = 1, .ack = 11);
    assert_false(much_text_goes(UINT64_C(1) << 31) & URG);
    uint8_t octet = 0;
    struct seg seg;
    for (int i = 0; i < 2; i++) {
        int64_t n = tcp_urgent_send(&the.tcb, &octet, 1);
        no_memory_told(n == ERR_NOMEM);
        assert_int_equal(n, 1);
        assert_true(tcp_output(&the.tcb, &seg, the.now_ns));
        assert_int_equal(seg.flags, ACK | PSH | URG);
        assert_int_equal(seg.up, 1);
        seg = (struct seg){
            .flags = ACK, .seq = the.tcb.rcv.nxt, .ack = the.tcb.snd.nxt, .wnd = the.peer_wnd};
        tcp_arrives(&the.tcb, &seg, the.now_ns);
        assert_false(much_text_goes(UINT64_C(1) << 31) & URG);
    }
    assert_true(the.tcb.octets_acked > UINT64_C(3) << 31);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ladder_test(pointer_behind_the_data),
        ladder_test(any_length),
        ladder_test(text_before_it),
        ladder_test(send_in_each_state),
        ladder_test(sent_before_established),
        ladder_test(part_of_it_is_taken),
        ladder_test(no_memory),
        ladder_test(no_nagle),
        ladder_test(window_shut),
        ladder_test(window_probed),
        ladder_test(cwnd_full),
        ladder_test(told_once),
        ladder_test(again_with_the_newest),
        ladder_test(close_behind_it),
        ladder_test(no_super_segments),
        ladder_test(keepalive_without),
        ladder_test(clamped),
        ladder_test(never_a_wrong_end),
        ladder_test(not_into_what_went_before),
        ladder_test(long_after),
    };
    return ladder_main(tests);
}
