/* Values that many have in common. See shared.h. */
#include "shared.h"

#include <string.h>

/* So many are looked at. A program has few kinds of connections, and each kind its settings. */
#define LOOK_AT 8

static struct shared_value *head_of(const void *value)
{
    return (struct shared_value *)(uintptr_t)value - 1;
}

void shared_init(struct shared *s, size_t size, struct mem *mem, struct shared_value *first)
{
    *s = (struct shared){.size = size, .mem = mem};
    list_init(&s->values);
    list_push_back(&s->values, &first->node);
    first->users = 1;
}

static struct shared_value *find(const struct shared *s, const void *value)
{
    struct list *node = s->values.next;
    for (int i = 0; i < LOOK_AT && node != &s->values; i++, node = node->next) {
        struct shared_value *v = container_of(node, struct shared_value, node);
        if (memcmp(v + 1, value, s->size) == 0)
            return v;
    }
    return NULL;
}

static struct shared_value *make(struct shared *s, const void *value)
{
    struct shared_value *v = mem_alloc(s->mem, sizeof *v + s->size);
    if (!v)
        return NULL;
    *v = (struct shared_value){0};
    list_init(&v->node);
    memcpy(v + 1, value, s->size);
    return v;
}

const void *shared_get(struct shared *s, const void *value)
{
    struct shared_value *v = find(s, value);
    if (!v)
        v = make(s, value);
    if (!v)
        return NULL;
    list_remove(&v->node);
    list_push_back(s->values.next, &v->node); /* in front of the first */
    v->users++;
    return v + 1;
}

const void *shared_again(const void *value)
{
    head_of(value)->users++;
    return value;
}

void shared_put(struct shared *s, const void *value)
{
    struct shared_value *v = head_of(value);
    if (--v->users > 0)
        return;
    list_remove(&v->node);
    mem_free(s->mem, v, sizeof *v + s->size);
}
