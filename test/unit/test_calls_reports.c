/* calls.c, tcb.c: trouble is told while the connection goes on, to who wants to be told. RFC 9293
 * 3.9.1.8, 3.8.3, 3.9.2.2; IP_RECVERR in ip(7). */
#include "hosts.h"
#include "sock.h"
#include "unreach.h"

/* IP_RECVERR of IPv4, of IPv6. */
static void report(struct sock *so, bool v4, bool v6)
{
    const struct tcp_ip ip4 = {.ttl = 64, .report = v4}, ip6 = {.ttl = 64, .report = v6};
    host_set(so, ip4, ip4);
    host_set(so, ip6, ip6);
}

/* ICMP speaks about a segment of this connection. */
static void hears(struct sock *so, int err)
{
    host_step(HERE);
    tcp_unreachable(&as_conn(so)->tcb, err, false, host.now_ns);
    conn_settle(as_conn(so), host.now_ns);
}

/* Connected, and an octet is in flight. */
static struct sock *in_flight(struct peer *p, bool reported)
{
    struct sock *so = host_connected(HERE, p);
    report(so, reported, false);
    assert_int_equal(host_send(so, 0, 1), 1);
    leaves(p, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1);
    return so;
}

static bool failed(const struct sock *so)
{
    return stack_readiness(so) & SOCK_FAILED;
}

/* SHLD-20: nobody is told who has not asked, or has asked for the other family only. */
static void off_by_default(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct peer a = peer(1 + v6, 0);
        struct sock *so = in_flight(&a, false);
        report(so, false, v6);
        hears(so, ERR_HOSTUNREACH);
        expect_event(so, SOCK_EV_TROUBLE);
        assert_false(failed(so));
        assert_int_equal(host_recv(so, 0, 1), ERR_AGAIN);
        assert_int_equal(host_send(so, 1, 1), 1);
        assert_int_equal(stack_take_error(so), ERR_NONE);
        all_leaves();
        host_abort(so);
        all_leaves();
    }
}

/* MUST-47, SHLD-25: once, by whichever call is first; and the connection goes on. */
static void told_once(void **state)
{
    (void)state;
    for (unsigned by = 0; by < 3; by++) {
        struct peer a = peer(1 + by, 0);
        struct sock *so = in_flight(&a, true);
        hears(so, ERR_NETUNREACH);
        hears(so, ERR_HOSTUNREACH); /* the last one counts */
        expect_event(so, SOCK_EV_TROUBLE);
        assert_int_equal(stack_readiness(so), SOCK_WRITABLE | SOCK_FAILED);
        if (by == 0)
            assert_int_equal(host_send(so, 1, 1), ERR_HOSTUNREACH);
        if (by == 1)
            assert_int_equal(host_recv(so, 0, 1), ERR_HOSTUNREACH);
        if (by == 2)
            assert_int_equal(stack_take_error(so), ERR_HOSTUNREACH);
        assert_int_equal(stack_readiness(so), SOCK_WRITABLE);
        assert_int_equal(stack_take_error(so), ERR_NONE);
        assert_int_equal(host_recv(so, 0, 1), ERR_AGAIN);
        assert_int_equal(stack_error(so), ERR_NONE); /* it has not ended */
        arrives(&a, .flags = ACK, .seq = 1, .ack = 2, .text = 1);
        assert_int_equal(host_recv(so, 0, 1), 1);
        assert_int_equal(host_send(so, 1, 1), 1);
        leaves(&a, .flags = PSH | ACK, .seq = 2, .ack = 2, .text = 1);
        host_abort(so);
        all_leaves();
    }
}

/* As in Linux: what has arrived comes first, and so does the end of the stream. */
static void after_what_can_be_read(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a, true);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 5);
    hears(so, ERR_HOSTUNREACH);
    assert_int_equal(host_recv(so, 0, 2), 2);
    assert_int_equal(host_recv(so, 2, 9), 3);
    assert_int_equal(host_recv(so, 5, 1), ERR_HOSTUNREACH);
    assert_int_equal(host_recv(so, 5, 1), ERR_AGAIN);
    arrives(&a, .flags = FIN | ACK, .seq = 6, .ack = 1);
    leaves(&a, .flags = ACK, .seq = 2, .ack = 7);
    hears(so, ERR_HOSTUNREACH);
    assert_int_equal(host_recv(so, 5, 1), 0);
    assert_true(failed(so));
    assert_int_equal(host_send(so, 1, 1), ERR_HOSTUNREACH);
    assert_int_equal(host_send(so, 1, 1), 1);
    all_leaves();
}

/* SHLD-9: R1, at the third retransmission; anew when there was progress in between. */
static void r1(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a, true);
    for (uint32_t n = 1; n < 5; n += 2) {
        for (unsigned i = 0; i < 4; i++) {
            assert_false(failed(so));
            host_later(200 << i);
            leaves(&a, .flags = PSH | ACK, .seq = n, .ack = 1, .text = 1);
            assert_int_equal(stack_take_error(so), i == 2 ? ERR_TIMEDOUT : ERR_NONE);
        }
        assert_int_equal(stack_state(so), STATE_ESTABLISHED);
        for (uint32_t i = n; i <= n + 1;
             i++) { /* the first gives a sample, which ends the backoff */
            arrives(&a, .flags = ACK, .seq = 1, .ack = i + 1);
            assert_int_equal(host_send(so, i, 1), 1);
            leaves(&a, .flags = PSH | ACK, .seq = i + 1, .ack = 1, .text = 1);
        }
    }
    assert_int_equal(stack_error(so), ERR_NONE);
}

/* R1 has the reason, if ICMP gave one. */
static void r1_with_a_reason(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a, true);
    hears(so, ERR_NETUNREACH);
    assert_int_equal(stack_take_error(so), ERR_NETUNREACH);
    for (unsigned i = 0; i < 3; i++) {
        host_later(200 << i);
        leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1);
    }
    assert_int_equal(stack_take_error(so), ERR_NETUNREACH);
}

/* For a SYN too (MUST-22). It is no end (MUST-56); once the connection is open it does not matter
 * any more, and if it fails the reason for that is what counts. */
static void connecting(void **state)
{
    (void)state;
    for (unsigned refused = 0; refused < 2; refused++) {
        struct peer a = peer(1 + refused, 0);
        struct sock *so = host_connect(&a);
        host_batch();
        report(so, true, false);
        leaves(&a, .flags = SYN, .seq = 0);
        hears(so, ERR_HOSTUNREACH);
        assert_int_equal(stack_readiness(so), SOCK_FAILED);
        assert_int_equal(stack_take_error(so), ERR_HOSTUNREACH);
        assert_int_equal(stack_readiness(so), 0);
        hears(so, ERR_HOSTUNREACH);
        if (refused)
            arrives(&a, .flags = RST | ACK, .seq = 0, .ack = 1);
        else
            arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
        all_leaves();
        assert_int_equal(stack_take_error(so), refused ? ERR_REFUSED : ERR_NONE);
        assert_int_equal(stack_take_error(so), ERR_NONE);
    }
}

/* An accepted connection is as its listener, and tells when it is accepted. */
static void accepted(void **state)
{
    (void)state;
    struct sock *l = host_listen(80, 5);
    struct peer a = peer(1, 80);
    report(l, true, false);
    host_handshake(HERE, &a);
    struct sock *so = host_accept(l);
    assert_false(failed(so));
    assert_int_equal(host_send(so, 0, 1), 1);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1);
    hears(so, ERR_PROTOCOL);
    assert_int_equal(host_recv(so, 0, 1), ERR_PROTOCOL);
    assert_int_equal(stack_take_error(l), ERR_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test_ipv4(off_by_default),
        host_test_ipv4(told_once),
        host_test_ipv4(after_what_can_be_read),
        host_test_ipv4(r1),
        host_test_ipv4(r1_with_a_reason),
        host_test_ipv4(connecting),
        host_test_ipv4(accepted),
    };
    return host_main(tests);
}
