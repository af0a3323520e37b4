/*
 * Initial sequence numbers: RFC 6528 section 3, RFC 9293 3.4.1. For whoever opens a connection.
 *
 * Two connections of one four-tuple share F, so the clock alone separates them: a later incarnation
 * begins above the earlier one. Does not make or change the secret.
 */
#include "isn.h"

#include "nstime.h"

#define ISN_TICK_NS  (4 * NS_PER_US)
#define ISN_FLOW_LEN 36 /* two addresses of 16 octets, two ports of 2 */

uint64_t isn_f(const struct siphash_key *secret, const struct flow *flow)
{
    /* Octet by octet: neither byte order nor the layout of struct flow may count. */
    uint8_t id[ISN_FLOW_LEN];
    struct writer w = writer(id, sizeof id);
    put_bytes(&w, flow->local.b, sizeof flow->local.b);
    put_bytes(&w, flow->remote.b, sizeof flow->remote.b);
    put_u16(&w, flow->local_port);
    put_u16(&w, flow->remote_port);
    return siphash(secret, id, sizeof id);
}

seq_t isn_choose(const struct siphash_key *secret, const struct flow *flow, uint64_t now_ns)
{
    uint32_t m = (uint32_t)(now_ns / ISN_TICK_NS);
    return seq(m + (uint32_t)isn_f(secret, flow));
}

uint32_t isn_ts_offset(const struct siphash_key *secret, const struct flow *flow)
{
    return (uint32_t)(isn_f(secret, flow) >> 32);
}
