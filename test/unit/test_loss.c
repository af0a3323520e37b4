/* loss.c, and with it sack.h and sack_recovery.h: SACK through the connection (RFC 2018, RFC 2883,
 * RFC 8985 6, RFC 6675, RFC 6937). Probes are in test_loss_probe.c. */
#include "pmtu.h"
#include "segments.h"

/* Both permit it; the time is then 100, SRTT 100 ms, and n segments are in flight since. */
static void in_flight(unsigned n)
{
    the.config.cc = &cc_newreno;
    establish(.sack_ok = 1, .wnd = 60000);
    assert_true(the.tcb.sack);
    user_sends(1000 * n);
    for (uint32_t i = 0; i < n; i++)
        expect(.flags = ACK | (i + 1 == n ? PSH : 0), .seq = 1 + 1000 * i, .ack = 1, .text = 1000);
}

/* ---- Negotiation: RFC 2018 2 ---- */

static void offered(void **state)
{
    (void)state;
    open_active();
    expect(.flags = SYN, .seq = 0, .sack_ok = 1);
    receive(.flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
    expect(.flags = ACK, .seq = 1, .ack = 1, .sack_ok = NONE);
    assert_false(the.tcb.sack);
    again();

    the.config.sack = false;
    open_active();
    expect(.flags = SYN, .seq = 0, .sack_ok = NONE);
    receive(.flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000, .sack_ok = 1);
    expect(.flags = ACK, .seq = 1, .ack = 1);
    assert_false(the.tcb.sack);
}

static void answered(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        bool peer = i & 1, host = i & 2;
        the.config.sack = host;
        open_passive();
        receive(.flags = SYN, .seq = 0, .mss = 1000, .sack_ok = peer ? 1 : NONE);
        expect(.flags = SYN | ACK, .seq = 0, .ack = 1, .sack_ok = peer && host ? 1 : NONE);
        receive(.flags = ACK, .seq = 1, .ack = 1);
        assert_int_equal(the.tcb.sack, peer && host);
        again();
    }
}

static void crossing(void **state)
{
    (void)state;
    open_active();
    expect(.flags = SYN, .seq = 0, .sack_ok = 1);
    receive(.flags = SYN, .seq = 0, .mss = 1000, .sack_ok = 1);
    expect(.flags = SYN | ACK, .seq = 0, .ack = 1, .sack_ok = 1);
    receive(.flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000, .sack_ok = 1);
    assert_true(the.tcb.sack);
    receive(.flags = ACK, .seq = 5, .ack = 1, .text = 5);
    expect(.flags = ACK, .seq = 1, .ack = 1, SACKS(1, {5, 10}));
}

/* Blocks that nobody has permitted mean nothing, and none are sent. */
static void not_permitted(void **state)
{
    (void)state;
    establish(.wnd = 60000);
    receive(.flags = ACK, .seq = 1001, .ack = 1, .text = 1000);
    expect(.flags = ACK, .seq = 1, .ack = 1, .n_sack = NONE);
    user_sends(2000);
    ignore();
    receive(.flags = ACK, .seq = 1, .ack = 1, SACKS(1, {1001, 2001}));
    at(399);
    assert_int_equal(the.tcb.busy->sack_recovery.board.sacked, 0);
    at(400);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
}

/* ---- What we report: RFC 2018 3, 4; RFC 2883 4 ---- */

static void reports(void **state)
{
    (void)state;
    establish(.sack_ok = 1);
    receive(.flags = ACK, .seq = 1001, .ack = 1, .text = 1000);
    expect(.flags = ACK, .seq = 1, .ack = 1, SACKS(1, {1001, 2001}));
    receive(.flags = ACK, .seq = 3001, .ack = 1, .text = 1000);
    expect(.flags = ACK, .seq = 1, .ack = 1, SACKS(2, {3001, 4001}, {1001, 2001}));
    receive(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    expect(.flags = ACK, .seq = 1, .ack = 2001, SACKS(1, {3001, 4001}));
    receive(.flags = ACK, .seq = 2001, .ack = 1, .text = 1000);
    expect(.flags = ACK, .seq = 1, .ack = 4001, .n_sack = NONE);
}

/* RFC 2018 4: what arrives together has an ACK for each segment, which leave together too. No block
 * is passed over, or the sender would take it for lost; also when the last of the segments fills a
 * hole, and one ACK would be enough. */
static void reports_together(void **state)
{
    (void)state;
    establish(.sack_ok = 1);
    for (uint32_t i = 0; i < 6; i++) {
        receive(.flags = ACK, .seq = 101 + 200 * i, .ack = 1, .text = 100);
        batch();
    }
    receive(.flags = ACK, .seq = 1, .ack = 1, .text = 50);
    expect(.flags = ACK, .seq = 1, .ack = 51,
           SACKS(4, {701, 801}, {501, 601}, {301, 401}, {101, 201}));
    expect(.flags = ACK, .seq = 1, .ack = 51,
           SACKS(4, {1101, 1201}, {901, 1001}, {701, 801}, {501, 601}));
}

/* RFC 2883 4.1: below the acknowledgment, and beyond a hole; each once. */
static void reports_twice(void **state)
{
    (void)state;
    establish(.sack_ok = 1);
    receive(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    later(40); /* the delayed ACK */
    expect(.flags = ACK, .seq = 1, .ack = 1001, .n_sack = NONE);
    receive(.flags = ACK, .seq = 501, .ack = 1, .text = 500);
    expect(.flags = ACK, .seq = 1, .ack = 1001, SACKS(1, {501, 1001}));
    receive(.flags = ACK, .seq = 2001, .ack = 1, .text = 1000);
    expect(.flags = ACK, .seq = 1, .ack = 1001, SACKS(1, {2001, 3001}));
    receive(.flags = ACK, .seq = 2001, .ack = 1, .text = 500);
    expect(.flags = ACK, .seq = 1, .ack = 1001, SACKS(2, {2001, 2501}, {2001, 3001}));
    receive(.flags = ACK, .seq = 501, .ack = 1, .text = 1500); /* old and new */
    expect(.flags = ACK, .seq = 1, .ack = 3001, SACKS(1, {501, 1001}));
}

/* Simulator, seed 71: text older than the stream is of an earlier connection. */
static void nothing_of_before(void **state)
{
    (void)state;
    establish(.sack_ok = 1);
    receive(.flags = ACK, .seq = (uint32_t)-5000, .ack = 1, .text = 1000);
    expect(.flags = ACK, .seq = 1, .ack = 1, .n_sack = NONE);
}

/* Text of full size has no room for blocks: the ACK goes before it, by itself. With less text they
 * go together. */
static void with_text(void **state)
{
    (void)state;
    the.config.cc = &cc_newreno;
    establish(.sack_ok = 1, .wnd = 60000);
    user_sends(1100);
    batch();
    receive(.flags = ACK, .seq = 1001, .ack = 1, .text = 1000);
    expect(.flags = ACK, .seq = 1, .ack = 1, SACKS(1, {1001, 2001}));
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000, .n_sack = NONE);
    expect(.flags = ACK | PSH, .seq = 1001, .ack = 1, .text = 100, SACKS(1, {1001, 2001}));
    receive(.flags = ACK, .seq = 2001, .ack = 1101);
}

/* ---- Fast recovery by RACK ---- */

/* RFC 8985 6.2, RFC 6937: the third segment SACKed shows the loss; one goes again, at once; cwnd
 * comes down to ssthresh, and no timeout is needed. */
static void fast_recovery(void **state)
{
    (void)state;
    in_flight(10);
    at(200);
    for (uint32_t i = 1; i <= 2; i++)
        receive(.flags = ACK, .seq = 1, .ack = 1, SACKS(1, {1001, 1001 + 1000 * i}));
    batch();
    receive(.flags = ACK, .seq = 1, .ack = 1, SACKS(1, {1001, 4001}));
    struct tcp_status status;
    tcb_status(&the.tcb, &status);
    assert_true(status.sack && status.sacked == 3000 && status.lost == 1000);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    assert_int_equal(the.tcb.busy->cc.ssthresh, 5000);
    receive(.flags = ACK, .seq = 1, .ack = 1, SACKS(1, {1001, 10001}));
    at(300);
    receive(.flags = ACK, .seq = 1, .ack = 10001);
    assert_int_equal(the.tcb.busy->cc.cwnd, 5000);
    expect_rest();
}

/* Several losses of one window go again within one round trip, which NewReno can't. */
static void many_losses(void **state)
{
    (void)state;
    in_flight(10);
    at(200);
    receive(.flags = ACK, .seq = 1, .ack = 1, SACKS(3, {9001, 10001}, {4001, 7001}, {1001, 2001}));
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    expect(.flags = ACK, .seq = 2001, .ack = 1, .text = 1000);
    expect(.flags = ACK, .seq = 3001, .ack = 1, .text = 1000);
    expect(.flags = ACK, .seq = 7001, .ack = 1, .text = 1000);
    expect(.flags = ACK, .seq = 8001, .ack = 1, .text = 1000);
    at(300);
    receive(.flags = ACK, .seq = 1, .ack = 10001);
    assert_int_equal(the.tcb.busy->cc.cwnd, 6000); /* ssthresh, and the ACK counts as any other */
}

/* RFC 8985 6.2 step 4: fewer than three SACKed: a quarter of the round trip is waited for. */
static void reordering_timer(void **state)
{
    (void)state;
    in_flight(2);
    at(200);
    receive(.flags = ACK, .seq = 1, .ack = 1, SACKS(1, {1001, 2001}));
    at(224);
    expect_silence();
    at(225);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    at(325);
    receive(.flags = ACK, .seq = 1, .ack = 2001);
    assert_int_equal(the.tcb.busy->cc.cwnd, the.tcb.busy->cc.ssthresh);
}

/* What arrives within it was only late: nothing goes again. */
static void reordered(void **state)
{
    (void)state;
    in_flight(2);
    at(200);
    receive(.flags = ACK, .seq = 1, .ack = 1, SACKS(1, {1001, 2001}));
    at(220);
    receive(.flags = ACK, .seq = 1, .ack = 2001);
    at(2000);
    assert_true(the.tcb.busy->cc.cwnd >= 10000);
    assert_true(the.tcb.busy->sack_recovery.rack.reordering_seen || !tcb_is_busy(&the.tcb));
}

/* RFC 8985 3.1: a retransmission that is lost is found when what was sent later arrives. */
static void lost_retransmission(void **state)
{
    (void)state;
    in_flight(10);
    user_sends(1000);
    at(200);
    receive(.flags = ACK, .seq = 1, .ack = 1, SACKS(1, {1001, 10001}));
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    expect(.flags = ACK | PSH, .seq = 10001, .ack = 1, .text = 1000);
    at(300);
    receive(.flags = ACK, .seq = 1, .ack = 1, SACKS(1, {1001, 11001}));
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    at(400);
    receive(.flags = ACK, .seq = 1, .ack = 11001);
}

/* RFC 2883 5, RFC 4015: what went again had arrived: cwnd and ssthresh are as before. */
static void undone(void **state)
{
    (void)state;
    in_flight(10);
    uint32_t cwnd = the.tcb.busy->cc.cwnd, ssthresh = the.tcb.busy->cc.ssthresh;
    at(200);
    receive(.flags = ACK, .seq = 1, .ack = 1, SACKS(1, {1001, 4001}));
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    assert_int_equal(the.tcb.busy->cc.ssthresh, 5000);
    at(210);
    receive(.flags = ACK, .seq = 1, .ack = 4001);
    at(300);
    receive(.flags = ACK, .seq = 1, .ack = 5001, SACKS(1, {1, 1001}));
    assert_true(the.tcb.busy->cc.cwnd >= cwnd);
    assert_int_equal(the.tcb.busy->cc.ssthresh, ssthresh);
    assert_int_equal(the.tcb.busy->sack_recovery.rack.reo_wnd_mult, 2);
    receive(.flags = ACK, .seq = 1, .ack = 10001);
}

/* RFC 3708 3: one of what was not sent again tells of a path that duplicates, and of nothing else:
 * in recovery, and after it. */
static void duplicated_by_the_path(void **state)
{
    (void)state;
    in_flight(10);
    at(200);
    receive(.flags = ACK, .seq = 1, .ack = 1, SACKS(1, {1001, 4001}));
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    receive(.flags = ACK, .seq = 1, .ack = 1, SACKS(2, {2001, 3001}, {1001, 4001}));
    assert_int_equal(the.tcb.busy->cc.ssthresh, 5000);
    at(300);
    receive(.flags = ACK, .seq = 1, .ack = 10001);
    user_sends(2000);
    ignore();
    at(400);
    receive(.flags = ACK, .seq = 1, .ack = 12001);
    receive(.flags = ACK, .seq = 1, .ack = 12001, SACKS(1, {11001, 12001}));
    assert_int_equal(the.tcb.busy->cc.ssthresh, 5000);
    /* Nor one of what was, once the last D-SACKs must have come. */
    receive(.flags = ACK, .seq = 1, .ack = 12001, SACKS(1, {1, 1001}));
    assert_int_equal(the.tcb.busy->cc.ssthresh, 5000);
}

/* RFC 3708 3: beyond the hole it does not say that the hole was none, however much it is
 * (simulator, seed 765230). */
static void duplicated_beyond_the_hole(void **state)
{
    (void)state;
    in_flight(10);
    at(200);
    receive(.flags = ACK, .seq = 1, .ack = 1, SACKS(2, {6001, 10001}, {1001, 5001}));
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    expect(.flags = ACK, .seq = 5001, .ack = 1, .text = 1000);
    receive(.flags = ACK, .seq = 1, .ack = 1, SACKS(3, {1001, 4001}, {1001, 5001}, {6001, 10001}));
    assert_int_equal(the.tcb.busy->cc.ssthresh, 5000);
    assert_int_equal(the.tcb.busy->sack_recovery.mode, RECOVERY_FAST);
    receive(.flags = ACK, .seq = 1, .ack = 10001);
}

/* TCP_CONGESTION stays what the user has set meanwhile. */
static void undone_after_a_change(void **state)
{
    (void)state;
    in_flight(10);
    uint32_t ssthresh = the.tcb.busy->cc.ssthresh;
    at(200);
    receive(.flags = ACK, .seq = 1, .ack = 1, SACKS(1, {1001, 4001}));
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    user_sets(cc, &cc_cubic);
    at(210);
    receive(.flags = ACK, .seq = 1, .ack = 4001);
    at(300);
    receive(.flags = ACK, .seq = 1, .ack = 5001, SACKS(1, {1, 1001}));
    assert_int_equal(the.tcb.busy->cc.ssthresh, ssthresh);
    assert_ptr_equal(the.tcb.busy->cc.ops, &cc_cubic);
    receive(.flags = ACK, .seq = 1, .ack = 10001);
}

/* A peer that reports single octets makes us keep no more records than its segments may have. */
static void single_octets(void **state)
{
    (void)state;
    in_flight(10);
    at(200);
    for (uint32_t i = 3; i < 9000; i += 8)
        receive(.flags = ACK, .seq = 1, .ack = 1,
                SACKS(4, {i, i + 1}, {i + 2, i + 3}, {i + 4, i + 5}, {i + 6, i + 7}));
    assert_in_range(the.tcb.busy->sack_recovery.board.n, 10, 64 + 2 * 10 + 10);
    ignore();
    receive(.flags = ACK, .seq = 1, .ack = 10001);
}

/* RFC 2018 5: blocks of what was never sent, or is acknowledged, or that are empty or turned round
 * do nothing. */
static void implausible(void **state)
{
    (void)state;
    in_flight(4);
    at(200);
    receive(.flags = ACK, .seq = 1, .ack = 1001);
    receive(.flags = ACK, .seq = 1, .ack = 1001, SACKS(2, {2001, 2001}, {3001, 2001}));
    receive(.flags = ACK, .seq = 1, .ack = 1001, SACKS(2, {3001, 4002}, {3000, 5001}));
    receive(.flags = ACK, .seq = 1, .ack = 1001, SACKS(2, {1, 501}, {500, 1001}));
    receive(.flags = ACK, .seq = 1, .ack = 1001,
            SACKS(2, {0x80000000u, 0x90000000u}, {1001, 4001}));
    assert_int_equal(the.tcb.busy->sack_recovery.board.sacked, 0);
    receive(.flags = ACK, .seq = 1, .ack = 4001);
}

/* ---- Timeouts ---- */

/* RFC 8985 6.3, RFC 2018 5: the first goes again, and what has had its time; not what was SACKed.
 */
static void timeout(void **state)
{
    (void)state;
    in_flight(3);
    at(200);
    receive(.flags = ACK, .seq = 1, .ack = 1, SACKS(1, {1001, 2001}));
    at(225);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    uint64_t due_ms = (the.tcb.busy->rtx_due_ns - the.start_ns) / NS_PER_MS;
    at(due_ms);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    assert_int_equal(the.tcb.busy->cc.ssthresh, 2000);
    later(100);
    receive(.flags = ACK, .seq = 1, .ack = 2001);
    expect(.flags = ACK | PSH, .seq = 2001, .ack = 1, .text = 1000);
    later(100);
    receive(.flags = ACK, .seq = 1, .ack = 3001);
    expect_rest();
}

/* RFC 2018 8, RFC 6675 5.1: the first of what is outstanding was SACKed: the peer has thrown it
 * away. After the timeout all goes again. */
static void reneging(void **state)
{
    (void)state;
    in_flight(3);
    at(200);
    receive(.flags = ACK, .seq = 1, .ack = 1, SACKS(1, {1001, 3001}));
    at(225);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    at(325);
    receive(.flags = ACK, .seq = 1, .ack = 1001);
    uint64_t due_ms = (the.tcb.busy->rtx_due_ns - the.start_ns) / NS_PER_MS;
    at(due_ms);
    expect(.flags = ACK, .seq = 1001, .ack = 1, .text = 1000);
    later(100);
    receive(.flags = ACK, .seq = 1, .ack = 2001);
    expect(.flags = ACK | PSH, .seq = 2001, .ack = 1, .text = 1000);
    later(100);
    receive(.flags = ACK, .seq = 1, .ack = 3001);
    expect_rest();
}

/* ---- Beside it ---- */

/* A window that is shut on what was sent: it is probed, and what was thrown away goes again when it
 * opens; what was SACKed before does not. */
static void shut_window(void **state)
{
    (void)state;
    in_flight(4);
    at(200);
    receive(.flags = ACK, .seq = 1, .ack = 1, .wnd = ZERO, SACKS(1, {1001, 2001}));
    at(225); /* it counts as lost, but may not go */
    expect_silence();
    uint64_t due_ms = (the.tcb.busy->rtx_due_ns - the.start_ns) / NS_PER_MS;
    at(due_ms);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1);
    receive(.flags = ACK, .seq = 1, .ack = 1, .wnd = 60000, SACKS(1, {1001, 2001}));
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    ignore();
    receive(.flags = ACK, .seq = 1, .ack = 4001);
    expect_rest();
}

/* RFC 1191 6.4: too big for the path: all that was not SACKed goes again, smaller, from one segment
 * on. */
static void too_big(void **state)
{
    (void)state;
    in_flight(4);
    at(200);
    receive(.flags = ACK, .seq = 1, .ack = 1, SACKS(1, {2001, 3001}));
    batch();
    assert_true(tcp_pmtu_too_big(&the.tcb, 640, 1040, the.now_ns));
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 600);
    later(50);
    receive(.flags = ACK, .seq = 1, .ack = 601, SACKS(1, {2001, 3001}));
    expect(.flags = ACK, .seq = 601, .ack = 1, .text = 600);
    expect(.flags = ACK, .seq = 1201, .ack = 1, .text = 600);
    later(50);
    receive(.flags = ACK, .seq = 1, .ack = 3001);
    expect(.flags = ACK, .seq = 3001, .ack = 1, .text = 600);
    expect(.flags = ACK | PSH, .seq = 3601, .ack = 1, .text = 400);
    later(50);
    receive(.flags = ACK, .seq = 1, .ack = 4001);
    assert_int_equal(the.tcb.busy->sack_recovery.mode, RECOVERY_OPEN);
}

/* A FIN is an octet like any other: SACKed, or lost and sent again with the text before it. */
static void fin(void **state)
{
    (void)state;
    in_flight(2);
    user_close();
    expect(.flags = FIN | ACK, .seq = 2001, .ack = 1);
    at(200);
    receive(.flags = ACK, .seq = 1, .ack = 1, SACKS(1, {2001, 2002}));
    at(225);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    at(325);
    receive(.flags = ACK, .seq = 1, .ack = 1001, SACKS(1, {2001, 2002}));
    expect(.flags = ACK | PSH, .seq = 1001, .ack = 1, .text = 1000);
    at(425);
    receive(.flags = ACK, .seq = 1, .ack = 2002);
    expect_state(STATE_FIN_WAIT_2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ladder_test(offered),
        ladder_test(answered),
        ladder_test(crossing),
        ladder_test(not_permitted),
        ladder_test(reports),
        ladder_test(reports_together),
        ladder_test(reports_twice),
        ladder_test(nothing_of_before),
        ladder_test(with_text),
        ladder_test(fast_recovery),
        ladder_test(many_losses),
        ladder_test(reordering_timer),
        ladder_test(reordered),
        ladder_test(lost_retransmission),
        ladder_test(undone),
        ladder_test(duplicated_by_the_path),
        ladder_test(duplicated_beyond_the_hole),
        ladder_test(undone_after_a_change),
        ladder_test(single_octets),
        ladder_test(implausible),
        ladder_test(timeout),
        ladder_test(reneging),
        ladder_test(shut_window),
        ladder_test(too_big),
        ladder_test(fin),
    };
    return ladder_main(tests);
}
