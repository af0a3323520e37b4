/* reassembly.c: RFC 791 3.2, 1122 3.3.2, 8200 4.5, 5722, 1858, 3168 5.3; CVE-2018-5391. */
#include "reassembly.h"

#include "fragments.h"

#define S NS_PER_S
static struct test_mem mem;
static struct reassembly r;
static uint64_t now;
static const char *why;

static int setup(void **state)
{
    (void)state;
    struct rnd rnd = rnd_start("reassembly");
    rnd_fill(&rnd, source, sizeof source);
    test_mem_init(&mem);
    now = 1000 * S;
    reassembly_init(&r, &(struct siphash_key){1, 2}, &mem.mem);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    reassembly_finish(&r);
    assert_int_equal(mem.live, 0);
    assert_int_equal(r.used, 0);
    return 0;
}

#define reassembly_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* Adds it; the packet it completes has `total` octets of payload, 0: it completes none. `why` is
 * set. */
static void add(const struct fragment *f, uint32_t total)
{
    static uint8_t room[UINT16_MAX + 100];
    size_t len = write_fragment(room, sizeof room, f);
    uint8_t *exact = exact_copy(room, len);
    struct packet p = cut(exact, len, f->pieces), out;
    bool whole = reassembly_add(&r, &p, now, &out, &why);
    free(exact);
    assert_int_equal(whole, total > 0);
    if (!whole)
        return;
    assert_null(why);
    struct reader rest = reader(out.head.ptr, out.head.len);
    struct ip_hdr h;
    assert_int_equal(ip_parse(&rest, packet_len(&out), &h), IP_OK);
    assert_int_equal(h.payload_len, total);
    assert_int_equal(rest.len, total);
    assert_memory_equal(rest.ptr, source, total);
    assert_true(ip_addr_eq(&h.src, &f->hdr.src) && ip_addr_eq(&h.dst, &f->hdr.dst));
    assert_int_equal(h.proto, IP_PROTO_TCP);
    assert_int_equal(out.csum, CSUM_FULL);
    assert_int_equal(out.gso_size, 0);
}

static void waits(const struct fragment *f)
{
    add(f, 0);
    assert_null(why);
}

static void dropped(const struct fragment *f, const char *reason)
{
    uint64_t before = r.dropped;
    add(f, 0);
    assert_non_null(why);
    assert_string_equal(why, reason);
    assert_true(r.dropped > before);
}

#define OVERLAP "fragment: overlaps another"
#define SPOILED "fragment: of a packet that is spoiled"
#define BEYOND  "fragment: beyond the packet's end"

/* ---- What comes together ---- */

static void in_order_and_reversed(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 8; round++) {
        bool v4 = round & 1, reversed = round & 2;
        struct fragment f[] = {fragment(v4, 0, 1480, false), fragment(v4, 1480, 1480, false),
                               fragment(v4, 2960, 3, true)};
        f[round / 2 % 3].pieces = round & 4 ? 3 : 0;
        waits(&f[reversed ? 2 : 0]);
        waits(&f[1]);
        add(&f[reversed ? 0 : 2], 2963);
        assert_true(list_empty(&r.age));
    }
    assert_int_equal(r.dropped, 0);
}

/* Any cut, any order, any duplicates: the last missing one completes it. */
static void any_order(void **state)
{
    (void)state;
    struct rnd rnd = rnd_start("any_order");
    for (unsigned round = 0; round < 3000; round++) {
        bool v4 = rnd_below(&rnd, 2);
        struct fragment f[REASSEMBLY_PIECES];
        uint32_t n = 2 + rnd_below(&rnd, REASSEMBLY_PIECES - 1), at = 0;
        for (uint32_t i = 0; i < n; i++) {
            uint32_t len = 24 + 8 * rnd_skewed(&rnd, 120);
            f[i] = fragment(v4, at, i + 1 < n ? len : len - rnd_below(&rnd, 8), i + 1 == n);
            f[i].hdr.id = round & 0xffff;
            f[i].pieces = rnd_below(&rnd, 4);
            at += f[i].len;
        }
        for (uint32_t i = n; i > 1; i--) {
            uint32_t j = rnd_below(&rnd, i);
            struct fragment swap = f[j];
            f[j] = f[i - 1];
            f[i - 1] = swap;
        }
        for (uint32_t i = 0; i + 1 < n; i++) {
            waits(&f[i]);
            if (rnd_below(&rnd, 4) == 0)
                dropped(&f[rnd_below(&rnd, i + 1)], "fragment: a duplicate");
        }
        add(&f[n - 1], at);
    }
    assert_true(list_empty(&r.age));
}

/* Several at once, told apart by RFC 791's four fields; RFC 8200's three. */
static void which_packet(void **state)
{
    (void)state;
    for (unsigned v4 = 0; v4 < 2; v4++) {
        struct fragment f[5];
        for (unsigned i = 0; i < 5; i++)
            f[i] = fragment(v4, 0, 800, false);
        f[1].hdr.src.b[15] ^= 1;
        f[2].hdr.dst.b[15] ^= 1;
        f[3].hdr.id ^= v4 ? 0x8000 : 0x80000000;
        f[4].hdr.proto = 1;
        for (unsigned i = 0; i < (v4 ? 5 : 4); i++)
            waits(&f[i]);
        for (unsigned i = 0; i < 4; i++) {
            f[i].at = 800;
            f[i].last = true;
            add(&f[i], 1600);
        }
        for (unsigned i = 0; i < 200; i++) { /* more than there are buckets */
            f[i % 2] = fragment(v4, 0, 800, false);
            f[i % 2].hdr.id = 0xcafe;
            (i % 2 ? f[1].hdr.src.b : f[0].hdr.dst.b)[13] = (uint8_t)(1 + i);
            waits(&f[i % 2]);
        }
    }
    /* RFC 8200 4.5: "the Next Header values in the Fragment headers of different fragments of the
     * same original packet may differ", and the first one's counts. */
    for (unsigned first = 0; first < 2; first++) {
        struct fragment a = fragment(false, 0, 800, false), b = fragment(false, 800, 1, true);
        a.hdr.id = b.hdr.id = 1000 + first;
        b.hdr.proto = 17;
        waits(first ? &a : &b);
        add(first ? &b : &a, 801);
    }
}

static void lengths(void **state)
{
    (void)state;
    for (unsigned v4 = 0; v4 < 2; v4++) { /* the longest there is */
        uint32_t most = v4 ? UINT16_MAX - IP4_HDR_LEN : UINT16_MAX;
        struct fragment a = fragment(v4, 0, 32768, false);
        struct fragment b = fragment(v4, 32768, most - 32768, true);
        waits(&a);
        add(&b, most);
    }
    /* Ping of death, CVE-1999-0128: an end beyond what a packet's length can say. */
    static const char beyond[] = "fragment: ends beyond the longest packet";
    struct fragment f = fragment(true, 65512, 4, true);
    dropped(&f, beyond);
    f = fragment(false, 65528, 8, true);
    dropped(&f, beyond);
    for (uint32_t at = 65520; at < 65536; at += 8) {
        f = fragment(true, at, 1400, true);
        dropped(&f, beyond);
        f.last = false;
        dropped(&f, beyond);
    }
    for (uint32_t odd = 1; odd < 8; odd++) { /* RFC 8200 4.5; RFC 791 3.2 */
        f = fragment(odd & 1, 0, 800 + odd, false);
        dropped(&f, "fragment: length not a multiple of 8");
    }
    f = fragment(true, 800, 0, true);
    dropped(&f, "fragment: empty");
    f.last = false;
    dropped(&f, "fragment: empty");
    assert_int_equal(r.used, 0);
}

/* RFC 1858 3: a header cut in two has passed filters that look at the first fragment only; RFC 3128
 * likewise. */
static void tiny_fragments(void **state)
{
    (void)state;
    for (uint32_t n = 8; n <= 24; n += 8) {
        for (unsigned v4 = 0; v4 < 2; v4++) {
            struct fragment a = fragment(v4, 0, n, false), b = fragment(v4, n, 100, true);
            a.hdr.id = b.hdr.id = n;
            if (n < 20) {
                dropped(&a, "fragment: cuts the TCP header");
                dropped(&b, "fragment: cuts the TCP header");
            } else {
                waits(&a);
                add(&b, n + 100);
            }
        }
    }
    struct fragment ping = fragment(true, 0, 8, false); /* another protocol may */
    ping.hdr.proto = IP_PROTO_ICMP;
    waits(&ping);
}

/* ---- What does not ---- */

/* RFC 5722 3: with one overlap, by a single octet even, the whole packet is thrown away, those to
 * come included. Of other octets or the same ones. */
static void overlaps(void **state)
{
    (void)state;
    static const struct {
        uint32_t at, len;
    } over[] = {{0, 808},   {0, 792},    {24, 800},   {792, 8},   {792, 16},   {0, 2400},
                {800, 792}, {1592, 16},  {1600, 808}, {1608, 8},  {2392, 8},   {2392, 100},
                {2000, 8},  {1600, 799}, {1600, 801}, {792, 816}, {2399, 1000}};
    struct fragment whole[] = {fragment(true, 0, 800, false), fragment(true, 800, 800, false),
                               fragment(true, 1600, 800, true)};
    for (unsigned i = 0; i < sizeof over / sizeof *over; i++) {
        for (unsigned v = 0; v < 4; v++) {
            bool v4 = v & 1;
            uint32_t at = over[i].at / 8 * 8, len = over[i].len;
            struct fragment bad = fragment(v4, at, v & 2 || len % 8 ? len : len / 8 * 8, len % 8);
            bad.other_octets = v & 2;
            bad.hdr.id = 100 * i + v;
            for (unsigned j = 0; j < 3; j++) {
                whole[j] = fragment(v4, 800 * j, 800, j == 2);
                whole[j].hdr.id = bad.hdr.id;
            }
            waits(&whole[0]); /* the middle one is not there yet */
            waits(&whole[2]);
            add(&bad, 0);
            if (at >= 800 && at + len <= 1600) { /* it fits: the middle one overlaps */
                assert_null(why);
                dropped(&whole[1], OVERLAP);
            } else {
                assert_non_null(why);
                assert_string_equal(why, OVERLAP);
            }
            for (unsigned j = 0; j < 3; j++)
                dropped(&whole[j], SPOILED);
            now += 40 * S;
        }
    }
    struct fragment same = fragment(true, 0, 800, false); /* the same place, other octets */
    waits(&same);
    same.other_octets = true;
    dropped(&same, OVERLAP);
}

/* Two ends, or something beyond the end, in every order. */
static void ends(void **state)
{
    (void)state;
    struct fragment far = fragment(true, 2400, 800, true), near = fragment(true, 800, 800, true);
    struct fragment more = fragment(true, 1600, 800, false), no_more = fragment(true, 800, 8, true);
    const struct fragment *pairs[][2] = {
        {&far, &near}, {&near, &far}, {&near, &more}, {&more, &near}, {&more, &no_more}};
    for (unsigned i = 0; i < 5; i++) {
        waits(pairs[i][0]);
        dropped(pairs[i][1], BEYOND);
        dropped(pairs[i][0], SPOILED);
        now += 40 * S;
    }
    struct fragment again = fragment(true, 800, 800, false); /* ends where the packet does */
    waits(&near);
    again.at = 1600;
    dropped(&again, BEYOND);
}

static void gaps_and_time(void **state)
{
    (void)state;
    struct fragment a = fragment(true, 0, 800, false), b = fragment(true, 800, 800, false);
    struct fragment c = fragment(true, 1600, 800, true), other = fragment(false, 0, 800, false);
    waits(&a);
    waits(&c);
    now += REASSEMBLY_NS - 1; /* of the first one: later ones do not prolong it */
    add(&b, 2400);
    waits(&a);
    waits(&c);
    now += REASSEMBLY_NS;
    waits(&b); /* begins anew */
    assert_int_equal(r.dropped, 2);
    now += REASSEMBLY_NS / 2;
    waits(&a);
    waits(&other);
    now += REASSEMBLY_NS / 2; /* a and b are over, the other is not */
    waits(&c);
    other = fragment(false, 800, 8, true);
    add(&other, 808);
    now += REASSEMBLY_NS; /* nothing is left but what comes now */
    other.hdr.id = 99;
    waits(&other);
    assert_ptr_equal(r.age.next, r.age.prev);
}

/* ---- Limits ---- */

/* FragmentSmack, CVE-2018-5391: many small ones. */
static void many_pieces(void **state)
{
    (void)state;
    struct fragment f = fragment(true, 24, 8, false);
    for (unsigned i = 0; i < REASSEMBLY_PIECES; i++, f.at += 16)
        waits(&f);
    size_t full = r.used;
    dropped(&f, "fragment: one of too many");
    assert_true(r.used < full / 4);
    dropped(&f, SPOILED);
}

/* One pair of addresses holds no more than its bucket; the latest stay. */
static void many_packets(void **state)
{
    (void)state;
    struct fragment f = fragment(true, 0, 1480, false);
    size_t full = 0;
    for (unsigned i = 0; i < 1000; i++) {
        f.hdr.id = i;
        waits(&f);
        full = i == REASSEMBLY_BUCKET - 1 ? r.used : full;
    }
    assert_int_equal(r.used, full);
    f = fragment(true, 1480, 8, true);
    f.hdr.id = 1000 - REASSEMBLY_BUCKET;
    add(&f, 1488);
    f.hdr.id--;
    waits(&f);
}

/* RFC 4963: identifications come round. One that has been passed by so many others is forgotten.
 */
static void identifications_come_round(void **state)
{
    (void)state;
    struct fragment old = fragment(true, 800, 8, true), a = fragment(true, 0, 800, false);
    for (unsigned others = REASSEMBLY_DISTANCE; others <= REASSEMBLY_DISTANCE + 1; others++) {
        old.hdr.id = 7;
        waits(&old);
        for (unsigned i = 0; i < others; i++) {
            struct fragment b = fragment(true, 800, 8, true);
            a.hdr.id = b.hdr.id = 1000 + i;
            waits(&a);
            add(&b, 808);
        }
        a.hdr.id = 7;
        if (others == REASSEMBLY_DISTANCE) {
            add(&a, 808);
        } else {
            waits(&a);
            assert_int_equal(r.dropped, 1);
        }
    }
}

/* Any number of sources, and long packets. */
static void much_memory(void **state)
{
    (void)state;
    struct rnd rnd = rnd_start("much_memory");
    struct fragment f = fragment(false, 0, 60000, false), last = f;
    size_t most = 0;
    for (unsigned i = 0; i < 2000; i++) {
        f.hdr.id = (uint32_t)rnd_u64(&rnd);
        rnd_fill(&rnd, f.hdr.src.b + 8, 8);
        waits(&f);
        most = r.used > most ? r.used : most;
    }
    assert_in_range(most, REASSEMBLY_BYTES * 9 / 10, REASSEMBLY_BYTES);
    assert_int_equal(r.used, mem.live);
    last = f;
    last.at = 60000;
    last.len = 8;
    last.last = true;
    add(&last, 60008);
}

/* Fragments may have a quarter of the engine's memory: the rest is the connections'. */
static void little_memory(void **state)
{
    (void)state;
    struct fragment f = fragment(false, 0, 1400, false);
    mem.mem.limit = 1 << 20;
    for (unsigned i = 0; i < 2000; i++) {
        f.hdr.src.b[8] = (uint8_t)i;
        f.hdr.id = i;
        waits(&f);
        assert_true(mem.live <= mem.mem.limit / 4);
    }
    f.at = 1400;
    f.last = true;
    add(&f, 2800);
}

static void no_memory(void **state)
{
    (void)state;
    struct fragment a = fragment(true, 0, 800, false), b = fragment(true, 800, 800, true);
    for (unsigned nth = 1; nth <= 2; nth++) {
        test_mem_fail_at(&mem, nth);
        dropped(&a, "fragment: no memory");
        test_mem_fail_at(&mem, 0);
        assert_int_equal(r.used, 0);
    }
    waits(&a);
    test_mem_fail_at(&mem, 2); /* the packet in one piece */
    dropped(&b, "fragment: no memory");
    test_mem_fail_at(&mem, 0);
    assert_int_equal(r.used, 0);
    waits(&a);
    add(&b, 1600);
}

/* RFC 3168 5.3: CE on one is CE on all; together with Not-ECT the packet goes. The table of
 * Linux's ip_frag_ecn_table says the same. */
static void ecn(void **state)
{
    (void)state;
    for (uint8_t i = 0; i < 16; i++) {
        struct fragment a = fragment(true, 0, 800, false), b = fragment(true, 800, 800, true);
        a.hdr.tos = (uint8_t)(0xb8 | (i & 3));
        b.hdr.tos = (uint8_t)(i >> 2);
        waits(&a);
        bool marked = a.hdr.tos % 4 == 3 || b.hdr.tos % 4 == 3;
        if (marked && (a.hdr.tos % 4 == 0 || b.hdr.tos % 4 == 0)) {
            dropped(&b, "fragment: ECN (RFC 3168 5.3)");
        } else {
            add(&b, 1600);
            assert_int_equal(r.whole[1], 0xb8 | (marked ? 3 : a.hdr.tos & 3));
        }
    }
}

/* Damaged and made-up ones in any mixture: nothing is read or written beyond its end, and nothing
 * is kept. */
static void noise(void **state)
{
    (void)state;
    struct rnd rnd = rnd_start("noise");
    for (unsigned i = 0; i < 100000; i++) {
        struct fragment f = fragment(rnd_below(&rnd, 2), 8 * rnd_skewed(&rnd, 8192),
                                     rnd_skewed(&rnd, 3000), rnd_below(&rnd, 4) == 0);
        f.hdr.id = rnd_below(&rnd, 4);
        f.hdr.proto = rnd_below(&rnd, 8) ? IP_PROTO_TCP : 44;
        f.pieces = f.len > 100 ? rnd_below(&rnd, 4) : 0;
        if (f.at == 0 && f.last)
            continue; /* no fragment */
        uint8_t octets[IP6_HDR_LEN + 8 + 3000];
        size_t len = write_fragment(octets, sizeof octets, &f);
        uint8_t *exact = exact_copy(octets, len);
        struct packet p = cut(exact, len, f.pieces), out;
        if (reassembly_add(&r, &p, now, &out, &why))
            assert_true(packet_len(&out) <= IP6_HDR_LEN + UINT16_MAX);
        free(exact);
        now += rnd_below(&rnd, 2) * S / 10;
        assert_true(r.used <= REASSEMBLY_BYTES);
        assert_int_equal(r.used, mem.live);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        reassembly_test(in_order_and_reversed),
        reassembly_test(any_order),
        reassembly_test(which_packet),
        reassembly_test(lengths),
        reassembly_test(tiny_fragments),
        reassembly_test(overlaps),
        reassembly_test(ends),
        reassembly_test(gaps_and_time),
        reassembly_test(many_pieces),
        reassembly_test(many_packets),
        reassembly_test(identifications_come_round),
        reassembly_test(much_memory),
        reassembly_test(little_memory),
        reassembly_test(no_memory),
        reassembly_test(ecn),
        reassembly_test(noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
