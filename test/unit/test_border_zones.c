/* Link-local addresses on several links (RFC 4007), from packet to packet: codec.c, border.c,
 * icmp_in.c, reassembly.c. */
#include "codec.h"
#include "hosts.h"
#include "icmp.h"

#define ONE 3u /* links, by number */
#define TWO 0x80000004u

static struct ip_addr local(uint8_t last, uint32_t zone)
{
    struct ip_addr a = {{0xfe, 0x80, [15] = last}};
    ip_addr_set_zone(&a, zone);
    return a;
}

/* fe80::2 on that link, which talks to our fe80::1 there. */
static struct peer neighbour(uint32_t zone, uint16_t port)
{
    struct peer p = peer6(2, port);
    p.flow.local = local(1, zone);
    p.flow.remote = local(2, zone);
    return p;
}

/* A segment of the peer's as it is on the wire, in *p, which came by that link. */
static void make(struct packet *p, const struct peer *from, struct line l, uint32_t zone)
{
    l.wnd = 10000;
    const struct flow flow = {from->flow.remote, from->flow.local, from->flow.remote_port,
                              from->flow.local_port};
    struct seg seg = line_seg(&l, from->irs, from->iss);
    packet_encode(p, &flow, &seg, 0, 64, false);
    p->zone = zone;
}

static void comes(struct peer *from, struct line l, uint32_t zone)
{
    struct packet p;
    make(&p, from, l, zone);
    stack_input(host.stack, &p, 1, host.now_ns);
    host_check(HERE);
}

/* The next packet: to this neighbour, by its link, and with an address and a checksum as the wire
 * has them. */
static struct seg goes(const struct peer *to)
{
    struct packet p;
    memset(&p, 0x5a, sizeof p);
    assert_int_equal(stack_output(host.stack, &p, 1, host.now_ns), 1);
    assert_int_equal(p.zone, ip_addr_zone(&to->flow.remote));
    struct headers h = headers_read(&p);
    const struct ip_addr src = local(1, 0), dst = local(2, 0);
    assert_true(ip_addr_eq(&h.flow.local, &src));
    assert_true(ip_addr_eq(&h.flow.remote, &dst));
    assert_true(h.right_checksum);
    struct flow flow;
    struct ip_hdr ip;
    struct seg seg;
    const char *why;
    assert_int_equal(packet_decode(&p, &flow, &ip, &seg, &why), DECODE_OK);
    assert_true(ip_addr_eq(&flow.remote, &to->flow.local));
    return seg;
}

static struct sock *joined(struct sock *listener, struct peer *p, uint32_t zone)
{
    comes(p, (struct line){.flags = SYN, .mss = 1000}, zone);
    struct seg seg = goes(p);
    assert_int_equal(seg.flags, SYN | ACK);
    p->iss = seg.seq.v;
    comes(p, (struct line){.flags = ACK, .seq = 1, .ack = 1}, zone);
    return host_accept(listener);
}

static struct sock *listen6(uint16_t port, struct ip_addr at)
{
    struct sock *so = NULL;
    assert_int_equal(stack_listen(host.stack, &at, port, 4, &host, &so), ERR_NONE);
    return so;
}

/* Two connections with all octets of their four-tuple alike. */
static void two_links(void **state)
{
    (void)state;
    struct sock *listener = listen6(80, IP_ADDR_ANY6);
    struct peer one = neighbour(ONE, 80), two = neighbour(TWO, 80);
    struct sock *a = joined(listener, &one, ONE), *b = joined(listener, &two, TWO);
    expect_peer(a, &one);
    expect_peer(b, &two);
    host_take_events();
    comes(&two, (struct line){.flags = RST, .seq = 1}, TWO);
    assert_int_equal(stack_state(b), STATE_CLOSED);
    assert_int_equal(stack_state(a), STATE_ESTABLISHED);
    assert_int_equal(stack_send(a, "x", 1, host.now_ns), 1);
    assert_int_equal(goes(&one).text_len, 1);
}

static void listener_on_a_link(void **state)
{
    (void)state;
    struct sock *listener = listen6(80, local(1, TWO));
    struct peer one = neighbour(ONE, 80), two = neighbour(TWO, 80);
    expect_peer(joined(listener, &two, TWO), &two);
    comes(&one, (struct line){.flags = SYN}, ONE);
    assert_int_equal(goes(&one).flags, RST | ACK); /* nobody listens there */
}

static void connects(void **state)
{
    (void)state;
    struct peer one = neighbour(ONE, 0);
    struct sock *so = NULL;
    one.flow.remote_port = 80;
    assert_int_equal(stack_connect(host.stack, &one.flow, 0, &host, host.now_ns, &so), ERR_NONE);
    one.flow = host_status(so).flow;
    one.iss = goes(&one).seq.v;
    comes(&one, (struct line){.flags = SYN | ACK, .ack = 1}, TWO); /* somebody else */
    assert_int_equal(goes(&(struct peer){.flow = neighbour(TWO, 0).flow}).flags, RST);
    assert_int_equal(stack_state(so), STATE_SYN_SENT);
    comes(&one, (struct line){.flags = SYN | ACK, .ack = 1}, ONE);
    assert_int_equal(stack_state(so), STATE_ESTABLISHED);
    assert_int_equal(goes(&one).flags, ACK);
}

/* RFC 4291 2.5.6: the bits in which the zone is are 0 on the wire, or the packet is refused. */
static void forged(void **state)
{
    (void)state;
    listen6(80, IP_ADDR_ANY6);
    struct peer one = neighbour(ONE, 80);
    for (unsigned at = 8 + 1; at < 8 + 8; at++) {
        struct packet p;
        make(&p, &one, (struct line){.flags = SYN}, ONE);
        p.store[at] ^= 0x01; /* of the source; it is refused before its checksum */
        stack_input(host.stack, &p, 1, host.now_ns);
        nothing_leaves();
    }
    assert_int_equal(host_counters().bad_packets, 7);
    assert_int_equal(host_counters().segs_in, 0);
}

/* An error's quotation has the addresses as they were on the wire. */
static void errors(void **state)
{
    (void)state;
    struct sock *listener = listen6(80, IP_ADDR_ANY6);
    struct peer one = neighbour(ONE, 80), two = neighbour(TWO, 80);
    struct sock *a = joined(listener, &one, ONE), *b = joined(listener, &two, TWO);
    const struct tcp_ip reporting = {.ttl = 64, .report = true};
    host_set(a, ip6, reporting);
    host_set(b, ip6, reporting);
    stack_send(a, "x", 1, host.now_ns);
    goes(&one);
    stack_send(b, "x", 1, host.now_ns);
    goes(&two);
    uint8_t quoted[48] = {0}, octets[200];
    struct writer w = writer(quoted, sizeof quoted);
    const struct ip_hdr cause = {.src = two.flow.local,
                                 .dst = two.flow.remote,
                                 .proto = IP_PROTO_TCP,
                                 .ttl = 1,
                                 .payload_len = 21};
    ip_emit(&w, &cause);
    put_u16(&w, 80);
    put_u16(&w, two.flow.remote_port);
    put_u32(&w, two.iss + 1);
    struct icmp m = icmp_of_kind(ICMP_HOST_UNREACHABLE, false);
    m.body = (struct bytes){quoted, sizeof quoted};
    const struct ip_hdr ip = {.src = two.flow.remote,
                              .dst = two.flow.local,
                              .proto = IP_PROTO_ICMP6,
                              .ttl = 64,
                              .payload_len = (uint32_t)(ICMP_HDR_LEN + m.body.len)};
    w = writer(octets, sizeof octets);
    ip_emit(&w, &ip);
    icmp_emit(&w, &ip, &m);
    const struct packet p = {.head = {octets, sizeof octets - w.len}, .zone = TWO};
    stack_input(host.stack, &p, 1, host.now_ns);
    assert_int_equal(host_counters().icmp_acted, 1);
    assert_int_equal(stack_take_error(a), ERR_NONE);
    assert_int_equal(stack_take_error(b), ERR_HOSTUNREACH);
}

/* Fragments of two packets that differ in their link only; the whole ones have it. */
static void fragments(void **state)
{
    (void)state;
    struct sock *listener = listen6(80, IP_ADDR_ANY6);
    struct peer one = neighbour(ONE, 80), two = neighbour(TWO, 80);
    struct sock *a = joined(listener, &one, ONE), *b = joined(listener, &two, TWO);
    const struct peer *const peers[2] = {&one, &two};
    for (unsigned piece = 0; piece < 2; piece++) {
        for (unsigned i = 0; i < 2; i++) {
            struct packet whole;
            uint8_t octets[200], text[20];
            memset(text, i ? 'b' : 'a', sizeof text);
            struct line l = {.flags = ACK, .seq = 1, .ack = 1, .wnd = 10000};
            struct seg seg = line_seg(&l, peers[i]->irs, peers[i]->iss);
            seg.text[0] = (struct bytes){text, sizeof text};
            seg.n_text = 1;
            seg.text_len = sizeof text;
            const struct flow flow = {peers[i]->flow.remote, peers[i]->flow.local,
                                      peers[i]->flow.remote_port, 80};
            packet_encode(&whole, &flow, &seg, 0, 64, false);
            uint8_t upper[40];
            memcpy(upper, whole.store + 40, 20);
            memcpy(upper + 20, text, 20);
            memcpy(octets, whole.store, 40);
            octets[5] = (uint8_t)(8 + (piece ? 16 : 24));
            octets[6] = 44;
            memcpy(octets + 40, (uint8_t[]){6, 0, 0, piece ? 24 : 1, 0, 0, 0, 7}, 8);
            memcpy(octets + 48, upper + (piece ? 24 : 0), piece ? 16 : 24);
            const struct packet p = {.head = {octets, 48u + (piece ? 16 : 24)},
                                     .zone = i ? TWO : ONE};
            stack_input(host.stack, &p, 1, host.now_ns);
        }
    }
    assert_int_equal(host_counters().reassembled, 2);
    char got[30] = {0};
    assert_int_equal(stack_recv(a, got, sizeof got, false, host.now_ns), 20);
    assert_int_equal(got[19], 'a');
    assert_int_equal(stack_recv(b, got, sizeof got, false, host.now_ns), 20);
    assert_int_equal(got[19], 'b');
    all_leaves();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(two_links), host_test(listener_on_a_link), host_test(connects), host_test(forged),
        host_test(errors),    host_test(fragments),
    };
    return host_main(tests);
}
