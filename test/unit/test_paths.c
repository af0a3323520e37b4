/* paths.c: path MTUs by remote address. */
#include "paths.h"
#include "support.h"

static const struct siphash_key key = {1, 2};

static struct ip_addr addr(uint32_t i)
{
    return ip_addr_v4(0x0a000000 + i);
}

/* Whoever shares a slot is not mistaken for the other. */
static void of_one_address(void **state)
{
    (void)state;
    struct paths p = {0};
    for (uint32_t i = 0; i < 1000; i++) {
        struct ip_addr a = addr(i);
        assert_null(paths_find(&p, &key, &a));
    }
    struct ip_addr one = addr(7);
    paths_learn(&p, &key, &one, 1000, 5);
    for (uint32_t i = 0; i < 1000; i++) {
        struct ip_addr a = addr(i);
        const struct path_slot *slot = paths_find(&p, &key, &a);
        assert_int_equal(slot != NULL, i == 7);
        if (slot) {
            assert_int_equal(slot->mtu, 1000);
            assert_int_equal(slot->until_ns, 5);
        }
    }
    paths_learn(&p, &key, &one, 900, 6);
    assert_int_equal(paths_find(&p, &key, &one)->mtu, 900);
}

/* The last to come has the slot: however many there are, the newest are found. */
static void many(void **state)
{
    (void)state;
    struct paths p = {0};
    unsigned found = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        struct ip_addr a = addr(i);
        paths_learn(&p, &key, &a, 1000 + i, i);
        assert_int_equal(paths_find(&p, &key, &a)->mtu, 1000 + i);
    }
    for (uint32_t i = 0; i < 1000; i++) {
        struct ip_addr a = addr(i);
        const struct path_slot *slot = paths_find(&p, &key, &a);
        assert_true(!slot || slot->mtu == 1000 + i);
        found += slot != NULL;
    }
    assert_int_equal(found, PATHS_SLOTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_one_address),
        cmocka_unit_test(many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
