/*
 * ARP for IPv4 over Ethernet (RFC 826). Bytes and structs only: whether a reply was asked for, and
 * whose address it may change, is the neighbour cache's business.
 */
#include "arp.h"

#define HARDWARE_ETHERNET 1

static struct mac_addr get_mac(struct reader *r)
{
    struct mac_addr mac = {{0}};
    const uint8_t *p = get_bytes(r, 6);
    if (p)
        memcpy(mac.b, p, 6);
    return mac;
}

bool arp_parse(struct reader *r, struct arp_hdr *h)
{
    uint16_t hardware = get_u16(r);
    uint16_t protocol = get_u16(r);
    uint8_t hardware_len = get_u8(r);
    uint8_t protocol_len = get_u8(r);
    h->op = get_u16(r);
    h->sender_mac = get_mac(r);
    h->sender_ip = ip_addr_v4(get_u32(r));
    h->target_mac = get_mac(r);
    h->target_ip = ip_addr_v4(get_u32(r));
    return !r->bad && hardware == HARDWARE_ETHERNET && protocol == ETHER_TYPE_IPV4 &&
           hardware_len == 6 && protocol_len == 4;
}

void arp_emit(struct writer *w, const struct arp_hdr *h)
{
    put_u16(w, HARDWARE_ETHERNET);
    put_u16(w, ETHER_TYPE_IPV4);
    put_u8(w, 6);
    put_u8(w, 4);
    put_u16(w, h->op);
    put_bytes(w, h->sender_mac.b, 6);
    put_bytes(w, ip_addr_v4_of(&h->sender_ip), 4);
    put_bytes(w, h->target_mac.b, 6);
    put_bytes(w, ip_addr_v4_of(&h->target_ip), 4);
}
