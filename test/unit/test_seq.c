/* seq.h: RFC 9293 3.4, arithmetic modulo 2^32. */
#include "seq.h"
#include "support.h"

/* Where a program without modulo arithmetic would go wrong. */
static const uint32_t bases[] = {0, 1, 0x7fffffff, 0x80000000, 0x80000001, 0xfffffffe, 0xffffffff};
#define N_BASES (sizeof bases / sizeof bases[0])

static void order_holds_across_the_wrap(void **state)
{
    (void)state;
    static const uint32_t steps[] = {1, 2, 1000, 0x7ffffffe, 0x7fffffff};
    for (size_t i = 0; i < N_BASES; i++) {
        seq_t a = seq(bases[i]);
        assert_true(seq_eq(a, a));
        assert_true(seq_leq(a, a));
        assert_false(seq_lt(a, a));
        for (size_t j = 0; j < sizeof steps / sizeof steps[0]; j++) {
            seq_t b = seq_add(a, steps[j]);
            assert_true(seq_lt(a, b));
            assert_true(seq_leq(a, b));
            assert_false(seq_lt(b, a));
            assert_false(seq_leq(b, a));
            assert_false(seq_eq(a, b));
            assert_int_equal(seq_max(a, b).v, b.v);
            assert_int_equal(seq_max(b, a).v, b.v);
            assert_int_equal(seq_min(a, b).v, a.v);
            assert_int_equal(seq_min(b, a).v, a.v);
        }
    }
}

static void add_sub_diff_are_inverse(void **state)
{
    (void)state;
    struct rnd r = rnd_start("seq");
    for (int i = 0; i < 10000; i++) {
        seq_t a = seq((uint32_t)rnd_u64(&r));
        int32_t d = (int32_t)(uint32_t)rnd_u64(&r);
        assert_int_equal(seq_diff(seq_add(a, (uint32_t)d), a), d);
        assert_int_equal(seq_sub(seq_add(a, (uint32_t)d), (uint32_t)d).v, a.v);
    }
    assert_int_equal(seq_add(seq(0xffffffff), 1).v, 0);
    assert_int_equal(seq_sub(seq(0), 1).v, 0xffffffff);
    assert_int_equal(seq_diff(seq(2), seq(0xfffffffe)), 4);
    assert_int_equal(seq_diff(seq(0xfffffffe), seq(2)), -4);
}

/* The form of the window tests of 3.10.7.4: half-open, also when it wraps or is empty. */
static void in_is_half_open(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {1, 2, 65535, 0x40000000};
    for (size_t i = 0; i < N_BASES; i++) {
        seq_t lo = seq(bases[i]);
        assert_false(seq_in(lo, lo, lo));
        assert_false(seq_in(seq_add(lo, 1), lo, lo));
        assert_false(seq_in(seq_sub(lo, 1), lo, lo));
        for (size_t j = 0; j < sizeof sizes / sizeof sizes[0]; j++) {
            seq_t hi = seq_add(lo, sizes[j]);
            assert_true(seq_in(lo, lo, hi));
            assert_true(seq_in(seq_sub(hi, 1), lo, hi));
            assert_false(seq_in(hi, lo, hi));
            assert_false(seq_in(seq_sub(lo, 1), lo, hi));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_holds_across_the_wrap),
        cmocka_unit_test(add_sub_diff_are_inverse),
        cmocka_unit_test(in_is_half_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
