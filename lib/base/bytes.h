/*
 * Bounds-checked big-endian cursors over byte strings. A cursor that runs past its end sets `bad`,
 * yields zeros, and stays bad: a parser reads all its fields and asks once at the end.
 */
#ifndef BYTES_H
#define BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A borrowed byte string. */
struct bytes {
    const uint8_t *ptr;
    size_t len;
};

struct reader {
    const uint8_t *ptr;
    size_t len; /* octets left */
    bool bad;
};

struct writer {
    uint8_t *ptr;
    size_t len; /* octets of room left */
    bool bad;
};

static inline struct reader reader(const uint8_t *ptr, size_t len)
{
    return (struct reader){ptr, len, false};
}

static inline struct writer writer(uint8_t *ptr, size_t len)
{
    return (struct writer){ptr, len, false};
}

/* The next n octets, or NULL (and bad) when fewer are left. */
static inline const uint8_t *get_bytes(struct reader *r, size_t n)
{
    if (r->bad || n > r->len) {
        r->bad = true;
        return NULL;
    }
    const uint8_t *p = r->ptr;
    r->ptr += n;
    r->len -= n;
    return p;
}

static inline uint8_t get_u8(struct reader *r)
{
    const uint8_t *p = get_bytes(r, 1);
    return p ? p[0] : 0;
}

static inline uint16_t get_u16(struct reader *r)
{
    const uint8_t *p = get_bytes(r, 2);
    return p ? (uint16_t)((unsigned)p[0] << 8 | p[1]) : 0;
}

static inline uint32_t get_u32(struct reader *r)
{
    const uint8_t *p = get_bytes(r, 4);
    return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

static inline uint8_t *put_room(struct writer *w, size_t n)
{
    if (w->bad || n > w->len) {
        w->bad = true;
        return NULL;
    }
    uint8_t *p = w->ptr;
    w->ptr += n;
    w->len -= n;
    return p;
}

static inline void put_u8(struct writer *w, uint8_t v)
{
    uint8_t *p = put_room(w, 1);
    if (p)
        p[0] = v;
}

static inline void put_u16(struct writer *w, uint16_t v)
{
    uint8_t *p = put_room(w, 2);
    if (p) {
        p[0] = (uint8_t)(v >> 8);
        p[1] = (uint8_t)v;
    }
}

static inline void put_u32(struct writer *w, uint32_t v)
{
    uint8_t *p = put_room(w, 4);
    if (p) {
        p[0] = (uint8_t)(v >> 24);
        p[1] = (uint8_t)(v >> 16);
        p[2] = (uint8_t)(v >> 8);
        p[3] = (uint8_t)v;
    }
}

static inline void put_bytes(struct writer *w, const void *src, size_t n)
{
    uint8_t *p = put_room(w, n);
    if (p && n > 0)
        memcpy(p, src, n);
}

#endif
