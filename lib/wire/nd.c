/*
 * Neighbour discovery's messages: see nd.h. Bytes and structs only: whether an answer was asked
 * for, and which address it may change, is the neighbour table's business (link/neigh.c).
 */
#include "nd.h"

#include "icmp.h"

#define HOP_LIMIT     255 /* no router has forwarded it: 7.1.1, 7.1.2 */
#define OPTION_SOURCE 1   /* source link-layer address */
#define OPTION_TARGET 2   /* target link-layer address */
#define OPTION_LEN    8   /* of both, on an Ethernet */
#define BODY_MAX      (16 + OPTION_LEN)
#define FLAGS_SHIFT   24 /* in the word behind the checksum */
#define IP6_AT_NEXT   6

struct ip_addr nd_solicited_node(const struct ip_addr *a)
{
    return (struct ip_addr){
        {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, a->b[13], a->b[14], a->b[15]}};
}

struct mac_addr nd_multicast_mac(const struct ip_addr *a)
{
    return (struct mac_addr){{0x33, 0x33, a->b[12], a->b[13], a->b[14], a->b[15]}};
}

static uint8_t option_of(uint8_t type)
{
    return type == ND_ADVERTISEMENT ? OPTION_TARGET : OPTION_SOURCE;
}

/* Takes note of the Ethernet address. 7.1.1, 7.1.2: an option of length 0 spoils the message, one
 * that is not known does not. 4.6.1: the length of the ones that are is that of the address. */
static bool parse_options(struct reader *r, struct nd *m)
{
    while (r->len > 0) {
        uint8_t type = get_u8(r);
        size_t len = get_u8(r) * (size_t)8;
        const uint8_t *value = len > 0 ? get_bytes(r, len - 2) : NULL;
        if (value == NULL)
            return false;
        if (type != option_of(m->type))
            continue;
        if (len != OPTION_LEN)
            return false;
        m->has_mac = true;
        memcpy(m->mac.b, value, sizeof m->mac.b);
    }
    return true;
}

/* What depends on the type. */
static bool valid(const struct nd *m)
{
    if (m->type == ND_ADVERTISEMENT)
        return !(m->flags & ND_SOLICITED) || !ip_addr_is_multicast(&m->dst);
    const struct ip_addr group = nd_solicited_node(&m->target);
    return !ip_addr_is_any(&m->src) || (ip_addr_eq(&m->dst, &group) && !m->has_mac);
}

bool nd_parse(struct reader *r, struct nd *m)
{
    struct ip_hdr ip;
    struct icmp icmp;
    /* RFC 6980 5: not with a fragment header, be it that of a whole packet. Nor with any other
     * extension header, which none needs. */
    if (r->len < IP6_HDR_LEN || r->ptr[IP6_AT_NEXT] != IP_PROTO_ICMP6 ||
        ip_parse(r, r->len, &ip) != IP_OK || ip_addr_is_v4(&ip.dst) || ip.ttl != HOP_LIMIT ||
        icmp_parse(r, &ip, &icmp) != ICMP_OK || icmp.code != 0)
        return false;
    if (icmp.type != ND_SOLICITATION && icmp.type != ND_ADVERTISEMENT)
        return false;
    struct reader body = reader(icmp.body.ptr, icmp.body.len);
    const uint8_t *target = get_bytes(&body, 16);
    if (target == NULL)
        return false;
    *m = (struct nd){
        .type = icmp.type, .src = ip.src, .dst = ip.dst, .target = ip_addr_v6_bytes(target)};
    if (m->type == ND_ADVERTISEMENT)
        m->flags = (uint8_t)(icmp.rest >> FLAGS_SHIFT);
    return !ip_addr_is_multicast(&m->target) && parse_options(&body, m) && valid(m);
}

void nd_emit(struct writer *w, const struct nd *m)
{
    uint8_t body[BODY_MAX];
    struct writer b = writer(body, sizeof body);
    put_bytes(&b, m->target.b, 16);
    if (m->has_mac) {
        put_u8(&b, option_of(m->type));
        put_u8(&b, OPTION_LEN / 8);
        put_bytes(&b, m->mac.b, sizeof m->mac.b);
    }
    const struct icmp icmp = {.type = m->type,
                              .rest = (uint32_t)m->flags << FLAGS_SHIFT,
                              .body = {body, sizeof body - b.len}};
    const struct ip_hdr ip = {.src = m->src,
                              .dst = m->dst,
                              .proto = IP_PROTO_ICMP6,
                              .ttl = HOP_LIMIT,
                              .payload_len = (uint32_t)(ICMP_HDR_LEN + icmp.body.len)};
    ip_emit(w, &ip);
    icmp_emit(w, &ip, &icmp);
}
