/* ARP and IPv6 neighbour discovery on the wire: see resolve.h. */
#include "resolve.h"

#include <string.h>

#include "arp.h"
#include "nd.h"

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

static void nd_frame(struct writer *w, const struct nd *m, const struct mac_addr *to,
                     const struct mac_addr *from)
{
    struct ether_hdr ether = {*to, *from, ETHER_TYPE_IPV6};
    ether_emit(w, &ether);
    nd_emit(w, m);
}

static void neighbour_solicitation(struct writer *w, const struct route *r,
                                   const struct mac_addr *to)
{
    struct ip_addr group = nd_solicited_node(&r->next_hop);
    struct mac_addr group_mac = nd_multicast_mac(&group);
    struct nd m = {.type = ND_SOLICITATION,
                   .src = r->source,
                   .dst = to ? r->next_hop : group,
                   .target = r->next_hop,
                   .has_mac = !ip_addr_is_any(&r->source), /* RFC 4861 4.3 */
                   .mac = r->mac};
    nd_frame(w, &m, to ? to : &group_mac, &r->mac);
}

/* RFC 4861 7.2.4: to all nodes, and not as an answer, when it is nobody's address that asks. */
static void neighbour_advertisement(struct writer *w, const struct resolve_question *q,
                                    const struct mac_addr *mac)
{
    static const struct ip_addr all_nodes = {{0xff, 2, [15] = 1}};
    bool to_all = ip_addr_is_any(&q->from);
    struct mac_addr all_mac = nd_multicast_mac(&all_nodes);
    struct nd m = {.type = ND_ADVERTISEMENT,
                   .flags = to_all ? ND_OVERRIDE : ND_SOLICITED | ND_OVERRIDE,
                   .src = q->target,
                   .dst = to_all ? all_nodes : q->from,
                   .target = q->target,
                   .has_mac = true,
                   .mac = *mac};
    nd_frame(w, &m, to_all ? &all_mac : &q->mac, mac);
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
    *out = (struct resolve_news){.claim = arp.op == ARP_REPLY ? NEIGH_ANSWER : NEIGH_OTHER,
                                 .ip = arp.sender_ip,
                                 .has_mac = true,
                                 .mac = arp.sender_mac,
                                 .to = arp.target_ip};
    return true;
}

/* RFC 4861 7.2.5 for an advertisement; 7.2.3 for a solicitation, which tells of its sender. */
static bool parse_nd(struct reader *r, struct resolve_news *out)
{
    struct nd m;
    if (!nd_parse(r, &m))
        return false;
    bool advertised = m.type == ND_ADVERTISEMENT;
    *out = (struct resolve_news){.claim = NEIGH_UNASKED,
                                 .ip = advertised ? m.target : m.src,
                                 .has_mac = m.has_mac,
                                 .mac = m.mac,
                                 .to = m.dst};
    if (m.flags & ND_SOLICITED)
        out->claim = m.flags & ND_OVERRIDE ? NEIGH_ANSWER : NEIGH_SECOND;
    return advertised || m.has_mac;
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
        ok = parse_nd(&r, out);
    return ok && (!out->has_mac || mac_is_unicast(&out->mac)) && ip_addr_is_unicast(&out->ip) &&
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

/* Without the option the answer goes where the frame came from. */
static bool parse_solicitation(struct reader *r, const struct mac_addr *from,
                               struct resolve_question *out)
{
    struct nd m;
    if (!nd_parse(r, &m) || m.type != ND_SOLICITATION)
        return false;
    *out = (struct resolve_question){m.target, m.src, m.has_mac ? m.mac : *from};
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
