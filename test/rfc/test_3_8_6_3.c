/* RFC 9293 3.8.6.3: delayed acknowledgments, with what RFC 5681 4.2 adds. */
#include "hosts.h"

/* SHLD-18, MUST-40: the ACK of one segment waits, for less than half a second. */
static void one_segment_waits(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    host_connected(HERE, &a);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    host_at(39);
    nothing_leaves();
    host_at(40);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1001);
    host_at(1000);
    nothing_leaves();
}

/* MUST-40: however long the configuration would have it. */
static void less_than_half_a_second(void **state)
{
    (void)state;
    host.config.tcp.ack_delay_ns = 10 * NS_PER_S;
    host_start();
    struct peer a = peer(1, 0);
    host_connected(HERE, &a);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    host_at(499);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1001);
}

/* SHLD-19: every second full-sized segment is acknowledged. */
static void every_second_segment(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    for (uint32_t i = 1; i <= 8; i++) {
        arrives(&a, .flags = ACK, .seq = 1 + 1000 * (i - 1), .ack = 1, .text = 1000);
        if (i % 2 == 0)
            leaves(&a, .flags = ACK, .seq = 1, .ack = 1 + 1000 * i);
        nothing_leaves();
    }
    assert_int_equal(host_status(so).unread, 8000);
}

/* SHLD-19 allows to count 2 RMSS octets of new data instead; but small segments count like large
 * ones, as nobody knows what is full-sized behind a small path MTU (ackdelay.h). */
static void of_any_size(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    host_connected(HERE, &a);
    for (uint32_t i = 1; i <= 8; i++) {
        arrives(&a, .flags = ACK, .seq = 1 + 100 * (i - 1), .ack = 1, .text = 100);
        if (i % 2 == 0)
            leaves(&a, .flags = ACK, .seq = 1, .ack = 1 + 100 * i);
        nothing_leaves();
    }
}

/* Text of our own takes the ACK along. */
static void piggybacked(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    host_at(20);
    host_sends(so, 0, 5);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1001, .text = 5);
    arrives(&a, .flags = ACK, .seq = 1001, .ack = 6);
    host_at(1000);
    nothing_leaves();
}

/* RFC 5681 4.2: at once for what is out of order, above a gap, or fills one, all or in part. */
static void at_once_out_of_order(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    host_connected(HERE, &a);
    arrives(&a, .flags = ACK, .seq = 1001, .ack = 1, .text = 1000); /* above a gap */
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    arrives(&a, .flags = ACK, .seq = 3001, .ack = 1, .text = 500); /* and another */
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 400); /* a part */
    leaves(&a, .flags = ACK, .seq = 1, .ack = 401);
    arrives(&a, .flags = ACK, .seq = 401, .ack = 1, .text = 600); /* the rest */
    leaves(&a, .flags = ACK, .seq = 1, .ack = 2001);
    arrives(&a, .flags = ACK, .seq = 2001, .ack = 1, .text = 1000); /* the other */
    leaves(&a, .flags = ACK, .seq = 1, .ack = 3501);
    arrives(&a, .flags = ACK, .seq = 3001, .ack = 1, .text = 500); /* all of it old */
    leaves(&a, .flags = ACK, .seq = 1, .ack = 3501);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(one_segment_waits),    host_test(less_than_half_a_second),
        host_test(every_second_segment), host_test(of_any_size),
        host_test(piggybacked),          host_test(at_once_out_of_order),
    };
    return host_main(tests);
}
