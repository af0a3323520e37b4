/* arrives_sync.c: the last three steps of SEGMENT ARRIVES (RFC 9293 3.10.7.4): urgent pointer, text
 * with its reassembly, FIN; and when they are acknowledged (3.8.6.3, RFC 5681 4.2). */
#include "segments.h"

/* ---- Sixth: URG ---- */

/* RCV.UP <- max(RCV.UP, SEG.UP); the pointer counts from SEG.SEQ to the octet behind the urgent
 * text (MUST-62); the user hears when it comes and when it advances (MUST-32). */
static void sixth_urgent_pointer(void **state)
{
    (void)state;
    establish();
    receive(.flags = ACK | URG, .seq = 1, .ack = 1, .text = 10, .up = 4);
    expect_events(TCB_EV_ARRIVED | TCB_EV_URGENT);
    receive(.flags = ACK | URG, .seq = 11, .ack = 1, .text = 10, .up = 60000);
    expect_events(TCB_EV_ARRIVED | TCB_EV_URGENT);
    expect(.flags = ACK, .seq = 1, .ack = 21);
    assert_int_equal(the.tcb.busy->rcv_up, 10 + 60000);
    receive(.flags = ACK | URG, .seq = 21, .ack = 1, .text = 10, .up = 59990); /* the same octet */
    receive(.flags = ACK | URG, .seq = 31, .ack = 1, .text = 10, .up = 1);     /* goes back */
    expect_events(TCB_EV_ARRIVED);
    assert_int_equal(the.tcb.busy->rcv_up, 10 + 60000);
    expect(.flags = ACK, .seq = 1, .ack = 41);
    user_receives(40);
}

/* A pointer that says nothing, or that points at what has been passed. */
static void sixth_nothing_urgent(void **state)
{
    (void)state;
    establish();
    receive(.flags = ACK | URG, .seq = 1, .ack = 1, .text = 10);
    receive(.flags = ACK, .seq = 11, .ack = 1, .text = 10, .up = 77); /* without URG: no pointer */
    expect_events(TCB_EV_ARRIVED);
    expect(.flags = ACK, .seq = 1, .ack = 21);
}

/* "This should not occur since a FIN has been received": ignored. */
static void sixth_after_fin(void **state)
{
    (void)state;
    const enum tcp_state s[] = {STATE_CLOSE_WAIT, STATE_CLOSING, STATE_LAST_ACK, STATE_TIME_WAIT};
    for (unsigned i = 0; i < 4; i++) {
        reach(s[i]);
        receive(.flags = ACK | URG, .seq = 2, .ack = ours() - 1, .up = 5);
        expect_events(0);
        ignore();
        again();
    }
}

/* ---- Seventh: text ---- */

static void seventh_in_states_that_receive(void **state)
{
    (void)state;
    for (enum tcp_state s = STATE_ESTABLISHED; s <= STATE_FIN_WAIT_2; s++) {
        reach(s);
        receive(.flags = ACK, .seq = 1, .ack = ours(), .text = 10);
        expect_events(s == STATE_FIN_WAIT_1 ? TCB_EV_ACKED | TCB_EV_ARRIVED : TCB_EV_ARRIVED);
        user_receives(10);
        later(40);
        expect(.flags = ACK, .seq = ours(), .ack = 11, .wnd = 9990);
        again();
    }
}

static void seventh_after_fin(void **state)
{
    (void)state;
    const enum tcp_state s[] = {STATE_CLOSE_WAIT, STATE_CLOSING, STATE_LAST_ACK, STATE_TIME_WAIT};
    for (unsigned i = 0; i < 4; i++) {
        reach(s[i]);
        receive(.flags = ACK, .seq = 2, .ack = 1, .text = 10);
        expect_events(0);
        if (s[i] == STATE_TIME_WAIT)
            expect(.flags = ACK, .seq = 2, .ack = 2);
        assert_int_equal(theirs(), 2);
        assert_int_equal(the.mem.mem.used, sizeof(struct busy)); /* no text */
        again();
    }
}

/* SHLD-18, MUST-40: the ACK of one segment waits 40 ms; SHLD-19: that of the second does not. */
static void delayed_ack(void **state)
{
    (void)state;
    establish();
    receive(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    at(139);
    expect_silence();
    at(140);
    expect(.flags = ACK, .seq = 1, .ack = 1001);
    receive(.flags = ACK, .seq = 1001, .ack = 1, .text = 1000);
    at(179);
    receive(.flags = ACK, .seq = 2001, .ack = 1, .text = 1000);
    expect(.flags = ACK, .seq = 1, .ack = 3001);
    at(1000); /* and none behind it */
}

/* "This acknowledgment should be piggybacked on a segment being transmitted." */
static void delayed_ack_goes_with_text(void **state)
{
    (void)state;
    establish();
    receive(.flags = ACK, .seq = 1, .ack = 1, .text = 100);
    at(110);
    user_sends(5);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 101, .text = 5);
    receive(.flags = ACK, .seq = 101, .ack = 6);
    at(1000);
}

/* Every second one, of whatever size (SHLD-19 speaks of full-sized ones). */
static void delayed_ack_of_small_segments(void **state)
{
    (void)state;
    establish();
    for (uint32_t i = 0; i < 10; i++) {
        receive(.flags = ACK, .seq = 1 + 101 * i, .ack = 1, .text = 1);
        receive(.flags = ACK, .seq = 2 + 101 * i, .ack = 1, .text = 100);
        expect(.flags = ACK, .seq = 1, .ack = 102 + 101 * i);
    }
}

/* MUST-58, MUST-59: a batch is processed before anything is acknowledged, and then once. */
static void one_ack_for_a_batch(void **state)
{
    (void)state;
    establish();
    for (uint32_t i = 0; i < 8; i++) {
        receive(.flags = ACK, .seq = 1 + 1000 * i, .ack = 1, .text = 1000);
        batch();
    }
    receive(.flags = FIN | ACK, .seq = 8001, .ack = 1);
    expect(.flags = ACK, .seq = 1, .ack = 8002, .wnd = 2000);
}

/* MAY-8: the window stays shut for as long as nobody reads, whatever is asked. */
static void shut_until_it_is_read(void **state)
{
    (void)state;
    establish();
    receive(.flags = ACK, .seq = 1, .ack = 1, .text = 10000);
    expect(.flags = ACK, .seq = 1, .ack = 10001, .wnd = ZERO);
    for (unsigned hour = 1; hour < 100; hour++) {
        at(hour * 3600000);
        receive(.flags = ACK, .seq = 10001, .ack = 1, .text = 1);
        expect(.flags = ACK, .seq = 1, .ack = 10001, .wnd = ZERO);
    }
    expect_state(STATE_ESTABLISHED);
    user_receives(10000);
    expect(.flags = ACK, .seq = 1, .ack = 10001, .wnd = 10000);
}

/* A super-segment is as many full-sized ones as it holds. */
static void super_segment_arrives(void **state)
{
    (void)state;
    establish();
    receive(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 5500, .gso = 1000);
    expect(.flags = ACK, .seq = 1, .ack = 5501);
    user_receives(5500);
    batch();
    receive(.flags = PSH | ACK, .seq = 5501, .ack = 1, .text = 1000);
    expect(.flags = ACK, .seq = 1, .ack = 6501, .wnd = 9000);
}

/* SHLD-31 and RFC 5681 4.2: text beyond a hole is held and each segment of it is answered at once
 * by a duplicate ACK; what fills the hole is acknowledged at once, and all behind it. */
static void hole(void **state)
{
    (void)state;
    establish();
    receive(.flags = ACK, .seq = 1001, .ack = 1, .text = 500);
    expect(.flags = ACK, .seq = 1, .ack = 1, .wnd = 10000);
    receive(.flags = ACK, .seq = 1501, .ack = 1, .text = 500);
    expect(.flags = ACK, .seq = 1, .ack = 1, .wnd = 10000);
    expect_events(0);
    receive(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    expect(.flags = ACK, .seq = 1, .ack = 2001, .wnd = 8000);
    expect_events(TCB_EV_ARRIVED);
    user_receives(2000);
    expect_rest();
}

/* Also when they come in one batch: the peer counts three. */
static void duplicates_of_a_batch(void **state)
{
    (void)state;
    establish();
    for (uint32_t i = 0; i < 3; i++) {
        receive(.flags = ACK, .seq = 1001 + 1000 * i, .ack = 1, .text = 1000);
        batch();
    }
    for (uint32_t i = 0; i < 3; i++)
        expect(.flags = ACK, .seq = 1, .ack = 1, .wnd = 10000);
    receive(.flags = ACK, .seq = 1, .ack = 1,
            .text = 500); /* a part of the hole: at once as well */
    expect(.flags = ACK, .seq = 1, .ack = 501);
    receive(.flags = ACK, .seq = 501, .ack = 1, .text = 500);
    expect(.flags = ACK, .seq = 1, .ack = 4001);
}

/* "When a segment overlaps other already received segments, we reconstruct the segment to contain
 * just the new data": every order and every overlap gives the same text. */
static void reassembly(void **state)
{
    (void)state;
    struct rnd rnd = rnd_start("reassembly");
    for (unsigned round = 0; round < 40; round++) {
        establish();
        while (theirs() < 10001 && !the.tcb.no_room) {
            uint32_t text = 1 + rnd_below(&rnd, 1000), from = 1 + rnd_below(&rnd, 10000);
            if (from + text > 10001)
                text = 10001 - from;
            receive(.flags = ACK, .seq = from, .ack = 1, .text = text);
            ignore(); /* the ACKs are not the matter here */
        }
        user_receives(10000);
        ignore();
        expect_rest();
        again();
    }
}

/* Without memory the text counts as not arrived: the ACK says so, and it is taken when it comes
 * again. */
static void no_room(void **state)
{
    (void)state;
    establish();
    test_mem_fail_at(&the.mem, 1);
    receive(.flags = FIN | ACK, .seq = 1, .ack = 1, .text = 10);
    expect(.flags = ACK, .seq = 1, .ack = 1);
    assert_true(the.tcb.no_room);
    expect_state(STATE_ESTABLISHED);
    expect_events(0);
    receive(.flags = ACK, .seq = 11, .ack = 1, .text = 10);
    expect(.flags = ACK, .seq = 1, .ack = 1);
    test_mem_fail_at(&the.mem, 0);
    receive(.flags = FIN | ACK, .seq = 1, .ack = 1, .text = 10);
    expect(.flags = ACK, .seq = 1, .ack = 12);
    user_receives(10);
}

/* ---- Eighth: FIN ---- */

static void eighth_in_each_state(void **state)
{
    (void)state;
    const enum tcp_state then[] = {
        [STATE_SYN_RECEIVED] = STATE_CLOSE_WAIT, [STATE_ESTABLISHED] = STATE_CLOSE_WAIT,
        [STATE_FIN_WAIT_1] = STATE_CLOSING,      [STATE_FIN_WAIT_2] = STATE_TIME_WAIT,
        [STATE_CLOSE_WAIT] = STATE_CLOSE_WAIT,   [STATE_CLOSING] = STATE_CLOSING,
        [STATE_LAST_ACK] = STATE_LAST_ACK,       [STATE_TIME_WAIT] = STATE_TIME_WAIT,
    };
    for (enum tcp_state s = STATE_SYN_RECEIVED; s <= STATE_TIME_WAIT; s++) {
        reach(s);
        uint32_t ack = s == STATE_FIN_WAIT_1 || s == STATE_CLOSING || s == STATE_LAST_ACK
                           ? 1 /* not of our FIN */
                           : ours();
        receive(.flags = FIN | ACK, .seq = 1, .ack = ack);
        if (s == STATE_FIN_WAIT_1)
            expect(.flags = FIN | ACK, .seq = 1, .ack = 2);
        else
            expect(.flags = ACK, .seq = ours(), .ack = 2);
        expect_state(then[s]);
        again();
    }
}

/* "FIN implies PUSH for any segment text not yet delivered"; the FIN comes after the text. */
static void eighth_with_text(void **state)
{
    (void)state;
    establish();
    receive(.flags = FIN | ACK, .seq = 1, .ack = 1, .text = 100);
    expect(.flags = ACK, .seq = 1, .ack = 102);
    expect_state(STATE_CLOSE_WAIT);
    expect_events(TCB_EV_ARRIVED);
    /* all of it again, and parts */
    receive(.flags = FIN | ACK, .seq = 1, .ack = 1, .text = 100);
    expect(.flags = ACK, .seq = 1, .ack = 102);
    receive(.flags = FIN | ACK, .seq = 101, .ack = 1);
    expect(.flags = ACK, .seq = 1, .ack = 102);
    expect_events(0);
    user_receives(100);
}

/* Beyond a hole it waits until the hole is filled. */
static void eighth_beyond_a_hole(void **state)
{
    (void)state;
    establish();
    receive(.flags = FIN | ACK, .seq = 501, .ack = 1, .text = 500);
    expect(.flags = ACK, .seq = 1, .ack = 1);
    expect_state(STATE_ESTABLISHED);
    receive(.flags = ACK, .seq = 1, .ack = 1, .text = 500);
    expect(.flags = ACK, .seq = 1, .ack = 1002);
    expect_state(STATE_CLOSE_WAIT);
    user_receives(1000);
    assert_int_equal(user_receive(1), 0);
}

/* A FIN alone, ahead of all its text. */
static void eighth_before_its_text(void **state)
{
    (void)state;
    reach(STATE_FIN_WAIT_2);
    receive(.flags = FIN | ACK, .seq = 2001, .ack = 2);
    expect(.flags = ACK, .seq = 2, .ack = 1);
    receive(.flags = ACK, .seq = 1001, .ack = 2, .text = 1000);
    expect(.flags = ACK, .seq = 2, .ack = 1);
    receive(.flags = ACK, .seq = 1, .ack = 2, .text = 1000);
    expect(.flags = ACK, .seq = 2, .ack = 2002);
    expect_state(STATE_TIME_WAIT);
    user_receives(2000);
}

/* A peer that sends text beyond its own FIN: only what lies before it counts. */
static void eighth_text_beyond(void **state)
{
    (void)state;
    establish();
    receive(.flags = FIN | ACK, .seq = 501, .ack = 1);
    expect(.flags = ACK, .seq = 1, .ack = 1);
    receive(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    expect(.flags = ACK, .seq = 1, .ack = 502);
    expect_state(STATE_CLOSE_WAIT);
    user_receives(500);
    assert_int_equal(user_receive(1), 0);
}

/* And one that says FIN where it has sent text already: it is no FIN. */
static void eighth_inside_of_text(void **state)
{
    (void)state;
    establish();
    receive(.flags = ACK, .seq = 501, .ack = 1, .text = 500);
    expect(.flags = ACK, .seq = 1, .ack = 1);
    receive(.flags = FIN | ACK, .seq = 1, .ack = 1, .text = 300);
    expect(.flags = ACK, .seq = 1, .ack = 301);
    expect_state(STATE_ESTABLISHED);
    receive(.flags = ACK, .seq = 301, .ack = 1, .text = 200);
    expect(.flags = ACK, .seq = 1, .ack = 1001);
    expect_state(STATE_ESTABLISHED);
}

/* Text cut off at the window's edge takes its FIN along. */
static void eighth_beyond_the_window(void **state)
{
    (void)state;
    establish();
    receive(.flags = FIN | ACK, .seq = 1, .ack = 1, .text = 10005);
    expect(.flags = ACK, .seq = 1, .ack = 10001, .wnd = ZERO);
    expect_state(STATE_ESTABLISHED);
    user_receives(10000);
    expect(.flags = ACK, .seq = 1, .ack = 10001, .wnd = 10000);
    receive(.flags = FIN | ACK, .seq = 10001, .ack = 1, .text = 5);
    expect(.flags = ACK, .seq = 1, .ack = 10007);
    expect_state(STATE_CLOSE_WAIT);
}

/* A FIN just at the edge takes no room and is taken, also while the window is shut (arrives_sync.c:
 * fin_fits). */
static void eighth_at_the_edge(void **state)
{
    (void)state;
    establish();
    receive(.flags = FIN | ACK, .seq = 1, .ack = 1, .text = 10000);
    expect(.flags = ACK, .seq = 1, .ack = 10002, .wnd = ZERO);
    expect_state(STATE_CLOSE_WAIT);
    again();
    establish();
    receive(.flags = ACK, .seq = 1, .ack = 1, .text = 10000);
    expect(.flags = ACK, .seq = 1, .ack = 10001, .wnd = ZERO);
    receive(.flags = FIN | ACK, .seq = 10001, .ack = 1);
    expect(.flags = ACK, .seq = 1, .ack = 10002, .wnd = ZERO);
    expect_state(STATE_CLOSE_WAIT);
}

/* RFC 5681 4.2: each out-of-order segment is answered at once. */
static void fin_beyond_a_hole_again(void **state)
{
    (void)state;
    establish();
    receive(.flags = FIN | ACK, .seq = 501, .ack = 1);
    expect(.flags = ACK, .seq = 1, .ack = 1);
    receive(.flags = FIN | ACK, .seq = 501, .ack = 1);
    expect(.flags = ACK, .seq = 1, .ack = 1);
}

/* RFC 5681 4.2: with a FIN waiting, text before it fills a part of a gap, and is acknowledged at
 * once. */
static void fin_is_a_hole(void **state)
{
    (void)state;
    establish();
    receive(.flags = FIN | ACK, .seq = 1001, .ack = 1);
    expect(.flags = ACK, .seq = 1, .ack = 1);
    receive(.flags = ACK, .seq = 1, .ack = 1, .text = 500);
    expect(.flags = ACK, .seq = 1, .ack = 501);
    receive(.flags = ACK, .seq = 501, .ack = 1, .text = 500);
    expect(.flags = ACK, .seq = 1, .ack = 1002);
}

/* 3.10.7.4: what can't be taken is answered. Beyond a FIN that waits there is no text; one of the
 * two is false, and silence would hide from the peer that its text is not taken. */
static void text_beyond_a_waiting_fin(void **state)
{
    (void)state;
    establish();
    receive(.flags = FIN | ACK, .seq = 1001, .ack = 1);
    expect(.flags = ACK, .seq = 1, .ack = 1);
    for (unsigned i = 0; i < 3; i++) {
        receive(.flags = ACK, .seq = 2001, .ack = 1, .text = 100);
        expect(.flags = ACK, .seq = 1, .ack = 1);
    }
    expect_events(0);
}

/* SHLD-31 may not keep order out: one burst is lost, what follows takes the
 * memory there is, and the burst is taken all the same when it comes again. */
static void no_room_for_order(void **state)
{
    (void)state;
    the.config.rcvbuf = the.config.rcvbuf_max = 1 << 20;
    establish(.scale = 7);
    the.mem.mem.limit = the.mem.mem.used + 300000;
    for (uint32_t at = 32769; at < 432769; at += 16000) {
        receive(.flags = ACK, .seq = at, .ack = 1, .text = 16000);
        expect(.flags = ACK, .seq = 1, .ack = 1);
    }
    assert_true(the.tcb.no_room);
    the.mem.mem.limit = the.mem.mem.used; /* others have taken the rest */
    uint32_t taken = 1;
    for (unsigned i = 0; i < 33; i++, taken = theirs()) {
        receive(.flags = ACK, .seq = taken, .ack = 1, .text = 1000);
        ignore();
        assert_true(theirs() >= taken + 1000);
    }
    (void)user_receive(33000);
    ignore();
}

/* What has to go for that was here, though nobody had been promised it: it is told as well. */
static void no_room_for_what_waits(void **state)
{
    (void)state;
    the.config.rcvbuf = the.config.rcvbuf_max = 1 << 20;
    establish(.scale = 7);
    receive(.flags = ACK, .seq = 16385, .ack = 1, .text = 100);
    expect(.flags = ACK, .seq = 1, .ack = 1);
    assert_false(the.tcb.no_room);
    the.mem.mem.limit = the.mem.mem.used;
    receive(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    assert_true(the.tcb.no_room);
    expect(.flags = ACK, .seq = 1, .ack = 1001);
    the.mem.mem.limit = SIZE_MAX;
    receive(.flags = ACK, .seq = 1001, .ack = 1, .text = 15384); /* up to where the other began */
    expect(.flags = ACK, .seq = 1, .ack = 16385);
    user_receives(16384);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ladder_test(sixth_urgent_pointer),
        ladder_test(sixth_nothing_urgent),
        ladder_test(sixth_after_fin),
        ladder_test(seventh_in_states_that_receive),
        ladder_test(seventh_after_fin),
        ladder_test(delayed_ack),
        ladder_test(delayed_ack_goes_with_text),
        ladder_test(delayed_ack_of_small_segments),
        ladder_test(one_ack_for_a_batch),
        ladder_test(shut_until_it_is_read),
        ladder_test(super_segment_arrives),
        ladder_test(hole),
        ladder_test(duplicates_of_a_batch),
        ladder_test(reassembly),
        ladder_test(no_room),
        ladder_test(eighth_in_each_state),
        ladder_test(eighth_with_text),
        ladder_test(eighth_beyond_a_hole),
        ladder_test(eighth_before_its_text),
        ladder_test(eighth_text_beyond),
        ladder_test(eighth_inside_of_text),
        ladder_test(eighth_beyond_the_window),
        ladder_test(eighth_at_the_edge),
        ladder_test(fin_beyond_a_hole_again),
        ladder_test(fin_is_a_hole),
        ladder_test(text_beyond_a_waiting_fin),
        ladder_test(no_room_for_order),
        ladder_test(no_room_for_what_waits),
    };
    return ladder_main(tests);
}
