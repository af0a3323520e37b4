/* border.c: fragments on their way to a connection. */
#include "codec.h"
#include "fragments.h"
#include "hosts.h"

/* A segment of the peer with 1000 octets of text, in three fragments; 1 + at is the first one's
 * number. */
static void arrive_in_fragments(const struct peer *a, uint32_t at, const unsigned order[3])
{
    struct flow flow = {a->flow.remote, a->flow.local, a->flow.remote_port, a->flow.local_port};
    uint8_t text[1000];
    for (uint32_t i = 0; i < sizeof text; i++)
        text[i] = stream_octet(true, at + i);
    struct seg seg = {.seq = {a->irs + 1 + at}, .ack = {a->iss + 1}, .flags = ACK, .wnd = 10000};
    seg.text_len = sizeof text;
    seg.n_text = 1;
    seg.text[0] = (struct bytes){text, sizeof text};
    struct packet p;
    packet_encode(&p, &flow, &seg, 0, 64, false);
    memcpy(source, p.store + IP4_HDR_LEN, TCP_HDR_LEN);
    memcpy(source + TCP_HDR_LEN, text, sizeof text);
    for (unsigned i = 0; i < 3; i++) {
        struct fragment f = fragment(true, 400 * order[i], 400, order[i] == 2);
        f.len = order[i] == 2 ? TCP_HDR_LEN + sizeof text - 800 : 400;
        f.hdr.src = flow.local;
        f.hdr.dst = flow.remote;
        f.hdr.id = at;
        uint8_t octets[500];
        p = (struct packet){.head = {octets, write_fragment(octets, sizeof octets, &f)}};
        stack_input(host.stack, &p, 1, host.now_ns);
        memset(octets, 0x5a, sizeof octets);
    }
}

static void to_a_connection(void **state)
{
    (void)state;
    struct peer a = peer(1, 80);
    host_listen(80, 5);
    host_handshake(HERE, &a);
    struct stack_event ev;
    assert_true(stack_next_event(host.stack, &ev));
    struct sock *so = host_accept(ev.sock);
    arrive_in_fragments(&a, 0, (const unsigned[]){0, 1, 2});
    arrive_in_fragments(&a, 1000, (const unsigned[]){2, 0, 1});
    leaves(&a, .flags = ACK, .seq = 1, .ack = 2001);
    assert_int_equal(host_recv(so, 0, 3000), 2000);
    arrive_in_fragments(&a, 2000, (const unsigned[]){0, 1, 1});
    assert_int_equal(host_counters().fragments, 9);
    assert_int_equal(host_counters().reassembled, 2);
    assert_int_equal(host_counters().fragment_drops, 1);
    assert_int_equal(host_counters().bad_packets, 0);
}

/* A fragment of a fragment is none of RFC 8200's packets; and would have no end. */
static void within_a_fragment(void **state)
{
    (void)state;
    struct fragment f = fragment(false, 0, 800, false);
    f.hdr.proto = 44;
    for (unsigned i = 0; i < 2; i++) {
        uint8_t octets[900];
        memset(source, 0, sizeof source); /* a fragment header, with the last one's place */
        source[0] = IP_PROTO_TCP;
        source[2] = 1;
        struct packet p = {.head = {octets, write_fragment(octets, sizeof octets, &f)}};
        stack_input(host.stack, &p, 1, host.now_ns);
        f.at = 800;
        f.last = true;
    }
    nothing_leaves();
    assert_int_equal(host_counters().reassembled, 1);
    assert_int_equal(host_counters().bad_packets, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test_ipv4(to_a_connection),
        host_test(within_a_fragment),
    };
    return host_main(tests);
}
