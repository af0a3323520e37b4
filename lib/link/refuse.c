/* Answers to packets that do not get beyond this host. See refuse.h. */
#include "refuse.h"

bool refuse_wanted(const struct packet *p, uint32_t mtu)
{
    return (p->gso_size != 0 ? p->head.len + p->gso_size : packet_len(p)) > mtu;
}

size_t refuse_emit(uint8_t out[REFUSE_MAX], const struct packet *p, enum icmp_kind why,
                   uint32_t mtu)
{
    struct reader r = reader(p->head.ptr, p->head.len);
    struct ip_hdr its;
    if (ip_parse_quoted(&r, &its) != IP_OK || r.len < ICMP_QUOTE_MIN)
        return 0;
    bool v4 = ip_addr_is_v4(&its.dst);
    struct icmp m = icmp_of_kind(why, v4);
    if (why == ICMP_TOO_BIG)
        icmp_set_mtu(&m, mtu, v4);
    m.body = (struct bytes){p->head.ptr, (size_t)(r.ptr - p->head.ptr) + ICMP_QUOTE_MIN};
    const struct ip_hdr ip = {
        .src = its.dst,
        .dst = its.src,
        .proto = v4 ? IP_PROTO_ICMP : IP_PROTO_ICMP6,
        .ttl = IP_TTL_DEFAULT,
        .payload_len = (uint32_t)(ICMP_HDR_LEN + m.body.len),
    };
    struct writer w = writer(out, REFUSE_MAX);
    ip_emit(&w, &ip);
    icmp_emit(&w, &ip, &m);
    return w.bad ? 0 : REFUSE_MAX - w.len;
}
