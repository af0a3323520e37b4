/*
 * ICMP and ICMPv6 messages: see icmp.h. Bytes and structs only: whether an error is to be believed,
 * and what follows from it, is the upper floors' business. Neighbour discovery's are nd.c's.
 */
#include "icmp.h"

#include "check.h"
#include "checksum.h"
#include "ip_options.h"

#define V4_UNREACHABLE       3
#define V4_SOURCE_QUENCH     4
#define V4_ECHO_REQUEST      8
#define V4_TIME_EXCEEDED     11
#define V4_PARAMETER_PROBLEM 12
#define V6_UNREACHABLE       1
#define V6_TOO_BIG           2
#define V6_TIME_EXCEEDED     3
#define V6_PARAMETER_PROBLEM 4
#define V6_ECHO_REQUEST      128
#define V6_ECHO_REPLY        129

static uint16_t checksum(const struct ip_hdr *ip, const void *message, size_t len)
{
    struct csum c = {0};
    if (!ip_addr_is_v4(&ip->dst)) /* RFC 4443 2.3; ICMP has no pseudo header */
        csum_add_pseudo(&c, &ip->src, &ip->dst, IP_PROTO_ICMP6, (uint32_t)len);
    csum_add(&c, message, len);
    return csum_finish(&c);
}

enum icmp_error icmp_parse(struct reader *r, const struct ip_hdr *ip, struct icmp *m)
{
    *m = (struct icmp){0};
    if (ip->proto != (ip_addr_is_v4(&ip->dst) ? IP_PROTO_ICMP : IP_PROTO_ICMP6))
        return ICMP_FAMILY;
    if (ip->payload_len < ICMP_HDR_LEN || r->bad || r->len < ip->payload_len)
        return ICMP_SHORT;
    if (checksum(ip, r->ptr, ip->payload_len) != 0)
        return ICMP_BAD_CHECKSUM;
    m->type = get_u8(r);
    m->code = get_u8(r);
    (void)get_u16(r); /* the checksum */
    m->rest = get_u32(r);
    m->body.len = ip->payload_len - ICMP_HDR_LEN;
    m->body.ptr = get_bytes(r, m->body.len);
    return ICMP_OK;
}

void icmp_emit(struct writer *w, const struct ip_hdr *ip, const struct icmp *m)
{
    uint8_t *start = w->ptr;
    put_u8(w, m->type);
    put_u8(w, m->code);
    put_u16(w, 0);
    put_u32(w, m->rest);
    put_bytes(w, m->body.ptr, m->body.len);
    if (w->bad)
        return;
    struct writer field = writer(start + 2, 2);
    put_u16(&field, checksum(ip, start, ICMP_HDR_LEN + m->body.len));
}

/* RFC 792; codes 4 and up: RFC 1122 3.2.2.1, RFC 1812 5.2.7.1. From 5 on none is
 * among the hard errors of RFC 9293 3.9.2.2: soft, like the unreachable net or host it stands for.
 */
static enum icmp_kind kind_unreachable4(uint8_t code)
{
    switch (code) {
    case 0:
    case 6:  /* destination network unknown */
    case 9:  /* network prohibited */
    case 11: /* network unreachable for type of service */
        return ICMP_NET_UNREACHABLE;
    case 2:
        return ICMP_PROTOCOL_UNREACHABLE;
    case 3:
        return ICMP_PORT_UNREACHABLE;
    case 4:
        return ICMP_TOO_BIG;
    default:
        return code <= 15 ? ICMP_HOST_UNREACHABLE : ICMP_OTHER;
    }
}

/* RFC 4443 3.1. Codes 5 and 6 tell more of what 1 does, which RFC 5927 5.1 has as hard. */
static enum icmp_kind kind_unreachable6(uint8_t code)
{
    switch (code) {
    case 0: /* no route */
        return ICMP_NET_UNREACHABLE;
    case 1:
    case 5: /* source address failed ingress/egress policy */
    case 6: /* reject route */
        return ICMP_PROHIBITED;
    case 2: /* beyond scope of source address */
    case 3: /* address unreachable */
        return ICMP_HOST_UNREACHABLE;
    case 4:
        return ICMP_PORT_UNREACHABLE;
    default:
        return ICMP_OTHER;
    }
}

static enum icmp_kind kind4(const struct icmp *m)
{
    switch (m->type) {
    case 0:
        return ICMP_ECHO_REPLY;
    case V4_UNREACHABLE:
        return kind_unreachable4(m->code);
    case V4_SOURCE_QUENCH:
        return ICMP_SOURCE_QUENCH;
    case V4_ECHO_REQUEST:
        return ICMP_ECHO_REQUEST;
    case V4_TIME_EXCEEDED:
        return ICMP_TIME_EXCEEDED;
    case V4_PARAMETER_PROBLEM:
        return ICMP_PARAMETER_PROBLEM;
    default:
        return ICMP_OTHER;
    }
}

static enum icmp_kind kind6(const struct icmp *m)
{
    switch (m->type) {
    case V6_UNREACHABLE:
        return kind_unreachable6(m->code);
    case V6_TOO_BIG:
        return ICMP_TOO_BIG;
    case V6_TIME_EXCEEDED:
        return ICMP_TIME_EXCEEDED;
    case V6_PARAMETER_PROBLEM:
        return ICMP_PARAMETER_PROBLEM;
    case V6_ECHO_REQUEST:
        return ICMP_ECHO_REQUEST;
    case V6_ECHO_REPLY:
        return ICMP_ECHO_REPLY;
    default:
        return ICMP_OTHER;
    }
}

enum icmp_kind icmp_kind(const struct icmp *m, bool v4)
{
    return v4 ? kind4(m) : kind6(m);
}

struct icmp icmp_of_kind(enum icmp_kind kind, bool v4)
{
    static const struct {
        uint8_t type4, code4, type6, code6;
    } of[] = {
        [ICMP_ECHO_REQUEST] = {V4_ECHO_REQUEST, 0, V6_ECHO_REQUEST, 0},
        [ICMP_ECHO_REPLY] = {0, 0, V6_ECHO_REPLY, 0},
        [ICMP_TOO_BIG] = {V4_UNREACHABLE, 4, V6_TOO_BIG, 0},
        [ICMP_NET_UNREACHABLE] = {V4_UNREACHABLE, 0, V6_UNREACHABLE, 0},
        [ICMP_HOST_UNREACHABLE] = {V4_UNREACHABLE, 1, V6_UNREACHABLE, 3},
        [ICMP_PROHIBITED] = {0, 0, V6_UNREACHABLE, 1},
        [ICMP_PROTOCOL_UNREACHABLE] = {V4_UNREACHABLE, 2, 0, 0},
        [ICMP_PORT_UNREACHABLE] = {V4_UNREACHABLE, 3, V6_UNREACHABLE, 4},
        [ICMP_TIME_EXCEEDED] = {V4_TIME_EXCEEDED, 0, V6_TIME_EXCEEDED, 0},
        [ICMP_PARAMETER_PROBLEM] = {V4_PARAMETER_PROBLEM, 0, V6_PARAMETER_PROBLEM, 0},
        [ICMP_SOURCE_QUENCH] = {V4_SOURCE_QUENCH, 0, 0, 0},
    };
    struct icmp m = {
        .type = v4 ? of[kind].type4 : of[kind].type6,
        .code = v4 ? of[kind].code4 : of[kind].code6,
    };
    (void)CHECK(icmp_kind(&m, v4) == kind);
    return m;
}

/* RFC 1191 4 has it in the lower half; RFC 4443 3.2 has 32 bits for it. */
uint32_t icmp_mtu(const struct icmp *m, bool v4)
{
    return v4 ? m->rest & 0xffff : m->rest;
}

void icmp_set_mtu(struct icmp *m, uint32_t mtu, bool v4)
{
    m->rest = v4 && mtu > UINT16_MAX ? UINT16_MAX : mtu;
}

bool icmp_parse_cause(const struct icmp *m, bool v4, struct icmp_cause *cause)
{
    struct reader r = reader(m->body.ptr, m->body.len);
    struct ip_hdr ip;
    const uint8_t *start = r.ptr;
    if (ip_parse_quoted(&r, &ip) != IP_OK || ip.proto != IP_PROTO_TCP ||
        ip_addr_is_v4(&ip.src) != v4 || r.len < ICMP_QUOTE_MIN)
        return false;
    *cause = (struct icmp_cause){
        .flow = {.local = ip.src, .remote = ip_options_final(ip.options, &ip.dst)},
        .packet_len = (uint32_t)(r.ptr - start) + ip.payload_len,
    };
    cause->flow.local_port = get_u16(&r);
    cause->flow.remote_port = get_u16(&r);
    cause->seq = seq(get_u32(&r));
    return true;
}
