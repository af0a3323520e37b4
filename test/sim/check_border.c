/* See check_border.h. */
#include "check_border.h"

#include "check_mem.h"
#include "fail.h"
#include "host.h"
#include "nstime.h"

/* Sockets that are looked at after each call. Where there are more, they are looked at after one
 * call in so many times as many: the engine itself looks at the one that the call was about. */
#define LOOK_AT 8

void border_begin(struct host *h)
{
    h->tick_at_ns = h->tick_for_ns = TIME_NEVER;
    h->quiet_ns = h->world->now_ns;
    h->idle_ticks = h->socks_most = 0;
    h->mem_empty = h->mem.used;
}

void border_enter(struct host *h)
{
    struct world *w = h->world;
    uint64_t deadline = stack_deadline(h->stack), now = host_now(h);
    SIM_CHECK(deadline == h->tick_for_ns, "deadline", "it has moved by itself");
    if (!rng_one_in(&w->rng, 8) || h->quiet_ns >= w->now_ns)
        return;
    uint64_t from = h->quiet_ns + h->clock_ns, to = deadline < now ? deadline : now;
    if (to <= from)
        return;
    struct packet out[1];
    uint64_t at = rng_range(&w->rng, from, to - 1);
    SIM_CHECK(stack_output(h->stack, out, 1, at) == 0, "silence",
              "output() speaks before the deadline, with no call in between");
}

void border_called(struct host *h)
{
    uint32_t socks = stack_sock_count(h->stack);
    if (socks > h->socks_most)
        h->socks_most = socks;
    simmem_check(&h->mem);
    if (++h->calls % (1 + socks / LOOK_AT) != 0)
        return;
    const char *why = stack_check(h->stack);
    SIM_CHECK(!why, "stack_check", "%s", why);
}

void border_silent(struct host *h)
{
    struct packet out[OUTPUT_BATCH];
    SIM_CHECK(stack_output(h->stack, out, h->plan->output_max, host_now(h)) == 0, "silence",
              "output() had nothing to send and now has");
    h->quiet_ns = h->world->now_ns;
    if (h->calls % (4 + h->world->plan.n_conns / 2) == 0)
        mem_check(h);
}

void border_ticked(struct host *h, size_t sent, uint32_t socks)
{
    SIM_CHECK(stack_deadline(h->stack) > host_now(h), "deadline",
              "still in the past after tick and output: a hot loop");
    if (sent == 0 && stack_sock_count(h->stack) == socks)
        h->idle_ticks++;
    else
        h->idle_ticks = 0;
    SIM_CHECK(h->idle_ticks <= 16 + 16 * socks, "deadline", "%u ticks in a row did nothing",
              h->idle_ticks);
}

void border_end(struct host *h)
{
    struct stack_counters c;
    stack_counters(h->stack, &c);
    SIM_CHECK(c.invariants == 0, "end", "%llu invariants failed", (unsigned long long)c.invariants);
    if (!h->world->plan.v6) /* some flips in an IPv6 header hurt nobody */
        SIM_CHECK(c.bad_checksums + c.bad_packets == h->corrupt_in, "end",
                  "%llu broken packets were counted, %llu came",
                  (unsigned long long)(c.bad_checksums + c.bad_packets),
                  (unsigned long long)h->corrupt_in);
    if (stack_sock_count(h->stack) == 0) {
        /* The heap of timers and the table of sockets keep the room they have grown to: at most two
         * pointers each for every socket there ever was at once. */
        size_t keeps = h->mem_empty + (16 + h->socks_most) * 4 * sizeof(void *);
        SIM_CHECK(h->mem.used <= keeps, "memory",
                  "%zu octets in use at the end, %zu at the beginning", h->mem.used, h->mem_empty);
    }
    stack_destroy(h->stack);
    h->stack = NULL;
    SIM_CHECK(h->mem.used == 0, "memory", "%zu octets leaked", h->mem.used);
}
