/* ARP and IPv6 neighbour discovery on the wire: see resolve.h. */
#include "resolve.h"

#include <string.h>

#include "arp.h"
#include "checksum.h"
#include "ip.h"

#define ND_SOLICITATION  135
#define ND_ADVERTISEMENT 136
#define ND_FIXED_LEN     24          /* type, code, checksum, flags, target */
#define ND_FLAG_S        0x40000000U /* solicited: it is an answer */
#define ND_FLAG_O        0x20000000U /* override what you knew */
#define ND_OPT_SOURCE    1           /* source link-layer address */
#define ND_OPT_TARGET    2           /* target link-layer address */
#define ND_OPT_LEN       8           /* of both, on an Ethernet */
#define ND_HOP_LIMIT     255

static const struct mac_addr broadcast = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

static void arp_request(struct writer *w, const struct route *r, const struct mac_addr *to)
{
    static const struct mac_addr unknown;
    struct ether_hdr ether = {to ? *to : broadcast, r->mac, ETHER_TYPE_ARP};
    struct arp_hdr arp = {.op = ARP_REQUEST,
                          .sender_mac = r->mac,
                          .sender_ip = r->source,
                          .target_mac = to ? *to : unknown,
                          .target_ip = r->next_hop};
    ether_emit(w, &ether);
    arp_emit(w, &arp);
}

static void arp_reply(struct writer *w, const struct resolve_question *q,
                      const struct mac_addr *mac)
{
    struct ether_hdr ether = {q->mac, *mac, ETHER_TYPE_ARP};
    struct arp_hdr arp = {.op = ARP_REPLY,
                          .sender_mac = *mac,
                          .sender_ip = q->target,
                          .target_mac = q->mac,
                          .target_ip = q->from};
    ether_emit(w, &ether);
    arp_emit(w, &arp);
}

static const struct ip_addr all_nodes = {{0xff, 2, [15] = 1}};

/* RFC 4861 2.3: ff02::1:ff00:0 with the last 24 bits of the address. */
struct ip_addr resolve_solicited_node(const struct ip_addr *a)
{
    return (struct ip_addr){
        {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, a->b[13], a->b[14], a->b[15]}};
}

/* RFC 2464 7 */
static struct mac_addr multicast_mac(const struct ip_addr *a)
{
    return (struct mac_addr){{0x33, 0x33, a->b[12], a->b[13], a->b[14], a->b[15]}};
}

/* What a Solicitation and an Advertisement say. */
struct nd {
    struct ip_addr src, dst, target;
    uint8_t type, option; /* option: ND_OPT_..., 0 for none */
    uint32_t flags;
    struct mac_addr mac; /* the option's */
};

static void nd_emit(struct writer *w, const struct nd *m, const struct mac_addr *to,
                    const struct mac_addr *from)
{
    uint16_t len = (uint16_t)(ND_FIXED_LEN + (m->option ? ND_OPT_LEN : 0));
    struct ip_hdr ip = {.src = m->src,
                        .dst = m->dst,
                        .proto = IP_PROTO_ICMP6,
                        .ttl = ND_HOP_LIMIT,
                        .payload_len = len};
    struct ether_hdr ether = {*to, *from, ETHER_TYPE_IPV6};

    uint8_t message[ND_FIXED_LEN + ND_OPT_LEN] = {m->type};
    struct writer flags = writer(message + 4, 4);
    put_u32(&flags, m->flags);
    memcpy(message + 8, m->target.b, 16);
    message[ND_FIXED_LEN] = m->option;
    message[ND_FIXED_LEN + 1] = 1;
    memcpy(message + ND_FIXED_LEN + 2, m->mac.b, sizeof m->mac.b);
    struct csum c = {0};
    csum_add_pseudo(&c, &ip.src, &ip.dst, IP_PROTO_ICMP6, len);
    csum_add(&c, message, len);
    struct writer sum = writer(message + 2, 2);
    put_u16(&sum, csum_finish(&c));

    ether_emit(w, &ether);
    ip_emit(w, &ip);
    put_bytes(w, message, len);
}

static void neighbour_solicitation(struct writer *w, const struct route *r,
                                   const struct mac_addr *to)
{
    struct ip_addr all = resolve_solicited_node(&r->next_hop);
    struct mac_addr all_mac = multicast_mac(&all);
    struct nd m = {.src = r->source,
                   .dst = to ? r->next_hop : all,
                   .target = r->next_hop,
                   .type = ND_SOLICITATION,
                   /* RFC 4861 4.3: not when the source is unspecified */
                   .option = ip_addr_is_any(&r->source) ? 0 : ND_OPT_SOURCE,
                   .mac = r->mac};
    nd_emit(w, &m, to ? to : &all_mac, &r->mac);
}

/* RFC 4861 7.2.4: to all nodes, and not as an answer, when it is nobody's address that asks. */
static void neighbour_advertisement(struct writer *w, const struct resolve_question *q,
                                    const struct mac_addr *mac)
{
    bool to_all = ip_addr_is_any(&q->from);
    struct mac_addr all_mac = multicast_mac(&all_nodes);
    struct nd m = {.src = q->target,
                   .dst = to_all ? all_nodes : q->from,
                   .target = q->target,
                   .type = ND_ADVERTISEMENT,
                   .option = ND_OPT_TARGET,
                   .flags = to_all ? ND_FLAG_O : ND_FLAG_S | ND_FLAG_O,
                   .mac = *mac};
    nd_emit(w, &m, to_all ? &all_mac : &q->mac, mac);
}

void resolve_emit(struct writer *w, const struct route *r, const struct mac_addr *to)
{
    if (ip_addr_is_v4(&r->next_hop))
        arp_request(w, r, to);
    else
        neighbour_solicitation(w, r, to);
}

void resolve_emit_answer(struct writer *w, const struct resolve_question *q,
                         const struct mac_addr *mac)
{
    if (ip_addr_is_v4(&q->target))
        arp_reply(w, q, mac);
    else
        neighbour_advertisement(w, q, mac);
}

void resolve_emit_news(struct writer *w, const struct ip_addr *ip, const struct mac_addr *mac)
{
    struct route to_itself = {.source = *ip, .next_hop = *ip, .mac = *mac};
    struct resolve_question nobodys = {.target = *ip};
    if (ip_addr_is_v4(ip))
        arp_request(w, &to_itself, NULL);
    else
        neighbour_advertisement(w, &nobodys, mac);
}

/* An Ethernet address that one station can have. */
static bool mac_is_unicast(const struct mac_addr *m)
{
    static const struct mac_addr zero;
    return (m->b[0] & 1) == 0 && memcmp(m, &zero, sizeof zero) != 0;
}

static bool parse_arp(struct reader *r, struct resolve_news *out)
{
    struct arp_hdr arp;
    if (!arp_parse(r, &arp) || (arp.op != ARP_REQUEST && arp.op != ARP_REPLY))
        return false;
    out->claim = arp.op == ARP_REPLY ? NEIGH_ANSWER : NEIGH_OTHER;
    out->ip = arp.sender_ip;
    out->mac = arp.sender_mac;
    out->to = arp.target_ip;
    return true;
}

/* The options of a message: takes note of the one with an Ethernet address that belongs to its
 * type. RFC 4861 7.1.1, 7.1.2: one of length 0 spoils the message. */
static bool parse_options(struct reader *r, struct nd *m)
{
    uint8_t wanted = m->type == ND_ADVERTISEMENT ? ND_OPT_TARGET : ND_OPT_SOURCE;
    while (r->len > 0) {
        uint8_t type = get_u8(r);
        size_t len = get_u8(r) * (size_t)8;
        if (len == 0)
            return false;
        const uint8_t *value = get_bytes(r, len - 2);
        if (value == NULL)
            return false;
        if (type != wanted)
            continue;
        m->option = type;
        if (len == ND_OPT_LEN)
            memcpy(m->mac.b, value, sizeof m->mac.b);
    }
    return true;
}

/* A message of this type; RFC 4861 7.1.1 and 7.1.2 say what is valid. Without the option, m->mac is
 * the frame's source. */
static bool nd_parse(struct reader *r, uint8_t wanted, const struct mac_addr *from, struct nd *m)
{
    struct ip_hdr ip;
    if (ip_parse(r, r->len, &ip) != IP_OK || ip.proto != IP_PROTO_ICMP6 || ip.ttl != ND_HOP_LIMIT ||
        ip.payload_len < ND_FIXED_LEN)
        return false;
    const uint8_t *start = get_bytes(r, ip.payload_len);
    if (start == NULL)
        return false;
    struct csum c = {0};
    csum_add_pseudo(&c, &ip.src, &ip.dst, IP_PROTO_ICMP6, ip.payload_len);
    csum_add(&c, start, ip.payload_len);
    struct reader body = reader(start, ip.payload_len);
    *m = (struct nd){.src = ip.src, .dst = ip.dst, .mac = *from};
    m->type = get_u8(&body);
    uint8_t code = get_u8(&body);
    get_u16(&body); /* the checksum */
    m->flags = get_u32(&body);
    const uint8_t *target = get_bytes(&body, 16);
    if (csum_finish(&c) != 0 || m->type != wanted || code != 0 || target == NULL)
        return false;
    m->target = ip_addr_v6_bytes(target);
    return parse_options(&body, m);
}

/* The target's address may be missing in the answer to a unicast request; then the frame's source
 * stands. */
static bool parse_advertisement(struct reader *r, const struct mac_addr *from,
                                struct resolve_news *out)
{
    struct nd m;
    if (!nd_parse(r, ND_ADVERTISEMENT, from, &m))
        return false;
    bool solicited = (m.flags & ND_FLAG_S) != 0;
    if (solicited && ip_addr_is_multicast(&m.dst))
        return false;
    out->claim = solicited ? NEIGH_ANSWER : NEIGH_OTHER;
    out->ip = m.target;
    out->mac = m.mac;
    out->to = m.dst;
    return true;
}

bool resolve_parse(const uint8_t *frame, size_t len, struct resolve_news *out)
{
    struct reader r = reader(frame, len);
    struct ether_hdr ether;
    if (!ether_parse(&r, &ether))
        return false;
    bool ok = false;
    if (ether.type == ETHER_TYPE_ARP)
        ok = parse_arp(&r, out);
    else if (ether.type == ETHER_TYPE_IPV6)
        ok = parse_advertisement(&r, &ether.src, out);
    return ok && mac_is_unicast(&out->mac) && ip_addr_is_unicast(&out->ip) &&
           !ip_addr_is_loopback(&out->ip);
}

static bool parse_request(struct reader *r, struct resolve_question *out)
{
    struct arp_hdr arp;
    if (!arp_parse(r, &arp) || arp.op != ARP_REQUEST)
        return false;
    *out = (struct resolve_question){arp.target_ip, arp.sender_ip, arp.sender_mac};
    return true;
}

static bool parse_solicitation(struct reader *r, const struct mac_addr *from,
                               struct resolve_question *out)
{
    struct nd m;
    if (!nd_parse(r, ND_SOLICITATION, from, &m))
        return false;
    struct ip_addr all = resolve_solicited_node(&m.target);
    if (ip_addr_is_any(&m.src) && (m.option || !ip_addr_eq(&m.dst, &all)))
        return false;
    *out = (struct resolve_question){m.target, m.src, m.mac};
    return true;
}

bool resolve_parse_question(const uint8_t *frame, size_t len, struct resolve_question *out)
{
    struct reader r = reader(frame, len);
    struct ether_hdr ether;
    if (!ether_parse(&r, &ether))
        return false;
    bool ok = false;
    if (ether.type == ETHER_TYPE_ARP)
        ok = parse_request(&r, out);
    else if (ether.type == ETHER_TYPE_IPV6)
        ok = parse_solicitation(&r, &ether.src, out);
    return ok && mac_is_unicast(&out->mac) && ip_addr_is_unicast(&out->target) &&
           (ip_addr_is_unicast(&out->from) || ip_addr_is_any(&out->from));
}
