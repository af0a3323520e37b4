/*
 * Header prediction (Van Jacobson): most packets are the next of the connection somebody waits for.
 * It is a guess about memory only, so nothing is verified here: the engine does that. Of link-local
 * addresses nothing is predicted: a packet does not say on which link they are. See predict.h.
 */
#include "predict.h"

#include "ip.h"

#define TCP_MIN 20 /* octets of a TCP header without options */

/* What stands before the TCP header, which flow takes its addresses from; false when it is not an
 * IP packet with TCP. */
static bool read_ip(struct reader *r, size_t whole, struct flow *flow)
{
    size_t total;
    uint8_t proto;
    const uint8_t *ip = r->ptr;
    if (r->len > 0 && ip[0] >> 4 == 4) {
        ip = get_bytes(r, IP4_HDR_LEN);
        if (!ip || ip[0] != 0x45 || ((ip[6] << 8 | ip[7]) & (IP4_MF | IP4_OFFSET)) != 0)
            return false;
        total = (size_t)(ip[2] << 8 | ip[3]);
        proto = ip[9];
        flow->remote = ip_addr_v4_bytes(ip + 12);
        flow->local = ip_addr_v4_bytes(ip + 16);
    } else {
        ip = get_bytes(r, IP6_HDR_LEN);
        if (!ip || ip[0] >> 4 != 6)
            return false;
        total = IP6_HDR_LEN + (size_t)(ip[4] << 8 | ip[5]);
        proto = ip[6];
        flow->remote = ip_addr_v6_bytes(ip + 8);
        flow->local = ip_addr_v6_bytes(ip + 24);
        if (ip_addr_is_v4(&flow->remote) || ip_addr_is_v4(&flow->local))
            return false; /* not IPv4's, though it looks like it here: IP_MAPPED */
    }
    return proto == IP_PROTO_TCP && total == whole;
}

size_t predict(const uint8_t *ip, size_t len, size_t whole, struct flow *flow, seq_t *seq)
{
    struct reader r = reader(ip, len);
    if (!read_ip(&r, whole, flow))
        return 0;
    size_t ip_len = (size_t)(r.ptr - ip);
    flow->remote_port = get_u16(&r);
    flow->local_port = get_u16(&r);
    seq->v = get_u32(&r);
    get_u32(&r);
    size_t headers = ip_len + (size_t)(get_u8(&r) >> 4) * 4;
    bool good = !r.bad && headers >= ip_len + TCP_MIN && headers <= len && headers < whole;
    return good ? headers : 0;
}

struct link_expect *predict_find(struct link_expect *e, size_t n, const struct flow *flow,
                                 seq_t seq)
{
    for (struct link_expect *end = e + n; e < end; e++) {
        if (seq_eq(e->seq, seq) && e->flow.remote_port == flow->remote_port &&
            e->flow.local_port == flow->local_port && ip_addr_eq(&e->flow.remote, &flow->remote) &&
            ip_addr_eq(&e->flow.local, &flow->local))
            return e;
    }
    return NULL;
}
