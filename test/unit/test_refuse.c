/* refuse.c: what a link says to packets that do not get beyond this host. */
#include "codec.h"
#include "refuse.h"
#include "support.h"

static uint8_t text[3000];

/* A segment with so much text, in pieces of gso octets. */
static void segment(struct packet *p, bool v4, uint32_t len, uint16_t gso)
{
    const struct ip_addr a6 = {{0xfd, [15] = 1}}, b6 = {{0xfd, [15] = 2}};
    const struct flow flow = {v4 ? ip_addr_v4(0x0a000001) : a6, v4 ? ip_addr_v4(0x0a000102) : b6,
                              61000, 80};
    const struct seg seg = {.seq = seq(77),
                            .flags = TCP_ACK,
                            .text = {{text, len}},
                            .n_text = 1,
                            .text_len = len,
                            .gso_size = gso};
    packet_encode(p, &flow, &seg, 0, 64, true);
}

static void what_is_too_big(void **state)
{
    (void)state;
    struct packet p;
    for (unsigned v4 = 0; v4 < 2; v4++) {
        uint32_t headers = v4 ? 40 : 60;
        segment(&p, v4, 1460, 0);
        assert_false(refuse_wanted(&p, 1460 + headers));
        assert_true(refuse_wanted(&p, 1459 + headers));
        segment(&p, v4, 3000, 1460); /* a super-segment's pieces count */
        assert_false(refuse_wanted(&p, 1460 + headers));
        assert_true(refuse_wanted(&p, 1459 + headers));
    }
}

static void says_what_a_router_says(void **state)
{
    (void)state;
    for (unsigned v4 = 0; v4 < 2; v4++) {
        struct packet p;
        uint8_t out[REFUSE_MAX];
        segment(&p, v4, 3000, 1400);
        size_t len = refuse_emit(out, &p, ICMP_TOO_BIG, 1300);
        struct reader r = reader(out, len);
        struct ip_hdr ip;
        struct icmp m;
        struct icmp_cause cause;
        assert_int_equal(ip_parse(&r, len, &ip), IP_OK);
        assert_int_equal(icmp_parse(&r, &ip, &m), ICMP_OK);
        assert_int_equal(icmp_kind(&m, v4), ICMP_TOO_BIG);
        assert_int_equal(icmp_mtu(&m, v4), 1300);
        assert_true(icmp_parse_cause(&m, v4, &cause));
        assert_true(ip_addr_eq(&cause.flow.local, &ip.dst));
        assert_true(ip_addr_eq(&cause.flow.remote, &ip.src));
        assert_int_equal(cause.flow.local_port, 61000);
        assert_int_equal(cause.seq.v, 77);
        for (size_t held = 0; held < p.head.len; held++) { /* whatever it was given */
            uint8_t *copy = exact_copy(p.head.ptr, held);
            struct packet cut = {.head = {copy, held}};
            assert_int_equal(refuse_emit(out, &cut, ICMP_TOO_BIG, 1300) > 0,
                             held >= (v4 ? 28 : 48));
            free(copy);
        }
    }
}

/* RFC 4861 7.2.2, RFC 4443 3.1: code 3, address unreachable; RFC 792: code 1. The rest is unused.
 */
static void host_is_unreachable(void **state)
{
    (void)state;
    for (unsigned v4 = 0; v4 < 2; v4++) {
        struct packet p;
        uint8_t out[REFUSE_MAX];
        segment(&p, v4, 0, 0);
        size_t len = refuse_emit(out, &p, ICMP_HOST_UNREACHABLE, 0);
        struct reader r = reader(out, len);
        struct ip_hdr ip;
        struct icmp m;
        struct icmp_cause cause;
        assert_int_equal(ip_parse(&r, len, &ip), IP_OK);
        assert_int_equal(icmp_parse(&r, &ip, &m), ICMP_OK);
        assert_int_equal(m.type, v4 ? 3 : 1);
        assert_int_equal(m.code, v4 ? 1 : 3);
        assert_int_equal(m.rest, 0);
        assert_true(icmp_parse_cause(&m, v4, &cause));
        assert_int_equal(cause.flow.remote_port, 80);
        assert_int_equal(cause.seq.v, 77);
    }
}

/* The longest header: the whole of it is quoted, so that the connection is found. */
static void with_ip_options(void **state)
{
    (void)state;
    uint8_t octets[40] = {131, 7, 4, 10, 0, 0, 254, 1};
    struct ip_options o;
    struct packet p;
    uint8_t out[REFUSE_MAX];
    assert_true(ip_options_read(&o, octets, sizeof octets));
    segment(&p, true, 1460, 0);
    packet_put_options(&p, &o, 0);
    assert_true(refuse_wanted(&p, 1500));
    size_t len = refuse_emit(out, &p, ICMP_TOO_BIG, 1500);
    assert_int_equal(len, REFUSE_MAX);
    struct reader r = reader(out, len);
    struct ip_hdr ip;
    struct icmp m;
    struct icmp_cause cause;
    const struct ip_addr dst = ip_addr_v4(0x0a000102);
    assert_int_equal(ip_parse(&r, len, &ip), IP_OK);
    assert_int_equal(icmp_parse(&r, &ip, &m), ICMP_OK);
    assert_true(icmp_parse_cause(&m, true, &cause));
    assert_true(ip_addr_eq(&cause.flow.remote, &dst));
    assert_int_equal(cause.seq.v, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_too_big),
        cmocka_unit_test(says_what_a_router_says),
        cmocka_unit_test(host_is_unreachable),
        cmocka_unit_test(with_ip_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
