/* filter.c: the BPF program, run by an interpreter of our own. The kernel runs it in test/link. */
#include "filter.h"
#include "support.h"

#include <errno.h>
#include <linux/if_arp.h>
#include <linux/if_packet.h>

struct frame {
    uint8_t octets[128];
    uint32_t len, hatype, pkttype, vlan;
};

/* *value of `size` octets at `at`; false beyond the end, which drops the packet. */
static bool load(const struct frame *f, uint32_t at, uint32_t size, uint32_t *value)
{
    switch (at - (uint32_t)SKF_AD_OFF) {
    case SKF_AD_HATYPE:
        *value = f->hatype;
        return true;
    case SKF_AD_PKTTYPE:
        *value = f->pkttype;
        return true;
    case SKF_AD_VLAN_TAG:
        *value = f->vlan;
        return true;
    default:
        break;
    }
    if (at + size > f->len)
        return false;
    *value = 0;
    for (uint32_t i = 0; i < size; i++)
        *value = *value << 8 | f->octets[at + i];
    return true;
}

static bool test_jump(uint16_t code, uint32_t a, uint32_t k)
{
    switch (BPF_OP(code)) {
    case BPF_JEQ:
        return a == k;
    case BPF_JGT:
        return a > k;
    case BPF_JGE:
        return a >= k;
    default:
        assert_int_equal(BPF_OP(code), BPF_JSET);
        return (a & k) != 0;
    }
}

static bool passes(const struct sock_filter *prog, int n, const struct frame *f)
{
    uint32_t a = 0, x = 0, octet;
    for (int pc = 0;; pc++) {
        assert_in_range(pc, 0, n - 1);
        const struct sock_filter *i = &prog[pc];
        uint32_t size = BPF_SIZE(i->code) == BPF_W ? 4 : BPF_SIZE(i->code) == BPF_H ? 2 : 1;
        switch (BPF_CLASS(i->code)) {
        case BPF_LD:
            if (!load(f, BPF_MODE(i->code) == BPF_IND ? x + i->k : i->k, size, &a))
                return false;
            break;
        case BPF_LDX:
            assert_int_equal(BPF_MODE(i->code), BPF_MSH);
            if (!load(f, i->k, 1, &octet))
                return false;
            x = (octet & 0xf) * 4;
            break;
        case BPF_JMP:
            if (BPF_OP(i->code) == BPF_JA)
                pc += (int)i->k;
            else
                pc += test_jump(i->code, a, i->k) ? i->jt : i->jf;
            break;
        default:
            assert_int_equal(i->code, BPF_RET | BPF_K);
            return i->k != 0;
        }
    }
}

static struct sock_filter prog[FILTER_MAX];

static struct frame v4(uint8_t proto, uint32_t dst, uint16_t port)
{
    struct frame f = {.len = 54, .hatype = ARPHRD_ETHER, .pkttype = PACKET_HOST};
    static const uint8_t start[] = {8, 0, 0x45};
    memcpy(f.octets + 12, start, sizeof start);
    f.octets[23] = proto;
    for (unsigned i = 0; i < 4; i++)
        f.octets[30 + i] = (uint8_t)(dst >> (24 - 8 * i));
    f.octets[36] = (uint8_t)(port >> 8);
    f.octets[37] = (uint8_t)port;
    return f;
}

static struct frame v6(uint8_t next, const struct ip_addr *dst, uint16_t port)
{
    struct frame f = {.len = 74, .hatype = ARPHRD_ETHER, .pkttype = PACKET_HOST};
    static const uint8_t start[] = {0x86, 0xdd, 0x60};
    memcpy(f.octets + 12, start, sizeof start);
    f.octets[20] = next;
    memcpy(f.octets + 38, dst->b, 16);
    f.octets[56] = (uint8_t)(port >> 8);
    f.octets[57] = (uint8_t)port;
    return f;
}

static bool tcp4(int n, uint32_t dst, uint16_t port)
{
    struct frame f = v4(6, dst, port);
    bool plain = passes(prog, n, &f);
    f.octets[14] = 0x4f; /* with 40 octets of IP options */
    memcpy(f.octets + 76, f.octets + 36, 2);
    f.octets[36] ^= 0xff;
    f.len = 94;
    assert_int_equal(passes(prog, n, &f), plain);
    return plain;
}

static const struct ip_addr a6 = {{0xfd, [7] = 1, [15] = 1}}, b6 = {{0xfd, [7] = 2, [15] = 1}};

static void ports_and_addresses(void **state)
{
    (void)state;
    const struct port_range v[] = {
        {ip_addr_v4(0x0a000001), 80, 80},
        {ip_addr_v4(0), 61000, 61063},
        {a6, 80, 81},
        {ip_addr_v4(0x0a000002), 65535, 65535},
        {ip_addr_v4(0x0a000001), 8000, 8001},
        {IP_ADDR_ANY6, 0, 9},
    };
    int n = filter_build(prog, v, sizeof v / sizeof *v, NULL, 0);
    assert_true(n > 0);
    for (uint32_t i = 0; i <= 65535; i++) {
        uint16_t port = (uint16_t)i;
        bool wild4 = port >= 61000 && port <= 61063, wild6 = port <= 9;
        assert_int_equal(tcp4(n, 0x0a000001, port),
                         wild4 || port == 80 || port == 8000 || port == 8001);
        assert_int_equal(tcp4(n, 0x0a000002, port), wild4 || port == 65535);
        assert_int_equal(tcp4(n, 0xc0000001, port), wild4);
        struct frame f = v6(6, &a6, port);
        assert_int_equal(passes(prog, n, &f), wild6 || port == 80 || port == 81);
        f = v6(6, &b6, port);
        assert_int_equal(passes(prog, n, &f), wild6);
    }
    for (size_t i = 0; i < 16; i++) { /* every octet of the address counts */
        struct ip_addr other = a6;
        other.b[i] ^= 1;
        struct frame f = v6(6, &other, 80);
        assert_false(passes(prog, n, &f));
    }
}

static void tcp_that_is_not_ours(void **state)
{
    (void)state;
    const struct port_range v[] = {{ip_addr_v4(0), 0, 65535}, {IP_ADDR_ANY6, 0, 65535}};
    int n = filter_build(prog, v, 2, NULL, 0);
    struct frame good[] = {v4(6, 0x0a000001, 80), v6(6, &a6, 80)};
    for (size_t i = 0; i < 2; i++) {
        assert_true(passes(prog, n, &good[i]));
        struct frame f = good[i];
        f.vlan = 0xe001;
        assert_false(passes(prog, n, &f));
        f.vlan = 0xe000; /* a priority, of no VLAN */
        assert_true(passes(prog, n, &f));
        f = good[i];
        f.hatype = ARPHRD_LOOPBACK;
        assert_false(passes(prog, n, &f));
        for (uint32_t type = 1; type < 8; type++) {
            f = good[i];
            f.pkttype = type;
            assert_false(passes(prog, n, &f));
        }
        f = good[i];
        f.octets[12] = 0x81; /* a VLAN tag in the frame */
        f.octets[13] = 0;
        assert_false(passes(prog, n, &f));
        for (f = good[i]; f.len > 0; f.len--)
            assert_int_equal(passes(prog, n, &f), f.len >= (i == 0 ? 38 : 58));
    }
    assert_int_equal(filter_build(prog, NULL, 0, NULL, 0) > 0, 1);
    assert_false(passes(prog, filter_build(prog, NULL, 0, NULL, 0), &good[0]));
    assert_false(passes(prog, filter_build(prog, NULL, 0, NULL, 0), &good[1]));
}

/* RFC 791 3.1: a fragment with an offset has no ports, only an address; the first one has both, and
 * so has what is none. */
static void fragments(void **state)
{
    (void)state;
    const struct port_range v[] = {{ip_addr_v4(0x0a000001), 80, 80},
                                   {ip_addr_v4(0x0a000001), 90, 90},
                                   {a6, 1, 65535},
                                   {ip_addr_v4(0x0a000003), 80, 80}};
    const struct port_range wild = {ip_addr_v4(0), 80, 80};
    for (unsigned bit = 0; bit < 16; bit++) {
        for (unsigned i = 0; i < 4; i++) {
            bool later = bit >= 3, ours = i % 2 == 0; /* before: reserved, DF, MF */
            struct frame f = v4(6, 0x0a000001 + i, 80), other = v4(6, 0x0a000001 + i, 81);
            f.octets[20 + bit / 8] = other.octets[20 + bit / 8] = (uint8_t)(0x80 >> bit % 8);
            int n = filter_build(prog, v, 4, NULL, 0);
            assert_int_equal(passes(prog, n, &f), ours);
            assert_int_equal(passes(prog, n, &other), ours && later);
            n = filter_build(prog, &wild, 1, NULL, 0);
            assert_true(passes(prog, n, &f));
            assert_int_equal(passes(prog, n, &other), later);
            f.octets[23] = 17;
            assert_false(passes(prog, n, &f));
            f.octets[23] = 1; /* an ICMP error in fragments is of no use */
            f.octets[34] = 3;
            assert_int_equal(passes(prog, n, &f), bit < 2);
            const struct port_range wild6 = {IP_ADDR_ANY6, 0, 65535};
            n = filter_build(prog, &wild6, 1, NULL, 0);
            assert_false(passes(prog, n, &other));
        }
    }
}

/* Everything for an address that is ours alone, and who asks for it. */
static void owned_addresses(void **state)
{
    (void)state;
    const struct ip_addr owned[] = {ip_addr_v4(0x0a00004d), a6, ip_addr_v4(0x0a00004e)};
    int n = filter_build(prog, NULL, 0, owned, 3);
    for (unsigned proto = 0; proto < 256; proto++) {
        for (uint32_t type = 0; type < 8; type++) {
            struct frame f = v4((uint8_t)proto, 0x0a00004d + (proto & 1), 80);
            f.octets[20] = proto & 2 ? 0x3f : 0; /* fragments too */
            f.pkttype = type;
            assert_int_equal(passes(prog, n, &f), type == PACKET_HOST);
            f = v6((uint8_t)proto, &a6, 80);
            f.pkttype = type;
            assert_int_equal(passes(prog, n, &f), type == PACKET_HOST);
        }
    }
    struct frame f = v4(1, 0x0a00004f, 80), echo = v6(58, &b6, 0);
    assert_false(passes(prog, n, &f));
    echo.octets[54] = 128;
    assert_false(passes(prog, n, &echo));
    for (size_t i = 0; i < 17; i++) { /* a solicitation: every octet of the target counts */
        struct ip_addr target = a6, group = {{0xff, 2, [11] = 1, 0xff}};
        if (i < 16)
            target.b[i] ^= 1;
        f = v6(58, &group, 0);
        f.octets[54] = 135;
        memcpy(f.octets + 62, target.b, 16);
        f.len = 86;
        for (uint32_t type = 0; type < 8; type++) {
            bool near = type == PACKET_HOST || type == PACKET_BROADCAST || type == PACKET_MULTICAST;
            f.pkttype = type;
            assert_int_equal(passes(prog, n, &f), near && i == 16);
        }
    }
}

static void other_protocols(void **state)
{
    (void)state;
    const struct port_range v[] = {{ip_addr_v4(0), 0, 65535}, {IP_ADDR_ANY6, 0, 65535}};
    int n = filter_build(prog, v, 2, NULL, 0);
    for (unsigned i = 0; i < 256; i++) {
        struct frame f = v4((uint8_t)i, 0x0a000001, 80);
        f.octets[34] = 8; /* an ICMP echo request */
        assert_int_equal(passes(prog, n, &f), i == 6);
        f = v4(1, 0x0a000001, 0);
        f.octets[34] = (uint8_t)i;
        assert_int_equal(passes(prog, n, &f), i == 3 || i == 11 || i == 12);
        f = v6((uint8_t)i, &a6, 80);
        f.octets[54] = 128; /* likewise */
        assert_int_equal(passes(prog, n, &f), i == 6 || i == 0 || i == 43 || i == 44 || i == 60);
        f = v6(58, &a6, 0);
        f.octets[54] = (uint8_t)i;
        assert_int_equal(passes(prog, n, &f), i <= 4 || i == 136);
    }
}

static void neighbours(void **state)
{
    (void)state;
    int n = filter_build(prog, NULL, 0, NULL, 0);
    for (uint32_t type = 0; type < 8; type++) {
        bool near = type == PACKET_HOST || type == PACKET_BROADCAST || type == PACKET_MULTICAST;
        struct frame f = {.len = 42, .hatype = ARPHRD_ETHER, .pkttype = type};
        f.octets[12] = 8;
        f.octets[13] = 6;
        assert_int_equal(passes(prog, n, &f), near);
        f = v6(58, &a6, 0);
        f.octets[54] = 136;
        f.pkttype = type;
        assert_int_equal(passes(prog, n, &f), near);
        f.octets[54] = 1;
        assert_int_equal(passes(prog, n, &f), type == PACKET_HOST);
    }
}

/* Programs longer than a conditional jump reaches, up to the longest. */
static void many_ranges(void **state)
{
    (void)state;
    static struct port_range v[3000];
    int n = 0;
    for (unsigned count = 1; count < 3000 && n >= 0; count += 37) {
        for (unsigned i = 0; i < count; i++) {
            uint16_t port = (uint16_t)(20 * i);
            v[i] = (struct port_range){i % 2 ? a6 : ip_addr_v4(0x0a000001 + i % 4), port, port};
        }
        n = filter_build(prog, v, count, NULL, 0);
        for (unsigned i = 0; n > 0 && i < count; i++) {
            struct frame f = v6(6, &a6, v[i].first);
            assert_int_equal(passes(prog, n, &f), i % 2 == 1);
            assert_int_equal(tcp4(n, 0x0a000001 + i % 4, v[i].first), i % 2 == 0);
            assert_false(tcp4(n, 0x0a000001 + i % 4, (uint16_t)(v[i].first + 1)));
        }
    }
    assert_int_equal(n, -ENOBUFS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ports_and_addresses), cmocka_unit_test(tcp_that_is_not_ours),
        cmocka_unit_test(other_protocols),     cmocka_unit_test(neighbours),
        cmocka_unit_test(many_ranges),         cmocka_unit_test(fragments),
        cmocka_unit_test(owned_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
