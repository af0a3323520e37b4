/* RFC 6937: Proportional Rate Reduction, at the border of the stack. (The formula:
 * unit/test_prr.c.) */
#include "with_sack.h"

/* Twenty segments are in flight, as in 3.1's examples, numbered from *una on; enough waits. */
static struct sock *in_flight(struct peer *a, uint32_t *una)
{
    struct sock *so = host_connect(a);
    host_set(so, cc, &cc_newreno);
    handshake_with_sack(a);
    host_sends(so, 0, 100000);
    assert_int_equal(all_leaves(), 10);
    host_later(100);
    for (uint32_t i = 1; i <= 10; i++) {
        arrives(a, .flags = ACK, .seq = 1, .ack = 1 + 1000 * i);
        assert_int_equal(all_leaves(), 2);
    }
    *una = 10001;
    host_later(100);
    assert_int_equal(host_status(so).cwnd, 20000);
    return so;
}

/* The ACK of segment n, counted from 0 as there, when all from `from` on have arrived. Returns how
 * many segments it lets go. */
static unsigned ack_of(struct peer *a, uint32_t una, uint32_t from, uint32_t n)
{
    arrives(a, .flags = ACK, .seq = 1, .ack = una, BLOCK(una + 1000 * from, una + 1000 * n + 1000));
    return all_leaves();
}

/* 3.1, the first example: one loss: limited transmit, the retransmission, and then one segment for
 * every second ACK, over a round trip; in the end ssthresh is in the pipe, and cwnd is that. */
static void one_loss(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    uint32_t una;
    struct sock *so = in_flight(&a, &una);
    unsigned sum = 0;
    for (uint32_t n = 1; n < 20; n++) {
        unsigned now = ack_of(&a, una, 1, n);
        sum += now;
        if (n < 16) /* the formula counts octets, and half a segment waits */
            assert_int_equal(now, n <= 3 || (n > 4 && n % 2 == 0));
    }
    assert_int_equal(host_status(so).ssthresh, 10000);
    assert_in_range(sum, 10, 12); /* RFC 6675 sends 11 */
    assert_int_equal(host_status(so).cwnd, 10000);
    assert_int_equal(host_status(so).resent, 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = una + 20000);
    (void)all_leaves();
    assert_int_equal(host_status(so).cwnd, 10000); /* RFC 5681 3.2 step 6 */
}

/* 3.1, the second example: the first fifteen are lost, and the pipe is far below ssthresh. ACKs
 * that tell of nothing but more SACKed text let go as much as has arrived (PRR-CRB). */
static void many_losses(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    uint32_t una;
    struct sock *so = in_flight(&a, &una);
    for (uint32_t n = 15; n < 20; n++)
        assert_int_equal(ack_of(&a, una, 15, n), 1);
    assert_int_equal(host_status(so).ssthresh, 10000);
    assert_int_equal(host_status(so).resent, 3);
    assert_true(host_status(so).cwnd < 10000);
    arrives(&a, .flags = ACK, .seq = 1, .ack = una + 22000);
    assert_in_range(host_status(so).cwnd, 10000, 11000); /* RFC 5681 3.2 step 6 */
    (void)all_leaves();
}

/* Those that move SND.UNA without telling of a further loss let one segment more go than they say
 * has arrived, up to ssthresh (PRR-SSRB). */
static void slow_start_when_it_advances(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    uint32_t una;
    (void)in_flight(&a, &una);
    for (uint32_t n = 15; n < 20; n++)
        (void)ack_of(&a, una, 15, n);
    host_later(100);
    for (uint32_t i = 1; i <= 3; i++) {
        arrives(&a, .flags = ACK, .seq = 1, .ack = una + 1000 * i, BLOCK(una + 15000, una + 20000));
        assert_int_equal(all_leaves(), 2);
    }
}

/* 3: prr_delivered counts what is SACKed and what is acknowledged, once: a lost ACK changes
 * nothing. */
static void delivered_data(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    uint32_t una;
    struct sock *so = in_flight(&a, &una);
    unsigned sum = 0;
    for (uint32_t n = 1; n < 4; n++)
        sum += ack_of(&a, una, 1, n);
    assert_int_equal(sum, 3);
    sum += ack_of(&a, una, 1, 12);
    sum += ack_of(&a, una, 1, 12); /* the same again: nothing */
    sum += ack_of(&a, una, 1, 19);
    assert_in_range(sum, 10, 12);
    assert_int_equal(host_status(so).cwnd, 10000);
}

/* 3: ssthresh is what congestion control has set it to: with CUBIC 0.7, and so many go. */
static void another_target(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    uint32_t una;
    struct sock *so = in_flight(&a, &una);
    host_set(so, cc, &cc_cubic);
    unsigned sum = 0;
    for (uint32_t n = 1; n < 20; n++)
        sum += ack_of(&a, una, 1, n);
    assert_int_equal(host_status(so).ssthresh, 14000);
    assert_int_equal(host_status(so).cwnd, 14000);
    assert_in_range(sum, 14, 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(one_loss),
        host_test(many_losses),
        host_test(slow_start_when_it_advances),
        host_test(delivered_data),
        host_test(another_target),
    };
    return host_main(tests);
}
