/* addr.c: which addresses may be a connection's (MUST-46, MUST-57, MUST-63), and their text. */
#include "addr.h"
#include "support.h"

#include <stdio.h>

static struct ip_addr v6(const char *hex)
{
    struct ip_addr a;
    assert_int_equal(strlen(hex), 32);
    for (size_t i = 0; i < 16; i++) {
        char octet[3] = {hex[2 * i], hex[2 * i + 1], 0};
        a.b[i] = (uint8_t)strtoul(octet, NULL, 16);
    }
    return a;
}

static void families_are_told_apart(void **state)
{
    (void)state;
    static const uint8_t octets[4] = {10, 0, 0, 1};
    struct ip_addr a = ip_addr_v4(0x0a000001), b = ip_addr_v4_bytes(octets);
    struct ip_addr mapped = v6("00000000000000000000ffff0a000001");
    assert_true(ip_addr_eq(&a, &b));
    assert_true(ip_addr_eq(&a, &mapped));
    assert_true(ip_addr_is_v4(&a));
    assert_memory_equal(ip_addr_v4_of(&a), octets, 4);
    b = ip_addr_v4(0x0a000002);
    assert_false(ip_addr_eq(&a, &b));

    /* IPv4-compatible, and a mapped prefix with any bit of it wrong, are IPv6. */
    struct ip_addr any6 = IP_ADDR_ANY6;
    assert_false(ip_addr_is_v4(&any6));
    for (size_t bit = 0; bit < 96; bit++) {
        struct ip_addr c = a;
        c.b[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(ip_addr_is_v4(&c));
        assert_false(ip_addr_eq(&a, &c));
    }
}

enum { ANY = 1, MULTICAST = 2, BROADCAST = 4, LOOPBACK = 8, UNICAST = 16 };

static void assert_kind(struct ip_addr a, unsigned kind)
{
    assert_int_equal(ip_addr_is_any(&a), (kind & ANY) != 0);
    assert_int_equal(ip_addr_is_multicast(&a), (kind & MULTICAST) != 0);
    assert_int_equal(ip_addr_is_broadcast(&a), (kind & BROADCAST) != 0);
    assert_int_equal(ip_addr_is_loopback(&a), (kind & LOOPBACK) != 0);
    assert_int_equal(ip_addr_is_unicast(&a), (kind & UNICAST) != 0);
}

static void kinds(void **state)
{
    (void)state;
    assert_kind(ip_addr_v4(0), ANY);
    assert_kind(ip_addr_v4(0x0a000001), UNICAST);
    assert_kind(ip_addr_v4(0x7effffff), UNICAST);
    assert_kind(ip_addr_v4(0x7f000000), LOOPBACK | UNICAST);
    assert_kind(ip_addr_v4(0x7fffffff), LOOPBACK | UNICAST);
    assert_kind(ip_addr_v4(0x80000000), UNICAST);
    assert_kind(ip_addr_v4(0xdfffffff), UNICAST);
    assert_kind(ip_addr_v4(0xe0000000), MULTICAST);
    assert_kind(ip_addr_v4(0xefffffff), MULTICAST);
    assert_kind(ip_addr_v4(0xf0000000), UNICAST);
    assert_kind(ip_addr_v4(0xfffffffe), UNICAST);
    assert_kind(ip_addr_v4(0xffffffff), BROADCAST);

    assert_kind(IP_ADDR_ANY6, ANY);
    assert_kind(v6("00000000000000000000000000000001"), LOOPBACK | UNICAST);
    assert_kind(v6("00000000000000000000000000000002"), UNICAST);
    assert_kind(v6("0000000000000000000000007f000001"), UNICAST); /* compatible, not mapped */
    assert_kind(v6("fe800000000000000000000000000001"), UNICAST);
    assert_kind(v6("feffffffffffffffffffffffffffffff"), UNICAST);
    assert_kind(v6("ff020000000000000000000000000001"), MULTICAST);
    assert_kind(v6("ffffffffffffffffffffffffffffffff"), MULTICAST);
    /* Every octet counts: 00.. with one bit more is neither any nor loopback. */
    for (size_t bit = 0; bit < 127; bit++) {
        struct ip_addr a = IP_ADDR_ANY6;
        a.b[bit / 8] = (uint8_t)(0x80u >> bit % 8);
        assert_kind(a, UNICAST);
    }
}

static void assert_text(struct ip_addr a, const char *want)
{
    char buf[IP_ADDR_TEXT_MAX];
    memset(buf, 'x', sizeof buf);
    assert_ptr_equal(ip_addr_text(&a, buf), buf);
    assert_string_equal(buf, want);
}

/* RFC 5952 4. */
static void text(void **state)
{
    (void)state;
    assert_text(ip_addr_v4(0), "0.0.0.0");
    assert_text(ip_addr_v4(0x0a0a6401), "10.10.100.1");
    assert_text(ip_addr_v4(0x09636465), "9.99.100.101");
    assert_text(ip_addr_v4(0xffffffff), "255.255.255.255");
    assert_text(IP_ADDR_ANY6, "::");
    assert_text(v6("00000000000000000000000000000001"), "::1");
    assert_text(v6("00010000000000000000000000000000"), "1::");
    assert_text(v6("20010db8000000000000000000000001"), "2001:db8::1");
    assert_text(v6("20010db8000100010001000100010001"), "2001:db8:1:1:1:1:1:1");
    assert_text(v6("20010db8000000010001000100010001"), "2001:db8:0:1:1:1:1:1"); /* 4.2.2 */
    assert_text(v6("20010000000000010000000000000001"), "2001:0:0:1::1");        /* 4.2.3 */
    assert_text(v6("20010db8000000000001000000000001"), "2001:db8::1:0:0:1");    /* first of two */
    assert_text(v6("00000000000100020003000400050006"), "::1:2:3:4:5:6");
    assert_text(v6("00010002000300040005000600000000"), "1:2:3:4:5:6::");
    assert_text(v6("00000001000200030004000500060000"), "0:1:2:3:4:5:6:0");
    assert_text(v6("fe80000000000000ABCDEF0123456789"), "fe80::abcd:ef01:2345:6789"); /* 4.3 */
    assert_text(v6("a00a0b0c00d000ef1000f0000fff00ff"), "a00a:b0c:d0:ef:1000:f000:fff:ff");
    assert_text(v6("ffffffffffffffffffffffffffffffff"), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}

/* RFC 4007 11.2, and what RFC 4291 2.5.6 has where the zone is. */
static void zones(void **state)
{
    (void)state;
    static const uint32_t all[] = {1, 2, 10, 65536, UINT32_MAX};
    struct ip_addr link_local = v6("fe80000000000000abcdef0123456789"),
                   others[] = {
                       ip_addr_v4(0xa9fe0101), /* 169.254.1.1 */
                       IP_ADDR_ANY6,
                       v6("fec00000000000000000000000000001"), /* site-local, and no more */
                       v6("fe7f0000000000000000000000000001"),
                       v6("ff020000000000000000000000000001"),
                       v6("fd000000000000000000000000000001"),
                   };
    assert_true(ip_addr_is_link_local(&link_local));
    assert_int_equal(ip_addr_zone(&link_local), 0);
    struct ip_addr a = link_local, b = v6("febf00000000000000000000000000ff");
    assert_true(ip_addr_is_link_local(&b));
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct ip_addr before = a;
        char want[IP_ADDR_TEXT_MAX];
        ip_addr_set_zone(&a, all[i]);
        assert_int_equal(ip_addr_zone(&a), all[i]);
        assert_false(ip_addr_eq(&a, &before));
        assert_true(ip_addr_is_unicast(&a));
        struct ip_addr wire = ip_addr_on_wire(&a);
        assert_true(ip_addr_eq(&wire, &link_local));
        snprintf(want, sizeof want, "fe80::abcd:ef01:2345:6789%%%lu", (unsigned long)all[i]);
        assert_text(a, want);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        a = others[i];
        assert_false(ip_addr_is_link_local(&a));
        ip_addr_set_zone(&a, 7);
        assert_true(ip_addr_eq(&a, &others[i]));
        assert_int_equal(ip_addr_zone(&a), 0);
        struct ip_addr wire = ip_addr_on_wire(&a);
        assert_true(ip_addr_eq(&wire, &a));
    }
    memset(a.b, 0xff, sizeof a.b); /* the longest text */
    a.b[0] = 0xfe;
    a.b[1] = 0xbf;
    assert_text(a, "febf:ffff::ffff:ffff:ffff:ffff%4294967295");
}

/* Reads the text back with a few lines that share nothing with the writer: expands "::". */
static struct ip_addr read_v6(const char *s)
{
    struct ip_addr a = {{0}};
    unsigned group[8], n = 0, gap = 8;
    while (*s) {
        if (s[0] == ':' && s[1] == ':') {
            gap = n;
            s += 2;
            continue;
        }
        if (*s == ':')
            s++;
        char *end;
        assert_true(n < 8);
        group[n++] = (unsigned)strtoul(s, &end, 16);
        assert_true(end > s && end - s <= 4);
        s = end;
    }
    assert_true(gap < 8 ? n < 7 : n == 8);
    for (unsigned i = 0; i < n; i++) {
        unsigned at = i < gap ? i : 8 - n + i;
        a.b[2 * at] = (uint8_t)(group[i] >> 8);
        a.b[2 * at + 1] = (uint8_t)group[i];
    }
    return a;
}

/* All 256 patterns of zero groups. */
static void text_keeps_the_address(void **state)
{
    (void)state;
    struct rnd r = rnd_start("addr");
    for (unsigned zeros = 0; zeros < 256; zeros++) {
        struct ip_addr a = {{0}};
        for (unsigned i = 0; i < 8; i++) {
            if (zeros >> i & 1)
                continue;
            uint32_t group = 1 + rnd_below(&r, 1u << (4 * (1 + rnd_below(&r, 4)))) % 0xffff;
            a.b[2 * i] = (uint8_t)(group >> 8);
            a.b[2 * i + 1] = (uint8_t)group;
        }
        if (ip_addr_is_v4(&a))
            continue;
        char buf[IP_ADDR_TEXT_MAX];
        struct ip_addr back = read_v6(ip_addr_text(&a, buf));
        assert_true(ip_addr_eq(&a, &back));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(families_are_told_apart),
        cmocka_unit_test(kinds),
        cmocka_unit_test(text),
        cmocka_unit_test(zones),
        cmocka_unit_test(text_keeps_the_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
