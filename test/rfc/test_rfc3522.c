/* RFC 3522, the Eifel detection algorithm, with timestamps of a ms. What is brought back is RFC
 * 4015's and RFC 9438 4.9's matter: test_rfc4015.c. */
#include "with_sack.h"

/* Text of a segment: the path's MSS is 1000. Where segment n begins. */
#define LEN   988
#define AT(n) (1 + LEN * (n))

#define TS(val, ecr) .ts = 1, .ts_val = (val), .ts_ecr = (ecr)

/* Both permit SACK and have timestamps, ours count ms from 0. Ten segments are in flight since 100
 * ms, `more` octets wait. */
static struct sock *in_flight(struct peer *a, uint32_t more)
{
    struct sock *so = host_connect(a);
    leaves(a, .flags = SYN, .seq = 0, .sack_ok = 1, TS(0, 0));
    a->wnd = 65535;
    host_later(100);
    arrives(a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000, .sack_ok = 1, TS(1, 0));
    leaves(a, .flags = ACK, .seq = 1, .ack = 1, TS(100, 1));
    host_sends(so, 0, 10 * LEN + more);
    assert_int_equal(all_leaves(), 10);
    return so;
}

/* 200 ms: all but the first is there, so it goes again. */
static struct sock *sent_again(struct peer *a, uint32_t more)
{
    struct sock *so = in_flight(a, more);
    host_later(100);
    arrives(a, .flags = ACK, .seq = 1, .ack = 1, BLOCK(AT(1), AT(9)), TS(2, 100));
    leaves(a, .flags = ACK, .seq = 1, .ack = 1, .text = LEN, TS(200, 2));
    (void)all_leaves();
    assert_int_equal(host_status(so).ssthresh, 7 * LEN);
    return so;
}

/* 3.2: the first was late. Its ACK echoes its timestamp, from before RetransmitTS: at once all is
 * as before, and what is unacknowledged does not go again. */
static void fast_retransmit(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = sent_again(&a, 0);
    host_later(10);
    arrives(&a, .flags = ACK, .seq = 1, .ack = AT(9), TS(3, 100));
    assert_int_equal(host_status(so).ssthresh, UINT32_MAX);
    assert_in_range(host_status(so).cwnd, 10 * LEN, 18 * LEN);
    assert_int_equal(all_leaves(), 0);
    assert_int_equal(host_status(so).resent, 1);
}

/* The reordering timer (RFC 8985 6.2) has found it: as much is in flight as before, so cwnd has not
 * come down yet. ssthresh has, and is brought back: else slow start would be over for good. */
static void cwnd_is_as_before(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a, 50000);
    host_later(100);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, BLOCK(AT(1), AT(3)), TS(2, 100));
    assert_int_equal(all_leaves(), 2); /* RFC 3042 */
    host_later(25);                    /* a quarter of min_RTT */
    assert_true(all_leaves() > 0);
    assert_int_equal(host_status(so).resent, 1);
    assert_int_equal(host_status(so).ssthresh, 7 * LEN);
    assert_true(host_status(so).cwnd >= 10 * LEN);
    host_later(4);
    arrives(&a, .flags = ACK, .seq = 1, .ack = AT(3), TS(3, 100));
    assert_int_equal(host_status(so).ssthresh, UINT32_MAX);
    assert_true(host_status(so).cwnd >= 10 * LEN);
    (void)all_leaves();
}

/* (4): the same timestamp as RetransmitTS, or a later one: it was lost. */
static void real_loss(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = sent_again(&a, 0);
    host_later(100);
    arrives(&a, .flags = ACK, .seq = 1, .ack = AT(9), TS(3, 200));
    assert_int_equal(host_status(so).ssthresh, 7 * LEN);
    (void)all_leaves();
    /* Step 3: the first acceptable ACK is the one that tells. */
    arrives(&a, .flags = ACK, .seq = 1, .ack = AT(10), TS(4, 100));
    assert_int_equal(host_status(so).ssthresh, 7 * LEN);
}

/* (3): an ACK that does not advance tells nothing. */
static void acceptable(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = sent_again(&a, 0);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, BLOCK(AT(1), AT(10)), TS(3, 100));
    assert_int_equal(host_status(so).ssthresh, 7 * LEN);
    arrives(&a, .flags = ACK, .seq = 1, .ack = AT(1), BLOCK(AT(2), AT(10)), TS(4, 100));
    assert_int_equal(host_status(so).ssthresh, UINT32_MAX);
}

/* (5), 3.3: all is acknowledged at once, with a D-SACK or by a peer that has never told any: it may
 * be that only the ACKs were lost, and the answer is one to what went again. */
static void acks_lost(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = sent_again(&a, 0);
    arrives(&a, .flags = ACK, .seq = 1, .ack = AT(10), TS(3, 100));
    assert_int_equal(host_status(so).ssthresh, 7 * LEN);
}

static void with_a_d_sack(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = sent_again(&a, 0);
    arrives(&a, .flags = ACK, .seq = 1, .ack = AT(9), BLOCK(AT(3), AT(4)), TS(3, 100));
    assert_int_equal(host_status(so).ssthresh, 7 * LEN);
}

/* (5): a peer that has told a D-SACK before would have told it now. */
static void told_before(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a, 0);
    host_later(50);
    arrives(&a, .flags = ACK, .seq = 1, .ack = AT(1), BLOCK(AT(0), AT(1)),
            TS(2, 100)); /* the path's own */
    host_later(50);
    arrives(&a, .flags = ACK, .seq = 1, .ack = AT(1), BLOCK(AT(2), AT(10)), TS(3, 100));
    leaves(&a, .flags = ACK, .seq = AT(1), .ack = 1, .text = LEN, TS(200, 3));
    assert_in_range(host_status(so).ssthresh, 1, 10 * LEN);
    arrives(&a, .flags = ACK, .seq = 1, .ack = AT(10), TS(4, 100));
    assert_int_equal(host_status(so).ssthresh, UINT32_MAX);
}

/* Nothing has answered: a probe of the flight's end (RFC 8985 7.2), then the timer, twice. */
static struct sock *timed_out(struct peer *a, unsigned times)
{
    struct sock *so = in_flight(a, 0);
    host_later(208);
    leaves(a, .flags = ACK | PSH, .seq = AT(9), .ack = 1, .text = LEN);
    for (unsigned i = 0; i < times; i++) {
        host_later(300u << i);
        leaves(a, .flags = ACK, .seq = 1, .ack = 1, .text = LEN);
    }
    assert_int_equal(host_status(so).ssthresh, 7 * LEN);
    assert_int_equal(host_status(so).cwnd, LEN);
    return so;
}

/* (6) SPUR_TO: the path has become slower. Nothing of what has not gone again does any more. */
static void timeout(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = timed_out(&a, 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = AT(2), TS(2, 100));
    assert_int_equal(host_status(so).ssthresh, UINT32_MAX);
    assert_in_range(host_status(so).cwnd, 10 * LEN, 12 * LEN);
    assert_int_equal(all_leaves(), 0);
    assert_int_equal(host_status(so).resent, 2);
}

/* RetransmitTS is that of the first timeout, whatever follows (2). */
static void timeouts_in_a_row(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = timed_out(&a, 2);
    arrives(&a, .flags = ACK, .seq = 1, .ack = AT(1), TS(2, 608));
    assert_int_equal(host_status(so).ssthresh, 7 * LEN);
    (void)all_leaves();
}

/* At the third timeout in a row it seemed that the path drops large packets (RFC 4821 7.7). It does
 * not: the first sending has arrived, and they go on being as large. */
static void no_black_hole(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = timed_out(&a, 2);
    uint32_t path_mtu = host_status(so).path_mtu;
    host_later(1200);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 972); /* 1024 in all */
    assert_int_equal(host_status(so).path_mtu, 1024);
    host_later(2400);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 500);
    assert_int_equal(host_status(so).path_mtu, 552);
    arrives(&a, .flags = ACK, .seq = 1, .ack = AT(1), TS(2, 100));
    assert_int_equal(host_status(so).path_mtu, path_mtu);
    assert_int_equal(host_status(so).snd_mss, LEN);
    (void)all_leaves();
    while (host_status(so).path_mtu == path_mtu) { /* it may be one all the same from now on */
        host_go(HERE, stack_deadline(host.stack));
        (void)all_leaves();
    }
    uint32_t ms = (uint32_t)((host.now_ns - host.start_ns) / NS_PER_MS);
    arrives(&a, .flags = ACK, .seq = 1, .ack = AT(2), TS(3, ms));
    (void)all_leaves();
    assert_int_equal(host_status(so).path_mtu, 1024);
}

/* Nor is an undo of what was sent in small packets. */
static void a_black_hole(void **state)
{
    (void)state;
    enum { SMALL = 972, FIRST = AT(10) + 2 * SMALL };
    struct peer a = peer(1, 0);
    struct sock *so = timed_out(&a, 2);
    host_later(1200);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = SMALL);
    arrives(&a, .flags = ACK, .seq = 1, .ack = AT(10), TS(2, 2208));
    host_sends(so, 10 * LEN, 5 * SMALL);
    assert_int_equal(all_leaves(), 2);
    arrives(&a, .flags = ACK, .seq = 1, .ack = FIRST, TS(3, 2208));
    assert_int_equal(all_leaves(), 3);
    host_later(10);
    arrives(&a, .flags = ACK, .seq = 1, .ack = FIRST, BLOCK(FIRST + SMALL, FIRST + 3 * SMALL),
            TS(4, 2208));
    leaves(&a, .flags = ACK, .seq = FIRST, .ack = 1, .text = SMALL);
    uint32_t ssthresh = host_status(so).ssthresh;
    arrives(&a, .flags = ACK, .seq = 1, .ack = FIRST + SMALL, TS(5, 2208));
    assert_true(host_status(so).ssthresh > ssthresh); /* undone */
    assert_int_equal(host_status(so).path_mtu, 1024);
}

/* The one segment in flight was lost, a probe sent it again, and that is late: what it echoes is
 * earlier than RetransmitTS, but not the first sending. */
static void probe_is_late(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a, 0);
    host_later(100);
    arrives(&a, .flags = ACK, .seq = 1, .ack = AT(10), TS(2, 100));
    host_sends(so, 10 * LEN, LEN);
    leaves(&a, .flags = PSH | ACK, .seq = AT(10), .ack = 1, .text = LEN);
    host_later(300);
    leaves(&a, .flags = PSH | ACK, .seq = AT(10), .ack = 1, .text = LEN);
    host_sends(so, 11 * LEN, LEN);
    leaves(&a, .flags = PSH | ACK, .seq = AT(11), .ack = 1, .text = LEN);
    host_later(300);
    leaves(&a, .flags = ACK, .seq = AT(10), .ack = 1, .text = LEN);
    uint32_t ssthresh = host_status(so).ssthresh;
    assert_int_not_equal(ssthresh, UINT32_MAX);
    arrives(&a, .flags = ACK, .seq = 1, .ack = AT(11), TS(3, 500));
    assert_int_equal(host_status(so).ssthresh, ssthresh);
    (void)all_leaves();
}

/* RFC 8985 6.2 step 2: what is SACKed beyond a hole echoes what lies before it (RFC 7323 4.3), and
 * says nothing of when it was sent itself. Two were lost, the first is lost again: the SACK of the
 * second, sent again after it, tells that. */
static void retransmission_lost(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    (void)in_flight(&a, 0);
    host_later(100);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, BLOCKS(2, {AT(6), AT(10)}, {AT(1), AT(5)}),
            TS(2, 100));
    leaves(&a, .flags = ACK, .seq = AT(0), .ack = 1, .text = LEN);
    leaves(&a, .flags = ACK, .seq = AT(5), .ack = 1, .text = LEN);
    host_later(100);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, BLOCK(AT(1), AT(10)), TS(3, 100));
    leaves(&a, .flags = ACK, .seq = AT(0), .ack = 1, .text = LEN);
}

/* Of two segments the second was lost, and the ACK of the first. A probe repairs it, and its ACK,
 * which echoes the probe, comes after the timer: RetransmitTS is the probe's. */
static void probe_before_the_timer(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a, 0);
    host_later(100);
    arrives(&a, .flags = ACK, .seq = 1, .ack = AT(10), BLOCK(1, AT(1)),
            TS(2, 100)); /* has D-SACK */
    host_sends(so, 10 * LEN, 2 * LEN);
    assert_int_equal(all_leaves(), 2);
    host_later(208);
    leaves(&a, .flags = PSH | ACK, .seq = AT(11), .ack = 1, .text = LEN, TS(408, 2));
    host_later(300);
    leaves(&a, .flags = ACK, .seq = AT(10), .ack = 1, .text = LEN, TS(708, 2));
    uint32_t ssthresh = host_status(so).ssthresh;
    arrives(&a, .flags = ACK, .seq = 1, .ack = AT(12), TS(3, 408));
    assert_int_equal(host_status(so).ssthresh, ssthresh);
    (void)all_leaves();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(fast_retransmit),
        host_test(real_loss),
        host_test(acceptable),
        host_test(acks_lost),
        host_test(with_a_d_sack),
        host_test(told_before),
        host_test(timeout),
        host_test(timeouts_in_a_row),
        host_test(cwnd_is_as_before),
        host_test(probe_is_late),
        host_test(retransmission_lost),
        host_test_ipv4(no_black_hole),
        host_test_ipv4(a_black_hole),
        host_test(probe_before_the_timer),
    };
    return host_main(tests);
}
