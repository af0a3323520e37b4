/* icmp.c: ICMP (RFC 792, 1191, 1812) and ICMPv6 (RFC 4443). */
#include "icmp.h"
#include "support.h"
#include "tcp.h"

static const struct ip_addr a6 = {{0xfd, [7] = 1, [15] = 1}}, b6 = {{0xfd, [7] = 2, [15] = 1}};

/* The header of a message from b to a. */
static struct ip_hdr header(bool v4, size_t len)
{
    return (struct ip_hdr){
        .src = v4 ? ip_addr_v4(0x0a000102) : b6,
        .dst = v4 ? ip_addr_v4(0x0a000001) : a6,
        .proto = v4 ? IP_PROTO_ICMP : IP_PROTO_ICMP6,
        .ttl = 64,
        .payload_len = (uint32_t)len,
    };
}

static size_t emit(uint8_t *out, size_t room, const struct icmp *m, bool v4)
{
    struct writer w = writer(out, room);
    struct ip_hdr ip = header(v4, 0);
    icmp_emit(&w, &ip, m);
    assert_false(w.bad);
    return room - w.len;
}

/* Parses a copy of exactly `held` octets, by a header that speaks of `stated`. */
static enum icmp_error parse(const uint8_t *p, size_t held, size_t stated, bool v4, struct icmp *m)
{
    uint8_t *copy = exact_copy(p, held);
    struct reader r = reader(copy, held);
    struct ip_hdr ip = header(v4, stated);
    enum icmp_error e = icmp_parse(&r, &ip, m);
    if (e == ICMP_OK) {
        assert_int_equal(m->body.len, stated - ICMP_HDR_LEN);
        assert_memory_equal(m->body.ptr, p + ICMP_HDR_LEN, m->body.len);
    }
    m->body.ptr = NULL; /* gone with the copy */
    free(copy);
    return e;
}

static void echo_on_the_wire(void **state)
{
    (void)state;
    static const uint8_t data[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    /* 0x0800 + 0x1234 + 0x0001 + 0x0102 + 0x0304 + 0x0506 + 0x0708, complemented */
    static const uint8_t v4[] = {8, 0, 0xd5, 0xb6, 0x12, 0x34, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8};
    struct icmp m = icmp_of_kind(ICMP_ECHO_REQUEST, true);
    m.rest = 0x12340001;
    m.body = (struct bytes){data, sizeof data};
    uint8_t out[16];
    assert_int_equal(emit(out, sizeof out, &m, true), 16);
    assert_memory_equal(out, v4, 16);

    m.type = 129;
    assert_int_equal(emit(out, sizeof out, &m, false), 16);
    uint8_t with_pseudo[40 + 16] = {[35] = 16, [39] = 58}; /* RFC 8200 8.1 */
    memcpy(with_pseudo, b6.b, 16);
    memcpy(with_pseudo + 16, a6.b, 16);
    memcpy(with_pseudo + 40, out, 16);
    assert_int_equal(naive_sum(with_pseudo, sizeof with_pseudo), 0xffff);
}

static void what_is_emitted_is_parsed(void **state)
{
    (void)state;
    for (unsigned kind = ICMP_ECHO_REQUEST; kind <= ICMP_SOURCE_QUENCH; kind++) {
        for (unsigned v4 = 0; v4 < 2; v4++) {
            bool v4_only = kind == ICMP_PROTOCOL_UNREACHABLE || kind == ICMP_SOURCE_QUENCH;
            if (v4 ? kind == ICMP_PROHIBITED : v4_only)
                continue;
            uint8_t octets[64] = {0}, out[80];
            for (size_t len = 0; len < 50; len++) {
                octets[len] = (uint8_t)(7 * len);
                struct icmp m = icmp_of_kind(kind, v4), back;
                m.rest = 0xa1b2c3d4;
                m.body = (struct bytes){octets, len};
                size_t n = emit(out, sizeof out, &m, v4);
                assert_int_equal(n, ICMP_HDR_LEN + len);
                assert_int_equal(parse(out, n, n, v4, &back), ICMP_OK);
                assert_int_equal(icmp_kind(&back, v4), kind);
                assert_int_equal(back.rest, 0xa1b2c3d4);
                /* Ethernet's padding belongs to nobody */
                assert_int_equal(parse(out, n + 10, n, v4, &back), ICMP_OK);
            }
        }
    }
}

/* A6: cut at every octet, and every bit wrong. */
static void cut_and_damaged(void **state)
{
    (void)state;
    for (unsigned v4 = 0; v4 < 2; v4++) {
        struct icmp m = icmp_of_kind(ICMP_TOO_BIG, v4), back;
        uint8_t body[40], out[48];
        memset(body, 0x5a, sizeof body);
        m.body = (struct bytes){body, sizeof body};
        size_t n = emit(out, sizeof out, &m, v4);
        for (size_t held = 0; held < n; held++) {
            assert_int_equal(parse(out, held, n, v4, &back), ICMP_SHORT);
            if (held < ICMP_HDR_LEN)
                assert_int_equal(parse(out, n, held, v4, &back), ICMP_SHORT);
        }
        for (size_t bit = 0; bit < 8 * n; bit++) {
            out[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_int_equal(parse(out, n, n, v4, &back), ICMP_BAD_CHECKSUM);
            out[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        struct reader r = reader(out, n);
        struct ip_hdr ip = header(v4, n);
        ip.proto = v4 ? IP_PROTO_ICMP6 : IP_PROTO_ICMP;
        assert_int_equal(icmp_parse(&r, &ip, &back), ICMP_FAMILY);
    }
}

/* RFC 9293 3.9.2.2 names the soft and the hard ones by these codes. */
static void codes(void **state)
{
    (void)state;
    static const uint8_t unreachable4[] = {
        ICMP_NET_UNREACHABLE,  ICMP_HOST_UNREACHABLE, ICMP_PROTOCOL_UNREACHABLE,
        ICMP_PORT_UNREACHABLE, ICMP_TOO_BIG,          ICMP_HOST_UNREACHABLE,
        ICMP_NET_UNREACHABLE,  ICMP_HOST_UNREACHABLE, ICMP_HOST_UNREACHABLE,
        ICMP_NET_UNREACHABLE,  ICMP_HOST_UNREACHABLE, ICMP_NET_UNREACHABLE,
        ICMP_HOST_UNREACHABLE, ICMP_HOST_UNREACHABLE, ICMP_HOST_UNREACHABLE,
        ICMP_HOST_UNREACHABLE};
    static const uint8_t unreachable6[] = {
        ICMP_NET_UNREACHABLE,  ICMP_PROHIBITED, ICMP_HOST_UNREACHABLE, ICMP_HOST_UNREACHABLE,
        ICMP_PORT_UNREACHABLE, ICMP_PROHIBITED, ICMP_PROHIBITED};
    for (unsigned type = 0; type < 256; type++) {
        for (unsigned code = 0; code < 256; code++) {
            struct icmp m = {.type = (uint8_t)type, .code = (uint8_t)code};
            enum icmp_kind v4 = icmp_kind(&m, true), v6 = icmp_kind(&m, false);
            if (type == 3)
                assert_int_equal(v4, code < sizeof unreachable4 ? unreachable4[code] : ICMP_OTHER);
            else
                assert_int_equal(v4, type == 0    ? ICMP_ECHO_REPLY
                                     : type == 4  ? ICMP_SOURCE_QUENCH
                                     : type == 8  ? ICMP_ECHO_REQUEST
                                     : type == 11 ? ICMP_TIME_EXCEEDED
                                     : type == 12 ? ICMP_PARAMETER_PROBLEM
                                                  : ICMP_OTHER);
            if (type == 1)
                assert_int_equal(v6, code < sizeof unreachable6 ? unreachable6[code] : ICMP_OTHER);
            else
                assert_int_equal(v6, type == 2     ? ICMP_TOO_BIG
                                     : type == 3   ? ICMP_TIME_EXCEEDED
                                     : type == 4   ? ICMP_PARAMETER_PROBLEM
                                     : type == 128 ? ICMP_ECHO_REQUEST
                                     : type == 129 ? ICMP_ECHO_REPLY
                                                   : ICMP_OTHER);
        }
    }
}

/* RFC 1191 4: the upper half is unused, and an old router sends 0. RFC 4443 3.2: 32 bits. */
static void next_hop_mtu(void **state)
{
    (void)state;
    struct icmp m = {.rest = 0xdead05dc};
    assert_int_equal(icmp_mtu(&m, true), 1500);
    assert_int_equal(icmp_mtu(&m, false), 0xdead05dc);
    icmp_set_mtu(&m, 70000, false);
    assert_int_equal(m.rest, 70000);
    icmp_set_mtu(&m, 70000, true);
    assert_int_equal(m.rest, 65535);
}

/* A segment as a router quotes it: returns its octets. */
static size_t segment(uint8_t *out, size_t room, bool v4, uint8_t proto)
{
    struct ip_hdr ip = header(v4, 1480), back = ip;
    back.src = ip.dst;
    back.dst = ip.src;
    back.proto = proto;
    back.df = true;
    struct seg seg = {.seq = seq(0xfffffff0), .ack = seq(7), .flags = TCP_ACK, .wnd = 1};
    struct writer w = writer(out, room);
    ip_emit(&w, &back);
    tcp_emit(&w, &seg, 61000, 80);
    assert_false(w.bad);
    return room - w.len;
}

static bool cause_of(const uint8_t *p, size_t len, bool v4, struct icmp_cause *cause)
{
    uint8_t *copy = exact_copy(p, len);
    struct icmp m = {.body = {copy, len}};
    bool is = icmp_parse_cause(&m, v4, cause);
    free(copy);
    return is;
}

static void the_quoted_segment(void **state)
{
    (void)state;
    for (unsigned v4 = 0; v4 < 2; v4++) {
        uint8_t p[80];
        size_t ip_len = v4 ? 20 : 40, len = segment(p, sizeof p, v4, IP_PROTO_TCP);
        for (size_t held = 0; held <= len; held++) {
            struct icmp_cause cause;
            bool is = cause_of(p, held, v4, &cause);
            assert_int_equal(is, held >= ip_len + ICMP_QUOTE_MIN); /* RFC 792: 64 bits of data */
            if (!is)
                continue;
            struct ip_hdr ip = header(v4, 0);
            assert_true(ip_addr_eq(&cause.flow.local, &ip.dst));
            assert_true(ip_addr_eq(&cause.flow.remote, &ip.src));
            assert_int_equal(cause.flow.local_port, 61000);
            assert_int_equal(cause.flow.remote_port, 80);
            assert_int_equal(cause.seq.v, 0xfffffff0);
            assert_int_equal(cause.packet_len, ip_len + 1480);
        }
        struct icmp_cause cause;
        assert_false(cause_of(p, len, !v4, &cause)); /* of the other family */
        segment(p, sizeof p, v4, 17);
        assert_false(cause_of(p, len, v4, &cause));
    }
}

static void what_routers_do_to_the_quoted_header(void **state)
{
    (void)state;
    uint8_t p[80];
    struct icmp_cause cause;
    size_t len = segment(p, sizeof p, true, IP_PROTO_TCP);
    p[8] = 1; /* the TTL has been counted down, the checksum left as it was */
    assert_true(cause_of(p, len, true, &cause));
    p[7] = 1; /* a later fragment: no TCP header in it */
    assert_false(cause_of(p, len, true, &cause));
    p[7] = 0;
    p[0] = 0x44;
    assert_false(cause_of(p, len, true, &cause));
    p[0] = 0x4f; /* options up to the quote's very end */
    assert_false(cause_of(p, len, true, &cause));
    p[0] = 0x45;
    p[2] = 0;
    p[3] = 27; /* it says itself that there is no whole port and sequence number */
    assert_false(cause_of(p, len, true, &cause));
    p[3] = 28;
    assert_true(cause_of(p, len, true, &cause));
}

/* MUST-54: the connection's remote address is the final destination of a source route, wherever on
 * the way the packet was. */
static void the_quoted_source_route(void **state)
{
    (void)state;
    uint8_t plain[80], p[80], route[12] = {131, 11, 4, 10, 0, 0, 253, 10, 0, 1, 2};
    size_t len = segment(plain, sizeof plain, true, IP_PROTO_TCP);
    for (uint8_t pointer = 4; pointer <= 12; pointer += 4) {
        const uint8_t *dst = pointer == 12 ? plain + 16 : (const uint8_t[]){10, 0, 0, 254};
        route[2] = pointer;
        memcpy(route + 7, pointer == 12 ? dst : plain + 16, 4); /* or a router, by then */
        memcpy(p, plain, 20);
        memcpy(p + 16, dst, 4);
        memcpy(p + 20, route, 12);
        memcpy(p + 32, plain + 20, len - 20);
        p[0] = 0x48;
        struct icmp_cause cause;
        assert_true(cause_of(p, len + 12, true, &cause));
        struct ip_hdr ip = header(true, 0);
        assert_true(ip_addr_eq(&cause.flow.remote, &ip.src));
        assert_int_equal(cause.flow.local_port, 61000);
    }
}

/* Whatever the octets are, nothing is read that is not there. */
static void any_octets(void **state)
{
    (void)state;
    struct rnd rnd = rnd_start("any_octets");
    for (unsigned i = 0; i < 20000; i++) {
        uint8_t p[96];
        size_t len = rnd_u64(&rnd) % sizeof p;
        bool v4 = rnd_u64(&rnd) % 2;
        segment(p, sizeof p, v4, IP_PROTO_TCP);
        for (unsigned n = rnd_u64(&rnd) % 8; n > 0; n--)
            p[rnd_u64(&rnd) % sizeof p] = (uint8_t)rnd_u64(&rnd);
        struct icmp_cause cause;
        struct icmp m;
        cause_of(p, len, v4, &cause);
        parse(p, len, rnd_u64(&rnd) % sizeof p, v4, &m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(echo_on_the_wire),
        cmocka_unit_test(what_is_emitted_is_parsed),
        cmocka_unit_test(cut_and_damaged),
        cmocka_unit_test(codes),
        cmocka_unit_test(next_hop_mtu),
        cmocka_unit_test(the_quoted_segment),
        cmocka_unit_test(what_routers_do_to_the_quoted_header),
        cmocka_unit_test(the_quoted_source_route),
        cmocka_unit_test(any_octets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
