/* icmp_in.c: which ICMP messages are believed (RFC 9293 3.9.2.2, RFC 5927). Echo is in
 * test_icmp_in_echo.c. What follows for a connection is in test_pmtu.c and test_unreach.c. */
#include "router.h"

static const struct ip_addr a6 = {{0xfd, [15] = 7}}, b6 = {{0xfd, [15] = 8}};
/* Connected, three segments of 1000 octets in flight. */
static struct sock *in_flight(struct peer *p)
{
    struct sock *so = host_connected(HERE, p);
    assert_int_equal(host_send(so, 0, 3000), 3000);
    leaves(p, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    leaves(p, .flags = ACK, .seq = 1001, .ack = 1, .text = 1000);
    leaves(p, .flags = PSH | ACK, .seq = 2001, .ack = 1, .text = 1000);
    return so;
}

/* MUST-54: to the connection that caused it, and to no other. */
static void to_the_connection_that_caused_it(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), b = peer(2, 0);
    struct sock *so = in_flight(&a), *other = in_flight(&b);
    hears(&a, .kind = ICMP_TOO_BIG, .seq = 1, .mtu = 600);
    assert_int_equal(host_status(so).path_mtu, 600);
    assert_int_equal(host_status(other).path_mtu, 1040);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 560);
    assert_int_equal(host_counters().icmp_acted, 1);
    all_leaves();
    hears(&b, .kind = ICMP_HOST_UNREACHABLE, .seq = 1);
    expect_event(other, SOCK_EV_TROUBLE);
    expect_no_event();
    assert_int_equal(host_status(other).soft_error, ERR_HOSTUNREACH);
    assert_int_equal(host_status(so).soft_error, ERR_NONE);
}

/* RFC 5927 4.1: SND.UNA =< SEG.SEQ < SND.NXT, at both edges. */
static void about_a_segment_in_flight(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1001);
    expect_event(so, SOCK_EV_ACKED);
    const uint32_t wrong[] = {0, 1, 1000, 3001, 3002, 1u << 31, UINT32_MAX};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        for (unsigned kind = ICMP_TOO_BIG; kind <= ICMP_PARAMETER_PROBLEM; kind++) {
            if (kind != (host_is_v4() ? ICMP_PROHIBITED : ICMP_PROTOCOL_UNREACHABLE))
                hears(&a, .kind = kind, .seq = wrong[i], .mtu = 600);
        }
        assert_int_equal(host_counters().icmp_bad_seq, 7 * (i + 1));
    }
    expect_no_event();
    assert_int_equal(host_status(so).path_mtu, host.config.caps.mtu);
    hears(&a, .kind = ICMP_HOST_UNREACHABLE, .seq = 1001);
    expect_event(so, SOCK_EV_TROUBLE);
    hears(&a, .kind = ICMP_HOST_UNREACHABLE, .seq = 3000);
    expect_event(so, SOCK_EV_TROUBLE);
    assert_int_equal(host_counters().icmp_acted, 2);
}

/* What each kind means to a connect(): RFC 9293 3.9.2.2 (SHLD-26, MUST-56), and Linux's errno. */
static void kinds(void **state)
{
    (void)state;
    static const struct {
        enum icmp_kind kind;
        bool v4, v6, hard;
        int err;
    } cases[] = {
        {ICMP_NET_UNREACHABLE, true, true, false, ERR_NETUNREACH},
        {ICMP_HOST_UNREACHABLE, true, true, false, ERR_HOSTUNREACH},
        {ICMP_PROHIBITED, false, true, true, ERR_PROHIBITED},
        {ICMP_PROTOCOL_UNREACHABLE, true, false, true, ERR_REFUSED},
        {ICMP_PORT_UNREACHABLE, true, true, true, ERR_REFUSED},
        {ICMP_TIME_EXCEEDED, true, true, false, ERR_HOSTUNREACH},
        {ICMP_PARAMETER_PROBLEM, true, true, false, ERR_PROTOCOL},
    };
    for (unsigned i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
        bool v6 = i % 2;
        struct peer a = peer(i, 0);
        if (v6) {
            a.flow.local = a6;
            a.flow.remote = b6;
        }
        if (!(v6 ? cases[i / 2].v6 : cases[i / 2].v4))
            continue;
        struct sock *so = host_connect(&a);
        leaves(&a, .flags = SYN);
        hears(&a, .kind = cases[i / 2].kind, .seq = 0);
        bool hard = cases[i / 2].hard;
        expect_event(so, hard ? SOCK_EV_CLOSED : SOCK_EV_TROUBLE);
        assert_int_equal(stack_error(so), hard ? cases[i / 2].err : ERR_NONE);
        assert_int_equal(host_status(so).soft_error, hard ? ERR_NONE : cases[i / 2].err);
        host_abort(so);
    }
}

/* Nothing is in flight, as before a SYN or in TIME-WAIT: no message is believed. */
static void nothing_in_flight(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    for (uint32_t seq = 0; seq < 3; seq++)
        hears(&a, .kind = ICMP_PORT_UNREACHABLE, .seq = seq);
    assert_int_equal(host_counters().icmp_bad_seq, 3);
    assert_int_equal(host_status(so).state, STATE_ESTABLISHED);
}

static void about_nobody(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), b;
    struct sock *so = in_flight(&a), *listener;
    assert_int_equal(stack_listen(host.stack, &a6, 80, 5, NULL, &listener), ERR_NONE);
    for (unsigned i = 0; i < 5; i++) {
        b = a;
        if (i == 0)
            b.flow.local_port++;
        else if (i == 1)
            b.flow.remote_port++;
        else if (i == 2)
            b.flow.remote.b[15]++;
        else if (i == 3)
            b.flow.local.b[15]++;
        else
            b.flow = (struct flow){.local = a6, .local_port = 80}; /* a listener's key */
        hears(&b, .kind = ICMP_TOO_BIG, .seq = 1, .mtu = 600);
        assert_int_equal(host_counters().icmp_not_ours, i + 1);
    }
    /* The quoted segment has left from another address than the message went to. */
    hears(&a, .kind = ICMP_TOO_BIG, .seq = 1, .mtu = 600, .to = ip_addr_v4(0x0a000009));
    assert_int_equal(host_counters().icmp_not_ours, 6);
    assert_int_equal(host_status(so).path_mtu, 1040);
    assert_int_equal(host_status(listener).state, STATE_LISTEN);
}

static void malformed(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a);
    hears(&a, .kind = ICMP_TOO_BIG, .seq = 1, .mtu = 600, .damaged = true);
    assert_int_equal(host_counters().bad_checksums, 1);
    for (unsigned cut = 1; cut < 56; cut++)
        hears(&a, .kind = ICMP_TOO_BIG, .seq = 1, .mtu = 600, .cut = cut);
    assert_int_equal(host_counters().bad_packets, 55);
    assert_int_equal(host_counters().icmp_in, 0);
    /* A message that is whole and quotes too little. */
    uint8_t quoted[27] = {0x45, [9] = 6};
    struct icmp m = icmp_of_kind(ICMP_PORT_UNREACHABLE, true);
    for (size_t len = 0; len <= sizeof quoted; len++) {
        m.body = (struct bytes){quoted, len};
        struct ip_hdr ip = {.src = ROUTER_ADDR, .dst = HOST_ADDR, .ttl = 64};
        host_hears_icmp(HERE, &ip, &m, 0, false);
    }
    assert_int_equal(host_counters().icmp_not_ours, sizeof quoted + 1);
    assert_int_equal(host_status(so).path_mtu, 1040);
    expect_no_event();
}

/* MUST-55, RFC 6633. */
static void source_quench(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a);
    struct tcp_status before = host_status(so);
    hears(&a, .kind = ICMP_SOURCE_QUENCH, .seq = 1);
    hears(&a, .kind = ICMP_ECHO_REPLY, .seq = 1);
    struct tcp_status after = host_status(so);
    assert_int_equal(after.cwnd, before.cwnd);
    assert_int_equal(after.ssthresh, before.ssthresh);
    assert_int_equal(after.path_mtu, before.path_mtu);
    assert_int_equal(after.resent, before.resent);
    assert_int_equal(after.soft_error, ERR_NONE);
    assert_int_equal(host_counters().icmp_other, 2);
    expect_no_event();
}

/* RFC 1191 5 and 7.1: old routers name no MTU. RFC 8201 4: below 1280, nobody may. */
static void mtus(void **state)
{
    (void)state;
    static const struct {
        uint32_t mtu, len, becomes;
        bool v6;
    } cases[] = {
        {600, 0, 600, false},    {1039, 0, 1039, false},      {1040, 0, 1040, false},
        {1500, 0, 1040, false},  {552, 0, 552, false},        {551, 0, 552, false},
        {68, 0, 552, false},     {67, 0, 1040, false},        {1, 0, 1040, false},
        {0, 1040, 1006, false},  {0, 65000, 1006, false},     {0, 1006, 552, false},
        {0, 40, 1040, false},    {1280, 1400, 1280, true},    {1279, 1400, 1400, true},
        {0, 1400, 1400, true},   {1399, 1400, 1399, true},    {1400, 1400, 1400, true},
        {65536, 0, 1400, true},  {UINT32_MAX, 0, 1400, true}, {600, 601, 600, false},
        {600, 600, 1040, false}, {1300, 1300, 1400, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct peer a = peer((unsigned)i, 0);
        a.flow.local_port = 0;
        if (cases[i].v6) {
            a.flow.local = (struct ip_addr){{0xfd, [15] = 1}};
            a.flow.remote = (struct ip_addr){{0xfd, [1] = (uint8_t)i, [15] = 2}};
        }
        host.config.caps.mtu = cases[i].v6 ? 1400 : 1040;
        host_start();
        struct sock *so = host_connect(&a);
        leaves(&a, .flags = SYN);
        arrives(&a, .flags = SYN | ACK, .ack = 1, .mss = 1400);
        leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
        host_send(so, 0, 100);
        all_leaves();
        hears(&a, .kind = ICMP_TOO_BIG, .seq = 1, .mtu = cases[i].mtu, .len = cases[i].len);
        assert_int_equal(host_status(so).path_mtu, cases[i].becomes);
        assert_int_equal(host_status(so).snd_mss, cases[i].becomes - (cases[i].v6 ? 60 : 40));
        bool changed = cases[i].becomes != host.config.caps.mtu;
        assert_int_equal(host_counters().icmp_acted, changed);
        assert_int_equal(host_counters().icmp_bad_mtu, !changed);
        all_leaves();
    }
}

/* RFC 8201 5.2: the next connection to the same place begins with what is known, and announces an
 * MSS of its own link all the same (RFC 1191 6.4); to another place it does not. */
static void the_next_connection_knows(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), b = peer(1, 0), c = peer(2, 0), d = peer(1, 80);
    struct sock *so = in_flight(&a);
    hears(&a, .kind = ICMP_TOO_BIG, .seq = 1, .mtu = 600);
    all_leaves();
    host_abort(so);
    all_leaves();
    b.flow.remote_port++;
    so = host_connect(&b);
    leaves(&b, .flags = SYN, .mss = HOST_MSS);
    arrives(&b, .flags = SYN | ACK, .ack = 1, .mss = 1000);
    leaves(&b, .flags = ACK, .seq = 1, .ack = 1);
    expect_event(so, SOCK_EV_COMPLETED);
    assert_int_equal(host_status(so).snd_mss, 560);
    assert_int_equal(host_status(host_connected(HERE, &c)).snd_mss, 1000);
    struct sock *listener = host_listen(80, 5);
    host_handshake(HERE, &d);
    expect_event(listener, SOCK_EV_COMPLETED);
    assert_int_equal(host_status(host_accept(listener)).snd_mss, 560);
    /* RFC 1191 6.3: what is known grows old. */
    host_later(600001);
    struct peer e = peer(1, 0);
    e.flow.remote_port += 2;
    so = host_connected(HERE, &e);
    host_send(so, 0, 1000);
    leaves(&e, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1000);
}

/* The connection that a SYN opens takes the MTU of the device it came by. */
static void mtu_of_the_device(void **state)
{
    (void)state;
    static const struct {
        uint32_t mtu;
        int mss;
    } cases[] = {{0, 1000}, {576, 536}, {9000, 8960}, {1500, 1460}};
    host_listen(80, 5);
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct peer a = peer(i, 80);
        host.in_mtu = cases[i].mtu;
        arrives(&a, .flags = SYN, .seq = 0, .mss = 9000);
        leaves(&a, .flags = SYN | ACK, .ack = 1, .mss = cases[i].mss);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test_ipv4(to_the_connection_that_caused_it),
        host_test(about_a_segment_in_flight),
        host_test_ipv4(kinds),
        host_test(nothing_in_flight),
        host_test_ipv4(about_nobody),
        host_test_ipv4(malformed),
        host_test_ipv4(source_quench),
        host_test_ipv4(mtus),
        host_test_ipv4(the_next_connection_knows),
        host_test_ipv4(mtu_of_the_device),
    };
    return host_main(tests);
}
