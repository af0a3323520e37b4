/* calls.c: the user calls on sockets (RFC 9293 3.10.1-6, 3.9.1) and readiness. */
#include "hosts.h"

/* ---- OPEN ---- */

static int connect_to(struct ip_addr local, struct ip_addr remote, uint16_t port)
{
    struct sock *so = NULL;
    struct flow f = {local, remote, 0, port};
    return stack_connect(host.stack, &f, 0, NULL, host.now_ns, &so);
}

/* MUST-46: addresses one cannot connect to, and from. Nothing is left of the attempt. */
static void connect_addresses(void **state)
{
    (void)state;
    struct ip_addr far = ip_addr_v4(0x0a000002), v6 = {{0x20, 1, [15] = 1}},
                   multicast6 = {{0xff, 2, [15] = 1}};
    const struct ip_addr bad[] = {ip_addr_v4(0), ip_addr_v4(0xffffffff), ip_addr_v4(0xe0000001)};
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(connect_to(HOST_ADDR, bad[i], 80), ERR_ADDRESS);
        assert_int_equal(connect_to(bad[i], far, 80), ERR_ADDRESS);
    }
    assert_int_equal(connect_to(HOST_ADDR, far, 0), ERR_ADDRESS);
    assert_int_equal(connect_to(HOST_ADDR, v6, 80), ERR_ADDRESS);
    assert_int_equal(connect_to(v6, far, 80), ERR_ADDRESS);
    assert_int_equal(connect_to(v6, multicast6, 80), ERR_ADDRESS);
    assert_int_equal(connect_to(v6, IP_ADDR_ANY6, 80), ERR_ADDRESS);
    assert_int_equal(stack_sock_count(host.stack), 0);
    assert_int_equal(connect_to(v6, v6, 80), ERR_NONE);
    assert_int_equal(all_leaves(), 1);
}

/* The MTU of the path, or else the link's, decides the MSS. */
static void connect_mtu(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so;
    assert_int_equal(stack_connect(host.stack, &a.flow, 640, NULL, host.now_ns, &so), ERR_NONE);
    struct tcp_status status;
    stack_status(so, &status);
    a.flow = status.flow;
    leaves(&a, .flags = SYN, .seq = 0, .mss = 600);
    a = peer(2, 0);
    host_connect(&a);
    leaves(&a, .flags = SYN, .seq = 0, .mss = HOST_MSS);
}

/* MUST-43: from the address that the user names; MUST-45: to the end, and what comes to another of
 * our addresses is not for it. */
static void connect_from_a_chosen_address(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), other = a;
    a.flow.local = ip_addr_v4(0x0a000063);
    struct sock *so = host_connected(HERE, &a);
    struct tcp_status status;
    stack_status(so, &status);
    assert_true(ip_addr_eq(&status.flow.local, &a.flow.local));
    other.flow.local_port = a.flow.local_port;
    assert_false(ip_addr_eq(&other.flow.local, &a.flow.local));
    arrives(&other, .flags = ACK, .seq = 1, .ack = 1, .text = 5);
    leaves(&other, .flags = RST, .seq = 1);
    assert_int_equal(host_send(so, 0, 10), 10);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    host_later(200);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 11);
    host_close(so);
    leaves(&a, .flags = FIN | ACK, .seq = 11, .ack = 1);
}

static void connect_refused(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connect(&a);
    leaves(&a, .flags = SYN, .seq = 0);
    assert_int_equal(stack_readiness(so), 0);
    assert_int_equal(host_send(so, 0, 1), ERR_AGAIN);
    assert_int_equal(host_shutdown_send(so), ERR_NOT_CONNECTED);
    assert_int_equal(host_shutdown_recv(so), ERR_NOT_CONNECTED);
    arrives(&a, .flags = RST | ACK, .seq = 0, .ack = 1);
    expect_event(so, SOCK_EV_CLOSED);
    assert_int_equal(stack_error(so), ERR_REFUSED);
    assert_int_equal(stack_readiness(so),
                     SOCK_READABLE | SOCK_WRITABLE | SOCK_PEER_DONE | SOCK_DEAD | SOCK_FAILED);
    assert_int_equal(host_send(so, 0, 1), ERR_REFUSED); /* once */
    assert_int_equal(host_send(so, 0, 1), ERR_PIPE);
    assert_int_equal(host_recv(so, 0, 1), 0);
    assert_int_equal(stack_error(so), ERR_REFUSED);
    host_close(so);
    assert_int_equal(stack_sock_count(host.stack), 0);
}

/* ---- SEND, RECEIVE, STATUS ---- */

static void transfer(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    assert_int_equal(stack_readiness(so), SOCK_WRITABLE);
    assert_int_equal(host_recv(so, 0, 10), ERR_AGAIN);
    assert_int_equal(host_send(so, 0, 0), 0);
    assert_int_equal(host_send(so, 0, 1500), 1500);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    leaves(&a, .flags = PSH | ACK, .seq = 1001, .ack = 1, .text = 500);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1501, .text = 100);
    expect_event(so, SOCK_EV_ACKED | SOCK_EV_ARRIVED);
    assert_int_equal(stack_readiness(so), SOCK_WRITABLE | SOCK_READABLE);
    uint8_t peeked[100];
    assert_int_equal(stack_recv(so, peeked, 100, true, host.now_ns), 100);
    assert_int_equal(host_recv(so, 0, 60), 60);
    host_batch();
    assert_int_equal(host_recv(so, 60, 60), 40);
    assert_int_equal(stack_readiness(so), SOCK_WRITABLE);
    struct tcp_status status;
    stack_status(so, &status);
    assert_int_equal(status.state, STATE_ESTABLISHED);
    assert_int_equal(status.unread, 0);
    assert_memory_equal(&status.flow, &a.flow, sizeof a.flow);
    host_later(40);
    leaves(&a, .flags = ACK, .seq = 1501, .ack = 101);
    assert_true(stack_sock_id(so) != 0);
}

/* 3.8.5, MUST-32, MUST-33: the user hears of urgent data, can ask how much is left, and finds its
 * end; RFC 6093 6: in line. */
static void urgent(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connect(&a);
    leaves(&a, .flags = SYN, .seq = 0);
    assert_int_equal(host_send_urgent(so, 0, 1), ERR_AGAIN);
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .wnd = 10000, .mss = 1000);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    expect_event(so, SOCK_EV_COMPLETED);
    assert_int_equal(host_send_urgent(so, 0, 1), 1);
    leaves(&a, .flags = PSH | ACK | URG, .seq = 1, .ack = 1, .text = 1, .up = 1);
    arrives(&a, .flags = ACK | URG, .seq = 1, .ack = 2, .text = 10, .up = 20);
    expect_event(so, SOCK_EV_ACKED | SOCK_EV_ARRIVED | SOCK_EV_URGENT);
    assert_int_equal(stack_readiness(so), SOCK_WRITABLE | SOCK_READABLE);
    assert_int_equal(stack_urgent(so), 20);
    assert_int_equal(stack_unread(so), 10);
    arrives(&a, .flags = ACK | URG, .seq = 11, .ack = 2, .text = 20, .up = 10);
    leaves(&a, .flags = ACK, .seq = 2, .ack = 31);
    assert_int_equal(stack_readiness(so), SOCK_WRITABLE | SOCK_READABLE | SOCK_URGENT);
    assert_int_equal(stack_unread(so), 19);
    assert_int_equal(host_recv(so, 0, 100), 19);
    assert_int_equal(stack_urgent(so), 1);
    assert_int_equal(stack_unread(so), 11);
    assert_int_equal(host_recv(so, 19, 100), 11);
    assert_int_equal(stack_urgent(so), 0);
    assert_int_equal(stack_readiness(so), SOCK_WRITABLE);
}

/* The last octet out of band, as sockets have it. */
static void urgent_out_of_band(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    uint8_t octet = 0;
    host_set(so, oobinline, false);
    assert_int_equal(stack_recv_urgent(so, &octet, false), ERR_INVAL);
    arrives(&a, .flags = ACK | URG, .seq = 1, .ack = 1, .up = 1);
    assert_int_equal(stack_recv_urgent(so, &octet, false), ERR_AGAIN);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1);
    assert_int_equal(stack_readiness(so), SOCK_WRITABLE | SOCK_URGENT);
    assert_int_equal(stack_recv_urgent(so, &octet, true), 1);
    assert_int_equal(stack_recv_urgent(so, &octet, false), 1);
    assert_int_equal(octet, stream_octet(true, 0));
    assert_int_equal(stack_recv_urgent(so, &octet, false), ERR_INVAL);
    assert_int_equal(stack_readiness(so), SOCK_WRITABLE);
    arrives(&a, .flags = RST, .seq = 2);
    expect_event(so, SOCK_EV_ARRIVED | SOCK_EV_URGENT | SOCK_EV_CLOSED);
    assert_int_equal(host_recv(so, 0, 0), 0);
    assert_int_equal(host_recv(so, 0, 100), ERR_RESET); /* the octet is passed over, unread */
    assert_int_equal(host_recv(so, 0, 100), 0);
}

/* To pass over the octet out of band makes room as well: the window opens at once. */
static void urgent_passed_over(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    host.config.tcp.rcvbuf = host.config.tcp.rcvbuf_max = 1000;
    host_start();
    struct sock *so = host_connected(HERE, &a);
    host_set(so, oobinline, false);
    arrives(&a, .flags = ACK | URG, .seq = 1, .ack = 1, .text = 500, .up = 500);
    assert_int_equal(host_recv(so, 0, 1000), 499);
    assert_int_equal(host_recv(so, 499, 1000), ERR_AGAIN);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 501, .wnd = 1000);
}

/* SO_SNDBUF, and readiness for writing. */
static void send_buffer(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    a.wnd = ZERO;
    struct sock *so = host_connected(HERE, &a);
    host_set(so, sndbuf, 700);
    assert_int_equal(host_send(so, 0, 1000), 700);
    assert_int_equal(host_send(so, 700, 1), ERR_AGAIN);
    assert_int_equal(stack_readiness(so), 0);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = 10000);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 700);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 701);
    expect_event(so, SOCK_EV_ACKED);
    assert_int_equal(stack_readiness(so), SOCK_WRITABLE);
}

static void no_memory_for_text(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    test_mem_fail_at(&host.mem, 1);
    assert_int_equal(host_send(so, 0, 10), ERR_NOMEM);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 10);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    assert_int_equal(host_counters().no_memory, 1);
    test_mem_fail_at(&host.mem, 0);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 10);
    assert_int_equal(host_counters().no_memory, 1);
    assert_int_equal(host_send(so, 0, 10), 10);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 11, .text = 10);
}

/* MUST-17: what Nagle keeps back goes when it is turned off. */
static void nodelay(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    assert_int_equal(host_send(so, 0, 10), 10);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    assert_int_equal(host_send(so, 10, 10), 10);
    nothing_leaves();
    host_set_nodelay(so, true);
    leaves(&a, .flags = PSH | ACK, .seq = 11, .ack = 1, .text = 10);
    assert_int_equal(host_send(so, 20, 10), 10);
    leaves(&a, .flags = PSH | ACK, .seq = 21, .ack = 1, .text = 10);
    host_set_nodelay(so, false);
    assert_int_equal(host_send(so, 30, 10), 10);
    nothing_leaves();
}

/* ---- CLOSE ---- */

/* MUST-12: closed in order: RECEIVE answers 0. */
static void closed_by_peer(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = 1, .text = 5);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 7);
    expect_event(so, SOCK_EV_ARRIVED);
    assert_int_equal(stack_readiness(so), SOCK_READABLE | SOCK_WRITABLE | SOCK_PEER_DONE);
    assert_int_equal(host_recv(so, 0, 10), 5);
    assert_int_equal(host_recv(so, 5, 10), 0);
    assert_int_equal(host_shutdown_send(so), ERR_NONE);
    leaves(&a, .flags = FIN | ACK, .seq = 1, .ack = 7);
    assert_int_equal(host_shutdown_send(so), ERR_PIPE);
    assert_int_equal(host_send(so, 0, 1), ERR_PIPE);
    arrives(&a, .flags = ACK, .seq = 7, .ack = 2);
    expect_event(so, SOCK_EV_CLOSED);
    assert_int_equal(stack_error(so), ERR_NONE);
    assert_int_equal(stack_readiness(so) & (SOCK_DEAD | SOCK_FAILED), SOCK_DEAD);
    assert_int_equal(host_recv(so, 5, 10), 0);
    host_close(so);
    assert_int_equal(stack_sock_count(host.stack), 0);
}

/* MUST-12: aborted: what had arrived, then the error once, then 0. */
static void reset_by_peer(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 5);
    arrives(&a, .flags = RST, .seq = 6);
    expect_event(so, SOCK_EV_ARRIVED | SOCK_EV_CLOSED);
    assert_int_equal(stack_error(so), ERR_RESET);
    assert_int_equal(host_recv(so, 0, 10), 5);
    assert_int_equal(host_recv(so, 5, 10), ERR_RESET);
    assert_int_equal(host_recv(so, 5, 10), 0);
    assert_int_equal(host_send(so, 0, 1), ERR_PIPE);
    host_close(so);
    nothing_leaves();
}

/* 3.6.1: half-closed, both ways. */
static void shutdown_send(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    assert_int_equal(host_shutdown_send(so), ERR_NONE);
    leaves(&a, .flags = FIN | ACK, .seq = 1, .ack = 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 2, .text = 900);
    assert_int_equal(host_recv(so, 0, 1000), 900);
    host_batch();
    host_later(40);
    leaves(&a, .flags = ACK, .seq = 2, .ack = 901);
    arrives(&a, .flags = FIN | ACK, .seq = 901, .ack = 2);
    leaves(&a, .flags = ACK, .seq = 2, .ack = 902);
    assert_int_equal(host_recv(so, 900, 1), 0);
    assert_int_equal(stack_readiness(so) & SOCK_DEAD, SOCK_DEAD);
}

static void shutdown_recv(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 900);
    expect_event(so, SOCK_EV_ARRIVED);
    assert_int_equal(host_shutdown_recv(so), ERR_NONE);
    expect_event(so, SOCK_EV_ARRIVED); /* wakes who waits */
    assert_int_equal(host_recv(so, 0, 10), 0);
    assert_int_equal(stack_readiness(so), SOCK_READABLE | SOCK_WRITABLE);
    host_batch();
    arrives(&a, .flags = ACK, .seq = 901, .ack = 1, .text = 900);
    all_leaves();
    assert_int_equal(host_send(so, 0, 10), 10);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1801, .text = 10);
    host_close(so); /* in order: nothing is unread */
    leaves(&a, .flags = FIN | ACK, .seq = 11, .ack = 1801);
}

/* SHLD-3 */
static void close_with_unread_text(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1);
    host_close(so);
    leaves(&a, .flags = RST | ACK, .seq = 1, .ack = 2);
    assert_int_equal(stack_sock_count(host.stack), 1);
    nothing_leaves();
    assert_int_equal(stack_sock_count(host.stack), 0);
}

static void text_after_close(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    assert_int_equal(host_send(so, 0, 10), 10);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    host_close(so);
    leaves(&a, .flags = FIN | ACK, .seq = 11, .ack = 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 12);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 12, .text = 1);
    leaves(&a, .flags = RST, .seq = 12);
    nothing_leaves();
    assert_int_equal(stack_sock_count(host.stack), 0);
    expect_no_event();
}

/* 3.10.5 */
static void aborted(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), b = peer(2, 0);
    struct sock *sa = host_connected(HERE, &a), *sb = host_connect(&b);
    leaves(&b, .flags = SYN, .seq = 0);
    host_abort(sa);
    leaves(&a, .flags = RST | ACK, .seq = 1, .ack = 1);
    host_abort(sb); /* SYN-SENT: none */
    nothing_leaves();
    assert_int_equal(stack_sock_count(host.stack), 0);
}

/* ---- Calls that make no sense ---- */

static void calls_on_a_listener(void **state)
{
    (void)state;
    struct sock *l = host_listen(80, 5);
    struct tcp_status status;
    uint8_t octet = 0;
    assert_int_equal(stack_send(l, &octet, 1, host.now_ns), ERR_NOT_CONNECTED);
    assert_int_equal(stack_recv(l, &octet, 1, false, host.now_ns), ERR_NOT_CONNECTED);
    assert_int_equal(stack_send_urgent(l, &octet, 1, host.now_ns), ERR_NOT_CONNECTED);
    assert_int_equal(stack_recv_urgent(l, &octet, false), ERR_NOT_CONNECTED);
    assert_int_equal(stack_urgent(l), 0);
    assert_int_equal(host_shutdown_send(l), ERR_NOT_CONNECTED);
    assert_int_equal(host_shutdown_recv(l), ERR_NOT_CONNECTED);
    assert_int_equal(stack_error(l), ERR_NONE);
    host_set_nodelay(l, true);
    host_set(l, sndbuf, 1);
    stack_status(l, &status);
    assert_int_equal(status.state, STATE_LISTEN);
    host_abort(l);
    assert_int_equal(stack_sock_count(host.stack), 0);
}

/* The MTU comes from a route, which may say anything. MUST-16, MUST-67: the MSS stays between what
 * the IP version's least MTU and its length field allow (RFC 791 3.2, RFC 8200 5). */
static void connect_mtu_that_no_packet_has(void **state)
{
    (void)state;
    const struct {
        uint32_t mtu;
        int mss, mss6;
    } cases[] = {
        {1, 28, 1220},
        {30, 28, 1220},
        {40, 28, 1220},
        {61, 28, 1220},
        {68, 28, 1220},
        {69, 29, 1220},
        {1281, 1241, 1221},
        {65535, 65495, 65475},
        {65576, 65495, 65475},
        {70000, 65495, 65475},
        {UINT32_MAX, 65495, 65475},
    };
    for (unsigned i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
        struct peer a = peer(i, 0);
        if (i % 2) {
            a.flow.local = (struct ip_addr){{0x20, 1, [15] = 1}};
            a.flow.remote = (struct ip_addr){{0x20, 1, [15] = 2}};
        }
        struct sock *so;
        uint32_t mtu = cases[i / 2].mtu;
        assert_int_equal(stack_connect(host.stack, &a.flow, mtu, NULL, host.now_ns, &so), ERR_NONE);
        struct tcp_status status;
        stack_status(so, &status);
        a.flow = status.flow;
        leaves(&a, .flags = SYN, .mss = i % 2 ? cases[i / 2].mss6 : cases[i / 2].mss);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test_ipv4(connect_addresses),
        host_test_ipv4(connect_mtu),
        host_test_ipv4(connect_from_a_chosen_address),
        host_test(connect_refused),
        host_test(transfer),
        host_test(urgent),
        host_test(urgent_out_of_band),
        host_test(urgent_passed_over),
        host_test(send_buffer),
        host_test(no_memory_for_text),
        host_test(nodelay),
        host_test(closed_by_peer),
        host_test(reset_by_peer),
        host_test(shutdown_send),
        host_test(shutdown_recv),
        host_test(close_with_unread_text),
        host_test(text_after_close),
        host_test(aborted),
        host_test(calls_on_a_listener),
        host_test_ipv4(connect_mtu_that_no_packet_has),
    };
    return host_main(tests);
}
