/* RFC 9293 3.9.2.1: source routes of IPv4. (IPv6 has none any more: RFC 5095.) hosts.h reads a
 * packet as its ultimate destination gets it, whose address is in TCP's checksum. */
#include "hosts.h"

#define R1   ip_addr_v4(0x0a0000fb)
#define R2   ip_addr_v4(0x0a0000fc)
#define R3   ip_addr_v4(0x0a0000fd)
#define PEER ip_addr_v4(0x0a000101) /* peer(1) */

#define LOOSE(n_passed, ...) ROUTE(LOOSE_SOURCE_ROUTE, (n_passed), __VA_ARGS__)
#define NO_OPTIONS           ((struct ip_options){0})

static void set_route(struct sock *so, struct ip_options route)
{
    assert_int_equal(stack_set_options(so, &route, host.now_ns), ERR_NONE);
}

/* The user's active OPEN, up to the SYN, by way of R1. */
static struct sock *open_by_r1(struct peer *a)
{
    struct sock *so = host_connect(a);
    set_route(so, LOOSE(0, R1));
    host_batch();
    leaves(a, .flags = SYN, .seq = 0);
    went_to(R1, LOOSE(0, PEER));
    return so;
}

/* MUST-51: who opens a connection can give a route, which all its segments then have: first the
 * router, with the peer as the last. */
static void given_by_the_user(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = open_by_r1(&a);
    host_at(1000);
    leaves(&a, .flags = SYN, .seq = 0);
    went_to(R1, LOOSE(0, PEER));
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    went_to(R1, LOOSE(0, PEER));
    host_sends(so, 0, 10);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    went_to(R1, LOOSE(0, PEER));
    arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = 11);
    leaves(&a, .flags = ACK, .seq = 11, .ack = 2);
    went_to(R1, LOOSE(0, PEER));
    host_abort(so);
    leaves(&a, .flags = RST | ACK, .seq = 11, .ack = 2);
    went_to(R1, LOOSE(0, PEER));
}

/* Of several routers, loose or strict, in the order in which the user has named them. */
static void of_several_routers(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connect(&a);
    set_route(so, ROUTE(STRICT_SOURCE_ROUTE, 0, R1, R2, R3));
    host_batch();
    leaves(&a, .flags = SYN, .seq = 0);
    went_to(R1, ROUTE(STRICT_SOURCE_ROUTE, 0, R2, R3, PEER));
    set_route(so, LOOSE(0, R3, R1));
    host_at(1000);
    leaves(&a, .flags = SYN, .seq = 0);
    went_to(R3, LOOSE(0, R1, PEER));
}

/* MUST-52: it wins over a route that arrives. Who has given none has chosen that, too. */
static void users_wins(void **state)
{
    (void)state;
    host.config.accept_source_route = true;
    host_start();
    struct peer a = peer(1, 0), b = peer(1, 1234);
    open_by_r1(&a);
    host.arriving = LOOSE(2, R2, R3);
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    went_to(R1, LOOSE(0, PEER));
    host.arriving = NO_OPTIONS;
    host_take_events();
    b.flow.local_port = 0;
    b.flow.remote_port++;
    host_connect(&b);
    leaves(&b, .flags = SYN, .seq = 0);
    host.arriving = LOOSE(2, R2, R3);
    arrives(&b, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
    leaves(&b, .flags = ACK, .seq = 1, .ack = 1);
    went_to(PEER, NO_OPTIONS);
}

static struct sock *listener_that_accepts(void)
{
    host.config.accept_source_route = true;
    host_start();
    return host_listen(80, 5);
}

/* MUST-53: a passive OPEN whose SYN has a completed route answers by it, backwards, on all segments
 * of the connection, whether the peer's later ones have it or not. */
static void way_back(void **state)
{
    (void)state;
    struct sock *l = listener_that_accepts();
    struct peer a = peer(1, 80);
    const struct ip_options back = LOOSE(0, R1, PEER);
    host.arriving = LOOSE(2, R1, R2);
    arrives(&a, .flags = SYN, .seq = 0, .mss = 1000);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    went_to(R2, back);
    host.arriving = NO_OPTIONS;
    host_at(1000);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    went_to(R2, back);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
    struct sock *so = host_accept(l);
    host_sends(so, 0, 5);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 5);
    went_to(R2, back);
    host_close(so);
    leaves(&a, .flags = FIN | ACK, .seq = 6, .ack = 1);
    went_to(R2, back);
    arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = 7);
    leaves(&a, .flags = ACK, .seq = 7, .ack = 2);
    went_to(R2, back);
}

/* One that is not completed is not for this host to turn round. */
static void not_completed(void **state)
{
    (void)state;
    listener_that_accepts();
    for (unsigned n = 0; n < 2; n++) {
        struct peer a = peer(1, 80);
        a.flow.remote_port = (uint16_t)(a.flow.remote_port + n);
        host.arriving = LOOSE(n, R1, HOST_ADDR);
        arrives(&a, .flags = SYN, .seq = 0, .mss = 1000);
        host.arriving = NO_OPTIONS;
        (void)all_leaves();
        went_to(PEER, NO_OPTIONS);
    }
}

/* SHLD-24: the route of a later segment overrides it; but not that of one that is not acceptable,
 * which anybody may have sent. */
static void later_route(void **state)
{
    (void)state;
    struct sock *l = listener_that_accepts();
    struct peer a = peer(1, 80);
    host.arriving = LOOSE(1, R1);
    host_handshake(HERE, &a);
    host_accept(l);
    went_to(R1, LOOSE(0, PEER));
    host.arriving = LOOSE(1, R2);
    arrives(&a, .flags = ACK, .seq = 20001, .ack = 1, .text = 1);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    went_to(R1, LOOSE(0, PEER));
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1);
    host_later(40);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 2);
    went_to(R2, LOOSE(0, PEER));
    host.arriving = NO_OPTIONS;
    arrives(&a, .flags = ACK, .seq = 2, .ack = 1, .text = 1);
    host_later(40);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 3);
    went_to(R2, LOOSE(0, PEER)); /* no route is no other route */
}

/* Unless the stack is told to, it takes no route from the network (lib/README.md). */
static void not_by_default(void **state)
{
    (void)state;
    host_listen(80, 5);
    struct peer a = peer(1, 80);
    host.arriving = LOOSE(1, R1);
    host_handshake(HERE, &a);
    went_to(PEER, NO_OPTIONS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test_ipv4(given_by_the_user), host_test_ipv4(of_several_routers),
        host_test_ipv4(users_wins),        host_test_ipv4(way_back),
        host_test_ipv4(not_completed),     host_test_ipv4(later_route),
        host_test_ipv4(not_by_default),
    };
    return host_main(tests);
}
