/* list.h: the intrusive list. */
#include "list.h"
#include "support.h"

struct item {
    int before; /* so that container_of has something to subtract */
    struct list node;
    int value;
};

static void first_in_first_out(void **state)
{
    (void)state;
    struct list head;
    struct item items[5];
    list_init(&head);
    assert_true(list_empty(&head));
    assert_null(list_pop_front(&head));
    for (int i = 0; i < 5; i++) {
        items[i] = (struct item){.before = -1, .value = i};
        list_init(&items[i].node);
        assert_true(list_empty(&items[i].node));
        list_push_back(&head, &items[i].node);
        assert_false(list_empty(&items[i].node));
    }
    assert_false(list_empty(&head));
    for (int i = 0; i < 5; i++) {
        struct list *node = list_pop_front(&head);
        assert_ptr_equal(container_of(node, struct item, node), &items[i]);
        assert_true(list_empty(node));
    }
    assert_true(list_empty(&head));
    assert_null(list_pop_front(&head));
}

static void remove_from_anywhere_and_twice(void **state)
{
    (void)state;
    /* Each of the three in turn: first, middle, last. */
    for (int gone = 0; gone < 3; gone++) {
        struct list head, n[3];
        list_init(&head);
        for (int i = 0; i < 3; i++)
            list_push_back(&head, &n[i]);
        list_remove(&n[gone]);
        assert_true(list_empty(&n[gone]));
        list_remove(&n[gone]);
        for (int i = 0; i < 3; i++)
            if (i != gone)
                assert_ptr_equal(list_pop_front(&head), &n[i]);
        assert_null(list_pop_front(&head));
    }
}

static void removed_node_can_join_again(void **state)
{
    (void)state;
    struct list head, a, b;
    list_init(&head);
    list_push_back(&head, &a);
    list_push_back(&head, &b);
    list_remove(&a);
    list_push_back(&head, &a);
    assert_ptr_equal(head.next, &b);
    assert_ptr_equal(b.next, &a);
    assert_ptr_equal(a.next, &head);
    assert_ptr_equal(head.prev, &a);
    assert_ptr_equal(a.prev, &b);
    assert_ptr_equal(b.prev, &head);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_in_first_out),
        cmocka_unit_test(remove_from_anywhere_and_twice),
        cmocka_unit_test(removed_node_can_join_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
