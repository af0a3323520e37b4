/* ip.c: both families' headers, and IPv4 (RFC 791 3.1). Extension headers
 * are in test_ip6.c. */
#include "ip_support.h"

/* An IPv4 packet of `frame` octets, with whatever IHL and total length; options and payload are
 * counted up. The header checksum is right wherever the IHL says the header ends. */
static void build4(uint8_t *p, size_t frame, unsigned ihl, size_t total, uint16_t fragment)
{
    for (size_t i = 0; i < frame; i++)
        p[i] = (uint8_t)(i + 1);
    const uint8_t hdr[20] = {(uint8_t)(0x40 | ihl),
                             0xb9,
                             (uint8_t)(total >> 8),
                             (uint8_t)total,
                             0xca,
                             0xfe,
                             (uint8_t)(fragment >> 8),
                             (uint8_t)fragment,
                             61,
                             TCP,
                             0,
                             0,
                             10,
                             1,
                             2,
                             3,
                             10,
                             9,
                             8,
                             7};
    memcpy(p, hdr, sizeof hdr);
    size_t covered = ihl * 4 < frame ? ihl * 4 : frame;
    uint16_t sum = (uint16_t)~naive_sum(p, covered);
    p[10] = (uint8_t)(sum >> 8);
    p[11] = (uint8_t)sum;
}

static void v4_fields(void **state)
{
    (void)state;
    uint8_t p[40];
    struct ip_hdr h;
    size_t at, left;
    build4(p, sizeof p, 5, sizeof p, 0x4000);
    assert_int_equal(parse(p, sizeof p, sizeof p, &h, &at, &left), IP_OK);
    struct ip_addr src = ip_addr_v4(0x0a010203), dst = ip_addr_v4(0x0a090807);
    assert_true(ip_addr_eq(&h.src, &src));
    assert_true(ip_addr_eq(&h.dst, &dst));
    assert_int_equal(h.proto, TCP);
    assert_int_equal(h.ttl, 61);
    assert_int_equal(h.tos, 0xb9);
    assert_true(h.df);
    assert_int_equal(h.id, 0xcafe);
    assert_int_equal(h.payload_len, 20);
    assert_int_equal(at, 20);
    assert_int_equal(left, 20);
}

/* A5: every IHL with every total length from nothing to past the frame. */
static void v4_ihl_and_total_length(void **state)
{
    (void)state;
    enum { FRAME = 64 };
    for (unsigned ihl = 0; ihl < 16; ihl++) {
        for (size_t total = 0; total <= FRAME + 4; total++) {
            uint8_t p[FRAME];
            struct ip_hdr h;
            size_t at, left;
            build4(p, FRAME, ihl, total, 0);
            enum ip_error e = parse(p, FRAME, FRAME, &h, &at, &left);
            if (ihl < 5 || total < ihl * 4) {
                assert_int_equal(e, IP_HDR_LEN);
            } else if (total > FRAME) {
                assert_int_equal(e, IP_SHORT);
            } else {
                /* A4: what the frame holds beyond the total length is padding. */
                assert_int_equal(e, IP_OK);
                assert_int_equal(at, ihl * 4);
                assert_int_equal(h.payload_len, total - ihl * 4);
                assert_int_equal(left, total - ihl * 4);
            }
        }
    }
}

static void v4_cut_anywhere(void **state)
{
    (void)state;
    uint8_t p[80];
    struct ip_hdr h;
    size_t at, left;
    for (unsigned ihl = 5; ihl < 16; ihl += 5) {
        build4(p, sizeof p, ihl, sizeof p, 0);
        for (size_t len = 0; len < sizeof p; len++) {
            assert_int_equal(parse_all(p, len, &h), IP_SHORT);
            /* In pieces of memory: the first must hold the header, and need hold no more. */
            enum ip_error e = parse(p, len, sizeof p, &h, &at, &left);
            assert_int_equal(e, len < ihl * 4 ? IP_SHORT : IP_OK);
            if (e == IP_OK) {
                assert_int_equal(h.payload_len, sizeof p - ihl * 4);
                assert_int_equal(left, len - ihl * 4);
            }
        }
    }
}

/* A super-packet of the local kernel: the largest that 16 bits can state, of which the first piece
 * holds a little. */
static void v4_super_packet(void **state)
{
    (void)state;
    uint8_t p[60];
    struct ip_hdr h;
    size_t at, left;
    build4(p, sizeof p, 5, 65535, 0x4000);
    assert_int_equal(parse(p, sizeof p, 65535, &h, &at, &left), IP_OK);
    assert_int_equal(h.payload_len, 65515);
    assert_int_equal(left, 40);
    assert_int_equal(parse(p, sizeof p, 65534, &h, &at, &left), IP_SHORT);
}

static void v4_checksum_covers_every_bit(void **state)
{
    (void)state;
    uint8_t p[40];
    struct ip_hdr h;
    build4(p, sizeof p, 7, sizeof p, 0x4000);
    assert_int_equal(parse_all(p, sizeof p, &h), IP_OK);
    for (size_t bit = 0; bit < 28 * 8; bit++) {
        p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        enum ip_error e = parse_all(p, sizeof p, &h);
        /* Version and lengths are looked at first. */
        if (bit >= 32 || (bit >= 8 && bit < 16))
            assert_int_equal(e, IP_BAD_CHECKSUM);
        else
            assert_int_not_equal(e, IP_OK);
        p[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void v4_fragments(void **state)
{
    (void)state;
    uint8_t p[40];
    struct ip_hdr h;
    for (unsigned bit = 0; bit < 16; bit++) {
        build4(p, sizeof p, 5, sizeof p, (uint16_t)(1u << bit));
        bool fragment = bit < 14; /* 13 bits of offset, MF; then DF and the reserved bit */
        assert_int_equal(parse_all(p, sizeof p, &h), fragment ? IP_FRAGMENT : IP_OK);
        if (!fragment)
            assert_int_equal(h.df, bit == 14);
        assert_int_equal(h.offset, bit < 13 ? 8U << bit : 0);
        assert_int_equal(h.more, bit == 13);
        assert_int_equal(h.payload_len, sizeof p - IP4_HDR_LEN);
    }
}

/* MUST-50, A5: options are skipped whatever they say: source routes, record route and timestamps
 * with pointers and lengths that lead anywhere, and random octets. */
static void v4_options_are_skipped(void **state)
{
    (void)state;
    static const uint8_t kinds[] = {0, 1, 7, 68, 131, 137, 148, 255};
    static const uint8_t lengths[] = {0, 1, 2, 3, 4, 11, 39, 40, 41, 255};
    struct rnd rnd = rnd_start("ip");
    for (int round = 0; round < 2000; round++) {
        uint8_t p[80];
        unsigned ihl = 6 + rnd_below(&rnd, 10);
        build4(p, sizeof p, ihl, sizeof p, 0);
        rnd_fill(&rnd, p + 20, ihl * 4 - 20);
        p[20] = kinds[rnd_below(&rnd, sizeof kinds)];
        p[21] = lengths[rnd_below(&rnd, sizeof lengths)];
        p[10] = p[11] = 0;
        uint16_t sum = (uint16_t)~naive_sum(p, ihl * 4);
        p[10] = (uint8_t)(sum >> 8);
        p[11] = (uint8_t)sum;
        struct ip_hdr h;
        size_t at, left;
        assert_int_equal(parse(p, sizeof p, sizeof p, &h, &at, &left), IP_OK);
        assert_int_equal(at, ihl * 4);
        struct ip_addr dst = ip_addr_v4(0x0a090807); /* not the source route's next stop */
        assert_true(ip_addr_eq(&h.dst, &dst));
    }
}

static void versions(void **state)
{
    (void)state;
    for (unsigned version = 0; version < 16; version++) {
        uint8_t p[60] = {0};
        struct ip_hdr h;
        build4(p, sizeof p, 5, sizeof p, 0);
        p[0] = (uint8_t)(version << 4 | 5);
        enum ip_error e = parse_all(p, sizeof p, &h);
        if (version != 4 && version != 6)
            assert_int_equal(e, IP_VERSION);
        else
            assert_int_not_equal(e, IP_VERSION);
    }
}

static void random_octets(void **state)
{
    (void)state;
    struct rnd rnd = rnd_start("ip");
    unsigned ok4 = 0, ok6 = 0;
    for (int round = 0; round < 100000; round++) {
        uint8_t p[160];
        size_t len = rnd_below(&rnd, sizeof p + 1), at = 0, left = 0;
        size_t total = len + (round % 3 ? 0 : rnd_below(&rnd, 1000));
        rnd_fill(&rnd, p, len);
        /* Mostly of a known version, with lengths that may fit and kinds that are walked. */
        if (len >= 40 && round % 8) {
            static const uint8_t next[] = {0, 43, 44, 60, 6};
            if (round % 2) {
                p[0] = 0x40 | (p[0] & 0xf);
                p[2] = 0;
                p[6] &= 0x40;
                p[7] = 0;
                p[10] = p[11] = 0;
                size_t hdr = (p[0] & 0xf) * 4u < len ? (p[0] & 0xf) * 4u : len;
                uint16_t sum = (uint16_t)~naive_sum(p, hdr);
                p[10] = (uint8_t)(sum >> 8);
                p[11] = (uint8_t)sum;
            } else {
                p[0] = 0x60;
                p[4] = 0;
                p[6] = next[rnd_below(&rnd, 5)];
                for (size_t i = 40; i + 8 <= len; i += 8) {
                    const uint8_t pad[8] = {next[rnd_below(&rnd, 5)], (uint8_t)rnd_below(&rnd, 3)};
                    memcpy(p + i, pad, rnd_below(&rnd, 9));
                }
            }
        }
        struct ip_hdr h;
        if (parse(p, len, total, &h, &at, &left) == IP_OK) {
            ok4 += ip_addr_is_v4(&h.src);
            ok6 += !ip_addr_is_v4(&h.src);
        }
    }
    assert_true(ok4 > 1000); /* or the loop has tested little */
    assert_true(ok6 > 1000);
}

static void emit4(void **state)
{
    (void)state;
    const struct ip_hdr h = {
        .src = ip_addr_v4(0xc0a80001),
        .dst = ip_addr_v4(0xc0a800c7),
        .proto = 17,
        .ttl = 64,
        .df = true,
        .payload_len = 95,
    };
    /* A well-known worked example: its checksum is b861. */
    static const uint8_t want[20] = {0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
                                     0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7};
    uint8_t out[21] = {[20] = 0x55};
    struct writer w = writer(out, sizeof out);
    ip_emit(&w, &h);
    assert_false(w.bad);
    assert_int_equal(w.len, 1);
    assert_memory_equal(out, want, 20);
    assert_int_equal(out[20], 0x55);
    assert_int_equal(ip_hdr_len(&h.dst), 20);
    for (size_t room = 0; room < 20; room++) {
        uint8_t *p = exact_copy(out, room);
        w = writer(p, room);
        ip_emit(&w, &h);
        assert_true(w.bad);
        free(p);
    }
}

static void emit_parse_round_trip(void **state)
{
    (void)state;
    struct rnd rnd = rnd_start("ip");
    for (int round = 0; round < 2000; round++) {
        bool v4 = round % 2;
        struct ip_hdr h = {
            .proto = v4 ? (uint8_t)rnd_u64(&rnd) : TCP,
            .ttl = (uint8_t)rnd_u64(&rnd),
            .tos = (uint8_t)rnd_u64(&rnd),
            .df = v4 && rnd_below(&rnd, 2),
            .id = v4 ? (uint16_t)rnd_u64(&rnd) : 0,
            .payload_len = rnd_below(&rnd, v4 ? 65516 : 65536),
        };
        if (round < 4)
            h.payload_len = v4 ? 65515 : 65535;
        rnd_fill(&rnd, h.src.b, 16);
        rnd_fill(&rnd, h.dst.b, 16);
        h.src.b[1] &= 0x7f; /* no link-local ones, in which not all bits are free */
        h.dst.b[1] &= 0x7f;
        if (v4) {
            h.src = ip_addr_v4_bytes(h.src.b);
            h.dst = ip_addr_v4_bytes(h.dst.b);
        }
        uint8_t out[40];
        struct writer w = writer(out, sizeof out);
        ip_emit(&w, &h);
        assert_false(w.bad);
        size_t len = sizeof out - w.len, at, left;
        assert_int_equal(len, ip_hdr_len(&h.dst));
        struct ip_hdr back;
        assert_int_equal(parse(out, len, len + h.payload_len, &back, &at, &left), IP_OK);
        assert_true(ip_addr_eq(&back.src, &h.src));
        assert_true(ip_addr_eq(&back.dst, &h.dst));
        assert_int_equal(back.proto, h.proto);
        assert_int_equal(back.ttl, h.ttl);
        assert_int_equal(back.tos, h.tos);
        assert_int_equal(back.df, h.df);
        assert_int_equal(back.id, h.id);
        assert_int_equal(back.payload_len, h.payload_len);
        if (!v4)
            assert_memory_equal(out, ((uint8_t[]){0x60 | h.tos >> 4, (uint8_t)(h.tos << 4), 0, 0}),
                                4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(v4_fields),
        cmocka_unit_test(v4_ihl_and_total_length),
        cmocka_unit_test(v4_cut_anywhere),
        cmocka_unit_test(v4_super_packet),
        cmocka_unit_test(v4_checksum_covers_every_bit),
        cmocka_unit_test(v4_fragments),
        cmocka_unit_test(v4_options_are_skipped),
        cmocka_unit_test(versions),
        cmocka_unit_test(random_octets),
        cmocka_unit_test(emit4),
        cmocka_unit_test(emit_parse_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
