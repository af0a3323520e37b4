/* cubic.c: the curve of RFC 9438 (figures 1 and 2), against numbers of 128 bits. */
#include "cubic.h"

#include "cc.h"
#include "support.h"

#define RUNS 200000

__extension__ typedef __int128 wide;

static wide cube(wide x)
{
    return x * x * x;
}

static void check_root(uint64_t x)
{
    uint32_t r = cube_root(x);
    assert_true(cube(r) <= (wide)x);
    assert_true(cube((wide)r + 1) > (wide)x);
}

/* The root is exact: cubes, their neighbours, and all the rest up to 2^64 - 1. */
static void cube_roots(void **state)
{
    (void)state;
    struct rnd p = rnd_start(__func__);
    for (uint64_t x = 0; x < 10000; x++)
        check_root(x);
    for (uint64_t r = 1; r <= 2642245; r += 1 + rnd_below(&p, 40)) {
        check_root(r * r * r - 1);
        assert_int_equal(cube_root(r * r * r), r);
        check_root(r * r * r + 1);
    }
    for (int i = 0; i < RUNS; i++)
        check_root(rnd_magnitude(&p));
    assert_int_equal(cube_root(UINT64_MAX), 2642245);
}

static uint32_t any_mss(struct rnd *p)
{
    return 1 + rnd_skewed(p, UINT16_MAX);
}

/* Figure 2 with C = 0.4: K^3 = 2.5 * below / SMSS. K is the largest whole millisecond below it. */
static void k(void **state)
{
    (void)state;
    struct rnd p = rnd_start(__func__);
    assert_int_equal(cubic_k_ms(0, 1460), 0);
    assert_int_equal(cubic_k_ms(30 * 1460, 1460), 4217); /* 75^(1/3) s */
    assert_int_equal(cubic_k_ms(UINT32_MAX, 1), 2206141);
    for (int i = 0; i < RUNS; i++) {
        uint32_t below = (uint32_t)rnd_magnitude(&p), mss = any_mss(&p);
        wide k_ms = cubic_k_ms(below, mss), times = 2500000000;
        assert_true(cube(k_ms) * mss <= below * times);
        assert_true(cube(k_ms + 1) * mss > below * times);
    }
}

/* Figure 1: W_max + 0.4 * SMSS * (t - K)^3 to less than an octet, for everything that a window can
 * be. */
static void window(void **state)
{
    (void)state;
    struct rnd p = rnd_start(__func__);
    for (int i = 0; i < RUNS; i++) {
        uint32_t mss = any_mss(&p), w_max = (uint32_t)rnd_magnitude(&p);
        uint32_t k_ms = cubic_k_ms((uint32_t)rnd_magnitude(&p), mss);
        uint64_t t_ms = rnd_below(&p, 2) ? rnd_magnitude(&p) : rnd_below(&p, 2 * k_ms + 1000);
        uint64_t got = cubic_window(w_max, k_ms, t_ms, mss);
        wide d = (wide)t_ms - k_ms, times = 2500000000;
        if (d > 2642245) {
            assert_true(got > UINT32_MAX); /* more than any window */
            continue;
        }
        wide exact = w_max * times + cube(d) * mss; /* in 1 / times of an octet */
        if (exact < 0) {
            assert_int_equal(got, 0);
            continue;
        }
        wide error = exact - (wide)got * times;
        assert_true(d >= 0 ? error >= 0 && error < times : error <= 0 && error > -times);
    }
}

/* It begins where it was made to begin, not lower, and not much higher: K is less than a
 * millisecond too small. And it never falls. */
static void begins_and_rises(void **state)
{
    (void)state;
    struct rnd p = rnd_start(__func__);
    for (int i = 0; i < RUNS; i++) {
        uint32_t mss = any_mss(&p), w_max = rnd_below(&p, CC_CWND_MAX) + 1;
        uint32_t cwnd = 1 + rnd_below(&p, w_max), k_ms = cubic_k_ms(w_max - cwnd, mss);
        uint64_t at = cubic_window(w_max, k_ms, 0, mss);
        uint64_t slope = 3 * (uint64_t)(k_ms + 1) * (k_ms + 1) * mss / 2500000000;
        assert_in_range(at, cwnd, cwnd + slope + 1);
        assert_int_equal(cubic_window(w_max, k_ms, k_ms, mss), w_max);
        uint64_t t_ms = rnd_below(&p, 3 * k_ms + 1000), later = t_ms + rnd_below(&p, 1000);
        assert_true(cubic_window(w_max, k_ms, t_ms, mss) <= cubic_window(w_max, k_ms, later, mss));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cube_roots),
        cmocka_unit_test(k),
        cmocka_unit_test(window),
        cmocka_unit_test(begins_and_rises),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
