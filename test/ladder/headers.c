/* See headers.h. Octets are put and got one by one, in the order of the RFCs' figures. */
#include "headers.h"

#include "ip.h"

/* ---- Sums ---- */

/* Of the pseudo-header (figure 2; RFC 8200 8.1) and the segment: 0xffff when its checksum is right.
 */
static uint16_t sum_of(const struct flow *f, const uint8_t *tcp, size_t len)
{
    bool v4 = ip_addr_is_v4(&f->remote);
    static uint8_t sum[65536 + 40];
    size_t n = 0, addr = v4 ? 4 : 16;
    memcpy(sum + n, f->local.b + 16 - addr, addr);
    memcpy(sum + n + addr, f->remote.b + 16 - addr, addr);
    n += 2 * addr;
    const uint8_t rest[8] = {0, 0, (uint8_t)(len >> 8), (uint8_t)len, 0, 0, 0, 6};
    const uint8_t rest4[4] = {0, 6, (uint8_t)(len >> 8), (uint8_t)len};
    memcpy(sum + n, v4 ? rest4 : rest, v4 ? 4 : 8);
    n += v4 ? 4 : 8;
    memcpy(sum + n, tcp, len);
    return naive_sum(sum, n + len);
}

/* ---- Reading ---- */

static uint32_t get(const uint8_t *p, unsigned n)
{
    uint32_t v = 0;
    while (n-- > 0)
        v = v << 8 | *p++;
    return v;
}

/* Returns the length of IP's header. */
static size_t read_ip(const uint8_t *p, struct headers *h)
{
    h->version = p[0] >> 4;
    if (h->version == 4) {
        h->tos = p[1];
        h->total_len = get(p + 2, 2);
        h->id = (uint16_t)get(p + 4, 2);
        h->df = p[6] == 0x40 && p[7] == 0; /* and no fragment */
        h->ttl = p[8];
        assert_int_equal(p[9], 6);
        assert_int_equal(naive_sum(p, 4u * (p[0] & 15)), 0xffff);
        h->flow.local = ip_addr_v4_bytes(p + 12);
        h->flow.remote = ip_addr_v4_bytes(p + 16);
        return 4u * (p[0] & 15);
    }
    assert_int_equal(h->version, 6);
    h->tos = (uint8_t)(get(p, 2) >> 4);
    h->total_len = 40 + get(p + 4, 2);
    assert_int_equal(p[6], 6);
    h->ttl = p[7];
    h->flow.local = ip_addr_v6_bytes(p + 8);
    h->flow.remote = ip_addr_v6_bytes(p + 24);
    return 40;
}

struct headers headers_read(const struct packet *packet)
{
    static uint8_t p[65536 + 40];
    size_t len = 0;
    memcpy(p, packet->head.ptr, packet->head.len);
    len += packet->head.len;
    for (unsigned i = 0; i < packet->n_body; i++) {
        memcpy(p + len, packet->body[i].ptr, packet->body[i].len);
        len += packet->body[i].len;
    }
    struct headers h = {0};
    size_t ip_len = read_ip(p, &h);
    const uint8_t *tcp = p + ip_len;
    assert_int_equal(h.total_len, len);
    h.flow.local_port = (uint16_t)get(tcp, 2);
    h.flow.remote_port = (uint16_t)get(tcp + 2, 2);
    h.seq = get(tcp + 4, 4);
    h.ack = get(tcp + 8, 4);
    h.data_offset = tcp[12] >> 4;
    h.reserved = tcp[12] & 15;
    h.flags = tcp[13];
    h.wnd = (uint16_t)get(tcp + 14, 2);
    h.up = (uint16_t)get(tcp + 18, 2);
    h.right_checksum = sum_of(&h.flow, tcp, len - ip_len) == 0xffff;
    assert_in_range(h.data_offset, 5, 15);
    h.n_options = h.data_offset * 4u - 20;
    memcpy(h.options, tcp + 20, h.n_options);
    h.text_len = (uint32_t)(len - ip_len - 4u * h.data_offset);
    return h;
}

/* ---- Writing ---- */

static void put(uint8_t *p, unsigned n, uint32_t v)
{
    while (n-- > 0) {
        p[n] = (uint8_t)v;
        v >>= 8;
    }
}

/* Returns their length, padded with zeros; there is room for 40 octets. */
static size_t write_options(uint8_t *p, const struct option *o)
{
    size_t n = 0;
    memset(p, 0, 40);
    for (; o && o->size > 0; n += o->size, o++) {
        assert_true(n + o->size <= 40);
        p[n] = o->kind;
        if (o->size > 1)
            p[n + 1] = o->len;
        if (o->size > 2)
            put(p + n + 2, o->size - 2u, o->value);
    }
    return (n + 3) / 4 * 4;
}

static size_t write_ip(uint8_t *p, const struct flow *f, size_t tcp_len, const struct odd *odd)
{
    static const struct ip_addr nowhere;
    const struct ip_addr *to =
        memcmp(&odd->misrouted_to, &nowhere, sizeof nowhere) == 0 ? &f->remote : &odd->misrouted_to;
    uint8_t ttl = odd->ttl ? odd->ttl : 64;
    if (ip_addr_is_v4(&f->remote)) {
        memset(p, 0, 20);
        size_t len = 20 + write_options(p + 20, odd->ip_options);
        p[0] = (uint8_t)(0x40 | len / 4);
        p[1] = odd->tos;
        put(p + 2, 2, (uint32_t)(len + tcp_len));
        p[6] = 0x40;
        p[8] = ttl;
        p[9] = 6;
        memcpy(p + 12, ip_addr_v4_of(&f->local), 4);
        memcpy(p + 16, ip_addr_v4_of(to), 4);
        put(p + 10, 2, 0xffffu ^ naive_sum(p, len));
        return len;
    }
    put(p, 4, 6u << 28 | (uint32_t)odd->tos << 20);
    put(p + 4, 2, (uint32_t)tcp_len);
    p[6] = 6;
    p[7] = ttl;
    memcpy(p + 8, f->local.b, 16);
    memcpy(p + 24, to->b, 16);
    return 40;
}

size_t headers_write(uint8_t *to, const struct flow *flow, const struct seg *seg,
                     const uint8_t *text, const struct odd *odd)
{
    uint8_t options[40];
    size_t n = write_options(options, odd->options);
    size_t tcp_len = 20 + n + seg->text_len;
    uint8_t *tcp = to + write_ip(to, flow, tcp_len, odd);
    put(tcp, 2, flow->local_port);
    put(tcp + 2, 2, flow->remote_port);
    put(tcp + 4, 4, seg->seq.v);
    put(tcp + 8, 4, seg->ack.v);
    size_t offset = odd->data_offset ? odd->data_offset : 5 + n / 4;
    tcp[12] = (uint8_t)(offset << 4 | odd->reserved);
    tcp[13] = seg->flags;
    put(tcp + 14, 2, seg->wnd);
    put(tcp + 16, 2, 0);
    put(tcp + 18, 2, seg->up);
    memcpy(tcp + 20, options, n);
    memcpy(tcp + 20 + n, text, seg->text_len);
    put(tcp + 16, 2, 0xffffu ^ sum_of(flow, tcp, tcp_len));
    return (size_t)(tcp - to) + tcp_len;
}

struct ip_options headers_route(uint8_t kind, unsigned n_passed, unsigned n,
                                const struct ip_addr *addrs)
{
    struct ip_options o = {.octets = {kind, (uint8_t)(3 + 4 * n), (uint8_t)(4 + 4 * n_passed)}};
    assert_in_range(n, 1, 9);
    for (unsigned i = 0; i < n; i++)
        memcpy(o.octets + 3 + 4 * i, ip_addr_v4_of(&addrs[i]), 4);
    o.len = (uint8_t)(4 + 4 * n);
    return o;
}

struct ip_options headers_timestamp(unsigned n, const uint32_t *already)
{
    struct ip_options o = {.len = (uint8_t)(4 + 4 * n),
                           .octets = {68, (uint8_t)(4 + 4 * n), already ? 9 : 5, 0}};
    assert_in_range(n, 1, 9);
    if (already)
        put(o.octets + 4, 4, *already);
    return o;
}

void headers_readdress(struct packet *p, struct ip_addr dst, const struct ip_options *options,
                       uint8_t head[PACKET_HEAD_MAX])
{
    struct ip_hdr ip;
    struct reader r = reader(p->head.ptr, p->head.len);
    assert_int_equal(ip_parse(&r, packet_len(p), &ip), IP_OK);
    ip.dst = dst;
    ip.options = (struct bytes){options->octets, options->len};
    struct writer w = writer(head, PACKET_HEAD_MAX);
    ip_emit(&w, &ip);
    put_bytes(&w, r.ptr, r.len);
    assert_false(w.bad);
    p->head = (struct bytes){head, PACKET_HEAD_MAX - w.len};
}
