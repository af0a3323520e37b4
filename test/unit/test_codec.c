/* codec.c: whole packets. MUST-2, MUST-3. */
#include "codec.h"
#include "support.h"

#define SUPER 66000

/* Where a packet's octets lie side by side, and where its text comes from. */
static uint8_t flat[SUPER], source[SUPER];

static size_t flatten(const struct packet *p, uint8_t *out)
{
    assert_true(packet_len(p) <= SUPER);
    memcpy(out, p->head.ptr, p->head.len);
    size_t len = p->head.len;
    for (unsigned i = 0; i < p->n_body; i++) {
        memcpy(out + len, p->body[i].ptr, p->body[i].len);
        len += p->body[i].len;
    }
    return len;
}

static struct flow make_flow(bool v4)
{
    struct flow f = {.local_port = 40000, .remote_port = 80};
    for (uint8_t i = 0; i < 16; i++) {
        f.local.b[i] = (uint8_t)(0x20 + i);
        f.remote.b[i] = (uint8_t)(0xf3 - 5 * i);
    }
    if (v4) {
        f.local = ip_addr_v4(0x0a000001);
        f.remote = ip_addr_v4(0xc6336407);
    }
    return f;
}

/* A segment with n pieces of text, together text_len octets from `source`. */
static struct seg make_seg(uint8_t flags, uint32_t text_len, unsigned n, struct rnd *rnd)
{
    struct seg s = {.seq = seq(0x89abcdef), .ack = seq(0x12345678), .wnd = 64240, .flags = flags};
    s.opts = (struct tcp_opts){.has_mss = true, .has_wscale = true, .mss = 1460, .wscale = 7};
    s.text_len = text_len;
    uint32_t at = 0;
    for (unsigned i = 0; i < n; i++) {
        uint32_t len = i + 1 == n ? text_len - at : rnd_below(rnd, text_len - at + 1);
        s.text[s.n_text++] = (struct bytes){source + at, len};
        at += len;
    }
    return s;
}

/* The checksum of the TCP segment in a flat packet, the plain way: 0xffff when it is right. */
static uint16_t tcp_sum(const uint8_t *p, size_t len, bool v4)
{
    static uint8_t buf[SUPER + 40];
    size_t ip_len = v4 ? 20 : 40, tcp_len = len - ip_len, n = 0;
    memcpy(buf, p + (v4 ? 12 : 8), v4 ? 8 : 32);
    n += v4 ? 8 : 32;
    const uint8_t rest[8] = {
        0, (uint8_t)(tcp_len >> 16), (uint8_t)(tcp_len >> 8), (uint8_t)tcp_len, 0, 0, 0, 6};
    memcpy(buf + n, rest, 8);
    n += 8;
    memcpy(buf + n, p + ip_len, tcp_len);
    return naive_sum(buf, n + tcp_len);
}

/* A packet whose memory is `len` octets at p, cut at the given places. */
static struct packet cut(const uint8_t *p, size_t len, const size_t *at, unsigned n)
{
    struct packet pkt = {.csum = CSUM_FULL};
    pkt.head = (struct bytes){p, n ? at[0] : len};
    for (unsigned i = 0; i < n; i++) {
        size_t end = i + 1 < n ? at[i + 1] : len;
        pkt.body[pkt.n_body++] = (struct bytes){p + at[i], end - at[i]};
    }
    return pkt;
}

struct decoded {
    enum decode result;
    struct flow flow;
    struct ip_hdr ip;
    struct seg seg;
    const char *why;
};

/* From memory that ends where the pieces end. */
static struct decoded decode(const struct packet *p)
{
    struct packet copy = *p;
    uint8_t *own[1 + SEG_REFS_MAX];
    own[0] = exact_copy(p->head.ptr, p->head.len);
    copy.head.ptr = own[0];
    for (unsigned i = 0; i < p->n_body; i++) {
        own[i + 1] = exact_copy(p->body[i].ptr, p->body[i].len);
        copy.body[i].ptr = own[i + 1];
    }
    struct decoded d;
    memset(&d, 0xff, sizeof d);
    d.result = packet_decode(&copy, &d.flow, &d.ip, &d.seg, &d.why);
    assert_non_null(d.why);
    assert_int_equal(d.why[0] == '\0', d.result == DECODE_OK);
    if (d.result == DECODE_IP) {       /* nothing is known, and nothing left of the last packet */
        static const struct flow none; /* a struct without padding */
        assert_memory_equal(&d.flow, &none, sizeof none);
        assert_int_equal(d.seg.seq.v, 0);
        assert_int_equal(d.seg.text_len, 0);
        assert_int_equal(d.seg.n_text, 0);
    }
    /* The text, against `source`, before its memory goes. */
    if (d.result == DECODE_OK) {
        size_t at = 0;
        for (unsigned i = 0; i < d.seg.n_text; i++) {
            assert_true(d.seg.text[i].len > 0);
            assert_true(at + d.seg.text[i].len <= d.seg.text_len);
            assert_memory_equal(d.seg.text[i].ptr, source + at, d.seg.text[i].len);
            at += d.seg.text[i].len;
        }
        assert_int_equal(at, d.seg.text_len);
    }
    for (unsigned i = 0; i <= p->n_body; i++)
        free(own[i]);
    return d;
}

static void assert_same(const struct decoded *d, const struct flow *f, const struct seg *s)
{
    assert_int_equal(d->result, DECODE_OK);
    assert_true(ip_addr_eq(&d->flow.local, &f->remote)); /* seen from the other side */
    assert_true(ip_addr_eq(&d->flow.remote, &f->local));
    assert_int_equal(d->flow.local_port, f->remote_port);
    assert_int_equal(d->flow.remote_port, f->local_port);
    assert_true(seq_eq(d->seg.seq, s->seq));
    assert_true(seq_eq(d->seg.ack, s->ack));
    assert_int_equal(d->seg.wnd, s->wnd);
    assert_int_equal(d->seg.up, s->up);
    assert_int_equal(d->seg.flags, s->flags);
    assert_int_equal(d->seg.text_len, s->text_len);
    bool syn = s->flags & TCP_SYN;
    assert_int_equal(d->seg.opts.has_mss, syn);
    assert_int_equal(d->seg.opts.has_wscale, syn);
}

/* Octet by octet, worked out by hand but for the two sums, which are added up the plain way. */
static void encode_syn4(void **state)
{
    (void)state;
    struct rnd rnd = rnd_start("codec");
    struct flow f = make_flow(true);
    struct seg s = make_seg(TCP_SYN, 0, 0, &rnd);
    s.ack = seq(0);
    struct packet p;
    packet_encode(&p, &f, &s, 0x02, 64, false);
    uint8_t want[48] = {
        0x45, 0x02, 0x00, 0x30, 0x00, 0x00, 0x40, 0x00, 64, 6, 0, 0, /* DF, ID 0 */
        10,   0,    0,    1,    198,  51,   100,  7,                 /* addresses */
        0x9c, 0x40, 0x00, 0x50, 0x89, 0xab, 0xcd, 0xef, 0,  0, 0, 0, /* to ACK */
        0x70, 0x02, 0xfa, 0xf0, 0,    0,    0,    0,                 /* to UP */
        0x02, 0x04, 0x05, 0xb4, 0x01, 0x03, 0x03, 0x07,              /* options */
    };
    uint16_t ip_sum = (uint16_t)~naive_sum(want, 20);
    uint16_t sum = (uint16_t)~tcp_sum(want, sizeof want, true);
    want[10] = (uint8_t)(ip_sum >> 8);
    want[11] = (uint8_t)ip_sum;
    want[36] = (uint8_t)(sum >> 8);
    want[37] = (uint8_t)sum;
    assert_int_equal(p.head.len, sizeof want);
    assert_ptr_equal(p.head.ptr, p.store);
    assert_memory_equal(p.head.ptr, want, sizeof want);
    assert_int_equal(p.n_body, 0);
    assert_int_equal(p.csum, CSUM_FULL);
    assert_int_equal(p.gso_size, 0);
}

/* Text in 0 to 8 pieces of odd and even lengths, both families, checksum full and partial. */
static void round_trip(void **state)
{
    (void)state;
    struct rnd rnd = rnd_start("codec");
    rnd_fill(&rnd, source, sizeof source);
    for (int round = 0; round < 4000; round++) {
        bool v4 = round % 2, partial = round / 2 % 2;
        struct flow f = make_flow(v4);
        unsigned n = rnd_below(&rnd, SEG_REFS_MAX + 1);
        uint32_t text = n ? rnd_below(&rnd, round % 50 ? 1500 : 65000) : 0;
        struct seg s = make_seg((uint8_t)rnd_u64(&rnd), text, n, &rnd);
        s.up = (uint16_t)rnd_u64(&rnd);
        struct packet p;
        packet_encode(&p, &f, &s, 0xb9, 61, partial);
        assert_int_equal(p.csum, partial ? CSUM_PARTIAL : CSUM_FULL);
        assert_int_equal(p.n_body, n);
        for (unsigned i = 0; i < n; i++) /* referred to, not copied */
            assert_ptr_equal(p.body[i].ptr, s.text[i].ptr);

        size_t len = flatten(&p, flat), ip_len = v4 ? 20 : 40;
        if (partial) {
            /* What the device does: sum from the TCP header on, field included, and complement. */
            uint16_t sum = (uint16_t)~naive_sum(flat + ip_len, len - ip_len);
            flat[ip_len + 16] = (uint8_t)(sum >> 8);
            flat[ip_len + 17] = (uint8_t)sum;
        }
        assert_int_equal(tcp_sum(flat, len, v4), 0xffff);

        struct decoded d = decode(&p);
        assert_same(&d, &f, &s);
        assert_int_equal(d.ip.tos, 0xb9);
        assert_int_equal(d.ip.ttl, 61);
        assert_int_equal(d.ip.df, v4);
        assert_int_equal(d.ip.id, 0);
    }
}

/* The partial form to the letter: the pseudo header's sum, with the full length, not complemented.
 */
static void partial_field(void **state)
{
    (void)state;
    struct rnd rnd = rnd_start("codec");
    struct flow f = make_flow(true);
    struct seg s = make_seg(TCP_ACK, 64000, 3, &rnd);
    s.gso_size = 1448;
    struct packet p;
    packet_encode(&p, &f, &s, 0, 64, true);
    const uint8_t pseudo[12] = {10, 0, 0, 1, 198, 51, 100, 7, 0, 6, 64020 >> 8, 64020 & 0xff};
    uint16_t want = naive_sum(pseudo, sizeof pseudo);
    assert_int_equal(p.store[36] << 8 | p.store[37], want);
    assert_int_equal(p.gso_size, 1448);
    assert_int_equal(p.store[2] << 8 | p.store[3], 64040);
}

static void super_segments(void **state)
{
    (void)state;
    struct rnd rnd = rnd_start("codec");
    rnd_fill(&rnd, source, sizeof source);
    static const struct {
        uint32_t text;
        uint16_t gso, want;
    } cases[] = {
        {0, 0, 0},       {100, 0, 0},        {0, 1448, 0},        {1447, 1448, 0},
        {1448, 1448, 0}, {1449, 1448, 1448}, {65495, 1448, 1448}, {65475, 44, 44},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int v4 = 0; v4 < 2; v4++) {
            struct flow f = make_flow(v4);
            struct seg s = make_seg(TCP_ACK, cases[i].text, cases[i].text ? 2 : 0, &rnd);
            s.gso_size = cases[i].gso;
            struct packet p;
            packet_encode(&p, &f, &s, 0, 64, false);
            assert_int_equal(p.gso_size, cases[i].want);
            assert_int_equal(packet_len(&p), (v4 ? 40 : 60) + cases[i].text);
            p.gso_size = cases[i].gso; /* what a link may say of any packet */
            struct decoded d = decode(&p);
            assert_same(&d, &f, &s);
            assert_int_equal(d.seg.gso_size, cases[i].want);
        }
    }
}

/* On the way in the text may begin in the head and go on in the body, cut anywhere; if the TCP
 * header is cut, the packet is refused. */
static void head_cut_anywhere(void **state)
{
    (void)state;
    struct rnd rnd = rnd_start("codec");
    rnd_fill(&rnd, source, sizeof source);
    for (int v4 = 0; v4 < 2; v4++) {
        struct flow f = make_flow(v4);
        struct seg s = make_seg(TCP_SYN, 51, 1, &rnd);
        struct packet p;
        packet_encode(&p, &f, &s, 0, 64, false);
        size_t len = flatten(&p, flat), ip_len = v4 ? 20 : 40, hdr_len = ip_len + 28;
        for (size_t a = 0; a <= len; a++) {
            size_t at[] = {a, a + rnd_below(&rnd, (uint32_t)(len - a) + 1)};
            struct packet in = cut(flat, len, at, 2);
            struct decoded d = decode(&in);
            if (a < ip_len)
                assert_int_equal(d.result, DECODE_IP);
            else if (a < hdr_len)
                assert_int_equal(d.result, DECODE_TCP);
            else
                assert_same(&d, &f, &s);
        }
    }
}

/* A4: Ethernet pads short frames; the padding is neither summed nor handed on, wherever it lies. */
static void padding_is_cut_off(void **state)
{
    (void)state;
    struct rnd rnd = rnd_start("codec");
    rnd_fill(&rnd, source, sizeof source);
    for (int round = 0; round < 4000; round++) {
        bool v4 = round % 2;
        struct flow f = make_flow(v4);
        uint32_t text = rnd_below(&rnd, 12);
        struct seg s = make_seg(TCP_ACK, text, text ? 1 : 0, &rnd);
        struct packet p;
        packet_encode(&p, &f, &s, 0, 64, false);
        size_t len = flatten(&p, flat), hdr_len = v4 ? 40 : 60;
        size_t padded = len + rnd_below(&rnd, 30);
        rnd_fill(&rnd, flat + len, padded - len);
        size_t at[4];
        for (size_t i = 0, from = hdr_len; i < 4; i++)
            from = at[i] = from + rnd_below(&rnd, (uint32_t)(padded - from) + 1);
        struct packet in = cut(flat, padded, at, rnd_below(&rnd, 5));
        struct decoded d = decode(&in);
        assert_same(&d, &f, &s);
    }
}

/* MUST-3: every bit of header and text, in pieces, is under the checksum. */
static void every_bit_is_verified(void **state)
{
    (void)state;
    struct rnd rnd = rnd_start("codec");
    rnd_fill(&rnd, source, sizeof source);
    for (int v4 = 0; v4 < 2; v4++) {
        struct flow f = make_flow(v4);
        struct seg s = make_seg(TCP_SYN, 33, 1, &rnd);
        struct packet p;
        packet_encode(&p, &f, &s, 0, 64, false);
        size_t len = flatten(&p, flat), ip_len = v4 ? 20 : 40;
        /* IPv6 addresses too, which no other checksum covers. */
        for (size_t bit = (v4 ? 20 : 8) * 8; bit < len * 8; bit++) {
            flat[bit / 8] ^= (uint8_t)(1u << bit % 8);
            size_t at[] = {ip_len + 28 + 5, ip_len + 28 + 12};
            struct packet in = cut(flat, len, at, 2);
            assert_int_equal(decode(&in).result, DECODE_CHECKSUM);
            flat[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
}

/* What a local kernel has not finished, or the device has verified, is believed; the IPv4 header's
 * own checksum is verified always. */
static void unfinished_and_verified_are_believed(void **state)
{
    (void)state;
    struct rnd rnd = rnd_start("codec");
    rnd_fill(&rnd, source, sizeof source);
    struct flow f = make_flow(true);
    struct seg s = make_seg(TCP_ACK, 20, 1, &rnd);
    struct packet p;
    packet_encode(&p, &f, &s, 0, 64, false);
    p.store[20 + TCP_CSUM_OFFSET] ^= 0x40;
    static const uint8_t kinds[] = {CSUM_FULL, CSUM_PARTIAL, CSUM_VERIFIED};
    for (size_t i = 0; i < sizeof kinds; i++) {
        p.csum = kinds[i];
        assert_int_equal(decode(&p).result, kinds[i] == CSUM_FULL ? DECODE_CHECKSUM : DECODE_OK);
        p.store[8]--; /* time to live */
        assert_int_equal(decode(&p).result, DECODE_IP);
        p.store[8]++;
    }
}

static void set_ip_sum(uint8_t *p)
{
    p[10] = p[11] = 0;
    uint16_t sum = (uint16_t)~naive_sum(p, 20);
    p[10] = (uint8_t)(sum >> 8);
    p[11] = (uint8_t)sum;
}

static void other_protocols(void **state)
{
    (void)state;
    struct rnd rnd = rnd_start("codec");
    struct flow f = make_flow(true);
    struct seg s = make_seg(TCP_ACK, 0, 0, &rnd);
    struct packet p;
    packet_encode(&p, &f, &s, 0, 64, false);
    for (unsigned proto = 0; proto < 256; proto++) {
        p.store[9] = (uint8_t)proto;
        set_ip_sum(p.store);
        assert_int_equal(decode(&p).result, proto == 6 ? DECODE_OK : DECODE_NOT_TCP);
    }
}

/* A3: all data offsets against all IP total lengths, in a frame that is longer, equal or shorter.
 */
static void offsets_and_total_lengths(void **state)
{
    (void)state;
    struct rnd rnd = rnd_start("codec");
    struct flow f = make_flow(true);
    struct seg s = make_seg(TCP_ACK, 60, 1, &rnd);
    struct packet p;
    memset(source, 1, 60); /* read as options: NOP */
    packet_encode(&p, &f, &s, 0, 64, false);
    size_t frame = flatten(&p, flat);
    for (unsigned offset = 0; offset < 16; offset++) {
        for (size_t total = 0; total <= frame + 3; total++) {
            flat[2] = 0;
            flat[3] = (uint8_t)total;
            flat[32] = (uint8_t)(offset << 4);
            set_ip_sum(flat);
            struct packet in = cut(flat, frame, NULL, 0);
            in.csum = CSUM_VERIFIED;
            struct decoded d = decode(&in);
            if (total < 20 || total > frame)
                assert_int_equal(d.result, DECODE_IP);
            else if (total < 40 || offset < 5 || 20 + offset * 4 > total)
                assert_int_equal(d.result, DECODE_TCP);
            else
                assert_int_equal(d.seg.text_len, total - 20 - offset * 4);
            /* With the checksum to be verified it is wrong, and that is said first. */
            in.csum = CSUM_FULL;
            enum decode e = decode(&in).result;
            if (total < 20 || total > frame)
                assert_int_equal(e, DECODE_IP);
            else if (total < 40)
                assert_int_equal(e, DECODE_TCP);
            else
                assert_int_equal(e, total == frame && offset == 5 ? DECODE_OK : DECODE_CHECKSUM);
        }
    }
}

/* Text in the head and in 8 pieces of body is one piece more than a segment can refer to. */
static void more_pieces_than_references(void **state)
{
    (void)state;
    struct rnd rnd = rnd_start("codec");
    rnd_fill(&rnd, source, sizeof source);
    struct flow f = make_flow(true);
    struct seg s = make_seg(TCP_ACK, 40, 1, &rnd);
    struct packet p;
    packet_encode(&p, &f, &s, 0, 64, false);
    size_t len = flatten(&p, flat);
    const size_t nine[8] = {45, 46, 48, 50, 55, 60, 61, 70};
    struct packet in = cut(flat, len, nine, 8);
    assert_int_equal(decode(&in).result, DECODE_TCP);
    const size_t eight[8] = {40, 46, 48, 50, 55, 60, 61, 70};
    in = cut(flat, len, eight, 8);
    struct decoded d = decode(&in);
    assert_same(&d, &f, &s);
    assert_int_equal(d.seg.n_text, 8);
    const size_t empty[8] = {45, 46, 48, 48,
                             55, 60, 61, 70}; /* an empty piece counts for nothing */
    in = cut(flat, len, empty, 8);
    d = decode(&in);
    assert_same(&d, &f, &s);
    assert_int_equal(d.seg.n_text, 8);
}

/* Random octets, and good packets with a few octets changed, cut into random pieces. */
static void random_octets(void **state)
{
    (void)state;
    struct rnd rnd = rnd_start("codec");
    memset(source, 0, sizeof source);
    unsigned seen[DECODE_CHECKSUM + 1] = {0};
    for (int round = 0; round < 50000; round++) {
        size_t len = rnd_below(&rnd, 200);
        if (round % 4) {
            struct flow f = make_flow(round % 2);
            struct seg s = make_seg((uint8_t)rnd_u64(&rnd), 20, 1, &rnd);
            struct packet p;
            packet_encode(&p, &f, &s, 0, 64, false);
            len = flatten(&p, flat);
            /* Not the text, which decode() compares; often none at all. */
            for (uint32_t n = rnd_below(&rnd, 3); n > 0; n--)
                flat[rnd_below(&rnd, (uint32_t)p.head.len)] = (uint8_t)rnd_u64(&rnd);
            if (round % 2)
                set_ip_sum(flat);
        } else {
            rnd_fill(&rnd, flat, len);
        }
        size_t at[SEG_REFS_MAX], from = rnd_below(&rnd, (uint32_t)len + 1);
        for (unsigned i = 0; i < SEG_REFS_MAX; i++) {
            at[i] = from;
            from += rnd_below(&rnd, (uint32_t)(len - from) + 1);
        }
        struct packet in = cut(flat, len, at, rnd_below(&rnd, SEG_REFS_MAX + 1));
        /* Only the checksum stands between a wrong data offset and decode()'s look at the text. */
        seen[decode(&in).result]++;
    }
    for (size_t i = 0; i < sizeof seen / sizeof seen[0]; i++)
        assert_true(seen[i] > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encode_syn4),
        cmocka_unit_test(round_trip),
        cmocka_unit_test(partial_field),
        cmocka_unit_test(super_segments),
        cmocka_unit_test(head_cut_anywhere),
        cmocka_unit_test(padding_is_cut_off),
        cmocka_unit_test(every_bit_is_verified),
        cmocka_unit_test(unfinished_and_verified_are_believed),
        cmocka_unit_test(other_protocols),
        cmocka_unit_test(offsets_and_total_lengths),
        cmocka_unit_test(more_pieces_than_references),
        cmocka_unit_test(random_octets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
