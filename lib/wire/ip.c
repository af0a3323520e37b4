/*
 * IPv4 (RFC 791 3.1) and IPv6 (RFC 8200 3, 4) headers. No reassembly, no forwarding; what IPv4's
 * options say is ip_options.c's.
 */
#include "ip.h"

#include "check.h"
#include "checksum.h"

#define IP4_DF        0x4000
#define IP6_EXT_MAX   8
#define IP6_HOPOPTS   0
#define IP6_ROUTING   43
#define IP6_FRAGMENT  44
#define IP6_DSTOPTS   60
#define IP6_OPT_PAD1  0
#define IP6_OPT_ACT   0xc0 /* what to do when the option is not known: 0 is skip it */
#define IP6_FRAG_MORE 0x0001
#define IP6_FRAG_OFF  0xfff8

/* Cuts the reader to what belongs to the packet: Ethernet pads short frames. */
static void trim(struct reader *r, size_t len)
{
    if (r->len > len)
        r->len = len;
}

/* total_len of a packet that is only quoted: what its header says, it had. */
#define QUOTED SIZE_MAX

static enum ip_error parse4(struct reader *r, size_t total_len, struct ip_hdr *h)
{
    size_t held = r->len;
    const uint8_t *start = get_bytes(r, IP4_HDR_LEN);
    if (!start)
        return IP_SHORT;
    struct reader field = reader(start, IP4_HDR_LEN);
    uint8_t version_ihl = get_u8(&field);
    h->tos = get_u8(&field);
    uint16_t stated = get_u16(&field);
    h->id = get_u16(&field);
    uint16_t fragment = get_u16(&field);
    h->ttl = get_u8(&field);
    h->proto = get_u8(&field);
    (void)get_u16(&field); /* the checksum */
    h->src = ip_addr_v4_bytes(get_bytes(&field, 4));
    h->dst = ip_addr_v4_bytes(get_bytes(&field, 4));

    size_t hdr_len = (size_t)(version_ihl & 0xf) * 4;
    if (hdr_len < IP4_HDR_LEN || stated < hdr_len)
        return IP_HDR_LEN;
    if (held < hdr_len || total_len < stated)
        return IP_SHORT;
    struct csum c = {0};
    csum_add(&c, start, hdr_len);
    if (total_len != QUOTED && csum_finish(&c) != 0)
        return IP_BAD_CHECKSUM;

    h->df = fragment & IP4_DF;
    h->more = fragment & IP4_MF;
    h->offset = (uint32_t)(fragment & IP4_OFFSET) * 8;
    h->payload_len = (uint32_t)(stated - hdr_len);
    h->options.len = hdr_len - IP4_HDR_LEN;
    h->options.ptr = get_bytes(r, h->options.len);
    trim(r, h->payload_len);
    return h->more || h->offset > 0 ? IP_FRAGMENT : IP_OK;
}

/* Options of a hop-by-hop or destination options header (RFC 8200 4.2). We know none but the
 * padding; of the others the type itself says whether a node that doesn't know it may go on. The
 * jumbo payload option (RFC 2675) says it may not. */
static enum ip_error walk_options(struct reader opts)
{
    while (opts.len > 0) {
        uint8_t type = get_u8(&opts);
        if (type == IP6_OPT_PAD1)
            continue;
        uint8_t len = get_u8(&opts);
        (void)get_bytes(&opts, len);
        if (opts.bad || type & IP6_OPT_ACT)
            return IP_EXTENSION;
    }
    return IP_OK;
}

/* One extension header of the kind h->proto. Leaves the next one's kind there. */
static enum ip_error parse_extension(struct reader *r, struct ip_hdr *h)
{
    uint8_t kind = h->proto;
    if (h->payload_len < 8)
        return IP_EXTENSION;
    if (r->len < 8)
        return IP_SHORT;
    uint8_t next = r->ptr[0];
    /* A fragment header's second octet is reserved: its length is always 8. */
    size_t len = kind == IP6_FRAGMENT ? 8 : ((size_t)r->ptr[1] + 1) * 8;
    if (h->payload_len < len)
        return IP_EXTENSION;
    const uint8_t *ext = get_bytes(r, len);
    if (!ext)
        return IP_SHORT;

    if (kind == IP6_FRAGMENT) {
        struct reader field = reader(ext + 2, 6);
        uint16_t place = get_u16(&field);
        h->id = get_u32(&field);
        h->more = place & IP6_FRAG_MORE;
        h->offset = place & IP6_FRAG_OFF; /* in units of 8 octets, and the lowest bits are others */
    } else if (kind == IP6_ROUTING) {
        if (ext[3] != 0) /* segments left: we are not the last stop */
            return IP_EXTENSION;
    } else {
        enum ip_error e = walk_options(reader(ext + 2, len - 2));
        if (e != IP_OK)
            return e;
    }
    h->payload_len -= (uint32_t)len;
    h->proto = next;
    /* RFC 6946: a fragment that is its whole packet is none. */
    return h->more || h->offset > 0 ? IP_FRAGMENT : IP_OK;
}

/* RFC 4291 2.5.6. */
static bool on_wire(const struct ip_addr *a)
{
    static const uint8_t prefix[8] = {0xfe, 0x80};
    return !ip_addr_is_link_local(a) || memcmp(a->b, prefix, sizeof prefix) == 0;
}

static enum ip_error parse6(struct reader *r, size_t total_len, struct ip_hdr *h)
{
    uint32_t first = get_u32(r);
    h->tos = (uint8_t)(first >> 20);
    h->payload_len = get_u16(r);
    h->proto = get_u8(r);
    h->ttl = get_u8(r);
    const uint8_t *src = get_bytes(r, 16);
    const uint8_t *dst = get_bytes(r, 16);
    if (r->bad || total_len < IP6_HDR_LEN + h->payload_len)
        return IP_SHORT;
    h->src = ip_addr_v6_bytes(src);
    h->dst = ip_addr_v6_bytes(dst);
    /* RFC 4942 2.2. Here such an address is IPv4's own: the connection would have two families. */
    if (ip_addr_is_v4(&h->src) || ip_addr_is_v4(&h->dst))
        return IP_MAPPED;
    if (!on_wire(&h->src) || !on_wire(&h->dst))
        return IP_LINK_LOCAL;
    trim(r, h->payload_len);

    for (int n = 0;; n++) {
        bool known = h->proto == IP6_ROUTING || h->proto == IP6_FRAGMENT ||
                     h->proto == IP6_DSTOPTS || h->proto == IP6_HOPOPTS;
        if (!known)
            return IP_OK;
        /* Hop-by-hop options may stand first only (RFC 8200 4.1). */
        if (n == IP6_EXT_MAX || (h->proto == IP6_HOPOPTS && n > 0))
            return IP_EXTENSION;
        enum ip_error e = parse_extension(r, h);
        if (e != IP_OK)
            return e;
    }
}

enum ip_error ip_parse(struct reader *r, size_t total_len, struct ip_hdr *h)
{
    *h = (struct ip_hdr){0};
    if (r->bad || r->len == 0)
        return IP_SHORT;
    switch (r->ptr[0] >> 4) {
    case 4:
        return parse4(r, total_len, h);
    case 6:
        return parse6(r, total_len, h);
    default:
        return IP_VERSION;
    }
}

enum ip_error ip_parse_quoted(struct reader *r, struct ip_hdr *h)
{
    return ip_parse(r, QUOTED, h);
}

static void emit4(struct writer *w, const struct ip_hdr *h)
{
    size_t hdr_len = IP4_HDR_LEN + h->options.len;
    (void)CHECK(h->payload_len <= UINT16_MAX - hdr_len);
    uint8_t *start = put_room(w, hdr_len);
    if (!start)
        return;
    struct writer field = writer(start, IP4_HDR_LEN);
    put_u8(&field, (uint8_t)(4 << 4 | hdr_len / 4));
    put_u8(&field, h->tos);
    put_u16(&field, (uint16_t)(hdr_len + h->payload_len));
    put_u16(&field, (uint16_t)h->id);
    put_u16(&field, h->df ? IP4_DF : 0);
    put_u8(&field, h->ttl);
    put_u8(&field, h->proto);
    put_u16(&field, 0);
    put_bytes(&field, ip_addr_v4_of(&h->src), 4);
    put_bytes(&field, ip_addr_v4_of(&h->dst), 4);
    if (h->options.len > 0)
        memcpy(start + IP4_HDR_LEN, h->options.ptr, h->options.len);
    struct csum c = {0};
    csum_add(&c, start, hdr_len);
    field = writer(start + 10, 2);
    put_u16(&field, csum_finish(&c));
}

static void emit6(struct writer *w, const struct ip_hdr *h)
{
    (void)CHECK(h->payload_len <= UINT16_MAX);
    put_u32(w, UINT32_C(6) << 28 | (uint32_t)h->tos << 20);
    put_u16(w, (uint16_t)h->payload_len);
    put_u8(w, h->proto);
    put_u8(w, h->ttl);
    const struct ip_addr src = ip_addr_on_wire(&h->src), dst = ip_addr_on_wire(&h->dst);
    put_bytes(w, src.b, 16);
    put_bytes(w, dst.b, 16);
}

void ip_emit(struct writer *w, const struct ip_hdr *h)
{
    if (ip_addr_is_v4(&h->dst))
        emit4(w, h);
    else
        emit6(w, h);
}
