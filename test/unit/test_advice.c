/* advice.c: what is told to IP when R1 is reached. RFC 9293 3.8.3 (b), RFC 1122 3.3.1.4. */
#include "hosts.h"
#include "sock.h"

/* The next advice is about this address. */
static void advice_about(const struct ip_addr *hop)
{
    struct ip_addr is;
    assert_true(stack_next_advice(host.stack, &is));
    assert_true(ip_addr_eq(&is, hop));
}

static void no_advice(void)
{
    struct ip_addr is;
    assert_false(stack_next_advice(host.stack, &is));
}

/* MUST-20: at R1 and with every retransmission after it, not before; and again after progress. */
static void text(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    for (uint32_t n = 1; n < 5; n += 2) {
        assert_int_equal(host_send(so, n - 1, 1), 1);
        leaves(&a, .flags = PSH | ACK, .seq = n, .ack = 1, .text = 1);
        for (unsigned i = 1; i <= 6; i++) {
            no_advice();
            host_later(100 << i);
            if (i >= 3)
                advice_about(&a.flow.remote); /* before the retransmission leaves */
            leaves(&a, .flags = PSH | ACK, .seq = n, .ack = 1, .text = 1);
        }
        arrives(&a, .flags = ACK, .seq = 1, .ack = n + 1);
        assert_int_equal(host_send(so, n, 1), 1); /* a sample ends the backoff */
        leaves(&a, .flags = PSH | ACK, .seq = n + 1, .ack = 1, .text = 1);
        arrives(&a, .flags = ACK, .seq = 1, .ack = n + 2);
    }
    no_advice();
}

/* For a SYN as well (MUST-22). */
static void syn(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    host_connect(&a);
    leaves(&a, .flags = SYN, .seq = 0);
    for (unsigned i = 0; i < 5; i++) {
        no_advice();
        host_later(1000 << i);
        if (i >= 2)
            advice_about(&a.flow.remote);
        leaves(&a, .flags = SYN, .seq = 0);
    }
}

/* But not for a SYN-ACK: whoever sends SYNs from addresses that do not answer would make us doubt.
 */
static void syn_ack(void **state)
{
    (void)state;
    struct peer a = peer(1, 80);
    host_listen(80, 5);
    arrives(&a, .flags = SYN, .seq = 0, .mss = 1000);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    for (unsigned i = 0; i < 6; i++) {
        host_later(1000 << i);
        leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    }
    no_advice();
}

/* A window that is shut and probed is no sign of that: the peer answers. */
static void probes(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = ZERO);
    assert_int_equal(host_send(so, 0, 1), 1);
    for (unsigned i = 0; i < 6; i++) {
        host_later(200 << i);
        leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1);
        arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = ZERO);
    }
    no_advice();
}

/* It is the first hop of a source route that may be dead, as far as IP can tell. */
static void first_hop(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct ip_options o;
    const struct ip_addr router = ip_addr_v4(0x0a0000fe);
    assert_true(ip_options_read(&o, (const uint8_t[]){131, 7, 4, 10, 0, 0, 254}, 7));
    struct sock *so = host_connected(HERE, &a);
    assert_int_equal(stack_set_options(so, &o, host.now_ns), ERR_NONE);
    assert_int_equal(host_send(so, 0, 1), 1);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1);
    for (unsigned i = 0; i < 3; i++) {
        host_later(200 << i);
        leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1);
    }
    advice_about(&router);
    no_advice();
}

/* However many connections there are, and to however many hosts; nobody may be asking. */
static void bounded(void **state)
{
    (void)state;
    enum { N = 3 * STACK_ADVICE };
    struct ip_addr seen[N], hop;
    for (unsigned i = 0; i < 2 * N; i++) { /* two to each */
        struct peer a = peer(1 + i / 2, 0);
        a.flow.remote_port = (uint16_t)(80 + i % 2);
        struct sock *so;
        assert_int_equal(stack_connect(host.stack, &a.flow, 0, NULL, host.now_ns, &so), ERR_NONE);
    }
    for (unsigned i = 0; i < 4; i++) {
        all_leaves();
        host.now_ns += (uint64_t)NS_PER_S << i;
        stack_tick(host.stack, host.now_ns);
        assert_null(stack_check(host.stack));
    }
    all_leaves();
    unsigned n = 0;
    for (; stack_next_advice(host.stack, &hop); n++) {
        assert_true(n < N);
        seen[n] = hop;
        for (unsigned i = 0; i < n; i++)
            assert_false(ip_addr_eq(&seen[i], &hop));
    }
    assert_int_equal(n, STACK_ADVICE);
    host.now_ns += NS_PER_S << 4; /* what was lost is said again */
    stack_tick(host.stack, host.now_ns);
    assert_true(stack_next_advice(host.stack, &hop));
    all_leaves();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(text),           host_test(syn),     host_test(syn_ack), host_test(probes),
        host_test_ipv4(first_hop), host_test(bounded),
    };
    return host_main(tests);
}
