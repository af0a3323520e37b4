/* RFC 6298: the retransmission timeout. With SACK a probe goes before the first (RFC 8985 7.3), and
 * the timer begins anew with it; a whole flight is in test_rfc6675.c. */
#include "hosts.h"

/* Connected to a peer that is `rtt_ms` away. */
static struct sock *connected(struct peer *a, uint32_t rtt_ms)
{
    struct sock *so = host_connect(a);
    leaves(a, .flags = SYN, .seq = 0);
    host_later(rtt_ms);
    arrives(a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
    leaves(a, .flags = ACK, .seq = 1, .ack = 1);
    return so;
}

/* Sends octet number `at` and has it acknowledged after rtt_ms. */
static void exchange(struct peer *a, struct sock *so, uint32_t at, uint32_t rtt_ms)
{
    host_sends(so, at, 1);
    leaves(a, .flags = PSH | ACK, .seq = 1 + at, .ack = 1, .text = 1);
    host_later(rtt_ms);
    arrives(a, .flags = ACK, .seq = 1, .ack = 2 + at);
}

/* With SACK: of a lone first octet, so long after it was sent. */
static void probe(struct peer *a, uint32_t ms)
{
    if (!host_with_sack())
        return;
    host_later(ms);
    leaves(a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1);
}

static void estimate(const struct sock *so, uint64_t srtt_us, uint64_t rttvar_us, uint64_t rto_us)
{
    struct tcp_status s = host_status(so);
    assert_int_equal(s.srtt_ns / NS_PER_US, srtt_us);
    assert_int_equal(s.rttvar_ns / NS_PER_US, rttvar_us);
    assert_int_equal(s.rto_ns / NS_PER_US, rto_us);
}

/* 2.1: one second until there is a measurement, backing off all the same (5.5, 5.6). */
static void one_second_at_first(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connect(&a);
    estimate(so, 0, 0, 1000000);
    leaves(&a, .flags = SYN, .seq = 0);
    host_at(999);
    nothing_leaves();
    host_at(1000);
    leaves(&a, .flags = SYN, .seq = 0);
    host_at(2999);
    nothing_leaves();
    host_at(3000);
    leaves(&a, .flags = SYN, .seq = 0);
}

/* 2.2: SRTT is R, RTTVAR R/2, RTO is SRTT + 4 RTTVAR. */
static void first_measurement(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    estimate(connected(&a, 400), 400000, 200000, 1200000);
}

/* 2.3: with 1/8 and 1/4, RTTVAR before SRTT. */
static void next_measurements(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = connected(&a, 400);
    exchange(&a, so, 0, 480);
    /* RTTVAR = 3/4 200 + 1/4 80, SRTT = 7/8 400 + 1/8 480 */
    estimate(so, 410000, 170000, 1090000);
    exchange(&a, so, 1, 330);
    estimate(so, 400000, 147500, 990000);
}

/* 2.4: RTO is at least SRTT and 200 ms, not a second (lib/README.md); 4: so it is never SRTT
 * itself, however steady the path. */
static void least_rto(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), b = peer(2, 0);
    struct sock *so = connected(&a, 10);
    assert_int_equal(host_status(so).rto_ns, 210 * NS_PER_MS);
    so = connected(&b, 400);
    for (uint32_t i = 0; i < 60; i++)
        exchange(&b, so, i, 400);
    struct tcp_status s = host_status(so);
    assert_true(4 * s.rttvar_ns < NS_PER_MS);
    assert_int_equal(s.rto_ns, s.srtt_ns + 200 * NS_PER_MS);
}

/* On a long and steady path too there is time for the ACK of a lone segment, which the peer may
 * delay. */
static void delayed_ack(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = connected(&a, 300);
    for (uint32_t i = 0; i < 30; i++)
        exchange(&a, so, i, 300);
    exchange(&a, so, 30, 340);
    exchange(&a, so, 31, 499);
    assert_int_equal(host_status(so).resent, 0);
}

/* 2.5: the largest is two minutes. */
static void largest_rto(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = connected(&a, 100);
    host_step(HERE);
    host_set(so, user_timeout_ms, 86400 * 1000);
    host_sends(so, 0, 1);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1);
    probe(&a, 300);
    for (uint32_t rto = 300; rto < 120000; rto *= 2) {
        host_later(rto);
        leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1);
    }
    for (unsigned i = 0; i < 5; i++) {
        host_later(119999);
        nothing_leaves();
        host_later(1);
        leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1);
    }
}

/* 3: Karn: no sample from what was sent twice. */
static void no_sample_of_what_was_sent_twice(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = connected(&a, 100);
    estimate(so, 100000, 50000, 300000);
    host_sends(so, 0, 1);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1);
    host_later(300);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1);
    host_later(1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 2);
    assert_int_equal(host_status(so).srtt_ns, 100 * NS_PER_MS);
    assert_int_equal(host_status(so).rttvar_ns, 50 * NS_PER_MS);
    exchange(&a, so, 1, 100); /* but from the next */
    assert_int_not_equal(host_status(so).rttvar_ns, 50 * NS_PER_MS);
}

/* 3: at least one sample a round trip. */
static void one_sample_a_round_trip(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    a.wnd = 65535;
    struct sock *so = connected(&a, 100);
    host_sends(so, 0, 100000);
    assert_int_equal(all_leaves(), 10);
    uint32_t acked = 1;
    uint64_t rttvar = host_status(so).rttvar_ns;
    for (unsigned round = 0; round < 4; round++) {
        uint32_t flight = host_status(so).flight;
        host_later(100);
        for (uint32_t n = 0; n < flight; n += 1000) {
            acked += 1000;
            arrives(&a, .flags = ACK, .seq = 1, .ack = acked);
            (void)all_leaves();
        }
        assert_true(host_status(so).rttvar_ns < rttvar);
        rttvar = host_status(so).rttvar_ns;
    }
}

/* 5: nothing is sent again less than one RTO after it was sent; 5.1: the timer starts with the
 * first packet, not anew with each. */
static void started_by_the_first(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = connected(&a, 100);
    host_set_nodelay(so, true);
    host_at(1000);
    host_sends(so, 0, 1);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1);
    host_at(1200);
    host_sends(so, 1, 1);
    leaves(&a, .flags = PSH | ACK, .seq = 2, .ack = 1, .text = 1);
    host_at(1299);
    nothing_leaves();
    host_at(1300);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 2); /* 5.4: the earliest */
}

/* 5.2: off when all is acknowledged. */
static void off_when_all_is_acknowledged(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = connected(&a, 100);
    exchange(&a, so, 0, 50);
    nothing_leaves();
    assert_true(stack_deadline(host.stack) > host.now_ns + 200 * NS_PER_MS); /* RTO's least */
    host_later(1000);
    assert_true(stack_deadline(host.stack) == TIME_NEVER);
}

/* 5.3: an ACK of new data starts it anew; one of old data does not. */
static void restarted_by_new_data(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = connected(&a, 100);
    host_at(1000);
    host_sends(so, 0, 2000);
    assert_int_equal(all_leaves(), 2);
    host_at(1100);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1001);
    uint64_t rto_ms = host_status(so).rto_ns / NS_PER_MS;
    assert_int_equal(rto_ms, 300);
    host_at(1200);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1001);
    host_at(1399);
    nothing_leaves();
    host_at(1400);
    leaves(&a, .flags = PSH | ACK, .seq = 1001, .ack = 1, .text = 1000);
}

/* 5: nor is a segment sent again less than one RTO after a fast retransmit of it. */
static void restarted_by_a_fast_retransmit(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = connected(&a, 100);
    host_sends(so, 0, 4000);
    assert_int_equal(all_leaves(), 4);
    host_later(290);
    for (unsigned i = 0; i < 3; i++)
        arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    host_later(299);
    nothing_leaves();
    host_later(1);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    assert_int_equal(host_status(so).cwnd, 1000);
}

/* 5.5, 5.6: RTO doubles each time, and the timer runs for it; a sample takes it back (2.3). */
static void backs_off(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = connected(&a, 100);
    host_sends(so, 0, 1);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1);
    probe(&a, 300);
    for (uint32_t rto = 300; rto < 5000; rto *= 2) {
        assert_int_equal(host_status(so).rto_ns, rto * NS_PER_MS);
        host_later(rto - 1);
        nothing_leaves();
        host_later(1);
        leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1);
    }
    host_later(1000); /* an ACK that may be of any of them: no sample, RTO stays */
    arrives(&a, .flags = ACK, .seq = 1, .ack = 2);
    assert_int_equal(host_status(so).rto_ns, 9600 * NS_PER_MS);
    exchange(&a, so, 1, 100);
    assert_int_equal(host_status(so).rto_ns, 300 * NS_PER_MS);
}

/* 3, 5.5: the path has become slower than RTO: each ACK is of the first sending, and comes soon
 * after the second. The RTO that has backed off stays until a segment was sent once; then nothing
 * is sent twice any more. */
static void round_trip_grows(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = connected(&a, 0);
    host_sends(so, 0, 1);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1);
    host_later(200);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1);
    host_later(100);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 2);
    assert_int_equal(host_status(so).rto_ns, 400 * NS_PER_MS);
    for (uint32_t i = 1; i < 50; i++)
        exchange(&a, so, i, 300);
    assert_int_equal(host_status(so).resent, 1);
}

/* 5.7: after a SYN that had to be sent again data begins with 3 seconds; who is connected to, with
 * its SYN,ACK, likewise. */
static void three_seconds_after_a_lost_syn(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), b = peer(2, 80);
    struct sock *so = host_connect(&a), *l = host_listen(80, 5);
    leaves(&a, .flags = SYN, .seq = 0);
    arrives(&b, .flags = SYN, .seq = 0, .mss = 1000);
    leaves(&b, .flags = SYN | ACK, .seq = 0, .ack = 1);
    host_at(1000);
    leaves(&a, .flags = SYN, .seq = 0);
    leaves(&b, .flags = SYN | ACK, .seq = 0, .ack = 1);
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    arrives(&b, .flags = ACK, .seq = 1, .ack = 1);
    struct sock *accepted = host_accept(l);
    estimate(so, 0, 0, 3000000);
    estimate(accepted, 0, 0, 3000000);
    host_sends(so, 0, 1);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1);
    probe(&a, 1000);
    host_later(2999);
    nothing_leaves();
    host_later(1);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test_sack(one_second_at_first),
        host_test_sack(first_measurement),
        host_test_sack(next_measurements),
        host_test_sack(least_rto),
        host_test_sack(delayed_ack),
        host_test_sack(largest_rto),
        host_test_sack(no_sample_of_what_was_sent_twice),
        host_test_sack(one_sample_a_round_trip),
        host_test_sack(started_by_the_first),
        host_test_sack(off_when_all_is_acknowledged),
        host_test_sack(restarted_by_new_data),
        host_test(restarted_by_a_fast_retransmit),
        host_test_sack(backs_off),
        host_test(round_trip_grows),
        host_test_sack(three_seconds_after_a_lost_syn),
    };
    return host_main(tests);
}
