/* heap.c: deadlines in order, ties in the order of setting. */
#include "heap.h"
#include "support.h"

static void ties_come_in_the_order_of_setting(void **state)
{
    (void)state;
    enum { N = 50 };
    struct test_mem t;
    test_mem_init(&t);
    struct heap h;
    struct heap_node n[N];
    heap_init(&h, &t.mem);
    assert_true(heap_reserve(&h, N));
    for (int i = 0; i < N; i++) {
        heap_node_init(&n[i]);
        heap_set(&h, &n[i], 7);
    }
    heap_set(&h, &n[3], 7); /* set already: keeps its place */
    heap_set(&h, &n[5], 8); /* away and back: goes to the end of the queue */
    heap_set(&h, &n[5], 7);
    for (int i = 0; i < N; i++) {
        if (i == 5)
            continue;
        assert_ptr_equal(heap_first(&h), &n[i]);
        heap_set(&h, &n[i], TIME_NEVER);
    }
    assert_ptr_equal(heap_first(&h), &n[5]);
    heap_finish(&h);
    assert_int_equal(t.mem.used, 0);
    assert_null(heap_first(&h)); /* nothing left that points into it */
    assert_int_equal(heap_deadline(&h), TIME_NEVER);
}

static void empty_heap_has_no_deadline(void **state)
{
    (void)state;
    struct test_mem t;
    test_mem_init(&t);
    struct heap h;
    struct heap_node n;
    heap_init(&h, &t.mem);
    heap_node_init(&n);
    assert_null(heap_first(&h));
    assert_int_equal(heap_deadline(&h), TIME_NEVER);
    heap_set(&h, &n, TIME_NEVER); /* not in: nothing to take out, no room needed */
    assert_int_equal(n.slot, HEAP_OUT);
    assert_int_equal(t.calls, 0);
    assert_true(heap_reserve(&h, 1));
    heap_set(&h, &n, 0);
    assert_int_equal(heap_deadline(&h), 0);
    heap_set(&h, &n, TIME_NEVER);
    assert_int_equal(n.slot, HEAP_OUT);
    assert_int_equal(n.deadline, TIME_NEVER);
    assert_int_equal(heap_deadline(&h), TIME_NEVER);
    heap_finish(&h);
    assert_int_equal(t.mem.used, 0);
}

static void refused_reserve_changes_nothing(void **state)
{
    (void)state;
    struct test_mem t;
    test_mem_init(&t);
    struct heap h;
    struct heap_node n[17];
    heap_init(&h, &t.mem);
    test_mem_fail_at(&t, 1);
    assert_false(heap_reserve(&h, 1));
    assert_int_equal(h.room, 0);
    test_mem_fail_at(&t, 0);
    assert_true(heap_reserve(&h, 16));
    uint32_t room = h.room;
    for (uint32_t i = 0; i < 16; i++) {
        heap_node_init(&n[i]);
        heap_set(&h, &n[i], 100 - i);
    }
    test_mem_fail_at(&t, 1);
    assert_true(heap_reserve(&h, room)); /* there already: nobody is asked */
    assert_int_equal(t.calls, 0);
    assert_false(heap_reserve(&h, room + 1));
    assert_false(heap_reserve(&h, UINT32_MAX));
    assert_int_equal(h.room, room);
    assert_int_equal(h.n, 16);
    assert_ptr_equal(heap_first(&h), &n[15]);
    test_mem_fail_at(&t, 0);
    t.mem.limit = t.mem.used; /* the limit refuses as the allocator does */
    assert_false(heap_reserve(&h, room + 1));
    t.mem.limit = SIZE_MAX;
    assert_true(heap_reserve(&h, room + 1));
    heap_node_init(&n[16]);
    heap_set(&h, &n[16], 1);
    for (uint32_t i = 17; i-- > 0;) {
        assert_ptr_equal(heap_first(&h), &n[i]);
        heap_set(&h, &n[i], TIME_NEVER);
    }
    heap_finish(&h);
    assert_int_equal(t.mem.used, 0);
}

#define NODES 64

/* What the heap should answer: by a look at all. */
static const struct heap_node *earliest(const struct heap_node *n, const uint64_t *when,
                                        const uint64_t *order)
{
    int best = -1;
    for (int i = 0; i < NODES; i++) {
        if (when[i] == TIME_NEVER)
            continue;
        if (best < 0 || when[i] < when[best] || (when[i] == when[best] && order[i] < order[best]))
            best = i;
    }
    return best < 0 ? NULL : &n[best];
}

static void agrees_with_a_look_at_all(void **state)
{
    (void)state;
    struct rnd rnd = rnd_start("heap");
    struct test_mem t;
    test_mem_init(&t);
    struct heap h;
    heap_init(&h, &t.mem);
    struct heap_node n[NODES];
    uint64_t when[NODES], order[NODES] = {0}, next = 0;
    for (int i = 0; i < NODES; i++) {
        heap_node_init(&n[i]);
        when[i] = TIME_NEVER;
    }
    assert_true(heap_reserve(&h, NODES));
    for (int step = 0; step < 20000; step++) {
        /* Phases that mostly fill and mostly drain; few values, so that many are equal. */
        bool filling = step / 500 % 2 == 0;
        uint32_t i = rnd_below(&rnd, NODES);
        uint64_t deadline = rnd_below(&rnd, 20);
        if (rnd_below(&rnd, 10) < (filling ? 1u : 6u))
            deadline = TIME_NEVER;
        heap_set(&h, &n[i], deadline);
        if (when[i] != deadline)
            order[i] = next++;
        when[i] = deadline;

        const struct heap_node *want = earliest(n, when, order);
        assert_ptr_equal(heap_first(&h), want);
        assert_int_equal(heap_deadline(&h), want ? want->deadline : TIME_NEVER);
        for (int k = 0; k < NODES; k++) {
            assert_int_equal(n[k].deadline, when[k]);
            assert_int_equal(n[k].slot == HEAP_OUT, when[k] == TIME_NEVER);
            if (n[k].slot != HEAP_OUT) {
                assert_true(n[k].slot < h.n);
                assert_ptr_equal(h.v[n[k].slot], &n[k]);
            }
        }
    }
    heap_finish(&h);
    assert_int_equal(t.mem.used, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ties_come_in_the_order_of_setting),
        cmocka_unit_test(empty_heap_has_no_deadline),
        cmocka_unit_test(refused_reserve_changes_nothing),
        cmocka_unit_test(agrees_with_a_look_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
