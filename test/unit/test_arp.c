/* arp.c: RFC 826. */
#include "arp.h"
#include "support.h"

static const uint8_t request[ARP_LEN] = {
    0,    1,    0x08, 0x00, 6,    4,    0,  1,          /* Ethernet, IPv4, request */
    0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 10, 0, 0, 1,    /* from 10.0.0.1 */
    0xff, 0xee, 0xdd, 0xcc, 0xbb, 0xaa, 10, 0, 0, 0xfe, /* for 10.0.0.254 */
};

static bool parses(const uint8_t *data, size_t len, struct arp_hdr *h)
{
    uint8_t *p = exact_copy(data, len);
    struct reader r = reader(p, len);
    bool ok = arp_parse(&r, h);
    free(p);
    return ok;
}

static void parse(void **state)
{
    (void)state;
    struct arp_hdr h;
    assert_true(parses(request, sizeof request, &h));
    assert_int_equal(h.op, ARP_REQUEST);
    assert_memory_equal(h.sender_mac.b, request + 8, 6);
    assert_memory_equal(h.target_mac.b, request + 18, 6);
    struct ip_addr sender = ip_addr_v4(0x0a000001), target = ip_addr_v4(0x0a0000fe);
    assert_true(ip_addr_eq(&h.sender_ip, &sender));
    assert_true(ip_addr_eq(&h.target_ip, &target));
}

static void cut_or_padded(void **state)
{
    (void)state;
    uint8_t padded[46] = {0}; /* what Ethernet makes of it */
    memcpy(padded, request, sizeof request);
    struct arp_hdr h;
    for (size_t len = 0; len <= sizeof padded; len++)
        assert_int_equal(parses(padded, len, &h), len >= ARP_LEN);
}

/* Each octet that says "IPv4 over Ethernet", with every other value. */
static void other_kinds_are_refused(void **state)
{
    (void)state;
    for (size_t at = 0; at < 6; at++) {
        for (unsigned v = 0; v < 256; v++) {
            uint8_t p[ARP_LEN];
            memcpy(p, request, sizeof p);
            p[at] = (uint8_t)v;
            struct arp_hdr h;
            assert_int_equal(parses(p, sizeof p, &h), v == request[at]);
        }
    }
}

static void emit(void **state)
{
    (void)state;
    const struct arp_hdr h = {
        .op = ARP_REQUEST,
        .sender_mac = {{0x02, 0, 0, 0, 0, 1}},
        .sender_ip = ip_addr_v4(0x0a000001),
        .target_mac = {{0xff, 0xee, 0xdd, 0xcc, 0xbb, 0xaa}},
        .target_ip = ip_addr_v4(0x0a0000fe),
    };
    uint8_t out[ARP_LEN];
    struct writer w = writer(out, sizeof out);
    arp_emit(&w, &h);
    assert_false(w.bad);
    assert_memory_equal(out, request, sizeof request);
    w = writer(out, sizeof out - 1);
    arp_emit(&w, &h);
    assert_true(w.bad);
}

/* What parses comes out again as it was: no octet is lost, invented or misplaced. */
static void random_octets(void **state)
{
    (void)state;
    struct rnd rnd = rnd_start("arp");
    unsigned parsed = 0;
    for (int round = 0; round < 20000; round++) {
        uint8_t p[64];
        size_t len = rnd_below(&rnd, sizeof p + 1);
        rnd_fill(&rnd, p, len);
        if (round % 2 && len >= 6)
            memcpy(p, request, 6);
        struct arp_hdr h;
        if (!parses(p, len, &h))
            continue;
        parsed++;
        uint8_t out[ARP_LEN];
        struct writer w = writer(out, sizeof out);
        arp_emit(&w, &h);
        assert_memory_equal(out, p, ARP_LEN);
    }
    assert_true(parsed > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse),
        cmocka_unit_test(cut_or_padded),
        cmocka_unit_test(other_kinds_are_refused),
        cmocka_unit_test(emit),
        cmocka_unit_test(random_octets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
