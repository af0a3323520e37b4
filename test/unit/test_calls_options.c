/* calls.c, listen.c: options of sockets, and that accepted connections have the listener's. */
#include "hosts.h"

static void set_all(struct sock *so)
{
    const struct keepalive_settings keepalive = {10000, 2000, 2, true};
    host_step(HERE);
    host_set(so, rcvbuf, 3000);
    host_set(so, sndbuf, 500);
    host_set(so, user_timeout_ms, 4000);
    host_set(so, keepalive, keepalive);
    host_set(so, nodelay, true);
    host_set(so, oobinline, false);
    host_set(so, cc, &cc_newreno);
}

/* What set_all() has asked for, on a connection idle since now. */
static void has_all(struct sock *so, struct peer *p)
{
    struct tcp_status status;
    stack_status(so, &status);
    assert_int_equal(status.rcvbuf, 3000);
    assert_int_equal(status.rcv_shift, 0);
    assert_int_equal(status.sndbuf, 500);
    assert_ptr_equal(stack_settings(so)->cc, &cc_newreno);
    assert_int_equal(host_send(so, 0, 300), 300);
    leaves(p, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 300, .wnd = 3000);
    assert_int_equal(host_send(so, 300, 300), 200);
    leaves(p, .flags = PSH | ACK, .seq = 301, .ack = 1, .text = 200);
    arrives(p, .flags = ACK, .seq = 1, .ack = 501);
    host_later(9999);
    nothing_leaves();
    host_later(1);
    leaves(p, .flags = ACK, .seq = 500, .ack = 1);
    arrives(p, .flags = ACK | URG, .seq = 1, .ack = 501, .up = 1);
    assert_int_equal(stack_recv_urgent(so, &(uint8_t){0}, false), ERR_AGAIN);
    assert_int_equal(host_send(so, 500, 1), 1);
    leaves(p, .flags = PSH | ACK, .seq = 501, .ack = 1, .text = 1);
    for (unsigned rto = 200; rto <= 1600; rto *= 2) {
        host_later(rto);
        leaves(p, .flags = PSH | ACK, .seq = 501, .ack = 1, .text = 1);
    }
    host_later(999);
    assert_int_equal(stack_error(so), ERR_NONE);
    host_later(1);
    assert_int_equal(stack_error(so), ERR_TIMEDOUT);
}

/* Before the SYN has left: the window and its scale go with it. */
static void connecting(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connect(&a);
    host_batch();
    set_all(so);
    leaves(&a, .flags = SYN, .seq = 0, .wnd = 3000, .scale = ZERO);
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .wnd = 10000, .mss = 1000);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = 3000);
    has_all(so, &a);
}

static void connected(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    host.config.tcp.rcvbuf = host.config.tcp.rcvbuf_max = 3000;
    host_start();
    struct sock *so = host_connected(HERE, &a);
    set_all(so);
    has_all(so, &a);
}

/* The first ACK has the listener's window, the connection all the rest; what is set afterwards is
 * for those that come later, and the connection's own is its own. */
static void accepted(void **state)
{
    (void)state;
    struct sock *l = host_listen(80, 5);
    struct peer a = peer(1, 80), b = peer(2, 80);
    set_all(l);
    arrives(&a, .flags = SYN, .seq = 0, .mss = 1000, .scale = ZERO);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .wnd = 3000, .scale = ZERO);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
    expect_event(l, SOCK_EV_COMPLETED);
    host_set(l, rcvbuf, 1000000);
    arrives(&b, .flags = SYN, .seq = 0, .mss = 1000, .scale = ZERO);
    leaves(&b, .flags = SYN | ACK, .seq = 0, .ack = 1, .wnd = 65535, .scale = 4);
    arrives(&b, .flags = RST, .seq = 1);
    struct sock *so = host_accept(l);
    has_all(so, &a);
}

/* The SYN-ACK goes on until the listener's user timeout (MUST-21). */
static void half_open(void **state)
{
    (void)state;
    struct sock *l = host_listen(80, 5);
    struct peer a = peer(1, 80);
    host_set(l, user_timeout_ms, 5000);
    arrives(&a, .flags = SYN, .seq = 0, .mss = 1000);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    for (unsigned i = 1; i <= 2; i++) {
        host_at(((1u << i) - 1) * 1000);
        leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    }
    assert_int_equal(stack_sock_count(host.stack), 2);
    host_at(5000);
    assert_int_equal(stack_sock_count(host.stack), 1);
}

/* A keep-alive's deadline is the stack's: no call but stack_tick() is needed (MUST-24). */
static void keepalive_ends_it(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    const struct keepalive_settings keepalive = {10000, 2000, 2, true};
    host_step(HERE);
    host_at(1000);
    assert_true(stack_deadline(host.stack) == TIME_NEVER);
    host_set(so, keepalive, keepalive);
    nothing_leaves();
    assert_int_equal(stack_deadline(host.stack), host.now_ns + 9 * NS_PER_S);
    host_at(10000);
    leaves(&a, .flags = ACK, .seq = 0, .ack = 1);
    host_at(12000);
    leaves(&a, .flags = ACK, .seq = 0, .ack = 1);
    host_at(14000);
    leaves(&a, .flags = RST | ACK, .seq = 1, .ack = 1);
    expect_event(so, SOCK_EV_CLOSED);
    assert_int_equal(stack_error(so), ERR_TIMEDOUT);
}

/* From the SYN on, changed while connected (MUST-48, MUST-49, SHLD-21, SHLD-22), up to the RST. */
static void diffserv(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connect(&a);
    host_batch();
    host_do_set_ip(so, false, 0xb8, 200);
    leaves(&a, .flags = SYN, .seq = 0);
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 77);
    leaves(&a, .flags = RST, .seq = 77); /* which no connection sends: 3.10.7.3 */
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    assert_int_equal(host_send(so, 0, 10), 10);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    host_do_set_ip(so, false, 0x28, 7);
    host_later(200);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10); /* again */
    arrives(&a, .flags = ACK, .seq = 1, .ack = 11, .text = 100);
    host_later(40);
    leaves(&a, .flags = ACK, .seq = 11, .ack = 101);
    host_do_set_ip(so, false, 0, 255);
    host_abort(so);
    leaves(&a, .flags = RST | ACK, .seq = 11, .ack = 101);
    arrives(&a, .flags = ACK, .seq = 101, .ack = 11);
    host_do_set_ip(host_listen(80, 5), false, 0, 64);
    leaves(&a, .flags = RST, .seq = 11); /* of nobody's any more */
}

/* A connection has its listener's, for the SYN-ACK and the RST of a refusal, and in TIME-WAIT its
 * own. */
static void diffserv_accepted(void **state)
{
    (void)state;
    struct sock *l = host_listen(80, 5);
    struct peer a = peer(1, 80), b = peer(2, 80);
    host_do_set_ip(l, false, 0xb8, 200);
    arrives(&b, .flags = ACK, .seq = 1, .ack = 1);
    leaves(&b, .flags = RST, .seq = 1);
    host_handshake(HERE, &a);
    struct sock *so = host_accept(l);
    host_do_set_ip(so, false, 0x28, 7);
    host_close(so);
    leaves(&a, .flags = FIN | ACK, .seq = 1, .ack = 1);
    arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = 2);
    leaves(&a, .flags = ACK, .seq = 2, .ack = 2);
    host_later(1000);
    arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = 2);
    leaves(&a, .flags = ACK, .seq = 2, .ack = 2);
    host_do_set_ip(l, false, 0xb8, 200); /* still the listener's */
    arrives(&b, .flags = SYN, .seq = 0, .mss = 1000);
    leaves(&b, .flags = SYN | ACK, .seq = 0, .ack = 1);
}

/* IPv6 has its own. */
static void diffserv_v6(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    a.flow.local = (struct ip_addr){{0xfd, [15] = 1}};
    a.flow.remote = (struct ip_addr){{0xfd, [15] = 2}};
    host.config.caps.mtu = 1500;
    host_start();
    struct sock *so = host_connect(&a);
    host_batch();
    host_do_set_ip(so, true, 0x28, 0);
    leaves(&a, .flags = SYN, .seq = 0);
}

/* TCP_QUICKACK, before and after the SYN, on top of what the stack begins with. */
static void quickack(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), b = peer(2, 0);
    host.config.tcp.quickacks = 2;
    host_start();
    struct sock *so = host_connected(HERE, &a);
    assert_true(stack_quickack(so));
    for (uint32_t i = 0; i < 2; i++) {
        arrives(&a, .flags = ACK, .seq = 1 + i, .ack = 1, .text = 1);
        leaves(&a, .flags = ACK, .seq = 1, .ack = 2 + i);
    }
    assert_false(stack_quickack(so));
    arrives(&a, .flags = ACK, .seq = 3, .ack = 1, .text = 1);
    nothing_leaves();
    stack_set_quickack(so, true, host.now_ns);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 4);
    so = host_connect(&b);
    host_batch();
    stack_set_quickack(so, false, host.now_ns);
    leaves(&b, .flags = SYN, .seq = 0);
    arrives(&b, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
    leaves(&b, .flags = ACK, .seq = 1, .ack = 1);
    arrives(&b, .flags = ACK, .seq = 1, .ack = 1, .text = 1);
    host_later(39);
    nothing_leaves();
    host_later(1);
    leaves(&b, .flags = ACK, .seq = 1, .ack = 2);
    struct sock *l = host_listen(80, 5);
    stack_set_quickack(l, true, host.now_ns);
    assert_false(stack_quickack(l));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(connecting),
        host_test(connected),
        host_test(accepted),
        host_test(half_open),
        host_test(keepalive_ends_it),
        host_test_ipv4(diffserv),
        host_test_ipv4(diffserv_accepted),
        host_test(diffserv_v6),
        host_test(quickack),
    };
    return host_main(tests);
}
