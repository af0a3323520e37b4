/*
 * The Internet checksum (RFC 1071), 8 octets at a time.
 *
 * Sums are kept in the machine's byte order and put right once, when folded (RFC 1071 2 (B)). A sum
 * of 64 bits with end-around carry is a sum of 16 bits that has not been folded yet (2 (A), (C)); a
 * piece that begins at an odd octet has all its octets in the wrong halves, which turning its sum
 * by 8 bits repairs.
 */
#include "checksum.h"

#include <string.h>

#include "check.h"

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

/* The sum of len octets as if they began at an even one. Four sums, so that no addition has to wait
 * for the one before it. */
static uint64_t sum_piece(const uint8_t *p, size_t len)
{
    uint64_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    for (; len >= 64; p += 64, len -= 64) {
        s0 = add(s0, load(p));
        s1 = add(s1, load(p + 8));
        s2 = add(s2, load(p + 16));
        s3 = add(s3, load(p + 24));
        s0 = add(s0, load(p + 32));
        s1 = add(s1, load(p + 40));
        s2 = add(s2, load(p + 48));
        s3 = add(s3, load(p + 56));
    }
    for (; len >= 8; p += 8, len -= 8)
        s0 = add(s0, load(p));
    s1 = add(s1, load_tail(p, len));
    return add(add(s0, s1), add(s2, s3));
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
    const struct ip_addr ends[2] = {ip_addr_on_wire(src), ip_addr_on_wire(dst)};
    size_t from = ip_addr_is_v4(dst) ? 12 : 0;
    csum_add(c, ends[0].b + from, 16 - from);
    csum_add(c, ends[1].b + from, 16 - from);
    csum_add(c, rest, sizeof rest);
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
