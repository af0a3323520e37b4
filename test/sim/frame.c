/* See frame.h. */
#include "frame.h"

#include <stdlib.h>

#include "codec.h"
#include "fail.h"

static struct frame *frame_new(uint32_t len)
{
    struct frame *f = sim_realloc(NULL, 1, sizeof *f + len + FRAME_PADDING_MAX);
    *f = (struct frame){.refs = 1, .len = len};
    return f;
}

/* One's complement sum in native order, which RFC 1071 2(B) allows. An even number of octets must
 * have gone before. */
static uint64_t sum(uint64_t s, const void *data, size_t len)
{
    const uint8_t *p = data;
    for (; len >= 4; p += 4, len -= 4) {
        uint32_t w;
        memcpy(&w, p, 4);
        s += w;
    }
    uint8_t rest[4] = {0};
    memcpy(rest, p, len);
    uint32_t w;
    memcpy(&w, rest, 4);
    return s + w;
}

static uint16_t fold(uint64_t s)
{
    while (s >> 16)
        s = (s & 0xffff) + (s >> 16);
    return (uint16_t)s;
}

static bool is_v6(const struct frame *f)
{
    return f->data[0] >> 4 == 6;
}

static uint32_t ip_len(const struct frame *f)
{
    return is_v6(f) ? 40 : 4u * (f->data[0] & 15);
}

/* Of the pseudo header: RFC 9293 3.1, RFC 8200 8.1. */
static uint64_t pseudo_sum(const struct frame *f)
{
    uint32_t len = f->len - ip_len(f);
    const uint8_t tail[8] = {
        (uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len, 0, 0, 0,
        IP_PROTO_TCP};
    const uint8_t *addrs = is_v6(f) ? f->data + 8 : f->data + 12;
    return sum(sum(0, addrs, is_v6(f) ? 32 : 8), tail, 8);
}

static uint8_t *csum_field(struct frame *f)
{
    return f->data + ip_len(f) + TCP_CSUM_OFFSET;
}

/* The checksum that belongs into the field, whatever it holds now. */
static uint16_t full_csum(struct frame *f)
{
    uint16_t kept, zero = 0, at = 0;
    memcpy(&kept, csum_field(f), 2);
    memcpy(csum_field(f), &zero, 2);
    at = (uint16_t)~fold(sum(pseudo_sum(f), f->data + ip_len(f), f->len - ip_len(f)));
    memcpy(csum_field(f), &kept, 2);
    return at;
}

static void check_csum(struct frame *f)
{
    uint16_t have, want;
    memcpy(&have, csum_field(f), 2);
    if (f->csum == CSUM_PARTIAL) {
        want = fold(pseudo_sum(f));
        SIM_CHECK(have == want || (have ^ want) == 0xffff, "checksum",
                  "partial: %04x in the field, the pseudo header sums to %04x", have, want);
    } else {
        SIM_CHECK(f->csum == CSUM_FULL, "checksum", "output says csum %u", f->csum);
        want = full_csum(f);
        SIM_CHECK(have == want, "checksum", "%04x in the field, should be %04x", have, want);
    }
}

static void decode(struct frame *f)
{
    struct packet p = {.head = {f->data, f->len}, .csum = CSUM_VERIFIED, .gso_size = f->gso_size};
    struct ip_hdr ip;
    const char *why = "";
    enum decode d = packet_decode(&p, &f->flow, &ip, &f->seg, &why);
    SIM_CHECK(d == DECODE_OK, "codec", "output made a packet that decodes as %d: %s", (int)d, why);
    SIM_CHECK(f->seg.text_len <= f->len, "codec", "more text than packet");
    f->head_len = f->len - f->seg.text_len;
    f->seg.n_text = f->seg.text_len > 0;
    f->seg.text[0] = (struct bytes){f->data + f->head_len, f->seg.text_len};
}

struct frame *frame_copy(const struct packet *p, const struct link_caps *caps)
{
    size_t len = packet_len(p);
    SIM_CHECK(len >= 40 && len <= 65575, "codec", "a packet of %zu octets", len);
    struct frame *f = frame_new((uint32_t)len);
    f->csum = p->csum;
    f->gso_size = p->gso_size;
    uint8_t *to = f->data;
    memcpy(to, p->head.ptr, p->head.len);
    to += p->head.len;
    for (unsigned i = 0; i < p->n_body; i++) {
        memcpy(to, p->body[i].ptr, p->body[i].len);
        to += p->body[i].len;
    }
    decode(f);
    check_csum(f);
    SIM_CHECK(p->csum == CSUM_FULL || caps->csum_offload, "caps", "checksum left to the link");
    if (p->gso_size) {
        SIM_CHECK(f->seg.text_len <= caps->super_max, "caps", "%u octets in a super-segment",
                  f->seg.text_len);
        SIM_CHECK(f->seg.text_len > p->gso_size, "caps", "gso_size on a single packet");
        SIM_CHECK(f->head_len + p->gso_size <= caps->mtu, "caps", "pieces of %u octets, MTU %u",
                  f->head_len + p->gso_size, caps->mtu);
        SIM_CHECK(!(f->seg.flags & (TCP_SYN | TCP_RST)), "caps", "SYN or RST in a super-segment");
    } else {
        SIM_CHECK(len <= caps->mtu, "caps", "a packet of %zu octets, MTU %u", len, caps->mtu);
    }
    return f;
}

static void put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

/* IPv4's total length and header checksum, or IPv6's payload length, for so long a packet. */
static void put_ip_len(struct frame *f, uint32_t len)
{
    uint8_t *ip = f->data;
    if (is_v6(f)) {
        put16(ip + 4, len - 40);
        return;
    }
    put16(ip + 2, len);
    put16(ip + 10, 0);
    uint16_t s = (uint16_t)~fold(sum(0, ip, ip_len(f)));
    memcpy(ip + 10, &s, 2);
}

struct frame *frame_piece(const struct frame *f, uint32_t from, uint32_t len)
{
    struct frame *g = frame_new(f->head_len + len);
    uint32_t at = ip_len(f), size = g->len;
    memcpy(g->data, f->data, f->head_len);
    memcpy(g->data + f->head_len, f->data + f->head_len + from, len);
    put_ip_len(g, size);
    uint32_t s = f->seg.seq.v + from;
    put16(g->data + at + 4, s >> 16);
    put16(g->data + at + 6, s);
    if (from + len < f->seg.text_len)
        g->data[at + 13] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
    if (from > 0)
        g->data[at + 13] &= (uint8_t)~TCP_CWR;
    g->conn = f->conn;
    g->side = f->side;
    g->from = f->from;
    g->to = f->to;
    g->epoch = f->epoch;
    g->csum = CSUM_PARTIAL;
    frame_finish_csum(g);
    decode(g);
    return g;
}

void frame_finish_csum(struct frame *f)
{
    if (f->csum != CSUM_PARTIAL)
        return;
    uint16_t s = full_csum(f);
    memcpy(csum_field(f), &s, 2);
    f->csum = CSUM_FULL;
}

struct frame *frame_forge(const struct frame *f, seq_t never, struct rng *rng)
{
    struct frame *g = frame_piece(f, 0, f->seg.text_len);
    uint8_t *tcp = g->data + ip_len(g), *field = tcp + 4;
    uint32_t far = rng_range32(rng, 1u << 29, (1u << 31) - 1), v;
    switch (rng_below(rng, 3)) {
    case 0:
        tcp[13] |= TCP_RST;
        v = never.v + rng_range32(rng, 0, 5000);
        break;
    case 1:
        field = tcp + 8; /* the ACK */
        v = f->seg.ack.v + far;
        break;
    default:
        v = f->seg.seq.v + far;
        break;
    }
    put16(field, v >> 16);
    put16(field + 2, v);
    g->csum = CSUM_PARTIAL;
    frame_finish_csum(g);
    decode(g);
    g->forged = true;
    return g;
}

uint32_t frame_packet_max(const struct frame *f)
{
    return f->gso_size ? f->head_len + f->gso_size : f->len;
}

/* The IP header of a router's answer to f, of len octets in all. */
static void put_ip(uint8_t *ip, const struct frame *f, uint32_t len)
{
    if (is_v6(f)) {
        ip[0] = 0x60;
        put16(ip + 4, len - 40);
        ip[6] = IP_PROTO_ICMP6;
        ip[7] = 64;
        memcpy(ip + 8, f->data + 24, 16);
        memcpy(ip + 24, f->data + 8, 16);
        return;
    }
    ip[0] = 0x45;
    put16(ip + 2, len);
    ip[8] = 64;
    ip[9] = IP_PROTO_ICMP;
    memcpy(ip + 12, f->data + 16, 4);
    memcpy(ip + 16, f->data + 12, 4);
    uint16_t s = (uint16_t)~fold(sum(0, ip, 20));
    memcpy(ip + 10, &s, 2);
}

static struct frame *icmp(const struct frame *f, uint8_t type, uint8_t code, uint32_t mtu,
                          struct rng *rng)
{
    bool v6 = is_v6(f);
    uint32_t at = v6 ? 40 : 20; /* of the message */
    uint32_t quoted = rng_range32(rng, ip_len(f) + 8, f->len < 500 ? f->len : 500);
    struct frame *g = frame_new(at + 8 + quoted);
    uint8_t *ip = g->data, *m = g->data + at;
    memset(ip, 0, g->len);
    put_ip(ip, f, g->len);
    m[0] = type;
    m[1] = code;
    put16(m + 6, mtu);
    memcpy(m + 8, f->data, quoted);
    const uint8_t tail[8] = {
        0, 0, (uint8_t)((8 + quoted) >> 8), (uint8_t)(8 + quoted), 0, 0, 0, IP_PROTO_ICMP6};
    uint64_t pseudo = v6 ? sum(sum(0, ip + 8, 32), tail, 8) : 0;
    uint16_t s = (uint16_t)~fold(sum(pseudo, m, 8 + quoted));
    memcpy(m + 2, &s, 2);
    g->head_len = g->len;
    g->conn = f->conn;
    g->side = 1 - f->side;
    g->from = f->to;
    g->to = f->from;
    g->seg.seq = f->seg.seq;
    g->mtu = mtu;
    g->csum = CSUM_FULL;
    return g;
}

struct frame *frame_too_big(const struct frame *f, uint32_t mtu, struct rng *rng)
{
    struct frame *g = is_v6(f) ? icmp(f, 2, 0, mtu, rng) : icmp(f, 3, 4, mtu, rng);
    g->icmp = ICMP_SAYS_TOO_BIG;
    return g;
}

struct frame *frame_unreachable(const struct frame *f, struct rng *rng)
{
    bool host = rng_one_in(rng, 2);
    struct frame *g = is_v6(f) ? icmp(f, 1, host ? 3 : 0, 0, rng) : icmp(f, 3, host, 0, rng);
    g->icmp = ICMP_SAYS_UNREACHABLE;
    return g;
}

void frame_corrupt(struct frame *f, struct rng *rng)
{
    frame_finish_csum(f);
    f->csum = CSUM_FULL;
    f->corrupt = true;
    uint32_t octet, bit;
    /* No checksum covers an IPv6 header's first eight octets, but for the length by way of the
     * pseudo header. Flips of the length are left out: what they cut off may sum to zero. And IPv4
     * must not turn into IPv6, which has no header checksum. */
    do {
        octet = (uint32_t)rng_below(rng, f->len);
        bit = (uint32_t)rng_below(rng, 8);
    } while (is_v6(f) ? octet < 8 : octet == 0);
    f->data[octet] ^= (uint8_t)(1u << bit);
}

/* Whether a packet that now says how long it is would pass for one. */
static bool passes(struct frame *f)
{
    uint16_t have, want;
    if (f->len < ip_len(f) + TCP_HDR_LEN)
        return false;
    memcpy(&have, csum_field(f), 2);
    want = full_csum(f);
    return have == want || ((have == 0 || want == 0) && (have ^ want) == 0xffff); /* both are 0 */
}

void frame_shorten(struct frame *f, struct rng *rng)
{
    frame_finish_csum(f);
    f->csum = CSUM_FULL;
    f->corrupt = true;
    f->padding = 0;
    uint32_t ip = ip_len(f), len = f->len;
    bool in_text = len > f->head_len && rng_one_in(rng, 2);
    bool agrees = !f->icmp && rng_one_in(rng, 2);
    do {
        f->len = in_text ? rng_range32(rng, f->head_len, len - 1)
                         : rng_range32(rng, agrees ? ip : 0, f->head_len - 1);
        if (agrees)
            put_ip_len(f, f->len);
    } while (agrees && passes(f));
}

bool frame_mark(struct frame *f)
{
    if (f->corrupt || f->icmp || f->seg.ecn == ECN_NOT_ECT)
        return false;
    f->data[1] |= is_v6(f) ? ECN_CE << 4 : ECN_CE;
    put_ip_len(f, f->len);
    f->seg.ecn = ECN_CE;
    return true;
}

void frame_pad(struct frame *f, struct rng *rng)
{
    f->padding = rng_range32(rng, 1, FRAME_PADDING_MAX);
    for (uint32_t i = 0; i < f->padding; i++)
        f->data[f->len + i] = (uint8_t)rng_u64(rng);
}

void frame_to_packet(const struct frame *f, struct packet *p, struct rng *rng)
{
    p->csum = f->csum;
    p->gso_size = f->gso_size;
    p->mtu = p->zone = 0;
    p->n_body = 0;
    uint32_t total = f->len + f->padding, at = total;
    if (f->head_len < total && rng_one_in(rng, 2))
        at = rng_range32(rng, f->head_len, total);
    p->head = (struct bytes){f->data, at};
    while (at < total) {
        uint32_t n = total - at;
        if (p->n_body + 2 < SEG_REFS_MAX && rng_one_in(rng, 2))
            n = rng_range32(rng, 1, n);
        p->body[p->n_body++] = (struct bytes){f->data + at, n};
        at += n;
    }
}

struct frame *frame_own(struct frame *f)
{
    if (f->refs == 1)
        return f;
    struct frame *g = frame_new(f->len);
    *g = *f;
    g->refs = 1;
    f->refs--;
    memcpy(g->data, f->data, f->len + f->padding);
    g->seg.text[0].ptr = g->data + g->head_len;
    return g;
}

void frame_unref(struct frame *f)
{
    if (!f || --f->refs > 0)
        return;
    uint32_t n = f->len < 256 ? f->len : 256;
    memset(f->data, 0xdd, n); /* whoever still looks here sees it */
    free(f);
}
