/* window.c - a ring of what waits, by number, and a heap of moments. */
#include "window.h"

#include <stddef.h>
#include <stdlib.h>

/* Verdicts not given yet: one on all up to the last number that was the oldest. */
struct run {
    bool any, accept;
    uint32_t last;
    window_give *give;
    void *arg;
};

static struct held *at(const struct window *w, uint32_t number)
{
    return &w->held[number % WINDOW_MAX];
}

bool window_init(struct window *w, struct mem *mem)
{
    *w = (struct window){.held = mem_zalloc(mem, WINDOW_MAX * sizeof(*w->held))};
    heap_init(&w->due, mem);
    if (w->held && heap_reserve(&w->due, WINDOW_MAX))
        return true;
    window_finish(w);
    return false;
}

void window_finish(struct window *w)
{
    for (uint32_t n = w->oldest; w->held && n != w->next; n++)
        free(at(w, n)->packet);
    mem_free(w->due.mem, w->held, WINDOW_MAX * sizeof(*w->held));
    w->held = NULL;
    heap_finish(&w->due);
}

struct held *window_put(struct window *w, uint32_t number, uint64_t due)
{
    if (w->oldest == w->next)
        w->oldest = w->next = number;
    if (number - w->oldest >= WINDOW_MAX)
        return NULL;
    for (; w->next != number + 1; w->next++) { /* some numbers are never seen: of overflow */
        *at(w, w->next) = (struct held){0};
        heap_node_init(&at(w, w->next)->node);
    }
    struct held *held = at(w, number);
    held->lost = due == TIME_NEVER;
    heap_set(&w->due, &held->node, due);
    w->waiting += !held->lost;
    return held;
}

uint64_t window_deadline(const struct window *w)
{
    return heap_deadline(&w->due);
}

static void end_run(struct run *run)
{
    if (run->any)
        run->give(run->arg, &(struct window_verdict){
                                .accept = run->accept, .up_to = true, .number = run->last});
    run->any = false;
}

/* The oldest number gets this verdict. */
static void extend_run(struct window *w, struct run *run, bool accept)
{
    if (run->accept != accept)
        end_run(run);
    run->any = true;
    run->accept = accept;
    run->last = w->oldest++;
}

/* Goes past what has had its verdict, and over what is lost. */
static void advance(struct window *w, struct run *run)
{
    while (w->oldest != w->next) {
        struct held *held = at(w, w->oldest);
        if (held->lost)
            extend_run(w, run, false);
        else if (held->node.slot == HEAP_OUT)
            w->oldest++;
        else
            return;
    }
}

static void let_go(struct window *w, struct held *held, struct run *run)
{
    uint32_t number = w->oldest + ((uint32_t)(held - w->held) - w->oldest) % WINDOW_MAX;
    heap_set(&w->due, &held->node, TIME_NEVER);
    w->waiting--;
    if (number == w->oldest && !held->packet) {
        extend_run(w, run, true);
    } else {
        end_run(run);
        run->give(run->arg,
                  &(struct window_verdict){.accept = true, .number = number, .held = held});
        free(held->packet);
        held->packet = NULL;
    }
    advance(w, run);
}

void window_release(struct window *w, uint64_t now, uint32_t max, window_give *give, void *arg)
{
    struct run run = {.give = give, .arg = arg};
    advance(w, &run);
    for (uint32_t n = 0; n < max && heap_deadline(&w->due) <= now; n++) {
        struct heap_node *node = heap_first(&w->due);
        let_go(w, (struct held *)(void *)((char *)node - offsetof(struct held, node)), &run);
    }
    end_run(&run);
}
