/* RFC 6675, and RFC 5681, 3042 and 6298 where SACK is used: what is in the pipe, what goes next,
 * when recovery ends, timeouts. What counts as lost is RACK's to say (test_rfc8985.c), how fast
 * cwnd comes down PRR's (test_rfc6937.c). */
#include "with_sack.h"

/* Ten segments are in flight since the time 100, numbered from 1 on, and `more` octets wait; an RTT
 * later. */
static struct sock *in_flight(struct peer *a, uint32_t more)
{
    struct sock *so = host_connect(a);
    host_set(so, cc, &cc_newreno);
    handshake_with_sack(a);
    host_sends(so, 0, 10000 + more);
    assert_int_equal(all_leaves(), 10);
    host_later(100);
    return so;
}

static uint32_t cwnd(const struct sock *so)
{
    return host_status(so).cwnd;
}

/* The first was lost: ACKs of the next three, with what they let go. */
static void first_lost(struct peer *a)
{
    for (uint32_t i = 0; i < 2; i++) {
        arrives(a, .flags = ACK, .seq = 1, .ack = 1, BLOCK(1001, 2001 + 1000 * i));
        leaves(a, .flags = ACK, .seq = 10001 + 1000 * i, .ack = 1, .text = 1000);
        nothing_leaves();
    }
    arrives(a, .flags = ACK, .seq = 1, .ack = 1, BLOCK(1001, 4001));
    leaves(a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    nothing_leaves();
}

/* ---- 5 (1) to (4): the beginning ---- */

/* (3): limited transmit by pipe and cwnd. (4): with the third segment SACKed the first goes again,
 * ssthresh is half of what was in flight, without what limited transmit has sent (RFC 5681 3.2). */
static void fast_retransmit(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a, 50000);
    first_lost(&a);
    struct tcp_status s = host_status(so);
    assert_int_equal(s.ssthresh, 5000);
    assert_int_equal(s.resent, 1);
    assert_int_equal(s.flight, 12000);
}

/* RFC 3042 2, RFC 5681 3.2 step 1: cwnd stays. */
static void limited_transmit_keeps_cwnd(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a, 50000);
    for (uint32_t i = 0; i < 2; i++) {
        arrives(&a, .flags = ACK, .seq = 1, .ack = 1, BLOCK(1001, 2001 + 1000 * i));
        assert_int_equal(all_leaves(), 1);
        assert_int_equal(cwnd(so), 10000);
        assert_int_equal(host_status(so).ssthresh, UINT32_MAX);
    }
}

/* RFC 3042 2, RFC 5681 3.2 step 1: an ACK without new SACK information lets no new text go, however
 * many come: bare ones, known blocks, D-SACKs, blocks of nothing that was sent. Nor does it begin a
 * recovery (2's definition of a duplicate acknowledgment). */
static void nothing_new_is_told(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a, 50000);
    for (unsigned i = 0; i < 6; i++) {
        arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
        nothing_leaves();
    }
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, BLOCK(1001, 2001));
    leaves(&a, .flags = ACK, .seq = 10001, .ack = 1, .text = 1000);
    for (unsigned i = 0; i < 6; i++) {
        arrives(&a, .flags = ACK, .seq = 1, .ack = 1, BLOCK(1001, 2001));
        nothing_leaves();
        arrives(&a, .flags = ACK, .seq = 1, .ack = 1, BLOCKS(2, {1001, 1501}, {1001, 2001}));
        nothing_leaves();
        arrives(&a, .flags = ACK, .seq = 1, .ack = 1, BLOCK(50001, 51001));
        nothing_leaves();
    }
    assert_int_equal(host_status(so).resent, 0);
    assert_int_equal(cwnd(so), 10000);
    assert_int_equal(host_status(so).ssthresh, UINT32_MAX);
}

/* 2: one with text, another window, or a new SEG.ACK counts when it tells of something new. */
static void duplicates_of_any_kind(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a, 0);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1001, BLOCK(2001, 3001));
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1001, .text = 10, BLOCK(2001, 4001));
    arrives(&a, .flags = ACK, .seq = 11, .ack = 1001, .wnd = 60000, BLOCK(2001, 5001));
    leaves(&a, .flags = ACK, .seq = 1001, .ack = 11, .text = 1000);
    assert_int_equal(host_status(so).resent, 1);
}

/* ---- 4: the pipe, and NextSeg ---- */

/* SetPipe: what is outstanding, less what was SACKed and what was lost, and with what went again.
 * More goes when cwnd has room beside it. */
static void pipe(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a, 50000);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, BLOCK(2001, 10001)); /* 8000 SACKed, 2000 lost */
    assert_int_equal(host_status(so).sacked, 8000);
    assert_int_equal(host_status(so).lost, 2000);
    assert_int_equal(cwnd(so), 5000); /* the pipe is empty: ssthresh */
    assert_int_equal(all_leaves(), 5);
    assert_int_equal(host_status(so).lost, 0);
    assert_int_equal(host_status(so).flight, 13000);
    host_later(100);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1001, BLOCK(2001, 10001)); /* one has left it */
    assert_int_equal(all_leaves(), 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 10001);
    assert_int_equal(all_leaves(), 1);
}

/* (1): what is lost, from the lowest on and no more of it than is; then (2): new text. */
static void lost_text_first(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    (void)in_flight(&a, 50000);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, BLOCKS(2, {5001, 10001}, {1001, 4001}));
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    leaves(&a, .flags = ACK, .seq = 4001, .ack = 1, .text = 1000);
    leaves(&a, .flags = ACK, .seq = 10001, .ack = 1, .text = 1000);
    leaves(&a, .flags = ACK, .seq = 11001, .ack = 1, .text = 1000);
    leaves(&a, .flags = ACK, .seq = 12001, .ack = 1, .text = 1000);
    nothing_leaves(); /* the pipe is ssthresh */
}

/* (2): as far as the peer's window goes; (5): or nothing. */
static void window_and_nothing_else(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a, 50000);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = 11000, BLOCK(1001, 10001));
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    leaves(&a, .flags = ACK, .seq = 10001, .ack = 1, .text = 1000);
    nothing_leaves();
    assert_true(cwnd(so) >= 3000);
}

/* ---- 5 (A), (B): the end ---- */

/* An ACK below RecoveryPoint does not end it, and a second loss of the same window is no second
 * reduction (RFC 5681 4.3); one of RecoveryPoint does, and cwnd is ssthresh. */
static void recovery_point(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a, 50000);
    first_lost(&a);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, BLOCKS(2, {6001, 8001}, {1001, 5001}));
    (void)all_leaves(); /* 5001 was lost as well */
    host_later(100);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 5001, BLOCK(6001, 10001));
    (void)all_leaves();
    assert_int_equal(host_status(so).ssthresh, 5000);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 10001);
    (void)all_leaves();
    assert_int_equal(host_status(so).ssthresh, 5000);
    host_batch();
    arrives(&a, .flags = ACK, .seq = 1, .ack = 12001); /* limited transmit's was the last of then */
    assert_in_range(cwnd(so), 5000, 6000);             /* and grows as outside of recovery */
    (void)all_leaves();
    assert_int_equal(host_status(so).resent, 2);
}

/* (A): what was SACKed beyond RecoveryPoint stays known: it does not go again when it turns out to
 * lie behind a loss of the next window, which is a second reduction (RFC 5681 4.3). */
static void loss_in_the_next_window(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a, 50000);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, BLOCK(1001, 10001));
    assert_int_equal(all_leaves(), 5); /* 1 again, 10001 to 14000 */
    host_later(100);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, BLOCK(1001, 10001));
    arrives(&a, .flags = ACK, .seq = 1, .ack = 10001, BLOCK(11001, 14001));
    leaves(&a, .flags = ACK, .seq = 10001, .ack = 1, .text = 1000);
    assert_true(host_status(so).ssthresh <= 2500);
    (void)all_leaves();
    host_later(100);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 14001);
    (void)all_leaves();
    assert_int_equal(host_status(so).resent, 2);
}

/* RFC 8985 9.3 leaves it to PRR how fast a retransmission that was lost goes again: cwnd is not
 * lowered a second time, as RFC 5681 4.3 has it without PRR. */
static void retransmission_lost(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a, 50000);
    first_lost(&a);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, BLOCK(1001, 10001));
    (void)all_leaves();
    host_later(100);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, BLOCK(1001, 13001)); /* sent after it */
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    (void)all_leaves();
    assert_int_equal(host_status(so).ssthresh, 5000);
    assert_true(cwnd(so) <= 5000);
}

/* ---- 5.1, RFC 5681 3.1, RFC 6298 5: timeouts ---- */

/* Nothing comes back: a probe goes after two round trips (RFC 8985 7.2), and an RTO after that all
 * is lost, and one segment may go: ssthresh is half of what was in flight. Again, and it stays. */
static void timeout(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a, 50000);
    uint64_t rto = host_status(so).rto_ns;
    assert_int_equal(rto, 300 * NS_PER_MS);
    host_later(107);
    nothing_leaves();
    host_later(1);
    leaves(&a, .flags = ACK, .seq = 10001, .ack = 1, .text = 1000);
    host_later(299);
    nothing_leaves();
    host_later(1);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    nothing_leaves();
    assert_int_equal(cwnd(so), 1000);
    assert_int_equal(host_status(so).ssthresh, 5500);
    host_go(HERE, host.now_ns + 2 * rto); /* RFC 6298 5.5 */
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    nothing_leaves();
    assert_int_equal(cwnd(so), 1000);
    assert_int_equal(host_status(so).ssthresh, 5500);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 11001);
    assert_int_equal(cwnd(so), 2000); /* RFC 3465 2.3: one segment, however much it covers */
    assert_int_equal(all_leaves(), 2);
}

/* RFC 8985 6.3 does not take what was sent less than a round trip ago for lost: it stays in the
 * pipe, and cwnd is one segment beside it (lib/README.md): one goes, and not more. */
static void timeout_beside_recent_text(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a, 1000);
    host_later(108);
    leaves(&a, .flags = ACK | PSH, .seq = 10001, .ack = 1, .text = 1000); /* the probe */
    host_later(290);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, BLOCK(1001, 3001));
    host_sends(so, 11000, 5000);
    leaves(&a, .flags = ACK, .seq = 11001, .ack = 1, .text = 1000);
    nothing_leaves();
    host_go(HERE, stack_deadline(host.stack));
    struct tcp_status s = host_status(so);
    assert_int_equal(s.retries, 1);
    assert_int_equal(s.lost, 8000);
    assert_int_equal(s.flight - s.sacked - s.lost, 2000);
    assert_int_equal(s.cwnd, 1000 + 2000);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    nothing_leaves();
}

/* What comes after a timeout is used: text that is SACKed does not go again, and what lies between
 * goes; RecoveryPoint is all that was sent, and until then no loss is a second reduction. */
static void after_a_timeout(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a, 0);
    host_later(108);
    leaves(&a, .flags = ACK | PSH, .seq = 9001, .ack = 1, .text = 1000); /* the probe */
    host_later(300);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    assert_int_equal(host_status(so).ssthresh, 5000);
    host_later(100);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1001, BLOCKS(2, {7001, 10001}, {3001, 6001}));
    leaves(&a, .flags = ACK, .seq = 1001, .ack = 1, .text = 1000);
    leaves(&a, .flags = ACK, .seq = 2001, .ack = 1, .text = 1000);
    nothing_leaves();
    assert_int_equal(host_status(so).ssthresh, 5000);
    host_later(100);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 6001, BLOCK(7001, 10001));
    leaves(&a, .flags = ACK, .seq = 6001, .ack = 1, .text = 1000);
    nothing_leaves();
    assert_int_equal(host_status(so).ssthresh, 5000);
    host_later(100);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 10001);
    assert_int_equal(host_status(so).resent, 5);
    assert_int_equal(host_status(so).ssthresh, 5000);
}

/* RFC 6298 5, RFC 6675 6: the timer runs anew when the first outstanding segment goes again. */
static void timer_of_the_retransmission(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a, 0);
    host_later(90);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, BLOCK(1001, 10001));
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    uint64_t rto = host_status(so).rto_ns;
    host_go(HERE, host.now_ns + rto - 1);
    nothing_leaves();
    host_go(HERE, host.now_ns + 1);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    assert_int_equal(cwnd(so), 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(fast_retransmit),
        host_test(limited_transmit_keeps_cwnd),
        host_test(nothing_new_is_told),
        host_test(duplicates_of_any_kind),
        host_test(pipe),
        host_test(lost_text_first),
        host_test(window_and_nothing_else),
        host_test(recovery_point),
        host_test(loss_in_the_next_window),
        host_test(retransmission_lost),
        host_test(timeout),
        host_test(timeout_beside_recent_text),
        host_test(after_a_timeout),
        host_test(timer_of_the_retransmission),
    };
    return host_main(tests);
}
