/*
 * Header prediction (Van Jacobson): most packets are the next of the connection somebody waits for.
 * It is a guess about memory only, so nothing is verified here: the engine does that. Of link-local
 * addresses nothing is predicted: a packet does not say on which link they are. See predict.h.
 */
#include "predict.h"

#include "ip.h"

#define TCP_MIN 20 /* octets of a TCP header without options */

/* What stands before the TCP header; false when it is not an IP packet of this flow. */
static bool read_ip(struct reader *r, const struct flow *flow, size_t whole)
{
    struct ip_addr src, dst;
    uint8_t proto;
    size_t total;
    const uint8_t *ip;
    if (ip_addr_is_v4(&flow->local)) {
        ip = get_bytes(r, IP4_HDR_LEN);
        if (!ip || ip[0] != 0x45 || ((ip[6] << 8 | ip[7]) & (IP4_MF | IP4_OFFSET)) != 0)
            return false;
        total = (size_t)(ip[2] << 8 | ip[3]);
        proto = ip[9];
        src = ip_addr_v4_bytes(ip + 12);
        dst = ip_addr_v4_bytes(ip + 16);
    } else {
        ip = get_bytes(r, IP6_HDR_LEN);
        if (!ip || ip[0] >> 4 != 6)
            return false;
        total = IP6_HDR_LEN + (size_t)(ip[4] << 8 | ip[5]);
        proto = ip[6];
        src = ip_addr_v6_bytes(ip + 8);
        dst = ip_addr_v6_bytes(ip + 24);
    }
    return proto == IP_PROTO_TCP && total == whole && ip_addr_eq(&src, &flow->remote) &&
           ip_addr_eq(&dst, &flow->local);
}

size_t predict(const struct link_expect *e, const uint8_t *ip, size_t len, size_t whole)
{
    struct reader r = reader(ip, len);
    if (!read_ip(&r, &e->flow, whole))
        return 0;
    size_t ip_len = (size_t)(r.ptr - ip);
    uint16_t src = get_u16(&r), dst = get_u16(&r);
    uint32_t seq = get_u32(&r);
    get_u32(&r);
    size_t headers = ip_len + (size_t)(get_u8(&r) >> 4) * 4;
    if (r.bad || src != e->flow.remote_port || dst != e->flow.local_port || seq != e->seq.v)
        return 0;
    bool fits = headers >= ip_len + TCP_MIN && headers <= len && headers < whole &&
                whole - headers <= e->len;
    return fits ? headers : 0;
}
