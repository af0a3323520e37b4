/* shared.c: equal values are one. */
#include "shared.h"
#include "support.h"

struct value {
    uint32_t a, b;
};

static struct {
    struct test_mem mem;
    struct shared shared;
    struct {
        struct shared_value head;
        struct value value;
    } first;
} the;

static void begin(void)
{
    test_mem_init(&the.mem);
    the.first.value = (struct value){1, 1};
    shared_init(&the.shared, sizeof(struct value), &the.mem.mem, &the.first.head);
}

static const struct value *get(uint32_t a, uint32_t b)
{
    const struct value v = {a, b};
    return shared_get(&the.shared, &v);
}

static void put(const struct value *v)
{
    shared_put(&the.shared, v);
}

static void first_costs_nothing(void **state)
{
    (void)state;
    begin();
    test_mem_fail_at(&the.mem, 1);
    const struct value *v = get(1, 1);
    assert_ptr_equal(v, &the.first.value);
    assert_ptr_equal(shared_again(v), v);
    put(v);
    put(v);
    assert_int_equal(the.mem.mem.used, 0);
}

static void equal_ones_are_one(void **state)
{
    (void)state;
    begin();
    const struct value *v = get(2, 3);
    size_t used = the.mem.mem.used;
    assert_ptr_equal(get(2, 3), v);
    assert_int_equal(the.mem.mem.used, used);
    assert_true(v->a == 2 && v->b == 3);
    const struct value *other = get(2, 4);
    assert_ptr_not_equal(other, v);
    assert_int_equal(other->b, 4);
    put(other);
    put(v);
    assert_int_equal(the.mem.mem.used, used); /* one has it yet */
    assert_true(v->a == 2 && v->b == 3);
    put(v);
    assert_int_equal(the.mem.mem.used, 0);
}

static void refused(void **state)
{
    (void)state;
    begin();
    test_mem_fail_at(&the.mem, 1);
    assert_null(get(2, 3));
    assert_int_equal(the.mem.mem.used, 0);
    the.mem.fail_at = 0;
    const struct value *v = get(2, 3);
    assert_non_null(v);
    put(v);
}

/* Of many different ones the same is found again as long as it is in use. */
static void many_values(void **state)
{
    (void)state;
    begin();
    const struct value *often = get(0, 0), *v[1000];
    for (uint32_t i = 0; i < 1000; i++) {
        v[i] = get(i, 7);
        assert_ptr_equal(get(0, 0), often);
        put(often);
    }
    for (uint32_t i = 0; i < 1000; i++) {
        assert_true(v[i]->a == i && v[i]->b == 7);
        put(v[i]);
    }
    put(often);
    assert_int_equal(the.mem.mem.used, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_costs_nothing),
        cmocka_unit_test(equal_ones_are_one),
        cmocka_unit_test(refused),
        cmocka_unit_test(many_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
