/* ip.c: IPv6 (RFC 8200 3 and 4, RFC 6946). */
#include "ip_support.h"

/* An IPv6 packet under construction; the payload length is filled in by finish6. */
struct v6 {
    uint8_t p[2400];
    size_t len;
};

static void begin6(struct v6 *v, uint8_t next)
{
    memset(v, 0, sizeof *v);
    const uint8_t hdr[8] = {0x6b, 0x9f, 0xff, 0xff, 0, 0, next, 61}; /* class 0xb9, a flow label */
    memcpy(v->p, hdr, sizeof hdr);
    for (uint8_t i = 8; i < 40; i++)
        v->p[i] = (uint8_t)(0x20 + i);
    v->len = 40;
}

static void add6(struct v6 *v, const void *data, size_t len)
{
    assert_true(v->len + len <= sizeof v->p);
    memcpy(v->p + v->len, data, len);
    v->len += len;
}

/* An extension header of 8 octets. */
static void add6_ext(struct v6 *v, uint8_t next, uint8_t b1, uint8_t b2, uint8_t b3, uint8_t b4)
{
    const uint8_t ext[8] = {next, b1, b2, b3, b4};
    add6(v, ext, sizeof ext);
}

static void finish6(struct v6 *v)
{
    v->p[4] = (uint8_t)((v->len - 40) >> 8);
    v->p[5] = (uint8_t)(v->len - 40);
}

static void assert6(struct v6 *v, enum ip_error want, size_t text)
{
    struct ip_hdr h;
    size_t at, left;
    finish6(v);
    assert_int_equal(parse(v->p, v->len, v->len, &h, &at, &left), want);
    if (want != IP_OK)
        return;
    assert_int_equal(h.proto, TCP);
    assert_int_equal(h.payload_len, text);
    assert_int_equal(at, v->len - text);
    assert_int_equal(left, text);
}

static void v6_fields(void **state)
{
    (void)state;
    struct v6 v;
    begin6(&v, TCP);
    add6(&v, "0123456789", 10);
    finish6(&v);
    struct ip_hdr h;
    size_t at, left;
    assert_int_equal(parse(v.p, v.len, v.len, &h, &at, &left), IP_OK);
    assert_memory_equal(h.src.b, v.p + 8, 16);
    assert_memory_equal(h.dst.b, v.p + 24, 16);
    assert_int_equal(h.proto, TCP);
    assert_int_equal(h.ttl, 61);
    assert_int_equal(h.tos, 0xb9);
    assert_false(h.df);
    assert_int_equal(h.id, 0);
    assert_int_equal(h.payload_len, 10);
    assert_int_equal(at, 40);
    assert_int_equal(left, 10);
}

/* A4: payload length below, at and beyond the frame; a header cut anywhere. */
static void v6_lengths(void **state)
{
    (void)state;
    struct v6 v;
    struct ip_hdr h;
    size_t at, left;
    begin6(&v, TCP);
    v.len = 70;
    for (uint8_t stated = 0; stated < 40; stated++) {
        v.p[5] = stated;
        enum ip_error e = parse(v.p, 70, 70, &h, &at, &left);
        assert_int_equal(e, stated > 30 ? IP_SHORT : IP_OK);
        if (e == IP_OK) {
            assert_int_equal(h.payload_len, stated);
            assert_int_equal(left, stated);
        }
    }
    v.p[5] = 30;
    for (size_t len = 0; len < 70; len++) {
        assert_int_equal(parse_all(v.p, len, &h), IP_SHORT);
        assert_int_equal(parse(v.p, len, 70, &h, &at, &left), len < 40 ? IP_SHORT : IP_OK);
    }
    v.p[4] = v.p[5] = 0xff; /* a super-packet */
    assert_int_equal(parse(v.p, 60, 40 + 65535, &h, &at, &left), IP_OK);
    assert_int_equal(h.payload_len, 65535);
    assert_int_equal(parse(v.p, 60, 40 + 65534, &h, &at, &left), IP_SHORT);
}

static void v6_known_extensions_are_walked(void **state)
{
    (void)state;
    struct v6 v;
    /* The order RFC 8200 4.1 recommends: all of them, then text of 5 octets. */
    begin6(&v, 0);
    add6_ext(&v, 60, 0, 5, 2, 0); /* hop-by-hop: router alert, unknown to us, may be skipped */
    add6_ext(&v, 43, 0, 1, 4, 0); /* destination options: PadN */
    add6_ext(&v, 44, 0, 0, 0, 0); /* routing, no segments left */
    add6_ext(&v, 60, 0xff, 0, 0, 0x77); /* atomic fragment; its second octet is reserved */
    add6_ext(&v, TCP, 0, 0, 0, 0);      /* destination options: Pad1 */
    add6(&v, "hello", 5);
    assert6(&v, IP_OK, 5);

    /* Everything ends with an extension header: nothing follows, which is TCP's complaint. */
    begin6(&v, 60);
    add6_ext(&v, TCP, 0, 1, 4, 0);
    assert6(&v, IP_OK, 0);

    /* What we don't know may be an upper layer as well: handed on as the protocol it is. */
    static const uint8_t others[] = {17, 50, 51, 58, 59, 135, 253};
    for (size_t i = 0; i < sizeof others; i++) {
        struct ip_hdr h;
        begin6(&v, 60);
        add6_ext(&v, others[i], 0, 1, 4, 0);
        finish6(&v);
        assert_int_equal(parse_all(v.p, v.len, &h), IP_OK);
        assert_int_equal(h.proto, others[i]);
    }
}

static void v6_chains_are_capped(void **state)
{
    (void)state;
    for (unsigned n = 0; n <= 200; n++) {
        struct v6 v;
        begin6(&v, n ? 60 : TCP);
        for (unsigned i = 1; i <= n; i++)
            add6_ext(&v, i == n ? TCP : 60, 0, 1, 4, 0);
        add6(&v, "hello", 5);
        assert6(&v, n <= 8 ? IP_OK : IP_EXTENSION, 5);
    }
}

static void v6_hop_by_hop_stands_first(void **state)
{
    (void)state;
    struct v6 v;
    begin6(&v, 0);
    add6_ext(&v, 0, 0, 1, 4, 0);
    add6_ext(&v, TCP, 0, 1, 4, 0);
    assert6(&v, IP_EXTENSION, 0);
    begin6(&v, 60);
    add6_ext(&v, 0, 0, 1, 4, 0);
    add6_ext(&v, TCP, 0, 1, 4, 0);
    assert6(&v, IP_EXTENSION, 0);
}

static void v6_routing_and_fragments(void **state)
{
    (void)state;
    struct v6 v;
    for (unsigned left = 0; left < 256; left++) {
        begin6(&v, 43);
        add6_ext(&v, TCP, 0, 0, (uint8_t)left, 0); /* type 0: RFC 5095 */
        assert6(&v, left ? IP_EXTENSION : IP_OK, 0);
    }
    /* RFC 6946: offset 0 and no more to come is a whole packet; the 2 reserved bits say nothing. */
    for (unsigned bit = 0; bit < 16; bit++) {
        uint16_t field = (uint16_t)(1u << bit);
        begin6(&v, 44);
        add6_ext(&v, TCP, 0, (uint8_t)(field >> 8), (uint8_t)field, 0x12);
        assert6(&v, bit == 1 || bit == 2 ? IP_OK : IP_FRAGMENT, 0);
        struct ip_hdr h;
        parse_all(v.p, v.len, &h);
        assert_int_equal(h.offset, bit > 2 ? field : 0);
        assert_int_equal(h.more, bit == 0);
        assert_int_equal(h.proto, TCP);
    }
}

/* RFC 8200 4.2: the two high bits of an unknown option's type say skip it, or discard the packet.
 */
static void v6_options(void **state)
{
    (void)state;
    static const uint8_t headers[] = {0, 60};
    for (size_t i = 0; i < sizeof headers; i++) {
        for (unsigned type = 0; type < 256; type++) {
            for (unsigned len = 0; len < 256; len++) {
                struct v6 v;
                begin6(&v, headers[i]);
                /* 14 octets of options: this one, and Pad1 after it. */
                const uint8_t ext[16] = {TCP, 1, (uint8_t)type, (uint8_t)len};
                add6(&v, ext, sizeof ext);
                /* After Pad1 `len` is the next type, and has length 0. */
                bool ok = type == 0 ? len < 0x40 : type < 0x40 && len <= 12;
                assert6(&v, ok ? IP_OK : IP_EXTENSION, 0);
            }
        }
    }
    /* A type at the very end, with no room for its length. */
    struct v6 v;
    begin6(&v, 60);
    const uint8_t ext[8] = {TCP, 0, 1, 3, 0, 0, 0, 5};
    add6(&v, ext, sizeof ext);
    assert6(&v, IP_EXTENSION, 0);
    /* RFC 2675: a jumbogram states length 0 and the true one in an option, which we refuse. */
    begin6(&v, 0);
    const uint8_t jumbo[8] = {TCP, 0, 0xc2, 4, 0, 1, 0, 0};
    add6(&v, jumbo, sizeof jumbo);
    struct ip_hdr h;
    assert_int_equal(parse_all(v.p, v.len, &h), IP_EXTENSION); /* length still 0 */
    assert6(&v, IP_EXTENSION, 0);
}

/* A7: every length an extension header can state, against every length of packet around it; the
 * packet in one piece, cut, and held in part. */
static void v6_extension_lengths(void **state)
{
    (void)state;
    static const uint8_t kinds[] = {0, 43, 44, 60};
    for (size_t k = 0; k < sizeof kinds; k++) {
        for (unsigned stated = 0; stated < 256; stated++) {
            size_t ext_len = kinds[k] == 44 ? 8 : (stated + 1) * 8;
            for (size_t room = 0; room <= 2060; room += room < 20 ? 1 : 60) {
                struct v6 v;
                begin6(&v, kinds[k]);
                v.p[40] = TCP; /* Pad1 all the way; no segments left; offset 0 */
                v.p[41] = (uint8_t)stated;
                v.len += room;
                bool fits = ext_len <= room;
                assert6(&v, fits ? IP_OK : IP_EXTENSION, fits ? room - ext_len : 0);

                /* The header ends in a later piece of memory: refused, not read. */
                struct ip_hdr h;
                size_t at, left, held = room / 2;
                enum ip_error e = parse(v.p, 40 + held, v.len, &h, &at, &left);
                if (fits)
                    assert_int_equal(e, ext_len <= held ? IP_OK : IP_SHORT);
                else
                    assert_int_not_equal(e, IP_OK);
            }
        }
    }
    /* The frame holds it, but padding is no part of the packet. */
    struct v6 v;
    begin6(&v, 60);
    add6_ext(&v, TCP, 0, 1, 4, 0);
    v.p[5] = 7;
    struct ip_hdr h;
    assert_int_equal(parse_all(v.p, v.len, &h), IP_EXTENSION);
}

static void v6_mapped_addresses(void **state)
{
    (void)state;
    for (size_t at = 8; at <= 24; at += 16) {
        struct v6 v;
        begin6(&v, TCP);
        memset(v.p + at, 0, 10);
        memset(v.p + at + 10, 0xff, 2);
        assert6(&v, IP_MAPPED, 0);
        v.p[at + 11] = 0xfe; /* the same but for one bit is an address like any other */
        assert6(&v, IP_OK, 0);
    }
}

/* RFC 4291 2.5.6: 54 bits behind the prefix are 0. */
static void v6_link_local_addresses(void **state)
{
    (void)state;
    for (size_t at = 8; at <= 24; at += 16) {
        struct v6 v;
        begin6(&v, TCP);
        memset(v.p + at, 0, 8);
        v.p[at] = 0xfe;
        v.p[at + 1] = 0x80;
        assert6(&v, IP_OK, 0);
        for (size_t bit = 10; bit < 64; bit++) {
            uint8_t mask = (uint8_t)(0x80u >> bit % 8);
            v.p[at + bit / 8] ^= mask;
            assert6(&v, IP_LINK_LOCAL, 0);
            v.p[at + bit / 8] ^= mask;
        }
        v.p[at + 1] = 0xc0; /* site-local ones are like any other */
        v.p[at + 7] = 1;
        assert6(&v, IP_OK, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(v6_fields),
        cmocka_unit_test(v6_lengths),
        cmocka_unit_test(v6_known_extensions_are_walked),
        cmocka_unit_test(v6_chains_are_capped),
        cmocka_unit_test(v6_hop_by_hop_stands_first),
        cmocka_unit_test(v6_routing_and_fragments),
        cmocka_unit_test(v6_options),
        cmocka_unit_test(v6_extension_lengths),
        cmocka_unit_test(v6_mapped_addresses),
        cmocka_unit_test(v6_link_local_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
