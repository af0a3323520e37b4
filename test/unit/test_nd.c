/* nd.c: RFC 4861 4.3, 4.4, 7.1.1, 7.1.2; RFC 6980; RFC 2464 7. */
#include "nd.h"
#include "support.h"

#define MESSAGE_MAX 200
#define AT_ICMP     40
#define AT_TARGET   48
#define AT_OPTIONS  64

static const struct mac_addr ours = {{2, 0, 0, 0, 0, 1}};
static const struct ip_addr us = {{0xfd, [15] = 1}}, them = {{0xfd, [13] = 0xab, 0xcd, 0xef}};

/* As the RFC draws it, but for the checksum: who has fd00::ab:cdef, tell fd00::1. */
static const uint8_t solicitation[] =
    {
        0x60, 0,    0,    0,    0,   32, 58, 255, /* version, length, ICMPv6, hop limit */
        0xfd, 0,    0,    0,    0,   0,  0,  0,   0, 0, 0, 0, 0, 0,
        0,    1,    0xff, 2,    0,   0,  0,  0,   0, 0, 0, 0, 0, 1,
        0xff, 0xab, 0xcd, 0xef, 135, 0,  0,  0,   0, 0, 0, 0, /* code, checksum, reserved */
        0xfd, 0,    0,    0,    0,   0,  0,  0,   0, 0, 0, 0, 0, 0xab,
        0xcd, 0xef, 1,    1,    2,   0,  0,  0,   0, 1, /* source link-layer address */
};

/* The answer: solicited, override. */
static const uint8_t advertisement[] = {
    0x60, 0, 0,    0,    0,    32,   58,   255, 0xfd, 0, 0,    0, 0, 0, 0, 0, 0, 0, 0,
    0,    0, 0xab, 0xcd, 0xef, 0xfd, 0,    0,   0,    0, 0,    0, 0, 0, 0, 0, 0, 0, 0,
    0,    1, 136,  0,    0,    0,    0x60, 0,   0,    0, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0,
    0,    0, 0,    0,    0xab, 0xcd, 0xef, 2,   1,    2, 0,    0, 0, 0, 2, /* target link-layer
                                                                              address */
};

/* RFC 8200 8.1; the message has the length that its header says. */
static uint16_t sum(const uint8_t *p)
{
    uint8_t all[40 + MESSAGE_MAX] = {0};
    size_t len = (size_t)(p[4] << 8 | p[5]);
    memcpy(all, p + 8, 32);
    all[34] = p[4];
    all[35] = p[5];
    all[39] = 58;
    memcpy(all + 40, p + AT_ICMP, len);
    return naive_sum(all, 40 + len);
}

static void fix_checksum(uint8_t *p)
{
    p[AT_ICMP + 2] = p[AT_ICMP + 3] = 0;
    uint16_t c = (uint16_t)~sum(p);
    p[AT_ICMP + 2] = (uint8_t)(c >> 8);
    p[AT_ICMP + 3] = (uint8_t)c;
}

static bool parses(const uint8_t *p, size_t len, struct nd *m)
{
    uint8_t *copy = exact_copy(p, len);
    struct reader r = reader(copy, len);
    bool ok = nd_parse(&r, m);
    free(copy);
    return ok;
}

static void emits(const struct nd *m, const uint8_t *wanted, size_t len)
{
    uint8_t out[ND_LEN_MAX], octets[MESSAGE_MAX];
    memcpy(octets, wanted, len);
    fix_checksum(octets);
    struct writer w = writer(out, sizeof out);
    nd_emit(&w, m);
    assert_false(w.bad);
    assert_int_equal(sizeof out - w.len, len);
    assert_memory_equal(out, octets, len);
    struct nd back;
    assert_true(parses(out, len, &back));
    assert_memory_equal(&back.src, &m->src, 16);
    assert_memory_equal(&back.dst, &m->dst, 16);
    assert_memory_equal(&back.target, &m->target, 16);
    assert_int_equal(back.type, m->type);
    assert_int_equal(back.flags, m->flags);
    assert_int_equal(back.has_mac, m->has_mac);
    if (m->has_mac)
        assert_memory_equal(&back.mac, &m->mac, 6);
}

static void as_drawn(void **state)
{
    (void)state;
    struct nd m = {.type = ND_SOLICITATION,
                   .src = us,
                   .dst = nd_solicited_node(&them),
                   .target = them,
                   .has_mac = true,
                   .mac = ours};
    emits(&m, solicitation, sizeof solicitation);
    uint8_t shorter[AT_OPTIONS];
    memcpy(shorter, solicitation, sizeof shorter);
    shorter[5] = 24;
    m.has_mac = false;
    emits(&m, shorter, sizeof shorter);
    m = (struct nd){.type = ND_ADVERTISEMENT,
                    .flags = ND_SOLICITED | ND_OVERRIDE,
                    .src = them,
                    .dst = us,
                    .target = them,
                    .has_mac = true,
                    .mac = {{2, 0, 0, 0, 0, 2}}};
    emits(&m, advertisement, sizeof advertisement);
    struct writer w = writer(shorter, sizeof shorter); /* no room */
    nd_emit(&w, &m);
    assert_true(w.bad);
}

static void groups(void **state)
{
    (void)state;
    static const uint8_t mac[] = {0x33, 0x33, 0xff, 0xab, 0xcd, 0xef};
    struct ip_addr group = nd_solicited_node(&them);
    assert_memory_equal(group.b, solicitation + 24, 16);
    struct mac_addr group_mac = nd_multicast_mac(&group);
    assert_memory_equal(group_mac.b, mac, 6);
}

/* One octet that is not as it should be, in a message that is right otherwise. */
static void invalid(void **state)
{
    (void)state;
    static const struct {
        const uint8_t *message;
        size_t at;
        uint8_t octet;
    } cases[] = {
        {solicitation, 7, 254},          /* hop limit: it came through a router */
        {solicitation, AT_ICMP, 133},    /* another type: router solicitation */
        {solicitation, AT_ICMP, 137},    /* redirect */
        {solicitation, AT_ICMP + 1, 1},  /* code */
        {solicitation, AT_TARGET, 0xff}, /* the target is a multicast address */
        {solicitation, AT_OPTIONS + 1, 0},
        {solicitation, AT_OPTIONS + 1, 2}, /* an option beyond the end */
        {advertisement, 7, 0},
        {advertisement, AT_ICMP + 1, 255},
        {advertisement, AT_TARGET, 0xff},
        {advertisement, AT_OPTIONS + 1, 0},
        {advertisement, AT_OPTIONS + 1, 255},
        {advertisement, 24, 0xff}, /* solicited, and to a multicast address */
    };
    struct nd m;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t p[sizeof solicitation];
        memcpy(p, cases[i].message, sizeof p);
        fix_checksum(p);
        assert_true(parses(p, sizeof p, &m));
        p[cases[i].at] = cases[i].octet;
        fix_checksum(p);
        assert_false(parses(p, sizeof p, &m));
    }
}

/* 7.1.1: from the unspecified address only to the solicited-node group, and without the option. */
static void from_nobody(void **state)
{
    (void)state;
    struct nd m;
    uint8_t p[sizeof solicitation];
    for (unsigned i = 0; i < 4; i++) {
        bool option = i & 1, elsewhere = i & 2;
        memcpy(p, solicitation, sizeof p);
        memset(p + 8, 0, 16);
        if (!option)
            p[5] = 24;
        p[39] ^= elsewhere;
        fix_checksum(p);
        assert_int_equal(parses(p, option ? sizeof p : AT_OPTIONS, &m), !option && !elsewhere);
    }
}

/* Whatever options there are besides; that of another length than an Ethernet address has is none
 * of ours. */
static void options(void **state)
{
    (void)state;
    static const struct {
        uint8_t octets[24];
        uint8_t len;
        bool valid, has_mac;
    } cases[] = {
        {{14, 1}, 8, true, false},                                /* nonce */
        {{14, 2, [16] = 2, 1, 2, 0, 0, 0, 0, 9}, 24, true, true}, /* and an address */
        {{2, 1, 2, 0, 0, 0, 0, 9, 14, 0}, 16, false, false},
        {{2, 1, 2, 0, 0, 0, 0, 9, 14, 2}, 16, false, false}, /* beyond the end */
        {{2, 2, 2, 0, 0, 0, 0, 9}, 16, false, false},
        {{1, 1, 2, 0, 0, 0, 0, 9}, 8, true, false},   /* the source's, in an advertisement */
        {{255, 1, 2, 0, 0, 0, 0, 9}, 8, true, false}, /* unknown */
        {{2}, 1, false, false},                       /* cut before its length */
        {{2, 1, 2, 0, 0, 0, 0}, 7, false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct nd m;
        uint8_t p[MESSAGE_MAX];
        memcpy(p, advertisement, AT_OPTIONS);
        memcpy(p + AT_OPTIONS, cases[i].octets, cases[i].len);
        p[5] = (uint8_t)(24 + cases[i].len);
        fix_checksum(p);
        assert_int_equal(parses(p, (size_t)AT_OPTIONS + cases[i].len, &m), cases[i].valid);
        if (cases[i].valid)
            assert_int_equal(m.has_mac, cases[i].has_mac);
        if (cases[i].has_mac)
            assert_int_equal(m.mac.b[5], 9);
    }
}

/* RFC 6980 5: not as a fragment, also not as one that is the whole packet (RFC 6946). */
static void fragments(void **state)
{
    (void)state;
    for (unsigned more = 0; more < 2; more++) {
        struct nd m;
        uint8_t p[MESSAGE_MAX], extended[MESSAGE_MAX];
        memcpy(p, advertisement, sizeof advertisement);
        fix_checksum(p); /* the fragment header is no part of the sum */
        memcpy(extended, p, 40);
        extended[5] = 40;
        extended[6] = 44;
        memcpy(extended + 40, (uint8_t[]){58, 0, 0, (uint8_t)more, 0, 0, 0, 7}, 8);
        memcpy(extended + 48, p + 40, sizeof advertisement - 40);
        assert_false(parses(extended, sizeof advertisement + 8, &m));
    }
}

static void cut_or_padded(void **state)
{
    (void)state;
    struct nd m;
    uint8_t p[sizeof solicitation + 10] = {0};
    memcpy(p, solicitation, sizeof solicitation);
    fix_checksum(p);
    for (size_t len = 0; len <= sizeof p; len++)
        assert_int_equal(parses(p, len, &m), len >= sizeof solicitation);
    for (uint8_t len = 0; len < 32; len++) { /* the header says that it is shorter */
        p[5] = len;
        fix_checksum(p);
        assert_int_equal(parses(p, sizeof p, &m), len == 24);
    }
}

static void damaged(void **state)
{
    (void)state;
    struct nd m;
    for (size_t bit = 8 * 8; bit < 8 * sizeof advertisement; bit++) {
        uint8_t p[sizeof advertisement];
        memcpy(p, advertisement, sizeof p);
        fix_checksum(p);
        p[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(parses(p, sizeof p, &m));
    }
}

/* RFC 4291 2.5.6: link-local, with bits where there are none. */
static bool is_odd(const uint8_t a[16])
{
    static const uint8_t link_local[8] = {0xfe, 0x80};
    return a[0] == 0xfe && a[1] >> 6 == 2 && memcmp(a, link_local, 8) != 0;
}

/* 7.1.1 and 7.1.2 once more, point by point and apart from the parser. */
static bool is_valid(const uint8_t *p, size_t len)
{
    static const uint8_t zero[16], group[13] = {0xff, 2, [11] = 1, 0xff};
    static const uint8_t mapped[12] = {[10] = 0xff, 0xff};
    if (len < 64 || p[0] >> 4 != 6 || p[6] != 58 || p[7] != 255)
        return false;
    size_t end = 40 + (size_t)(p[4] << 8 | p[5]);
    if (end < 64 || end > len || sum(p) != 0xffff || p[41] != 0 || p[48] == 0xff)
        return false;
    if (memcmp(p + 8, mapped, 12) == 0 || memcmp(p + 24, mapped, 12) == 0) /* RFC 4942 2.2 */
        return false;
    if (is_odd(p + 8) || is_odd(p + 24))
        return false;
    bool has_address = false;
    for (size_t at = 64; at < end; at += 8U * p[at + 1]) {
        if (at + 8 > end || p[at + 1] == 0 || at + 8U * p[at + 1] > end)
            return false;
        bool address = p[at] == (p[40] == 135 ? 1 : 2);
        if (address && p[at + 1] != 1)
            return false;
        has_address = has_address || address;
    }
    if (p[40] == 136)
        return p[24] != 0xff || !(p[44] & 0x40);
    bool to_group = memcmp(p + 24, group, 13) == 0 && memcmp(p + 37, p + 61, 3) == 0;
    return p[40] == 135 && (memcmp(p + 8, zero, 16) != 0 || (to_group && !has_address));
}

static void noise(void **state)
{
    (void)state;
    static const uint8_t telling[] = {0, 1, 2, 24, 32, 40, 58, 133, 135, 136, 254, 255, 0x40, 0x60};
    struct rnd rnd = rnd_start("noise");
    unsigned valid = 0;
    for (unsigned i = 0; i < 300000; i++) {
        uint8_t p[MESSAGE_MAX] = {0};
        struct nd m;
        memcpy(p, rnd_below(&rnd, 2) ? solicitation : advertisement, sizeof solicitation);
        size_t len = sizeof solicitation;
        if (rnd_below(&rnd, 2)) { /* more options */
            len += 8;
            p[5] = 40;
            p[72] = (uint8_t)rnd_below(&rnd, 4);
            p[73] = 1;
        }
        if (rnd_below(&rnd, 4) == 0)
            memset(p + 8, 0, 16);
        for (uint32_t n = rnd_below(&rnd, 4); n > 0; n--)
            p[rnd_below(&rnd, (uint32_t)len)] = telling[rnd_below(&rnd, sizeof telling)];
        if (p[4] == 0 && p[5] <= MESSAGE_MAX - 40 && rnd_below(&rnd, 8))
            fix_checksum(p);
        if (rnd_below(&rnd, 8) == 0)
            len = rnd_below(&rnd, (uint32_t)len + 1);
        bool ok = is_valid(p, len);
        assert_int_equal(parses(p, len, &m), ok);
        valid += ok;
    }
    assert_in_range(valid, 10000, 290000); /* both sides are tried */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_drawn),      cmocka_unit_test(groups),  cmocka_unit_test(invalid),
        cmocka_unit_test(from_nobody),   cmocka_unit_test(options), cmocka_unit_test(fragments),
        cmocka_unit_test(cut_or_padded), cmocka_unit_test(damaged), cmocka_unit_test(noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
