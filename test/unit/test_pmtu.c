/* pmtu.c: path MTU discovery for one connection (RFC 1191, RFC 8201; MUST-16). Which messages get
 * as far as here is in test_icmp_in.c, with the MTUs that are believed. */
#include "pmtu.h"
#include "segments.h"
#include "timeout.h"
#include "unreach.h"

static bool too_big(uint32_t mtu)
{
    expect_silence();
    bool news = tcp_pmtu_too_big(&the.tcb, mtu, 1040, the.now_ns);
    assert_null(tcb_check_deep(&the.tcb));
    return news;
}

/* As if it had been sending for a while. */
static void congestion_window(uint32_t cwnd, uint32_t ssthresh)
{
    the.tcb.busy->cc.cwnd = cwnd;
    the.tcb.busy->cc.ssthresh = ssthresh;
    the.tcb.last_sent_ns = the.now_ns;
}

/* RFC 1191 6.4: what is in flight goes again at once, in smaller segments; the first segment
 * only, and the rest as ACKs come. No sign of congestion: cwnd comes back to where it was in
 * slow start, RTO is what it was. */
static void again_in_smaller_segments(void **state)
{
    (void)state;
    establish();
    congestion_window(4000, 20000);
    user_sends(8000);
    for (unsigned i = 0; i < 4; i++)
        expect(.flags = ACK, .seq = 1 + 1000 * i, .ack = 1, .text = 1000);
    at(150);
    uint64_t rto_ns = tcb_rto_ns(&the.tcb);
    congestion_window(100000, 20000);
    expect(.flags = ACK, .seq = 4001, .ack = 1, .text = 1000);
    expect(.flags = ACK, .seq = 5001, .ack = 1, .text = 1000);
    expect(.flags = ACK, .seq = 6001, .ack = 1, .text = 1000);
    expect(.flags = PSH | ACK, .seq = 7001, .ack = 1, .text = 1000);
    assert_true(too_big(600));
    assert_int_equal(the.tcb.snd.mss, 560);
    assert_int_equal(the.tcb.busy->cc.cwnd, 560);
    assert_int_equal(the.tcb.busy->cc.ssthresh,
                     56000); /* RFC 5681 3.1: as many segments as before */
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 560);
    expect_silence();
    assert_int_equal(tcb_rto_ns(&the.tcb), rto_ns);
    assert_int_equal(the.tcb.busy->retries, 0);
    at(250);
    receive(.flags = ACK, .seq = 1, .ack = 561);
    for (unsigned i = 1; i < 3; i++)
        expect(.flags = ACK, .seq = 1 + 560 * i, .ack = 1, .text = 560);
    receive(.flags = ACK, .seq = 1, .ack = 1681);
    for (unsigned i = 3; i < 7; i++)
        expect(.flags = ACK, .seq = 1 + 560 * i, .ack = 1, .text = 560);
    receive(.flags = ACK, .seq = 1, .ack = 8001);
    assert_int_equal(the.tcb.busy->recovery.mode, RECOVERY_OPEN);
    expect_silence();
}

/* The same in super-segments of up to 44 MSS: pieces get the new size. */
static void super_segments(void **state)
{
    (void)state;
    static const uint32_t mss_per_super[] = {2, 3, 44};
    for (size_t i = 0; i < sizeof mss_per_super / sizeof *mss_per_super; i++) {
        the.path.super_max = mss_per_super[i] * 1000;
        establish(.wnd = 60000);
        congestion_window(50000, 50000);
        user_sends(44000);
        ignore();
        assert_int_equal(ours(), 44001);
        assert_true(too_big(600));
        expect(.flags = ACK, .seq = 1, .ack = 1, .text = 560, .gso = ZERO);
        receive(.flags = ACK, .seq = 1, .ack = 561, .wnd = 60000);
        expect(.flags = ACK, .seq = 561, .ack = 1, .text = 1120, .gso = 560);
        receive(.flags = ACK, .seq = 1, .ack = 44001, .wnd = 60000);
        user_sends(30000);
        struct seg seg;
        while (ladder_take(HERE, &seg))
            assert_true(seg.gso_size == 0 || seg.gso_size == 560);
        again();
    }
}

/* RFC 1191 6.4: the same news comes for every segment in flight, and counts once. */
static void counts_once(void **state)
{
    (void)state;
    establish();
    user_sends(3000);
    ignore();
    assert_true(too_big(900));
    ignore();
    uint32_t resent = the.tcb.resent;
    assert_false(too_big(900));
    assert_false(too_big(1000)); /* RFC 8201 4: never up */
    expect_silence();
    assert_int_equal(the.tcb.resent, resent);
    assert_true(too_big(899));
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 859);
    ignore();
}

/* What the peer's MSS forbids to send can't have been too big. */
static void smaller_than_the_peers_mss(void **state)
{
    (void)state;
    establish(.mss = 600);
    user_sends(600);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 600);
    assert_false(too_big(700));
    assert_false(too_big(640));
    assert_true(too_big(639));
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 599);
    receive(.flags = ACK, .seq = 1, .ack = 600);
    expect(.flags = PSH | ACK, .seq = 600, .ack = 1, .text = 1);
}

static void before_it_is_synchronized(void **state)
{
    (void)state;
    open_active();
    expect(.flags = SYN, .seq = 0, .mss = 1000);
    assert_false(too_big(600));
    at(100);
    receive(.flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
    expect(.flags = ACK, .seq = 1, .ack = 1);
    assert_int_equal(the.tcb.snd.mss, 1000);
}

/* The timer runs from when the text went again (RFC 6298 5.3 for what is sent now), and its
 * duplicates' ACKs are no sign of loss. */
static void timer_and_duplicates(void **state)
{
    (void)state;
    establish();
    user_sends(3000);
    ignore();
    at(300); /* the timer would run out at 400 */
    assert_true(too_big(600));
    ignore();
    uint32_t cwnd = the.tcb.busy->cc.cwnd, resent = the.tcb.resent;
    for (unsigned i = 0; i < 5; i++)
        receive(.flags = ACK, .seq = 1, .ack = 1);
    assert_int_equal(the.tcb.busy->cc.cwnd, cwnd);
    at(599);
    assert_int_equal(the.tcb.resent, resent);
    at(600);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 560); /* 300 + RTO */
    assert_int_equal(the.tcb.busy->retries, 1);
}

/* In the middle of fast recovery: its inflation goes, what it has learned of congestion stays. */
static void in_fast_recovery(void **state)
{
    (void)state;
    the.config.cc = &cc_newreno;
    establish();
    congestion_window(10000, 10000);
    user_sends(8000);
    ignore();
    for (unsigned i = 0; i < 3; i++)
        receive(.flags = ACK, .seq = 1, .ack = 1);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    assert_int_equal(the.tcb.busy->cc.ssthresh, 4000);
    for (unsigned i = 0; i < 5; i++)
        receive(.flags = ACK, .seq = 1, .ack = 1);
    assert_int_equal(the.tcb.busy->cc.cwnd, 12000);
    assert_true(too_big(600));
    assert_int_equal(the.tcb.busy->recovery.mode, RECOVERY_MTU);
    assert_int_equal(the.tcb.busy->cc.cwnd, 560);
    assert_int_equal(the.tcb.busy->cc.ssthresh, 4000);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 560);
    receive(.flags = ACK, .seq = 1, .ack = 8001);
}

/* And after a timeout: what that has learned stays as well, and so does its backed off RTO. */
static void after_a_timeout(void **state)
{
    (void)state;
    the.config.cc = &cc_newreno;
    establish();
    user_sends(3000);
    ignore();
    at(400);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    assert_int_equal(the.tcb.busy->cc.ssthresh, 2000);
    uint64_t rto_ns = tcb_rto_ns(&the.tcb);
    assert_true(too_big(600));
    assert_int_equal(tcb_rto_ns(&the.tcb), rto_ns);
    assert_int_equal(the.tcb.busy->cc.ssthresh, 2000);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 560);
    assert_int_equal(the.tcb.busy->cc.abc_limit, 1);
    receive(.flags = ACK, .seq = 1, .ack = 3001);
    assert_int_equal(the.tcb.busy->recovery.mode, RECOVERY_OPEN);
}

/* A FIN in flight goes again behind the last octet. */
static void with_a_fin(void **state)
{
    (void)state;
    establish();
    user_sends(1000);
    batch();
    user_close();
    expect(.flags = FIN | PSH | ACK, .seq = 1, .ack = 1, .text = 1000);
    assert_true(too_big(600));
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 560);
    receive(.flags = ACK, .seq = 1, .ack = 561);
    expect(.flags = FIN | PSH | ACK, .seq = 561, .ack = 1, .text = 440);
    receive(.flags = ACK, .seq = 1, .ack = 1002);
    expect_state(STATE_FIN_WAIT_2);
}

/* The window has been shut on what was too big: it waits, and is probed for. */
static void with_a_shut_window(void **state)
{
    (void)state;
    establish();
    user_sends(3000);
    ignore();
    receive(.flags = ACK, .seq = 1, .ack = 1, .wnd = ZERO);
    assert_true(too_big(600));
    expect_silence();
    at(400);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1);
    assert_true(too_big(599)); /* and while it is probed no other timer runs */
    assert_true(the.tcb.busy->rtx_due_ns == TIME_NEVER);
    receive(.flags = ACK, .seq = 1, .ack = 2, .wnd = 5000);
    expect(.flags = ACK, .seq = 2, .ack = 1, .text = 559);
    ignore();
}

/* RFC 1191 6.3: after ten minutes larger packets are tried again, up to what peer and link take. */
static void forgotten_after_ten_minutes(void **state)
{
    (void)state;
    establish(.mss = 900);
    user_sends(900);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 900);
    assert_true(too_big(600));
    ignore();
    receive(.flags = ACK, .seq = 1, .ack = 901);
    at(600099);
    user_sends(900);
    expect(.flags = ACK, .seq = 901, .ack = 1, .text = 560);
    expect(.flags = PSH | ACK, .seq = 1461, .ack = 1, .text = 340);
    receive(.flags = ACK, .seq = 1, .ack = 1801);
    at(600100);
    user_sends(900);
    expect(.flags = PSH | ACK, .seq = 1801, .ack = 1, .text = 900);
    assert_int_equal(the.tcb.busy->cc.mss, 900);
    assert_true(too_big(600)); /* it still is */
    expect(.flags = ACK, .seq = 1801, .ack = 1, .text = 560);
    ignore();
}

/* Known before the connection is opened: our MSS option speaks of our own link all the same (RFC
 * 1191 6.4), and after ten minutes counted from when it was learned it is forgotten. */
static void known_before(void **state)
{
    (void)state;
    open_active();
    tcp_pmtu_known(&the.tcb, 600, the.now_ns + 1000 * NS_PER_MS);
    expect(.flags = SYN, .seq = 0, .mss = 1000);
    at(100);
    receive(.flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 900);
    expect(.flags = ACK, .seq = 1, .ack = 1);
    assert_int_equal(the.tcb.busy->cc.cwnd, 10 * 560);
    user_sends(900);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 560);
    expect(.flags = PSH | ACK, .seq = 561, .ack = 1, .text = 340);
    receive(.flags = ACK, .seq = 1, .ack = 901);
    at(1000);
    user_sends(900);
    expect(.flags = PSH | ACK, .seq = 901, .ack = 1, .text = 900);
}

/* IP_PMTUDISC_PROBE: what has been learned is forgotten, and ICMP changes nothing, until the user
 * wants it to again. */
static void not_by_icmp(void **state)
{
    (void)state;
    open_active();
    tcp_pmtu_known(&the.tcb, 700, TIME_NEVER);
    assert_int_equal(the.tcb.snd.mss, 648);  /* with timestamps */
    user_sets(ip6.pmtudisc, PMTUDISC_PROBE); /* the other family's */
    assert_int_equal(the.tcb.snd.mss, 648);
    user_sets(ip4.pmtudisc, PMTUDISC_PROBE);
    assert_int_equal(the.tcb.snd.mss, 988);
    expect(.flags = SYN, .seq = 0, .mss = 1000);
    at(100);
    receive(.flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
    expect(.flags = ACK, .seq = 1, .ack = 1);
    user_sends(1000);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1000);
    assert_false(too_big(600));
    assert_int_equal(the.tcb.snd.mss, 1000);
    tcp_pmtu_full_stop(&the.tcb, the.now_ns); /* RFC 4821 7.7 */
    assert_int_equal(the.tcb.snd.mss, 984);
    user_sets(nodelay, true); /* has nothing to do with it */
    assert_int_equal(the.tcb.snd.mss, 984);
    user_sets(ip4.pmtudisc, PMTUDISC_DO);
    assert_true(too_big(600));
    assert_int_equal(the.tcb.snd.mss, 560);
    ignore();
    receive(.flags = ACK, .seq = 1, .ack = 1001);
}

/* The timer runs out: R1 is the third time. */
static const unsigned timeouts[] = {400, 1000, 2200, 4600, 9400};

/* RFC 4821 7.7: at R1, which is the third timeout in a row, and nothing said why: text goes in
 * packets of 1024 octets; at the next in half of that, but 552 at least. For ten minutes. */
static void black_hole(void **state)
{
    (void)state;
    the.path.mtu = 1500;
    establish(.mss = 1460);
    user_sends(2920);
    ignore();
    for (unsigned i = 0; i < 2; i++) {
        at(timeouts[i]);
        expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1460);
    }
    at(timeouts[2]);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 984);
    assert_int_equal(the.tcb.busy->cc.cwnd, 984);
    at(timeouts[3]);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 512);
    at(timeouts[4]);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 512);
    at(9500);
    receive(.flags = ACK, .seq = 1, .ack = 513);
    expect(.flags = ACK, .seq = 513, .ack = 1, .text = 512);
    expect(.flags = ACK, .seq = 1025, .ack = 1, .text = 512);
    receive(.flags = ACK, .seq = 1, .ack = 2921);
    at(604500);
    user_sends(512);
    expect(.flags = PSH | ACK, .seq = 2921, .ack = 1, .text = 512);
    receive(.flags = ACK, .seq = 1, .ack = 3433);
    at(609400);
    user_sends(1460);
    expect(.flags = PSH | ACK, .seq = 3433, .ack = 1, .text = 1460);
}

/* What was lost is smaller than 1024 octets as it is: at once half of that (seed 753 of the
 * simulator). */
static void narrow_black_hole(void **state)
{
    (void)state;
    the.path.mtu = 1500;
    establish(.mss = 1460);
    user_sends(888);
    ignore();
    for (unsigned i = 0; i < 2; i++) {
        at(timeouts[i]);
        expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 888);
    }
    at(timeouts[2]);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 512);
}

/* A router has said that the host is unreachable, at some time: it may be reachable again, over a
 * path that is narrower (seed 688683 of the simulator). */
static void trouble_that_is_known(void **state)
{
    (void)state;
    the.path.mtu = 1500;
    establish(.mss = 1460);
    user_sends(1460);
    ignore();
    tcp_unreachable(&the.tcb, ERR_HOSTUNREACH, false, the.now_ns);
    for (unsigned i = 0; i < 2; i++) {
        at(timeouts[i]);
        expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1460);
    }
    at(timeouts[2]);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 984);
}

/* What was lost is small enough for any path: that is not it. */
static void small_is_lost(void **state)
{
    (void)state;
    the.path.mtu = 1500;
    establish(.mss = 1460);
    user_sends(512);
    ignore();
    for (unsigned i = 0; i < 5; i++) {
        at(timeouts[i]);
        expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 512);
    }
    assert_int_equal(the.tcb.snd.mss, 1460);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ladder_test(again_in_smaller_segments),
        ladder_test(super_segments),
        ladder_test(counts_once),
        ladder_test(smaller_than_the_peers_mss),
        ladder_test(before_it_is_synchronized),
        ladder_test(timer_and_duplicates),
        ladder_test(in_fast_recovery),
        ladder_test(after_a_timeout),
        ladder_test(black_hole),
        ladder_test(narrow_black_hole),
        ladder_test(trouble_that_is_known),
        ladder_test(small_is_lost),
        ladder_test(with_a_fin),
        ladder_test(with_a_shut_window),
        ladder_test(forgotten_after_ten_minutes),
        ladder_test(known_before),
        ladder_test(not_by_icmp),
    };
    return ladder_main(tests);
}
