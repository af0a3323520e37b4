/* ip.c: RFC 791 3.1, RFC 8200 3 and 4, RFC 6946. VULNERABILITIES A4, A5, A7. */
#include "ip.h"
#include "support.h"

#define TCP IP_PROTO_TCP

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

/* Parses a copy of `held` octets that is no larger. *at: where the reader stood then; *left: what
 * it held then. */
static enum ip_error parse(const uint8_t *p, size_t held, size_t total_len, struct ip_hdr *h,
                           size_t *at, size_t *left)
{
    uint8_t *copy = exact_copy(p, held);
    struct reader r = reader(copy, held);
    enum ip_error e = ip_parse(&r, total_len, h);
    if (e == IP_OK) {
        assert_false(r.bad);
        *at = (size_t)(r.ptr - copy);
        *left = r.len;
        assert_true(*at + *left <= held);
        assert_true(*left <= h->payload_len);
        assert_true(*at + h->payload_len <= total_len);
    }
    free(copy);
    return e;
}

static enum ip_error parse_all(const uint8_t *p, size_t len, struct ip_hdr *h)
{
    size_t at, left;
    return parse(p, len, len, h, &at, &left);
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
            assert_int_equal(e, IP_CHECKSUM);
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

/* ---- IPv6 ---- */

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
        cmocka_unit_test(v6_fields),
        cmocka_unit_test(v6_lengths),
        cmocka_unit_test(v6_known_extensions_are_walked),
        cmocka_unit_test(v6_chains_are_capped),
        cmocka_unit_test(v6_hop_by_hop_stands_first),
        cmocka_unit_test(v6_routing_and_fragments),
        cmocka_unit_test(v6_options),
        cmocka_unit_test(v6_extension_lengths),
        cmocka_unit_test(random_octets),
        cmocka_unit_test(emit4),
        cmocka_unit_test(emit_parse_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
