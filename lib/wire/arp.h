/* ARP for IPv4 over Ethernet (RFC 826). */
#ifndef ARP_H
#define ARP_H

#include "addr.h"
#include "ether.h"

#define ARP_LEN     28
#define ARP_REQUEST 1
#define ARP_REPLY   2

struct arp_hdr {
    uint16_t op;
    struct mac_addr sender_mac, target_mac;
    struct ip_addr sender_ip, target_ip;
};

/* False when cut short, or not IPv4 over Ethernet. Octets after ARP_LEN (padding) are ignored. */
bool arp_parse(struct reader *r, struct arp_hdr *h);
void arp_emit(struct writer *w, const struct arp_hdr *h);

#endif
