/* Initial sequence numbers (RFC 6528, RFC 9293 3.4.1). */
#ifndef ISN_H
#define ISN_H

#include "seg.h"
#include "siphash.h"

/* ISN = M + F(four-tuple, secret): M counts 4 microseconds (MUST-8), F is SipHash under `secret`
 * (MUST-9, SHLD-1). */
seq_t isn_choose(const struct siphash_key *secret, const struct flow *flow, uint64_t now_ns);

#endif
