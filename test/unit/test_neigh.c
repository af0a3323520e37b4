/* neigh.c: RFC 826, RFC 1122 2.3.2.1-2, RFC 4861 7.2, 7.3. */
#include "neigh.h"
#include "nstime.h"
#include "support.h"

static const struct mac_addr mac_a = {{2, 0, 0, 0, 0, 0xa}}, mac_b = {{2, 0, 0, 0, 0, 0xb}};

static const struct neigh_key gateway = {
    7, {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 254}}};

static struct neigh_key host(uint32_t n)
{
    return (struct neigh_key){7, ip_addr_v4(0x0a010000 + n)};
}

static struct neigh_table *table(void)
{
    static const uint8_t seed[16] = {1, 2, 3};
    struct neigh_table *t = neigh_create(seed);
    assert_non_null(t);
    return t;
}

/* What lookup says: 'k' known, 'u' unknown; the request it wants: '-', 'A' all, 'I' it. */
static const char *look(struct neigh_table *t, const struct neigh_key *key, uint64_t now,
                        struct mac_addr *mac)
{
    static char said[3];
    enum neigh_ask ask;
    said[0] = neigh_lookup(t, key, now, mac, &ask) ? 'k' : 'u';
    said[1] = ask == NEIGH_ASK_NOTHING ? '-' : ask == NEIGH_ASK_ALL ? 'A' : 'I';
    return said;
}

/* Hears a claim; returns how many packets were waiting, and frees them. */
static unsigned hear(struct neigh_table *t, const struct neigh_key *key, enum neigh_claim claim,
                     const struct mac_addr *mac, uint64_t now)
{
    struct list ready;
    list_init(&ready);
    neigh_heard(t, key, claim, mac, now, &ready);
    unsigned n = 0;
    for (struct list *node; (node = list_pop_front(&ready)) != NULL; n++)
        neigh_packet_free(container_of(node, struct neigh_packet, node));
    return n;
}

static void wait_octet(struct neigh_table *t, const struct neigh_key *key, uint8_t octet,
                       uint64_t now)
{
    struct packet p = {.head = {&octet, 1}};
    neigh_wait(t, key, &p, now);
}

static void one_request_per_second(void **state)
{
    (void)state;
    struct neigh_table *t = table();
    struct mac_addr mac;
    unsigned asked = 0;
    /* A packet every 10 ms for 10 s, beginning at time 0. */
    for (uint64_t now = 0; now < 10 * NS_PER_S; now += 10 * NS_PER_MS) {
        const char *said = look(t, &gateway, now, &mac);
        assert_int_equal(said[0], 'u');
        asked += said[1] == 'A';
    }
    assert_int_equal(asked, 10);
    struct neigh_key other = host(1);
    assert_string_equal(look(t, &other, 10 * NS_PER_S - 1, &mac), "uA");
    neigh_destroy(t);
}

static void answer_is_remembered(void **state)
{
    (void)state;
    struct neigh_table *t = table();
    struct mac_addr mac;
    assert_string_equal(look(t, &gateway, 5, &mac), "uA");
    hear(t, &gateway, NEIGH_ANSWER, &mac_a, 6);
    assert_string_equal(look(t, &gateway, 7, &mac), "k-");
    assert_memory_equal(&mac, &mac_a, sizeof mac);
    /* The same address on another device is another neighbour. */
    struct neigh_key elsewhere = gateway;
    elsewhere.ifindex++;
    assert_string_equal(look(t, &elsewhere, 8, &mac), "uA");
    neigh_destroy(t);
}

static void old_entry_is_polled_then_forgotten(void **state)
{
    (void)state;
    struct neigh_table *t = table();
    struct mac_addr mac;
    look(t, &gateway, 0, &mac);
    hear(t, &gateway, NEIGH_ANSWER, &mac_a, 0);
    const uint64_t s = NS_PER_S;
    assert_string_equal(look(t, &gateway, 30 * s - 1, &mac), "k-");
    assert_string_equal(look(t, &gateway, 30 * s, &mac), "kI");
    assert_string_equal(look(t, &gateway, 31 * s - 1, &mac), "k-");
    assert_string_equal(look(t, &gateway, 31 * s, &mac), "kI");
    hear(t, &gateway, NEIGH_ANSWER, &mac_a, 31 * s);
    assert_string_equal(look(t, &gateway, 60 * s, &mac), "k-");
    assert_string_equal(look(t, &gateway, 61 * s, &mac), "kI");
    assert_string_equal(look(t, &gateway, 62 * s, &mac), "kI");
    assert_string_equal(look(t, &gateway, 63 * s, &mac), "kI");
    assert_string_equal(look(t, &gateway, 64 * s, &mac), "uA");
    hear(t, &gateway, NEIGH_ANSWER, &mac_b, 64 * s); /* somebody else has taken over */
    assert_string_equal(look(t, &gateway, 65 * s, &mac), "k-");
    assert_memory_equal(&mac, &mac_b, sizeof mac);
    /* Not used for long: not even tried. */
    assert_string_equal(look(t, &gateway, 364 * s, &mac), "uA");
    neigh_destroy(t);
}

static void nothing_unasked_is_believed(void **state)
{
    (void)state;
    struct neigh_table *t = table();
    struct mac_addr mac;
    hear(t, &gateway, NEIGH_ANSWER, &mac_b, 1);
    hear(t, &gateway, NEIGH_OTHER, &mac_b, 1);
    assert_string_equal(look(t, &gateway, 2, &mac), "uA"); /* no entry came of it */
    hear(t, &gateway, NEIGH_OTHER, &mac_b, 3);             /* not in the form of an answer */
    assert_string_equal(look(t, &gateway, 4, &mac), "u-");
    hear(t, &gateway, NEIGH_ANSWER, &mac_a, 5);
    hear(t, &gateway, NEIGH_ANSWER, &mac_b, 6);            /* a second answer, to no question */
    assert_string_equal(look(t, &gateway, 7, &mac), "kA"); /* doubt: ask everybody anew */
    assert_memory_equal(&mac, &mac_a, sizeof mac);         /* but use the old one meanwhile */
    hear(t, &gateway, NEIGH_OTHER, &mac_b, 8);
    assert_string_equal(look(t, &gateway, 9, &mac), "k-"); /* at most once a second */
    hear(t, &gateway, NEIGH_ANSWER, &mac_a, 10);
    assert_string_equal(look(t, &gateway, 11, &mac), "k-");
    assert_memory_equal(&mac, &mac_a, sizeof mac);
    neigh_destroy(t);
}

static void other_packets_confirm(void **state)
{
    (void)state;
    struct neigh_table *t = table();
    struct mac_addr mac;
    look(t, &gateway, 0, &mac);
    hear(t, &gateway, NEIGH_ANSWER, &mac_a, 0);
    hear(t, &gateway, NEIGH_OTHER, &mac_a, 29 * NS_PER_S);
    assert_string_equal(look(t, &gateway, 58 * NS_PER_S, &mac), "k-");
    neigh_destroy(t);
}

/* RFC 4861 7.3.1: what was not asked for does not show that it hears us, and leaves the state as it
 * is (7.2.5); of another address it makes us ask (7.2.3, 7.2.5). */
static void the_unasked_does_not_confirm(void **state)
{
    (void)state;
    struct neigh_table *t = table();
    struct mac_addr mac;
    hear(t, &gateway, NEIGH_UNASKED, &mac_a, 0);
    assert_string_equal(look(t, &gateway, 0, &mac), "uA"); /* no entry came of it */
    wait_octet(t, &gateway, 0, 0);
    assert_int_equal(hear(t, &gateway, NEIGH_UNASKED, &mac_a, 0), 0);
    assert_string_equal(look(t, &gateway, 0, &mac), "u-");
    assert_int_equal(hear(t, &gateway, NEIGH_ANSWER, &mac_a, 0), 1);
    hear(t, &gateway, NEIGH_UNASKED, &mac_a, 29 * NS_PER_S);
    hear(t, &gateway, NEIGH_UNASKED, NULL, 29 * NS_PER_S);
    assert_string_equal(look(t, &gateway, 30 * NS_PER_S, &mac), "kI");
    hear(t, &gateway, NEIGH_UNASKED, &mac_a, 30 * NS_PER_S);
    assert_string_equal(look(t, &gateway, 31 * NS_PER_S, &mac), "kI");
    hear(t, &gateway, NEIGH_ANSWER, &mac_a, 31 * NS_PER_S);
    hear(t, &gateway, NEIGH_UNASKED, &mac_b, 32 * NS_PER_S);
    assert_string_equal(look(t, &gateway, 33 * NS_PER_S, &mac), "kA");
    assert_memory_equal(&mac, &mac_a, sizeof mac);
    neigh_destroy(t);
}

/* RFC 4861 7.2.5: without the Override flag an answer gives an address where none is known. A known
 * one it only has asked, and when that is being done not even that. */
static void the_second_does_not_override(void **state)
{
    (void)state;
    struct neigh_table *t = table();
    struct mac_addr mac;
    const uint64_t s = NS_PER_S;
    look(t, &gateway, 50 * s, &mac);
    wait_octet(t, &gateway, 0, 50 * s);
    assert_int_equal(hear(t, &gateway, NEIGH_SECOND, &mac_a, 50 * s), 1);
    assert_string_equal(look(t, &gateway, 51 * s, &mac), "k-");
    assert_memory_equal(&mac, &mac_a, sizeof mac);
    hear(t, &gateway, NEIGH_SECOND, &mac_b, 52 * s);
    assert_string_equal(look(t, &gateway, 53 * s, &mac), "kI");
    assert_memory_equal(&mac, &mac_a, sizeof mac);
    hear(t, &gateway, NEIGH_SECOND, &mac_b, 53 * s); /* in the form of the answer: no */
    assert_string_equal(look(t, &gateway, 54 * s, &mac), "kI");
    assert_memory_equal(&mac, &mac_a, sizeof mac);
    hear(t, &gateway, NEIGH_SECOND, &mac_a, 54 * s); /* the same one: it is there */
    assert_string_equal(look(t, &gateway, 83 * s, &mac), "k-");
    assert_string_equal(look(t, &gateway, 84 * s, &mac), "kI");
    hear(t, &gateway, NEIGH_ANSWER, &mac_b, 84 * s); /* with the flag */
    assert_string_equal(look(t, &gateway, 85 * s, &mac), "k-");
    assert_memory_equal(&mac, &mac_b, sizeof mac);
    /* It makes nothing younger. */
    hear(t, &gateway, NEIGH_SECOND, &mac_a, 383 * s);
    assert_string_equal(look(t, &gateway, 384 * s, &mac), "uA");
    neigh_destroy(t);
}

/* RFC 4861 7.2.5, 4.4: an answer without an address confirms the one that is known, and tells
 * nothing where none is. */
static void an_answer_without_address(void **state)
{
    (void)state;
    struct neigh_table *t = table();
    struct mac_addr mac;
    look(t, &gateway, 0, &mac);
    wait_octet(t, &gateway, 0, 0);
    assert_int_equal(hear(t, &gateway, NEIGH_ANSWER, NULL, 0), 0);
    assert_int_equal(hear(t, &gateway, NEIGH_SECOND, NULL, 0), 0);
    assert_string_equal(look(t, &gateway, 0, &mac), "u-");
    assert_int_equal(hear(t, &gateway, NEIGH_ANSWER, &mac_a, 0), 1);
    assert_string_equal(look(t, &gateway, 30 * NS_PER_S, &mac), "kI");
    hear(t, &gateway, NEIGH_ANSWER, NULL, 30 * NS_PER_S);
    assert_string_equal(look(t, &gateway, 59 * NS_PER_S, &mac), "k-");
    assert_memory_equal(&mac, &mac_a, sizeof mac);
    neigh_destroy(t);
}

/* RFC 4861 7.2.2: unreachable when MAX_MULTICAST_SOLICIT (3) requests have had no answer. */
static void failed(void **state)
{
    (void)state;
    struct neigh_table *t = table();
    struct mac_addr mac;
    const uint64_t s = NS_PER_S;
    assert_false(neigh_failed(t, &gateway));
    for (unsigned i = 0; i < 3; i++) {
        assert_string_equal(look(t, &gateway, i * s, &mac), "uA");
        assert_string_equal(look(t, &gateway, i * s + s / 2, &mac), "u-");
        assert_false(neigh_failed(t, &gateway));
    }
    assert_string_equal(look(t, &gateway, 3 * s, &mac), "uA"); /* it may be there now */
    assert_true(neigh_failed(t, &gateway));
    hear(t, &gateway, NEIGH_ANSWER, &mac_a, 4 * s);
    assert_false(neigh_failed(t, &gateway));
    /* Polls are not among the three, nor is the one by which a doubt begins. */
    neigh_doubt(t, &gateway);
    assert_string_equal(look(t, &gateway, 5 * s, &mac), "kI");
    for (unsigned i = 0; i < 3; i++) {
        assert_string_equal(look(t, &gateway, (6 + i) * s, &mac), "uA");
        assert_false(neigh_failed(t, &gateway));
    }
    assert_string_equal(look(t, &gateway, 9 * s, &mac), "uA");
    assert_true(neigh_failed(t, &gateway));
    neigh_destroy(t);
}

static void latest_packets_wait(void **state)
{
    (void)state;
    struct neigh_table *t = table();
    struct mac_addr mac;
    look(t, &gateway, 0, &mac);
    for (uint8_t i = 0; i < NEIGH_WAITING_MAX + 3; i++)
        wait_octet(t, &gateway, i, 1);
    assert_int_equal(neigh_dropped(t), 3);
    struct list ready;
    list_init(&ready);
    neigh_heard(t, &gateway, NEIGH_ANSWER, &mac_a, 2, &ready);
    for (uint8_t i = 3; i < NEIGH_WAITING_MAX + 3; i++) {
        struct neigh_packet *w = container_of(list_pop_front(&ready), struct neigh_packet, node);
        assert_int_equal(w->packet.head.len, 1);
        assert_int_equal(w->packet.head.ptr[0], i);
        neigh_packet_free(w);
    }
    assert_true(list_empty(&ready));
    assert_int_equal(hear(t, &gateway, NEIGH_ANSWER, &mac_a, 3), 0);
    neigh_destroy(t);
}

static void waiting_packet_is_a_copy(void **state)
{
    (void)state;
    struct neigh_table *t = table();
    struct mac_addr mac;
    look(t, &gateway, 0, &mac);
    char head[] = "head", one[] = "one", two[] = "two";
    struct packet p = {.head = {(uint8_t *)head, 4},
                       .body = {{(uint8_t *)one, 3}, {(uint8_t *)two, 3}},
                       .n_body = 2,
                       .csum = CSUM_PARTIAL,
                       .gso_size = 2};
    neigh_wait(t, &gateway, &p, 1);
    head[0] = one[0] = two[0] = 'x';
    struct list ready;
    list_init(&ready);
    neigh_heard(t, &gateway, NEIGH_ANSWER, &mac_a, 2, &ready);
    struct neigh_packet *w = container_of(list_pop_front(&ready), struct neigh_packet, node);
    assert_int_equal(w->packet.head.len, 10);
    assert_memory_equal(w->packet.head.ptr, "headonetwo", 10);
    assert_int_equal(w->packet.n_body, 0);
    assert_int_equal(w->packet.csum, CSUM_PARTIAL);
    assert_int_equal(w->packet.gso_size, 2);
    neigh_packet_free(w);
    neigh_destroy(t);
}

static void stale_packets_do_not_go(void **state)
{
    (void)state;
    struct neigh_table *t = table();
    struct mac_addr mac;
    look(t, &gateway, 0, &mac);
    wait_octet(t, &gateway, 0, 0);
    wait_octet(t, &gateway, 1, 3 * NS_PER_S);
    assert_int_equal(hear(t, &gateway, NEIGH_ANSWER, &mac_a, 6 * NS_PER_S), 1);
    assert_int_equal(neigh_dropped(t), 1);
    neigh_destroy(t);
}

static void waiting_is_bounded(void **state)
{
    (void)state;
    struct neigh_table *t = table();
    struct mac_addr mac;
    static uint8_t octets[60000];
    struct packet p = {.head = {octets, sizeof octets}};
    unsigned n = 0;
    for (uint32_t i = 0; i < 100; i++) {
        struct neigh_key key = host(i);
        look(t, &key, 1, &mac);
        neigh_wait(t, &key, &p, 1);
    }
    for (uint32_t i = 0; i < 100; i++) {
        struct neigh_key key = host(i);
        n += hear(t, &key, NEIGH_ANSWER, &mac_a, 2);
    }
    assert_int_equal(n, NEIGH_WAITING_SIZE / (sizeof octets + sizeof(struct neigh_packet)));
    assert_int_equal(neigh_dropped(t), 100 - n);
    /* The room is there again. */
    struct neigh_key key = host(200);
    look(t, &key, 3, &mac);
    neigh_wait(t, &key, &p, 3);
    assert_int_equal(hear(t, &key, NEIGH_ANSWER, &mac_a, 4), 1);
    neigh_destroy(t);
}

/* RFC 1122 2.3.2.2: what waits for neighbours that never answer does not keep others from it. */
static void the_dead_make_room(void **state)
{
    (void)state;
    struct neigh_table *t = table();
    struct mac_addr mac;
    static uint8_t octets[60000];
    struct packet p = {.head = {octets, sizeof octets}};
    const uint64_t hour = 3600 * NS_PER_S;
    for (uint32_t i = 0; i < 100; i++) {
        struct neigh_key key = host(i);
        look(t, &key, i, &mac);
        neigh_wait(t, &key, &p, i);
    }
    look(t, &gateway, hour, &mac);
    neigh_wait(t, &gateway, &p, hour);
    assert_int_equal(hear(t, &gateway, NEIGH_ANSWER, &mac_a, hour + 1), 1);
    struct neigh_key latest = host(99), first = host(0);
    assert_int_equal(hear(t, &first, NEIGH_ANSWER, &mac_a, 101), 0);
    assert_int_equal(hear(t, &latest, NEIGH_ANSWER, &mac_a, 101), 1);
    neigh_destroy(t);
}

/* One thread reads the clock, another is quicker to the table. */
static void an_earlier_now_is_no_time(void **state)
{
    (void)state;
    struct neigh_table *t = table();
    struct mac_addr mac;
    assert_string_equal(look(t, &gateway, 50, &mac), "uA");
    assert_string_equal(look(t, &gateway, 49, &mac), "u-"); /* asked already */
    wait_octet(t, &gateway, 0, 52);
    assert_int_equal(hear(t, &gateway, NEIGH_ANSWER, &mac_a, 51), 1); /* not stale */
    assert_string_equal(look(t, &gateway, 50, &mac), "k-");           /* not forgotten */
    neigh_destroy(t);
}

static void scan_spares_the_gateway(void **state)
{
    (void)state;
    struct neigh_table *t = table();
    struct mac_addr mac;
    look(t, &gateway, 0, &mac);
    hear(t, &gateway, NEIGH_ANSWER, &mac_a, 0);
    for (uint32_t i = 0; i < 100 * NEIGH_MAX; i++) {
        struct neigh_key key = host(i);
        assert_string_equal(look(t, &key, 1, &mac), "uA");
        wait_octet(t, &key, 0, 1);
    }
    assert_string_equal(look(t, &gateway, 2, &mac), "k-");
    assert_int_equal(neigh_dropped(t), 99 * NEIGH_MAX + 1); /* with the entries they waited on */
    neigh_destroy(t);
}

static void least_recently_used_goes(void **state)
{
    (void)state;
    struct neigh_table *t = table();
    struct mac_addr mac;
    struct neigh_key first = host(0), second = host(1), more = host(NEIGH_MAX);
    for (uint32_t i = 0; i < NEIGH_MAX; i++) {
        struct neigh_key key = host(i);
        look(t, &key, 1, &mac);
        hear(t, &key, NEIGH_ANSWER, &mac_a, 1);
    }
    assert_string_equal(look(t, &first, 2, &mac), "k-");
    assert_string_equal(look(t, &more, 3, &mac), "uA");
    assert_string_equal(look(t, &first, 4, &mac), "k-");
    assert_string_equal(look(t, &second, 4, &mac), "uA");
    neigh_destroy(t);
}

/* RFC 9293 3.8.3 (b): by advice of TCP's, one question to the neighbour, and then to everybody;
 * long before its time. */
static void doubted(void **state)
{
    (void)state;
    struct neigh_table *t = table();
    struct mac_addr mac;
    struct neigh_key other = host(1);
    uint64_t now = 5 * NS_PER_S;
    neigh_doubt(t, &gateway); /* not known at all */
    look(t, &gateway, now, &mac);
    neigh_doubt(t, &gateway); /* not known yet */
    assert_string_equal(look(t, &gateway, now, &mac), "u-");
    hear(t, &gateway, NEIGH_ANSWER, &mac_a, now);
    look(t, &other, now, &mac);
    hear(t, &other, NEIGH_ANSWER, &mac_b, now);
    now += 2 * NS_PER_S;
    neigh_doubt(t, &gateway);
    assert_string_equal(look(t, &gateway, now, &mac), "kI");
    assert_memory_equal(&mac, &mac_a, sizeof mac);
    neigh_doubt(t, &gateway); /* it is in question already */
    assert_string_equal(look(t, &gateway, now + NS_PER_S - 1, &mac), "k-");
    assert_string_equal(look(t, &other, now + NS_PER_S, &mac), "k-");
    now += NS_PER_S;
    wait_octet(t, &gateway, 1, now);
    assert_string_equal(look(t, &gateway, now, &mac), "uA");
    neigh_doubt(t, &gateway);
    assert_string_equal(look(t, &gateway, now, &mac), "u-");
    assert_int_equal(hear(t, &gateway, NEIGH_ANSWER, &mac_b, now), 1);
    assert_string_equal(look(t, &gateway, now + NS_PER_S, &mac), "k-");
    assert_memory_equal(&mac, &mac_b, sizeof mac);
    neigh_destroy(t);
}

/* A neighbour that answers is not at fault. */
static void doubted_and_right(void **state)
{
    (void)state;
    struct neigh_table *t = table();
    struct mac_addr mac;
    uint64_t now = 5 * NS_PER_S;
    look(t, &gateway, now, &mac);
    hear(t, &gateway, NEIGH_ANSWER, &mac_a, now);
    for (unsigned i = 0; i < 5; i++) {
        now += 2 * NS_PER_S;
        neigh_doubt(t, &gateway);
        assert_string_equal(look(t, &gateway, now, &mac), "kI");
        hear(t, &gateway, NEIGH_ANSWER, &mac_a, now);
        assert_string_equal(look(t, &gateway, now + NS_PER_S, &mac), "k-");
    }
    neigh_destroy(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_request_per_second),
        cmocka_unit_test(answer_is_remembered),
        cmocka_unit_test(old_entry_is_polled_then_forgotten),
        cmocka_unit_test(nothing_unasked_is_believed),
        cmocka_unit_test(other_packets_confirm),
        cmocka_unit_test(the_unasked_does_not_confirm),
        cmocka_unit_test(the_second_does_not_override),
        cmocka_unit_test(an_answer_without_address),
        cmocka_unit_test(failed),
        cmocka_unit_test(latest_packets_wait),
        cmocka_unit_test(waiting_packet_is_a_copy),
        cmocka_unit_test(stale_packets_do_not_go),
        cmocka_unit_test(waiting_is_bounded),
        cmocka_unit_test(the_dead_make_room),
        cmocka_unit_test(an_earlier_now_is_no_time),
        cmocka_unit_test(scan_spares_the_gateway),
        cmocka_unit_test(least_recently_used_goes),
        cmocka_unit_test(doubted),
        cmocka_unit_test(doubted_and_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
