/* RFC 3042, RFC 5681 3.2 steps 1 and 2: limited transmit. What differs with SACK is in
 * test_rfc6675.c. */
#include "hosts.h"

/* A first window of ten segments in flight, numbered from 1 on, and as many octets more to send. */
static struct sock *in_flight(struct peer *a, int wnd, uint32_t more)
{
    a->wnd = wnd;
    struct sock *so = host_connect(a);
    host_set(so, cc, &cc_newreno);
    leaves(a, .flags = SYN, .seq = 0);
    host_later(100);
    arrives(a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
    leaves(a, .flags = ACK, .seq = 1, .ack = 1);
    host_sends(so, 0, 10000 + more);
    assert_int_equal(all_leaves(), 10);
    host_later(100);
    return so;
}

/* The nth in a row: with SACK it tells of one segment more that has arrived. */
static void duplicate(struct peer *a, uint32_t ack, uint32_t n)
{
    arrives(a, .flags = ACK, .seq = 1, .ack = ack, .n_sack = host_with_sack() ? 1 : NONE,
            .sack = {{ack + 1000, ack + 1000 + 1000 * n}});
}

/* The first two, and what they let go. */
static void two_duplicates(struct peer *a, uint32_t ack, uint32_t next)
{
    for (uint32_t i = 0; i < 2; i++) {
        duplicate(a, ack, 1 + i);
        leaves(a, .flags = ACK, .seq = next + 1000 * i, .ack = 1, .text = 1000);
        nothing_leaves();
    }
}

/* Each of the first two duplicates lets a new segment go, and cwnd is as it was. */
static void two_segments(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a, 65535, 50000);
    two_duplicates(&a, 1, 10001);
    assert_int_equal(host_status(so).cwnd, 10000);
    assert_int_equal(host_status(so).resent, 0);
}

/* RFC 5681 3.2 step 2: the third one begins fast retransmit, and what limited transmit has sent is
 * not in the flight that ssthresh is half of. */
static void third_duplicate(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a, 65535, 50000);
    two_duplicates(&a, 1, 10001);
    duplicate(&a, 1, 3);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    nothing_leaves();
    assert_int_equal(host_status(so).ssthresh, 5000);
    assert_int_equal(host_status(so).cwnd, 8000);
    assert_int_equal(host_status(so).flight, 12000);
}

/* Both duplicates of one batch are answered together. */
static void both_at_once(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    (void)in_flight(&a, 65535, 50000);
    for (uint32_t i = 0; i < 2; i++) {
        duplicate(&a, 1, 1 + i);
        host_batch();
    }
    leaves(&a, .flags = ACK, .seq = 10001, .ack = 1, .text = 1000);
    leaves(&a, .flags = ACK, .seq = 11001, .ack = 1, .text = 1000);
    nothing_leaves();
}

/* Only what the peer's window takes. */
static void within_the_window(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    (void)in_flight(&a, 11000, 50000);
    duplicate(&a, 1, 1);
    leaves(&a, .flags = ACK, .seq = 10001, .ack = 1, .text = 1000);
    duplicate(&a, 1, 2);
    nothing_leaves();
}

/* Only text that has never been sent. */
static void nothing_new(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a, 65535, 0);
    duplicate(&a, 1, 1);
    duplicate(&a, 1, 2);
    nothing_leaves();
    host_sends(so, 10000, 5000); /* while both are unanswered */
    assert_int_equal(all_leaves(), 2);
}

/* It was no loss but another order: nothing goes again, and the next two count anew. What is in
 * flight beyond cwnd goes off it. */
static void another_order(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a, 65535, 50000);
    two_duplicates(&a, 1, 10001);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1001);
    assert_int_equal(host_status(so).cwnd, 11000);
    nothing_leaves(); /* 11000 are in flight */
    two_duplicates(&a, 1001, 12001);
    assert_int_equal(host_status(so).resent, 0);
    assert_int_equal(host_status(so).flight, 13000);
}

/* What it is for: with two segments in a window no third duplicate would come, and only the timer
 * would find the loss. */
static void two_segments_in_a_window(void **state)
{
    (void)state;
    host.config.caps.mtu = 9000;
    host_start();
    struct peer a = peer(1, 0);
    a.wnd = 65535;
    struct sock *so = host_connect(&a);
    leaves(&a, .flags = SYN, .seq = 0);
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 7300);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    host_sends(so, 0, 50000);
    assert_int_equal(all_leaves(), 2); /* the first is lost */
    duplicate(&a, 1, 1);
    leaves(&a, .flags = ACK, .seq = 14601, .ack = 1, .text = 7300);
    duplicate(&a, 1, 2);
    leaves(&a, .flags = ACK, .seq = 21901, .ack = 1, .text = 7300);
    duplicate(&a, 1, 3);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 7300);
    assert_int_equal(host_status(so).ssthresh, 14600); /* two segments at least */
    leaves(&a, .flags = ACK, .seq = 29201, .ack = 1,
           .text = 7300); /* RFC 5681 3.2 step 5: cwnd is five segments */
}

/* RFC 6582 4: after a timeout duplicates may come from what we have sent twice: they begin no
 * recovery, and so let nothing go. */
static void not_after_a_timeout(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    (void)in_flight(&a, 65535, 50000);
    host_later(200);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    duplicate(&a, 1, 1);
    duplicate(&a, 1, 2);
    nothing_leaves();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test_sack(two_segments),        host_test(third_duplicate),
        host_test_sack(both_at_once),        host_test_sack(within_the_window),
        host_test_sack(nothing_new),         host_test(another_order),
        host_test(two_segments_in_a_window), host_test(not_after_a_timeout),
    };
    return host_main(tests);
}
