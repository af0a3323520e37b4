/* traffic.c - the way of a packet: queue.c has it, pipeline.c says what becomes of it, window.c
 * when, inject.c sends what the kernel does not have. A direction has the queue of its number. */
#include "traffic.h"

#include "nstime.h"
#include "say.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

_Static_assert(QUEUE_COUNT == TOPO_LINKS, "a queue for each direction");

#define MEMORY ((size_t)64 << 20) /* far more than the windows have */

static uint64_t read_clock(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

uint64_t traffic_now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

/* When the packet came, which is before it was taken; but not before the one before it. */
static uint64_t came(struct traffic *t, const struct queue_packet *packet)
{
    uint64_t *last = &t->came[packet->queue];
    uint64_t ago = packet->came > 0 && packet->came < t->now_real ? t->now_real - packet->came : 0;
    return *last = time_max(*last, t->now - time_min(ago, t->now));
}

static void *take_memory(void *ctx, size_t size)
{
    (void)ctx;
    return malloc(size);
}

static void give_memory(void *ctx, void *ptr, size_t size)
{
    (void)ctx;
    (void)size;
    free(ptr);
}

/* Whether the packets are to be seen, not only counted. */
static bool whole(const struct impair_settings *settings)
{
    bool any = false;
    for (int d = 0; d < TOPO_LINKS; d++) {
        const struct impair_way *way = &settings->way[d];
        any = any || way->dup > 0 || way->corrupt > 0 || (way->mtu > 0 && !way->black_hole);
    }
    return any;
}

int traffic_open(struct traffic *t, const struct impair_settings *settings)
{
    t->mem = (struct mem){.alloc = take_memory, .free = give_memory, .limit = MEMORY};
    t->pipeline = calloc(TOPO_LINKS, sizeof(*t->pipeline));
    bool memory = t->pipeline != NULL;
    for (int d = 0; d < TOPO_LINKS; d++)
        memory = window_init(&t->window[d], &t->mem) && memory;
    if (!memory)
        return say_failed("memory", strerror(ENOMEM), "impair: open");
    if (queue_open(&t->queue) < 0 || inject_open(&t->inject) < 0)
        return -1;
    traffic_set(t, settings);
    return 0;
}

void traffic_close(struct traffic *t)
{
    queue_close(&t->queue);
    inject_close(&t->inject);
    for (int d = 0; d < TOPO_LINKS; d++)
        window_finish(&t->window[d]);
    free(t->pipeline);
}

/* The packet's octets, to change or to repeat; NULL without memory. */
static uint8_t *copy_of(const struct queue_packet *packet)
{
    uint8_t *copy = packet->text_len == packet->len ? malloc(packet->len) : NULL;
    return copy ? memcpy(copy, packet->text, packet->len) : NULL;
}

static void take(void *arg, const struct queue_packet *packet)
{
    struct traffic *t = arg;
    const int d = packet->queue;
    t->moved = true;
    struct pipeline_fate fate = pipeline_pass(&t->pipeline[d], &t->state.settings, d,
                                              came(t, packet), packet->len, &t->state.counters[d]);
    bool copied = fate.twice || fate.corrupt;
    uint8_t *copy = copied ? copy_of(packet) : NULL;
    bool passes = fate.what == PIPELINE_PASS && (copy || !copied);
    if (fate.what == PIPELINE_TOO_LONG)
        inject_too_long(&t->inject, packet->text, packet->text_len, t->state.settings.way[d].mtu);
    struct held *held = window_put(&t->window[d], packet->number, passes ? fate.due : TIME_NEVER);
    if (!held)
        queue_decide(&t->queue, &(struct queue_verdict){.queue = d, .number = packet->number});
    t->dropped += !held || (copied && !copy);
    if (!held) {
        free(copy);
        return;
    }
    held->packet = copy;
    held->len = packet->len;
    held->twice = fate.twice;
    held->corrupt = fate.corrupt;
    held->bit = fate.bit;
}

/* Of one packet alone, which may have been copied to be changed or repeated. */
static void give_one(struct traffic *t, struct queue_verdict *v, const struct held *held)
{
    uint8_t mask = (uint8_t)(0x80 >> held->bit % 8);
    if (held->corrupt) {
        v->text = held->packet;
        v->text_len = held->len;
        held->packet[held->bit / 8] ^= mask;
    }
    queue_decide(&t->queue, v);
    if (held->corrupt)
        held->packet[held->bit / 8] ^= mask; /* the copy is of what came */
    if (held->twice) {
        queue_flush(&t->queue);
        inject_copy(&t->inject, held->packet, held->len);
    }
}

struct giving {
    struct traffic *traffic;
    int direction;
};

static void give(void *arg, const struct window_verdict *verdict)
{
    const struct giving *g = arg;
    struct queue_verdict v = {.queue = g->direction,
                              .number = verdict->number,
                              .up_to = verdict->up_to,
                              .accept = verdict->accept};
    g->traffic->moved = true;
    if (verdict->held)
        give_one(g->traffic, &v, verdict->held);
    else
        queue_decide(&g->traffic->queue, &v);
}

/* True if there is more that is due. */
static bool release(struct traffic *t, uint64_t now)
{
    bool more = false;
    for (int d = 0; d < TOPO_LINKS; d++) {
        window_release(&t->window[d], now, QUEUE_BATCH, give, &(struct giving){t, d});
        more = more || window_deadline(&t->window[d]) <= now;
    }
    queue_flush(&t->queue);
    return more;
}

static bool take_batch(struct traffic *t)
{
    t->now = traffic_now();
    t->now_real = read_clock(CLOCK_REALTIME);
    return queue_take(&t->queue, take, t);
}

void traffic_set(struct traffic *t, const struct impair_settings *settings)
{
    /* What came before is the old settings' business, and may be needed whole by these. */
    queue_show(&t->queue, whole(&t->state.settings) || whole(settings));
    while (take_batch(t)) {
    }
    t->state = (struct impair_state){.settings = *settings};
    for (int d = 0; d < TOPO_LINKS; d++)
        pipeline_reset(&t->pipeline[d]);
    t->dropped = 0;
    t->overflow_before = queue_overflow();
    queue_show(&t->queue, whole(settings));
}

const struct impair_state *traffic_state(struct traffic *t)
{
    t->state.overflow = queue_overflow() - t->overflow_before + t->dropped;
    for (int d = 0; d < TOPO_LINKS; d++)
        t->state.waiting[d] = t->window[d].waiting;
    return &t->state;
}

/* The least that a packet which comes now will be on its way. */
static uint64_t least_transit(const struct impair_settings *settings)
{
    uint64_t least = TIME_NEVER;
    for (int d = 0; d < TOPO_LINKS; d++)
        least = time_min(least, settings->way[d].delay_ns - settings->way[d].jitter_ns);
    return least;
}

/* Waking up costs more than a packet does, and at 1 Gbit/s one comes every 12 us. Where all are on
 * their way for long compared with REST, it rests for so long between turns: what is due meanwhile
 * is late by half of that on average, what comes meanwhile is not due yet, and its delay counts
 * from when the kernel saw it. */
#define REST       (100 * NS_PER_US)
#define REST_LEAST (10 * REST) /* of transit */

void traffic_work(struct traffic *t)
{
    t->moved = false;
    bool more = take_batch(t);
    more = release(t, traffic_now()) || more;
    uint64_t due = TIME_NEVER, now = traffic_now();
    for (int d = 0; d < TOPO_LINKS; d++)
        due = time_min(due, window_deadline(&t->window[d]));
    const uint64_t least = least_transit(&t->state.settings);
    t->listens = !t->moved || more || least < REST_LEAST;
    t->next = more ? 0 : t->listens ? due : time_min(time_max(due, now + REST), now + least / 2);
}

void traffic_end(struct traffic *t)
{
    while (take_batch(t)) {
    }
    while (release(t, TIME_NEVER - 1)) {
    }
}
