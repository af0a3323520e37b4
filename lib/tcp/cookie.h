/*
 * SYN cookies (RFC 4987 3.6, appendix A): a SYN-ACK whose sequence number, and whose TSval where
 * there are timestamps, say all that has to be known of the SYN. Nothing else is kept of it; the
 * ACK that brings both back is as good as the SYN.
 *
 * What they hold is less than a SYN says: the MSS rounded down to one of a few, and window scale,
 * SACK-permitted and ECN with timestamps only. A SYN of which no more is left is `kept`; the cookie
 * stands for that one.
 *
 * A leaf: knows no connection, no listener, and not when cookies are sent.
 */
#ifndef COOKIE_H
#define COOKIE_H

#include <stdbool.h>

#include "seg.h"
#include "siphash.h"

/* A cookie is good for 64 s at least and less than this. As Linux. */
#define COOKIE_PERIOD_NS (64 * NS_PER_S)
#define COOKIE_PERIODS   2
#define COOKIE_LASTS_NS  (COOKIE_PERIODS * COOKIE_PERIOD_NS)

/* The key of cookies: made of the stack's secret, so that they tell nothing of an ISN. */
struct siphash_key cookie_key(const struct siphash_key *secret);

/* What a cookie keeps of this SYN from `remote`. ts: our SYN-ACK has timestamps if the SYN has. */
struct seg cookie_keeps(const struct seg *syn, const struct ip_addr *remote, bool ts);

/* The sequence number of the SYN-ACK, SYN cookie for a `kept` SYN. */
seq_t cookie_make(const struct siphash_key *key, const struct flow *flow, const struct seg *kept,
                  uint64_t now_ns);

/* Its TSval: of the values up to `val`, which it would have otherwise, the last that tells the
 * options. So it is at most 63 ticks old, and neither later ones nor that of a later cookie for the
 * same SYN are before it (RFC 7323 5.4). */
uint32_t cookie_ts_val(const struct seg *kept, uint32_t val);

/* Whether this ACK brings a cookie back that was made in the last COOKIE_LASTS_NS, one or two
 * periods: *kept is the SYN. It has the ACK's TSval, which is all that is known. ts as above. A
 * guess is right once in 2^28 times. */
bool cookie_returns(const struct siphash_key *key, const struct flow *flow, const struct seg *ack,
                    bool ts, uint64_t now_ns, struct seg *kept);

#endif
