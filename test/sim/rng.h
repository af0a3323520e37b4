/*
 * The one source of chance: xoshiro256** (Blackman and Vigna, 2018), seeded by splitmix64. Every
 * choice of a simulated world comes from one of these, so a seed is the whole story.
 */
#ifndef RNG_H
#define RNG_H

#include <stdbool.h>
#include <stdint.h>

struct rng {
    uint64_t s[4];
};

static inline uint64_t splitmix(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline void rng_init(struct rng *r, uint64_t seed)
{
    for (int i = 0; i < 4; i++)
        r->s[i] = splitmix(&seed);
}

static inline uint64_t rng_rotl(uint64_t x, int k)
{
    return x << k | x >> (64 - k);
}

static inline uint64_t rng_u64(struct rng *r)
{
    uint64_t *s = r->s, out = rng_rotl(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rng_rotl(s[3], 45);
    return out;
}

/* [0, n); 0 for n = 0. The bias for n far below 2^64 is of no interest here. */
static inline uint64_t rng_below(struct rng *r, uint64_t n)
{
    return n ? rng_u64(r) % n : 0;
}

/* [lo, hi] */
static inline uint64_t rng_range(struct rng *r, uint64_t lo, uint64_t hi)
{
    return lo + rng_below(r, hi - lo + 1);
}

static inline uint32_t rng_range32(struct rng *r, uint32_t lo, uint32_t hi)
{
    return (uint32_t)rng_range(r, lo, hi);
}

/* True with a probability of ppm / 1 000 000. */
static inline bool rng_chance(struct rng *r, uint32_t ppm)
{
    return ppm > 0 && rng_below(r, 1000000) < ppm;
}

/* One in n. */
static inline bool rng_one_in(struct rng *r, uint32_t n)
{
    return rng_below(r, n) == 0;
}

/* [lo, hi], every order of magnitude as likely as any other: sizes and times are spread so. */
static inline uint64_t rng_log(struct rng *r, uint64_t lo, uint64_t hi)
{
    unsigned steps = 0;
    while (lo << (steps + 1) <= hi && steps < 62)
        steps++;
    uint64_t from = lo << rng_below(r, steps + 1), to = from * 2;
    return rng_range(r, from, to > hi ? hi : to);
}

#endif
