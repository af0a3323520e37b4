/* RFC 9293 3.7.4: the Nagle algorithm, in the variant of A.3: of what is not acknowledged only a
 * segment below the MSS keeps others back. */
#include "hosts.h"

/* SHLD-7: while something is unacknowledged, short segments wait, whoever has pushed them; all of
 * them then go together. */
static void short_segments_are_coalesced(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    host_sends(so, 0, 10);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    for (uint32_t i = 1; i < 10; i++) {
        host_at(i * 10);
        host_sends(so, 10 * i, 10);
    }
    host_at(100);
    nothing_leaves();
    arrives(&a, .flags = ACK, .seq = 1, .ack = 11);
    leaves(&a, .flags = PSH | ACK, .seq = 11, .ack = 1, .text = 90);
}

/* Until there is a full-sized segment: that goes at once. */
static void full_segments_go(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    host_sends(so, 0, 10);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    host_sends(so, 10, 999);
    nothing_leaves();
    host_sends(so, 1009, 2);
    leaves(&a, .flags = ACK, .seq = 11, .ack = 1, .text = 1000);
    nothing_leaves(); /* an octet is left */
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1011);
    leaves(&a, .flags = PSH | ACK, .seq = 1011, .ack = 1, .text = 1);
}

/* With nothing outstanding the first segment goes at once, however short. */
static void not_when_all_is_acknowledged(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    for (uint32_t i = 0; i < 5; i++) {
        host_sends(so, i, 1);
        leaves(&a, .flags = PSH | ACK, .seq = 1 + i, .ack = 1, .text = 1);
        arrives(&a, .flags = ACK, .seq = 1, .ack = 2 + i);
    }
}

/* What a window probe is filled up with when it goes again (3.8.6.1) is short too, and outstanding
 * until all of it is acknowledged. */
static void probe_filled_up(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = ZERO);
    host_sends(so, 0, 10);
    host_at(200);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = 10000);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 2); /* the probe was taken after all */
    host_sends(so, 10, 5);
    nothing_leaves();
    arrives(&a, .flags = ACK, .seq = 1, .ack = 11);
    leaves(&a, .flags = PSH | ACK, .seq = 11, .ack = 1, .text = 5);
}

/* MUST-17: off, per connection: every SEND goes. */
static void turned_off(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), b = peer(2, 0);
    struct sock *so = host_connected(HERE, &a), *other = host_connected(HERE, &b);
    host_set_nodelay(so, true);
    for (uint32_t i = 0; i < 5; i++) {
        host_sends(so, i, 1);
        leaves(&a, .flags = PSH | ACK, .seq = 1 + i, .ack = 1, .text = 1);
    }
    host_sends(other, 0, 1);
    leaves(&b, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1);
    host_sends(other, 1, 1);
    nothing_leaves();
    host_set_nodelay(other, true); /* what waits goes */
    leaves(&b, .flags = PSH | ACK, .seq = 2, .ack = 1, .text = 1);
}

/* In all cases slow start limits what is sent. */
static void slow_start_limits(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    a.wnd = 65535;
    struct sock *so = host_connected(HERE, &a);
    host_set_nodelay(so, true);
    for (uint32_t i = 0; i < 40; i++) {
        host_sends(so, 500 * i, 500);
        host_batch();
        (void)all_leaves();
    }
    assert_int_equal(host_status(so).flight, 10000); /* the initial window: RFC 6928 */
    assert_int_equal(host_status(so).unsent, 10000);
}

/* A.3: a short segment behind full-sized ones goes at once, a second one does not. */
static void variant_of_a_3(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    host_sends(so, 0, 1100);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    leaves(&a, .flags = PSH | ACK, .seq = 1001, .ack = 1, .text = 100);
    host_sends(so, 1100, 100);
    nothing_leaves();
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1001); /* the short one is still out */
    nothing_leaves();
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1101);
    leaves(&a, .flags = PSH | ACK, .seq = 1101, .ack = 1, .text = 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(short_segments_are_coalesced),
        host_test(full_segments_go),
        host_test(not_when_all_is_acknowledged),
        host_test(probe_filled_up),
        host_test(turned_off),
        host_test(slow_start_limits),
        host_test(variant_of_a_3),
    };
    return host_main(tests);
}
