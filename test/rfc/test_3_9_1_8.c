/* RFC 9293 3.9.1.8: asynchronous reports. A socket's user is not called: what is reported makes its
 * next call fail, once, and wakes it up before (poll, SOCK_FAILED). */
#include "router.h"

/* The user wants reports, or no more. */
static void report(struct sock *so, bool on)
{
    const struct tcp_ip ip = {.ttl = 64, .report = on};
    host_step(HERE);
    host_set(so, ip4, ip);
    host_set(so, ip6, ip);
}

static bool failed(const struct sock *so)
{
    return stack_readiness(so) & SOCK_FAILED;
}

/* Connected, with ten octets in flight. */
static struct sock *in_flight(struct peer *a)
{
    struct sock *so = host_connected(HERE, a);
    host_sends(so, 0, 10);
    leaves(a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    return so;
}

/* MUST-47, U-1: an ICMP error that has arrived, of either family. The connection goes on. */
static void icmp(void **state)
{
    (void)state;
    for (unsigned six = 0; six < 2; six++) {
        struct peer a = six ? peer6(1, 0) : peer(1, 0);
        struct sock *so = in_flight(&a);
        report(so, true);
        hears(&a, .type = six ? 1 : 3, .code = 0, .seq = 1); /* no route */
        expect_event(so, SOCK_EV_TROUBLE);
        assert_true(failed(so));
        assert_int_equal(host_recv(so, 0, 1), ERR_NETUNREACH);
        assert_false(failed(so));
        assert_int_equal(host_recv(so, 0, 1), ERR_AGAIN);
        assert_int_equal(stack_state(so), STATE_ESTABLISHED);
        hears(&a, .type = six ? 1 : 3, .code = six ? 3 : 1, .seq = 1);
        assert_int_equal(host_send(so, 10, 1), ERR_HOSTUNREACH);
        arrives(&a, .flags = ACK, .seq = 1, .ack = 11);
        host_sends(so, 10, 1);
        leaves(&a, .flags = PSH | ACK, .seq = 11, .ack = 1, .text = 1);
        host_take_events();
    }
}

/* But not those that are to be suppressed: source quench, and what is path MTU discovery's. */
static void not_each_message(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a);
    report(so, true);
    hears(&a, .type = 4, .code = 0, .seq = 1);
    hears(&a, .kind = ICMP_TOO_BIG, .seq = 1, .mtu = 600);
    (void)all_leaves();
    expect_no_event();
    assert_false(failed(so));
}

/* U-1: excessive retransmissions, when R1 is reached (SHLD-9). */
static void r1(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a);
    report(so, true);
    uint32_t ms = 0;
    for (unsigned i = 1; i <= 5; i++) {
        ms += 200u << (i - 1);
        host_at(ms);
        leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
        assert_int_equal(failed(so), i == 3);
        assert_int_equal(host_recv(so, 0, 1), i == 3 ? ERR_TIMEDOUT : ERR_AGAIN);
    }
    assert_int_equal(stack_state(so), STATE_ESTABLISHED);
}

/* The same for a SYN. */
static void r1_of_a_syn(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connect(&a);
    leaves(&a, .flags = SYN, .seq = 0);
    report(so, true);
    for (unsigned i = 1; i <= 4; i++) {
        host_at(((1u << i) - 1) * 1000);
        leaves(&a, .flags = SYN, .seq = 0);
        assert_int_equal(stack_take_error(so), i == 3 ? ERR_TIMEDOUT : ERR_NONE);
    }
    assert_int_equal(stack_state(so), STATE_SYN_SENT);
}

/* U-1: the urgent pointer has advanced. (What else: test_3_8_5.c.) */
static void urgent_pointer(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    arrives(&a, .flags = ACK | URG, .seq = 1, .ack = 1, .text = 5, .up = 5);
    expect_event(so, SOCK_EV_ARRIVED | SOCK_EV_URGENT);
    assert_int_equal(stack_readiness(so) & SOCK_URGENT, SOCK_URGENT);
    arrives(&a, .flags = ACK | URG, .seq = 6, .ack = 1, .text = 5, .up = 5);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 11);
    expect_event(so, SOCK_EV_ARRIVED | SOCK_EV_URGENT);
}

/* SHLD-20: who does not want reports gets none, and that is the default; the connection is the
 * same.
 */
static void disabled(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct peer a = peer(1 + i, 0);
        struct sock *so = in_flight(&a);
        if (i == 1) {
            report(so, true);
            report(so, false);
        }
        hears(&a, .type = 3, .code = 0, .seq = 1);
        assert_false(failed(so));
        assert_int_equal(host_recv(so, 0, 1), ERR_AGAIN);
        for (unsigned n = 0; n < 4; n++) {
            host_later(200 << n);
            leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
        }
        assert_int_equal(stack_take_error(so), ERR_NONE);
        host_sends(so, 10, 1);
        arrives(&a, .flags = ACK, .seq = 1, .ack = 11);
        leaves(&a, .flags = PSH | ACK, .seq = 11, .ack = 1, .text = 1);
        host_abort(so);
        (void)all_leaves();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test_ipv4(icmp),   host_test_ipv4(not_each_message), host_test(r1),
        host_test(r1_of_a_syn), host_test(urgent_pointer),        host_test(disabled),
    };
    return host_main(tests);
}
