/* RFC 6928: the initial window, where RFC 5681 3.1 has up to four segments (lib/README.md). */
#include "hosts.h"

/* The initial window: that of RFC 6928, ten segments or about 14600 octets, where RFC 5681 has up
 * to four (lib/README.md); the handshake's ACKs do not add to it. */
static void initial_window(void **state)
{
    (void)state;
    const struct {
        int mss;
        uint32_t cwnd, segments;
    } cases[] = {{536, 5360, 10},  {1460, 14600, 10}, {1461, 14600, 9}, {4380, 14600, 3},
                 {7300, 14600, 2}, {7301, 14602, 2},  {8960, 17920, 2}};
    host.config.caps.mtu = 9000;
    host_start();
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct peer a = peer(i, 0);
        a.wnd = 65535;
        struct sock *so = host_connect(&a);
        leaves(&a, .flags = SYN, .seq = 0);
        arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = cases[i].mss);
        leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
        assert_int_equal(host_status(so).cwnd, cases[i].cwnd);
        host_sends(so, 0, 60000);
        assert_int_equal(all_leaves(), cases[i].segments);
        assert_int_equal(host_status(so).cwnd, cases[i].cwnd);
        host_abort(so);
        (void)all_leaves();
    }
}

/* The same for who is connected to: the ACK of the SYN,ACK does not add either. */
static void initial_window_passive(void **state)
{
    (void)state;
    struct peer a = peer(1, 80);
    struct sock *l = host_listen(80, 5);
    a.wnd = 65535;
    host_handshake(HERE, &a);
    struct sock *so = host_accept(l);
    assert_int_equal(host_status(so).cwnd, 10000);
    host_sends(so, 0, 60000);
    assert_int_equal(all_leaves(), 10);
}

/* 2: the restart window is as large, and never makes cwnd larger. */
static void restart_window(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    a.wnd = 65535;
    struct sock *so = host_connected(HERE, &a);
    host_at(100000);
    host_sends(so, 0, 12000);
    assert_int_equal(all_leaves(), 10);
    host_later(200);
    assert_int_equal(all_leaves(), 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 10001);
    assert_int_equal(all_leaves(), 2);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 12001);
    assert_int_equal(host_status(so).cwnd, 4000);
    host_later(100000);
    host_sends(so, 12000, 20000);
    assert_int_equal(all_leaves(), 4);
}

/* 2: the loss window stays one segment. */
static void loss_window(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    host_sends(so, 0, 10000);
    assert_int_equal(all_leaves(), 10);
    host_later(200);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    nothing_leaves();
    assert_int_equal(host_status(so).cwnd, 1000);
}

/* 9: on a slow path the first window takes long: each ACK of new data gives the timer a whole RTO
 * again. */
static void timer_on_a_slow_path(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    host_sends(so, 0, 10000);
    assert_int_equal(all_leaves(), 10);
    for (uint32_t i = 1; i <= 10; i++) {
        host_later(190);
        nothing_leaves();
        arrives(&a, .flags = ACK, .seq = 1, .ack = 1 + 1000 * i);
        nothing_leaves();
    }
    assert_int_equal(host_status(so).resent, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test_ipv4(initial_window),  host_test(initial_window_passive),
        host_test(restart_window),       host_test(loss_window),
        host_test(timer_on_a_slow_path),
    };
    return host_main(tests);
}
