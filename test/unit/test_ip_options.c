/* ip_options.c: IPv4's options. RFC 791 3.1, RFC 1122 3.2.1.8, RFC 9293 3.9.2.1. */
#include "ip_options.h"
#include "support.h"

#define LIST(...)                                                                                  \
    (const uint8_t[]){__VA_ARGS__}, sizeof(const uint8_t[])                                        \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

static const struct {
    const char *what;
    bool good;
    uint8_t len, octets[41];
} given[] = {
    {"nothing", true, 0, {0}},
    {"one NOP", true, 1, {1}},
    {"the end, and more", true, 3, {0, 7, 3}},
    {"40 octets", true, 40, {1}},
    {"41 octets", false, 41, {1}},
    {"no length", false, 1, {131}},
    {"length 0", false, 4, {131, 0, 4}},
    {"length 1", false, 4, {131, 1, 4}},
    {"beyond the end", false, 8, {131, 11, 4, 10, 0, 0, 1}},
    {"loose", true, 7, {131, 7, 4, 10, 0, 0, 1}},
    {"strict, behind a NOP", true, 12, {1, 137, 11, 4, 10, 0, 0, 1, 10, 0, 0, 2}},
    {"nine hops", true, 39, {131, 39, 4}},
    {"without a hop", false, 3, {131, 3, 4}},
    {"without a pointer", false, 2, {131, 2}},
    {"an address and a half", false, 9, {131, 9, 4, 10, 0, 0, 1, 10, 0}},
    {"pointer 3", false, 7, {131, 7, 3, 10, 0, 0, 1}},
    {"pointer 8", false, 7, {131, 7, 8, 10, 0, 0, 1}},
    {"two source routes", false, 14, {131, 7, 4, 10, 0, 0, 1, 137, 7, 4, 10, 0, 0, 2}},
    {"Record Route", true, 7, {7, 7, 4}},
    {"two of them", false, 14, {7, 7, 4, 0, 0, 0, 0, 7, 7, 4}},
    {"it is full", true, 7, {7, 7, 8}},
    {"with a pointer of 3", false, 7, {7, 7, 3}},
    {"with less than an address left", false, 7, {7, 7, 5}},
    {"without a pointer", false, 2, {7, 2}},
    {"Timestamp", true, 12, {68, 12, 5, 0}},
    {"two of them", false, 16, {68, 8, 5, 0, 0, 0, 0, 0, 68, 8, 5, 0}},
    {"with addresses", true, 12, {68, 12, 5, 1}},
    {"prespecified", true, 12, {68, 12, 5, 3, 10, 0, 0, 1}},
    {"with a pointer of 4", false, 12, {68, 12, 4, 0}},
    {"without flags", false, 3, {68, 3, 5}},
    {"with room for an address only", false, 8, {68, 8, 5, 1}},
    {"with room for half a time", false, 8, {68, 8, 7, 0}},
    {"it is full", true, 12, {68, 12, 13, 0xe0}},
    {"it can't count further", false, 12, {68, 12, 13, 0xf0}},
    {"Router Alert", true, 4, {148, 4, 0, 0}},
    {"too short", false, 3, {148, 3, 0}},
    {"of no kind known", true, 5, {0x9e, 5, 1, 2, 3}},
};

static void read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof given / sizeof *given; i++) {
        uint8_t *octets = exact_copy(given[i].octets, given[i].len);
        struct ip_options o;
        if (ip_options_read(&o, octets, given[i].len) != given[i].good)
            fail_msg("%s", given[i].what);
        if (given[i].good) {
            assert_int_equal(o.len, (given[i].len + 3) / 4 * 4);
            if (given[i].octets[0] != 0)
                assert_memory_equal(o.octets, octets, given[i].len);
            else
                assert_memory_equal(o.octets, ((uint8_t[4]){0}), o.len);
        }
        free(octets);
    }
}

static struct ip_options options(const uint8_t *octets, size_t len)
{
    struct ip_options o;
    assert_true(ip_options_read(&o, octets, len));
    return o;
}

#define SRC  ip_addr_v4(0x0a000001) /* 10.0.0.1 */
#define DST  ip_addr_v4(0x0a000101) /* 10.0.1.1 */
#define TIME 0x01020304u

/* What leaves SRC for DST at TIME. user: the rest is 0. */
static void emits(const uint8_t *user, size_t user_len, const uint8_t *wire, size_t wire_len)
{
    uint8_t all[IP_OPTIONS_MAX] = {0}, out[IP_OPTIONS_MAX];
    memcpy(all, user, user_len);
    struct ip_options o = options(all, wire_len);
    const struct ip_addr src = SRC, dst = DST;
    assert_int_equal(o.len, wire_len);
    for (int again = 0; again < 2; again++) { /* fresh each time */
        memset(out, 0x5a, sizeof out);
        ip_options_emit(&o, &src, &dst, TIME, out);
        assert_memory_equal(out, wire, wire_len);
    }
}

static void emit_source_route(void **state)
{
    (void)state;
    emits(LIST(131, 7, 4, 10, 0, 0, 254), LIST(131, 7, 4, 10, 0, 1, 1, 0));
    emits(LIST(1, 137, 11, 4, 1, 2, 3, 4, 5, 6, 7, 8),
          LIST(1, 137, 11, 4, 5, 6, 7, 8, 10, 0, 1, 1));
    struct ip_options o = options(LIST(1, 137, 11, 4, 1, 2, 3, 4, 5, 6, 7, 8));
    const struct ip_addr dst = DST, hop = ip_addr_v4(0x01020304);
    struct ip_addr first = ip_options_first_hop(&o, &dst);
    assert_true(ip_addr_eq(&first, &hop));
    o = options(LIST(7, 3, 4));
    first = ip_options_first_hop(&o, &dst);
    assert_true(ip_addr_eq(&first, &dst));
    first = ip_options_first_hop(NULL, &dst);
    assert_true(ip_addr_eq(&first, &dst));
}

/* MAY-11 */
static void emit_record_route(void **state)
{
    (void)state;
    emits(LIST(7, 11, 4), LIST(7, 11, 8, 10, 0, 0, 1, 0, 0, 0, 0, 0));
    emits(LIST(7, 7, 8, 9, 9, 9, 9), LIST(7, 7, 8, 9, 9, 9, 9, 0));
    emits(LIST(131, 7, 4, 10, 0, 0, 254, 7, 7, 4),
          LIST(131, 7, 4, 10, 0, 1, 1, 7, 7, 8, 10, 0, 0, 1, 0, 0));
}

/* MAY-10; RFC 791 3.1: the highest bit says that it is no standard time. */
static void emit_timestamp(void **state)
{
    (void)state;
    emits(LIST(68, 12, 5, 0), LIST(68, 12, 9, 0, 0x81, 2, 3, 4, 0, 0, 0, 0));
    emits(LIST(68, 12, 5, 1), LIST(68, 12, 13, 1, 10, 0, 0, 1, 0x81, 2, 3, 4));
    emits(LIST(68, 12, 5, 3, 10, 0, 0, 1), LIST(68, 12, 13, 3, 10, 0, 0, 1, 0x81, 2, 3, 4));
    emits(LIST(68, 12, 5, 3, 10, 0, 0, 2), LIST(68, 12, 5, 3, 10, 0, 0, 2, 0, 0, 0, 0));
    emits(LIST(68, 12, 5, 7), LIST(68, 12, 5, 7, 0, 0, 0, 0, 0, 0, 0, 0));
    emits(LIST(68, 8, 9, 0, 9, 9, 9, 9), LIST(68, 8, 9, 0, 9, 9, 9, 9));
}

/* RFC 1122 3.2.1.8 (c). What has arrived from SRC. */
static bool reverse(const uint8_t *arrived, size_t len, struct ip_options *back)
{
    uint8_t *octets = exact_copy(arrived, len);
    const struct ip_addr src = SRC;
    bool is = ip_options_reverse((struct bytes){octets, len}, &src, back);
    free(octets);
    return is;
}

static void reversed(const uint8_t *arrived, size_t len, const uint8_t *user, size_t user_len)
{
    struct ip_options back, o = options(user, user_len);
    assert_true(reverse(arrived, len, &back));
    assert_int_equal(back.len, o.len);
    assert_memory_equal(back.octets, o.octets, o.len);
}

static void reverse_completed(void **state)
{
    (void)state;
    reversed(LIST(131, 7, 8, 1, 1, 1, 1), LIST(131, 7, 4, 1, 1, 1, 1));
    reversed(LIST(1, 1, 137, 15, 16, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3),
             LIST(137, 15, 4, 3, 3, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1));
    reversed(LIST(131, 7, 255, 1, 1, 1, 1), LIST(131, 7, 4, 1, 1, 1, 1));
    /* Case (B): the sender is in it as well. */
    reversed(LIST(131, 11, 12, 10, 0, 0, 1, 2, 2, 2, 2), LIST(131, 7, 4, 2, 2, 2, 2));
    /* Beside others. */
    reversed(LIST(7, 7, 4, 0, 0, 0, 0, 131, 7, 8, 1, 1, 1, 1, 0, 55), LIST(131, 7, 4, 1, 1, 1, 1));
}

/* The longest. */
static void reverse_nine(void **state)
{
    (void)state;
    uint8_t arrived[40] = {1, 131, 39, 40}, user[39] = {131, 39, 4};
    for (uint8_t i = 0; i < 9; i++) {
        memset(arrived + 4 + 4 * i, i + 1, 4);
        memset(user + 3 + 4 * i, 9 - i, 4);
    }
    reversed(arrived, sizeof arrived, user, sizeof user);
}

static void reverse_none(void **state)
{
    (void)state;
    struct ip_options back;
    assert_false(reverse(LIST(1, 1, 1, 0), &back));
    assert_false(reverse(LIST(131, 7, 4, 1, 1, 1, 1), &back)); /* not completed */
    assert_false(reverse(LIST(131, 11, 8, 1, 1, 1, 1, 2, 2, 2, 2), &back));
    assert_false(reverse(LIST(131, 3, 4), &back)); /* by way of nobody */
    assert_false(reverse(LIST(131, 7, 8, 10, 0, 0, 1), &back));
    assert_false(reverse(LIST(131, 2), &back));
    assert_false(reverse(LIST(131, 9, 16, 1, 1, 1, 1, 2, 2), &back)); /* half an address */
    assert_false(reverse(LIST(131, 7, 8, 1, 1, 1, 1, 137, 7, 8, 2, 2, 2, 2), &back));
    assert_false(reverse(LIST(131, 7, 8, 1, 1, 1, 1, 7, 1), &back)); /* malformed further on */
    assert_false(reverse(LIST(131, 7, 8, 1, 1, 1), &back));
    assert_false(reverse(LIST(131, 7, 8, 224, 0, 0, 1), &back));
    assert_false(reverse(LIST(131, 7, 8, 255, 255, 255, 255), &back));
    assert_false(reverse(LIST(131, 7, 8, 127, 0, 0, 1), &back));
    assert_false(reverse(LIST(131, 11, 12, 0, 0, 0, 0, 1, 1, 1, 1), &back));
}

static void final(void **state)
{
    (void)state;
    const struct ip_addr dst = DST, last = ip_addr_v4(0x02020202);
    static const uint8_t on_the_way[] = {131, 11, 8, 1, 1, 1, 1, 2, 2, 2, 2},
                         completed[] = {131, 11, 12, 1, 1, 1, 1, 2, 2, 2, 2};
    struct ip_addr is = ip_options_final((struct bytes){on_the_way, sizeof on_the_way}, &dst);
    assert_true(ip_addr_eq(&is, &last));
    is = ip_options_final((struct bytes){completed, sizeof completed}, &dst);
    assert_true(ip_addr_eq(&is, &dst));
    is = ip_options_final((struct bytes){NULL, 0}, &dst);
    assert_true(ip_addr_eq(&is, &dst));
}

/* A5: whatever is given or arrives, nothing beyond it is read or written, and what is taken can be
 * sent. */
static void random_octets(void **state)
{
    (void)state;
    struct rnd rnd = rnd_start("ip_options");
    static const uint8_t kinds[] = {0, 1, 7, 68, 131, 137, 148, 130};
    unsigned taken = 0, back_ok = 0;
    for (int round = 0; round < 200000; round++) {
        size_t len = rnd_below(&rnd, 11) * 4;
        uint8_t list[40];
        rnd_fill(&rnd, list, len);
        for (size_t at = 0; at + 4 <= len;) {
            list[at] = kinds[rnd_below(&rnd, 8)];
            static const uint8_t lens[] = {3, 7, 8, 11, 12, 15};
            list[at + 1] = rnd_below(&rnd, 4) ? lens[rnd_below(&rnd, 6)] : (uint8_t)rnd_u64(&rnd);
            list[at + 2] = (uint8_t)rnd_below(&rnd, 18);
            list[at + 3] = rnd_below(&rnd, 2) ? (uint8_t)rnd_below(&rnd, 4) : list[at + 3];
            at += list[at + 1] > 1 ? list[at + 1] : 1u;
        }
        uint8_t *octets = exact_copy(list, len), out[IP_OPTIONS_MAX];
        const struct ip_addr src = SRC, dst = DST;
        struct ip_options o, back;
        if (ip_options_read(&o, octets, len)) {
            taken++;
            ip_options_emit(&o, &src, &dst, TIME, out);
            struct ip_addr hop = ip_options_first_hop(&o, &dst),
                           end = ip_options_final((struct bytes){out, o.len}, &hop);
            assert_true(ip_addr_eq(&end, &dst));
        }
        if (ip_options_reverse((struct bytes){octets, len}, &src, &back)) {
            back_ok++;
            assert_true(ip_options_read(&o, back.octets, back.len));
            assert_int_equal(o.len, back.len);
        }
        ip_options_final((struct bytes){octets, len}, &dst);
        free(octets);
    }
    assert_true(taken > 10000); /* or the loop has tested little */
    assert_true(back_ok > 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read),
        cmocka_unit_test(emit_source_route),
        cmocka_unit_test(emit_record_route),
        cmocka_unit_test(emit_timestamp),
        cmocka_unit_test(reverse_completed),
        cmocka_unit_test(reverse_nine),
        cmocka_unit_test(reverse_none),
        cmocka_unit_test(final),
        cmocka_unit_test(random_octets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
