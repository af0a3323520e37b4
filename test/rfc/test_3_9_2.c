/* RFC 9293 3.9.2: the lower level. Diffserv as the user sets it is in test_3_9_1_9.c. */
#include "hosts.h"

/* IP has to provide the addresses, the protocol and a length; both versions do. */
static void both_versions(void **state)
{
    (void)state;
    for (unsigned six = 0; six < 2; six++) {
        struct peer a = six ? peer6(1, 0) : peer(1, 0);
        host_take_events();
        struct sock *so = host_connected(HERE, &a);
        host_sends(so, 0, 5);
        struct headers h = headers_leave();
        assert_int_equal(h.version, six ? 6 : 4);
        assert_memory_equal(&h.flow, &a.flow, sizeof h.flow);
        assert_int_equal(h.total_len, (six ? 40 : 20) + 20 + 5);
        arrives(&a, .flags = ACK, .seq = 1, .ack = 6, .text = 7);
        host_receives(so, 0, 7);
        host_later(40);
        leaves(&a, .flags = ACK, .seq = 6, .ack = 8);
    }
}

/* MUST-50: options of an IPv4 header that TCP does not understand are ignored: none, one or many of
 * them, and what is no option at all. */
static void ip_options_are_ignored(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    const struct option *lists[] = {
        OPTIONS(NO_OPERATION),
        OPTIONS(UNKNOWN_OPTION(7, 11)),  /* Record Route: it is the user who gives ours */
        OPTIONS(UNKNOWN_OPTION(68, 12)), /* Timestamp: the same */
        OPTIONS(UNKNOWN_OPTION(148, 4)), /* Router Alert */
        OPTIONS(UNKNOWN_OPTION(222, 40)),
        OPTIONS(NO_OPERATION, UNKNOWN_OPTION(30, 3), END_OF_OPTION_LIST),
        OPTIONS(FALSE_OPTION(7, 0, 4)),
    };
    for (unsigned i = 0; i < sizeof lists / sizeof *lists; i++) {
        with(.ip_options = lists[i]);
        arrives(&a, .flags = ACK, .seq = 1 + 5 * i, .ack = 1, .text = 5);
        host_receives(so, 5 * i, 5);
        host_later(40);
        struct headers h = headers_leave();
        assert_int_equal(h.ack, a.irs + 6 + 5 * i);
        assert_int_equal(h.total_len, 40); /* and none goes back */
    }
}

/* A TTL and a Diffserv field of the peer's are its own business. */
static void ttl_and_diffserv_of_the_peer(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    for (uint32_t i = 0; i < 4; i++) {
        with(.ttl = (uint8_t)(i * 80 + 1), .tos = (uint8_t)(i * 85));
        arrives(&a, .flags = ACK, .seq = 1 + i, .ack = 1, .text = 1);
        if (i % 2 == 1)
            leaves(&a, .flags = ACK, .seq = 1, .ack = 2 + i); /* ours: hosts.h compares */
        host_receives(so, i, 1);
    }
}

/* MUST-49: the TTL can be set, at any time, for a connection and for those of a listener; IPv6's
 * Hop Limit too. Until then it is 64. */
static void ttl(void **state)
{
    (void)state;
    for (unsigned six = 0; six < 2; six++) {
        struct peer a = six ? peer6(1, 0) : peer(1, 0);
        host.ttl = 64;
        struct sock *so = host_connect(&a);
        leaves(&a, .flags = SYN, .seq = 0);
        six ? host_set_ip6(so, 0, 1) : host_set_ip(so, 0, 1);
        arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
        leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
        six ? host_set_ip6(so, 0, 255) : host_set_ip(so, 0, 255);
        host_sends(so, 0, 1);
        leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1);
        host_abort(so);
        leaves(&a, .flags = RST | ACK, .seq = 2, .ack = 1);
    }
    struct peer b = peer(1, 80);
    host_set_ip(host_listen(80, 5), 0, 17);
    host_handshake(HERE, &b);
}

/* MAY-11: Record Route, with our own address in every packet, as the first. */
static void record_route(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    const struct ip_addr none = ip_addr_v4(0);
    const struct ip_options empty = ROUTE(RECORD_ROUTE, 0, none, none, none);
    assert_int_equal(stack_set_options(so, &empty, host.now_ns), ERR_NONE);
    for (uint32_t i = 0; i < 2; i++) {
        host_sends(so, i, 1);
        leaves(&a, .flags = PSH | ACK, .seq = 1 + i, .ack = 1, .text = 1);
        went_to(a.flow.remote, ROUTE(RECORD_ROUTE, 1, HOST_ADDR, none, none));
        arrives(&a, .flags = ACK, .seq = 1, .ack = 2 + i);
    }
}

/* MAY-10: Timestamp, with the time at which each packet leaves, marked as no standard time. */
static void internet_timestamp(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    const struct ip_options empty = headers_timestamp(3, NULL);
    assert_int_equal(stack_set_options(so, &empty, host.now_ns), ERR_NONE);
    for (uint32_t i = 0; i < 2; i++) {
        host_later(1000);
        uint32_t ms = (uint32_t)(host.now_ns / NS_PER_MS) | 0x80000000;
        host_sends(so, i, 1);
        leaves(&a, .flags = PSH | ACK, .seq = 1 + i, .ack = 1, .text = 1);
        went_to(a.flow.remote, headers_timestamp(3, &ms));
        arrives(&a, .flags = ACK, .seq = 1, .ack = 2 + i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test_ipv4(both_versions),
        host_test_ipv4(ip_options_are_ignored),
        host_test(ttl_and_diffserv_of_the_peer),
        host_test(ttl),
        host_test_ipv4(record_route),
        host_test_ipv4(internet_timestamp),
    };
    return host_main(tests);
}
