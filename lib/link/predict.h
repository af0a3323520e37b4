/* Header prediction: where a packet's text begins, and whether it is what is expected next. */
#ifndef PREDICT_H
#define PREDICT_H

#include "link.h"

/* Of a packet of which the first `len` octets are here, of `whole`: how many octets the IP and the
 * TCP header have, when it is of the expected connection and its text, at least one octet, begins
 * with e->seq and has room; else 0. IP options and extension headers are never expected. */
size_t predict(const struct link_expect *e, const uint8_t *ip, size_t len, size_t whole);

#endif
