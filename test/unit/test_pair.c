/* pair.c: a link in memory. */
#include "pair.h"
#include "support.h"

#include <poll.h>
#include <pthread.h>

static const struct pair_config config = {
    .caps = {.mtu = 1500, .super_max = 64000, .csum_offload = true},
    .queue_max = 4,
    .polled = true};

static bool readable(const struct link *l)
{
    struct pollfd fd = {.fd = l->ops->poll_fd(l), .events = POLLIN};
    return poll(&fd, 1, 0) == 1;
}

static struct packet text(const char *s)
{
    return (struct packet){.head = {(const uint8_t *)s, strlen(s)}};
}

static void what_goes_in_comes_out(void **state)
{
    (void)state;
    struct link *a, *b;
    assert_int_equal(pair_create(&config, &a, &b), 0);
    assert_memory_equal(&a->caps, &config.caps, sizeof a->caps);
    struct packet p[2] = {text("head"), text("second")}, got[3];
    p[0].body[0] = (struct bytes){(const uint8_t *)"body", 4};
    p[0].n_body = 1;
    p[0].csum = CSUM_PARTIAL;
    p[0].gso_size = 3;
    assert_false(readable(b));
    assert_int_equal(a->ops->send(a, p, 2), 2);
    assert_true(readable(b));
    assert_false(readable(a));
    assert_int_equal(a->ops->recv(a, got, 3), 0);
    assert_int_equal(b->ops->recv(b, got, 3), 2);
    assert_false(readable(b));
    assert_int_equal(got[0].head.len, 8);
    assert_memory_equal(got[0].head.ptr, "headbody", 8);
    assert_int_equal(got[0].csum, CSUM_PARTIAL);
    assert_int_equal(got[0].gso_size, 3);
    assert_memory_equal(got[1].head.ptr, "second", 6);
    assert_int_equal(got[1].csum, CSUM_FULL);
    assert_int_equal(b->ops->send(b, &got[1], 1), 1); /* back, from borrowed memory */
    assert_int_equal(b->ops->recv(b, got, 3), 0);
    assert_int_equal(a->ops->recv(a, got, 3), 1);
    assert_memory_equal(got[0].head.ptr, "second", 6);
    a->ops->destroy(a);
    b->ops->destroy(b);
}

static void full_is_busy(void **state)
{
    (void)state;
    struct link *a, *b;
    assert_int_equal(pair_create(&config, &a, &b), 0);
    struct packet p[6] = {text("0"), text("1"), text("2"), text("3"), text("4"), text("5")}, got[6];
    assert_int_equal(a->ops->send(a, p, 6), 4);
    assert_int_equal(a->ops->send(a, p + 4, 2), 0);
    assert_int_equal(b->ops->recv(b, got, 1), 1);
    assert_memory_equal(got[0].head.ptr, "0", 1);
    assert_true(readable(b));
    assert_int_equal(a->ops->send(a, p + 4, 2), 1);
    assert_int_equal(b->ops->recv(b, got, 6), 4);
    for (size_t i = 0; i < 4; i++)
        assert_memory_equal(got[i].head.ptr, p[i + 1].head.ptr, 1);
    assert_false(readable(b));
    a->ops->destroy(a);
    b->ops->destroy(b);
}

static void other_end_gone(void **state)
{
    (void)state;
    struct link *a, *b;
    assert_int_equal(pair_create(&config, &a, &b), 0);
    struct packet p[6] = {text("0"), text("1"), text("2"), text("3"), text("4"), text("5")}, got;
    assert_int_equal(b->ops->send(b, p, 1), 1);
    assert_int_equal(a->ops->send(a, p, 1), 1);
    b->ops->destroy(b);
    assert_int_equal(a->ops->send(a, p, 6), 6);
    assert_int_equal(a->ops->recv(a, &got, 1), 1);
    a->ops->destroy(a);
}

/* Without a descriptor packets pass all the same, again and again, of every size. */
static void not_polled(void **state)
{
    (void)state;
    const struct pair_config plain = {.caps = {.mtu = 100, .super_max = 64000}, .queue_max = 4};
    static uint8_t octets[5000];
    struct link *a, *b;
    assert_int_equal(pair_create(&plain, &a, &b), 0);
    assert_int_equal(a->ops->poll_fd(a), -1);
    for (size_t len = 1; len < sizeof octets; len += 33) {
        struct packet p = {.head = {octets, len}, .gso_size = len > 100 ? 60 : 0}, got;
        memset(octets, (int)len, len);
        assert_int_equal(a->ops->send(a, &p, 1), 1);
        assert_int_equal(b->ops->recv(b, &got, 1), 1);
        assert_int_equal(got.head.len, len);
        assert_int_equal(got.gso_size, p.gso_size);
        assert_memory_equal(got.head.ptr, octets, len);
    }
    a->ops->destroy(a);
    b->ops->destroy(b);
}

#define MANY 20000

static void *send_many(void *arg)
{
    struct link *l = arg;
    for (uint32_t i = 0; i < MANY;) {
        struct packet p = {.head = {(const uint8_t *)&i, sizeof i}};
        i += (uint32_t)l->ops->send(l, &p, 1);
    }
    return NULL;
}

static void two_threads(void **state)
{
    (void)state;
    struct link *a, *b;
    pthread_t thread;
    assert_int_equal(pair_create(&config, &a, &b), 0);
    assert_int_equal(pthread_create(&thread, NULL, send_many, a), 0);
    for (uint32_t next = 0; next < MANY;) {
        struct pollfd fd = {.fd = b->ops->poll_fd(b), .events = POLLIN};
        assert_int_equal(poll(&fd, 1, 10000), 1); /* no wake-up may be lost */
        struct packet got[3];
        size_t n = b->ops->recv(b, got, 3);
        for (size_t i = 0; i < n; i++, next++)
            assert_memory_equal(got[i].head.ptr, &next, sizeof next);
    }
    pthread_join(thread, NULL);
    a->ops->destroy(a);
    b->ops->destroy(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes_in_comes_out),
        cmocka_unit_test(full_is_busy),
        cmocka_unit_test(other_end_gone),
        cmocka_unit_test(not_polled),
        cmocka_unit_test(two_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
