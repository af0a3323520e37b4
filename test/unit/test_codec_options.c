/* codec.c: IPv4 options in packets that leave. RFC 791 3.1, RFC 9293 3.9.2.1. */
#include "codec.h"
#include "support.h"

#define SRC ip_addr_v4(0x0a000001)
#define DST ip_addr_v4(0x0a000101)

static const uint8_t text[] = "something to send";

static struct packet with_options(const uint8_t *octets, size_t len, bool partial,
                                  struct packet *plain)
{
    const struct flow flow = {SRC, DST, 40000, 80};
    struct seg seg = {.seq = seq(5), .flags = TCP_SYN, .wnd = 77};
    seg.opts = (struct tcp_opts){.has_mss = true, .mss = 1460, .has_wscale = true, .wscale = 7};
    seg.text[0] = (struct bytes){text, sizeof text};
    seg.n_text = 1;
    seg.text_len = sizeof text;
    struct ip_options o;
    assert_true(ip_options_read(&o, octets, len));
    struct packet p;
    packet_encode(plain, &flow, &seg, 0xb8, 61, partial);
    packet_encode(&p, &flow, &seg, 0xb8, 61, partial);
    packet_put_options(&p, &o, 0);
    return p;
}

/* The header is the plain one with the options behind it; what follows is as it was. */
static void every_length(void **state)
{
    (void)state;
    uint8_t octets[40];
    memset(octets, 1, sizeof octets);
    for (size_t len = 0; len <= 40; len += 4) {
        struct packet plain, p = with_options(octets, len, false, &plain);
        p.head.ptr = p.store; /* it has been copied */
        struct ip_hdr ip;
        struct reader r = reader(p.head.ptr, p.head.len);
        assert_int_equal(ip_parse(&r, packet_len(&p), &ip), IP_OK); /* its checksum as well */
        assert_int_equal(ip.options.len, len);
        assert_memory_equal(ip.options.ptr ? ip.options.ptr : octets, octets, len);
        assert_int_equal(ip.tos, 0xb8);
        assert_int_equal(ip.ttl, 61);
        assert_true(ip.df);
        assert_int_equal(r.len, plain.head.len - 20);
        assert_memory_equal(r.ptr, plain.store + 20, r.len);
        struct flow flow;
        struct seg seg;
        const char *why;
        assert_int_equal(packet_decode(&p, &flow, &ip, &seg, &why), DECODE_OK);
        assert_int_equal(seg.text_len, sizeof text);
    }
}

/* A source route: to the first hop, by the checksum to the destination, whoever makes it. */
static void source_route(void **state)
{
    (void)state;
    static const uint8_t octets[] = {131, 11, 4, 10, 0, 0, 254, 10, 9, 9, 9};
    for (int partial = 0; partial < 2; partial++) {
        struct packet plain, p = with_options(octets, sizeof octets, partial, &plain);
        p.head.ptr = p.store;
        plain.head.ptr = plain.store;
        assert_memory_equal(p.store + 16, ((uint8_t[]){10, 0, 0, 254}), 4);
        assert_memory_equal(p.store + 20, ((uint8_t[]){131, 11, 4, 10, 9, 9, 9, 10, 0, 1, 1, 0}),
                            12);
        assert_memory_equal(p.store + 32, plain.store + 20, plain.head.len - 20);
        size_t at, plain_at;
        uint8_t sum[2], plain_sum[2];
        assert_true(packet_checksum(&p, &at, sum));
        assert_true(packet_checksum(&plain, &plain_at, plain_sum));
        assert_int_equal(at, plain_at + 12);
        assert_memory_equal(sum, plain_sum, 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_length),
        cmocka_unit_test(source_route),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
