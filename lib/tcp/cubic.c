/*
 * The curve of CUBIC: RFC 9438 figures 1 and 2. See cubic.h.
 *
 * C is 0.4 segments / s^3 (5.1): d milliseconds from the plateau the window is d^3 / (2.5 * 10^9)
 * segments from W_max.
 */
#include "cubic.h"

#include "minmax.h"

#define MS3_PER_SEGMENT UINT64_C(2500000000)
#define ROOT_MAX        UINT32_C(2642245) /* the largest number whose cube has 64 bits */

/* Bit by bit from the highest: m^3 <= x exactly when m <= floor(x / m^2), so the result is exact.
 */
uint32_t cube_root(uint64_t x)
{
    uint64_t root = 0;
    for (uint64_t bit = UINT64_C(1) << 21; bit > 0; bit >>= 1) {
        uint64_t m = root | bit;
        if (m <= x / (m * m))
            root = m;
    }
    return (uint32_t)root;
}

uint32_t cubic_k_ms(uint32_t below, uint32_t mss)
{
    return cube_root(below * MS3_PER_SEGMENT / mss); /* 2^32 * 2.5 * 10^9 < 2^64 */
}

/* Octets between the plateau and the window `ms` before or after it. ROOT_MAX, 44 minutes, are
 * seven billion segments, more than any window has. */
static uint64_t distance(uint64_t ms, uint32_t mss)
{
    uint64_t d = min_u64(ms, ROOT_MAX);
    uint64_t segments = d * d * d / MS3_PER_SEGMENT, rest = d * d * d % MS3_PER_SEGMENT;
    return segments * mss + rest * mss / MS3_PER_SEGMENT;
}

uint64_t cubic_window(uint32_t w_max, uint32_t k_ms, uint64_t t_ms, uint32_t mss)
{
    if (t_ms >= k_ms)
        return w_max + distance(t_ms - k_ms, mss);
    uint64_t below = distance(k_ms - t_ms, mss);
    return below < w_max ? w_max - below : 0;
}
