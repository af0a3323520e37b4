/* RFC 9293 3.9.1.1: OPEN. */
#include "hosts.h"

static struct sock *listen_at(struct ip_addr addr, uint16_t port, int err)
{
    struct sock *so = NULL;
    assert_int_equal(stack_listen(host.stack, &addr, port, 5, NULL, &so), err);
    return so;
}

/* A passive OPEN waits for any call; an active one begins at once. */
static void passive_and_active(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), b = peer(2, 80), c = peer(3, 80);
    struct sock *l = host_listen(80, 5);
    nothing_leaves();
    host_connect(&a);
    leaves(&a, .flags = SYN, .seq = 0);
    host_handshake(HERE, &b);
    host_handshake(HERE, &c);
    expect_event(l, SOCK_EV_COMPLETED);
    expect_peer(host_accept(l), &b);
    expect_peer(host_accept(l), &c);
}

/* MUST-41: a passive OPEN makes a new record in LISTEN or fails, and touches no other. */
static void existing_connections_are_left_alone(void **state)
{
    (void)state;
    struct peer a = peer(1, 80);
    struct sock *l = host_listen(80, 5);
    host_handshake(HERE, &a);
    struct sock *so = host_accept(l);
    host_take_events();
    listen_at(ip_addr_v4(0), 80, ERR_IN_USE);
    struct sock *other = listen_at(HOST_ADDR, 80, ERR_NONE);
    assert_int_equal(stack_state(other), STATE_LISTEN);
    nothing_leaves();
    expect_no_event();
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 10);
    host_receives(so, 0, 10);
    host_later(40);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 11);
    host_close(l);
    listen_at(ip_addr_v4(0), 80, ERR_NONE);
}

/* MUST-42: LISTEN on a port beside connections with that port in SYN-SENT and SYN-RECEIVED. */
static void beside_connections_being_opened(void **state)
{
    (void)state;
    struct peer a = peer(1, 80), b = peer(2, 80), c = peer(3, 80);
    struct sock *sent = host_reach(&a, STATE_SYN_SENT),
                *received = host_reach(&b, STATE_SYN_RECEIVED);
    struct sock *l = host_listen(80, 5);
    host_handshake(HERE, &c);
    expect_event(l, SOCK_EV_COMPLETED);
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    arrives(&b, .flags = ACK, .seq = 1, .ack = 1);
    assert_int_equal(stack_state(sent), STATE_ESTABLISHED);
    assert_int_equal(stack_state(received), STATE_ESTABLISHED);
}

/* A connection that is there already can't be opened again. */
static void twice(void **state)
{
    (void)state;
    struct peer a = peer(1, 4000);
    struct sock *so = NULL;
    host_reach(&a, STATE_ESTABLISHED);
    assert_int_equal(stack_connect(host.stack, &a.flow, 0, NULL, host.now_ns, &so), ERR_IN_USE);
    nothing_leaves();
}

/* The timeout: data that is not delivered within it aborts the connection; five minutes unless the
 * user says another (3.8.3, MUST-21). */
static void timeout(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), b = peer(2, 80);
    struct sock *so = host_connect(&a), *l = host_listen(80, 5);
    host_set(so, user_timeout_ms, 700);
    host_set(l, user_timeout_ms, 700); /* for those that it accepts */
    leaves(&a, .flags = SYN, .seq = 0);
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    host_handshake(HERE, &b);
    struct sock *accepted = host_accept(l);
    host_sends(so, 0, 1);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1);
    host_sends(accepted, 0, 1);
    leaves(&b, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1);
    host_at(200);
    assert_int_equal(all_leaves(), 2);
    host_at(600);
    assert_int_equal(all_leaves(), 2);
    host_at(699);
    assert_int_equal(stack_state(so), STATE_ESTABLISHED);
    host_at(700);
    assert_int_equal(stack_error(so), ERR_TIMEDOUT);
    assert_int_equal(stack_error(accepted), ERR_TIMEDOUT);
}

/* MUST-43: the user may name the local address; MUST-45: it is that of every segment. */
static void local_address(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    a.flow.local = ip_addr_v4(0x0a000063);
    struct sock *so = host_connected(HERE, &a);
    host_sends(so, 0, 10);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10); /* the flow is compared */
    host_at(200);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = 11);
    leaves(&a, .flags = ACK, .seq = 11, .ack = 2);
    host_close(so);
    leaves(&a, .flags = FIN | ACK, .seq = 11, .ack = 2);
}

/* A passive OPEN with a local address takes what comes to it, and nothing else; without one it
 * takes all, and each connection stays at the address that was called (MUST-45). */
static void local_address_of_a_passive_open(void **state)
{
    (void)state;
    struct peer a = peer(1, 80), b = peer(2, 80), c = peer(3, 81);
    b.flow.local = c.flow.local = ip_addr_v4(0x0a000063);
    listen_at(HOST_ADDR, 80, ERR_NONE);
    host_handshake(HERE, &a);
    arrives(&b, .flags = SYN, .seq = 0);
    leaves(&b, .flags = RST | ACK, .seq = 0, .ack = 1);
    struct sock *any = host_listen(81, 5);
    host_handshake(HERE, &c);
    struct sock *so = host_accept(any);
    expect_peer(so, &c);
    host_sends(so, 0, 10);
    leaves(&c, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
}

/* MUST-46: an OPEN to an address that no single host has is an error, and nothing is sent. */
static void invalid_remote_address(void **state)
{
    (void)state;
    const struct ip_addr bad4[] = {ip_addr_v4(0), ip_addr_v4(0xffffffff), ip_addr_v4(0xe0000001),
                                   ip_addr_v4(0xefffffff)};
    const struct ip_addr bad6[] = {IP_ADDR_ANY6, {{0xff, 2, [15] = 1}}, {{0xff, 0x0e, [15] = 1}}};
    struct sock *so = NULL;
    for (unsigned i = 0; i < 7; i++) {
        struct flow f = i < 4 ? peer(1, 0).flow : peer6(1, 0).flow;
        f.remote = i < 4 ? bad4[i] : bad6[i - 4];
        assert_int_equal(stack_connect(host.stack, &f, 0, NULL, host.now_ns, &so), ERR_ADDRESS);
    }
    struct flow f = peer(1, 0).flow;
    f.remote_port = 0; /* "remote socket unspecified" (3.10.1) */
    assert_int_equal(stack_connect(host.stack, &f, 0, NULL, host.now_ns, &so), ERR_ADDRESS);
    nothing_leaves();
    assert_int_equal(stack_sock_count(host.stack), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(passive_and_active),
        host_test_ipv4(existing_connections_are_left_alone),
        host_test(beside_connections_being_opened),
        host_test(twice),
        host_test(timeout),
        host_test_ipv4(local_address),
        host_test_ipv4(local_address_of_a_passive_open),
        host_test(invalid_remote_address),
    };
    return host_main(tests);
}
