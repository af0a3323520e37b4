/* RFC 3168 6.1.2: what the sender makes of ECN-Echo. The rest: test_rfc3168.c. */
#include "with_ecn.h"

/* Ten segments are in flight since 100 ms, 30 more wait. */
static struct sock *in_flight(struct peer *a, const struct cc_ops *cc)
{
    struct sock *so = connected_with_ecn(a);
    host_set(so, cc, cc);
    host_sends(so, 0, 40000);
    assert_int_equal(all_leaves(), 10);
    host_later(100);
    assert_int_equal(host_status(so).cwnd, 10000);
    return so;
}

static void ack(struct peer *a, uint32_t n, unsigned flags)
{
    arrives(a, .flags = ACK | flags, .seq = 1, .ack = 1 + 1000 * n);
}

/* The ACKs of the first n segments, with ECE. The first segment that they let go, which is the
 * first that is new, has CWR, and no other; returns how many there are. */
static unsigned echoes(struct peer *a, uint32_t n)
{
    /* with SACK in proportion (RFC 6937), else when half has left the network */
    static const bool goes[2][11] = {{[6] = 1, [7] = 1, [8] = 1, [9] = 1, [10] = 1},
                                     {[1] = 1, [4] = 1, [6] = 1, [9] = 1, [10] = 1}};
    unsigned sum = 0;
    for (uint32_t i = 1; i <= n; i++) {
        ack(a, i, ECE);
        if (goes[host_with_sack()][i]) {
            leaves(a, .flags = ACK | (sum == 0 ? CWR : 0u), .seq = 10001 + 1000 * sum, .ack = 1,
                   .text = 1000, .ecn = ECT0);
            sum++;
        }
    }
    nothing_leaves();
    return sum;
}

/* Halved once, however many ACKs echo it until CWR has arrived; ssthresh goes down with it. */
static void once_in_a_window(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a, &cc_newreno);
    assert_int_equal(echoes(&a, 10), 5);
    assert_int_equal(host_status(so).ssthresh, 5000);
    assert_int_equal(host_status(so).cwnd, 5000);
    assert_int_equal(host_status(so).resent, 0);
    ack(&a, 11, 0); /* with CWR it has come, and cwnd grows again */
    (void)all_leaves();
    ack(&a, 15, 0);
    (void)all_leaves();
    assert_int_equal(host_status(so).ssthresh, 5000);
    assert_int_equal(host_status(so).cwnd, 6000);
}

/* The ACK of the segment with CWR, or of what came behind it, echoes a new mark. */
static void again_in_the_next(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a, &cc_newreno);
    (void)echoes(&a, 10);
    ack(&a, 11, ECE);
    (void)all_leaves();
    ack(&a, 12, ECE);
    ack(&a, 13, ECE);
    (void)all_leaves();
    ack(&a, 15, ECE);
    (void)all_leaves();
    assert_int_equal(host_status(so).ssthresh, 2500);
    assert_int_equal(host_status(so).cwnd, 2500);
}

/* RFC 9438 4.6: with CUBIC 0.7. */
static void with_cubic(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a, &cc_cubic);
    for (uint32_t i = 1; i <= 10; i++) {
        ack(&a, i, ECE);
        (void)all_leaves();
    }
    assert_int_equal(host_status(so).ssthresh, 7000);
    assert_int_equal(host_status(so).cwnd, 7000);
}

/* cwnd does not grow by an ACK with ECE, though there is nothing to be reduced any more. */
static void does_not_grow(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = connected_with_ecn(&a);
    host_set(so, cc, &cc_newreno);
    host_sends(so, 0, 10000);
    assert_int_equal(all_leaves(), 10);
    ack(&a, 5, ECE);
    ack(&a, 10, ECE);
    assert_int_equal(host_status(so).cwnd, 5000);
    host_sends(so, 10000, 1000);
    leaves(&a, .flags = ACK | PSH | CWR, .seq = 10001, .ack = 1, .text = 1000, .ecn = ECT0);
}

/* An ACK that is older than SND.UNA says nothing. */
static void old_ack(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a, &cc_newreno);
    ack(&a, 2, 0);
    (void)all_leaves();
    ack(&a, 1, ECE);
    assert_int_equal(host_status(so).ssthresh, UINT32_MAX);
}

/* Nor does one when nothing is outstanding, for which it could be. */
static void nothing_outstanding(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = connected_with_ecn(&a);
    host_sends(so, 0, 2000);
    assert_int_equal(all_leaves(), 2);
    ack(&a, 2, 0);
    uint32_t cwnd = host_status(so).cwnd;
    if (host_with_sack())
        arrives(&a, .flags = ACK | ECE, .seq = 1, .ack = 2001, BLOCK(1, 1001));
    else
        ack(&a, 2, ECE);
    assert_int_equal(host_status(so).cwnd, cwnd);
    assert_int_equal(host_status(so).ssthresh, UINT32_MAX);
}

/* An ACK that moves nothing does: SND.UNA may wait for what is lost. */
static void duplicate_ack(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a, &cc_newreno);
    if (host_with_sack())
        arrives(&a, .flags = ACK | ECE, .seq = 1, .ack = 1, BLOCK(1001, 2001));
    else
        ack(&a, 0, ECE);
    (void)all_leaves();
    assert_int_equal(host_status(so).ssthresh, 5000);
}

/* Segment n is found lost, of a window in which another was marked. */
static void lose(struct peer *a, uint32_t n, unsigned flags)
{
    uint32_t at = 1 + 1000 * n, left = at + 1000;
    for (uint32_t i = 1; i <= 3; i++) {
        if (host_with_sack())
            arrives(a, .flags = ACK | flags, .seq = 1, .ack = at, BLOCK(left, left + 1000 * i));
        else
            ack(a, n, flags);
        if (i < 3)
            (void)all_leaves();
    }
}

/* "Reduced only once in response to a series of dropped and/or CE packets from a single window":
 * the mark first, then the loss. What is sent again has neither ECT (6.1.5) nor CWR. */
static void mark_then_loss(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a, &cc_newreno);
    lose(&a, 0, ECE);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    (void)all_leaves();
    assert_int_equal(host_status(so).ssthresh, 5000);
    host_later(100);
    ack(&a, 10, ECE);
    (void)all_leaves();
    assert_int_equal(host_status(so).ssthresh, 5000);
    assert_in_range(host_status(so).cwnd, 1000, 5000);
}

/* What the loss belongs to is the marked window: the ACK of what has gone since with CWR tells of
 * the next (seed 7011674 of the simulator). */
static void loss_between_marks(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a, &cc_newreno);
    unsigned n = 10 + echoes(&a, 8);
    lose(&a, 8, ECE);
    (void)all_leaves();
    assert_int_equal(host_status(so).ssthresh, 5000);
    host_later(100);
    ack(&a, n, ECE);
    (void)all_leaves();
    assert_true(host_status(so).ssthresh < 5000);
}

/* The loss first, then the mark. */
static void loss_then_mark(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a, &cc_newreno);
    lose(&a, 0, 0);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    (void)all_leaves();
    assert_int_equal(host_status(so).ssthresh, 5000);
    host_later(100);
    ack(&a, 10, ECE);
    (void)all_leaves();
    assert_int_equal(host_status(so).ssthresh, 5000);
}

/* "Any reason": the first new segment after a fast retransmit has CWR. */
static void cwr_after_loss(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = connected_with_ecn(&a);
    host_sends(so, 0, 10000);
    assert_int_equal(all_leaves(), 10);
    host_later(100);
    lose(&a, 0, 0);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    ack(&a, 10, 0);
    host_sends(so, 10000, 2000);
    leaves(&a, .flags = ACK | CWR, .seq = 10001, .ack = 1, .text = 1000, .ecn = ECT0);
    leaves(&a, .flags = ACK | PSH, .seq = 11001, .ack = 1, .text = 1000, .ecn = ECT0);
}

/* And so has that after a timeout. */
static void cwr_after_timeout(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = connected_with_ecn(&a);
    host_sends(so, 0, 1000);
    leaves(&a, .flags = ACK | PSH, .seq = 1, .ack = 1, .text = 1000, .ecn = ECT0);
    host_later(300);
    leaves(&a, .flags = ACK | PSH, .seq = 1, .ack = 1, .text = 1000);
    ack(&a, 1, 0);
    host_sends(so, 1000, 1000);
    leaves(&a, .flags = ACK | PSH | CWR, .seq = 1001, .ack = 1, .text = 1000, .ecn = ECT0);
}

/* "The TCP source should not decrease ssthresh if it has been decreased within the last round
 * trip": a timeout after a mark does not. */
static void mark_then_timeout(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a, &cc_newreno);
    ack(&a, 1, ECE);
    (void)all_leaves();
    if (host_with_sack()) {
        host_later(208); /* RFC 8985 7.3: a probe first */
        assert_int_equal(all_leaves(), 1);
    }
    host_later(host_status(so).rto_ns / NS_PER_MS);
    leaves(&a, .flags = ACK, .seq = 1001, .ack = 1, .text = 1000);
    assert_int_equal(host_status(so).ssthresh, 5000);
    assert_int_equal(host_status(so).retries, 1);
}

/* How many segments leave with CWR. */
static unsigned cwrs_leave(void)
{
    struct packet p;
    unsigned n = 0;
    while (stack_output(host.stack, &p, 1, host.now_ns) > 0) {
        struct headers h = headers_read(&p);
        n += (h.flags & CWR) != 0;
        assert_true(!(h.flags & CWR) || (h.tos & ECN_MASK) == ECT0);
    }
    return n;
}

/* But what a timeout has found lost goes again in slow start, though all ACKs echo a mark that no
 * CWR can answer before there is new text. */
static void grows_after_timeout(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a, &cc_newreno);
    if (host_with_sack()) {
        host_later(108);
        assert_int_equal(all_leaves(), 1);
    }
    host_later(host_status(so).rto_ns / NS_PER_MS - (host_with_sack() ? 0 : 100));
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    host_later(100);
    ack(&a, 1, ECE);
    leaves(&a, .flags = ACK, .seq = 1001, .ack = 1, .text = 1000);
    leaves(&a, .flags = ACK, .seq = 2001, .ack = 1, .text = 1000);
    assert_in_range(host_status(so).ssthresh, 5000, 5500);
}

/* If the segment with CWR is lost, cwnd is reduced again, and the next new one has it. */
static void cwr_is_lost(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a, &cc_newreno);
    (void)echoes(&a, 10); /* 10001 to 15000 are in flight, the first with CWR */
    for (uint32_t i = 1; i <= 3; i++) {
        if (host_with_sack())
            arrives(&a, .flags = ACK | ECE, .seq = 1, .ack = 10001, BLOCK(11001, 11001 + 1000 * i));
        else
            ack(&a, 10, ECE);
        if (i < 3)
            (void)all_leaves();
    }
    leaves(&a, .flags = ACK, .seq = 10001, .ack = 1, .text = 1000);
    unsigned n = cwrs_leave();
    assert_in_range(host_status(so).ssthresh, 2000, 3500);
    ack(&a, 10 + host_status(so).flight / 1000, ECE);
    assert_int_equal(n + cwrs_leave(), 1);
}

/* Two segments have gone, and a mark in them has brought cwnd down to one. */
static struct sock *down_to_one(struct peer *a)
{
    struct sock *so = connected_with_ecn(a);
    host_sends(so, 0, 2000);
    assert_int_equal(all_leaves(), 2);
    host_later(100);
    ack(a, 2, ECE);
    return so;
}

/* With cwnd at one SMSS it can't go down: the retransmission timer starts again, and new text goes
 * when it runs out, not before. */
static void one_segment(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = down_to_one(&a);
    assert_int_equal(host_status(so).cwnd, 1000); /* RFC 9438 4.6: one SMSS at least */
    assert_int_equal(host_status(so).ssthresh, 2000);
    host_sends(so, 2000, 3000);
    leaves(&a, .flags = ACK | CWR, .seq = 2001, .ack = 1, .text = 1000, .ecn = ECT0);
    host_later(100);
    for (uint32_t i = 3; i <= 4; i++) {
        ack(&a, i, ECE);
        nothing_leaves();
        assert_int_equal(host_status(so).cwnd, 1000);
        host_later(host_status(so).rto_ns / NS_PER_MS - 1);
        host_later(1);
        leaves(&a, .flags = ACK | CWR | (i == 4 ? PSH : 0u), .seq = 1 + 1000 * i, .ack = 1,
               .text = 1000, .ecn = ECT0);
        assert_int_equal(host_status(so).resent, 0);
        host_later(100);
    }
    ack(&a, 5, 0);
    assert_int_equal(host_status(so).cwnd, 2000);
}

/* The same while a segment is outstanding, which is not sent again before. */
static void one_segment_outstanding(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = down_to_one(&a);
    host_set_nodelay(so, true);
    host_sends(so, 2000, 500);
    leaves(&a, .flags = ACK | PSH | CWR, .seq = 2001, .ack = 1, .text = 500, .ecn = ECT0);
    host_sends(so, 2500, 500);
    leaves(&a, .flags = ACK | PSH, .seq = 2501, .ack = 1, .text = 500, .ecn = ECT0);
    host_sends(so, 3000, 500);
    host_later(100);
    arrives(&a, .flags = ACK | ECE, .seq = 1, .ack = 2501);
    host_later(100);
    arrives(&a, .flags = ACK | ECE, .seq = 1, .ack = 3001);
    nothing_leaves();
    host_later(host_status(so).rto_ns / NS_PER_MS - 100);
    leaves(&a, .flags = ACK | PSH | CWR, .seq = 3001, .ack = 1, .text = 500, .ecn = ECT0);
}

/* It holds for text that is SENT later, FIN included. */
static void one_segment_and_nothing_to_send(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = down_to_one(&a);
    host_sends(so, 2000, 500);
    leaves(&a, .flags = ACK | PSH | CWR, .seq = 2001, .ack = 1, .text = 500, .ecn = ECT0);
    host_later(100);
    arrives(&a, .flags = ACK | ECE, .seq = 1, .ack = 2501);
    uint64_t rto_ms = host_status(so).rto_ns / NS_PER_MS;
    host_later(50);
    host_sends(so, 2500, 500);
    assert_int_equal(host_shutdown_send(so), ERR_NONE);
    host_later(rto_ms - 50);
    leaves(&a, .flags = FIN | ACK | PSH | CWR, .seq = 2501, .ack = 1, .text = 500, .ecn = ECT0);
}

/* A FIN without text is no new text, and does not wait. */
static void fin_after_one_segment(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = down_to_one(&a);
    host_sends(so, 2000, 500);
    leaves(&a, .flags = ACK | PSH | CWR, .seq = 2001, .ack = 1, .text = 500, .ecn = ECT0);
    host_later(100);
    arrives(&a, .flags = ACK | ECE, .seq = 1, .ack = 2501);
    assert_int_equal(host_shutdown_send(so), ERR_NONE);
    leaves(&a, .flags = FIN | ACK, .seq = 2501, .ack = 1);
}

#define TS(val, ecr) .ts = 1, .ts_val = (val), .ts_ecr = (ecr)

/* With SACK and timestamps; n segments of 988 octets are in flight since 100 ms, `more` wait. */
static struct sock *with_all(struct peer *a, uint32_t n, uint32_t more)
{
    start_with_ecn(TCP_ECN_ASK);
    struct sock *so = host_connect(a);
    leaves(a, .flags = SYN | ECE | CWR, .seq = 0, .sack_ok = 1, TS(0, 0));
    a->wnd = 65535;
    host_later(100);
    arrives(a, .flags = SYN | ACK | ECE, .seq = 0, .ack = 1, .mss = 1000, .sack_ok = 1, TS(1, 0));
    leaves(a, .flags = ACK, .seq = 1, .ack = 1, TS(100, 1));
    host_sends(so, 0, (n + more) * 988);
    assert_int_equal(all_leaves(), n);
    return so;
}

#define AT(n) (1 + 988 * (n))

/* RFC 4015: a reduction that is undone is none, though CWR has told of it: the next echo counts. */
static void after_undo(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = with_all(&a, 10, 10);
    host_later(100);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, BLOCK(AT(1), AT(4)), TS(2, 100));
    assert_true(host_status(so).ssthresh < UINT32_MAX);
    assert_int_equal(cwrs_leave(), 0);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, BLOCK(AT(1), AT(7)), TS(2, 100));
    assert_int_equal(cwrs_leave(), 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = AT(7), TS(3, 100)); /* RFC 3522: it was late */
    assert_int_equal(host_status(so).ssthresh, UINT32_MAX);
    (void)all_leaves();
    arrives(&a, .flags = ACK | ECE, .seq = 1, .ack = AT(8), TS(4, 100));
    assert_true(host_status(so).ssthresh < UINT32_MAX);
    (void)all_leaves();
}

/* Once in a window of data: what a probe has repaired (RFC 8985 7.4) and a mark are one. */
static void with_a_repaired_tail(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = with_all(&a, 8, 0);
    host_later(208);
    leaves(&a, .flags = ACK | PSH, .seq = AT(7), .ack = 1, .text = 988);
    host_sends(so, 8 * 988, 988); /* what comes after the probe tells that it came */
    assert_int_equal(all_leaves(), 1);
    host_later(92);
    arrives(&a, .flags = ACK | ECE, .seq = 1, .ack = AT(9), TS(2, 308));
    assert_int_equal(host_status(so).ssthresh, (uint32_t)(9 * 988 * 0.7));
}

/* A connection that has been silent since its cwnd was reduced still tells of it. */
static void after_silence(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = connected_with_ecn(&a);
    host_sends(so, 0, 4000);
    assert_int_equal(all_leaves(), 4);
    ack(&a, 4, ECE);
    host_later(60000);
    host_sends(so, 4000, 2000);
    leaves(&a, .flags = ACK | CWR, .seq = 4001, .ack = 1, .text = 1000, .ecn = ECT0);
    leaves(&a, .flags = ACK | PSH, .seq = 5001, .ack = 1, .text = 1000, .ecn = ECT0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(fin_after_one_segment),    host_test(after_undo),
        host_test(with_a_repaired_tail),     host_test_sack(once_in_a_window),
        host_test_sack(again_in_the_next),   host_test_sack(with_cubic),
        host_test_sack(does_not_grow),       host_test_sack(old_ack),
        host_test_sack(nothing_outstanding), host_test_sack(duplicate_ack),
        host_test_sack(mark_then_loss),      host_test_sack(loss_then_mark),
        host_test_sack(cwr_after_loss),      host_test(cwr_after_timeout),
        host_test_sack(mark_then_timeout),   host_test_sack(grows_after_timeout),
        host_test_sack(cwr_is_lost),         host_test_sack(one_segment),
        host_test(one_segment_outstanding),  host_test_sack(one_segment_and_nothing_to_send),
        host_test_sack(after_silence),       host_test_sack(loss_between_marks),
    };
    return host_main(tests);
}
