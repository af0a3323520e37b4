/* listen.c: listeners and their queues (RFC 9293 3.9.1.1, 3.10.7.2). */
#include "hosts.h"

/* The oldest completed connection comes first. */
static void accept_order(void **state)
{
    (void)state;
    struct sock *l = host_listen(80, 10), *so;
    struct peer p[5];
    for (unsigned i = 0; i < 5; i++) {
        p[i] = peer(i, 80);
        arrives(&p[i], .flags = SYN, .seq = 0);
        leaves(&p[i], .flags = SYN | ACK, .seq = 0, .ack = 1);
    }
    const unsigned order[] = {3, 0, 4, 1, 2};
    for (unsigned i = 0; i < 5; i++)
        arrives(&p[order[i]], .flags = ACK, .seq = 1, .ack = 1);
    expect_event(l, SOCK_EV_COMPLETED); /* once for all five */
    expect_no_event();
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(stack_readiness(l), SOCK_READABLE);
        struct tcp_status status;
        stack_status(host_accept(l), &status);
        assert_int_equal(status.flow.remote_port, p[order[i]].flow.remote_port);
        assert_int_equal(status.state, STATE_ESTABLISHED);
    }
    assert_int_equal(stack_readiness(l), 0);
    assert_int_equal(stack_accept(l, NULL, host.now_ns, &so), ERR_AGAIN);
}

/* The IPv6 wildcard is for both families, but gives way to IPv4's own listener; with V6ONLY it is
 * for IPv6 alone (ipv6(7), RFC 3493 5.3). */
static void wildcards(void **state)
{
    (void)state;
    const struct ip_addr any4 = ip_addr_v4(0), any6 = IP_ADDR_ANY6;
    struct peer four = peer(1, 80), six = peer6(2, 80), more = peer(3, 80);
    struct sock *both, *l4;
    assert_int_equal(stack_listen(host.stack, &any6, 80, 4, &host, &both), ERR_NONE);
    host_handshake(HERE, &four);
    host_handshake(HERE, &six);
    expect_peer(host_accept(both), &four);
    expect_peer(host_accept(both), &six);
    stack_set_v6only(both);
    arrives(&more, .flags = SYN, .seq = 0);
    leaves(&more, .flags = RST | ACK, .seq = 0, .ack = 1, .wnd = 0);
    assert_int_equal(stack_listen(host.stack, &any4, 80, 4, &host, &l4), ERR_NONE);
    four = peer(4, 80);
    six = peer6(5, 80);
    host_handshake(HERE, &four);
    host_handshake(HERE, &six);
    expect_peer(host_accept(l4), &four);
    expect_peer(host_accept(both), &six);
}

/* With the accept queue full, handshakes are dropped, not reset; what was dropped comes again. */
static void backlog_full(void **state)
{
    (void)state;
    struct sock *l = host_listen(80, 2);
    struct peer a = peer(1, 80), b = peer(2, 80), c = peer(3, 80), d = peer(4, 80);
    arrives(&c, .flags = SYN, .seq = 0);
    leaves(&c, .flags = SYN | ACK, .seq = 0, .ack = 1);
    host_handshake(HERE, &a);
    host_handshake(HERE, &b);
    arrives(&d, .flags = SYN, .seq = 0); /* a new one */
    nothing_leaves();
    arrives(&c, .flags = ACK, .seq = 1, .ack = 1); /* one that would be completed now */
    nothing_leaves();
    arrives(&c, .flags = ACK, .seq = 1, .ack = 1, .text = 10);
    nothing_leaves();
    assert_int_equal(host_counters().listen_drops, 3);
    host_at(1000);
    leaves(&c, .flags = SYN | ACK, .seq = 0, .ack = 1); /* our SYN-ACK goes on asking */
    host_accept(l);
    arrives(&c, .flags = ACK, .seq = 1, .ack = 1);
    host_accept(l);
    struct sock *so = host_accept(l);
    struct tcp_status status;
    stack_status(so, &status);
    assert_int_equal(status.flow.remote_port, c.flow.remote_port);
    host_handshake(HERE, &d);
}

/* RST of a half-open connection gives its place back, also while the queue is full. */
static void rst_frees_half_open(void **state)
{
    (void)state;
    host_listen(80, 1);
    struct peer a = peer(1, 80), b = peer(2, 80);
    arrives(&b, .flags = SYN, .seq = 0);
    leaves(&b, .flags = SYN | ACK, .seq = 0, .ack = 1);
    host_handshake(HERE, &a);
    assert_int_equal(stack_sock_count(host.stack), 3);
    arrives(&b, .flags = RST, .seq = 1);
    nothing_leaves();
    assert_int_equal(stack_sock_count(host.stack), 2);
}

/* Half-open connections are limited: 128, or the backlog when that is more. Without SYN cookies the
 * oldest gives way to a new one (RFC 4987 3.4), and is not known any more; the others are served.
 */
static void half_open_limit(void **state)
{
    (void)state;
    host.config.tcp.syncookies = SYNCOOKIES_NEVER;
    host_start();
    struct sock *l = host_listen(80, 4);
    for (unsigned i = 0; i < 128; i++) {
        struct peer p = peer(i, 80);
        arrives(&p, .flags = SYN, .seq = 0);
        leaves(&p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    }
    struct peer late = peer(200, 80), first = peer(0, 80), second = peer(1, 80);
    arrives(&late, .flags = SYN, .seq = 0);
    leaves(&late, .flags = SYN | ACK, .seq = 0, .ack = 1);
    assert_int_equal(host_counters().listen_drops, 1);
    assert_int_equal(stack_sock_count(host.stack), 129);
    arrives(&first, .flags = ACK, .seq = 1, .ack = 1);
    leaves(&first, .flags = RST, .seq = 1);
    arrives(&second, .flags = SYN, .seq = 0);
    leaves(&second, .flags = SYN | ACK, .seq = 0, .ack = 1);
    arrives(&second, .flags = RST, .seq = 1);
    arrives(&first, .flags = SYN, .seq = 0); /* into the place of the second: nobody gives way */
    leaves(&first, .flags = SYN | ACK, .seq = 0, .ack = 1);
    assert_int_equal(host_counters().listen_drops, 1);
    arrives(&late, .flags = ACK, .seq = 1, .ack = 1);
    expect_event(l, SOCK_EV_COMPLETED);
    host_listen(81, 200);
    for (unsigned i = 0; i < 200; i++) {
        struct peer p = peer(i, 81);
        arrives(&p, .flags = SYN, .seq = 0);
        leaves(&p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    }
}

/* A half-open connection that gets no answer ends (MUST-23), and with it all that it held. */
static void half_open_times_out(void **state)
{
    (void)state;
    struct sock *l = host_listen(80, 4);
    struct peer a = peer(1, 80);
    arrives(&a, .flags = SYN, .seq = 0);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    for (unsigned i = 1; i <= 7; i++) {
        host_at(((1u << i) - 1) * 1000);
        leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    }
    host_at(180000);
    nothing_leaves();
    assert_int_equal(stack_sock_count(host.stack), 1);
    expect_no_event(); /* nobody has heard of it */
    host_handshake(HERE, &a);
    expect_event(l, SOCK_EV_COMPLETED);
}

/* MUST-57, MUST-63, LAND: addresses that can't be two ends of a connection. Silence, and no state.
 */
static void addresses(void **state)
{
    (void)state;
    host_listen(80, 4);
    const struct ip_addr bad[] = {ip_addr_v4(0xe0000001), ip_addr_v4(0xffffffff), ip_addr_v4(0)};
    for (unsigned i = 0; i < 3; i++) {
        struct peer from = peer(1, 80), to = peer(1, 80);
        from.flow.remote = bad[i];
        to.flow.local = bad[i];
        arrives(&from, .flags = SYN, .seq = 0);
        arrives(&to, .flags = SYN, .seq = 0);
        arrives(&from, .flags = ACK, .seq = 0, .ack = 1);
        arrives(&to, .flags = ACK, .seq = 0, .ack = 1);
    }
    struct peer land = peer(1, 80), port_0 = peer(1, 80);
    land.flow.remote = land.flow.local;
    land.flow.remote_port = 80;
    arrives(&land, .flags = SYN, .seq = 0);
    port_0.flow.remote_port = 0;
    arrives(&port_0, .flags = SYN, .seq = 0);
    nothing_leaves();
    assert_int_equal(stack_sock_count(host.stack), 1);
    struct peer same_port = peer(1, 80); /* is nothing bad */
    same_port.flow.remote_port = 80;
    host_handshake(HERE, &same_port);
}

/* As listen_calls: MUST-42 also for SYN-RECEIVED; MUST-41: the connections are as they were. */
static void listen_beside_connections(void **state)
{
    (void)state;
    struct peer sent = peer(1, 80), received = peer(2, 80);
    struct sock *so = host_connect(&sent), *crossed = host_connect(&received);
    leaves(&sent, .flags = SYN, .seq = 0);
    leaves(&received, .flags = SYN, .seq = 0);
    arrives(&received, .flags = SYN, .seq = 0, .mss = 1000);
    leaves(&received, .flags = SYN | ACK, .seq = 0, .ack = 1);
    struct sock *l = host_listen(80, 5);
    nothing_leaves();
    struct tcp_status status;
    stack_status(so, &status);
    assert_int_equal(status.state, STATE_SYN_SENT);
    stack_status(crossed, &status);
    assert_int_equal(status.state, STATE_SYN_RECEIVED);
    arrives(&sent, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
    leaves(&sent, .flags = ACK, .seq = 1, .ack = 1);
    expect_event(so, SOCK_EV_COMPLETED);
    arrives(&received, .flags = ACK, .seq = 1, .ack = 1);
    expect_event(crossed, SOCK_EV_COMPLETED);
    struct peer third = peer(3, 80);
    host_handshake(HERE, &third);
    expect_event(l, SOCK_EV_COMPLETED);
}

static struct sock *listen_at(struct ip_addr a, uint16_t port, int err)
{
    struct sock *so = NULL;
    assert_int_equal(stack_listen(host.stack, &a, port, 5, NULL, &so), err);
    return so;
}

/* 3.9.1.1, MUST-41: a passive OPEN makes a listener or fails; MUST-42: also beside connections with
 * the same local port. */
static void listen_calls(void **state)
{
    (void)state;
    struct peer p = peer(1, 80);
    host_connect(&p);
    leaves(&p, .flags = SYN, .seq = 0);
    struct sock *l = listen_at(ip_addr_v4(0), 80, ERR_NONE);
    listen_at(ip_addr_v4(0), 80, ERR_IN_USE);
    listen_at(IP_ADDR_ANY6, 80, ERR_NONE);
    listen_at(HOST_ADDR, 80, ERR_NONE);
    listen_at(ip_addr_v4(0), 0, ERR_INVAL);
    struct tcp_status status;
    stack_status(l, &status);
    assert_int_equal(status.state, STATE_LISTEN);
    assert_int_equal(status.flow.local_port, 80);
    struct sock *so;
    struct sock *c = host_connected(HERE, &(struct peer){.flow = peer(2, 0).flow, .wnd = 1000});
    assert_int_equal(stack_accept(c, NULL, host.now_ns, &so), ERR_INVAL);
    host_close(l);
    listen_at(ip_addr_v4(0), 80, ERR_NONE);
}

/* A listener that goes: those that nobody has accepted are reset. */
static void close_resets_the_unaccepted(void **state)
{
    (void)state;
    struct sock *l = host_listen(80, 4);
    struct peer a = peer(1, 80), b = peer(2, 80), c = peer(3, 80);
    host_handshake(HERE, &a);
    struct sock *so = host_accept(l);
    host_handshake(HERE, &b);
    arrives(&c, .flags = SYN, .seq = 0);
    leaves(&c, .flags = SYN | ACK, .seq = 0, .ack = 1);
    host_close(l);
    leaves(&c, .flags = RST | ACK, .seq = 1, .ack = 1);
    leaves(&b, .flags = RST | ACK, .seq = 1, .ack = 1);
    nothing_leaves();
    assert_int_equal(stack_sock_count(host.stack), 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 3); /* the accepted one goes on */
    assert_int_equal(host_recv(so, 0, 10), 3);
    host_batch();
    arrives(&c, .flags = SYN, .seq = 0);
    leaves(&c, .flags = RST | ACK, .seq = 0, .ack = 1);
}

/* What happens to a connection between handshake and accept is told after accept. */
static void events_wait_for_accept(void **state)
{
    (void)state;
    struct sock *l = host_listen(80, 4);
    struct peer a = peer(1, 80), b = peer(2, 80);
    arrives(&a, .flags = SYN, .seq = 0);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 5); /* completes, and brings text */
    expect_event(l, SOCK_EV_COMPLETED);
    expect_no_event();
    struct sock *so = host_accept(l);
    expect_event(so, SOCK_EV_ARRIVED);
    assert_int_equal(host_recv(so, 0, 9), 5);
    host_batch();
    host_handshake(HERE, &b);
    all_leaves();
    arrives(&b, .flags = RST, .seq = 1); /* ends before it is accepted */
    expect_event(l, SOCK_EV_COMPLETED);
    so = host_accept(l);
    expect_event(so, SOCK_EV_CLOSED);
    assert_int_equal(host_recv(so, 0, 9), ERR_RESET);
    host_close(so);
}

/* SYN and ACK of a listener without memory or room for sockets, and without SYN cookies: silence,
 * and the peer tries again. */
static void without_room(void **state)
{
    (void)state;
    host.config.tcp.syncookies = SYNCOOKIES_NEVER;
    host.config.max_socks = 2;
    host_start();
    struct sock *l = host_listen(80, 4), *so;
    struct peer a = peer(1, 80), b = peer(2, 80);
    test_mem_fail_at(&host.mem, 1);
    arrives(&a, .flags = SYN, .seq = 0);
    nothing_leaves();
    assert_int_equal(host_counters().no_memory, 1);
    test_mem_fail_at(&host.mem, 0);
    host_handshake(HERE, &a);
    arrives(&b, .flags = SYN, .seq = 0);
    nothing_leaves();
    assert_int_equal(host_counters().no_memory, 2);
    struct flow f = peer(3, 0).flow;
    assert_int_equal(stack_connect(host.stack, &f, 0, NULL, host.now_ns, &so), ERR_NOMEM);
    struct ip_addr any = ip_addr_v4(0);
    assert_int_equal(stack_listen(host.stack, &any, 81, 1, NULL, &so), ERR_NOMEM);
    host_abort(host_accept(l));
    leaves(&a, .flags = RST | ACK, .seq = 1, .ack = 1);
    host_handshake(HERE, &b);
}

/* 3.6.1, MAY-2: TIME-WAIT gives way to a SYN that is accepted. One that finds the queue full leaves
 * it as it is: the peer's FIN again gets its ACK, and the next SYN an ISS beyond. */
static void time_wait_stays_when_the_queue_is_full(void **state)
{
    (void)state;
    struct sock *l = host_listen(80, 1);
    struct peer a = peer(1, 80), b = peer(2, 80);
    host_to_time_wait(HERE, &a, l);
    uint32_t old_iss = a.iss;
    host_handshake(HERE, &b);
    arrives(&a, .flags = SYN, .seq = 100);
    nothing_leaves();
    assert_int_equal(host_counters().listen_drops, 1);
    assert_int_equal(stack_sock_count(host.stack), 3);
    arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = 2);
    leaves(&a, .flags = ACK, .seq = 2, .ack = 2);
    host_accept(l);
    a.irs += 100;
    arrives(&a, .flags = SYN, .seq = 0);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    assert_true((int32_t)(a.iss - (old_iss + 2)) > 0);
    assert_int_equal(stack_sock_count(host.stack), 3);
}

/* At max_socks the first in the queue of those in TIME-WAIT that nobody holds gives way to a new
 * connection, of either kind; the others and what users hold stay. */
static void time_wait_gives_way(void **state)
{
    (void)state;
    host.config.tcp.syncookies = SYNCOOKIES_NEVER;
    host.config.max_socks = 5;
    host_start();
    struct sock *l = host_listen(80, 5);
    struct peer held = peer(1, 80), first = peer(2, 80), second = peer(3, 80), third = peer(4, 80);
    host_handshake(HERE, &held);
    struct sock *so = host_accept(l), *none;
    assert_int_equal(host_shutdown_send(so), ERR_NONE);
    leaves(&held, .flags = FIN | ACK, .seq = 1, .ack = 1);
    arrives(&held, .flags = FIN | ACK, .seq = 1, .ack = 2);
    leaves(&held, .flags = ACK, .seq = 2, .ack = 2);
    host_to_time_wait(HERE, &first, l);
    host_to_time_wait(HERE, &second, l);
    host_to_time_wait(HERE, &third, l);
    assert_int_equal(stack_sock_count(host.stack), 5);

    struct peer b = peer(5, 80), c = peer(6, 0), d = peer(7, 80), e = peer(8, 80);
    host_handshake(HERE, &b);
    arrives(&first, .flags = FIN | ACK, .seq = 1, .ack = 2); /* not known any more */
    leaves(&first, .flags = RST, .seq = 2);
    arrives(&second, .flags = FIN | ACK, .seq = 1, .ack = 2);
    leaves(&second, .flags = ACK, .seq = 2, .ack = 2); /* and begins its 2 MSL anew */
    host_connect(&c);
    leaves(&c, .flags = SYN, .seq = 0);
    arrives(&third, .flags = FIN | ACK, .seq = 1, .ack = 2);
    leaves(&third, .flags = RST, .seq = 2);
    arrives(&second, .flags = FIN | ACK, .seq = 1, .ack = 2);
    leaves(&second, .flags = ACK, .seq = 2, .ack = 2);
    host_handshake(HERE, &d);
    arrives(&e, .flags = SYN, .seq = 0); /* no TIME-WAIT is left but the one that is held */
    nothing_leaves();
    assert_int_equal(host_counters().no_memory, 1);
    struct flow f = peer(9, 0).flow;
    assert_int_equal(stack_connect(host.stack, &f, 0, NULL, host.now_ns, &none), ERR_NOMEM);
    assert_int_equal(stack_sock_count(host.stack), 5);
    arrives(&held, .flags = FIN | ACK, .seq = 1, .ack = 2);
    leaves(&held, .flags = ACK, .seq = 2, .ack = 2);
    assert_int_equal(host_recv(so, 0, 1), 0);
}

/* And to a new listener. */
static void time_wait_gives_way_to_a_listener(void **state)
{
    (void)state;
    host.config.max_socks = 3;
    host_start();
    struct sock *l = host_listen(80, 5), *none;
    struct peer first = peer(1, 80), second = peer(2, 80);
    host_to_time_wait(HERE, &first, l);
    host_to_time_wait(HERE, &second, l);
    const struct ip_addr any = ip_addr_v4(0);
    assert_int_equal(stack_listen(host.stack, &any, 80, 1, NULL, &none), ERR_IN_USE);
    assert_int_equal(stack_sock_count(host.stack), 3);
    host_listen(81, 5);
    arrives(&first, .flags = FIN | ACK, .seq = 1, .ack = 2); /* not known any more */
    leaves(&first, .flags = RST, .seq = 2);
    arrives(&second, .flags = FIN | ACK, .seq = 1, .ack = 2);
    leaves(&second, .flags = ACK, .seq = 2, .ack = 2);
    assert_int_equal(stack_sock_count(host.stack), 3);
}

/* MAY-2: without memory for anything new as well, as the old connection's is used. */
static void time_wait_gives_its_memory(void **state)
{
    (void)state;
    host.config.max_socks = 3;
    host_start();
    struct sock *l = host_listen(80, 5);
    struct peer a = peer(1, 80), b = peer(2, 80), c = peer(3, 80);
    host_to_time_wait(HERE, &a, l);
    host_to_time_wait(HERE, &b, l);
    test_mem_fail_at(&host.mem, 1);
    a.irs += 100;
    arrives(&a, .flags = SYN, .seq = 0);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    arrives(&c, .flags = SYN, .seq = 0); /* in the place of b, the oldest */
    leaves(&c, .flags = SYN | ACK, .seq = 0, .ack = 1);
    test_mem_fail_at(&host.mem, 0);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
    expect_event(l, SOCK_EV_COMPLETED);
    assert_int_equal(host_counters().no_memory, 0);
    assert_int_equal(stack_sock_count(host.stack), 3);
    arrives(&b, .flags = FIN | ACK, .seq = 1, .ack = 2);
    leaves(&b, .flags = RST, .seq = 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(accept_order),
        host_test_ipv4(wildcards),
        host_test(backlog_full),
        host_test(rst_frees_half_open),
        host_test(half_open_limit),
        host_test(half_open_times_out),
        host_test_ipv4(addresses),
        host_test(listen_beside_connections),
        host_test(listen_calls),
        host_test(close_resets_the_unaccepted),
        host_test(events_wait_for_accept),
        host_test(without_room),
        host_test(time_wait_stays_when_the_queue_is_full),
        host_test(time_wait_gives_way),
        host_test_ipv4(time_wait_gives_way_to_a_listener),
        host_test(time_wait_gives_its_memory),
    };
    return host_main(tests);
}
