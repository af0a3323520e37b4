/* RFC 4015 and RFC 9438 4.9 by RFC 3708's detection: what is brought back when D-SACKs say that
 * nothing was lost. */
#include "with_sack.h"

/* Ten segments are in flight since 100 ms, `more` octets wait. */
static struct sock *in_flight(struct peer *a, uint32_t more)
{
    struct sock *so = host_connect(a);
    handshake_with_sack(a);
    host_sends(so, 0, 10000 + more);
    assert_int_equal(all_leaves(), 10);
    host_later(100);
    return so;
}

/* The first is late, and goes again as if it were lost. */
static void late(struct peer *a, struct sock *so)
{
    arrives(a, .flags = ACK, .seq = 1, .ack = 1, BLOCK(1001, 4001));
    leaves(a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    (void)all_leaves();
    assert_int_equal(host_status(so).ssthresh, 7000);
    host_later(10);
    arrives(a, .flags = ACK, .seq = 1, .ack = 4001);
    (void)all_leaves();
}

/* 3.4, RFC 9438 4.9.2: a fast retransmit: cwnd and ssthresh are as before, and slow start goes on.
 */
static void fast_retransmit(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a, 50000);
    late(&a, so);
    host_later(90);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 5001, BLOCK(1, 1001));
    (void)all_leaves();
    assert_int_equal(host_status(so).ssthresh, UINT32_MAX);
    assert_in_range(host_status(so).cwnd, 10000, 12000);
}

/* 3.4: not when an ACK has ECN-Echo (RFC 3168): there is congestion all the same. */
static void with_an_echo(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    host.config.tcp.ecn = TCP_ECN_ASK;
    host_start();
    struct sock *so = host_connect(&a);
    leaves(&a, .flags = SYN | TCP_ECE | TCP_CWR, .seq = 0);
    a.wnd = 65535;
    host_later(100);
    arrives(&a, .flags = SYN | ACK | TCP_ECE, .seq = 0, .ack = 1, .mss = 1000, .sack_ok = 1);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    host_sends(so, 0, 60000);
    assert_int_equal(all_leaves(), 10);
    host_later(100);
    late(&a, so);
    host_later(90);
    arrives(&a, .flags = ACK | TCP_ECE, .seq = 1, .ack = 5001, BLOCK(1, 1001));
    (void)all_leaves();
    assert_int_equal(host_status(so).ssthresh, 7000);
}

/* RFC 3708: not before all that went again is told, and one of other text says nothing. */
static void each_is_told(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a, 0);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, BLOCK(2001, 10001));
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    leaves(&a, .flags = ACK, .seq = 1001, .ack = 1, .text = 1000);
    host_later(10);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 10001);
    host_later(90);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 10001, BLOCK(8001, 9001)); /* the path's own */
    arrives(&a, .flags = ACK, .seq = 1, .ack = 10001, BLOCK(1, 1001));
    assert_int_equal(host_status(so).ssthresh, 7000);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 10001, BLOCK(1001, 2001));
    assert_int_equal(host_status(so).ssthresh, UINT32_MAX);
    assert_int_equal(host_status(so).cwnd, 10000);
}

/* RFC 2883 4: the segments that D-SACKs tell of are counted, and nothing else: longer than any
 * window they are no honest ones. */
static void counted(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a, 0);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1001, BLOCK(2001, 4001));
    assert_int_equal(host_status(so).dsack_dups, 0);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 4001, BLOCK(1, 1001));
    assert_int_equal(host_status(so).dsack_dups, 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 4001, BLOCK(1001, 2002));
    assert_int_equal(host_status(so).dsack_dups, 3);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 4001, BLOCK(4001 - 65536u, 4001)); /* forged */
    assert_int_equal(host_status(so).dsack_dups, 3);
}

/* Nothing has answered: a probe (RFC 8985 7.2), then the timer. */
static struct sock *timed_out(struct peer *a)
{
    struct sock *so = in_flight(a, 0);
    host_later(108);
    leaves(a, .flags = ACK | PSH, .seq = 9001, .ack = 1, .text = 1000);
    host_later(300);
    leaves(a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    return so;
}

/* A timeout, of a path that has become slower (RFC 9438 4.9.1): all that went again is told twice;
 * what has not gone again does not go any more (RFC 4015 3.3). */
static void timeout(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = timed_out(&a);
    assert_int_equal(host_status(so).ssthresh, 7000);
    assert_int_equal(host_status(so).cwnd, 1000);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 10001); /* of the first sending */
    arrives(&a, .flags = ACK, .seq = 1, .ack = 10001, BLOCK(9001, 10001));
    host_later(100);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 10001, BLOCK(1, 1001));
    assert_int_equal(host_status(so).ssthresh, UINT32_MAX);
    assert_int_equal(host_status(so).cwnd, 10000);
    assert_int_equal(host_status(so).resent, 2);
}

/* 3.1: the second timeout of a recovery keeps nothing: what comes back is what was before the
 * first. */
static void timeouts_in_a_row(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = timed_out(&a);
    host_later(600);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 10001);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 10001, BLOCK(9001, 10001));
    arrives(&a, .flags = ACK, .seq = 1, .ack = 10001, BLOCK(1, 1001));
    assert_int_equal(host_status(so).ssthresh, 7000); /* it has gone again twice */
    arrives(&a, .flags = ACK, .seq = 1, .ack = 10001, BLOCK(1, 1001));
    assert_int_equal(host_status(so).ssthresh, UINT32_MAX);
    assert_int_equal(host_status(so).cwnd, 10000);
}

/* ACKs of n segments, one by one. */
static void acks(struct peer *a, uint32_t *acked, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        arrives(a, .flags = ACK, .seq = 1, .ack = *acked += 1000);
        (void)all_leaves();
    }
}

/* Twenty segments are in flight, numbered from *una on, in congestion avoidance below a plateau at
 * twenty-eight or so. */
static struct sock *in_avoidance(struct peer *a, uint32_t *una)
{
    struct sock *so = in_flight(a, 200000);
    *una = 1;
    acks(a, una, 18);
    host_later(100);
    arrives(a, .flags = ACK, .seq = 1, .ack = *una, BLOCK(*una + 1000, *una + 28000));
    (void)all_leaves();
    host_later(100);
    arrives(a, .flags = ACK, .seq = 1, .ack = *una += 28000);
    (void)all_leaves();
    assert_in_range(host_status(so).ssthresh, 19000, 20000);
    host_later(100);
    return so;
}

/* RFC 9438 4.9.2: in congestion avoidance CUBIC's plateau is back as well: after the undo cwnd
 * grows as if nothing had been. */
static void curve(void **state)
{
    (void)state;
    uint32_t cwnd[2];
    for (unsigned spurious = 0; spurious < 2; spurious++) {
        struct peer a = peer(1 + spurious, 0);
        uint32_t una;
        struct sock *so = in_avoidance(&a, &una);
        uint32_t was = host_status(so).cwnd, ssthresh = host_status(so).ssthresh;
        if (spurious) {
            arrives(&a, .flags = ACK, .seq = 1, .ack = una, BLOCK(una + 1000, una + 4000));
            (void)all_leaves();
            assert_true(host_status(so).ssthresh < ssthresh);
            arrives(&a, .flags = ACK, .seq = 1, .ack = una + 4000, BLOCK(una, una + 1000));
        } else {
            arrives(&a, .flags = ACK, .seq = 1, .ack = una + 4000);
        }
        una += 4000;
        (void)all_leaves();
        assert_int_equal(host_status(so).ssthresh, ssthresh);
        assert_in_range(host_status(so).cwnd, was, was + 1000);
        for (unsigned i = 0; i < 20; i++) {
            host_later(100);
            acks(&a, &una, host_status(so).flight / 1000);
        }
        cwnd[spurious] = host_status(so).cwnd;
        host_batch();
        host_abort(so);
        (void)all_leaves();
    }
    assert_true(cwnd[0] > 25000);
    assert_in_range(cwnd[1], cwnd[0] - 1000, cwnd[0] + 1000);
}

/* RFC 9438 4.9.2: who has grown beyond what was before keeps what is now. */
static void grown_beyond(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connect(&a);
    leaves(&a, .flags = SYN, .seq = 0);
    host_at(1000);
    leaves(&a, .flags = SYN, .seq = 0); /* so cwnd is one segment */
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000, .sack_ok = 1);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    host_sends(so, 0, 1000);
    leaves(&a, .flags = ACK | PSH, .seq = 1, .ack = 1, .text = 1000);
    host_later(1000);
    leaves(&a, .flags = ACK | PSH, .seq = 1, .ack = 1, .text = 1000); /* the probe */
    host_later(3000);
    leaves(&a, .flags = ACK | PSH, .seq = 1, .ack = 1, .text = 1000);
    assert_int_equal(host_status(so).ssthresh, 2000);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1001);
    assert_int_equal(host_status(so).cwnd, 2000);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1001, BLOCK(1, 1001));
    assert_int_equal(host_status(so).cwnd, 2000);
    assert_int_equal(host_status(so).ssthresh, 2000);
}

/* A real loss beside it, whose retransmission does not come twice, is answered as ever. */
static void real_loss(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a, 0);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, BLOCK(2001, 10001));
    assert_int_equal(all_leaves(), 2);
    host_later(100);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 10001, BLOCK(1, 1001));
    assert_int_equal(host_status(so).ssthresh, 7000);
    host_sends(so, 10000, 1000);
    leaves(&a, .flags = ACK | PSH, .seq = 10001, .ack = 1, .text = 1000);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 11001);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 11001, BLOCK(1001, 2001)); /* too late */
    assert_int_equal(host_status(so).ssthresh, 7000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(fast_retransmit), host_test(with_an_echo), host_test(each_is_told),
        host_test(counted),         host_test(timeout),      host_test(timeouts_in_a_row),
        host_test(curve),           host_test(grown_beyond), host_test(real_loss),
    };
    return host_main(tests);
}
