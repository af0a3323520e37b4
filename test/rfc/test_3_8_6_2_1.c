/* RFC 9293 3.8.6.2.1: silly windows, the sender's side: MUST-38. The four reasons to send. D is
 * what is queued, U what the peer's window has left. */
#include "hosts.h"

/* (1) min(D, U) is a full-sized segment. */
static void full_sized(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    a.wnd = 2500;
    struct sock *so = host_connected(HERE, &a);
    host_sends(so, 0, 5000);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    leaves(&a, .flags = ACK, .seq = 1001, .ack = 1, .text = 1000);
    nothing_leaves(); /* U is 500 */
    /* The window's edge moves on in small steps: no small segments follow it. */
    for (uint32_t i = 1; i < 5; i++) {
        arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = 2500 + 100 * (int)i);
        nothing_leaves();
    }
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = 3000);
    leaves(&a, .flags = ACK, .seq = 2001, .ack = 1, .text = 1000);
}

/* (2) All that is queued can be sent, and nothing is outstanding; all is PUSHed. */
static void all_that_is_queued(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    a.wnd = 300;
    struct sock *so = host_connected(HERE, &a);
    host_sends(so, 0, 300);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 300);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 301, .wnd = 300);
    host_sends(so, 300, 1);
    leaves(&a, .flags = PSH | ACK, .seq = 301, .ack = 1, .text = 1);
    host_sends(so, 301, 1);
    nothing_leaves(); /* outstanding: Nagle */
}

/* (3) Half of the largest window there ever was, and nothing is outstanding. */
static void half_of_the_largest_window(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    a.wnd = 800;
    struct sock *so = host_connected(HERE, &a);
    host_sends(so, 0, 5000);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 800);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 801, .wnd = 399);
    nothing_leaves();
    arrives(&a, .flags = ACK, .seq = 1, .ack = 801, .wnd = 400);
    leaves(&a, .flags = ACK, .seq = 801, .ack = 1, .text = 400);
}

/* (3) That nothing is outstanding is Nagle's condition: without Nagle it does not hold. */
static void half_of_the_window_without_nagle(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), b = peer(2, 0);
    a.wnd = b.wnd = 900;
    struct sock *so = host_connected(HERE, &a), *other = host_connected(HERE, &b);
    host_set_nodelay(so, true);
    host_sends(so, 0, 300);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 300);
    host_sends(so, 300, 5000);
    leaves(&a, .flags = ACK, .seq = 301, .ack = 1, .text = 600);
    host_sends(other, 0, 300);
    leaves(&b, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 300);
    host_sends(other, 300, 5000);
    nothing_leaves();
}

/* (4) The override timeout, 0.1 to 1 second: here RTO. */
static void override_timeout(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    host_sends(so, 0, 3000);
    assert_int_equal(all_leaves(), 3);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 3001, .wnd = 100);
    host_sends(so, 3000, 3000);
    nothing_leaves();
    host_at(199);
    nothing_leaves();
    host_at(200);
    leaves(&a, .flags = ACK, .seq = 3001, .ack = 1, .text = 100);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 3101, .wnd = 10000);
    leaves(&a, .flags = ACK, .seq = 3101, .ack = 1, .text = 1000);
    leaves(&a, .flags = ACK, .seq = 4101, .ack = 1, .text = 1000);
    leaves(&a, .flags = PSH | ACK, .seq = 5101, .ack = 1, .text = 900);
}

/* It is never longer than a second, whatever RTO is. */
static void override_within_a_second(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    a.wnd = 1000;
    struct sock *so = host_connect(&a);
    leaves(&a, .flags = SYN, .seq = 0);
    host_at(900);
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000); /* RTO is 2.7 s */
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = 300);
    host_sends(so, 0, 3000);
    host_at(1899);
    nothing_leaves();
    host_at(1900);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(full_sized),
        host_test(all_that_is_queued),
        host_test(half_of_the_largest_window),
        host_test(half_of_the_window_without_nagle),
        host_test(override_timeout),
        host_test(override_within_a_second),
    };
    return host_main(tests);
}
