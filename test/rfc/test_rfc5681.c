/* RFC 5681: congestion control, by the algorithm of that name. What differs with SACK is in
 * test_rfc6675.c. CUBIC is in test_rfc9438.c, recovery from several losses is in test_rfc6582.c,
 * the initial window in test_rfc6928.c. */
#include "router.h"

/* Connected, with a window that stands in nobody's way and n octets to send. */
static struct sock *sender(struct peer *a, uint32_t n)
{
    a->wnd = 65535;
    struct sock *so = host_connect(a);
    host_set(so, cc, &cc_newreno);
    leaves(a, .flags = SYN, .seq = 0);
    host_later(100);
    arrives(a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
    leaves(a, .flags = ACK, .seq = 1, .ack = 1);
    if (n > 0)
        host_sends(so, 0, n);
    return so;
}

/* Acknowledges `times` segments one by one; returns how many were sent for it. */
static unsigned acks(struct peer *a, uint32_t *acked, unsigned times)
{
    unsigned sent = 0;
    for (unsigned i = 0; i < times; i++) {
        *acked += 1000;
        arrives(a, .flags = ACK, .seq = 1, .ack = *acked);
        sent += all_leaves();
    }
    return sent;
}

static uint32_t cwnd(const struct sock *so)
{
    return host_status(so).cwnd;
}

/* ---- 3.1: slow start and congestion avoidance ---- */

/* One segment, when the SYN or the SYN,ACK was lost. */
static void one_segment_after_a_lost_syn(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connect(&a);
    leaves(&a, .flags = SYN, .seq = 0);
    host_at(1000);
    leaves(&a, .flags = SYN, .seq = 0);
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    host_sends(so, 0, 9000);
    assert_int_equal(all_leaves(), 1);
    struct peer b = peer(2, 80);
    struct sock *l = host_listen(80, 5);
    arrives(&b, .flags = SYN, .seq = 0, .mss = 1000);
    leaves(&b, .flags = SYN | ACK, .seq = 0, .ack = 1);
    host_later(1000);
    (void)all_leaves(); /* the first one's text, too */
    arrives(&b, .flags = ACK, .seq = 1, .ack = 1);
    so = host_accept(l);
    host_sends(so, 0, 9000);
    leaves(&b, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    nothing_leaves();
}

/* 2: nothing beyond the highest acknowledged number and the smaller of cwnd and rwnd. */
static void smaller_of_cwnd_and_rwnd(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), b = peer(2, 0);
    struct sock *so = sender(&a, 50000);
    assert_int_equal(all_leaves(), 10);
    assert_int_equal(host_status(so).flight, 10000);
    b.wnd = 2500;
    host_take_events();
    so = host_connected(HERE, &b);
    host_sends(so, 0, 50000);
    assert_int_equal(all_leaves(), 2);
}

/* Slow start while cwnd is below ssthresh, which at first is as high as can be: by what an ACK
 * acknowledges, so that dividing an ACK wins nothing. */
static void slow_start(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = sender(&a, 60000);
    assert_int_equal(all_leaves(), 10);
    assert_int_equal(host_status(so).ssthresh, UINT32_MAX);
    for (uint32_t ack = 101; ack <= 1001; ack += 100) {
        arrives(&a, .flags = ACK, .seq = 1, .ack = ack);
        (void)all_leaves();
    }
    assert_int_equal(cwnd(so), 11000);
    uint32_t acked = 1001;
    assert_int_equal(acks(&a, &acked, 3), 6);
    assert_int_equal(cwnd(so), 14000);
}

/* An ACK of many segments counts for more than one, up to eight (lib/README.md). */
static void ack_of_many(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = sender(&a, 60000);
    assert_int_equal(all_leaves(), 10);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 4001);
    assert_int_equal(all_leaves(), 8);
    assert_int_equal(cwnd(so), 14000);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 12001);
    assert_int_equal(all_leaves(), 16);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 34001);
    (void)all_leaves();
    assert_int_equal(cwnd(so), 30000); /* not 44000 */
}

/* A window that was not used does not grow. */
static void unused_window_does_not_grow(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = sender(&a, 0);
    for (uint32_t i = 0; i < 20; i++) {
        host_sends(so, i, 1);
        leaves(&a, .flags = PSH | ACK, .seq = 1 + i, .ack = 1, .text = 1);
        arrives(&a, .flags = ACK, .seq = 1, .ack = 2 + i);
    }
    assert_int_equal(cwnd(so), 10000);
}

/* A timeout: ssthresh is half of what was in flight, 2 segments at least; cwnd is one segment. The
 * same segment's next timeout leaves ssthresh as it is. */
static void timeout(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = sender(&a, 100000);
    uint32_t acked = 1;
    assert_int_equal(all_leaves(), 10);
    (void)acks(&a, &acked, 12);
    assert_int_equal(host_status(so).flight, 22000);
    uint64_t rto = host_status(so).rto_ns;
    host_go(HERE, host.now_ns + rto);
    leaves(&a, .flags = ACK, .seq = acked, .ack = 1, .text = 1000);
    nothing_leaves();
    assert_int_equal(cwnd(so), 1000);
    assert_int_equal(host_status(so).ssthresh, 11000);
    host_go(HERE, host.now_ns + 2 * rto);
    leaves(&a, .flags = ACK, .seq = acked, .ack = 1, .text = 1000);
    assert_int_equal(host_status(so).ssthresh, 11000);
    assert_int_equal(cwnd(so), 1000);
}

/* The first ten segments have timed out, and enough waits. With SACK a probe has gone before. */
static struct sock *timed_out(struct peer *a)
{
    struct sock *so = sender(a, 10000);
    assert_int_equal(all_leaves(), 10);
    while (host_status(so).retries == 0) {
        host_go(HERE, stack_deadline(host.stack));
        assert_int_equal(all_leaves(), 1);
    }
    host_sends(so, 10000, 190000);
    nothing_leaves();
    assert_int_equal(host_status(so).cwnd, 1000);
    return so;
}

/* Then slow start up to ssthresh, and from there one segment a round trip. */
static void after_a_timeout(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    uint32_t acked = 1;
    struct sock *so = timed_out(&a);
    assert_int_equal(host_status(so).ssthresh, 5000);
    arrives(&a, .flags = ACK, .seq = 1, .ack = acked += 10000); /* only the first was lost */
    assert_int_equal(cwnd(so), 2000);
    assert_int_equal(all_leaves(), 2);
    assert_int_equal(acks(&a, &acked, 2), 4);
    assert_int_equal(cwnd(so), 4000);
    for (unsigned n = 4; n < 8; n++) {
        assert_int_equal(acks(&a, &acked, n), n + 1);
        assert_int_equal(cwnd(so), (n + 1) * 1000);
    }
}

/* There acknowledged octets count, not the ACKs that come for them. */
static void counts_octets(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    uint32_t acked = 1;
    struct sock *so = timed_out(&a);
    arrives(&a, .flags = ACK, .seq = 1, .ack = acked += 10000);
    assert_int_equal(all_leaves(), 2);
    while (cwnd(so) < 5000)
        (void)acks(&a, &acked, 1);
    for (unsigned i = 1; i <= 10; i++) { /* halves of segments */
        arrives(&a, .flags = ACK, .seq = 1, .ack = acked += 500);
        (void)all_leaves();
        assert_int_equal(cwnd(so), i < 10 ? 5000 : 6000);
    }
    for (unsigned i = 1; i <= 3; i++) { /* two at once */
        arrives(&a, .flags = ACK, .seq = 1, .ack = acked += 2000);
        (void)all_leaves();
        assert_int_equal(cwnd(so), i < 3 ? 6000 : 7000);
    }
}

/* When the path's MTU turns out to be smaller, ssthresh is as many segments as cwnd was, not as
 * many octets. What is in flight is to be sent again, which begins with one segment (RFC 1191 6.4).
 */
static void smaller_mtu(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = sender(&a, 200000);
    uint32_t acked = 1;
    assert_int_equal(all_leaves(), 10);
    host_go(HERE, host.now_ns + host_status(so).rto_ns);
    assert_int_equal(all_leaves(), 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = acked += 10000);
    assert_int_equal(all_leaves(), 2);
    while (cwnd(so) < 12000)
        (void)acks(&a, &acked, 1);
    assert_int_equal(host_status(so).ssthresh, 5000);
    hears(&a, .kind = ICMP_TOO_BIG, .seq = acked, .mtu = 640);
    assert_int_equal(host_status(so).snd_mss, 600);
    assert_int_equal(cwnd(so), 600);
    assert_int_equal(host_status(so).ssthresh, 12 * 600);
    assert_int_equal(all_leaves(), 1);
}

/* ---- 3.2: fast retransmit and fast recovery ---- */

/* Twenty segments are in flight, the first of which is lost. */
static struct sock *one_lost(struct peer *a, uint32_t *acked)
{
    struct sock *so = sender(a, 100000);
    *acked = 1;
    assert_int_equal(all_leaves(), 10);
    (void)acks(a, acked, 10);
    assert_int_equal(host_status(so).flight, 20000);
    return so;
}

/* Step 1: the first two duplicates let a segment each go (RFC 3042), and cwnd is as it was. 2: at
 * the third ssthresh is half of what was in flight before those; 3: the segment goes again at once,
 * cwnd is ssthresh and three segments; 4: one more with each duplicate, 5: which lets new data go.
 */
static void three_duplicates(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    uint32_t acked;
    struct sock *so = one_lost(&a, &acked);
    for (uint32_t i = 0; i < 2; i++) {
        arrives(&a, .flags = ACK, .seq = 1, .ack = acked);
        leaves(&a, .flags = ACK, .seq = acked + 20000 + 1000 * i, .ack = 1, .text = 1000);
        nothing_leaves();
        assert_int_equal(cwnd(so), 20000);
    }
    arrives(&a, .flags = ACK, .seq = 1, .ack = acked);
    leaves(&a, .flags = ACK, .seq = acked, .ack = 1, .text = 1000);
    nothing_leaves();
    assert_int_equal(host_status(so).ssthresh, 10000);
    assert_int_equal(cwnd(so), 13000);
    for (uint32_t i = 1; i <= 9; i++) {
        arrives(&a, .flags = ACK, .seq = 1, .ack = acked);
        assert_int_equal(cwnd(so), 13000 + 1000 * i);
        nothing_leaves();
    }
    for (uint32_t i = 0; i < 9; i++) { /* the last of nineteen and the two */
        arrives(&a, .flags = ACK, .seq = 1, .ack = acked);
        leaves(&a, .flags = ACK, .seq = acked + 22000 + 1000 * i, .ack = 1, .text = 1000);
    }
    /* 6: the ACK of it all takes cwnd back to ssthresh. */
    acked += 22000;
    arrives(&a, .flags = ACK, .seq = 1, .ack = acked);
    assert_int_equal(cwnd(so), 10000);
    assert_int_equal(all_leaves(), 1);
    assert_int_equal(host_status(so).flight, 10000);
}

/* Equation (4) goes by what is in flight, not by cwnd, which may be larger. */
static void flight_not_cwnd(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), b = peer(2, 0);
    struct sock *so = sender(&a, 6000);
    assert_int_equal(all_leaves(), 6);
    for (unsigned i = 0; i < 3; i++)
        arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    assert_int_equal(host_status(so).ssthresh, 3000);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 6001);
    so = sender(&b, 6000);
    assert_int_equal(all_leaves(), 6);
    host_go(HERE, host.now_ns + host_status(so).rto_ns);
    leaves(&b, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    assert_int_equal(host_status(so).ssthresh, 3000);
}

/* A duplicate has the window of the ACK before, which may be scaled. */
static void duplicates_of_a_scaled_window(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connect(&a);
    leaves(&a, .flags = SYN, .seq = 0);
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000, .scale = 3);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = 8000);
    host_sends(so, 0, 6000);
    assert_int_equal(all_leaves(), 6);
    for (unsigned i = 0; i < 3; i++)
        arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = 8000);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
}

/* 2: what is no duplicate: an ACK with text, one that changes the window, one with nothing
 * outstanding, one of something else. */
static void not_a_duplicate(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    uint32_t acked;
    struct sock *so = one_lost(&a, &acked);
    for (uint32_t i = 0; i < 6; i++) {
        arrives(&a, .flags = ACK, .seq = 1 + i, .ack = acked, .text = 1);
        (void)all_leaves();
        arrives(&a, .flags = ACK, .seq = 2 + i, .ack = acked, .wnd = 60000 - (int)i);
        nothing_leaves();
        arrives(&a, .flags = ACK, .seq = 2 + i, .ack = acked - 1000);
        nothing_leaves();
    }
    assert_int_equal(cwnd(so), 20000);
    assert_int_equal(host_status(so).resent, 0);
    host_later(40);
    (void)all_leaves();
    struct peer b = peer(2, 0);
    so = sender(&b, 0);
    for (unsigned i = 0; i < 6; i++)
        arrives(&b, .flags = ACK, .seq = 1, .ack = 1);
    host_sends(so, 0, 1000);
    leaves(&b, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1000);
    assert_int_equal(host_status(so).ssthresh, UINT32_MAX);
}

/* 4.3: the loss of a retransmission, which only the timer finds, is a second sign of congestion:
 * ssthresh is lowered twice, however much new text has gone meanwhile. */
static void retransmission_lost(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    uint32_t acked;
    struct sock *so = one_lost(&a, &acked);
    for (unsigned i = 0; i < 19; i++) {
        arrives(&a, .flags = ACK, .seq = 1, .ack = acked);
        (void)all_leaves();
    }
    assert_int_equal(host_status(so).ssthresh, 10000);
    assert_true(host_status(so).flight > 20000);
    host_go(HERE, stack_deadline(host.stack));
    leaves(&a, .flags = ACK, .seq = acked, .ack = 1, .text = 1000);
    assert_int_equal(cwnd(so), 1000);
    assert_int_equal(host_status(so).ssthresh, 5000);
}

/* A recovery from many losses, which the timer ends: what duplicates have let go meanwhile does not
 * take ssthresh beyond half of what was in flight when it began. */
static void recovery_takes_long(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    uint32_t acked;
    struct sock *so = one_lost(&a, &acked);
    for (unsigned i = 0; i < 19; i++) {
        arrives(&a, .flags = ACK, .seq = 1, .ack = acked);
        (void)all_leaves();
    }
    acked += 2000;
    arrives(&a, .flags = ACK, .seq = 1, .ack = acked);
    (void)all_leaves();
    assert_true(host_status(so).flight > 20000);
    host_go(HERE, stack_deadline(host.stack));
    leaves(&a, .flags = ACK, .seq = acked, .ack = 1, .text = 1000);
    assert_int_equal(host_status(so).ssthresh, 10000);
}

/* ---- 4.1: idle connections ---- */

/* After more than one RTO without sending cwnd is the initial window at most. */
static void restart_after_idleness(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = sender(&a, 30000);
    uint32_t acked = 1;
    assert_int_equal(all_leaves(), 10);
    (void)acks(&a, &acked, 30);
    uint32_t grown = cwnd(so);
    assert_true(grown >= 20000);
    uint64_t rto = host_status(so).rto_ns;
    host_go(HERE, host.now_ns + rto);
    host_sends(so, 30000, 1);
    leaves(&a, .flags = PSH | ACK, .seq = acked, .ack = 1, .text = 1);
    assert_int_equal(cwnd(so), grown); /* not more than RTO */
    arrives(&a, .flags = ACK, .seq = 1, .ack = acked + 1);
    host_go(HERE, host.now_ns + rto + NS_PER_MS);
    /* What the peer sends meanwhile does not count. */
    arrives(&a, .flags = ACK, .seq = 1, .ack = acked + 1, .text = 100);
    host_sends(so, 30001, 20000);
    assert_int_equal(all_leaves(), 10);
    assert_int_equal(cwnd(so), 10000);
}

/* ---- 4.2: acknowledgments ---- */

/* The rest is in test_3_8_6_3.c. Never more than one ACK for a segment, whatever it is. */
static void one_ack_for_a_segment(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    const struct line segments[] = {
        {.flags = ACK, .seq = 1, .ack = 1, .text = 1000},
        {.flags = ACK, .seq = 3001, .ack = 1, .text = 1000},
        {.flags = ACK, .seq = 3001, .ack = 1, .text = 1000},
        {.flags = ACK, .seq = 1001, .ack = 1, .text = 1000},
        {.flags = ACK, .seq = 20001, .ack = 1, .text = 1000},
        {.flags = ACK, .seq = 2001, .ack = 1, .text = 1000},
        {.flags = FIN | ACK, .seq = 4001, .ack = 1},
        {.flags = FIN | ACK, .seq = 4001, .ack = 1},
    };
    unsigned n = 0;
    for (unsigned i = 0; i < sizeof segments / sizeof *segments; i++) {
        host_arrives(HERE, &a, segments[i]);
        unsigned sent = all_leaves();
        assert_true(sent <= 1);
        n += sent;
    }
    host_later(1000);
    assert_true(n >= 6);
    assert_int_equal(host_status(so).unread, 4000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test_sack(one_segment_after_a_lost_syn),
        host_test_sack(smaller_of_cwnd_and_rwnd),
        host_test_sack(slow_start),
        host_test_sack(ack_of_many),
        host_test_sack(unused_window_does_not_grow),
        host_test(timeout),
        host_test_sack(after_a_timeout),
        host_test_sack(counts_octets),
        host_test_ipv4(smaller_mtu),
        host_test(three_duplicates),
        host_test(flight_not_cwnd),
        host_test(duplicates_of_a_scaled_window),
        host_test_sack(not_a_duplicate),
        host_test(retransmission_lost),
        host_test(recovery_takes_long),
        host_test_sack(restart_after_idleness),
        host_test_sack(one_ack_for_a_segment),
    };
    return host_main(tests);
}
