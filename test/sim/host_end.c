/* The end of a host: what must hold when everything is over. See host.h. */
#include "fail.h"
#include "host.h"

void host_finish(struct host *h)
{
    struct stack_counters c;
    stack_counters(h->stack, &c);
    SIM_CHECK(stack_sock_count(h->stack) == 0, "end", "%u sockets are left",
              stack_sock_count(h->stack));
    SIM_CHECK(c.invariants == 0, "end", "%llu invariants failed", (unsigned long long)c.invariants);
    if (!h->world->plan.v6) /* some flips in an IPv6 header hurt nobody */
        SIM_CHECK(c.bad_checksums + c.bad_packets == h->corrupt_in, "end",
                  "%llu broken packets were counted, %llu came",
                  (unsigned long long)(c.bad_checksums + c.bad_packets),
                  (unsigned long long)h->corrupt_in);
    /* The heap of timers keeps its room: one pointer for each socket there ever was at once. */
    size_t keeps = h->mem_empty + 64 * sizeof(void *) * 4;
    SIM_CHECK(h->mem.used <= keeps, "memory", "%zu octets in use at the end, %zu at the beginning",
              h->mem.used, h->mem_empty);
    stack_destroy(h->stack);
    h->stack = NULL;
    SIM_CHECK(h->mem.used == 0, "memory", "%zu octets leaked", h->mem.used);
}

void host_free(struct host *h)
{
    for (uint32_t i = 0; i < h->n_rx; i++)
        frame_unref(h->rx[i]);
    h->n_rx = 0;
    if (h->world)
        simmem_finish(&h->mem); /* the stack with it: it may be in any state */
}
