/* RFC 8985: RACK-TLP at the border of the stack. (Case by case: unit/test_rack.c, unit/test_loss.c,
 * unit/test_loss_probe.c.) */
#include "with_sack.h"

/* n segments are in flight on a path of 100 ms. */
static struct sock *in_flight(struct peer *a, unsigned n)
{
    struct sock *so = host_connect(a);
    handshake_with_sack(a);
    host_sends(so, 0, 1000 * n);
    assert_int_equal(all_leaves(), n);
    return so;
}

/* 6.2: one of two is SACKed: the other is lost a quarter of the round trip later. */
static void by_time(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    in_flight(&a, 2);
    host_later(100);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, BLOCK(1001, 2001));
    host_later(24);
    nothing_leaves();
    host_later(1);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 2001);
}

/* 7: the end of a flight is lost: a probe finds it, and no timeout is needed. */
static void tail(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a, 3);
    host_later(100);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1001);
    host_later(207);
    nothing_leaves();
    host_later(1);
    leaves(&a, .flags = ACK | PSH, .seq = 2001, .ack = 1, .text = 1000);
    host_later(100);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1001, BLOCK(2001, 3001));
    leaves(&a, .flags = ACK, .seq = 1001, .ack = 1, .text = 1000);
    host_later(100);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 3001);
    assert_int_equal(host_status(so).flight, 0);
    assert_true(host_status(so).cwnd >= 2000); /* fast recovery, not the loss window */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(by_time),
        host_test(tail),
    };
    return host_main(tests);
}
