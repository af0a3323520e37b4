/* resolve.c: RFC 826, RFC 4861 7.2. What makes a message valid, test_nd.c has in full. */
#include "resolve.h"
#include "support.h"

#define NA_LEN (14 + 40 + 32)

static const struct mac_addr ours = {{2, 0, 0, 0, 0, 1}}, theirs = {{2, 0, 0, 0, 0, 2}};

static struct route route4(void)
{
    return (struct route){
        .source = ip_addr_v4(0x0a000001), .next_hop = ip_addr_v4(0x0a0000fe), .mac = ours};
}

static const uint8_t us6[16] = {0xfd, [15] = 1}, them6[16] = {0xfd, [13] = 0xab, 0xcd, 0xef};

static struct route route6(void)
{
    return (struct route){
        .source = ip_addr_v6_bytes(us6), .next_hop = ip_addr_v6_bytes(them6), .mac = ours};
}

static size_t emit(uint8_t *frame, const struct route *r, const struct mac_addr *to)
{
    struct writer w = writer(frame, RESOLVE_FRAME_MAX);
    resolve_emit(&w, r, to);
    assert_false(w.bad);
    return RESOLVE_FRAME_MAX - w.len;
}

static bool parses(const uint8_t *frame, size_t len, struct resolve_news *news)
{
    uint8_t *copy = exact_copy(frame, len);
    bool ok = resolve_parse(copy, len, news);
    free(copy);
    return ok;
}

static void arp_request(void **state)
{
    (void)state;
    static const uint8_t all[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0,  1, 8, 6,
                                  0,    1,    8,    0,    6,    4,    0, 1, 2, 0, 0,  0, 0, 1,
                                  10,   0,    0,    1,    0,    0,    0, 0, 0, 0, 10, 0, 0, 254};
    uint8_t frame[RESOLVE_FRAME_MAX];
    struct route r = route4();
    assert_int_equal(emit(frame, &r, NULL), sizeof all);
    assert_memory_equal(frame, all, sizeof all);
    assert_int_equal(emit(frame, &r, &theirs), sizeof all);
    assert_memory_equal(frame, &theirs, 6);
}

/* An answer to our request, by turning it round. */
static void make_arp_reply(uint8_t *frame)
{
    struct route r = route4();
    r.source = ip_addr_v4(0x0a0000fe);
    r.next_hop = ip_addr_v4(0x0a000001);
    r.mac = theirs;
    assert_int_equal(emit(frame, &r, &ours), 42);
    frame[21] = 2;
}

static void arp_reply(void **state)
{
    (void)state;
    uint8_t frame[RESOLVE_FRAME_MAX];
    struct resolve_news news;
    make_arp_reply(frame);
    assert_true(parses(frame, 42, &news));
    assert_int_equal(news.claim, NEIGH_ANSWER);
    struct route r = route4();
    assert_true(ip_addr_eq(&news.ip, &r.next_hop));
    assert_true(ip_addr_eq(&news.to, &r.source));
    assert_memory_equal(&news.mac, &theirs, 6);
    frame[21] = 1;
    assert_true(parses(frame, 42, &news));
    assert_int_equal(news.claim, NEIGH_OTHER);
    for (unsigned op = 0; op < 256; op++) {
        frame[21] = (uint8_t)op;
        assert_int_equal(parses(frame, 42, &news), op == 1 || op == 2);
    }
    frame[21] = 2;
    for (size_t len = 0; len < 42; len++)
        assert_false(parses(frame, len, &news));
}

static void arp_nonsense(void **state)
{
    (void)state;
    static const struct {
        size_t at, len;
        uint8_t octets[6];
    } cases[] = {
        {22, 6, {0, 0, 0, 0, 0, 0}},                   /* sender's hardware address */
        {22, 6, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}, /* */
        {22, 1, {1}},                                  /* a multicast one */
        {28, 4, {0, 0, 0, 0}},                         /* sender's IP: a probe, RFC 5227 */
        {28, 1, {224}},                                /* multicast */
        {28, 4, {255, 255, 255, 255}},                 /* broadcast */
        {28, 1, {127}},                                /* loopback */
        {12, 2, {8, 0}},                               /* not ARP */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t frame[RESOLVE_FRAME_MAX];
        struct resolve_news news;
        make_arp_reply(frame);
        memcpy(frame + cases[i].at, cases[i].octets, cases[i].len);
        assert_false(parses(frame, 42, &news));
    }
}

static void solicitation(void **state)
{
    (void)state;
    uint8_t frame[RESOLVE_FRAME_MAX];
    struct route r = route6();
    assert_int_equal(emit(frame, &r, NULL), NA_LEN);
    static const uint8_t to_mac[6] = {0x33, 0x33, 0xff, 0xab, 0xcd, 0xef};
    static const uint8_t to_ip[16] = {0xff, 2, [11] = 1, 0xff, 0xab, 0xcd, 0xef};
    assert_memory_equal(frame, to_mac, 6);
    assert_memory_equal(frame + 6, &ours, 6);
    assert_int_equal(frame[20], 58);
    assert_int_equal(frame[21], 255);
    assert_memory_equal(frame + 22, us6, 16);
    assert_memory_equal(frame + 38, to_ip, 16);
    assert_int_equal(frame[54], 135);
    assert_memory_equal(frame + 62, them6, 16);
    assert_int_equal(frame[78], 1);
    assert_memory_equal(frame + 80, &ours, 6);
    /* Checksum, RFC 8200 8.1: addresses, length, next header, message. */
    uint8_t sum[32 + 8 + 32] = {0};
    memcpy(sum, frame + 22, 32);
    sum[35] = 32;
    sum[39] = 58;
    memcpy(sum + 40, frame + 54, 32);
    assert_int_equal(naive_sum(sum, sizeof sum), 0xffff);

    assert_int_equal(emit(frame, &r, &theirs), NA_LEN);
    assert_memory_equal(frame, &theirs, 6);
    assert_memory_equal(frame + 38, them6, 16);
}

static void fix_checksum(uint8_t *frame, size_t len)
{
    uint8_t sum[200] = {0};
    frame[56] = frame[57] = 0;
    memcpy(sum, frame + 22, 32);
    sum[34] = (uint8_t)((len - 54) >> 8);
    sum[35] = (uint8_t)(len - 54);
    sum[39] = 58;
    memcpy(sum + 40, frame + 54, len - 54);
    uint16_t c = (uint16_t)~naive_sum(sum, 40 + len - 54);
    frame[56] = (uint8_t)(c >> 8);
    frame[57] = (uint8_t)c;
}

/* A solicited advertisement from them to us. */
static void make_advertisement(uint8_t *frame)
{
    struct route r = route6();
    r.source = ip_addr_v6_bytes(them6);
    r.next_hop = ip_addr_v6_bytes(us6);
    r.mac = theirs;
    emit(frame, &r, &ours);
    frame[54] = 136;
    frame[58] = 0x60; /* solicited, override */
    memcpy(frame + 62, them6, 16);
    frame[78] = 2;
    fix_checksum(frame, NA_LEN);
}

static void advertisement(void **state)
{
    (void)state;
    uint8_t frame[RESOLVE_FRAME_MAX];
    struct resolve_news news;
    make_advertisement(frame);
    assert_true(parses(frame, NA_LEN, &news));
    assert_int_equal(news.claim, NEIGH_ANSWER);
    assert_memory_equal(news.ip.b, them6, 16);
    assert_memory_equal(news.to.b, us6, 16);
    assert_memory_equal(&news.mac, &theirs, 6);
    for (size_t len = 0; len < NA_LEN; len++)
        assert_false(parses(frame, len, &news));
    frame[58] = 0x20; /* not solicited */
    fix_checksum(frame, NA_LEN);
    assert_true(parses(frame, NA_LEN, &news));
    assert_int_equal(news.claim, NEIGH_UNASKED);
    assert_true(news.has_mac);
    frame[58] = 0x40; /* not to override */
    fix_checksum(frame, NA_LEN);
    assert_true(parses(frame, NA_LEN, &news));
    assert_int_equal(news.claim, NEIGH_SECOND);
    frame[78] = 14; /* another option (nonce) where the address was */
    fix_checksum(frame, NA_LEN);
    assert_true(parses(frame, NA_LEN, &news));
    assert_false(news.has_mac);
}

/* RFC 4861 7.2.3: whoever asks tells where it is itself, unless it does not say, or is nobody. */
static void askers(void **state)
{
    (void)state;
    uint8_t frame[RESOLVE_FRAME_MAX];
    struct resolve_news news;
    struct route r = route6();
    emit(frame, &r, NULL);
    assert_true(parses(frame, NA_LEN, &news));
    assert_int_equal(news.claim, NEIGH_UNASKED);
    assert_memory_equal(news.ip.b, us6, 16);
    assert_true(news.has_mac);
    assert_memory_equal(&news.mac, &ours, 6);
    frame[78] = 14;
    fix_checksum(frame, NA_LEN);
    assert_false(parses(frame, NA_LEN, &news));
    r.source = IP_ADDR_ANY6;
    assert_false(parses(frame, emit(frame, &r, NULL), &news));
}

static void bad_advertisements(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint8_t octet;
    } cases[] = {
        {21, 254},  /* hop limit: it came through a router */
        {54, 135},  /* a solicitation */
        {55, 1},    /* code */
        {62, 0xff}, /* the target is a multicast address */
        {79, 0},    /* an option of length 0 */
        {79, 2},    /* an option beyond the end */
        {80, 1},    /* a multicast Ethernet address */
        {38, 0xff}, /* solicited, but to a multicast address */
    };
    uint8_t frame[RESOLVE_FRAME_MAX];
    struct resolve_news news;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        make_advertisement(frame);
        frame[cases[i].at] = cases[i].octet;
        fix_checksum(frame, NA_LEN);
        assert_false(parses(frame, NA_LEN, &news));
    }
    for (size_t at = 22; at < NA_LEN; at++) { /* any octet damaged */
        make_advertisement(frame);
        frame[at] ^= 0x04;
        assert_false(parses(frame, NA_LEN, &news));
    }
    make_advertisement(frame); /* no room for the target's address */
    frame[19] = 23;
    fix_checksum(frame, 54 + 23);
    assert_false(parses(frame, 54 + 23, &news));
}

/* ---- Answers ---- */

static bool asks(const uint8_t *frame, size_t len, struct resolve_question *q)
{
    uint8_t *copy = exact_copy(frame, len);
    bool ok = resolve_parse_question(copy, len, q);
    free(copy);
    return ok;
}

static size_t answer(uint8_t *frame, const struct resolve_question *q)
{
    struct writer w = writer(frame, RESOLVE_FRAME_MAX);
    resolve_emit_answer(&w, q, &theirs);
    assert_false(w.bad);
    return RESOLVE_FRAME_MAX - w.len;
}

/* Our own question, as they see it, and what we make of their answer. Also from nobody: RFC 5227
 * 2.1.1, RFC 4862 5.4.2. */
static void question_and_answer(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        uint8_t frame[RESOLVE_FRAME_MAX];
        struct resolve_question q;
        struct resolve_news news;
        bool v4 = i % 2, nobody = i >= 4;
        struct route r = v4 ? route4() : route6();
        if (nobody)
            r.source = v4 ? ip_addr_v4(0) : IP_ADDR_ANY6;
        size_t len = emit(frame, &r, i / 2 == 1 ? &theirs : NULL);
        assert_int_equal(len, v4 ? 42 : nobody ? NA_LEN - 8 : NA_LEN);
        assert_true(asks(frame, len, &q));
        assert_true(ip_addr_eq(&q.target, &r.next_hop));
        assert_true(ip_addr_eq(&q.from, &r.source));
        assert_memory_equal(&q.mac, &ours, 6);
        len = answer(frame, &q);
        assert_false(asks(frame, len, &q));
        assert_true(parses(frame, len, &news));
        assert_true(ip_addr_eq(&news.ip, &r.next_hop));
        assert_memory_equal(&news.mac, &theirs, 6);
        /* RFC 4861 7.2.4: to all nodes ff02::1, and not solicited, when nobody has asked. */
        assert_int_equal(news.claim, nobody && !v4 ? NEIGH_UNASKED : NEIGH_ANSWER);
        static const uint8_t all_mac[] = {0x33, 0x33, 0, 0, 0, 1};
        assert_memory_equal(frame, nobody && !v4 ? all_mac : ours.b, 6);
        assert_memory_equal(frame + 6, &theirs, 6);
        if (!v4)
            assert_int_equal(frame[58], nobody ? 0x20 : 0x60); /* override, solicited; no router */
        if (!nobody)
            assert_true(ip_addr_eq(&news.to, &r.source));
    }
}

/* RFC 5227 2.3: a request whose sender and target are one; RFC 4861 7.2.6. */
static void unasked(void **state)
{
    (void)state;
    for (unsigned v4 = 0; v4 < 2; v4++) {
        uint8_t frame[RESOLVE_FRAME_MAX];
        struct resolve_news news;
        struct route r = v4 ? route4() : route6();
        struct writer w = writer(frame, sizeof frame);
        resolve_emit_news(&w, &r.source, &ours);
        size_t len = sizeof frame - w.len;
        assert_int_equal(len, v4 ? 42 : NA_LEN);
        assert_int_equal(frame[0] & 1, 1);
        assert_true(parses(frame, len, &news));
        assert_int_equal(news.claim, v4 ? NEIGH_OTHER : NEIGH_UNASKED);
        assert_true(ip_addr_eq(&news.ip, &r.source));
        assert_memory_equal(&news.mac, &ours, 6);
        if (v4)
            assert_memory_equal(frame + 28, frame + 38, 4);
    }
}

/* RFC 4861 7.1.1. */
static void bad_questions(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint8_t octet;
        bool nobody;
    } cases[] = {
        {21, 254, false},  /* hop limit */
        {54, 136, false},  /* another type */
        {55, 1, false},    /* code */
        {62, 0xff, false}, /* the target is a multicast address */
        {79, 0, false},    /* an option of length 0 */
        {79, 2, false},    /* an option beyond the end */
        {80, 1, false},    /* a multicast Ethernet address */
        {22, 0xff, false}, /* from a multicast address */
        {53, 0xee, true},  /* from nobody, to another address than the solicited-node one */
        {54, 135, false},  /* from nobody with an Ethernet address: see below */
    };
    uint8_t frame[RESOLVE_FRAME_MAX];
    struct resolve_question q;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct route r = route6();
        if (cases[i].nobody)
            r.source = IP_ADDR_ANY6;
        size_t len = emit(frame, &r, NULL);
        frame[cases[i].at] = cases[i].octet;
        if (i + 1 == sizeof cases / sizeof *cases)
            memset(frame + 22, 0, 16);
        fix_checksum(frame, len);
        assert_false(asks(frame, len, &q));
    }
    struct route r = route6();
    for (size_t at = 22; at < NA_LEN; at++) { /* any octet damaged */
        emit(frame, &r, NULL);
        frame[at] ^= 0x04;
        assert_false(asks(frame, NA_LEN, &q));
    }
    for (size_t len = 0; len < NA_LEN; len++) {
        emit(frame, &r, NULL);
        assert_false(asks(frame, len, &q));
    }
    r = route4();
    for (unsigned op = 0; op < 256; op++) {
        emit(frame, &r, NULL);
        frame[21] = (uint8_t)op;
        assert_int_equal(asks(frame, 42, &q), op == 1);
    }
    emit(frame, &r, NULL);
    frame[38] = 224; /* the target is a multicast address */
    assert_false(asks(frame, 42, &q));
}

static void noise(void **state)
{
    (void)state;
    struct rnd rnd = rnd_start("noise");
    for (unsigned i = 0; i < 200000; i++) {
        uint8_t frame[RESOLVE_FRAME_MAX];
        struct resolve_news news;
        if (i % 2)
            make_arp_reply(frame);
        else
            make_advertisement(frame);
        for (uint32_t n = rnd_below(&rnd, 4); n > 0; n--)
            frame[rnd_below(&rnd, NA_LEN)] = (uint8_t)rnd_u64(&rnd);
        if (i % 4 >= 2) {
            struct resolve_question q;
            frame[i % 2 ? 21 : 54] = i % 2 ? 1 : 135;
            asks(frame, rnd_below(&rnd, NA_LEN + 1), &q);
        }
        parses(frame, rnd_below(&rnd, NA_LEN + 1), &news);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arp_request),
        cmocka_unit_test(arp_reply),
        cmocka_unit_test(arp_nonsense),
        cmocka_unit_test(solicitation),
        cmocka_unit_test(advertisement),
        cmocka_unit_test(bad_advertisements),
        cmocka_unit_test(question_and_answer),
        cmocka_unit_test(unasked),
        cmocka_unit_test(bad_questions),
        cmocka_unit_test(noise),
        cmocka_unit_test(askers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
