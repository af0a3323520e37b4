/* See flat.h. */
#include "flat.h"

void packet_flatten(const struct packet *p, uint8_t *octets, struct packet *out)
{
    size_t len = packet_len(p);
    struct writer w = writer(octets, len);
    put_bytes(&w, p->head.ptr, p->head.len);
    for (unsigned i = 0; i < p->n_body; i++)
        put_bytes(&w, p->body[i].ptr, p->body[i].len);
    out->head = (struct bytes){octets, len};
    out->n_body = 0;
    out->csum = p->csum;
    out->gso_size = p->gso_size;
    out->mtu = 0;
    out->zone = p->zone;
}
