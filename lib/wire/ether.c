/*
 * Ethernet II headers. IEEE 802.3 length fields (below 0x600) and VLAN tags are not told apart:
 * they are types that nobody here knows.
 */
#include "ether.h"

bool ether_parse(struct reader *r, struct ether_hdr *h)
{
    const uint8_t *dst = get_bytes(r, 6);
    const uint8_t *src = get_bytes(r, 6);
    h->type = get_u16(r);
    if (r->bad)
        return false;
    memcpy(h->dst.b, dst, 6);
    memcpy(h->src.b, src, 6);
    return true;
}

void ether_emit(struct writer *w, const struct ether_hdr *h)
{
    put_bytes(w, h->dst.b, 6);
    put_bytes(w, h->src.b, 6);
    put_u16(w, h->type);
}
