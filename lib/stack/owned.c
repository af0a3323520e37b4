/* Addresses that are ours alone. See stack_own_address() in stack.h; icmp_in.c asks. */
#include "sock.h"

int stack_own_address(struct stack *s, const struct ip_addr *addr)
{
    const struct flow key = {.local = *addr};
    if (table_find(&s->owned, &key))
        return ERR_NONE;
    struct table_node *node = mem_zalloc(s->mem, sizeof *node);
    if (!node)
        return ERR_NOMEM;
    node->flow = key;
    table_insert(&s->owned, node);
    return ERR_NONE;
}

static void drop(struct stack *s, struct table_node *node)
{
    table_remove(&s->owned, node);
    mem_free(s->mem, node, sizeof *node);
}

void stack_disown_address(struct stack *s, const struct ip_addr *addr)
{
    const struct flow key = {.local = *addr};
    struct table_node *node = table_find(&s->owned, &key);
    if (node)
        drop(s, node);
}

void owned_finish(struct stack *s)
{
    for (struct table_node *node = table_next(&s->owned, NULL), *next; node; node = next) {
        next = table_next(&s->owned, node);
        drop(s, node);
    }
    table_finish(&s->owned);
}
