/*
 * The Internet checksum (RFC 1071), incremental (RFC 1624), and the partial form that checksum
 * offload wants: the field holds the folded, not complemented sum of the pseudo header.
 */
#ifndef CHECKSUM_H
#define CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

#include "addr.h"

/* A running sum. Pieces may have odd lengths; they are summed as if they lay side by side. */
struct csum {
    uint64_t sum;
    bool odd; /* an odd number of octets has been added so far */
};

void csum_add(struct csum *c, const void *data, size_t len);

/* Adds the pseudo header of RFC 9293 3.1 (IPv4) or RFC 8200 8.1 (IPv6). An even number of octets
 * must have been added before. len: of the TCP header and text; proto as in the IP header. */
void csum_add_pseudo(struct csum *c, const struct ip_addr *src, const struct ip_addr *dst,
                     uint8_t proto, uint32_t len);

/* The sum folded to 16 bits, in host order, not complemented: what the partial form stores. */
uint16_t csum_fold(const struct csum *c);

/* The complement of csum_fold: what a final checksum field stores; 0 when the sum covered a valid
 * field as well. */
uint16_t csum_finish(const struct csum *c);

/* RFC 1624 eqn. 3: the field after a 16-bit word it covers changed from old_word to new_word. */
uint16_t csum_update(uint16_t field, uint16_t old_word, uint16_t new_word);

#endif
