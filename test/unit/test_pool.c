/* lib/runtime/pool: what is kept, what is not, and that all of it is given back. */
#include "support.h"

#include "busy.h"
#include "pool.h"

/* The block returned last comes first; sizes are not mixed. */
static void last_in_first_out(void **state)
{
    (void)state;
    struct pool pool = {0};
    void *a = pool_alloc(&pool, 65536), *b = pool_alloc(&pool, 65536);
    void *c = pool_alloc(&pool, 16384);
    assert_true(a && b && c);
    pool_free(&pool, a, 65536);
    pool_free(&pool, b, 65536);
    pool_free(&pool, c, 16384);
    assert_int_equal(pool.held, 2 * 65536 + 16384);
    assert_ptr_equal(pool_alloc(&pool, 65536), b);
    assert_ptr_equal(pool_alloc(&pool, 16384), c);
    assert_ptr_equal(pool_alloc(&pool, 65536), a);
    assert_int_equal(pool.held, 0);
    pool_free(&pool, a, 65536);
    pool_free(&pool, b, 65536);
    pool_free(&pool, c, 16384);
    pool_finish(&pool); /* the leak checker sees to the rest */
    assert_int_equal(pool.held, 0);
}

/* What a connection has while it is busy are objects, whatever else there was before. */
static void objects(void **state)
{
    (void)state;
    struct pool pool = {0};
    const size_t size[] = {SNDQ_SMALL, sizeof(struct busy)};
    for (size_t other = 512; other < POOL_BLOCK_MIN; other += 256)
        pool_free(&pool, pool_alloc(&pool, other + 1), other + 1);
    for (size_t i = 0; i < 2; i++) {
        void *p = pool_alloc(&pool, size[i]);
        assert_non_null(p);
        assert_true(pool.slabs[0].size == size[i] || pool.slabs[1].size == size[i]);
        pool_free(&pool, p, size[i]);
        assert_ptr_equal(pool_alloc(&pool, size[i]), p);
        pool_free(&pool, p, size[i]);
    }
    assert_int_equal(pool.held, 0);
    pool_finish(&pool);
}

/* Small blocks, a ninth size, and what is beyond the limit are not kept. */
static void not_kept(void **state)
{
    (void)state;
    struct pool pool = {0};
    pool_free(&pool, pool_alloc(&pool, POOL_BLOCK_MIN - 1), POOL_BLOCK_MIN - 1);
    pool_free(&pool, NULL, 65536);
    assert_int_equal(pool.held, 0);

    size_t held = 0;
    for (size_t i = 0; i <= POOL_SIZES; i++) {
        size_t size = POOL_BLOCK_MIN + i;
        pool_free(&pool, pool_alloc(&pool, size), size);
        held += i < POOL_SIZES ? size : 0;
        assert_int_equal(pool.held, held);
    }
    void *blocks[2 * POOL_HELD_MAX / POOL_BLOCK_MIN];
    size_t n = sizeof blocks / sizeof *blocks;
    for (size_t i = 0; i < n; i++)
        blocks[i] = pool_alloc(&pool, POOL_BLOCK_MIN);
    for (size_t i = 0; i < n; i++)
        pool_free(&pool, blocks[i], POOL_BLOCK_MIN);
    assert_in_range(pool.held, POOL_HELD_MAX - POOL_BLOCK_MIN, POOL_HELD_MAX);
    pool_finish(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(last_in_first_out),
        cmocka_unit_test(objects),
        cmocka_unit_test(not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
