/* RFC 9293 3.8.2: congestion control, MUST-19. The algorithms in full are in test_rfc5681.c,
 * test_rfc9438.c, test_rfc6582.c and test_rfc6298.c. */
#include "hosts.h"

/* Slow start: each ACK lets more go than it acknowledges. */
static void slow_start(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    a.wnd = 65535;
    struct sock *so = host_connected(HERE, &a);
    host_sends(so, 0, 100000);
    assert_int_equal(all_leaves(), 10);
    uint32_t acked = 1;
    for (unsigned round = 0, n = 10; round < 2; round++, n *= 2) {
        host_later(100);
        unsigned sent = 0;
        for (unsigned i = 0; i < n; i++) {
            acked += 1000;
            arrives(&a, .flags = ACK, .seq = 1, .ack = acked);
            sent += all_leaves();
        }
        assert_int_equal(sent, 2 * n);
    }
}

/* Congestion avoidance: beyond ssthresh, one segment more a round trip. */
static void congestion_avoidance(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    a.wnd = 4000;
    struct sock *so = host_connected(HERE, &a);
    host_set(so, cc, &cc_newreno);
    host_sends(so, 0, 200000);
    assert_int_equal(all_leaves(), 4);
    host_at(200); /* a timeout: ssthresh is two segments then */
    assert_int_equal(all_leaves(), 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 4001, .wnd = 65535);
    assert_int_equal(host_status(so).ssthresh, 2000);
    assert_int_equal(all_leaves(), 2);
    uint32_t acked = 4001;
    for (unsigned n = 2; n < 8; n++) {
        host_later(100);
        unsigned sent = 0;
        for (unsigned i = 0; i < n; i++) {
            acked += 1000;
            arrives(&a, .flags = ACK, .seq = 1, .ack = acked);
            sent += all_leaves();
        }
        assert_int_equal(sent, n + 1);
    }
}

/* RTO doubles for the same segment, time after time. */
static void exponential_backoff(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    host_sends(so, 0, 10);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    uint32_t ms = 0;
    for (uint32_t rto = 200; rto <= 51200; rto *= 2) {
        ms += rto;
        host_at(ms - 1);
        nothing_leaves();
        host_at(ms);
        leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(slow_start),
        host_test(congestion_avoidance),
        host_test(exponential_backoff),
    };
    return host_main(tests);
}
