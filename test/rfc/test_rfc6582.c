/* RFC 6582: NewReno: recovery from several losses in one window, without SACK. */
#include "hosts.h"

/* Twelve segments in flight, numbered from *una on, on a path of 100 ms. */
static struct sock *in_flight(struct peer *a, uint32_t *una)
{
    a->wnd = 65535;
    struct sock *so = host_connect(a);
    host_set(so, cc, &cc_newreno);
    leaves(a, .flags = SYN, .seq = 0);
    host_later(100);
    arrives(a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
    leaves(a, .flags = ACK, .seq = 1, .ack = 1);
    host_sends(so, 0, 100000);
    assert_int_equal(all_leaves(), 10);
    for (uint32_t i = 1; i <= 2; i++) {
        arrives(a, .flags = ACK, .seq = 1, .ack = 1 + 1000 * i);
        (void)all_leaves();
    }
    *una = 2001;
    assert_int_equal(host_status(so).flight, 12000);
    return so;
}

static void duplicates(struct peer *a, uint32_t ack, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        arrives(a, .flags = ACK, .seq = 1, .ack = ack);
        host_batch();
    }
}

/* 3.2 step 2: the third duplicate, covering more than recover, which at first is the ISS: fast
 * retransmit. */
static void enters(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    uint32_t una;
    struct sock *so = in_flight(&a, &una);
    duplicates(&a, una, 2);
    assert_int_equal(all_leaves(), 2); /* limited transmit */
    duplicates(&a, una, 1);
    leaves(&a, .flags = ACK, .seq = una, .ack = 1, .text = 1000);
    nothing_leaves();
    assert_int_equal(host_status(so).ssthresh, 6000);
    assert_int_equal(host_status(so).cwnd, 9000);
}

/* Step 3, full acknowledgment: all that was out when recovery began: cwnd is the smaller of
 * ssthresh and what is in flight and a segment; recovery is over. */
static void full_acknowledgment(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    uint32_t una;
    struct sock *so = in_flight(&a, &una);
    duplicates(&a, una, 3);
    leaves(&a, .flags = ACK, .seq = una, .ack = 1, .text = 1000);
    arrives(&a, .flags = ACK, .seq = 1, .ack = una + 12000);
    assert_int_equal(host_status(so).cwnd, 2000); /* nothing was in flight: no burst */
    assert_int_equal(all_leaves(), 2);
    duplicates(&a, una + 12000, 3); /* nothing is acknowledged beyond recover: they are old */
    nothing_leaves();
    arrives(&a, .flags = ACK, .seq = 1, .ack = una + 12001);
    (void)all_leaves();
    duplicates(&a, una + 12001, 3); /* a new recovery */
    leaves(&a, .flags = ACK, .seq = una + 12001, .ack = 1, .text = 1000);
    (void)all_leaves();
}

/* Step 3, partial acknowledgments: each sends the next segment that is missing, deflates cwnd by
 * what it acknowledges and adds a segment; three losses take three round trips, and no timeout. */
static void partial_acknowledgments(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    uint32_t una;
    struct sock *so = in_flight(&a, &una);
    duplicates(&a, una, 8);
    leaves(&a, .flags = ACK, .seq = una, .ack = 1, .text = 1000);
    /* cwnd is 6000 + 8000 */
    leaves(&a, .flags = ACK, .seq = una + 12000, .ack = 1, .text = 1000);
    leaves(&a, .flags = ACK, .seq = una + 13000, .ack = 1, .text = 1000);
    nothing_leaves();
    host_later(100);
    arrives(&a, .flags = ACK, .seq = 1, .ack = una + 4000); /* the fifth is missing too */
    leaves(&a, .flags = ACK, .seq = una + 4000, .ack = 1, .text = 1000);
    assert_int_equal(host_status(so).cwnd, 14000 - 4000 + 1000);
    leaves(&a, .flags = ACK, .seq = una + 14000, .ack = 1, .text = 1000);
    nothing_leaves();
    host_later(100);
    arrives(&a, .flags = ACK, .seq = 1, .ack = una + 9000); /* and the tenth */
    leaves(&a, .flags = ACK, .seq = una + 9000, .ack = 1, .text = 1000);
    (void)all_leaves();
    assert_int_equal(host_status(so).ssthresh, 6000); /* once for all */
    host_later(100);
    arrives(&a, .flags = ACK, .seq = 1, .ack = una + 15000);
    assert_true(host_status(so).cwnd <= 6000);
    (void)all_leaves();
    assert_int_equal(host_status(so).resent, 3);
}

/* A partial acknowledgment of less than a segment adds none back. */
static void small_partial_acknowledgment(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    uint32_t una;
    struct sock *so = in_flight(&a, &una);
    duplicates(&a, una, 3);
    leaves(&a, .flags = ACK, .seq = una, .ack = 1, .text = 1000);
    arrives(&a, .flags = ACK, .seq = 1, .ack = una + 400);
    leaves(&a, .flags = ACK, .seq = una + 400, .ack = 1, .text = 1000);
    assert_int_equal(host_status(so).cwnd, 9000 - 400);
}

/* Recovery is not left by a partial acknowledgment: duplicates go on inflating. */
static void duplicates_after_a_partial_acknowledgment(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    uint32_t una;
    struct sock *so = in_flight(&a, &una);
    duplicates(&a, una, 3);
    leaves(&a, .flags = ACK, .seq = una, .ack = 1, .text = 1000);
    arrives(&a, .flags = ACK, .seq = 1, .ack = una + 1000);
    leaves(&a, .flags = ACK, .seq = una + 1000, .ack = 1, .text = 1000);
    uint32_t cwnd = host_status(so).cwnd;
    duplicates(&a, una + 1000, 1);
    assert_int_equal(host_status(so).cwnd, cwnd + 1000);
    assert_int_equal(host_status(so).ssthresh, 6000);
}

/* The timer is restarted by the first partial acknowledgment only: a long recovery ends in a
 * timeout instead (section 4). */
static void timer_in_recovery(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    uint32_t una;
    struct sock *so = in_flight(&a, &una);
    uint64_t rto = host_status(so).rto_ns;
    duplicates(&a, una, 3);
    leaves(&a, .flags = ACK, .seq = una, .ack = 1, .text = 1000);
    host_later(100);
    arrives(&a, .flags = ACK, .seq = 1, .ack = una + 1000);
    leaves(&a, .flags = ACK, .seq = una + 1000, .ack = 1, .text = 1000);
    uint64_t due = host.now_ns + rto;
    host_later(100);
    arrives(&a, .flags = ACK, .seq = 1, .ack = una + 2000);
    leaves(&a, .flags = ACK, .seq = una + 2000, .ack = 1, .text = 1000);
    nothing_leaves();
    assert_int_equal(stack_deadline(host.stack), due);
    host_go(HERE, due);
    leaves(&a, .flags = ACK, .seq = una + 2000, .ack = 1, .text = 1000);
    assert_int_equal(host_status(so).cwnd, 1000);
}

/* Step 4, and section 4: after a timeout recover is the highest number sent: the duplicates that
 * segments sent twice cause do not begin a fast retransmit. */
static void duplicates_after_a_timeout(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    uint32_t una;
    struct sock *so = in_flight(&a, &una);
    host_go(HERE, host.now_ns + host_status(so).rto_ns);
    leaves(&a, .flags = ACK, .seq = una, .ack = 1, .text = 1000);
    arrives(&a, .flags = ACK, .seq = 1, .ack = una + 4000); /* it had arrived but for the first */
    uint32_t ssthresh = host_status(so).ssthresh;
    (void)all_leaves();
    uint32_t resent = host_status(so).resent;
    duplicates(&a, una + 4000, 5);
    (void)all_leaves();
    assert_int_equal(host_status(so).ssthresh, ssthresh);
    assert_int_equal(host_status(so).resent, resent);
    /* What is acknowledged beyond it may begin one again. */
    arrives(&a, .flags = ACK, .seq = 1, .ack = una + 12000);
    (void)all_leaves();
    arrives(&a, .flags = ACK, .seq = 1, .ack = una + 13000);
    (void)all_leaves();
    duplicates(&a, una + 13000, 3);
    leaves(&a, .flags = ACK, .seq = una + 13000, .ack = 1, .text = 1000);
    (void)all_leaves();
}

/* Section 5: our ACKs of what fills a hole are at once, also when another is left. */
static void receiver_acknowledges_at_once(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    host_connected(HERE, &a);
    arrives(&a, .flags = ACK, .seq = 1001, .ack = 1, .text = 500);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    arrives(&a, .flags = ACK, .seq = 2001, .ack = 1, .text = 500);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1501);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(enters),
        host_test(full_acknowledgment),
        host_test(partial_acknowledgments),
        host_test(small_partial_acknowledgment),
        host_test(duplicates_after_a_partial_acknowledgment),
        host_test(timer_in_recovery),
        host_test(duplicates_after_a_timeout),
        host_test(receiver_acknowledges_at_once),
    };
    return host_main(tests);
}
