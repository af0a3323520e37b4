/*
 * A link without another end: what is sent waits here, in order and with the time at which it was
 * sent, until it is taken. Nothing is received by it. Segmentation and checksums are left to
 * nobody, so each packet is a whole IP datagram as it would be on the wire.
 */
#ifndef LINK_QUEUE_H
#define LINK_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "link.h"

/* NULL without memory. */
struct link *link_queue_create(uint32_t mtu);

/* Copies the oldest packet to buf, as far as there is room; *len: all of its octets; *time_ns: when
 * it was sent. False when there is none. */
bool link_queue_take(struct link *link, void *buf, size_t room, size_t *len, uint64_t *time_ns);

#endif
