/* An ICMP message that arrives, for the tests of icmp_in.c. */
#ifndef ICMP_MESSAGE_H
#define ICMP_MESSAGE_H

#include "hosts.h"
#include "icmp.h"

/* With so many octets missing at the end, or the last one wrong. */
static inline void input(struct ip_hdr *ip, const struct icmp *m, unsigned cut, bool damaged)
{
    uint8_t octets[2000];
    struct writer w = writer(octets, sizeof octets);
    ip->proto = ip_addr_is_v4(&ip->dst) ? IP_PROTO_ICMP : IP_PROTO_ICMP6;
    ip->payload_len = (uint32_t)(ICMP_HDR_LEN + m->body.len);
    ip_emit(&w, ip);
    icmp_emit(&w, ip, m);
    assert_false(w.bad);
    size_t len = sizeof octets - w.len;
    if (damaged)
        octets[len - 1] ^= 1;
    uint8_t *copy = exact_copy(octets, len - cut);
    const struct packet p = {.head = {copy, len - cut}, .mtu = host.in_mtu};
    stack_input(host.stack, &p, 1, host.now_ns);
    free(copy);
    assert_null(stack_check(host.stack));
}

#endif
