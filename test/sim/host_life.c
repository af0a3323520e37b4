/* The beginning of a host, its crashes, and its end. See host.h. */
#include <stdlib.h>

#include "app.h"
#include "check_border.h"
#include "check_end.h"
#include "fail.h"
#include "host.h"
#include "ladder.h"
#include "minmax.h"
#include "nstime.h"
#include "who.h"

#define MEM_LIMIT (64u << 20)

static void sink(void *ctx, const struct trace_point *point)
{
    struct host *h = ctx;
    SIM_CHECK(point->kind != TRACE_INVARIANT, "invariant", "%s", point->text);
    if (h->trying)
        return;
    switch (point->kind) {
    case TRACE_SENT:
        if (h->n_sent < OUTPUT_BATCH)
            h->sent_id[h->n_sent++] = point->sock_id;
        break;
    case TRACE_RECEIVED:
        h->heard = *point->seg;
        h->heard.n_text = 0;
        break;
    case TRACE_STATE:
        end_state(h, point);
        break;
    default:
        break;
    }
    if (h->world->trace)
        ladder_point(h, point);
}

static struct ip_addr address(const struct world *w, uint32_t index)
{
    const uint8_t a[16] = {0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (uint8_t)(index + 1)};
    return w->plan.v6 ? ip_addr_v6_bytes(a) : ip_addr_v4(0x0a000001 + index);
}

void host_init(struct host *h, struct world *w, uint32_t index)
{
    h->world = w;
    h->index = index;
    h->plan = &w->plan.host[index];
    h->addr = address(w, index);
    h->clock_ns = h->plan->clock_ns;
    h->accepted = sim_zalloc(w->plan.n_conns + 1, sizeof *h->accepted);
    h->owing = sim_zalloc(2 * (size_t)w->plan.n_conns, sizeof *h->owing);
    simmem_init(&h->mem, &w->rng, MEM_LIMIT);
    host_start(h);
    host_listen(h);
}

void host_start(struct host *h)
{
    struct world *w = h->world;
    uint64_t half = rng_u64(&w->rng);
    h->secret = (struct siphash_key){half, rng_u64(&w->rng)};
    h->life++;
    h->mem.refuse_ppm = 0;
    h->mem.mem.limit = MEM_LIMIT;
    struct stack_config config = {
        .mem = &h->mem.mem,
        .secret = h->secret,
        .trace = {sink, h},
        .caps = h->plan->caps,
        .tcp = h->plan->tcp,
        .max_socks = h->plan->max_socks,
    };
    if (w->sabotage == SABOTAGE_COOKIE)
        config.tcp.syncookies = SYNCOOKIES_ALWAYS;
    SIM_CHECK(stack_create(&h->stack, &config) == ERR_NONE, "create", "no stack");
    SIM_CHECK(stack_add_ports(h->stack, 61000, (uint16_t)h->plan->ports) == ERR_NONE, "create",
              "no ports");
    border_begin(h);
}

void host_listen(struct host *h)
{
    if (h->listener_closed || !h->stack)
        return;
    const struct ip_addr any = h->world->plan.v6 ? IP_ADDR_ANY6 : ip_addr_v4(0);
    const bool wild = rng_one_in(&h->world->rng, 2);
    int err = stack_listen(h->stack, wild ? &any : &h->addr, LISTEN_PORT, h->plan->backlog,
                           &h->listener_handle, &h->listener);
    if (err == ERR_NOMEM && h->plan->tight) { /* connect() was quicker, after a crash */
        queue_push(&h->world->queue, h->world->now_ns + NS_PER_S, EVENT_LISTEN, h->index, NULL);
        return;
    }
    SIM_CHECK(err == ERR_NONE, "listen", "error %d", err);
    if (h->world->calm)
        return;
    h->mem.refuse_ppm = h->plan->refuse_ppm;
    /* Seed 1023321: deaf after a crash it may have more in use already. */
    if (h->plan->mem_limit)
        h->mem.mem.limit = max_u64(h->plan->mem_limit, h->mem.used);
}

void host_calm(struct host *h)
{
    h->mem.refuse_ppm = 0;
    h->mem.mem.limit = MEM_LIMIT;
}

bool host_was_refused(const struct host *h)
{
    return h->mem.refused > 0 || h->plan->mem_limit;
}

void host_close_listener(struct host *h)
{
    h->listener_closed = true;
    if (!h->listener)
        return;
    host_enter(h);
    stack_close(h->listener, host_now(h));
    h->listener = NULL;
    host_called(h);
    host_leave(h);
}

static void forget_frames(struct host *h)
{
    for (uint32_t i = 0; i < h->n_rx; i++)
        frame_unref(h->rx[i]);
    if (h->world)
        h->world->in_flight -= h->n_rx;
    h->n_rx = 0;
}

/* What this host knew of a connection is lost. One that nobody had accepted yet may still be made
 * out of the peer's next SYN. */
static void crash_end(struct end *e)
{
    bool lost = e->sock || e->in_engine;
    e->lingering = NULL;
    e->in_engine = e->time_wait = e->owing = e->half_open = false;
    ack_reset(&e->wire.ack_watch);
    if (!lost)
        return;
    e->crashed = true;
    e->progress_ns = e->conn->world->now_ns;
    if (!e->opened)
        return;
    e->wire.over = e->wire.gone = true;
    if (e->sock)
        app_over(e);
    e->sock = NULL;
    e->waits = false;
}

void host_crash(struct host *h)
{
    struct world *w = h->world;
    if (w->trace)
        ladder_note(w, "host %u crashes", h->index);
    forget_frames(h);
    who_forgets(h);
    border_end(h);
    h->listener = NULL;
    h->n_owing = 0;
    h->flooded = false;
    h->corrupt_in = 0;
    h->poll_set = h->accept_set = false;
    h->clock_ns = rng_below(&w->rng, UINT64_C(1) << rng_range(&w->rng, 20, 62));
    for (uint32_t i = 0; i < HOSTS_MAX; i++)
        h->told[i].n = 0;
    for (uint32_t i = 0; i < w->plan.n_conns; i++)
        for (int s = 0; s < 2; s++)
            if (w->conn[i].end[s].host == h)
                crash_end(&w->conn[i].end[s]);
}

void host_free(struct host *h)
{
    if (!h->world)
        return;
    forget_frames(h);
    who_forgets(h);
    free(h->accepted);
    free(h->owing);
    simmem_finish(&h->mem); /* the stack with it: it may be in any state */
}
