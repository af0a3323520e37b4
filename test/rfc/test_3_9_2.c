/* RFC 9293 3.9.2: the lower level. Diffserv and TTL as the user sets them are in test_3_9_1_9.c. */
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
        OPTIONS(UNKNOWN_OPTION(7, 11)),  /* Record Route: MAY-11 is not taken up */
        OPTIONS(UNKNOWN_OPTION(68, 12)), /* Timestamp: MAY-10 neither */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(both_versions),
        host_test(ip_options_are_ignored),
        host_test(ttl_and_diffserv_of_the_peer),
    };
    return host_main(tests);
}
