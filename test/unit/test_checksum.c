/* checksum.c: RFC 1071, RFC 1624, pseudo headers of RFC 9293 3.1 and RFC 8200 8.1 (MUST-2). */
#include "checksum.h"
#include "support.h"

static void rfc1071_example(void **state)
{
    (void)state;
    /* RFC 1071 3. */
    static const uint8_t data[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
    struct csum c = {0};
    csum_add(&c, data, sizeof data);
    assert_int_equal(csum_fold(&c), 0xddf2);
    assert_int_equal(csum_finish(&c), 0x220d);
    assert_int_equal(naive_sum(data, sizeof data), 0xddf2);
}

static void empty_and_all_ones(void **state)
{
    (void)state;
    struct csum c = {0};
    csum_add(&c, NULL, 0);
    assert_int_equal(csum_fold(&c), 0);
    assert_int_equal(csum_finish(&c), 0xffff);
    /* Every addition carries, also out of 64 bits; the sum stays ones (minus zero). */
    uint8_t ones[1000];
    memset(ones, 0xff, sizeof ones);
    for (size_t len = 2; len <= sizeof ones; len += 2) {
        c = (struct csum){0};
        csum_add(&c, ones, len);
        assert_int_equal(csum_fold(&c), 0xffff);
        assert_int_equal(csum_finish(&c), 0);
    }
}

/* Every length at every alignment, in memory that ends where the data ends. */
static void lengths_and_alignments(void **state)
{
    (void)state;
    struct rnd r = rnd_start("checksum");
    for (size_t shift = 0; shift < 8; shift++) {
        for (size_t len = 0; len < 300; len++) {
            uint8_t *p = malloc(shift + len);
            assert_non_null(p);
            rnd_fill(&r, p, shift + len);
            struct csum c = {0};
            csum_add(&c, p + shift, len);
            assert_int_equal(csum_fold(&c), naive_sum(p + shift, len));
            assert_int_equal(c.odd, len % 2);
            free(p);
        }
    }
}

/* Pieces sum as if they lay side by side, however they are cut (RFC 1071 2 (A)). */
static void random_pieces(void **state)
{
    (void)state;
    struct rnd r = rnd_start("checksum");
    static uint8_t data[70000];
    for (int round = 0; round < 3000; round++) {
        size_t total = round % 100 ? rnd_below(&r, 300) : rnd_below(&r, sizeof data);
        size_t longest = 1 + rnd_below(&r, round % 3 ? 20 : 2000);
        rnd_fill(&r, data, total);
        if (round % 5 == 0)
            memset(data, 0xff, total); /* many carries */
        struct csum c = {0};
        for (size_t at = 0; at < total;) {
            size_t n = rnd_below(&r, (uint32_t)longest + 1);
            if (n > total - at)
                n = total - at;
            csum_add(&c, data + at, n);
            at += n;
        }
        assert_int_equal(csum_fold(&c), naive_sum(data, total));
        assert_int_equal(csum_finish(&c), (uint16_t)~naive_sum(data, total));
    }
}

static void pseudo_headers(void **state)
{
    (void)state;
    struct ip_addr a = ip_addr_v4(0xc0a80001), b = ip_addr_v4(0xffff0a02);
    /* RFC 9293 3.1: addresses, zero, PTCL, TCP length. */
    static const uint8_t v4[] = {192, 168, 0, 1, 255, 255, 10, 2, 0, 6, 0xfe, 0xdc};
    struct csum c = {0};
    csum_add_pseudo(&c, &a, &b, 6, 0xfedc);
    assert_int_equal(csum_fold(&c), naive_sum(v4, sizeof v4));

    /* RFC 8200 8.1: addresses, 32-bit length, zero, next header. */
    uint8_t v6[40] = {[35] = 1, [34] = 0, [33] = 2, [32] = 3, [39] = 58};
    for (uint8_t i = 0; i < 32; i++)
        v6[i] = (uint8_t)(0x20 + 7 * i);
    a = ip_addr_v6_bytes(v6);
    b = ip_addr_v6_bytes(v6 + 16);
    c = (struct csum){0};
    csum_add_pseudo(&c, &a, &b, 58, 0x03020001);
    assert_int_equal(csum_fold(&c), naive_sum(v6, sizeof v6));

    /* It may come after the data as well as before. */
    static const uint8_t data[] = {1, 2, 3, 4};
    struct csum before = {0}, after = {0};
    csum_add_pseudo(&before, &a, &b, 6, 4);
    csum_add(&before, data, 4);
    csum_add(&after, data, 4);
    csum_add_pseudo(&after, &a, &b, 6, 4);
    assert_int_equal(csum_fold(&before), csum_fold(&after));
}

/* What a receiver does (MUST-3): the sum over a segment with its right field is 0. */
static void finished_field_sums_to_zero(void **state)
{
    (void)state;
    struct rnd r = rnd_start("checksum");
    for (int round = 0; round < 500; round++) {
        uint8_t seg[100];
        size_t len = 20 + rnd_below(&r, 80);
        rnd_fill(&r, seg, len);
        seg[16] = seg[17] = 0;
        struct ip_addr a = ip_addr_v4((uint32_t)rnd_u64(&r)), b = ip_addr_v4((uint32_t)rnd_u64(&r));
        struct csum c = {0};
        csum_add_pseudo(&c, &a, &b, 6, (uint32_t)len);
        csum_add(&c, seg, len);
        uint16_t field = csum_finish(&c);
        seg[16] = (uint8_t)(field >> 8);
        seg[17] = (uint8_t)field;
        c = (struct csum){0};
        csum_add_pseudo(&c, &a, &b, 6, (uint32_t)len);
        csum_add(&c, seg, len);
        assert_int_equal(csum_finish(&c), 0);
        /* One bit flipped changes the sum by a power of two, which is never 0 modulo 0xffff. */
        size_t bit = rnd_below(&r, (uint32_t)len * 8);
        seg[bit / 8] ^= (uint8_t)(1u << bit % 8);
        c = (struct csum){0};
        csum_add_pseudo(&c, &a, &b, 6, (uint32_t)len);
        csum_add(&c, seg, len);
        assert_int_not_equal(csum_finish(&c), 0);
    }
}

static void update_like_rfc1624(void **state)
{
    (void)state;
    /* RFC 1624 4: the case that eqn. 2 of RFC 1141 gets wrong. */
    assert_int_equal(csum_update(0xdd2f, 0x5555, 0x3285), 0x0000);

    /* Where carries meet: another word, the old one and the new one, all near the edges. */
    static const uint16_t edge[] = {0, 1, 2, 0x7fff, 0x8000, 0xfffd, 0xfffe, 0xffff};
    for (size_t i = 0; i < 8 * 8 * 8; i++) {
        uint16_t other = edge[i % 8], old_word = edge[i / 8 % 8], new_word = edge[i / 64];
        uint8_t data[] = {(uint8_t)(other >> 8), (uint8_t)other, (uint8_t)(old_word >> 8),
                          (uint8_t)old_word};
        uint16_t before = (uint16_t)~naive_sum(data, 4);
        data[2] = (uint8_t)(new_word >> 8);
        data[3] = (uint8_t)new_word;
        if (naive_sum(data, 4) != 0)
            assert_int_equal(csum_update(before, old_word, new_word),
                             (uint16_t)~naive_sum(data, 4));
    }

    struct rnd r = rnd_start("checksum");
    for (int round = 0; round < 20000; round++) {
        uint8_t data[10];
        rnd_fill(&r, data, sizeof data);
        if (round % 4 == 0)
            memset(data, round % 8 ? 0xff : 0, 4);
        uint16_t before = (uint16_t)~naive_sum(data, sizeof data);
        uint16_t old_word = (uint16_t)(data[0] << 8 | data[1]);
        uint16_t new_word = round % 3 ? (uint16_t)rnd_u64(&r) : 0xffff;
        data[0] = (uint8_t)(new_word >> 8);
        data[1] = (uint8_t)new_word;
        uint16_t after = (uint16_t)~naive_sum(data, sizeof data);
        if (naive_sum(data, sizeof data) == 0)
            continue; /* all octets zero: no IP or TCP header (RFC 1624 3) */
        assert_int_equal(csum_update(before, old_word, new_word), after);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc1071_example),        cmocka_unit_test(empty_and_all_ones),
        cmocka_unit_test(lengths_and_alignments), cmocka_unit_test(random_pieces),
        cmocka_unit_test(pseudo_headers),         cmocka_unit_test(finished_field_sums_to_zero),
        cmocka_unit_test(update_like_rfc1624),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
