/* Fragments of IP packets, for the tests of reassembly. */
#ifndef FRAGMENTS_H
#define FRAGMENTS_H

#include "ip.h"
#include "packet.h"
#include "support.h"

#define FRAGMENT_PLACE 6 /* of the flags and the offset, in an IPv4 header */

static uint8_t source[UINT16_MAX + 8]; /* the payload of every packet */

/* A fragment that can be had in another form by changing its fields. */
struct fragment {
    struct ip_hdr hdr; /* src, dst, proto, id, tos */
    uint32_t at, len;
    bool last, other_octets;
    unsigned pieces; /* of memory; 0: one */
};

static inline struct fragment fragment(bool v4, uint32_t at, uint32_t len, bool last)
{
    struct fragment f = {.at = at, .len = len, .last = last};
    f.hdr = (struct ip_hdr){.proto = IP_PROTO_TCP, .ttl = 60, .id = 7};
    f.hdr.src = v4 ? ip_addr_v4(0x0a000101) : (struct ip_addr){{0xfd, [15] = 1}};
    f.hdr.dst = v4 ? ip_addr_v4(0x0a000001) : (struct ip_addr){{0xfd, [15] = 2}};
    return f;
}

static inline void put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

/* The octets of the packet, whose length it returns. */
static inline size_t write_fragment(uint8_t *p, size_t room, const struct fragment *f)
{
    struct writer w = writer(p, room);
    struct ip_hdr h = f->hdr;
    bool v4 = ip_addr_is_v4(&h.dst);
    h.payload_len = f->len + (v4 ? 0 : 8);
    if (!v4)
        h.proto = 44;
    ip_emit(&w, &h);
    if (v4) {
        put16(p + FRAGMENT_PLACE, f->at / 8 | (f->last ? 0 : 0x2000));
        put16(p + 10, 0);
        put16(p + 10, (uint16_t)~naive_sum(p, IP4_HDR_LEN));
    } else {
        put_u8(&w, f->hdr.proto);
        put_u8(&w, 0);
        put_u16(&w, (uint16_t)(f->at | !f->last));
        put_u32(&w, f->hdr.id);
    }
    for (uint32_t i = 0; i < f->len; i++)
        put_u8(&w, source[(f->at + i) % sizeof source] ^ (f->other_octets ? 1 : 0));
    assert_false(w.bad);
    return (size_t)(w.ptr - p);
}

/* The packet in so many pieces of memory, the first of which holds the headers. */
static inline struct packet cut(uint8_t *octets, size_t len, unsigned pieces)
{
    size_t head = pieces > 1 ? IP6_HDR_LEN + 8 : len;
    struct packet p = {.head = {octets, head}};
    for (unsigned i = 1; i < pieces; i++) {
        size_t n = i + 1 < pieces ? (len - head) / 2 : len - head;
        p.body[p.n_body++] = (struct bytes){octets + head, n};
        head += n;
    }
    return p;
}

#endif
