/* RFC 9293 3.9.1.3: RECEIVE. (A PSH that arrives is not shown to the user, MAY-17: POSIX has no
 * such mark. Urgent data is in test_3_8_5.c.) */
#include "hosts.h"

static void not_opened(void **state)
{
    (void)state;
    struct sock *l = host_listen(80, 5);
    assert_int_equal(host_recv(l, 0, 1), ERR_NOT_CONNECTED);
}

/* The answer is how much there was, up to what was asked for; with PSH or without it. */
static void what_is_there(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    assert_int_equal(host_recv(so, 0, 100), ERR_AGAIN);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 10);
    expect_event(so, SOCK_EV_ARRIVED);
    host_batch();
    host_receives(so, 0, 4);
    assert_int_equal(host_recv(so, 4, 100), 6);
    arrives(&a, .flags = PSH | ACK, .seq = 11, .ack = 1, .text = 10);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 21);
    assert_int_equal(host_recv(so, 10, 100), 10);
    assert_int_equal(host_recv(so, 20, 100), ERR_AGAIN);
}

/* A buffer is filled from as many segments as it takes, and only with what is in order. */
static void across_segments(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 700);
    arrives(&a, .flags = ACK, .seq = 701, .ack = 1, .text = 700);
    (void)all_leaves();
    arrives(&a, .flags = ACK, .seq = 1501, .ack = 1, .text = 700);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1401);
    host_receives(so, 0, 1000);
    assert_int_equal(host_recv(so, 1000, 1000), 400);
    assert_int_equal(host_recv(so, 1400, 1000), ERR_AGAIN);
    arrives(&a, .flags = ACK, .seq = 1401, .ack = 1, .text = 100);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 2201);
    assert_int_equal(host_recv(so, 1400, 1000), 800);
}

/* And without taking it away. */
static void peeking(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 10);
    uint8_t buf[20];
    assert_int_equal(stack_recv(so, buf, sizeof buf, true, host.now_ns), 10);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(buf[i], stream_octet(true, i));
    host_receives(so, 0, 10);
    host_later(40);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(not_opened),
        host_test(what_is_there),
        host_test(across_segments),
        host_test(peeking),
    };
    return host_main(tests);
}
