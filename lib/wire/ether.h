/* Ethernet II frames. */
#ifndef ETHER_H
#define ETHER_H

#include <stdbool.h>
#include <stdint.h>

#include "bytes.h"

#define ETHER_HDR_LEN   14
#define ETHER_TYPE_IPV4 0x0800
#define ETHER_TYPE_ARP  0x0806
#define ETHER_TYPE_IPV6 0x86dd

struct mac_addr {
    uint8_t b[6];
};

struct ether_hdr {
    struct mac_addr dst, src;
    uint16_t type;
};

/* False when fewer than ETHER_HDR_LEN octets are there. */
bool ether_parse(struct reader *r, struct ether_hdr *h);
void ether_emit(struct writer *w, const struct ether_hdr *h);

#endif
