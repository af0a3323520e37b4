/* conn_options.c: IPv4 options of connections. RFC 9293 3.9.2.1, 3.7.1; RFC 1122 3.2.1.8. */
#include "hosts.h"
#include "pmtu.h"

#define R1 10, 0, 0, 251 /* routers near us */
#define R2 10, 0, 0, 252
#define R3 10, 0, 0, 253
#define P1 10, 0, 1, 1 /* peer(1) */

#define LIST(...)                                                                                  \
    (const uint8_t[]){__VA_ARGS__}, sizeof(const uint8_t[])                                        \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

static void set_options(struct sock *so, const uint8_t *octets, size_t len)
{
    struct ip_options o;
    assert_true(ip_options_read(&o, octets, len));
    assert_int_equal(stack_set_options(so, &o, host.now_ns), ERR_NONE);
}

/* The packet that left last went there first, with these options. */
static void went(const uint8_t first_hop[4], const uint8_t *octets, size_t len)
{
    assert_memory_equal(ip_addr_v4_of(&host.sent_to), first_hop, 4);
    assert_int_equal(host.sent.len, len);
    assert_memory_equal(host.sent.octets, octets, len);
}

#define HOP(...) ((const uint8_t[4]){__VA_ARGS__})

/* Packets arrive with these from now on. */
static void arriving(const uint8_t *octets, size_t len)
{
    assert_true(len % 4 == 0);
    host.arriving.len = (uint8_t)len;
    memcpy(host.arriving.octets, octets, len);
}

static void arriving_plain(void)
{
    host.arriving.len = 0;
}

#define LEFT_BY(hop) went(HOP(hop), LIST(131, 7, 4, P1, 0))

/* Nothing is left of it but the pointer. */
static void left_without(void)
{
    assert_memory_equal(ip_addr_v4_of(&host.sent_to), HOP(P1), 4);
    assert_int_equal(host.sent.len, 0);
}

/* MUST-51: from the SYN to the RST, retransmissions and pure ACKs included. */
static void every_packet(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connect(&a);
    host_batch();
    set_options(so, LIST(131, 7, 4, R1));
    leaves(&a, .flags = SYN, .seq = 0, .mss = HOST_MSS);
    LEFT_BY(R1);
    host_later(1000);
    leaves(&a, .flags = SYN, .seq = 0, .mss = HOST_MSS);
    LEFT_BY(R1);
    arriving(LIST(131, 7, 8, R2, 0)); /* it is not asked what it says: it has its own */
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 77);
    leaves(&a, .flags = RST, .seq = 77);
    LEFT_BY(R1);
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    LEFT_BY(R1);
    assert_int_equal(host_send(so, 0, 10), 10);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    LEFT_BY(R1);
    host_later(3000);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    LEFT_BY(R1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 11);
    host_abort(so);
    leaves(&a, .flags = RST | ACK, .seq = 11, .ack = 1);
    LEFT_BY(R1);
}

/* SHLD-24 for the user's own: the last one holds; and without one, none. */
static void replaced(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    assert_null(stack_options(so));
    set_options(so, LIST(131, 7, 4, R1));
    set_options(so, LIST(137, 11, 4, R2, R3));
    assert_memory_equal(stack_options(so)->octets, ((uint8_t[]){137, 11, 4, R2, R3, 0}), 12);
    host_send(so, 0, 1);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1);
    went(HOP(R2), LIST(137, 11, 4, R3, P1, 0));
    set_options(so, NULL, 0);
    assert_null(stack_options(so));
    arrives(&a, .flags = ACK, .seq = 1, .ack = 2);
    host_send(so, 1, 1);
    leaves(&a, .flags = PSH | ACK, .seq = 2, .ack = 1, .text = 1);
    left_without();
}

/* MAY-10, MAY-11: the pointers stand at the beginning in every packet. */
static void recorded(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    set_options(so, LIST(7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0, 68, 12, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0));
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t ms = (uint32_t)(host.now_ns / NS_PER_MS);
        host_send(so, i, 1);
        leaves(&a, .flags = PSH | ACK, .seq = 1 + i, .ack = 1, .text = 1);
        went(HOP(P1), LIST(7, 11, 8, 10, 0, 0, 1, 0, 0, 0, 0, 68, 12, 9, 0, 0x80,
                           (uint8_t)(ms >> 16), (uint8_t)(ms >> 8), (uint8_t)ms, 0, 0, 0, 0, 0));
        host_later(5);
        arrives(&a, .flags = ACK, .seq = 1, .ack = 2 + i);
    }
}

/* MUST-16: what options take is taken from the text, not from what is announced (RFC 6691). The
 * packets' own length is hosts.c's to check. */
static void mss(void **state)
{
    (void)state;
    struct tcp_status status;
    struct peer a = peer(1, 0);
    struct sock *so = host_connect(&a);
    host_batch();
    uint8_t forty[40];
    memset(forty, 1, sizeof forty);
    set_options(so, forty, sizeof forty);
    leaves(&a, .flags = SYN, .seq = 0, .mss = HOST_MSS);
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    assert_int_equal(host_send(so, 0, 2000), 2000);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 960);
    leaves(&a, .flags = ACK, .seq = 961, .ack = 1, .text = 960);
    leaves(&a, .flags = PSH | ACK, .seq = 1921, .ack = 1, .text = 80);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 2001);
    set_options(so, NULL, 0); /* while connected, too */
    stack_status(so, &status);
    assert_int_equal(status.snd_mss, 1000);
    set_options(so, forty, 4);
    stack_status(so, &status);
    assert_int_equal(status.snd_mss, 996);
    assert_int_equal(host_send(so, 2000, 1000), 1000);
    leaves(&a, .flags = ACK, .seq = 2001, .ack = 1, .text = 996);
    leaves(&a, .flags = PSH | ACK, .seq = 2997, .ack = 1, .text = 4);
}

/* The same where the path is what limits it, and on the least one that there can be; timestamps are
 * offered. */
static void mss_of_the_path(void **state)
{
    (void)state;
    uint8_t forty[40];
    memset(forty, 1, sizeof forty);
    static const struct {
        uint32_t mtu, mss;
    } paths[] = {{600, 508}, {128, 36}, {88, 8}, {68, 8}};
    for (unsigned i = 0; i < 4; i++) {
        struct tcp_status status;
        struct sock *so;
        struct peer a = peer(1 + i, 0);
        assert_int_equal(stack_connect(host.stack, &a.flow, paths[i].mtu, NULL, host.now_ns, &so),
                         0);
        set_options(so, forty, sizeof forty);
        stack_status(so, &status);
        assert_int_equal(status.snd_mss, paths[i].mss);
        stack_abort(so, host.now_ns);
    }
}

/* By default a source route that arrives is as any option (MUST-50). */
static void not_accepted(void **state)
{
    (void)state;
    struct sock *l = host_listen(80, 5);
    struct peer a = peer(1, 80);
    arriving(LIST(131, 7, 8, R1, 0));
    host_handshake(HERE, &a);
    left_without();
    struct sock *so = host_accept(l);
    assert_null(stack_options(so));
    host_send(so, 0, 1);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1);
    left_without();
}

static struct sock *accepting(void)
{
    host.config.accept_source_route = true;
    host_start();
    return host_listen(80, 5);
}

/* MUST-53: on all segments of the connection, the SYN-ACK being the first. */
static void way_back(void **state)
{
    (void)state;
    struct sock *l = accepting();
    struct peer a = peer(1, 80);
    arriving(LIST(1, 131, 11, 12, R1, R2));
    arrives(&a, .flags = SYN, .seq = 0, .mss = 1000);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    went(HOP(R2), LIST(131, 11, 4, R1, P1, 0));
    arriving_plain();
    host_later(1000);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    went(HOP(R2), LIST(131, 11, 4, R1, P1, 0));
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
    struct sock *so = host_accept(l);
    assert_memory_equal(stack_options(so)->octets, ((uint8_t[]){131, 11, 4, R2, R1, 0}), 12);
    assert_int_equal(host_send(so, 0, 1000), 1000);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 988);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 989);
    leaves(&a, .flags = PSH | ACK, .seq = 989, .ack = 1, .text = 12);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1001);
    host_close(so);
    leaves(&a, .flags = FIN | ACK, .seq = 1001, .ack = 1);
    arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = 1002);
    leaves(&a, .flags = ACK, .seq = 1002, .ack = 2);
    arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = 1002); /* TIME-WAIT */
    leaves(&a, .flags = ACK, .seq = 1002, .ack = 2);
    went(HOP(R2), LIST(131, 11, 4, R1, P1, 0));
}

/* Of a SYN cookie as well, and of the connection that comes of it (RFC 4987 3.6). */
static void way_back_of_a_cookie(void **state)
{
    (void)state;
    host.config.tcp.syncookies = SYNCOOKIES_ALWAYS;
    struct sock *l = accepting();
    struct peer first = peer(9, 0), a = peer(1, 80);
    host_connect(&first);
    leaves(&first, .flags = SYN, .seq = 0);
    arriving(LIST(1, 131, 11, 12, R1, R2));
    arrives(&a, .flags = SYN, .seq = 0, .mss = 1000);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    went(HOP(R2), LIST(131, 11, 4, R1, P1, 0));
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
    host_sends(host_accept(l), 0, 1);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1);
    went(HOP(R2), LIST(131, 11, 4, R1, P1, 0));
}

/* What is no completed source route changes nothing. */
static void no_way_back(void **state)
{
    (void)state;
    struct sock *l = accepting();
    struct peer a = peer(1, 80);
    arriving(LIST(131, 7, 4, R1, 0));
    arrives(&a, .flags = SYN, .seq = 0, .mss = 1000);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    left_without();
    arriving(LIST(131, 7, 8, 224, 0, 0, 1, 0));
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
    assert_null(stack_options(host_accept(l)));
}

/* A connection of ours whose route is by R1, which the SYN's has been. */
static struct sock *by_r1(struct sock *l, struct peer *a)
{
    arriving(LIST(131, 7, 8, R1, 0));
    host_handshake(HERE, a);
    LEFT_BY(R1);
    return host_accept(l);
}

/* SHLD-24; but who is not in the connection can't lead it astray. */
static void later_route(void **state)
{
    (void)state;
    struct sock *l = accepting();
    struct peer a = peer(1, 80);
    struct sock *so = by_r1(l, &a);
    arriving(LIST(131, 7, 8, R2, 0));
    arrives(&a, .flags = ACK, .seq = 20000, .ack = 1); /* beyond the window */
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    LEFT_BY(R1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 2); /* acknowledges what was never sent */
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    LEFT_BY(R1);
    arrives(&a, .flags = RST, .seq = 5);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    LEFT_BY(R1);
    arrives(&a, .flags = SYN | ACK, .seq = 5, .ack = 1);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    LEFT_BY(R1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1);
    arriving_plain(); /* without one the last one stays */
    arrives(&a, .flags = ACK, .seq = 2, .ack = 1, .text = 1);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 3);
    LEFT_BY(R2);
    assert_memory_equal(stack_options(so)->octets, ((uint8_t[]){131, 7, 4, R2, 0}), 8);
}

/* MUST-52 */
static void users_route_wins(void **state)
{
    (void)state;
    struct sock *l = accepting();
    struct peer a = peer(1, 80), b = peer(1, 0);
    struct sock *so = by_r1(l, &a);
    set_options(so, LIST(131, 7, 4, R3));
    arriving(LIST(131, 7, 8, R2, 0));
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1);
    host_later(40);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 2);
    LEFT_BY(R3);
    set_options(so, NULL, 0); /* from here on the peer's is used again */
    arrives(&a, .flags = ACK, .seq = 2, .ack = 1, .text = 1);
    host_later(40);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 3);
    LEFT_BY(R2);
    /* Who opens a connection has chosen its way. */
    expect_event(l, SOCK_EV_COMPLETED);
    expect_event(so, SOCK_EV_ARRIVED);
    host_connected(HERE, &b);
    arrives(&b, .flags = ACK, .seq = 1, .ack = 1, .text = 1);
    host_later(40);
    leaves(&b, .flags = ACK, .seq = 1, .ack = 2);
    left_without();
}

/* MUST-53 can't be met without memory: the SYN is not heard, and the next one may be. */
static void no_memory(void **state)
{
    (void)state;
    host.config.tcp.syncookies = SYNCOOKIES_NEVER;
    struct sock *l = accepting();
    struct peer a = peer(1, 80);
    bool opened = false;
    arriving(LIST(131, 7, 8, R1, 0));
    for (unsigned k = 1; !opened && k < 20; k++) {
        test_mem_fail_at(&host.mem, k);
        arrives(&a, .flags = SYN, .seq = 0, .mss = 1000);
        opened = host.mem.failed == 0 || stack_sock_count(host.stack) > 1;
        host.mem.failed = 0;
        test_mem_fail_at(&host.mem, 0);
        if (!opened)
            nothing_leaves();
    }
    assert_true(host_counters().no_memory >= 2); /* the connection's, the options' */
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    LEFT_BY(R1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
    struct sock *so = host_accept(l);
    stack_set_options(so, &(struct ip_options){0}, host.now_ns);
    test_mem_fail_at(&host.mem, 1);
    struct ip_options o;
    ip_options_read(&o, LIST(131, 7, 4, R3));
    assert_int_equal(stack_set_options(so, &o, host.now_ns), ERR_NOMEM);
    test_mem_fail_at(&host.mem, 0);
}

/* A connection that takes the place of one in TIME-WAIT does not have its options. */
static void in_the_place_of_another(void **state)
{
    (void)state;
    struct sock *l = host_listen(80, 5);
    struct peer a = peer(1, 80);
    host_handshake(HERE, &a);
    struct sock *so = host_accept(l);
    set_options(so, LIST(131, 7, 4, R1));
    host_close(so);
    leaves(&a, .flags = FIN | ACK, .seq = 1, .ack = 1);
    LEFT_BY(R1);
    arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = 2);
    leaves(&a, .flags = ACK, .seq = 2, .ack = 2);
    a.irs += 100000;
    arrives(&a, .flags = SYN, .seq = 0, .mss = 1000);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    left_without();
}

/* IPv6 has none (RFC 5095); a listener's are not its connections'. */
static void not_for_others(void **state)
{
    (void)state;
    struct sock *l = host_listen(80, 5);
    struct peer a = peer(1, 80), six = peer(1, 0);
    set_options(l, LIST(131, 7, 4, R1));
    assert_null(stack_options(l));
    host_handshake(HERE, &a);
    left_without();
    six.flow.local = (struct ip_addr){{0xfd, [15] = 1}};
    six.flow.remote = (struct ip_addr){{0xfd, [15] = 2}};
    struct sock *so = host_connect(&six);
    set_options(so, LIST(131, 7, 4, R1));
    assert_null(stack_options(so));
    leaves(&six, .flags = SYN, .seq = 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test_ipv4(every_packet),
        host_test_ipv4(replaced),
        host_test_ipv4(recorded),
        host_test_ipv4(mss),
        host_test_ipv4(mss_of_the_path),
        host_test_ipv4(not_accepted),
        host_test_ipv4(way_back),
        host_test_ipv4(way_back_of_a_cookie),
        host_test_ipv4(no_way_back),
        host_test_ipv4(later_route),
        host_test_ipv4(users_route_wins),
        host_test_ipv4(no_memory),
        host_test_ipv4(in_the_place_of_another),
        host_test_ipv4(not_for_others),
    };
    return host_main(tests);
}
