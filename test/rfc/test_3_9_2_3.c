/* RFC 9293 3.9.2.3: source address validation, which is for all segments, not for SYNs only.
 * Addresses that only who knows the networks can tell, directed broadcasts and those of the
 * loopback device, do not get as far as here: link/ throws them away (test_filter.c,
 * link_packet_rx.c). */
#include "hosts.h"

static const struct ip_addr bad4[] = {
    {{[10] = 0xff, 0xff, 224, 0, 0, 1}},       /* multicast */
    {{[10] = 0xff, 0xff, 239, 255, 255, 255}}, /* the last of it */
    {{[10] = 0xff, 0xff, 255, 255, 255, 255}}, /* broadcast */
    {{[10] = 0xff, 0xff, 0, 0, 0, 0}},         /* nobody */
};
static const struct ip_addr bad6[] = {
    {{0xff, 2, [15] = 1}}, /* multicast */
    {{0xff, 0x0e, [15] = 1}},
    {{0}}, /* nobody */
};

#define N_BAD (sizeof bad4 / sizeof *bad4 + sizeof bad6 / sizeof *bad6)

static struct peer bad_peer(unsigned i, uint16_t port, bool from)
{
    bool six = i >= sizeof bad4 / sizeof *bad4;
    struct peer p = six ? peer6(1, port) : peer(1, port);
    const struct ip_addr *bad = six ? &bad6[i - sizeof bad4 / sizeof *bad4] : &bad4[i];
    *(from ? &p.flow.remote : &p.flow.local) = *bad;
    return p;
}

/* MUST-63: a SYN whose source is no single host is ignored: no answer, no connection. */
static void syn_from_nowhere(void **state)
{
    (void)state;
    struct sock *l = NULL;
    assert_int_equal(stack_listen(host.stack, &IP_ADDR_ANY6, 80, 5, NULL, &l), ERR_NONE);
    for (unsigned i = 0; i < N_BAD; i++) {
        struct peer p = bad_peer(i, 80, true);
        arrives(&p, .flags = SYN, .seq = 0);
        nothing_leaves();
    }
    assert_int_equal(stack_sock_count(host.stack), 1);
}

/* MUST-57: a SYN to a broadcast or multicast address is discarded without a word. */
static void syn_to_many(void **state)
{
    (void)state;
    struct sock *l = NULL;
    assert_int_equal(stack_listen(host.stack, &IP_ADDR_ANY6, 80, 5, NULL, &l), ERR_NONE);
    for (unsigned i = 0; i < N_BAD; i++) {
        struct peer p = bad_peer(i, 80, false);
        arrives(&p, .flags = SYN, .seq = 0);
        nothing_leaves();
    }
    assert_int_equal(stack_sock_count(host.stack), 1);
}

/* The same for all other segments, whether there is a listener or not: no RST goes to many hosts,
 * or speaks for them. */
static void other_segments(void **state)
{
    (void)state;
    struct sock *l = NULL;
    assert_int_equal(stack_listen(host.stack, &IP_ADDR_ANY6, 80, 5, NULL, &l), ERR_NONE);
    for (unsigned i = 0; i < 4 * N_BAD; i++) {
        struct peer p = bad_peer(i / 4, i & 1 ? 80 : 9, i & 2);
        for (unsigned flags = 0; flags < 64; flags++)
            arrives(&p, .flags = flags, .seq = flags == (RST | ACK) ? p.irs : 0, .ack = 1);
        nothing_leaves();
    }
    assert_int_equal(stack_sock_count(host.stack), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test_ipv4(syn_from_nowhere),
        host_test_ipv4(syn_to_many),
        host_test_ipv4(other_segments),
    };
    return host_main(tests);
}
