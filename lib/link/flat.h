/* A packet in one piece. Called by what keeps packets in link/: neigh.c, pair.c. */
#ifndef FLAT_H
#define FLAT_H

#include <stdint.h>

#include "packet.h"

/* Copies p's octets to `octets`, which has room for packet_len(p), and describes the copy in *out,
 * all of it head. */
void packet_flatten(const struct packet *p, uint8_t *octets, struct packet *out);

#endif
