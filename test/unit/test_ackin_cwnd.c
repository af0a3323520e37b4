/* ackin.c: what congestion control learns of an ACK, and when cwnd counts as used (RFC 9438 5.8).
 * The rest of it is in test_ackin.c. */
#include "loss.h"
#include "much_text.h"
#include "segments.h"

/* In congestion avoidance all of it has to be in flight (RFC 9438 5.8), also when the ACKs of a
 * full window come in one batch, or in one. */
static void avoidance_wants_a_full_window(void **state)
{
    (void)state;
    the.config.cc = &cc_newreno;
    establish(.wnd = 60000);
    the.tcb.busy->cc.cwnd = the.tcb.busy->cc.ssthresh = 4500;
    for (uint32_t i = 0; i < 20; i++) { /* three of four and a half */
        user_sends(3000);
        ignore();
        receive(.flags = ACK, .seq = 1, .ack = 3001 + 3000 * i);
    }
    assert_int_equal(the.tcb.busy->cc.cwnd, 4500);
    assert_int_equal(the.tcb.busy->cc.acked, 0);
    user_sends(4000);
    ignore();
    receive(.flags = ACK, .seq = 1, .ack = 61001);
    batch();
    receive(.flags = ACK, .seq = 1, .ack = 63001);
    batch();
    receive(.flags = ACK, .seq = 1, .ack = 64001);
    assert_int_equal(the.tcb.busy->cc.acked, 4000);
    user_sends(4000);
    ignore();
    receive(.flags = ACK, .seq = 1, .ack = 68001);
    assert_int_equal(the.tcb.busy->cc.cwnd, 5500);
}

/* The peer's window is as good a reason not to use it. */
static void avoidance_and_the_peers_window(void **state)
{
    (void)state;
    the.config.cc = &cc_newreno;
    establish(.wnd = 4000);
    the.tcb.busy->cc.cwnd = the.tcb.busy->cc.ssthresh = 5000;
    user_sends(50000);
    for (uint32_t i = 0; i < 50; i++) {
        ignore();
        receive(.flags = ACK, .seq = 1, .ack = 1001 + 1000 * i);
    }
    assert_int_equal(the.tcb.busy->cc.cwnd, 5000);
}

/* What is sent again after a timeout fills a window like anything else. */
static void avoidance_after_a_timeout(void **state)
{
    (void)state;
    the.config.cc = &cc_newreno;
    establish(.wnd = 60000);
    user_sends(10000);
    ignore();
    later(tcb_rto_ns(&the.tcb) / NS_PER_MS);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    the.tcb.busy->cc.ssthresh = 2000;
    for (uint32_t ack = 1001; ack < 10001; ack += 1000) {
        receive(.flags = ACK, .seq = 1, .ack = ack);
        ignore();
    }
    receive(.flags = ACK, .seq = 1, .ack = 10001);
    assert_int_equal(the.tcb.busy->cc.cwnd, 5000); /* 1, then 2 + 3 + 4 of congestion avoidance */
}

/* What is sent again fills cwnd as well: here nothing else has, and there is more to be sent again.
 */
static void avoidance_by_what_is_sent_again(void **state)
{
    (void)state;
    the.config.cc = &cc_newreno;
    establish(.wnd = 60000);
    user_sends(9000);
    ignore();
    the.tcb.busy->cc.cwnd = 20000;
    the.tcb.busy->full = the.tcb.snd.una;
    later(tcb_rto_ns(&the.tcb) / NS_PER_MS);
    ignore(); /* ssthresh is 4500 */
    for (uint32_t i = 1; i <= 4; i++) {
        receive(.flags = ACK, .seq = 1, .ack = 1 + 1000 * i);
        ignore();
    }
    assert_int_equal(the.tcb.busy->cc.cwnd, 4500);
    assert_true(recovery_pending(&the.tcb.busy->recovery));
    uint32_t acked = the.tcb.busy->cc.acked;
    receive(.flags = ACK, .seq = 1, .ack = 5001);
    assert_int_equal(the.tcb.busy->cc.acked, acked + 1000);
    ignore();
    receive(.flags = ACK, .seq = 1, .ack = 9001);
}

/* The send buffer grows to twice cwnd once that is what holds text back, up to its limit; not while
 * the user sends less, and not when the user has set it (SO_SNDBUF). */
static void send_buffer(void **state)
{
    (void)state;
    for (int set = 0; set < 2; set++) {
        the.config.sndbuf = 9000;
        the.config.sndbuf_max = 30000;
        establish(.wnd = 60000); /* cwnd is 10000 */
        user_sends(5000);
        ignore();
        receive(.flags = ACK, .seq = 1, .ack = 5001);
        user_sends(4000);
        ignore();
        receive(.flags = ACK, .seq = 1, .ack = 9001);
        assert_int_equal(tcb_sndbuf(&the.tcb), 9000);
        if (set)
            user_sets(sndbuf, 9500);
        the.tcb.busy->cc.cwnd = 8000;
        user_sends(9000);
        ignore();
        receive(.flags = ACK, .seq = 1, .ack = 11001);
        ignore();
        assert_int_equal(tcb_sndbuf(&the.tcb), set ? 9500 : 16000);
        the.tcb.busy->cc.cwnd = 20000;
        receive(.flags = ACK, .seq = 1, .ack = 13001);
        assert_int_equal(tcb_sndbuf(&the.tcb), set ? 9500 : 30000);
        ignore();
        receive(.flags = ACK, .seq = 1, .ack = 18001);
        again();
    }
}

/* So does it where it holds text back itself: else cwnd, which then is never in use as a whole, and
 * the buffer would both stay as they are, however much the path carries. */
static void send_buffer_alone(void **state)
{
    (void)state;
    the.config.sndbuf = 9000;
    the.config.sndbuf_max = 50000;
    establish(.wnd = 9000);
    the.tcb.busy->cc.cwnd = 20000;
    the.tcb.last_sent_ns = the.now_ns; /* else it has been idle, RFC 5681 4.1 */
    user_sends(9000);
    ignore();
    assert_false(tcb_has_room(&the.tcb));
    receive(.flags = ACK, .seq = 1, .ack = 1001, .wnd = 60000); /* the peer's window has held it */
    assert_int_equal(tcb_sndbuf(&the.tcb), 9000);
    user_sends(1000);
    ignore();
    receive(.flags = ACK, .seq = 1, .ack = 2001, .wnd = 60000);
    assert_int_equal(tcb_sndbuf(&the.tcb), 40000);
}

/* A round trip, the shortest; longer ones after it; and then cwnd is what holds text back. */
static void send_buffer_behind(uint32_t least_us, uint32_t later_us, uint32_t cwnd)
{
    the.config.sndbuf = 20000;
    the.config.sndbuf_max = 4 << 20;
    establish(.sack_ok = 1, .wnd = 60000);
    user_sends(1000);
    ignore();
    the.now_ns += least_us * NS_PER_US;
    receive(.flags = ACK, .seq = 1, .ack = 1001);
    assert_int_equal(loss_min_rtt_ns(&the.tcb), least_us * NS_PER_US);
    the.tcb.rto.srtt_us = later_us;
    user_sends(1000);
    the.tcb.busy->cc.cwnd = cwnd;
    the.tcb.busy->full = seq_add(the.tcb.snd.nxt, 10000);
    ignore();
    receive(.flags = ACK, .seq = 1, .ack = 2001);
}

/* On a short path it grows to three times what the path itself holds, where round trips have become
 * longer than the least; on others to twice cwnd, as a longer route looks the same, and so do the
 * queues of others. */
static void send_buffer_and_queues(void **state)
{
    (void)state;
    const uint32_t cwnd = 1000000;
    send_buffer_behind(450, 950, cwnd);
    uint64_t held = 3 * cwnd * 450 * NS_PER_US / rto_srtt_ns(&the.tcb.rto);
    assert_in_range(tcb_sndbuf(&the.tcb), held * 8 / 10, held * 12 / 10);
    assert_in_range(held, 11 * cwnd / 10, 18 * cwnd / 10);
    again();
    send_buffer_behind(20000, 200000, cwnd);
    assert_int_equal(tcb_sndbuf(&the.tcb), 2 * cwnd);
    again();
    send_buffer_behind(900, 50000, cwnd);
    assert_int_equal(tcb_sndbuf(&the.tcb), 2 * cwnd);
}

/* 1 MiB at once where round trips are below a millisecond, or what it may grow to. */
static void send_buffer_of_a_short_path(void **state)
{
    (void)state;
    const struct {
        uint32_t srtt_us, most, wanted;
    } cases[] = {
        {999, 4 << 20, 1 << 20},
        {1000, 4 << 20, 9000},
        {999, 30000, 30000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        the.config.sndbuf = 9000;
        the.config.sndbuf_max = cases[i].most;
        establish(.wnd = 60000);
        user_sends(1000);
        ignore();
        the.tcb.rto.srtt_us = cases[i].srtt_us;
        receive(.flags = ACK, .seq = 1, .ack = 1001);
        assert_int_equal(tcb_sndbuf(&the.tcb), cases[i].wanted);
        again();
    }
}

/* What congestion control learns of an ACK. */
static struct cc_ack heard;

static void hear(struct cc *c, const struct cc_ack *ack)
{
    (void)c;
    heard = *ack;
}

static void what_an_ack_says(void **state)
{
    (void)state;
    static const struct cc_ops listener = {.name = "listener", .acked = hear};
    the.config.cc = &listener;
    establish(.wnd = 60000); /* a round trip of 100 ms */
    user_sends(4000);
    ignore();
    later(20);
    receive(.flags = ACK, .seq = 1, .ack = 2001); /* the first segment was timed */
    assert_int_equal(heard.octets, 2000);
    assert_int_equal(heard.una.v, the.iss + 2001);
    assert_int_equal(heard.nxt.v, the.iss + 4001);
    assert_int_equal(heard.rtt_ns, 20 * NS_PER_MS);
    assert_int_equal(heard.srtt_ns, 90 * NS_PER_MS);
    assert_int_equal(heard.now_ns, the.now_ns);
    receive(.flags = ACK, .seq = 1, .ack = 3001);
    assert_int_equal(heard.octets, 1000);
    assert_int_equal(heard.rtt_ns, 0);
    assert_int_equal(heard.srtt_ns, 90 * NS_PER_MS);
    receive(.flags = ACK, .seq = 1, .ack = 4001);
}

/* A full window long past does not become one that is in flight after half the sequence space. */
static void full_long_after(void **state)
{
    (void)state;
    the.config.cc = &cc_newreno;
    much_text_allow();
    establish(.wnd = 65535, .scale = 14);
    the.tcb.busy->cc.ssthresh = 2000;
    the.tcb.busy->cc.cwnd = 1000;
    user_sends(1000);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1000);
    receive(.flags = ACK, .seq = 1, .ack = 1001);
    much_text_goes(UINT64_C(1) << 31);
    the.tcb.busy->cc.cwnd = 50000;
    the.tcb.busy->cc.acked = 0;
    user_sends(1000);
    ignore();
    receive(.flags = ACK, .seq = 1, .ack = ours());
    assert_int_equal(the.tcb.busy->cc.acked, 0);
}

/* RFC 5681 3.2: at the sign of a loss cwnd does not grow. Once text is known to be reordered SACK
 * blocks are no such sign: as Linux has it they open the window like any ACK. */
static void disorder_opens_the_window(void **state)
{
    (void)state;
    the.config.cc = &cc_newreno;
    establish(.sack_ok = 1, .wnd = 60000);
    user_sends(50000);
    ignore();
    later(100);
    uint32_t cwnd = the.tcb.busy->cc.cwnd;
    receive(.flags = ACK, .seq = 1, .ack = 1, SACKS(1, {1001, 2001}));
    ignore();
    assert_int_equal(the.tcb.busy->cc.cwnd, cwnd);
    receive(.flags = ACK, .seq = 1, .ack = 2001);
    ignore();
    assert_int_equal(the.tcb.busy->cc.cwnd, cwnd + 1000);
    receive(.flags = ACK, .seq = 1, .ack = 2001, SACKS(1, {3001, 4001}));
    ignore();
    assert_int_equal(the.tcb.busy->cc.cwnd, cwnd + 2000);
}

/* RFC 9406 4.2 wants every sample of a round; where text is reordered, most are those of SACKs. */
static void disorder_is_timed(void **state)
{
    (void)state;
    the.config.cc = &cc_cubic;
    establish(.sack_ok = 1, .wnd = 60000);
    user_sends(50000);
    ignore();
    later(30);
    receive(.flags = ACK, .seq = 1, .ack = 1, SACKS(1, {1001, 2001}));
    ignore();
    assert_int_equal(the.tcb.busy->cc.hystart.samples, 1);
    assert_int_equal(the.tcb.busy->cc.hystart.current_us, 30000);
}

/* RFC 9438 5.8: also where text is reordered, a window that was not in use does not grow. */
static void disorder_in_an_idle_window(void **state)
{
    (void)state;
    the.config.cc = &cc_newreno;
    establish(.sack_ok = 1, .wnd = 60000);
    user_sends(5000);
    ignore();
    the.tcb.busy->cc.cwnd = the.tcb.busy->cc.ssthresh = 20000;
    later(100);
    receive(.flags = ACK, .seq = 1, .ack = 1, SACKS(1, {1001, 2001}));
    receive(.flags = ACK, .seq = 1, .ack = 2001);
    receive(.flags = ACK, .seq = 1, .ack = 2001, SACKS(1, {3001, 5001}));
    assert_true(loss_reorders(&the.tcb));
    assert_int_equal(the.tcb.busy->cc.acked, 0);
    receive(.flags = ACK, .seq = 1, .ack = 5001);
    assert_int_equal(the.tcb.busy->cc.cwnd, 20000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ladder_test(avoidance_wants_a_full_window),
        ladder_test(avoidance_and_the_peers_window),
        ladder_test(avoidance_after_a_timeout),
        ladder_test(avoidance_by_what_is_sent_again),
        ladder_test(send_buffer),
        ladder_test(send_buffer_alone),
        ladder_test(send_buffer_and_queues),
        ladder_test(send_buffer_of_a_short_path),
        ladder_test(what_an_ack_says),
        ladder_test(full_long_after),
        ladder_test(disorder_opens_the_window),
        ladder_test(disorder_is_timed),
        ladder_test(disorder_in_an_idle_window),
    };
    return ladder_main(tests);
}
