/* RFC 9293 3.8: data communication, and 3.8.1: the retransmission timeout. How RTO is computed is
 * in test_rfc6298.c. */
#include "hosts.h"

/* What is lost is sent again until it arrives, whether the segment or its ACK was lost. */
static void every_segment_is_delivered(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    host_sends(so, 0, 10);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    host_at(200);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    host_at(600);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 11);
    host_at(100000);
    nothing_leaves();
}

/* A segment that comes twice is taken once, and acknowledged again. */
static void duplicates_are_found(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    for (unsigned i = 0; i < 3; i++) {
        arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 100);
        if (i > 0)
            leaves(&a, .flags = ACK, .seq = 1, .ack = 101);
    }
    host_receives(so, 0, 100);
    assert_int_equal(host_recv(so, 100, 1), ERR_AGAIN);
}

/* When all is acknowledged SND.NXT and SND.UNA are equal, and what an ACK carries is RCV.NXT. */
static void variables_when_idle(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    host_sends(so, 0, 300);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 300);
    assert_int_equal(host_status(so).flight, 300);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 301, .text = 200);
    assert_int_equal(host_status(so).flight, 0);
    host_later(40);
    leaves(&a, .flags = ACK, .seq = 301, .ack = 201);
}

/* A segment with text acknowledges what has arrived: no ACK goes by itself. */
static void every_segment_acknowledges(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 200);
    host_sends(so, 0, 300);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 201, .text = 300);
    arrives(&a, .flags = ACK, .seq = 201, .ack = 301);
    host_later(1000);
    nothing_leaves();
}

/* CLOSE pushes, and so does a FIN that arrives: nobody waits for more. */
static void close_and_fin_push(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    host_sends(so, 0, 10);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    host_sends(so, 10, 10);
    nothing_leaves(); /* Nagle */
    assert_int_equal(host_shutdown_send(so), ERR_NONE);
    leaves(&a, .flags = FIN | PSH | ACK, .seq = 11, .ack = 1, .text = 10);
    arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = 1, .text = 5);
    leaves(&a, .flags = ACK, .seq = 22, .ack = 7);
    host_receives(so, 0, 5);
}

/* 3.8.1, MUST-18: RTO follows what is measured: here a path of 300 ms, where it is 3 times 300. */
static void rto_is_measured(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connect(&a);
    leaves(&a, .flags = SYN, .seq = 0);
    host_at(300);
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    host_sends(so, 0, 10);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    host_at(1199);
    nothing_leaves();
    host_at(1200);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 11);
    /* MUST-18, Karn: no sample from what was sent twice, or RTO would have become another. */
    assert_int_equal(host_status(so).srtt_ns, 300 * NS_PER_MS);
}

/* 3.8.1: IPv4's Identification says nothing about which segment it is: it is always 0, as a packet
 * that must not be fragmented needs none (RFC 6864 4.1; MAY-4 has no object). */
static void identification(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    host_sends(so, 0, 10);
    for (unsigned i = 0; i < 2; i++) {
        struct headers h = headers_leave();
        assert_true(h.df);
        assert_int_equal(h.id, 0);
        host_later(200);
    }
    (void)all_leaves();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(every_segment_is_delivered), host_test(duplicates_are_found),
        host_test(variables_when_idle),        host_test(every_segment_acknowledges),
        host_test(close_and_fin_push),         host_test(rto_is_measured),
        host_test_ipv4(identification),
    };
    return host_main(tests);
}
