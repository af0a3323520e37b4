/* See payload.h. Eight octets at a time: one multiplication each. */
#include "payload.h"

#include <string.h>

static inline uint64_t word_at(uint64_t stream, uint64_t index)
{
    uint64_t x = (index + 1) * UINT64_C(0x9e3779b97f4a7c15) + stream * UINT64_C(0xd6e8feb86659fd93);
    return x ^ x >> 29;
}

void payload_fill(uint64_t stream, uint64_t offset, void *buf, size_t len)
{
    uint8_t *p = buf;
    while (len > 0) {
        uint64_t w = word_at(stream, offset / 8);
        size_t skip = offset % 8, n = 8 - skip < len ? 8 - skip : len;
        if (n == 8)
            memcpy(p, &w, 8);
        else
            memcpy(p, (const uint8_t *)&w + skip, n);
        p += n;
        offset += n;
        len -= n;
    }
}

size_t payload_verify(uint64_t stream, uint64_t offset, const void *buf, size_t len)
{
    const uint8_t *p = buf;
    size_t done = 0;
    while (done < len) {
        uint64_t w = word_at(stream, offset / 8), have;
        size_t skip = offset % 8, n = 8 - skip < len - done ? 8 - skip : len - done;
        if (n == 8) {
            memcpy(&have, p + done, 8);
            if (have != w)
                break;
        } else if (memcmp(p + done, (const uint8_t *)&w + skip, n) != 0) {
            break;
        }
        done += n;
        offset += n;
    }
    while (done < len) { /* the exact octet, for the report */
        uint64_t w = word_at(stream, offset / 8);
        if (p[done] != ((const uint8_t *)&w)[offset % 8])
            return done;
        done++;
        offset++;
    }
    return len;
}
