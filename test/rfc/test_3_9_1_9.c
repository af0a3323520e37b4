/* RFC 9293 3.9.1.9: the Differentiated Services field. (MAY-9 is not taken up: the peer's is not
 * shown to the user.) */
#include "hosts.h"

/* MUST-48, SHLD-22: what the user has set is on every segment of the connection, unchanged. */
static void on_every_segment(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connect(&a);
    host_batch();
    host_set_ip(so, 46 << 2, 64);
    leaves(&a, .flags = SYN, .seq = 0);
    host_at(1000);
    leaves(&a, .flags = SYN, .seq = 0);
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    host_sends(so, 0, 10);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 5);
    host_later(40);
    leaves(&a, .flags = ACK, .seq = 11, .ack = 6);
    host_later(host_status(so).rto_ns / NS_PER_MS - 40);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 6, .text = 10);
    assert_int_equal(host_shutdown_send(so), ERR_NONE);
    leaves(&a, .flags = FIN | ACK, .seq = 11, .ack = 6);
    host_abort(so);
    leaves(&a, .flags = RST | ACK, .seq = 12, .ack = 6);
}

/* SHLD-21: it can be changed at any time, to any codepoint; SHLD-22: which goes as it is. */
static void changed(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    for (uint32_t dscp = 0; dscp < 64; dscp++) {
        host_set_ip(so, (uint8_t)(dscp << 2), 64);
        host_sends(so, dscp, 1);
        leaves(&a, .flags = PSH | ACK, .seq = 1 + dscp, .ack = 1, .text = 1);
        arrives(&a, .flags = ACK, .seq = 1, .ack = 2 + dscp);
    }
}

/* A connection of a listener has the listener's, its SYN,ACK included. */
static void of_a_listener(void **state)
{
    (void)state;
    struct peer a = peer(1, 80);
    struct sock *l = host_listen(80, 5);
    host_set_ip(l, 10 << 2, 64);
    host_handshake(HERE, &a);
    struct sock *so = host_accept(l);
    host_sends(so, 0, 1);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1);
}

/* Each direction has its own: the peer's, which goes for what it sends, changes nothing in ours,
 * ACKs included. */
static void independent(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    host_set_ip(so, 10 << 2, 64);
    with(.tos = 46 << 2);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 5);
    host_later(40);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 6);
    with(.tos = 46 << 2);
    arrives(&a, .flags = FIN | ACK, .seq = 6, .ack = 1);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 7);
}

/* And so has each connection. */
static void per_connection(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), b = peer(2, 0);
    struct sock *so = host_connected(HERE, &a), *other = host_connected(HERE, &b);
    host_set_ip(so, 46 << 2, 64);
    host_sends(so, 0, 1);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1);
    host_sends(other, 0, 1);
    host.tos = 0;
    leaves(&b, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1);
}

/* The same in IPv6, where it is the Traffic Class. */
static void traffic_class(void **state)
{
    (void)state;
    struct peer a = peer6(1, 0);
    struct sock *so = host_connected(HERE, &a);
    host_set_ip6(so, 46 << 2, 64);
    host_sends(so, 0, 1);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1);
    host_set_ip6(so, 8 << 2, 64);
    arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = 2);
    leaves(&a, .flags = ACK, .seq = 2, .ack = 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(on_every_segment), host_test(changed),        host_test(of_a_listener),
        host_test(independent),      host_test(per_connection), host_test(traffic_class),
    };
    return host_main(tests);
}
