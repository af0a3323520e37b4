/*
 * What unit tests share: cmocka with the headers it wants before it, random numbers that can be had
 * again, buffers of the exact size (so that the address sanitizer sees a read past the end), a
 * naive checksum, and an allocator that fails when told and checks the sizes it is given back.
 */
#ifndef SUPPORT_H
#define SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mem.h"

/* SplitMix64: one word of state, every seed as good as any other. */
struct rnd {
    uint64_t state;
};

/* Prints the seed. NSTCP_SEED in the environment gives another. */
static inline struct rnd rnd_start(const char *test)
{
    const char *env = getenv("NSTCP_SEED");
    uint64_t seed = env ? strtoull(env, NULL, 0) : 1;
    print_message("%s: NSTCP_SEED=%llu\n", test, (unsigned long long)seed);
    return (struct rnd){seed};
}

static inline uint64_t rnd_u64(struct rnd *r)
{
    uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* 0 to n - 1. */
static inline uint32_t rnd_below(struct rnd *r, uint32_t n)
{
    return (uint32_t)(rnd_u64(r) % n);
}

/* Of every magnitude alike: small numbers, huge ones and the extremes all come up. */
static inline uint64_t rnd_magnitude(struct rnd *r)
{
    uint32_t bits = rnd_below(r, 65);
    uint64_t v = bits == 0 ? 0 : rnd_u64(r) >> (64 - bits);
    return rnd_below(r, 16) == 0 ? UINT64_MAX - v : v;
}

/* 0 to n - 1, the small ones more often. */
static inline uint32_t rnd_skewed(struct rnd *r, uint32_t n)
{
    return rnd_below(r, 1 + rnd_below(r, 1 + rnd_below(r, n)));
}

static inline void rnd_fill(struct rnd *r, uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        p[i] = (uint8_t)rnd_u64(r);
}

/* A copy that is exactly as large as `len` says; the caller frees it. */
static inline uint8_t *exact_copy(const void *data, size_t len)
{
    uint8_t *p = malloc(len);
    if (!p)
        abort();
    if (len > 0)
        memcpy(p, data, len);
    return p;
}

/* The Internet checksum, RFC 1071 1 to the letter, as an oracle: 16-bit words in network order, the
 * carries brought round. */
static inline uint16_t naive_sum(const uint8_t *p, size_t len)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < len; i++) {
        sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t)sum;
}

/* Fails the fail_at-th allocation from now (1: the next) and all after it; and every
 * fail_every-th; 0: never. */
struct test_mem {
    struct mem mem;
    unsigned calls, fail_at, fail_every;
    unsigned failed; /* how many so far */
    size_t live;     /* octets handed out and not given back */
};

#define TEST_MEM_HDR 16 /* keeps malloc's alignment */

static inline void *test_mem_alloc(void *ctx, size_t size)
{
    struct test_mem *t = ctx;
    t->calls++;
    if ((t->fail_at > 0 && t->calls >= t->fail_at) ||
        (t->fail_every > 0 && t->calls % t->fail_every == 0)) {
        t->failed++;
        return NULL;
    }
    uint8_t *p = malloc(TEST_MEM_HDR + size);
    if (!p)
        abort();
    memcpy(p, &size, sizeof size);
    t->live += size;
    memset(p + TEST_MEM_HDR, 0xa5, size); /* nobody may count on zeros */
    return p + TEST_MEM_HDR;
}

static inline void test_mem_free(void *ctx, void *ptr, size_t size)
{
    struct test_mem *t = ctx;
    uint8_t *p = (uint8_t *)ptr - TEST_MEM_HDR;
    size_t asked;
    memcpy(&asked, p, sizeof asked);
    assert_int_equal(size, asked);
    t->live -= size;
    free(p);
}

static inline void test_mem_init(struct test_mem *t)
{
    *t = (struct test_mem){
        .mem = {.alloc = test_mem_alloc, .free = test_mem_free, .ctx = t, .limit = SIZE_MAX}};
}

static inline void test_mem_fail_at(struct test_mem *t, unsigned nth)
{
    t->calls = 0;
    t->fail_at = nth;
}

#endif
