/* See router.h. */
#include "router.h"

void host_hears_icmp(struct where w, struct ip_hdr *ip, const struct icmp *m, unsigned cut,
                     bool damaged)
{
    uint8_t octets[2000];
    struct writer to = writer(octets, sizeof octets);
    host_step(w);
    ip->proto = ip_addr_is_v4(&ip->dst) ? IP_PROTO_ICMP : IP_PROTO_ICMP6;
    ip->payload_len = (uint32_t)(ICMP_HDR_LEN + m->body.len);
    ip_emit(&to, ip);
    icmp_emit(&to, ip, m);
    assert_false(to.bad);
    size_t len = sizeof octets - to.len;
    if (damaged)
        octets[len - 1] ^= 1;
    uint8_t *copy = exact_copy(octets, len - cut);
    const struct packet p = {.head = {copy, len - cut}, .mtu = host.in_mtu};
    stack_input(host.stack, &p, 1, host.now_ns);
    free(copy);
    host_check(w);
}

void host_hears(struct where w, const struct peer *p, struct message m)
{
    uint8_t quoted[80];
    struct writer to = writer(quoted, sizeof quoted);
    bool v4 = ip_addr_is_v4(&p->flow.remote);
    const struct ip_hdr cause = {
        .src = p->flow.local,
        .dst = p->flow.remote,
        .proto = IP_PROTO_TCP,
        .ttl = 63,
        .df = true,
        .payload_len = (m.len ? m.len : 1040) - (v4 ? 20 : 40),
    };
    ip_emit(&to, &cause);
    put_u16(&to, p->flow.local_port);
    put_u16(&to, p->flow.remote_port);
    put_u32(&to, p->iss + m.seq);
    struct icmp icmp = {.type = m.type, .code = m.code};
    if (m.type == 0)
        icmp = icmp_of_kind(m.kind, v4);
    if (m.kind == ICMP_TOO_BIG)
        icmp_set_mtu(&icmp, m.mtu, v4);
    icmp.body = (struct bytes){quoted, sizeof quoted - to.len};
    struct ip_addr none = {{0}};
    struct ip_hdr ip = {.src = v4 ? ROUTER_ADDR : p->flow.remote,
                        .dst = ip_addr_eq(&m.to, &none) ? p->flow.local : m.to,
                        .ttl = 64};
    host_hears_icmp(w, &ip, &icmp, m.cut, m.damaged);
}
