/* mem.c: the counted, limited allocator. */
#include "mem.h"
#include "support.h"

static void counts_and_gives_back(void **state)
{
    (void)state;
    struct test_mem t;
    test_mem_init(&t);
    void *a = mem_alloc(&t.mem, 100);
    void *b = mem_alloc(&t.mem, 7);
    assert_non_null(a);
    assert_non_null(b);
    assert_int_equal(t.mem.used, 107);
    assert_int_equal(t.live, 107);
    mem_free(&t.mem, a, 100);
    assert_int_equal(t.mem.used, 7);
    assert_int_equal(t.live, 7);
    mem_free(&t.mem, NULL, 7);
    assert_int_equal(t.mem.used, 7);
    mem_free(&t.mem, b, 7);
    assert_int_equal(t.mem.used, 0);
}

static void limit_is_exact(void **state)
{
    (void)state;
    struct test_mem t;
    test_mem_init(&t);
    t.mem.limit = 100;
    assert_null(mem_alloc(&t.mem, 101));
    assert_int_equal(t.calls, 0); /* the limit refuses, the allocator is not asked */
    void *a = mem_alloc(&t.mem, 60);
    assert_non_null(a);
    assert_null(mem_alloc(&t.mem, 41));
    assert_null(mem_alloc(&t.mem, SIZE_MAX)); /* used + size would wrap */
    assert_null(mem_alloc(&t.mem, SIZE_MAX - 59));
    assert_int_equal(t.mem.used, 60);
    void *b = mem_alloc(&t.mem, 40);
    assert_non_null(b);
    assert_int_equal(t.mem.used, 100);
    t.mem.limit = 50; /* lowered below what is in use: no more, and no harm */
    assert_null(mem_alloc(&t.mem, 1));
    mem_free(&t.mem, a, 60);
    void *c = mem_alloc(&t.mem, 10);
    assert_non_null(c);
    mem_free(&t.mem, b, 40);
    mem_free(&t.mem, c, 10);
    assert_int_equal(t.mem.used, 0);
}

static void refused_memory_is_not_counted(void **state)
{
    (void)state;
    struct test_mem t;
    test_mem_init(&t);
    test_mem_fail_at(&t, 1);
    assert_null(mem_alloc(&t.mem, 10));
    assert_null(mem_zalloc(&t.mem, 10));
    assert_int_equal(t.mem.used, 0);
}

static void zalloc_zeroes(void **state)
{
    (void)state;
    struct test_mem t;
    test_mem_init(&t);
    uint8_t *p = mem_zalloc(&t.mem, 64);
    assert_non_null(p);
    for (int i = 0; i < 64; i++)
        assert_int_equal(p[i], 0);
    assert_int_equal(t.mem.used, 64);
    mem_free(&t.mem, p, 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_and_gives_back),
        cmocka_unit_test(limit_is_exact),
        cmocka_unit_test(refused_memory_is_not_counted),
        cmocka_unit_test(zalloc_zeroes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
