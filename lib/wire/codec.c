/*
 * Whole packets in and out (RFC 9293 3.1). Decides nothing: a segment that comes out of here is
 * well formed and has a good checksum, no more. Text is referred to, never copied.
 */
#include "codec.h"

#include "check.h"
#include "checksum.h"

static const char *ip_why(enum ip_error e)
{
    switch (e) {
    case IP_OK:
        break;
    case IP_SHORT:
        return "IP: packet cut short";
    case IP_VERSION:
        return "IP: version neither 4 nor 6";
    case IP_HDR_LEN:
        return "IP: header length";
    case IP_BAD_CHECKSUM:
        return "IP: header checksum";
    case IP_FRAGMENT:
        return "IP: fragment";
    case IP_EXTENSION:
        return "IP: extension headers";
    case IP_MAPPED:
        return "IP: IPv4 address in an IPv6 header";
    case IP_LINK_LOCAL:
        return "IP: link-local address with more than an interface identifier";
    }
    return "";
}

static const char *tcp_why(enum tcp_error e)
{
    switch (e) {
    case TCP_OK:
        break;
    case TCP_SHORT:
        return "TCP: header cut short";
    case TCP_DATA_OFFSET:
        return "TCP: data offset";
    case TCP_OPTIONS:
        return "TCP: option length";
    }
    return "";
}

/* `piece`, or as much of it as *left allows, which is counted down. */
static struct bytes clip(struct bytes piece, size_t *left)
{
    if (piece.len > *left)
        piece.len = *left;
    *left -= piece.len;
    return piece;
}

/* Over the TCP header and text: first what `r` holds, then the body, payload_len octets in all. */
static struct csum sum(const struct packet *p, const struct ip_hdr *ip, struct reader r)
{
    struct csum c = {0};
    csum_add_pseudo(&c, &ip->src, &ip->dst, ip->proto, ip->payload_len);
    size_t left = ip->payload_len;
    struct bytes piece = clip((struct bytes){r.ptr, r.len}, &left);
    csum_add(&c, piece.ptr, piece.len);
    for (unsigned i = 0; i < p->n_body; i++) {
        piece = clip(p->body[i], &left);
        csum_add(&c, piece.ptr, piece.len);
    }
    return c;
}

static bool checksum_ok(const struct packet *p, const struct ip_hdr *ip, struct reader r)
{
    struct csum c = sum(p, ip, r);
    return csum_finish(&c) == 0;
}

bool packet_checksum(const struct packet *p, size_t *at, uint8_t checksum[2])
{
    struct ip_hdr ip;
    struct reader r = reader(p->head.ptr, p->head.len);
    if (ip_parse(&r, packet_len(p), &ip) != IP_OK || ip.proto != IP_PROTO_TCP ||
        r.len < TCP_HDR_LEN)
        return false;
    ip.dst = ip_options_final(ip.options, &ip.dst);
    struct csum c = sum(p, &ip, r);
    *at = (size_t)(r.ptr - p->head.ptr) + TCP_CSUM_OFFSET;
    const uint8_t *field = p->head.ptr + *at;
    uint16_t now = (uint16_t)((unsigned)field[0] << 8 | field[1]);
    uint16_t right = csum_update(csum_finish(&c), now, 0);
    checksum[0] = (uint8_t)(right >> 8);
    checksum[1] = (uint8_t)right;
    return true;
}

/* False when there is no reference left for it. Empty pieces take none. */
static bool add_text(struct seg *seg, struct bytes piece)
{
    if (piece.len == 0)
        return true;
    if (seg->n_text == SEG_REFS_MAX)
        return false;
    seg->text[seg->n_text++] = piece;
    return true;
}

/* r stands at the text's start in the head. */
static bool refer_text(const struct packet *p, struct reader r, struct seg *seg)
{
    size_t left = seg->text_len;
    bool ok = add_text(seg, clip((struct bytes){r.ptr, r.len}, &left));
    for (unsigned i = 0; ok && i < p->n_body; i++)
        ok = add_text(seg, clip(p->body[i], &left));
    return ok;
}

enum ip_error packet_parse_ip(const struct packet *p, struct reader *r, struct ip_hdr *ip)
{
    *r = reader(p->head.ptr, p->head.len);
    enum ip_error e = ip_parse(r, packet_len(p), ip);
    ip_addr_set_zone(&ip->src, p->zone);
    ip_addr_set_zone(&ip->dst, p->zone);
    return e;
}

enum decode packet_decode(const struct packet *p, struct flow *flow, struct ip_hdr *ip,
                          struct seg *seg, const char **why)
{
    *why = "";
    struct reader r;
    enum ip_error ip_error = packet_parse_ip(p, &r, ip);
    if (ip_error != IP_OK || ip->proto != IP_PROTO_TCP) {
        *flow = (struct flow){0};
        *seg = (struct seg){0};
        *why = ip_error != IP_OK ? ip_why(ip_error) : "IP: not TCP";
        if (ip_error == IP_OK)
            return DECODE_NOT_TCP;
        return ip_error == IP_FRAGMENT ? DECODE_FRAGMENT : DECODE_IP;
    }
    *flow = (struct flow){.local = ip->dst, .remote = ip->src};
    struct reader text = r;
    enum tcp_error tcp_error =
        tcp_parse(&text, ip->payload_len, &flow->remote_port, &flow->local_port, seg);
    /* The checksum is asked before the parser is believed: damage is not malice. */
    if (ip->payload_len >= TCP_HDR_LEN && p->csum == CSUM_FULL && !checksum_ok(p, ip, r)) {
        *why = "TCP: checksum";
        return DECODE_CHECKSUM;
    }
    if (tcp_error != TCP_OK) {
        *why = tcp_why(tcp_error);
        return DECODE_TCP;
    }
    if (!refer_text(p, text, seg)) {
        *why = "TCP: text in too many pieces";
        return DECODE_TCP;
    }
    seg->ecn = ip->tos & ECN_MASK;
    seg->gso_size = seg->text_len > p->gso_size ? p->gso_size : 0;
    return DECODE_OK;
}

void packet_encode(struct packet *p, const struct flow *flow, const struct seg *seg, uint8_t tos,
                   uint8_t ttl, bool partial_csum)
{
    (void)CHECK(ip_addr_is_v4(&flow->local) == ip_addr_is_v4(&flow->remote));
    (void)CHECK(seg->n_text <= SEG_REFS_MAX);
    size_t ip_len = ip_hdr_len(&flow->remote), tcp_len = tcp_hdr_len(seg);
    const struct ip_hdr ip = {
        .src = flow->local,
        .dst = flow->remote,
        .proto = IP_PROTO_TCP,
        .ttl = ttl,
        .tos = tos | seg->ecn,
        .df = true,
        .payload_len = (uint32_t)tcp_len + seg->text_len,
    };
    struct writer w = writer(p->store, sizeof p->store);
    ip_emit(&w, &ip);
    tcp_emit(&w, seg, flow->local_port, flow->remote_port);
    (void)CHECK(!w.bad);

    p->head = (struct bytes){p->store, ip_len + tcp_len};
    p->n_body = seg->n_text;
    for (unsigned i = 0; i < seg->n_text; i++)
        p->body[i] = seg->text[i];
    (void)CHECK(packet_len(p) == ip_len + ip.payload_len);
    p->gso_size = seg->text_len > seg->gso_size ? seg->gso_size : 0;
    p->csum = partial_csum ? CSUM_PARTIAL : CSUM_FULL;
    p->mtu = 0;
    p->zone = ip_addr_zone(&flow->remote);

    struct csum c = {0};
    csum_add_pseudo(&c, &ip.src, &ip.dst, ip.proto, ip.payload_len);
    if (!partial_csum) {
        csum_add(&c, p->store + ip_len, tcp_len);
        for (unsigned i = 0; i < seg->n_text; i++)
            csum_add(&c, seg->text[i].ptr, seg->text[i].len);
    }
    struct writer field = writer(p->store + ip_len + TCP_CSUM_OFFSET, 2);
    put_u16(&field, partial_csum ? csum_fold(&c) : csum_finish(&c));
}

void packet_put_options(struct packet *p, const struct ip_options *o, uint32_t time_ms)
{
    uint8_t octets[IP_OPTIONS_MAX];
    struct ip_hdr ip;
    struct reader r = reader(p->head.ptr, p->head.len);
    if (!CHECK(ip_parse(&r, packet_len(p), &ip) == IP_OK && ip.options.len == 0))
        return;
    ip_options_emit(o, &ip.src, &ip.dst, time_ms, octets);
    ip.dst = ip_options_first_hop(o, &ip.dst);
    ip.options = (struct bytes){octets, o->len};
    memmove(p->store + IP4_HDR_LEN + o->len, p->store + IP4_HDR_LEN, p->head.len - IP4_HDR_LEN);
    struct writer w = writer(p->store, IP4_HDR_LEN + o->len);
    ip_emit(&w, &ip);
    (void)CHECK(!w.bad);
    p->head.len += o->len;
}
