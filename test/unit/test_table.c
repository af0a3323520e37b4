/* table.c: four-tuple to socket. */
#include "support.h"
#include "table.h"

static const struct siphash_key key = {1, 2};

static struct flow flow_of(unsigned i)
{
    return (struct flow){ip_addr_v4(0x0a000001), ip_addr_v4(0x0a000100 + i % 7),
                         (uint16_t)(i / 7 % 5), (uint16_t)(i / 35)};
}

/* Every node is found by its own four-tuple and no other, while the table grows, and after removals
 * in another order. */
static void found_by_all_four(void **state)
{
    (void)state;
    enum { N = 3000 };
    static struct table_node nodes[N];
    struct test_mem mem;
    struct table t;
    test_mem_init(&mem);
    assert_true(table_init(&t, &key, &mem.mem));
    for (unsigned i = 0; i < N; i++) {
        nodes[i].flow = flow_of(i);
        assert_null(table_find(&t, &nodes[i].flow));
        table_insert(&t, &nodes[i]);
        assert_ptr_equal(table_find(&t, &nodes[i].flow), &nodes[i]);
    }
    assert_int_equal(t.n, N);
    assert_true(t.n_bucket >= N / 2); /* it has grown: chains are short */
    for (unsigned i = 0; i < N; i++)
        assert_ptr_equal(table_find(&t, &nodes[i].flow), &nodes[i]);
    for (unsigned i = 0; i < N; i += 3)
        table_remove(&t, &nodes[i]);
    for (unsigned i = 0; i < N; i++) {
        assert_ptr_equal(table_find(&t, &nodes[i].flow), i % 3 ? &nodes[i] : NULL);
        assert_int_equal(table_holds(&t, &nodes[i]), i % 3 != 0);
    }
    struct table_node again = nodes[1]; /* the same four-tuple, found before it or behind it */
    table_insert(&t, &again);
    assert_int_equal(table_holds(&t, &again) + table_holds(&t, &nodes[1]), 1);
    table_remove(&t, &again);
    for (unsigned i = N; i-- > 0;)
        if (i % 3)
            table_remove(&t, &nodes[i]);
    assert_int_equal(t.n, 0);
    table_finish(&t);
    assert_int_equal(mem.mem.used, 0);
}

/* Each part of the four-tuple counts, in its place; also right after it was found, which the table
 * remembers, and until it is removed. */
static void every_part_counts(void **state)
{
    (void)state;
    struct test_mem mem;
    struct table t;
    test_mem_init(&mem);
    assert_true(table_init(&t, &key, &mem.mem));
    const struct flow f = {ip_addr_v4(1), ip_addr_v4(2), 3, 4};
    struct table_node node = {.flow = f};
    table_insert(&t, &node);
    assert_ptr_equal(table_find(&t, &f), &node);
    for (unsigned bit = 0; bit < 8 * sizeof f; bit++) {
        struct flow other = f;
        ((uint8_t *)&other)[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_null(table_find(&t, &other));
    }
    struct flow mirrored = {f.remote, f.local, f.remote_port, f.local_port};
    assert_null(table_find(&t, &mirrored));
    table_remove(&t, &node);
    assert_null(table_find(&t, &f));
    table_finish(&t);
}

/* Without memory to grow the chains get longer, and all is found; without any it can't begin. */
static void without_memory(void **state)
{
    (void)state;
    enum { N = 1000 };
    static struct table_node nodes[N];
    struct test_mem mem;
    struct table t;
    test_mem_init(&mem);
    test_mem_fail_at(&mem, 1);
    assert_false(table_init(&t, &key, &mem.mem));
    test_mem_fail_at(&mem, 2);
    assert_true(table_init(&t, &key, &mem.mem));
    for (unsigned i = 0; i < N; i++) {
        nodes[i].flow = flow_of(i);
        table_insert(&t, &nodes[i]);
    }
    assert_true(mem.failed > 0);
    for (unsigned i = 0; i < N; i++)
        assert_ptr_equal(table_find(&t, &nodes[i].flow), &nodes[i]);
    table_finish(&t);
    assert_int_equal(mem.mem.used, 0);
}

/* Which four-tuples collide depends on the key. */
static void keyed(void **state)
{
    (void)state;
    struct test_mem mem;
    struct table a, b;
    const struct siphash_key other = {1, 3};
    test_mem_init(&mem);
    assert_true(table_init(&a, &key, &mem.mem) && table_init(&b, &other, &mem.mem));
    unsigned same = 0;
    for (unsigned i = 0; i < 64; i++) {
        struct table_node x = {.flow = flow_of(i)}, y = {.flow = flow_of(i)};
        table_insert(&a, &x);
        table_insert(&b, &y);
        same += x.hash % 64 == y.hash % 64;
        table_remove(&a, &x);
        table_remove(&b, &y);
    }
    assert_true(same < 16);
    table_finish(&a);
    table_finish(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(found_by_all_four),
        cmocka_unit_test(every_part_counts),
        cmocka_unit_test(without_memory),
        cmocka_unit_test(keyed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
