/* Initial sequence numbers (RFC 6528, RFC 9293 3.4.1), and where the timestamps of a connection
 * begin (RFC 7323 5.4). */
#ifndef ISN_H
#define ISN_H

#include "seg.h"
#include "siphash.h"

/* F(four-tuple, secret). Its halves tell nothing of each other: of ISNs the lower one is for
 * sequence numbers, the upper one for timestamps. */
uint64_t isn_f(const struct siphash_key *secret, const struct flow *flow);

/* ISN = M + F(four-tuple, secret): M counts 4 microseconds (MUST-8), F is SipHash under `secret`
 * (MUST-9, SHLD-1). */
seq_t isn_choose(const struct siphash_key *secret, const struct flow *flow, uint64_t now_ns);

/* What the connection's timestamps are ahead of the clock: one for each four-tuple, so that its
 * next incarnation goes on where the last one was (RFC 6191 3), and nothing that an ISN tells. */
uint32_t isn_ts_offset(const struct siphash_key *secret, const struct flow *flow);

#endif
