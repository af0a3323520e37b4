/* RFC 6056: ephemeral ports that are hard to guess. Which ports may be chosen is in guard/. */
#include "hosts.h"

#define PORTS 64 /* that hosts.c's stacks have, in one block */

/* The port that a connection there gets; it is gone again at once. */
static uint16_t port_to(struct flow flow)
{
    struct peer a = {.flow = flow, .wnd = 1000};
    struct sock *so = host_connect(&a);
    leaves(&a, .flags = SYN, .seq = 0);
    host_abort(so);
    nothing_leaves();
    return a.flow.local_port;
}

/* 3.3: who sees the ports that we use with him can't tell which ones we use with another: the
 * sequence is another for each remote address, remote port and local address. */
static void obfuscated(void **state)
{
    (void)state;
    for (unsigned what = 0; what < 3; what++) {
        unsigned next = 0;
        uint16_t last = 0;
        for (unsigned i = 0; i < 128; i++) {
            struct flow f = peer(1, 0).flow;
            if (what == 0)
                f.remote = peer(1 + i, 0).flow.remote;
            else if (what == 1)
                f.remote_port = (uint16_t)(80 + i);
            else
                f.local = ip_addr_v4(0x0a000001 + i);
            uint16_t port = port_to(f);
            next += port == last + 1;
            last = port;
        }
        assert_true(next < 16); /* two by chance */
    }
}

/* 3.3.3: and it can't be computed from outside: every bit of the secret counts. */
static void secret(void **state)
{
    (void)state;
    const struct siphash_key was = host.config.secret;
    unsigned n[PORTS] = {0}, most = 0;
    for (unsigned bit = 0; bit < 128; bit++) {
        uint64_t *half = bit < 64 ? &host.config.secret.k0 : &host.config.secret.k1;
        *half ^= UINT64_C(1) << bit % 64;
        host_start();
        unsigned at = port_to(peer(1, 0).flow) - 61000u;
        assert_in_range(at, 0, PORTS - 1);
        n[at]++;
        most = n[at] > most ? n[at] : most;
        host.config.secret = was;
    }
    assert_true(most < 16); /* two by chance */
}

/* 5: not by algorithm 1, which favours some ports when there are gaps between those that may be
 * used; to one destination each has its turn before any comes again, though all are free (2.3). */
static void each_in_turn(void **state)
{
    (void)state;
    assert_int_equal(stack_add_ports(host.stack, 7000, 1), ERR_NONE); /* behind a gap */
    uint8_t seen[PORTS + 1] = {0};
    for (unsigned i = 0; i < 2 * (PORTS + 1); i++) {
        uint16_t port = port_to(peer(1, 0).flow);
        unsigned at = port == 7000 ? PORTS : port - 61000u;
        assert_in_range(at, 0, PORTS);
        assert_int_equal(seen[at]++, i / (PORTS + 1));
    }
}

/* 3.1: not a port in LISTEN, on our address or a wildcard of either family; not even when there is
 * no other. One that listens on another address of ours is free. */
static void not_in_listen(void **state)
{
    (void)state;
    const struct ip_addr addrs[] = {HOST_ADDR, ip_addr_v4(0), IP_ADDR_ANY6};
    const struct ip_addr other = ip_addr_v4(0x0a0000aa);
    struct sock *so;
    for (unsigned i = 0; i < PORTS - 1; i++) {
        uint16_t port = (uint16_t)(61000 + i);
        assert_int_equal(stack_listen(host.stack, &addrs[i % 3], port, 1, NULL, &so), ERR_NONE);
    }
    uint16_t last = 61000 + PORTS - 1;
    assert_int_equal(stack_listen(host.stack, &other, last, 1, NULL, &so), ERR_NONE);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(port_to(peer(1 + i, 0).flow), last);
    assert_int_equal(stack_listen(host.stack, &addrs[1], last, 1, NULL, &so), ERR_NONE);
    const struct flow flow = peer(1, 0).flow;
    assert_int_equal(stack_connect(host.stack, &flow, 0, NULL, host.now_ns, &so), ERR_NO_PORT);
}

/* 3.1: not a port that a socket is bound to, of which no connection is known yet; not even when
 * there is no other. */
static void not_bound(void **state)
{
    (void)state;
    struct sock *so;
    for (unsigned i = 0; i < PORTS; i++)
        stack_set_bound(host.stack, (uint16_t)(61000 + i), i != 5);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(port_to(peer(1 + i, 0).flow), 61005);
    stack_set_bound(host.stack, 61005, true);
    const struct flow flow = peer(4, 0).flow;
    assert_int_equal(stack_connect(host.stack, &flow, 0, NULL, host.now_ns, &so), ERR_NO_PORT);
    stack_set_bound(host.stack, 61007, false);
    assert_int_equal(port_to(flow), 61007);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test_ipv4(obfuscated),    host_test(secret),    host_test(each_in_turn),
        host_test_ipv4(not_in_listen), host_test(not_bound),
    };
    return host_main(tests);
}
