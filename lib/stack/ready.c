/*
 * The ready list: each socket at most once, with the set of what happened to it. It is bounded by
 * the number of sockets, and no event can be lost or overwritten.
 */
#include "sock.h"

void sock_happened(struct sock *so, unsigned what, uint64_t now_ns)
{
    static const char *const names[] = {"ConnectionCompleted", "Acked",   "DataArrived",
                                        "ConnectionClosed",    "Trouble", "Urgent"};
    struct stack *s = sock_stack(so);
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (what & 1u << i)
            TRACE(&s->config.trace, TRACE_EVENT, .now_ns = now_ns, .sock_id = so->id,
                  .flow = &so->node.flow, .text = names[i]);
    }
    so->happened |= (uint8_t)what;
    if (so->happened && list_empty(&so->line))
        list_push_back(&s->ready, &so->line);
}

bool stack_next_event(struct stack *s, struct stack_event *ev)
{
    struct list *node = list_pop_front(&s->ready);
    if (!node)
        return false;
    struct sock *so = container_of(node, struct sock, line);
    *ev = (struct stack_event){so, so->user, so->id, so->happened};
    so->happened = 0;
    return true;
}
