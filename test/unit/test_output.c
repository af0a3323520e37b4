/* output.c: what the next segment is: segmentation (RFC 9293 3.7), silly window avoidance of the
 * sender (3.8.6.2.1), Nagle (3.7.4, A.3), the peer's window (3.8.6), and what is announced. */
#include "much_text.h"
#include "output.h"
#include "segments.h"
#include "user.h"

/* ---- Segmentation ---- */

/* SHLD-28: as large as possible; MUST-61: PSH on the last that is buffered, SHLD-27: and only
 * there. */
static void segments_of_one_mss(void **state)
{
    (void)state;
    establish();
    user_sends(300);
    batch();
    user_sends(1700);
    batch();
    user_sends(1400);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    expect(.flags = ACK, .seq = 1001, .ack = 1, .text = 1000);
    expect(.flags = ACK, .seq = 2001, .ack = 1, .text = 1000);
    expect(.flags = PSH | ACK, .seq = 3001, .ack = 1, .text = 400);
    receive(.flags = ACK, .seq = 1, .ack = 3401);
}

/* A link that takes super-segments gets multiples of the MSS, and the odd rest behind them. */
static void super_segments(void **state)
{
    (void)state;
    the.path.super_max = 3999;
    establish(.wnd = 60000);
    the.tcb.busy->cc.cwnd = 60000;     /* in nobody's way */
    the.tcb.last_sent_ns = the.now_ns; /* or it would count as idle */
    user_sends(7300);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 3000, .gso = 1000);
    expect(.flags = ACK, .seq = 3001, .ack = 1, .text = 3000, .gso = 1000);
    expect(.flags = PSH | ACK, .seq = 6001, .ack = 1, .text = 1300, .gso = 1000);
    receive(.flags = ACK, .seq = 1, .ack = 7301);
    user_sends(1000);
    expect(.flags = PSH | ACK, .seq = 7301, .ack = 1, .text = 1000, .gso = ZERO);
    receive(.flags = ACK, .seq = 1, .ack = 8301);
}

/* So are they when they are sent again. */
static void super_segments_again(void **state)
{
    (void)state;
    the.path.super_max = 64000;
    establish();
    user_sends(4000);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 4000, .gso = 1000);
    at(400);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000, .gso = ZERO);
    receive(.flags = ACK, .seq = 1, .ack = 1001);
    expect(.flags = ACK, .seq = 1001, .ack = 1, .text = 2000, .gso = 1000);
    receive(.flags = ACK, .seq = 1, .ack = 4001);
}

/* Every number and every text in order, whatever the sizes; checked by segments.h octet by octet.
 */
static void a_long_transfer(void **state)
{
    (void)state;
    struct rnd rnd = rnd_start("a_long_transfer");
    for (unsigned super = 0; super <= 64000; super += 6400) {
        the.path.super_max = super;
        establish(.wnd = 50000);
        while (the.written < 100000) {
            uint32_t sent = ours();
            user_sends(1 + rnd_below(&rnd, 6000));
            ignore();
            if (ours() > sent) {
                later(1);
                receive(.flags = ACK, .seq = 1, .ack = sent + 1 + rnd_below(&rnd, ours() - sent));
                ignore();
            }
            receive(.flags = ACK, .seq = 1, .ack = ours());
            ignore();
        }
        receive(.flags = ACK, .seq = 1, .ack = ours());
        assert_int_equal(the.tcb.busy->sndq.len, 0);
        again();
    }
}

/* ---- Nagle ---- */

/* Minshall's variant (A.3): a small segment waits only while another small one is out. */
static void nagle(void **state)
{
    (void)state;
    establish();
    user_sends(100);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 100);
    user_sends(100);
    expect_silence();
    user_sends(100);
    expect_silence();
    receive(.flags = ACK, .seq = 1, .ack = 101);
    expect(.flags = PSH | ACK, .seq = 101, .ack = 1, .text = 200);
    receive(.flags = ACK, .seq = 1, .ack = 301);
}

static void nagle_lets_full_segments_go(void **state)
{
    (void)state;
    establish();
    user_sends(100);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 100);
    user_sends(1050);
    expect(.flags = ACK, .seq = 101, .ack = 1, .text = 1000);
    expect_silence();
    receive(.flags = ACK, .seq = 1, .ack = 101);
    expect(.flags = PSH | ACK, .seq = 1101, .ack = 1, .text = 50);
    receive(.flags = ACK, .seq = 1, .ack = 1151);
}

static void nagle_behind_full_segments(void **state)
{
    (void)state;
    establish();
    user_sends(1050);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    expect(.flags = PSH | ACK, .seq = 1001, .ack = 1, .text = 50);
    user_sends(50);
    expect_silence();
    receive(.flags = ACK, .seq = 1, .ack = 1051);
    expect(.flags = PSH | ACK, .seq = 1051, .ack = 1, .text = 50);
    receive(.flags = ACK, .seq = 1, .ack = 1101);
}

/* MUST-17 */
/* A small segment long past does not become one that is outstanding after half the sequence space.
 */
static void nagle_long_after(void **state)
{
    (void)state;
    much_text_allow();
    establish(.wnd = 65535, .scale = 14);
    user_sends(10);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    receive(.flags = ACK, .seq = 1, .ack = 11);
    much_text_goes(UINT64_C(1) << 31);
    user_sends(1000);
    expect(.flags = PSH | ACK, .seq = ours(), .ack = 1, .text = 1000);
    uint32_t end = ours() + 10;
    user_sends(10);
    expect(.flags = PSH | ACK, .seq = end - 10, .ack = 1, .text = 10);
    receive(.flags = ACK, .seq = 1, .ack = end);
}

static void nodelay(void **state)
{
    (void)state;
    the.config.nodelay = true;
    establish();
    for (uint32_t i = 0; i < 5; i++) {
        user_sends(10);
        expect(.flags = PSH | ACK, .seq = 1 + 10 * i, .ack = 1, .text = 10);
    }
    receive(.flags = ACK, .seq = 1, .ack = 51);
}

/* It may be turned off when text waits already. */
static void nodelay_later(void **state)
{
    (void)state;
    establish();
    user_sends(10);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    user_sends(10);
    expect_silence();
    user_sets(nodelay, true);
    expect(.flags = PSH | ACK, .seq = 11, .ack = 1, .text = 10);
    receive(.flags = ACK, .seq = 1, .ack = 21);
}

/* CLOSE implies a push (3.8): the last text does not wait. */
static void close_pushes(void **state)
{
    (void)state;
    establish();
    user_sends(10);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    user_sends(10);
    expect_silence();
    user_close();
    expect(.flags = FIN | PSH | ACK, .seq = 11, .ack = 1, .text = 10);
    receive(.flags = ACK, .seq = 1, .ack = 22);
}

/* ---- The peer's window ---- */

/* 3.8.6.2.1 (1), (2): up to the window in full segments; no small one into its end while something
 * is out (MUST-38). */
static void silly_window(void **state)
{
    (void)state;
    establish(.wnd = 2500);
    user_sends(10000);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    expect(.flags = ACK, .seq = 1001, .ack = 1, .text = 1000);
    expect_silence();
    receive(.flags = ACK, .seq = 1, .ack = 1001, .wnd = 1600); /* opens by 100 */
    expect_silence();
    receive(.flags = ACK, .seq = 1, .ack = 1001, .wnd = 2000);
    expect(.flags = ACK, .seq = 2001, .ack = 1, .text = 1000);
    receive(.flags = ACK, .seq = 1, .ack = 3001, .wnd = ZERO);
}

/* (3): half of the largest window ever seen is worth sending, when nothing is out. */
static void half_of_the_largest_window(void **state)
{
    (void)state;
    establish(.wnd = 799);
    user_sends(5000);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 799);
    receive(.flags = ACK, .seq = 1, .ack = 800, .wnd = 400);
    expect(.flags = ACK, .seq = 800, .ack = 1, .text = 400);
    receive(.flags = ACK, .seq = 1, .ack = 1200, .wnd = 399);
    expect_silence();
    receive(.flags = ACK, .seq = 1, .ack = 1200, .wnd = 400);
    expect(.flags = ACK, .seq = 1200, .ack = 1, .text = 400);
    receive(.flags = ACK, .seq = 1, .ack = 1600, .wnd = ZERO);
}

/* (4): the override timeout, in 0.1 to 1 s: what fits is sent. */
static void override_timeout(void **state)
{
    (void)state;
    establish(.wnd = 800);
    user_sends(5000);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 800);
    at(200);
    receive(.flags = ACK, .seq = 1, .ack = 801, .wnd = 300); /* RTO 300 */
    at(500);
    expect(.flags = ACK, .seq = 801, .ack = 1, .text = 300);
    receive(.flags = ACK, .seq = 1, .ack = 1101, .wnd = ZERO);
}

/* What goes before the override timeout is text like any other: the retransmission timer runs, and
 * no override comes. */
static void no_override_for_what_was_sent(void **state)
{
    (void)state;
    establish(.wnd = 800);
    user_sends(5000);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 800);
    at(200);
    receive(.flags = ACK, .seq = 1, .ack = 801, .wnd = 300);
    at(300);
    receive(.flags = ACK, .seq = 1, .ack = 801, .wnd = 400);
    expect(.flags = ACK, .seq = 801, .ack = 1, .text = 400);
    at(600);
    expect(.flags = ACK, .seq = 801, .ack = 1, .text = 400);
    receive(.flags = ACK, .seq = 1, .ack = 1201, .wnd = ZERO);
}

/* All that is queued fits: it goes, however small the window (2). */
static void little_text_in_a_small_window(void **state)
{
    (void)state;
    establish(.wnd = 10000);
    receive(.flags = ACK, .seq = 1, .ack = 1, .wnd = 50);
    user_sends(50);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 50);
    receive(.flags = ACK, .seq = 1, .ack = 51);
}

/* SHLD-15, SHLD-16, MUST-34: a window that shrinks below what is out: nothing new is sent, and only
 * what lies inside goes again. */
static void shrunk_window(void **state)
{
    (void)state;
    the.config.cc = &cc_newreno;
    establish();
    the.tcb.busy->cc.cwnd = 4000;
    user_sends(6000);
    for (uint32_t i = 0; i < 4; i++)
        expect(.flags = ACK, .seq = 1 + 1000 * i, .ack = 1, .text = 1000);
    receive(.flags = ACK, .seq = 1, .ack = 1, .wnd = 1500);
    expect_silence();
    at(400);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    receive(.flags = ACK, .seq = 1, .ack = 1001, .wnd = 500);
    expect(.flags = ACK, .seq = 1001, .ack = 1, .text = 500);
    expect_silence();
    receive(.flags = ACK, .seq = 1, .ack = 1501, .wnd = 8500);
    expect(.flags = ACK, .seq = 1501, .ack = 1, .text = 1000);
    ignore();
    receive(.flags = ACK, .seq = 1, .ack = 4001);
    ignore();
    receive(.flags = ACK, .seq = 1, .ack = 6001);
}

/* The FIN is a sequence number like any other: it waits for window. */
static void fin_needs_window(void **state)
{
    (void)state;
    establish(.wnd = 1000);
    user_sends(1000);
    batch();
    user_close();
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1000);
    expect_silence();
    receive(.flags = ACK, .seq = 1, .ack = 1001, .wnd = 1);
    expect(.flags = FIN | ACK, .seq = 1001, .ack = 1);
    receive(.flags = ACK, .seq = 1, .ack = 1002);
    expect_state(STATE_FIN_WAIT_2);
}

/* ---- The window that is announced ---- */

/* SHLD-14: the right edge stays while text arrives unread; MUST-39: reading moves it by an MSS or
 * half of the buffer at least. */
static void receive_window(void **state)
{
    (void)state;
    establish();
    receive(.flags = ACK, .seq = 1, .ack = 1, .text = 3000);
    expect(.flags = ACK, .seq = 1, .ack = 3001, .wnd = 7000);
    user_receives(900);
    receive(.flags = ACK, .seq = 3001, .ack = 1, .text = 3000);
    expect(.flags = ACK, .seq = 1, .ack = 6001, .wnd = 4000);
    user_receives(100);
    receive(.flags = ACK, .seq = 6001, .ack = 1, .text = 2000);
    expect(.flags = ACK, .seq = 1, .ack = 8001, .wnd = 3000);
}

/* The same with a scaled window, and reading in odd portions: that the edge never moves left is
 * segments.h's to check. */
static void scaled_receive_window(void **state)
{
    (void)state;
    struct rnd rnd = rnd_start("scaled_receive_window");
    the.config.rcvbuf = 100000;
    the.config.rcvbuf_max = 1 << 20;
    establish(.scale = 7);
    assert_int_equal(the.tcb.rcvwnd.shift, 5);
    for (uint32_t at = 1, i = 0; i < 1000; i++) {
        uint32_t text = 1 + rnd_below(&rnd, 1000), wnd = tcb_rcv_wnd(&the.tcb);
        text = text < wnd ? text : wnd;
        if (text > 0)
            receive(.flags = ACK, .seq = at, .ack = 1, .text = text);
        ignore();
        at += text;
        if (rnd_below(&rnd, 3) == 0)
            (void)user_receive(rnd_below(&rnd, 3000));
        ignore();
        later(40); /* the delayed ACK */
        ignore();
    }
    assert_true(the.read > 100000);
}

/* A window that was shut: reading alone tells the peer that it has opened, not by every octet. */
static void window_update(void **state)
{
    (void)state;
    establish();
    receive(.flags = ACK, .seq = 1, .ack = 1, .text = 10000);
    expect(.flags = ACK, .seq = 1, .ack = 10001, .wnd = ZERO);
    for (unsigned i = 0; i < 9; i++) {
        user_receives(100);
        expect_silence();
    }
    user_receives(100);
    expect(.flags = ACK, .seq = 1, .ack = 10001, .wnd = 1000);
    user_receives(9000);
    expect(.flags = ACK, .seq = 1, .ack = 10001, .wnd = 10000);
}

/* After the peer's FIN no window matters any more. */
static void no_window_update_after_fin(void **state)
{
    (void)state;
    establish();
    receive(.flags = FIN | ACK, .seq = 1, .ack = 1, .text = 9999);
    expect(.flags = ACK, .seq = 1, .ack = 10001);
    user_receives(9999);
    expect_silence();
}

/* 3.4: every segment once synchronized carries the current acknowledgment. Here: what is sent
 * again. */
static void old_text_new_ack(void **state)
{
    (void)state;
    establish();
    user_sends(10);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    receive(.flags = ACK, .seq = 1, .ack = 1, .text = 500);
    at(140);
    expect(.flags = ACK, .seq = 11, .ack = 501, .wnd = 9500);
    at(400);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 501, .text = 10, .wnd = 9500);
    receive(.flags = ACK, .seq = 501, .ack = 11);
}

/* 3.8.6.2.1: the override timeout is 1 s at most. */
static void override_within_a_second(void **state)
{
    (void)state;
    open_active();
    expect(.flags = SYN, .seq = 0);
    at(1000);
    expect(.flags = SYN, .seq = 0); /* hence RTO 3 s */
    receive(.flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000, .wnd = 800);
    expect(.flags = ACK, .seq = 1, .ack = 1);
    receive(.flags = ACK, .seq = 1, .ack = 1, .wnd = 300);
    user_sends(5000);
    at(2000);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 300);
    receive(.flags = ACK, .seq = 1, .ack = 301, .wnd = ZERO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ladder_test(segments_of_one_mss),
        ladder_test(super_segments),
        ladder_test(super_segments_again),
        ladder_test(a_long_transfer),
        ladder_test(nagle),
        ladder_test(nagle_lets_full_segments_go),
        ladder_test(nagle_behind_full_segments),
        ladder_test(nagle_long_after),
        ladder_test(nodelay),
        ladder_test(nodelay_later),
        ladder_test(close_pushes),
        ladder_test(silly_window),
        ladder_test(half_of_the_largest_window),
        ladder_test(override_timeout),
        ladder_test(no_override_for_what_was_sent),
        ladder_test(little_text_in_a_small_window),
        ladder_test(shrunk_window),
        ladder_test(fin_needs_window),
        ladder_test(receive_window),
        ladder_test(scaled_receive_window),
        ladder_test(window_update),
        ladder_test(no_window_update_after_fin),
        ladder_test(old_text_new_ack),
        ladder_test(override_within_a_second),
    };
    return ladder_main(tests);
}
