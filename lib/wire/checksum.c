/*
 * The Internet checksum (RFC 1071), 8 octets at a time, or 64, by AVX2 where the processor has it.
 *
 * Sums are kept in the machine's byte order and put right once, when folded (RFC 1071 2 (B)). A sum
 * of 64 bits with end-around carry is a sum of 16 bits that has not been folded yet (2 (A), (C)); a
 * piece that begins at an odd octet has all its octets in the wrong halves, which turning its sum
 * by 8 bits repairs.
 */
#include "checksum.h"

#include <string.h>

#include "check.h"

/* Not every x86-64 has it, so that the processor is asked; CSUM_BASELINE goes by what each has. */
#if defined(__x86_64__) && !defined(CSUM_BASELINE)
#define CSUM_AVX2
#endif

static inline uint64_t load(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* The last 0 to 7 octets, as loads of fixed sizes: addresses and headers end here, and for them a
 * call of memcpy would cost more than the sum. Each load begins at an even octet of the piece. */
static inline uint64_t load_tail(const uint8_t *p, size_t len)
{
    uint64_t sum = 0;
    if (len & 4) {
        uint32_t v;
        memcpy(&v, p, sizeof v);
        sum += v;
        p += 4;
    }
    if (len & 2) {
        uint16_t v;
        memcpy(&v, p, sizeof v);
        sum += v;
        p += 2;
    }
    if (len & 1) {
        const uint8_t last[2] = {*p, 0};
        uint16_t v;
        memcpy(&v, last, sizeof v);
        sum += v;
    }
    return sum;
}

/* a + b with end-around carry. */
static inline uint64_t add(uint64_t a, uint64_t b)
{
    a += b;
    return a + (a < b);
}

/* Two words of 64 bits, which compilers keep in one register where the machine has such. */
typedef uint64_t lanes __attribute__((vector_size(16)));

static inline lanes load_lanes(const uint8_t *p)
{
    lanes v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* The sum of len octets, a multiple of 64, without a carry to look at: of all words, where what
 * overflows is lost, and of their upper halves, which can't overflow. The former less what the
 * latter have contributed is the sum of the lower halves, which can't either. */
static uint64_t sum_lanes(const uint8_t *p, size_t len)
{
    lanes all[2] = {{0}}, upper[2] = {{0}};
    for (const uint8_t *end = p + len; p < end; p += 64) {
        lanes v[4] = {load_lanes(p), load_lanes(p + 16), load_lanes(p + 32), load_lanes(p + 48)};
        all[0] += v[0] + v[2];
        all[1] += v[1] + v[3];
        upper[0] += (v[0] >> 32) + (v[2] >> 32);
        upper[1] += (v[1] >> 32) + (v[3] >> 32);
    }
    all[0] += all[1];
    upper[0] += upper[1];
    uint64_t uppers = upper[0][0] + upper[0][1];
    return add(all[0][0] + all[0][1] - (uppers << 32), uppers);
}

#ifdef CSUM_AVX2

typedef uint64_t wide_lanes __attribute__((vector_size(32)));

/* The same as sum_lanes(), in wider registers. */
__attribute__((target("avx2"))) static uint64_t sum_wide_lanes(const uint8_t *p, size_t len)
{
    wide_lanes all = {0}, upper = {0};
    for (const uint8_t *end = p + len; p < end; p += 64) {
        wide_lanes v, w;
        memcpy(&v, p, sizeof v);
        memcpy(&w, p + sizeof v, sizeof w);
        all += v + w;
        upper += (v >> 32) + (w >> 32);
    }
    uint64_t uppers = upper[0] + upper[1] + upper[2] + upper[3];
    return add(all[0] + all[1] + all[2] + all[3] - (uppers << 32), uppers);
}

#endif

static uint64_t sum_blocks(const uint8_t *p, size_t len)
{
#ifdef CSUM_AVX2
    if (__builtin_cpu_supports("avx2"))
        return sum_wide_lanes(p, len);
#endif
    return sum_lanes(p, len);
}

/* The sum of len octets as if they began at an even one. */
static inline uint64_t sum_piece(const uint8_t *p, size_t len)
{
    size_t blocks = len & ~(size_t)63;
    uint64_t sum = blocks > 0 ? sum_blocks(p, blocks) : 0;
    for (p += blocks, len -= blocks; len >= 8; p += 8, len -= 8)
        sum = add(sum, load(p));
    return add(sum, load_tail(p, len));
}

void csum_add(struct csum *c, const void *data, size_t len)
{
    if (len == 0)
        return;
    uint64_t s = sum_piece(data, len);
    if (c->odd)
        s = s << 8 | s >> 56;
    c->sum = add(c->sum, s);
    c->odd ^= len & 1;
}

void csum_add_pseudo(struct csum *c, const struct ip_addr *src, const struct ip_addr *dst,
                     uint8_t proto, uint32_t len)
{
    (void)CHECK(!c->odd);
    /* IPv4 has 16 bits for the length and IPv6 32, and both leave the rest 0: one form sums like
     * either. */
    const uint8_t rest[8] = {
        (uint8_t)(len >> 24),
        (uint8_t)(len >> 16),
        (uint8_t)(len >> 8),
        (uint8_t)len,
        0,
        0,
        0,
        proto,
    };
    const struct ip_addr from = ip_addr_on_wire(src), to = ip_addr_on_wire(dst);
    uint64_t sum = add(c->sum, load(rest));
    if (ip_addr_is_v4(dst)) {
        sum = add(sum, load_tail(from.b + 12, 4) + load_tail(to.b + 12, 4));
    } else {
        sum = add(add(sum, load(from.b)), load(from.b + 8));
        sum = add(add(sum, load(to.b)), load(to.b + 8));
    }
    c->sum = sum;
}

uint16_t csum_fold(const struct csum *c)
{
    uint64_t s = c->sum;
    s = (s & 0xffffffff) + (s >> 32);                  /* at most 0x1fffffffe */
    s = (s & 0xffff) + (s >> 16 & 0xffff) + (s >> 32); /* at most 0x1fffe */
    s = (s & 0xffff) + (s >> 16);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return __builtin_bswap16((uint16_t)s);
#else
    return (uint16_t)s;
#endif
}

uint16_t csum_finish(const struct csum *c)
{
    return (uint16_t)~csum_fold(c);
}

uint16_t csum_update(uint16_t field, uint16_t old_word, uint16_t new_word)
{
    uint32_t s = (uint32_t)(uint16_t)~field + (uint16_t)~old_word + new_word;
    s = (s & 0xffff) + (s >> 16);
    s = (s & 0xffff) + (s >> 16);
    return (uint16_t)~s;
}
