/* Header prediction: what a packet's text continues, and whether that is expected. */
#ifndef PREDICT_H
#define PREDICT_H

#include "link.h"

/* Of a packet of which the first `len` octets are here, of `whole`: how many octets the IP and the
 * TCP header have, when it has at least one octet of text, of which *flow and *seq say what it is,
 * as the expected one's do; else 0. IP options and extension headers are never expected. */
size_t predict(const uint8_t *ip, size_t len, size_t whole, struct flow *flow, seq_t *seq);

/* Which of n it is the next of, whether it has room there or not; NULL: none. O(n). */
struct link_expect *predict_find(struct link_expect *e, size_t n, const struct flow *flow,
                                 seq_t seq);

#endif
