/* Initial sequence numbers: RFC 6528 3, RFC 9293 3.4.1 (MUST-8, MUST-9, SHLD-1). */
#include "isn.h"
#include "nstime.h"
#include "support.h"

static const struct siphash_key secret = {UINT64_C(0x0706050403020100),
                                          UINT64_C(0x0f0e0d0c0b0a0908)};

static struct flow a_flow(void)
{
    struct flow f;
    memset(&f, 0, sizeof f);
    f.local = ip_addr_v4(0x0a000001);
    f.remote = ip_addr_v4(0x0a000102);
    f.local_port = 61000;
    f.remote_port = 80;
    return f;
}

/* MUST-8: M counts about 4 microseconds, through its own wrap after 4.77 h and the sum's. */
static void clock_counts_4_us(void **state)
{
    (void)state;
    struct flow f = a_flow();
    uint32_t at_0 = isn_choose(&secret, &f, 0).v;
    assert_int_equal(isn_choose(&secret, &f, 3999).v, at_0);
    assert_int_equal(isn_choose(&secret, &f, 4000).v, at_0 + 1);
    assert_int_equal(isn_choose(&secret, &f, NS_PER_S).v, at_0 + 250000);
    uint64_t wrap_ns = (UINT64_C(1) << 32) * 4 * NS_PER_US;
    assert_int_equal(isn_choose(&secret, &f, wrap_ns - 1).v, at_0 - 1);
    assert_int_equal(isn_choose(&secret, &f, wrap_ns).v, at_0);
}

/* 3.4.1: a later incarnation of the same four-tuple begins above the earlier one, within MSL's
 * reach. */
static void monotone_per_tuple(void **state)
{
    (void)state;
    struct rnd p = rnd_start(__func__);
    for (int i = 0; i < 20000; i++) {
        struct flow f = a_flow();
        f.local_port = (uint16_t)rnd_u64(&p);
        uint64_t t = rnd_magnitude(&p) >> 1;
        uint64_t later = t + 4000 + rnd_u64(&p) % (3600 * NS_PER_S);
        assert_true(seq_lt(isn_choose(&secret, &f, t), isn_choose(&secret, &f, later)));
    }
}

/* MUST-9: F is keyed over exactly the four-tuple: the octets that are hashed, in order. */
static void hash_of_the_four_tuple(void **state)
{
    (void)state;
    struct flow f = a_flow();
    const uint8_t id[36] = {0,  0, 0,    0,    0,  0, 0, 0, 0,    0,    0xff, 0xff,
                            10, 0, 0,    1,    0,  0, 0, 0, 0,    0,    0,    0,
                            0,  0, 0xff, 0xff, 10, 0, 1, 2, 0xee, 0x48, 0,    80};
    assert_int_equal(isn_choose(&secret, &f, 0).v, (uint32_t)siphash(&secret, id, sizeof id));
}

static int bits_set(uint32_t v)
{
    int n = 0;
    for (; v != 0; v &= v - 1)
        n++;
    return n;
}

/* Changes one thing about the connection or the secret; 0 <= which < 36 * 8 + 128. */
static void flip(struct flow *f, struct siphash_key *k, uint32_t which)
{
    uint8_t bit = (uint8_t)(1 << which % 8);
    if (which < 128)
        f->local.b[which / 8] ^= bit;
    else if (which < 256)
        f->remote.b[(which - 128) / 8] ^= bit;
    else if (which < 272)
        f->local_port ^= (uint16_t)(1 << (which - 256));
    else if (which < 288)
        f->remote_port ^= (uint16_t)(1 << (which - 272));
    else if (which < 352)
        k->k0 ^= UINT64_C(1) << (which - 288);
    else
        k->k1 ^= UINT64_C(1) << (which - 352);
}

/* MUST-9, RFC 6528 1: from one connection's number nothing follows for another's, nor for one under
 * another secret: every single bit of the four-tuple and of the secret changes the number, by half
 * of its bits on average. */
static void uncorrelated(void **state)
{
    (void)state;
    struct rnd p = rnd_start(__func__);
    uint32_t total = 0, n = 0;
    for (int run = 0; run < 100; run++) {
        struct flow f = a_flow();
        f.remote = ip_addr_v4((uint32_t)rnd_u64(&p));
        f.remote_port = (uint16_t)rnd_u64(&p);
        struct siphash_key k = {rnd_u64(&p), rnd_u64(&p)};
        uint32_t isn = isn_choose(&k, &f, 0).v;
        uint32_t same = 0;
        for (uint32_t which = 0; which < 416; which++, n++) {
            struct flow g = f;
            struct siphash_key l = k;
            flip(&g, &l, which);
            uint32_t diff = isn ^ isn_choose(&l, &g, 0).v;
            same += diff == 0;
            total += (uint32_t)bits_set(diff);
        }
        assert_true(same <= 1); /* 2^-32 each by chance: more is a bit that is not hashed */
    }
    /* 41600 numbers of 32 bits: 16 a number, and 0.1 away from it is seven standard deviations. */
    assert_in_range(total, n * 159 / 10, n * 161 / 10);
}

/* RFC 7323 5.4, 7.1: one offset of timestamps for each four-tuple and secret, which no ISN tells:
 * what the two have in common is no more than chance. */
static void ts_offset(void **state)
{
    (void)state;
    struct rnd p = rnd_start(__func__);
    struct flow f = a_flow();
    uint32_t first = isn_ts_offset(&secret, &f);
    assert_int_equal(isn_ts_offset(&secret, &f), first);
    unsigned ones[32] = {0}, same[32] = {0};
    for (unsigned i = 0; i < 4000; i++) {
        struct siphash_key other = {rnd_u64(&p), secret.k1};
        f.remote_port = (uint16_t)i;
        uint32_t offset = isn_ts_offset(&other, &f), isn = isn_choose(&other, &f, 0).v;
        for (unsigned b = 0; b < 32; b++) {
            ones[b] += offset >> b & 1;
            same[b] += ~(offset ^ isn) >> b & 1;
        }
    }
    for (unsigned b = 0; b < 32; b++) {
        assert_in_range(ones[b], 1800, 2200);
        assert_in_range(same[b], 1800, 2200);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clock_counts_4_us),
        cmocka_unit_test(monotone_per_tuple),
        cmocka_unit_test(hash_of_the_four_tuple),
        cmocka_unit_test(uncorrelated),
        cmocka_unit_test(ts_offset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
