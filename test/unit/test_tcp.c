/* tcp.c: RFC 9293 3.1, 3.2; RFC 7323 2. */
#include "support.h"
#include "tcp.h"

#define SYN_ACK (TCP_SYN | TCP_ACK)

/* A segment of len octets that states this data offset; after the fixed header counted up. */
static void build(uint8_t *p, size_t len, unsigned offset, uint8_t flags)
{
    static const uint8_t hdr[20] = {0x12, 0x34, 0xab, 0xcd, 0xf1, 0xe2, 0xd3, 0xc4, 0x81, 0x92,
                                    0xa3, 0xb4, 0,    0,    0xfe, 0xdc, 0x55, 0xaa, 0x87, 0x65};
    for (size_t i = 0; i < len; i++)
        p[i] = (uint8_t)i;
    memcpy(p, hdr, len < sizeof hdr ? len : sizeof hdr);
    if (len > 13) {
        p[12] = (uint8_t)(offset << 4);
        p[13] = flags;
    }
}

/* Parses the first `held` octets of a segment of `len`, from memory no larger than `held`. */
static enum tcp_error parse(const uint8_t *p, size_t held, size_t len, struct seg *seg)
{
    uint8_t *copy = exact_copy(p, held);
    struct reader r = reader(copy, held);
    uint16_t src, dst;
    enum tcp_error e = tcp_parse(&r, (uint32_t)len, &src, &dst, seg);
    if (e == TCP_OK) {
        size_t at = (size_t)(r.ptr - copy);
        assert_false(r.bad);
        assert_int_equal(at, (copy[12] >> 4) * 4);
        assert_int_equal(at + seg->text_len, len);
        assert_int_equal(at + r.len, held);
        assert_int_equal(seg->n_text, 0);
        assert_int_equal(seg->gso_size, 0);
    }
    free(copy);
    return e;
}

static enum tcp_error parse_all(const uint8_t *p, size_t len, struct seg *seg)
{
    return parse(p, len, len, seg);
}

/* A segment whose options are these, filled up to 32 bits with `fill`, and no text. */
static enum tcp_error parse_opts(uint8_t flags, const uint8_t *opts, size_t n, uint8_t fill,
                                 struct seg *seg)
{
    uint8_t p[60];
    size_t len = 20 + (n + 3) / 4 * 4;
    assert_true(len <= sizeof p);
    build(p, len, (unsigned)(len / 4), flags);
    memset(p + 20, fill, len - 20);
    memcpy(p + 20, opts, n);
    return parse_all(p, len, seg);
}

static void fields(void **state)
{
    (void)state;
    uint8_t p[30];
    build(p, sizeof p, 5, 0);
    for (unsigned flags = 0; flags < 256; flags++) {
        p[12] = (uint8_t)(5 << 4 | (flags & 0xf)); /* reserved bits say nothing (3.1) */
        p[13] = (uint8_t)flags;
        struct reader r = reader(p, sizeof p);
        struct seg seg;
        memset(&seg, 0xff, sizeof seg);
        uint16_t src, dst;
        assert_int_equal(tcp_parse(&r, sizeof p, &src, &dst, &seg), TCP_OK);
        assert_int_equal(src, 0x1234);
        assert_int_equal(dst, 0xabcd);
        assert_int_equal(seg.seq.v, 0xf1e2d3c4);
        assert_int_equal(seg.ack.v, 0x8192a3b4);
        assert_int_equal(seg.flags, flags);
        assert_int_equal(seg.wnd, 0xfedc);
        assert_int_equal(seg.up, 0x8765);
        assert_int_equal(seg.text_len, 10);
        assert_false(seg.opts.has_mss);
        assert_false(seg.opts.has_wscale);
        assert_int_equal(seg.n_text, 0);
        assert_int_equal(seg.gso_size, 0);
        assert_ptr_equal(r.ptr, p + 20);
    }
}

static void lengths_in_sequence_space(void **state)
{
    (void)state;
    struct seg seg = {.seq = seq(0xfffffffe), .text_len = 5};
    assert_int_equal(seg_len(&seg), 5);
    assert_int_equal(seg_end(&seg).v, 3);
    seg.flags = TCP_SYN | TCP_FIN | TCP_ACK | TCP_RST | TCP_PSH | TCP_URG;
    assert_int_equal(seg_len(&seg), 7);
    assert_int_equal(seg_end(&seg).v, 5);
}

/* A3: all 16 data offsets, every segment length, every length of the piece of memory held. */
static void data_offsets(void **state)
{
    (void)state;
    for (unsigned offset = 0; offset < 16; offset++) {
        for (size_t len = 0; len <= 80; len++) {
            uint8_t p[80];
            struct seg seg;
            build(p, len, offset, TCP_ACK);
            if (len > 20) /* NOP, where the header has options */
                memset(p + 20, 1, len - 20);
            enum tcp_error want = len < 20                                 ? TCP_SHORT
                                  : offset < 5 || (size_t)offset * 4 > len ? TCP_DATA_OFFSET
                                                                           : TCP_OK;
            assert_int_equal(parse_all(p, len, &seg), want);
            for (size_t held = 0; held < len; held++) {
                enum tcp_error e = parse(p, held, len, &seg);
                if (want != TCP_OK)
                    assert_true(e == want || (held < 20 && e == TCP_SHORT));
                else
                    assert_int_equal(e, held < (size_t)offset * 4 ? TCP_SHORT : TCP_OK);
            }
            /* The reader may hold more than the segment: padding that nobody cut off. */
            uint8_t padded[90] = {0};
            memcpy(padded, p, len);
            if (len >= 20)
                assert_int_equal(parse(padded, sizeof padded, sizeof padded, &seg),
                                 offset < 5 ? TCP_DATA_OFFSET : TCP_OK);
            struct reader r = reader(padded, sizeof padded);
            uint16_t src, dst;
            assert_int_equal(tcp_parse(&r, (uint32_t)len, &src, &dst, &seg), want);
        }
    }
}

/* MUST-4 and RFC 7323 2: in a SYN, in any order, at any alignment (MUST-64). */
static void options_at_any_alignment(void **state)
{
    (void)state;
    static const uint8_t mss[] = {2, 4, 0xfe, 0xdc}, wscale[] = {3, 3, 0xa7};
    for (size_t before = 0; before < 12; before++) {
        for (size_t between = 0; between < 12; between++) {
            for (int mss_first = 0; mss_first < 2; mss_first++) {
                uint8_t o[40];
                size_t n = before;
                memset(o, 1, sizeof o);
                memcpy(o + n, mss_first ? mss : wscale, mss_first ? 4 : 3);
                n += (mss_first ? 4u : 3u) + between;
                memcpy(o + n, mss_first ? wscale : mss, mss_first ? 3 : 4);
                n += mss_first ? 3 : 4;
                for (int end = 0; end < 2; end++) { /* padded by End of Option List, or by NOP */
                    struct seg seg;
                    assert_int_equal(parse_opts(TCP_SYN, o, n, (uint8_t)end, &seg), TCP_OK);
                    assert_true(seg.opts.has_mss);
                    assert_int_equal(seg.opts.mss, 0xfedc);
                    assert_true(seg.opts.has_wscale);
                    assert_int_equal(seg.opts.wscale, 0xa7); /* A12: as sent, not clamped */
                }
            }
        }
    }
}

/* A11: extreme values are reported as they are; a floor is the connection's business. */
static void any_mss_is_reported(void **state)
{
    (void)state;
    static const uint16_t values[] = {0, 1, 8, 48, 535, 1460, 65535};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        const uint8_t o[] = {2, 4, (uint8_t)(values[i] >> 8), (uint8_t)values[i]};
        struct seg seg;
        assert_int_equal(parse_opts(SYN_ACK, o, sizeof o, 0, &seg), TCP_OK);
        assert_true(seg.opts.has_mss);
        assert_int_equal(seg.opts.mss, values[i]);
    }
}

/* MUST-5: options may stand in any segment. Those of the handshake count in a SYN only: RFC 7323
 * 2.2 says so of the window scale, and MSS is never sent elsewhere (MUST-65). */
static void handshake_options_count_in_a_syn_only(void **state)
{
    (void)state;
    static const uint8_t o[] = {2, 4, 5, 0xb4, 1, 3, 3, 7};
    for (unsigned flags = 0; flags < 256; flags++) {
        struct seg seg;
        assert_int_equal(parse_opts((uint8_t)flags, o, sizeof o, 0, &seg), TCP_OK);
        assert_int_equal(seg.opts.has_mss, (flags & TCP_SYN) != 0);
        assert_int_equal(seg.opts.has_wscale, (flags & TCP_SYN) != 0);
    }
}

/* MUST-6, MUST-68: every kind but 0 and 1 is skipped by its length, with and without content. */
static void unknown_options_are_skipped(void **state)
{
    (void)state;
    for (unsigned kind = 4; kind < 256; kind++) {
        for (size_t len = 2; len <= 36; len++) {
            uint8_t o[40];
            memset(o, 2, sizeof o); /* content that would look like an MSS option's start */
            o[0] = (uint8_t)kind;
            o[1] = (uint8_t)len;
            const uint8_t mss[] = {2, 4, 5, 0xb4};
            memcpy(o + len, mss, sizeof mss);
            static const uint8_t flags[] = {TCP_SYN, SYN_ACK, TCP_ACK};
            for (size_t f = 0; f < sizeof flags; f++) {
                struct seg seg;
                assert_int_equal(parse_opts(flags[f], o, len + 4, 0, &seg), TCP_OK);
                assert_int_equal(seg.opts.has_mss, (flags[f] & TCP_SYN) != 0);
                if (seg.opts.has_mss)
                    assert_int_equal(seg.opts.mss, 0x5b4);
                assert_false(seg.opts.has_wscale);
            }
        }
    }
}

/* MUST-4: what stands after End of Option List is not read, not even to find fault with it. */
static void end_of_list_ends_it(void **state)
{
    (void)state;
    static const uint8_t o[] = {1, 0, 2, 4, 5, 0xb4, 3, 3, 7, 99, 0, 255};
    struct seg seg;
    assert_int_equal(parse_opts(TCP_SYN, o, sizeof o, 0xff, &seg), TCP_OK);
    assert_false(seg.opts.has_mss);
    assert_false(seg.opts.has_wscale);
}

/* A known option of a length that isn't its own says nothing, and hides nothing after it. */
static void known_options_of_wrong_length(void **state)
{
    (void)state;
    for (uint8_t kind = 2; kind <= 3; kind++) {
        for (uint8_t len = 2; len <= 33; len++) {
            uint8_t o[40];
            memset(o, 0x11, sizeof o);
            o[0] = kind;
            o[1] = len;
            /* Then the other one, as it should be. */
            static const uint8_t mss[] = {2, 4, 5, 0xb4}, wscale[] = {3, 3, 9};
            size_t after = kind == 2 ? sizeof wscale : sizeof mss, n = len + after;
            memcpy(o + len, kind == 2 ? wscale : mss, after);
            struct seg seg;
            assert_int_equal(parse_opts(TCP_SYN, o, n, 0, &seg), TCP_OK);
            assert_int_equal(seg.opts.has_mss, kind == 3 || len == 4);
            assert_int_equal(seg.opts.has_wscale, kind == 2 || len == 3);
        }
    }
}

/* MUST-7, A1: length 0 and 1, for every kind, as the first, a middle and the last option. */
static void lengths_zero_and_one(void **state)
{
    (void)state;
    static const uint8_t flags[] = {TCP_SYN, SYN_ACK, TCP_ACK | TCP_PSH};
    for (unsigned kind = 2; kind < 256; kind++) {
        for (uint8_t len = 0; len < 2; len++) {
            const uint8_t first[] = {(uint8_t)kind, len, 2, 4, 5, 0xb4, 1, 1};
            const uint8_t middle[] = {2, 4, 5, 0xb4, (uint8_t)kind, len, 1, 1};
            const uint8_t last[] = {2, 4, 5, 0xb4, 1, 1, (uint8_t)kind, len};
            for (size_t f = 0; f < sizeof flags; f++) {
                struct seg seg;
                assert_int_equal(parse_opts(flags[f], first, 8, 0, &seg), TCP_OPTIONS);
                assert_int_equal(parse_opts(flags[f], middle, 8, 0, &seg), TCP_OPTIONS);
                assert_int_equal(parse_opts(flags[f], last, 8, 0, &seg), TCP_OPTIONS);
            }
        }
    }
}

/* MUST-7, A2: lengths that run past the header, into the text or past the segment. */
static void lengths_past_the_header(void **state)
{
    (void)state;
    for (unsigned kind = 2; kind < 256; kind++) {
        for (size_t room = 1; room <= 40; room++) { /* octets left for the option */
            for (size_t len = room + 1; len < 256; len += len < room + 4 ? 1 : 50) {
                uint8_t p[80];
                struct seg seg;
                build(p, sizeof p, 15, TCP_SYN);
                memset(p + 20, 1, 40);
                p[60 - room] = (uint8_t)kind;
                if (room > 1)
                    p[61 - room] = (uint8_t)len;
                assert_int_equal(parse(p, 80, 80, &seg), TCP_OPTIONS); /* text follows */
                assert_int_equal(parse(p, 60, 60, &seg), TCP_OPTIONS); /* memory ends here */
                assert_int_equal(parse(p, 60, 80, &seg), TCP_OPTIONS); /* text lies elsewhere */
            }
        }
    }
}

/* Any octets as options: bounded, and the parser's word agrees with a second reading by index. */
static void random_options(void **state)
{
    (void)state;
    struct rnd rnd = rnd_start("tcp");
    unsigned good = 0, with_mss = 0;
    for (int round = 0; round < 200000; round++) {
        uint8_t o[40];
        size_t n = 4 * rnd_below(&rnd, 11);
        rnd_fill(&rnd, o, n);
        for (size_t i = 0; i < n; i++) /* mostly small numbers, so that many lists are right */
            o[i] = (uint8_t)(o[i] % (round % 4 ? 6 : 255));
        struct seg seg;
        enum tcp_error e = parse_opts(TCP_SYN, o, n, 0, &seg);

        bool ok = true;
        int mss = -1, wscale = -1;
        for (size_t i = 0; i < n && o[i] != 0;) {
            if (o[i] == 1) {
                i++;
                continue;
            }
            if (i + 1 >= n || o[i + 1] < 2 || i + o[i + 1] > n) {
                ok = false;
                break;
            }
            if (o[i] == 2 && o[i + 1] == 4)
                mss = o[i + 2] << 8 | o[i + 3];
            if (o[i] == 3 && o[i + 1] == 3)
                wscale = o[i + 2];
            i += o[i + 1];
        }
        assert_int_equal(e, ok ? TCP_OK : TCP_OPTIONS);
        if (!ok)
            continue;
        good++;
        with_mss += mss >= 0;
        assert_int_equal(seg.opts.has_mss ? seg.opts.mss : -1, mss);
        assert_int_equal(seg.opts.has_wscale ? seg.opts.wscale : -1, wscale);
    }
    assert_true(good > 10000); /* or the loop has tested little */
    assert_true(with_mss > 100);
}

static void random_octets(void **state)
{
    (void)state;
    struct rnd rnd = rnd_start("tcp");
    unsigned ok = 0;
    for (int round = 0; round < 100000; round++) {
        uint8_t p[100];
        size_t held = rnd_below(&rnd, sizeof p + 1);
        rnd_fill(&rnd, p, held);
        struct seg seg;
        ok += parse(p, held, held + (round % 2 ? 0 : rnd_below(&rnd, 65536)), &seg) == TCP_OK;
    }
    assert_true(ok > 1000);
}

static void emit_syn_like_linux(void **state)
{
    (void)state;
    /* A13: MSS first, then NOP and the window scale. */
    static const uint8_t want[28] = {0x12, 0x34, 0xab, 0xcd, 0xf1, 0xe2, 0xd3, 0xc4, 0x81, 0x92,
                                     0xa3, 0xb4, 0x70, 0x02, 0xfe, 0xdc, 0x00, 0x00, 0x87, 0x65,
                                     0x02, 0x04, 0x05, 0xb4, 0x01, 0x03, 0x03, 0x07};
    const struct seg seg = {
        .seq = seq(0xf1e2d3c4),
        .ack = seq(0x8192a3b4),
        .wnd = 0xfedc,
        .up = 0x8765,
        .flags = TCP_SYN,
        .opts = {.has_mss = true, .has_wscale = true, .mss = 1460, .wscale = 7}};
    assert_int_equal(tcp_hdr_len(&seg), 28);
    uint8_t out[29] = {[28] = 0x55};
    struct writer w = writer(out, sizeof out);
    tcp_emit(&w, &seg, 0x1234, 0xabcd);
    assert_false(w.bad);
    assert_int_equal(w.len, 1);
    assert_memory_equal(out, want, 28);
    assert_int_equal(out[28], 0x55);
    for (size_t room = 0; room < 28; room++) {
        uint8_t *p = exact_copy(out, room);
        w = writer(p, room);
        tcp_emit(&w, &seg, 0x1234, 0xabcd);
        assert_true(w.bad);
        free(p);
    }
}

/* MUST-65: no MSS without SYN, whatever the caller has left in the struct. Looked for in the
 * octets, not by our parser. */
static void emit_no_mss_without_syn(void **state)
{
    (void)state;
    for (unsigned flags = 0; flags < 256; flags++) {
        const struct seg seg = {
            .flags = (uint8_t)flags,
            .opts = {.has_mss = true, .has_wscale = true, .mss = 1460, .wscale = 7}};
        uint8_t out[60];
        struct writer w = writer(out, sizeof out);
        tcp_emit(&w, &seg, 1, 2);
        size_t len = sizeof out - w.len;
        assert_int_equal(len, flags & TCP_SYN ? 28 : 20);
        assert_int_equal(len, tcp_hdr_len(&seg));
        assert_int_equal(out[12] >> 4, len / 4);
        assert_int_equal(out[12] & 0xf, 0); /* reserved: must be zero in what we send (3.1) */
        assert_int_equal(out[13], flags);
    }
}

/* MUST-68, MUST-69: the options we send fill the header, each by its length, NOP between them; what
 * is behind an End of Option List would be zero. */
static void emit_fills_the_header(void **state)
{
    (void)state;
    for (unsigned which = 0; which < 4; which++) {
        const struct seg seg = {
            .flags = TCP_SYN,
            .opts = {.has_mss = which & 1, .has_wscale = which & 2, .mss = 0x0909, .wscale = 9}};
        uint8_t out[60];
        struct writer w = writer(out, sizeof out);
        tcp_emit(&w, &seg, 1, 2);
        size_t len = sizeof out - w.len, at = 20;
        assert_int_equal(out[12] >> 4, len / 4);
        while (at < len && out[at] != 0)
            at += out[at] == 1 ? 1 : out[at + 1];
        for (; at < len; at++)
            assert_int_equal(out[at], 0);
        assert_int_equal(at, len);
    }
}

static void emit_parse_round_trip(void **state)
{
    (void)state;
    struct rnd rnd = rnd_start("tcp");
    for (int round = 0; round < 5000; round++) {
        struct seg seg = {.seq = seq((uint32_t)rnd_u64(&rnd)),
                          .ack = seq((uint32_t)rnd_u64(&rnd)),
                          .wnd = (uint16_t)rnd_u64(&rnd),
                          .up = (uint16_t)rnd_u64(&rnd),
                          .flags = (uint8_t)rnd_u64(&rnd)};
        seg.opts.has_mss = rnd_below(&rnd, 2);
        seg.opts.has_wscale = rnd_below(&rnd, 2);
        seg.opts.mss = (uint16_t)rnd_u64(&rnd);
        seg.opts.wscale = (uint8_t)rnd_u64(&rnd);
        uint16_t src = (uint16_t)rnd_u64(&rnd), dst = (uint16_t)rnd_u64(&rnd), src2, dst2;
        uint8_t out[60];
        struct writer w = writer(out, sizeof out);
        tcp_emit(&w, &seg, src, dst);
        size_t len = sizeof out - w.len;
        assert_int_equal(len, tcp_hdr_len(&seg));
        struct reader r = reader(out, len);
        struct seg back;
        assert_int_equal(tcp_parse(&r, (uint32_t)len, &src2, &dst2, &back), TCP_OK);
        assert_int_equal(src2, src);
        assert_int_equal(dst2, dst);
        assert_true(seq_eq(back.seq, seg.seq));
        assert_true(seq_eq(back.ack, seg.ack));
        assert_int_equal(back.wnd, seg.wnd);
        assert_int_equal(back.up, seg.up);
        assert_int_equal(back.flags, seg.flags);
        bool syn = seg.flags & TCP_SYN;
        assert_int_equal(back.opts.has_mss, syn && seg.opts.has_mss);
        assert_int_equal(back.opts.has_wscale, syn && seg.opts.has_wscale);
        if (back.opts.has_mss)
            assert_int_equal(back.opts.mss, seg.opts.mss);
        if (back.opts.has_wscale)
            assert_int_equal(back.opts.wscale, seg.opts.wscale);
        assert_int_equal(back.text_len, 0);
    }
}

static void flags_text(void **state)
{
    (void)state;
    char buf[TCP_FLAGS_TEXT_MAX];
    assert_string_equal(tcp_flags_text(0, buf), "none");
    assert_string_equal(tcp_flags_text(TCP_SYN, buf), "SYN");
    assert_string_equal(tcp_flags_text(SYN_ACK, buf), "SYN|ACK");
    assert_string_equal(tcp_flags_text(TCP_FIN | TCP_ACK, buf), "FIN|ACK");
    assert_string_equal(tcp_flags_text(0xff, buf), "FIN|SYN|RST|PSH|ACK|URG|ECE|CWR");
    assert_ptr_equal(tcp_flags_text(TCP_RST, buf), buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields),
        cmocka_unit_test(lengths_in_sequence_space),
        cmocka_unit_test(data_offsets),
        cmocka_unit_test(options_at_any_alignment),
        cmocka_unit_test(any_mss_is_reported),
        cmocka_unit_test(handshake_options_count_in_a_syn_only),
        cmocka_unit_test(unknown_options_are_skipped),
        cmocka_unit_test(end_of_list_ends_it),
        cmocka_unit_test(known_options_of_wrong_length),
        cmocka_unit_test(lengths_zero_and_one),
        cmocka_unit_test(lengths_past_the_header),
        cmocka_unit_test(random_options),
        cmocka_unit_test(random_octets),
        cmocka_unit_test(emit_syn_like_linux),
        cmocka_unit_test(emit_no_mss_without_syn),
        cmocka_unit_test(emit_fills_the_header),
        cmocka_unit_test(emit_parse_round_trip),
        cmocka_unit_test(flags_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
