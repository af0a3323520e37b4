/* RFC 5927: ICMP attacks against TCP: which of its counter-measures we have (lib/README.md says
 * which not, and why). */
#include "router.h"

/* Connected, octets 1 to 3000 sent, the first 1000 acknowledged. */
static struct sock *in_flight(struct peer *a)
{
    struct sock *so = host_connected(HERE, a);
    host_sends(so, 0, 3000);
    assert_int_equal(all_leaves(), 3);
    arrives(a, .flags = ACK, .seq = 1, .ack = 1001);
    host_take_events();
    return so;
}

/* 4.1: only about a segment in flight: SND.UNA =< SEG.SEQ < SND.NXT. */
static void sequence_number_checking(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a);
    const uint32_t wrong[] = {0, 1, 1000, 3001, 3002, 0x80000000, 0x7fffffff, (uint32_t)-1};
    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        hears(&a, .kind = ICMP_PORT_UNREACHABLE, .seq = wrong[i]);
        hears(&a, .kind = ICMP_NET_UNREACHABLE, .seq = wrong[i]);
        hears(&a, .kind = ICMP_TOO_BIG, .mtu = 600, .seq = wrong[i]);
    }
    nothing_leaves();
    expect_no_event();
    assert_int_equal(host_status(so).path_mtu, host.config.caps.mtu);
    assert_int_equal(host_counters().icmp_bad_seq, 24);
    hears(&a, .kind = ICMP_NET_UNREACHABLE, .seq = 1001);
    expect_event(so, SOCK_EV_TROUBLE);
    hears(&a, .kind = ICMP_NET_UNREACHABLE, .seq = 3000);
    expect_event(so, SOCK_EV_TROUBLE);
}

/* 4.1: nothing in flight: no success, whatever the number (7.3.3, figure 4: an idle connection). */
static void idle_connection(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 3001);
    host_take_events();
    for (uint32_t seq = 0; seq < 4000; seq += 250) {
        hears(&a, .kind = ICMP_TOO_BIG, .mtu = 600, .seq = seq);
        hears(&a, .kind = ICMP_PORT_UNREACHABLE, .seq = seq);
    }
    expect_no_event();
    assert_int_equal(host_status(so).path_mtu, host.config.caps.mtu);
    assert_int_equal(stack_state(so), STATE_ESTABLISHED);
}

/* In SYN-SENT there is one number that is good. */
static void one_number_in_syn_sent(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_reach(&a, STATE_SYN_SENT);
    const uint32_t wrong[] = {1, 2, (uint32_t)-1, 0x80000000};
    for (unsigned i = 0; i < 4; i++)
        hears(&a, .kind = ICMP_PORT_UNREACHABLE, .seq = wrong[i]);
    assert_int_equal(stack_state(so), STATE_SYN_SENT);
    hears(&a, .kind = ICMP_PORT_UNREACHABLE, .seq = 0);
    assert_int_equal(stack_state(so), STATE_CLOSED);
}

/* The whole four-tuple has to be ours; and the message comes to the address that has sent the
 * segment. */
static void four_tuple(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a);
    for (unsigned i = 0; i < 4; i++) {
        struct peer wrong = a;
        wrong.flow.local_port ^= i == 0;
        wrong.flow.remote_port ^= i == 1;
        wrong.flow.remote.b[15] ^= i == 2;
        if (i < 3)
            hears(&wrong, .kind = ICMP_NET_UNREACHABLE, .seq = 1001);
        else
            hears(&a, .kind = ICMP_NET_UNREACHABLE, .seq = 1001, .to = peer(9, 0).flow.remote);
    }
    expect_no_event();
    assert_int_equal(host_status(so).soft_error, ERR_NONE);
    assert_int_equal(host_counters().icmp_not_ours, 4);
}

/* 4.2: ephemeral ports are no sequence that others could go on with (RFC 6056). */
static void port_randomization(void **state)
{
    (void)state;
    uint16_t last = 0;
    unsigned next = 0;
    for (unsigned i = 0; i < 60; i++) {
        struct peer a = peer(i, 0);
        host_connect(&a);
        leaves(&a, .flags = SYN, .seq = 0);
        next += a.flow.local_port == last + 1;
        last = a.flow.local_port;
    }
    assert_true(next < 10);
}

/* 5.2: no hard error ends a synchronized connection: it is only recorded; and none is extended to
 * other connections with the same peer. */
static void blind_connection_reset(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), b = a;
    struct sock *so = in_flight(&a);
    b.flow.local_port = 0;
    struct sock *opening = host_connect(&b);
    leaves(&b, .flags = SYN, .seq = 0);
    for (uint8_t code = 2; code <= 3; code++) {
        hears(&a, .type = 3, .code = code, .seq = 1001);
        assert_int_equal(stack_state(so), STATE_ESTABLISHED);
        expect_event(so, SOCK_EV_TROUBLE);
    }
    hears(&b, .kind = ICMP_PORT_UNREACHABLE, .seq = 0);
    assert_int_equal(stack_state(opening), STATE_CLOSED);
    assert_int_equal(stack_state(so), STATE_ESTABLISHED);
    host_later(200);
    (void)all_leaves();
    arrives(&a, .flags = ACK, .seq = 1, .ack = 3001);
    assert_int_equal(host_status(so).soft_error, ERR_NONE); /* progress refutes it */
}

/* 6.2: source quench is ignored. */
static void blind_throughput_reduction(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a);
    uint32_t cwnd = host_status(so).cwnd;
    for (unsigned i = 0; i < 10; i++)
        hears(&a, .type = 4, .code = 0, .seq = 1001);
    assert_int_equal(host_status(so).cwnd, cwnd);
    nothing_leaves();
}

/* 7.1: an MTU that leaves no room for text, or hardly any, is not taken: 552 octets remain
 * (lib/README.md), 1280 for IPv6. */
static void blind_performance_degrading(void **state)
{
    (void)state;
    const uint32_t forged[] = {0, 1, 39, 40, 67, 68, 100, 551};
    for (unsigned i = 0; i < sizeof forged / sizeof *forged; i++) {
        struct peer a = peer(i, 0);
        struct sock *so = in_flight(&a);
        hears(&a, .kind = ICMP_TOO_BIG, .mtu = forged[i], .seq = 1001);
        (void)all_leaves();
        assert_true(host_status(so).snd_mss >= 512);
    }
    host.config.caps.mtu = 1500;
    host_start();
    struct peer b = peer6(1, 0);
    struct sock *so = in_flight(&b);
    hears(&b, .kind = ICMP_TOO_BIG, .mtu = 68, .seq = 1001);
    assert_int_equal(host_status(so).path_mtu, 1500);
}

/* 7.3.1, figure 2: initial discovery: each message is honoured at once. */
static void normal_operation(void **state)
{
    (void)state;
    host.config.caps.mtu = 4464;
    host_start();
    struct peer a = peer(1, 0);
    struct sock *so = host_connect(&a);
    leaves(&a, .flags = SYN, .seq = 0, .mss = 4424);
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 4424);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    host_sends(so, 0, 4424);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 4424);
    hears(&a, .kind = ICMP_TOO_BIG, .mtu = 2048, .seq = 1, .len = 4464);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 2008);
    (void)all_leaves();
    hears(&a, .kind = ICMP_TOO_BIG, .mtu = 1500, .seq = 1, .len = 2048);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1460);
    (void)all_leaves();
    arrives(&a, .flags = ACK, .seq = 1, .ack = 4425);
    assert_int_equal(host_status(so).path_mtu, 1500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(sequence_number_checking),   host_test(idle_connection),
        host_test(one_number_in_syn_sent),     host_test(four_tuple),
        host_test(port_randomization),         host_test(blind_connection_reset),
        host_test(blind_throughput_reduction), host_test(blind_performance_degrading),
        host_test_ipv4(normal_operation),
    };
    return host_main(tests);
}
