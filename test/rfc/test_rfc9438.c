/* RFC 9438: CUBIC, as a connection has it. The formulas, ACK by ACK and over all that they can be
 * given, are in unit/test_cc_cubic_model.c; fast recovery is in test_rfc6582.c. */
#include "hosts.h"

/* A connection on a path of so many ms, with a window that stands in nobody's way, SMSS 1000. */
struct path {
    struct peer peer;
    struct sock *so;
    uint32_t rtt_ms, acked, given; /* octets acknowledged, and given to send */
};

#define WINDOW 60000 /* with a scale of 4 nearly 1 MB */

static void arrives_ack(struct path *p)
{
    arrives(&p->peer, .flags = ACK, .seq = 1, .ack = p->acked + 1, .wnd = WINDOW);
    (void)all_leaves();
}

static void open_path(struct path *p, uint32_t rtt_ms)
{
    *p = (struct path){.peer = peer(1, 0), .rtt_ms = rtt_ms};
    p->so = host_connect(&p->peer);
    host_set(p->so, sndbuf, 1u << 20);
    leaves(&p->peer, .flags = SYN, .seq = 0);
    host_later(rtt_ms);
    arrives(&p->peer, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000, .scale = 4);
    leaves(&p->peer, .flags = ACK, .seq = 1, .ack = 1);
    arrives_ack(p);
}

/* So many octets more to send. */
static void give(struct path *p, uint32_t n)
{
    host_sends(p->so, p->given, n);
    p->given += n;
    (void)all_leaves();
}

static struct tcp_status status(const struct path *p)
{
    return host_status(p->so);
}

static uint32_t cwnd(const struct path *p)
{
    return status(p).cwnd;
}

/* Enough to fill the window, and some of what follows. */
static void give_enough(struct path *p)
{
    if (p->given - p->acked < cwnd(p) + 20000)
        give(p, 1000 * (cwnd(p) / 1000 + 40));
}

static void ack_of_one(struct path *p)
{
    p->acked += 1000;
    arrives_ack(p);
    give_enough(p);
}

/* ACKs of a segment each for all that is in flight, spread over a round trip. */
static void round_trip(struct path *p)
{
    give_enough(p);
    uint32_t n = status(p).flight / 1000;
    for (uint32_t i = 0; i < n; i++) {
        host_go(HERE, host.now_ns + p->rtt_ms * NS_PER_MS / n);
        ack_of_one(p);
    }
}

/* ACKs until cwnd is as large, all of it in flight. */
static void grow_to(struct path *p, uint32_t n)
{
    give_enough(p);
    while (cwnd(p) < n)
        ack_of_one(p);
    assert_in_range(cwnd(p), n, n + 100);
    assert_int_equal(status(p).flight, n / 1000 * 1000);
}

/* The nth in a row, which with SACK tells of what has arrived. */
static void duplicate(struct path *p, uint32_t n)
{
    uint32_t from = p->acked + 1001;
    arrives(&p->peer, .flags = ACK, .seq = 1, .ack = p->acked + 1, .wnd = WINDOW,
            .n_sack = host_with_sack() ? 1 : NONE, .sack = {{from, from + 1000 * n}});
    (void)all_leaves();
}

static void three_duplicates(struct path *p)
{
    for (uint32_t n = 1; n <= 3; n++)
        duplicate(p, n);
}

/* Three duplicates, and the ACK of all that was in flight then. */
static void lose_one(struct path *p)
{
    three_duplicates(p);
    uint32_t outstanding = status(p).flight;
    if (host_with_sack()) /* all but the one has arrived */
        duplicate(p, outstanding / 1000 - 1);
    host_later(p->rtt_ms);
    p->acked += host_with_sack() ? outstanding : status(p).flight;
    arrives_ack(p);
    give_enough(p);
}

/* Congestion avoidance after a loss with 60 segments in flight: 42, and a plateau at 60. */
static void after_loss(struct path *p, uint32_t rtt_ms)
{
    open_path(p, rtt_ms);
    grow_to(p, 60000);
    lose_one(p);
    assert_int_equal(status(p).ssthresh, 42000);
    grow_to(p, 42000);
}

/* ---- 4.6: multiplicative decrease ---- */

/* Nothing comes back, until the timer says that it is lost: with SACK a probe has gone before. */
static void time_out(struct path *p)
{
    uint32_t before = status(p).retries;
    while (status(p).retries == before) {
        host_go(HERE, stack_deadline(host.stack));
        (void)all_leaves();
    }
}

/* At the third duplicate, at once: ssthresh is 0.7 of what is in flight, two segments at least, and
 * cwnd with it (and three segments, RFC 5681 3.2 step 3; with SACK by way of PRR, RFC 6937: what is
 * in the pipe, and what may go now). */
static void reduced_at_once(void **state)
{
    (void)state;
    struct path p;
    open_path(&p, 100);
    give(&p, 10000);
    host_later(100);
    assert_int_equal(status(&p).flight, 10000);
    duplicate(&p, 1);
    duplicate(&p, 2);
    assert_int_equal(cwnd(&p), 10000);
    assert_int_equal(status(&p).ssthresh, UINT32_MAX);
    duplicate(&p, 3);
    assert_int_equal(status(&p).ssthresh, 7000);
    assert_int_equal(cwnd(&p), host_with_sack() ? 7000 : 10000);
    p.acked = 10000;
    arrives_ack(&p);
    give(&p, 2000);
    time_out(&p);
    assert_int_equal(status(&p).ssthresh, 2000);
}

/* By what is in flight, not by a window that was not used. */
static void by_flight_size(void **state)
{
    (void)state;
    struct path p;
    open_path(&p, 100);
    give(&p, 5000);
    host_later(100);
    three_duplicates(&p);
    assert_int_equal(status(&p).ssthresh, 3500);
}

/* ---- 4.2, 4.4, 4.5: the curve ---- */

/* K is (18 / 0.4)^(1/3), 3.56 s: up to 60 segments by then, ever more slowly, and then ever faster.
 */
static void concave_and_convex(void **state)
{
    (void)state;
    struct path p;
    after_loss(&p, 200);
    uint64_t began_ns = host.now_ns;
    round_trip(&p);
    round_trip(&p);
    uint32_t first = cwnd(&p);
    assert_in_range(first, 46000, 50000); /* 60 - 0.4 * (3.56 - 0.4 to 0.6)^3 */
    while (host.now_ns - began_ns < 3600 * NS_PER_MS)
        round_trip(&p);
    assert_in_range(cwnd(&p), 59700, 60100);
    while (host.now_ns - began_ns < 7000 * NS_PER_MS)
        round_trip(&p);
    assert_in_range(cwnd(&p), 75000, 82000); /* 60 + 0.4 * (3.44 to 3.64)^3 */
}

/* What an ACK covers counts (lib/README.md). */
static void acks_of_many(void **state)
{
    (void)state;
    struct path p;
    after_loss(&p, 200);
    for (int i = 0; i < 10; i++) { /* two ACKs a round trip */
        give_enough(&p);
        uint32_t half = status(&p).flight / 2000 * 1000;
        for (int k = 0; k < 2; k++) {
            host_later(100);
            p.acked += half;
            arrives_ack(&p);
        }
    }
    assert_in_range(cwnd(&p), 56000, 60000);
}

/* ---- 4.7: fast convergence ---- */

/* A second loss below the plateau: the next is at 0.85 of where that happened, not at all of it. */
static void fast_convergence(void **state)
{
    (void)state;
    struct path p;
    after_loss(&p, 200);
    lose_one(&p); /* at 42: 29.4, and a plateau at 35.7 */
    assert_int_equal(status(&p).ssthresh, 29400);
    grow_to(&p, 29400);
    for (int i = 0; i < 12; i++) /* K is 2.5 s */
        round_trip(&p);
    assert_in_range(cwnd(&p), 35000, 37000);
}

/* ---- 4.3: the Reno-friendly region ---- */

/* On a short path cwnd is W_est: 9/17 of a segment more with each window, a whole one from
 * cwnd_prior on. */
static void reno_friendly(void **state)
{
    (void)state;
    struct path p;
    after_loss(&p, 1);
    uint32_t from = cwnd(&p) / 1000 * 1000;
    for (int i = 0; i < 17; i++)
        round_trip(&p);
    assert_in_range(cwnd(&p), from + 8000, from + 10000);
    while (cwnd(&p) < 60000)
        round_trip(&p);
    from = cwnd(&p);
    for (int i = 0; i < 10; i++)
        round_trip(&p);
    assert_in_range(cwnd(&p), from + 9000, from + 11000);
}

/* ---- 4.8: timeout ---- */

/* One segment, and ssthresh as by a loss; slow start up to there, then a plateau and W_est that
 * both begin there: no way back to where it was. */
static void timeout(void **state)
{
    (void)state;
    struct path p;
    open_path(&p, 200);
    grow_to(&p, 60000);
    time_out(&p);
    assert_int_equal(cwnd(&p), 1000);
    assert_in_range(status(&p).ssthresh, 42000, 42700); /* and the probe */
    p.acked += 60000;
    arrives_ack(&p);
    grow_to(&p, status(&p).ssthresh);
    for (int i = 0; i < 10; i++) /* 2 s: by the curve 3.2 segments, by W_est 10 * 9/17 */
        round_trip(&p);
    assert_in_range(cwnd(&p), 46000, 48000);
}

/* ---- 4.2, 5.8: application-limited flows ---- */

/* A minute of single segments does not make the window grow, nor does it count afterwards. */
static void application_limited(void **state)
{
    (void)state;
    struct path p;
    after_loss(&p, 200);
    round_trip(&p);
    round_trip(&p);
    uint32_t before = cwnd(&p);
    while (p.acked < p.given) { /* no more is given */
        p.acked += 1000;
        arrives_ack(&p);
    }
    for (int i = 0; i < 300; i++) {
        give(&p, 1000);
        host_later(200);
        p.acked += 1000;
        arrives_ack(&p);
    }
    assert_in_range(cwnd(&p), before, before + 2500);
    give(&p, 100000);
    round_trip(&p);
    assert_in_range(cwnd(&p), before, before + 5000);
}

/* And when the receiver's window is smaller: by that it does not grow. */
static void receiver_limited(void **state)
{
    (void)state;
    struct path p;
    after_loss(&p, 200);
    p.acked += 42000;
    arrives(&p.peer, .flags = ACK, .seq = 1, .ack = p.acked + 1, .wnd = 30000 / 16);
    (void)all_leaves();
    uint32_t before = cwnd(&p);
    for (int i = 0; i < 100; i++) {
        give(&p, 10000);
        host_later(20);
        p.acked += 10000;
        arrives(&p.peer, .flags = ACK, .seq = 1, .ack = p.acked + 1, .wnd = 30000 / 16);
        (void)all_leaves();
    }
    assert_int_equal(cwnd(&p), before);
}

/* ---- 4.10: slow start ---- */

/* Up to ssthresh and no further. The first has HyStart++ (test_rfc9406.c). */
static void slow_start(void **state)
{
    (void)state;
    struct path p;
    open_path(&p, 100);
    give_enough(&p);
    for (uint32_t i = 1; i <= 30; i++) {
        ack_of_one(&p);
        assert_int_equal(cwnd(&p), 10000 + 1000 * i);
    }
    lose_one(&p); /* 0.7 of 40 */
    assert_int_equal(status(&p).ssthresh, 28000);
    assert_true(host_with_sack() ? cwnd(&p) <= 28100 : cwnd(&p) < 28000);
    while (cwnd(&p) < 28000) {
        uint32_t was = cwnd(&p);
        ack_of_one(&p);
        assert_int_equal(cwnd(&p), was + 1000 < 28000 ? was + 1000 : 28000);
    }
    ack_of_one(&p);
    assert_true(cwnd(&p) < 28500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test_sack(reduced_at_once),
        host_test_sack(by_flight_size),
        host_test_sack(concave_and_convex),
        host_test_sack(acks_of_many),
        host_test_sack(fast_convergence),
        host_test_sack(reno_friendly),
        host_test_sack(timeout),
        host_test_sack(application_limited),
        host_test_sack(receiver_limited),
        host_test_sack(slow_start),
    };
    return host_main(tests);
}
