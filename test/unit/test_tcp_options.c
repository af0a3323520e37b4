/* tcp.c: SACK-permitted and SACK (RFC 2018 2, 3), timestamps (RFC 7323 3). */
#include "support.h"
#include "tcp.h"

static const uint8_t header[20] = {[12] = 0x50, [13] = TCP_ACK};

static enum tcp_error parse(uint8_t flags, const uint8_t *opts, size_t n, struct seg *seg)
{
    uint8_t p[60];
    size_t len = 20 + (n + 3) / 4 * 4;
    assert_true(len <= sizeof p);
    memset(p, 0, sizeof p);
    memcpy(p, header, sizeof header);
    p[12] = (uint8_t)(len / 4 << 4);
    p[13] = flags;
    memcpy(p + 20, opts, n);
    uint8_t *copy = exact_copy(p, len);
    struct reader r = reader(copy, len);
    uint16_t src, dst;
    enum tcp_error e = tcp_parse(&r, (uint32_t)len, &src, &dst, seg);
    free(copy);
    return e;
}

/* The options of a segment as they are sent. */
static size_t emitted(uint8_t flags, const struct tcp_opts *opts, uint8_t out[40])
{
    const struct seg seg = {.flags = flags, .opts = *opts};
    uint8_t p[61];
    struct writer w = writer(p, sizeof p);
    tcp_emit(&w, &seg, 1, 2);
    size_t len = sizeof p - w.len;
    assert_false(w.bad);
    assert_int_equal(len, tcp_hdr_len(&seg));
    assert_int_equal(p[12] >> 4, len / 4);
    memcpy(out, p + 20, len - 20);
    return len - 20;
}

/* RFC 2018 2: in a SYN only, whatever stands elsewhere. RFC 7323 3.2: timestamps in any segment. */
static void where_they_count(void **state)
{
    (void)state;
    static const uint8_t o[] = {4, 2, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 5, 10, 9, 8, 7, 6, 5, 4, 3, 2};
    for (unsigned flags = 0; flags < 256; flags++) {
        struct seg seg;
        assert_int_equal(parse((uint8_t)flags, o, sizeof o, &seg), TCP_OK);
        bool syn = flags & TCP_SYN;
        assert_int_equal(seg.opts.has_sack_permitted, syn);
        assert_true(seg.opts.has_ts);
        assert_int_equal(seg.opts.ts_val, 0x01020304);
        assert_int_equal(seg.opts.ts_ecr, 0x05060708);
        assert_int_equal(seg.opts.n_sack, syn ? 0 : 1);
        if (!syn) {
            assert_int_equal(seg.opts.sack[0].left.v, 0x09080706);
            assert_int_equal(seg.opts.sack[0].right.v, 0x05040302);
        }
    }
}

/* A known option of a length that isn't its own says nothing, and hides nothing after it. */
static void of_wrong_length(void **state)
{
    (void)state;
    static const uint8_t kinds[] = {4, 5, 8};
    for (size_t k = 0; k < sizeof kinds; k++) {
        for (uint8_t len = 2; len <= 30; len++) {
            uint8_t o[40] = {0};
            static const uint8_t mss[] = {2, 4, 5, 0xb4}, ts[] = {8, 10, 0, 0, 0, 1, 0, 0, 0, 2};
            bool last_ts = kinds[k] != 8;
            o[0] = kinds[k];
            o[1] = len;
            memcpy(o + len, last_ts ? ts : mss, last_ts ? sizeof ts : sizeof mss);
            struct seg seg;
            assert_int_equal(parse(TCP_SYN, o, len + 10u, &seg), TCP_OK);
            assert_int_equal(seg.opts.has_sack_permitted, kinds[k] == 4 && len == 2);
            assert_int_equal(seg.opts.has_ts, last_ts || len == 10);
            assert_int_equal(seg.opts.has_mss, !last_ts);
            assert_int_equal(parse(TCP_ACK, o, len + 10u, &seg), TCP_OK);
            bool blocks = kinds[k] == 5 && len > 2 && (len - 2) % 8 == 0;
            assert_int_equal(seg.opts.n_sack, blocks ? (len - 2) / 8 : 0);
        }
    }
}

/* RFC 2018 3: four blocks fit beside nothing, three beside timestamps; all are read. */
static void all_blocks(void **state)
{
    (void)state;
    uint8_t o[40] = {1, 1, 5, 34};
    for (uint8_t i = 4; i < 36; i++)
        o[i] = i;
    struct seg seg;
    assert_int_equal(parse(TCP_ACK, o, 36, &seg), TCP_OK);
    assert_int_equal(seg.opts.n_sack, 4);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(seg.opts.sack[i].left.v, 0x04050607 + i * 0x08080808);
        assert_int_equal(seg.opts.sack[i].right.v, 0x08090a0b + i * 0x08080808);
    }
}

/* Byte for byte as Linux orders them. */
static void emitted_like_linux(void **state)
{
    (void)state;
    const struct tcp_opts syn = {.has_mss = true,
                                 .mss = 1460,
                                 .has_wscale = true,
                                 .wscale = 7,
                                 .has_sack_permitted = true,
                                 .has_ts = true,
                                 .ts_val = 0x01020304,
                                 .ts_ecr = 0x05060708};
    static const uint8_t mss_sack_ts_scale[] = {2, 4, 5, 0xb4, 4, 2, 8, 10, 1, 2,
                                                3, 4, 5, 6,    7, 8, 1, 3,  3, 7};
    uint8_t out[40];
    assert_int_equal(emitted(TCP_SYN, &syn, out), 20);
    assert_memory_equal(out, mss_sack_ts_scale, 20);

    struct tcp_opts less = syn;
    less.has_ts = false;
    static const uint8_t mss_sack_scale[] = {2, 4, 5, 0xb4, 1, 1, 4, 2, 1, 3, 3, 7};
    assert_int_equal(emitted(TCP_SYN | TCP_ACK, &less, out), 12);
    assert_memory_equal(out, mss_sack_scale, 12);

    less = syn;
    less.has_sack_permitted = false;
    static const uint8_t mss_ts_scale[] = {2, 4, 5, 0xb4, 1, 1, 8, 10, 1, 2,
                                           3, 4, 5, 6,    7, 8, 1, 3,  3, 7};
    assert_int_equal(emitted(TCP_SYN, &less, out), 20);
    assert_memory_equal(out, mss_ts_scale, 20);

    static const uint8_t ts_sack[] = {1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7,    8,
                                      1, 1, 5, 10, 0, 0, 0, 9, 0, 0, 0x0a, 0};
    const struct tcp_opts data = {.has_ts = true,
                                  .ts_val = 0x01020304,
                                  .ts_ecr = 0x05060708,
                                  .n_sack = 1,
                                  .sack = {{{9}, {0xa00}}}};
    assert_int_equal(emitted(TCP_ACK, &data, out), 24);
    assert_memory_equal(out, ts_sack, 24);
    less = data;
    less.has_ts = false;
    assert_int_equal(emitted(TCP_ACK | TCP_PSH, &less, out), 12);
    assert_memory_equal(out, ts_sack + 12, 12);
}

/* RFC 2018 2, 4: SACK-permitted never without SYN, SACK never with it, whatever the caller has left
 * in the struct; and what is sent is read back. */
static void there_and_back(void **state)
{
    (void)state;
    struct rnd rnd = rnd_start("tcp options");
    for (int round = 0; round < 20000; round++) {
        struct tcp_opts o = {.has_mss = rnd_below(&rnd, 2),
                             .has_wscale = rnd_below(&rnd, 2),
                             .has_sack_permitted = rnd_below(&rnd, 2),
                             .has_ts = rnd_below(&rnd, 2),
                             .mss = (uint16_t)rnd_u64(&rnd),
                             .wscale = (uint8_t)rnd_u64(&rnd),
                             .ts_val = (uint32_t)rnd_u64(&rnd),
                             .ts_ecr = (uint32_t)rnd_u64(&rnd)};
        o.n_sack = (uint8_t)rnd_below(&rnd, o.has_ts ? 4 : 5);
        for (unsigned i = 0; i < o.n_sack; i++)
            o.sack[i] =
                (struct sack_block){seq((uint32_t)rnd_u64(&rnd)), seq((uint32_t)rnd_u64(&rnd))};
        uint8_t flags = (uint8_t)rnd_u64(&rnd), out[40];
        bool syn = flags & TCP_SYN;
        struct seg back;
        assert_int_equal(parse(flags, out, emitted(flags, &o, out), &back), TCP_OK);
        assert_int_equal(back.opts.has_sack_permitted, syn && o.has_sack_permitted);
        assert_int_equal(back.opts.has_mss, syn && o.has_mss);
        assert_int_equal(back.opts.has_wscale, syn && o.has_wscale);
        assert_int_equal(back.opts.has_ts, o.has_ts);
        if (o.has_ts) {
            assert_int_equal(back.opts.ts_val, o.ts_val);
            assert_int_equal(back.opts.ts_ecr, o.ts_ecr);
        }
        assert_int_equal(back.opts.n_sack, syn ? 0 : o.n_sack);
        for (unsigned i = 0; i < back.opts.n_sack; i++) {
            assert_true(seq_eq(back.opts.sack[i].left, o.sack[i].left));
            assert_true(seq_eq(back.opts.sack[i].right, o.sack[i].right));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_they_count), cmocka_unit_test(of_wrong_length),
        cmocka_unit_test(all_blocks),       cmocka_unit_test(emitted_like_linux),
        cmocka_unit_test(there_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
