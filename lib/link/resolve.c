/* ARP and IPv6 neighbour discovery on the wire: see resolve.h. */
#include "resolve.h"

#include <string.h>

#include "arp.h"
#include "checksum.h"
#include "ip.h"

#define ND_SOLICITATION  135
#define ND_ADVERTISEMENT 136
#define ND_FIXED_LEN     24 /* type, code, checksum, flags, target */
#define ND_FLAG_S        0x40000000U
#define ND_OPT_SOURCE    1 /* source link-layer address */
#define ND_OPT_TARGET    2 /* target link-layer address */
#define ND_OPT_LEN       8 /* of both, on an Ethernet */
#define ND_HOP_LIMIT     255

static void arp_request(struct writer *w, const struct route *r, const struct mac_addr *to)
{
    static const struct mac_addr broadcast = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
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

/* RFC 4861 2.3: ff02::1:ff00:0 with the last 24 bits of the address. */
static struct ip_addr solicited_node(const struct ip_addr *a)
{
    return (struct ip_addr){
        {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, a->b[13], a->b[14], a->b[15]}};
}

/* RFC 2464 7 */
static struct mac_addr multicast_mac(const struct ip_addr *a)
{
    return (struct mac_addr){{0x33, 0x33, a->b[12], a->b[13], a->b[14], a->b[15]}};
}

static void neighbour_solicitation(struct writer *w, const struct route *r,
                                   const struct mac_addr *to)
{
    struct ip_addr all = solicited_node(&r->next_hop);
    struct ip_hdr ip = {.src = r->source,
                        .dst = to ? r->next_hop : all,
                        .proto = IP_PROTO_ICMP6,
                        .ttl = ND_HOP_LIMIT,
                        .payload_len = ND_FIXED_LEN + ND_OPT_LEN};
    struct ether_hdr ether = {to ? *to : multicast_mac(&all), r->mac, ETHER_TYPE_IPV6};

    uint8_t message[ND_FIXED_LEN + ND_OPT_LEN] = {ND_SOLICITATION};
    memcpy(message + 8, r->next_hop.b, 16);
    message[ND_FIXED_LEN] = ND_OPT_SOURCE;
    message[ND_FIXED_LEN + 1] = 1;
    memcpy(message + ND_FIXED_LEN + 2, r->mac.b, sizeof r->mac.b);
    struct csum c = {0};
    csum_add_pseudo(&c, &ip.src, &ip.dst, IP_PROTO_ICMP6, ip.payload_len);
    csum_add(&c, message, sizeof message);
    uint16_t sum = csum_finish(&c);
    message[2] = (uint8_t)(sum >> 8);
    message[3] = (uint8_t)sum;

    ether_emit(w, &ether);
    ip_emit(w, &ip);
    put_bytes(w, message, sizeof message);
}

void resolve_emit(struct writer *w, const struct route *r, const struct mac_addr *to)
{
    if (ip_addr_is_v4(&r->next_hop))
        arp_request(w, r, to);
    else
        neighbour_solicitation(w, r, to);
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

/* The options of an advertisement. RFC 4861 7.1.2: one of length 0 spoils the message. The target's
 * address may be missing in the answer to a unicast request; then the frame's source stands. */
static bool parse_options(struct reader *r, struct mac_addr *mac)
{
    while (r->len > 0) {
        uint8_t type = get_u8(r);
        size_t len = get_u8(r) * (size_t)8;
        if (len == 0)
            return false;
        const uint8_t *value = get_bytes(r, len - 2);
        if (value == NULL)
            return false;
        if (type == ND_OPT_TARGET && len == ND_OPT_LEN)
            memcpy(mac->b, value, sizeof mac->b);
    }
    return true;
}

/* RFC 4861 7.1.2 says what a valid advertisement is. */
static bool parse_advertisement(struct reader *r, const struct mac_addr *from,
                                struct resolve_news *out)
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
    struct reader m = reader(start, ip.payload_len);
    uint8_t type = get_u8(&m), code = get_u8(&m);
    get_u16(&m); /* the checksum */
    uint32_t flags = get_u32(&m);
    const uint8_t *target = get_bytes(&m, 16);
    if (csum_finish(&c) != 0 || type != ND_ADVERTISEMENT || code != 0 || target == NULL)
        return false;
    bool solicited = (flags & ND_FLAG_S) != 0;
    if (solicited && ip_addr_is_multicast(&ip.dst))
        return false;
    out->claim = solicited ? NEIGH_ANSWER : NEIGH_OTHER;
    out->ip = ip_addr_v6_bytes(target);
    out->mac = *from;
    out->to = ip.dst;
    return parse_options(&m, &out->mac);
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
