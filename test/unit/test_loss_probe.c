/* loss.c, output.c: tail loss probes (RFC 8985 7) through the connection. */
#include "segments.h"

/* Both permit SACK; the time is then 100, SRTT 100 ms, and n segments are in flight since. */
static void in_flight(unsigned n)
{
    establish(.sack_ok = 1, .wnd = 60000);
    user_sends(1000 * n);
    for (uint32_t i = 0; i < n; i++)
        expect(.flags = ACK | (i + 1 == n ? PSH : 0), .seq = 1 + 1000 * i, .ack = 1, .text = 1000);
}

/* 7.2, 7.3: two round trips and 8 ms after the last segment, it goes again; the timer starts anew.
 */
static void last_segment(void **state)
{
    (void)state;
    in_flight(3);
    at(307);
    expect_silence();
    at(308);
    expect(.flags = ACK | PSH, .seq = 2001, .ack = 1, .text = 1000);
    assert_int_equal(the.tcb.busy->rtx_due_ns - the.now_ns, 300 * NS_PER_MS);
    at(408);
    receive(.flags = ACK, .seq = 1, .ack = 1, SACKS(1, {2001, 3001}));
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000); /* it has shown what is lost */
    at(508);
    receive(.flags = ACK, .seq = 1, .ack = 1001, SACKS(1, {2001, 3001}));
    expect(.flags = ACK, .seq = 1001, .ack = 1, .text = 1000);
    at(608);
    receive(.flags = ACK, .seq = 1, .ack = 3001);
    expect_rest();
}

/* 7.3: new text rather, whatever cwnd is. */
static void new_text(void **state)
{
    (void)state;
    establish(.sack_ok = 1, .wnd = 60000);
    user_sends(12000);
    ignore();
    assert_int_equal(ours(), 10001);
    at(308);
    expect(.flags = ACK, .seq = 10001, .ack = 1, .text = 1000);
    receive(.flags = ACK, .seq = 1, .ack = 11001);
    ignore();
    receive(.flags = ACK, .seq = 1, .ack = 12001);
    expect_rest();
}

/* 7.3: without room in the peer's window, the last segment. */
static void window_full(void **state)
{
    (void)state;
    establish(.sack_ok = 1, .wnd = 2000);
    user_sends(3000);
    ignore();
    assert_int_equal(ours(), 2001);
    at(308);
    expect(.flags = ACK, .seq = 1001, .ack = 1, .text = 1000);
    receive(.flags = ACK, .seq = 1, .ack = 2001);
    expect(.flags = ACK | PSH, .seq = 2001, .ack = 1, .text = 1000);
    receive(.flags = ACK, .seq = 1, .ack = 3001);
}

/* 7.2: PTO is no later than the retransmission timer; one segment waits for a delayed ACK, so here
 * it is that. */
static void single_segment(void **state)
{
    (void)state;
    in_flight(1);
    at(399);
    expect_silence();
    at(400);
    expect(.flags = ACK | PSH, .seq = 1, .ack = 1, .text = 1000);
    assert_int_equal(the.tcb.busy->cc.cwnd, 10000); /* it was no timeout */
    at(700);                                        /* now it is */
    expect(.flags = ACK | PSH, .seq = 1, .ack = 1, .text = 1000);
    assert_int_equal(the.tcb.busy->cc.cwnd, 1000);
    receive(.flags = ACK, .seq = 1, .ack = 1001);
}

/* In flight are two, the second goes again as a probe. */
static void probe_goes(void)
{
    in_flight(2);
    at(308);
    expect(.flags = ACK | PSH, .seq = 1001, .ack = 1, .text = 1000);
}

/* And the timer runs out: 7.2: one probe at a time. */
static void timer_too(void)
{
    probe_goes();
    at(607);
    expect_silence();
    at(608);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    ignore();
}

static void one_at_a_time(void **state)
{
    (void)state;
    timer_too();
    receive(.flags = ACK, .seq = 1, .ack = 2001);
}

/* Both have arrived then. */
static void probed(void)
{
    probe_goes();
    at(350);
    receive(.flags = ACK, .seq = 1, .ack = 2001);
    assert_true(the.tcb.busy->sack_recovery.rack.tlp_out);
}

/* 7.4.2 case 1: a D-SACK: nothing was lost. It comes when nothing is outstanding any more. */
static void probe_case_1(void **state)
{
    (void)state;
    probed();
    receive(.flags = ACK, .seq = 1, .ack = 2001, SACKS(1, {1001, 2001}));
    assert_int_equal(the.tcb.busy->cc.cwnd, 10000);
    expect_rest();
}

/* 7.4.2 case 2: a duplicate ACK, of a peer without D-SACK. */
static void probe_case_2(void **state)
{
    (void)state;
    probed();
    user_sends(1000);
    expect(.flags = ACK | PSH, .seq = 2001, .ack = 1, .text = 1000);
    receive(.flags = ACK, .seq = 1, .ack = 2001);
    assert_false(the.tcb.busy->sack_recovery.rack.tlp_out);
    receive(.flags = ACK, .seq = 1, .ack = 3001);
    assert_true(the.tcb.busy->cc.cwnd >= 10000);
}

/* 7.4.2: beyond the probe, without a sign that it came twice: it has repaired a loss, which is
 * congestion. */
static void repaired(void **state)
{
    (void)state;
    probed();
    user_sends(1000);
    expect(.flags = ACK | PSH, .seq = 2001, .ack = 1, .text = 1000);
    uint32_t ssthresh = the.tcb.busy->cc.ssthresh;
    at(450);
    receive(.flags = ACK, .seq = 1, .ack = 3001);
    assert_true(the.tcb.busy->cc.ssthresh < ssthresh);
    assert_true(the.tcb.busy->cc.cwnd < 10000);
}

/* The answer is that of a fast recovery, to what was outstanding when the tail was sent; not to the
 * little that is left when its loss is found. */
static void repaired_tail(void **state)
{
    (void)state;
    in_flight(10);
    at(200);
    receive(.flags = ACK, .seq = 1, .ack = 9001);
    at(500); /* no later than the retransmission timer */
    expect(.flags = ACK | PSH, .seq = 9001, .ack = 1, .text = 1000);
    user_sends(100);
    ignore();
    receive(.flags = ACK, .seq = 1, .ack = 10101);
    assert_int_equal(the.tcb.busy->cc.ssthresh, 7000); /* RFC 9438 4.6 */
    assert_in_range(the.tcb.busy->cc.cwnd, 7000, 7999);
}

/* A probe repairs the loss, and its ACK comes only after the timer: the timer's copy was for
 * nothing and draws a D-SACK, but of probe and copy one has come first. Nothing is undone. */
static void repaired_late(void **state)
{
    (void)state;
    timer_too();
    uint32_t ssthresh = the.tcb.busy->cc.ssthresh;
    assert_true(ssthresh < 10000);
    at(620);
    receive(.flags = ACK, .seq = 1, .ack = 2001);
    at(708);
    receive(.flags = ACK, .seq = 1, .ack = 2001, SACKS(1, {1, 1001}));
    assert_int_equal(the.tcb.busy->cc.ssthresh, ssthresh);
}

/* 7.4.2 has a D-SACK "matching TLP.end_seq": one of other text says nothing of the probe. */
static void other_dsack(void **state)
{
    (void)state;
    probed();
    receive(.flags = ACK, .seq = 1, .ack = 2001, SACKS(1, {1, 1001}));
    assert_true(the.tcb.busy->sack_recovery.rack.tlp_out);
}

/* 7.2: an ACK that comes as PTO runs out, before the probe has gone: there is none; and what waits
 * goes (simulator, seed 1089 with SACK drawn by host). */
static void ack_as_it_is_due(void **state)
{
    (void)state;
    establish(.sack_ok = 1, .wnd = 60000);
    user_sends(12000);
    ignore();
    at(308);
    assert_true(the.tcb.loss_probe);
    batch();
    receive(.flags = ACK, .seq = 1, .ack = 10001);
    expect(.flags = ACK, .seq = 10001, .ack = 1, .text = 1000);
    expect(.flags = ACK | PSH, .seq = 11001, .ack = 1, .text = 1000);
    receive(.flags = ACK, .seq = 1, .ack = 12001);
    expect_rest();
}

/* The same with one that SACKs: its text is no probe's any more (7.2: none while something is
 * SACKed). */
static void sacked_as_it_is_due(void **state)
{
    (void)state;
    in_flight(3);
    at(308);
    assert_true(the.tcb.loss_probe);
    batch();
    receive(.flags = ACK, .seq = 1, .ack = 1, SACKS(1, {1001, 2001}));
    expect_silence();
    at(360); /* the round trip was 208 ms */
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    receive(.flags = ACK, .seq = 1, .ack = 3001);
}

/* 7.2: no probe while something is SACKed: the reordering timer and RTO do. */
static void none_in_trouble(void **state)
{
    (void)state;
    in_flight(3);
    at(200);
    receive(.flags = ACK, .seq = 1, .ack = 1, SACKS(1, {1001, 2001}));
    at(225);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    at(399);
    expect_silence();
    receive(.flags = ACK, .seq = 1, .ack = 3001);
}

/* A FIN is probed as text is. */
static void fin(void **state)
{
    (void)state;
    establish(.sack_ok = 1, .wnd = 60000);
    user_close();
    expect(.flags = FIN | ACK, .seq = 1, .ack = 1);
    at(400);
    expect(.flags = FIN | ACK, .seq = 1, .ack = 1);
    receive(.flags = ACK, .seq = 1, .ack = 2);
    expect_state(STATE_FIN_WAIT_2);
}

/* Without SACK there are none. */
static void without_sack(void **state)
{
    (void)state;
    establish(.wnd = 60000);
    user_sends(2000);
    ignore();
    at(399);
    expect_silence();
    at(400);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    receive(.flags = ACK, .seq = 1, .ack = 2001);
}

/* tcp_early_retrans off: the retransmission timer, and the rest of SACK's recovery. */
static void none_by_choice(void **state)
{
    (void)state;
    the.config.loss_probes = false;
    in_flight(3);
    at(399);
    expect_silence();
    at(400);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    assert_int_equal(the.tcb.busy->cc.cwnd, 1000);
    receive(.flags = ACK, .seq = 1, .ack = 1001);
    ignore();
    receive(.flags = ACK, .seq = 1, .ack = 3001);
}

/* tcp_recovery 5: three SACKed segments do not end the reordering window (RFC 8985 6.2 step 4);
 * also when the connection has rested. */
static void window_by_choice(void **state)
{
    (void)state;
    the.config.recovery = 1 | RACK_NO_DUP_THRESH;
    in_flight(5);
    at(200);
    receive(.flags = ACK, .seq = 1, .ack = 5001);
    expect_rest();
    user_sends(5000);
    ignore();
    at(300);
    receive(.flags = ACK, .seq = 1, .ack = 5001, SACKS(1, {6001, 10001}));
    assert_int_equal(the.tcb.busy->sack_recovery.board.lost, 0);
    at(325);
    assert_int_equal(the.tcb.busy->sack_recovery.board.lost, 1000);
    ignore();
    receive(.flags = ACK, .seq = 1, .ack = 10001);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ladder_test(last_segment),
        ladder_test(new_text),
        ladder_test(window_full),
        ladder_test(single_segment),
        ladder_test(one_at_a_time),
        ladder_test(probe_case_1),
        ladder_test(probe_case_2),
        ladder_test(repaired),
        ladder_test(repaired_tail),
        ladder_test(repaired_late),
        ladder_test(other_dsack),
        ladder_test(ack_as_it_is_due),
        ladder_test(sacked_as_it_is_due),
        ladder_test(none_in_trouble),
        ladder_test(fin),
        ladder_test(without_sack),
        ladder_test(none_by_choice),
        ladder_test(window_by_choice),
    };
    return ladder_main(tests);
}
