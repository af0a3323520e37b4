/* See payload.h. Eight octets at a time: one multiplication each. */
#include "payload.h"

#include <string.h>

static inline uint64_t word_at(uint64_t stream, uint64_t index)
{
    uint64_t x = (index + 1) * UINT64_C(0x9e3779b97f4a7c15) + stream * UINT64_C(0xd6e8feb86659fd93);
    return x ^ x >> 29;
}

/* Octets [offset, offset + n) of one word; n > 0, and they don't cross into the next. */
static void part(uint64_t stream, uint64_t offset, uint8_t *to, size_t n)
{
    uint64_t w = word_at(stream, offset / 8);
    memcpy(to, (const uint8_t *)&w + offset % 8, n);
}

/* Octets until the next word begins, at most len. */
static size_t to_boundary(uint64_t offset, size_t len)
{
    size_t n = (size_t)(-offset % 8);
    return n < len ? n : len;
}

void payload_fill(uint64_t stream, uint64_t offset, void *buf, size_t len)
{
    uint8_t *p = buf;
    size_t n = to_boundary(offset, len);
    if (n > 0)
        part(stream, offset, p, n);
    p += n;
    len -= n;
    uint64_t index = (offset + n) / 8;
    for (; len >= 8; p += 8, len -= 8) {
        uint64_t w = word_at(stream, index++);
        memcpy(p, &w, 8);
    }
    if (len > 0)
        part(stream, index * 8, p, len);
}

/* Index of the first octet that differs, one by one, for the report. */
static size_t first_wrong(uint64_t stream, uint64_t offset, const uint8_t *p, size_t from,
                          size_t len)
{
    for (size_t i = from; i < len; i++) {
        uint8_t octet;
        part(stream, offset + i, &octet, 1);
        if (p[i] != octet)
            return i;
    }
    return len;
}

size_t payload_verify(uint64_t stream, uint64_t offset, const void *buf, size_t len)
{
    const uint8_t *p = buf;
    size_t at = to_boundary(offset, len);
    if (first_wrong(stream, offset, p, 0, at) < at)
        return first_wrong(stream, offset, p, 0, at);
    uint64_t index = (offset + at) / 8, wrong = 0;
    size_t body = at;
    for (; len - body >= 8; body += 8) {
        uint64_t have;
        memcpy(&have, p + body, 8);
        wrong |= have ^ word_at(stream, index++);
    }
    return first_wrong(stream, offset, p, wrong ? at : body, len);
}
