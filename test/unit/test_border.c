/* border.c: packets in and out, which socket they are for, and time. */
#include "codec.h"
#include "hosts.h"
#include "sock.h"

#define ADDR6(n) ((struct ip_addr){{0x20, 1, 0xd, 0xb8, [15] = (n)}})

/* ---- 3.10.7.1: no such port ---- */

static void no_socket(void **state)
{
    (void)state;
    struct peer a = peer(1, 9);
    arrives(&a, .flags = SYN, .seq = 0);
    leaves(&a, .flags = RST | ACK, .seq = 0, .ack = 1);
    arrives(&a, .flags = FIN, .seq = 5, .text = 10);
    leaves(&a, .flags = RST | ACK, .seq = 0, .ack = 16);
    arrives(&a, .flags = ACK, .seq = 5, .ack = 77, .text = 10);
    leaves(&a, .flags = RST, .seq = 77);
    arrives(&a, .flags = SYN | ACK, .seq = 5, .ack = 1);
    leaves(&a, .flags = RST, .seq = 1);
    arrives(&a, .flags = RST, .seq = 5);
    arrives(&a, .flags = RST | ACK, .seq = 5, .ack = 3);
    nothing_leaves();
    assert_int_equal(host_counters().not_for_us, 6);
    assert_int_equal(host_counters().resets_out, 4);
}

/* Figure 10, and 3.5.2 group 2: a connection that is not synchronized answers what it has not asked
 * for with a RST too. */
static void half_open_discovered(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), b = peer(2, 80);
    host_connect(&a);
    leaves(&a, .flags = SYN, .seq = 0);
    arrives(&a, .flags = ACK, .seq = 300, .ack = 100);
    leaves(&a, .flags = RST, .seq = 100);
    host_listen(80, 5);
    arrives(&b, .flags = SYN, .seq = 0);
    leaves(&b, .flags = SYN | ACK, .seq = 0, .ack = 1);
    arrives(&b, .flags = ACK, .seq = 1, .ack = 77);
    leaves(&b, .flags = RST, .seq = 77);
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
}

/* Never to or from an address that many hosts, or none, have. */
static void no_rst_for_bad_addresses(void **state)
{
    (void)state;
    const struct ip_addr bad[] = {ip_addr_v4(0xe0000001), ip_addr_v4(0xffffffff), ip_addr_v4(0)};
    for (unsigned i = 0; i < 3; i++) {
        struct peer from = peer(1, 9), to = peer(1, 9);
        from.flow.remote = bad[i];
        to.flow.local = bad[i];
        arrives(&from, .flags = SYN, .seq = 0);
        arrives(&from, .flags = ACK, .seq = 0, .ack = 1);
        arrives(&to, .flags = SYN, .seq = 0);
        arrives(&to, .flags = ACK, .seq = 0, .ack = 1);
    }
    struct peer from = peer(1, 9);
    from.flow.local = ADDR6(1);
    from.flow.remote = (struct ip_addr){{0xff, 2, [15] = 1}};
    arrives(&from, .flags = SYN, .seq = 0);
    from.flow.remote = IP_ADDR_ANY6; /* and port 0: the key of a listener */
    from.flow.remote_port = 0;
    host_listen(9, 1);
    arrives(&from, .flags = SYN, .seq = 0);
    nothing_leaves();
}

/* RFC 4942 2.2: IPv4's addresses in an IPv6 header. Inside they stand for IPv4 itself, so they
 * would make a connection whose ends are of two families. */
static void no_v4_in_v6(void **state)
{
    (void)state;
    const struct ip_addr v6 = ADDR6(1), v4 = ip_addr_v4(0x0a000101);
    uint8_t syn[IP6_HDR_LEN + TCP_HDR_LEN] = {0x60, 0, 0, 0, 0, TCP_HDR_LEN, IP_PROTO_TCP, 64};
    syn[IP6_HDR_LEN + 1] = 7;
    syn[IP6_HDR_LEN + 3] = 9;
    syn[IP6_HDR_LEN + 12] = 5 << 4;
    syn[IP6_HDR_LEN + 13] = SYN;
    const struct packet p = {.head = {syn, sizeof syn}, .csum = CSUM_VERIFIED};
    for (unsigned i = 0; i < 3; i++) {
        memcpy(syn + 8, i == 1 ? v6.b : v4.b, 16);
        memcpy(syn + 24, i == 0 ? v6.b : v4.b, 16);
        stack_input(host.stack, &p, 1, host.now_ns);
        nothing_leaves();
    }
    assert_int_equal(host_counters().bad_packets, 3);
}

/* Answers wait for output; a flood of SYNs holds no more than 64, and no memory. */
static void answers_are_bounded(void **state)
{
    (void)state;
    size_t used = host.mem.mem.used;
    for (unsigned i = 0; i < 1000; i++) {
        struct peer a = peer(i, 9);
        arrives(&a, .flags = SYN, .seq = 0);
        host_batch();
    }
    assert_int_equal(host.mem.mem.used, used);
    for (unsigned i = 0; i < 64; i++) { /* the first ones, in order */
        struct peer a = peer(i, 9);
        leaves(&a, .flags = RST | ACK, .seq = 0, .ack = 1);
    }
    nothing_leaves();
    struct peer a = peer(7, 9);
    arrives(&a, .flags = SYN, .seq = 0);
    leaves(&a, .flags = RST | ACK, .seq = 0, .ack = 1);
}

/* ---- Which listener ---- */

static struct sock *listen_at(struct ip_addr addr)
{
    struct sock *so = NULL;
    assert_int_equal(stack_listen(host.stack, &addr, 80, 5, NULL, &so), ERR_NONE);
    return so;
}

/* Its very address first, then the wildcard of the family, then IPv6's for both. */
static void listener_order(void **state)
{
    (void)state;
    struct peer p[5];
    for (unsigned i = 0; i < 5; i++)
        p[i] = peer(i, 80);
    struct sock *any6 = listen_at(IP_ADDR_ANY6);
    host_handshake(HERE, &p[0]);
    expect_event(any6, SOCK_EV_COMPLETED);
    struct sock *any4 = listen_at(ip_addr_v4(0));
    host_handshake(HERE, &p[1]);
    expect_event(any4, SOCK_EV_COMPLETED);
    struct sock *exact = listen_at(HOST_ADDR);
    host_handshake(HERE, &p[2]);
    expect_event(exact, SOCK_EV_COMPLETED);
    p[3].flow.local = ip_addr_v4(0x0a000063); /* another address of ours */
    host_handshake(HERE, &p[3]);
    expect_event(any4, SOCK_EV_COMPLETED);
    p[4].flow.local = ADDR6(1);
    p[4].flow.remote = ADDR6(2);
    host_handshake(HERE, &p[4]);
    expect_event(any6, SOCK_EV_COMPLETED);
    struct sock *exact6 = listen_at(ADDR6(1));
    p[4].flow.remote_port = 1;
    host_handshake(HERE, &p[4]);
    expect_event(exact6, SOCK_EV_COMPLETED);
}

/* A connection comes before any listener; an IPv4 wildcard does not take IPv6. */
static void connection_before_listener(void **state)
{
    (void)state;
    struct sock *l = host_listen(80, 5);
    struct peer a = peer(1, 80);
    host_handshake(HERE, &a);
    struct sock *so = host_accept(l);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 4);
    assert_int_equal(host_recv(so, 0, 9), 4);
    host_batch();
    host_later(40);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 5);
    struct peer b = peer(2, 80);
    b.flow.local = ADDR6(1);
    b.flow.remote = ADDR6(2);
    arrives(&b, .flags = SYN, .seq = 0);
    leaves(&b, .flags = RST | ACK, .seq = 0, .ack = 1);
}

/* ---- What is thrown away ---- */

/* MUST-3 */
static void bad_checksum(void **state)
{
    (void)state;
    host_listen(80, 5);
    struct peer a = peer(1, 80), closed = peer(1, 9);
    damaged_arrives(&a, .flags = SYN, .seq = 0, .mss = 1000);
    damaged_arrives(&closed, .flags = SYN, .seq = 0);
    nothing_leaves();
    assert_int_equal(host_counters().bad_checksums, 2);
    assert_int_equal(host_counters().segs_in, 0);
    assert_int_equal(stack_sock_count(host.stack), 1);
    arrives(&a, .flags = SYN, .seq = 0, .mss = 1000);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
}

static void malformed_packets(void **state)
{
    (void)state;
    struct seg seg = {.flags = SYN};
    struct flow f = peer(1, 80).flow, reversed = {f.remote, f.local, f.remote_port, f.local_port};
    host_listen(80, 5);
    for (unsigned len = 0; len < 40; len++) { /* cut at every octet */
        struct packet p;
        packet_encode(&p, &reversed, &seg, 0, 64, false);
        uint8_t *head = exact_copy(p.store, len);
        p.head = (struct bytes){head, len};
        stack_input(host.stack, &p, 1, host.now_ns);
        free(head);
    }
    struct packet p;
    packet_encode(&p, &reversed, &seg, 0, 64, false);
    p.store[9] = 17; /* UDP, with the header checksum made right */
    p.store[10] = p.store[11] = 0;
    uint16_t sum = (uint16_t)~naive_sum(p.store, 20);
    p.store[10] = (uint8_t)(sum >> 8);
    p.store[11] = (uint8_t)sum;
    stack_input(host.stack, &p, 1, host.now_ns);
    nothing_leaves();
    assert_int_equal(host_counters().bad_packets, 40); /* UDP is not bad, only not ours */
    assert_int_equal(host_counters().segs_in, 0);
}

/* ---- Batches ---- */

/* MUST-59: one call takes many packets and never sends; output fills what it is given, one segment
 * of each connection a turn, and goes on where it stopped. */
static void batches(void **state)
{
    (void)state;
    struct peer p[3];
    struct sock *so[3];
    for (unsigned i = 0; i < 3; i++) {
        p[i] = peer(i, 0);
        so[i] = host_connected(HERE, &p[i]);
        assert_int_equal(host_send(so[i], 0, 3000), 3000);
        host_batch();
        if (i < 2)
            all_leaves();
    }
    struct packet out[16];
    assert_int_equal(stack_output(host.stack, out, 2, host.now_ns), 2);
    assert_int_equal(stack_output(host.stack, out, 16, host.now_ns), 1);
    assert_int_equal(stack_output(host.stack, out, 16, host.now_ns), 0);
    for (unsigned i = 0; i < 3; i++) {
        host_batch();
        assert_int_equal(host_send(so[i], 3000, 1000), 1000);
    }
    assert_int_equal(stack_output(host.stack, out, 16, host.now_ns), 3);
    for (unsigned i = 0; i < 3; i++) {
        struct flow flow;
        struct ip_hdr ip;
        struct seg seg;
        const char *why;
        assert_int_equal(packet_decode(&out[i], &flow, &ip, &seg, &why), DECODE_OK);
        assert_int_equal(flow.local_port, p[i].flow.remote_port); /* each its turn */
        assert_int_equal(seg.seq.v, p[i].iss + 3001);
    }
    assert_int_equal(stack_output(host.stack, out, 16, host.now_ns), 0);
    assert_int_equal(stack_output(host.stack, out, 0, host.now_ns), 0);
}

/* Nobody waits for another's whole window: a segment of each connection in turn. */
static void turns(void **state)
{
    (void)state;
    host.config.caps.super_max = 0;
    host_start();
    struct peer a = peer(1, 0), b = peer(2, 0);
    struct sock *sa = host_connected(HERE, &a), *sb = host_connected(HERE, &b);
    assert_int_equal(host_send(sa, 0, 3000), 3000);
    host_batch();
    assert_int_equal(host_send(sb, 0, 3000), 3000);
    for (unsigned i = 0; i < 3; i++) {
        unsigned flags = i < 2 ? ACK : PSH | ACK;
        leaves(&a, .flags = flags, .seq = 1 + 1000 * i, .ack = 1, .text = 1000);
        leaves(&b, .flags = flags, .seq = 1 + 1000 * i, .ack = 1, .text = 1000);
    }
}

/* Checksums are left to a link that can, and super-segments go to one that takes them. */
static void link_capabilities(void **state)
{
    (void)state;
    host.config.caps = (struct link_caps){.mtu = 1040, .super_max = 64000, .csum_offload = true};
    host_start();
    struct peer a = peer(1, 0);
    struct sock *so = host_connect(&a);
    struct packet out[4];
    assert_int_equal(stack_output(host.stack, out, 4, host.now_ns), 1);
    assert_int_equal(out[0].csum, CSUM_PARTIAL);
    out[0].csum = CSUM_VERIFIED;
    struct flow flow;
    struct ip_hdr ip;
    struct seg seg;
    const char *why;
    assert_int_equal(packet_decode(&out[0], &flow, &ip, &seg, &why), DECODE_OK);
    a.iss = seg.seq.v;
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
    host_batch();
    assert_int_equal(host_send(so, 0, 4000), 4000);
    assert_int_equal(stack_output(host.stack, out, 4, host.now_ns), 1);
    assert_int_equal(out[0].gso_size, 1000);
    assert_int_equal(packet_len(&out[0]), 4040);
}

/* ---- Time ---- */

static void deadlines(void **state)
{
    (void)state;
    assert_true(stack_deadline(host.stack) == TIME_NEVER);
    struct peer a = peer(1, 0), b = peer(2, 0);
    host_connect(&a);
    assert_int_equal(stack_deadline(host.stack), 0); /* output is asked for */
    leaves(&a, .flags = SYN, .seq = 0);
    nothing_leaves();
    assert_int_equal(stack_deadline(host.stack), host.start_ns + 1000 * NS_PER_MS);
    host_at(500);
    host_connect(&b);
    leaves(&b, .flags = SYN, .seq = 0);
    nothing_leaves();
    stack_tick(host.stack, host.now_ns); /* early: harmless */
    nothing_leaves();
    host_at(1000);
    leaves(&a, .flags = SYN, .seq = 0);
    host_at(1500);
    leaves(&b, .flags = SYN, .seq = 0);
    arrives(&a, .flags = RST | ACK, .seq = 0, .ack = 1);
    nothing_leaves();
    assert_int_equal(stack_deadline(host.stack), host.start_ns + 3500 * NS_PER_MS);
}

/* ---- TIME-WAIT ---- */

/* 3.6.1, MAY-2: a newer SYN opens a new connection; an older one gets an ACK. */
static void reopened(void **state)
{
    (void)state;
    struct sock *l = host_listen(80, 5);
    struct peer a = peer(1, 80);
    host_to_time_wait(HERE, &a, l);
    arrives(&a, .flags = SYN, .seq = 1);
    leaves(&a, .flags = ACK, .seq = 2, .ack = 2);
    uint32_t old_nxt = a.iss + 2;
    a.irs += 100;
    arrives(&a, .flags = SYN, .seq = 0);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    assert_true((int32_t)(a.iss - old_nxt) > 0);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
    host_accept(l);
    assert_int_equal(stack_sock_count(host.stack), 2);
}

/* However long the link's super-segments: no packet is longer than its header can say (simulator,
 * seed 321744). */
static void longest_packet(void **state)
{
    (void)state;
    host.config.caps = (struct link_caps){.mtu = 1549, .super_max = 65535, .csum_offload = true};
    host_start();
    struct sock *l = host_listen(80, 5);
    struct peer a = peer(1, 80);
    a.wnd = 65535;
    arrives(&a, .flags = SYN, .seq = 0, .mss = 1489);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
    struct sock *so = host_accept(l);
    assert_int_equal(host_send(so, 0, 65535), 65535);
    as_conn(so)->tcb.busy->cc.cwnd = 1 << 20;
    as_conn(so)->tcb.last_sent_ns = host.now_ns; /* or it would count as idle */
    struct packet p;
    size_t most = 0;
    while (stack_output(host.stack, &p, 1, host.now_ns) > 0) {
        assert_in_range(packet_len(&p), 40, 65535);
        most = packet_len(&p) > most ? packet_len(&p) : most;
    }
    assert_true(most > 60000);
}

/* MAY-2 (1): however much the old connection had sent. */
static void reopened_with_a_larger_iss(void **state)
{
    (void)state;
    host.config.caps.super_max = 64000;
    host_start();
    struct sock *l = host_listen(80, 5);
    struct peer a = peer(1, 80);
    a.wnd = 65535;
    host_handshake(HERE, &a);
    struct sock *so = host_accept(l);
    uint32_t sent = 0;
    while (sent < 3000000) { /* in no time at all: the clock of ISNs stands still */
        int64_t taken = host_send(so, sent, 100000);
        assert_true(taken > 0);
        sent += (uint32_t)taken;
        while (all_leaves() > 0) {
            struct tcp_status status;
            stack_status(so, &status);
            uint32_t acked = sent - (uint32_t)(status.unsent_or_unacked - status.flight);
            arrives(&a, .flags = ACK, .seq = 1, .ack = 1 + acked);
            host_batch();
        }
    }
    host_close(so);
    leaves(&a, .flags = FIN | ACK, .seq = 1 + sent, .ack = 1);
    arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = 2 + sent);
    leaves(&a, .flags = ACK, .seq = 2 + sent, .ack = 2);
    uint32_t old_nxt = a.iss + 2 + sent;
    a.irs += 100;
    arrives(&a, .flags = SYN, .seq = 0);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    assert_true((int32_t)(a.iss - old_nxt) > 0);
}

/* Only what its user has left makes room, and only for a listener; otherwise a SYN in TIME-WAIT
 * gets its ACK (RFC 5961 4.2). */
static void not_reopened(void **state)
{
    (void)state;
    struct sock *l = host_listen(80, 5);
    struct peer a = peer(1, 80);
    host_handshake(HERE, &a);
    struct sock *so = host_accept(l);
    assert_int_equal(host_shutdown_send(so), ERR_NONE);
    leaves(&a, .flags = FIN | ACK, .seq = 1, .ack = 1);
    arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = 2);
    leaves(&a, .flags = ACK, .seq = 2, .ack = 2);
    arrives(&a, .flags = SYN, .seq = 500);
    leaves(&a, .flags = ACK, .seq = 2, .ack = 2);
    assert_int_equal(host_recv(so, 0, 1), 0); /* the user's socket is still there */
    host_close(so);
    host_close(l);
    arrives(&a, .flags = SYN, .seq = 600);
    leaves(&a, .flags = ACK, .seq = 2, .ack = 2);
    assert_int_equal(stack_sock_count(host.stack), 1);
}

/* MUST-13, and the record is gone afterwards. */
static void time_wait_ends(void **state)
{
    (void)state;
    struct sock *l = host_listen(80, 5);
    struct peer a = peer(1, 80);
    host_to_time_wait(HERE, &a, l);
    host_at(59999);
    assert_int_equal(stack_sock_count(host.stack), 2);
    host_at(60000);
    nothing_leaves();
    assert_int_equal(stack_sock_count(host.stack), 1);
    arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = 2);
    leaves(&a, .flags = RST, .seq = 2);
}

/* 3.10.7: CLOSED is no connection, even while a user holds what is left of it. */
static void closed_but_held(void **state)
{
    (void)state;
    struct sock *l = host_listen(80, 5);
    struct peer a = peer(1, 80);
    host_handshake(HERE, &a);
    struct sock *old = host_accept(l);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 3);
    arrives(&a, .flags = RST, .seq = 4);
    host_handshake(HERE, &a); /* again, from the same port */
    struct sock *so = host_accept(l);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 5);
    assert_int_equal(host_recv(old, 0, 9), 3);
    assert_int_equal(host_recv(old, 3, 9), ERR_RESET);
    assert_int_equal(host_recv(so, 0, 9), 5);
    host_close(old);
    host_batch();
    host_later(40);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(no_socket),
        host_test(half_open_discovered),
        host_test_ipv4(no_rst_for_bad_addresses),
        host_test(no_v4_in_v6),
        host_test(answers_are_bounded),
        host_test_ipv4(listener_order),
        host_test_ipv4(connection_before_listener),
        host_test(bad_checksum),
        host_test(malformed_packets),
        host_test(batches),
        host_test(turns),
        host_test_ipv4(link_capabilities),
        host_test(deadlines),
        host_test(reopened),
        host_test(longest_packet),
        host_test(reopened_with_a_larger_iss),
        host_test(not_reopened),
        host_test(time_wait_ends),
        host_test(closed_but_held),
    };
    return host_main(tests);
}
