/* Throughput by receive buffer and loss, and with a reader that pauses. See golden.h. */
#include "golden.h"

#define SPAN_NS (5 * NS_PER_S)

struct cell {
    uint32_t super, rcvbuf, loss_ppm;
    uint32_t read_max;
    uint64_t pause_ns;
};

static const uint32_t losses[] = {0, 1000, 10000, 30000, 100000};
#define LOSSES (sizeof losses / sizeof *losses)

/* 50 Mbit/s, a round trip of 50 ms, as much again in the queue. */
static void plan(struct plan *p, const void *ctx)
{
    const struct cell *c = ctx;
    golden_hosts(p, 2, c->super);
    struct edge *e = golden_edge(p, 0, 1, 25 * NS_PER_MS);
    for (int i = 0; i < 2; i++) {
        e->link[i].rate = 50000000 / 8;
        e->link[i].queue_ns = 50 * NS_PER_MS;
        e->link[i].loss_ppm = c->loss_ppm;
    }
    plan_conns(p, 1);
    struct conn_plan *k = &p->conn[0];
    k->host[1] = 1;
    k->open_ns = NS_PER_S;
    k->end[0] = (struct end_plan){
        .to_write = UINT64_C(1) << 40, .write_max = CALL_MAX, .read_max = 1, .sndbuf = 8u << 20};
    k->end[1] = (struct end_plan){.finish = FINISH_AFTER_PEER,
                                  .write_max = 1,
                                  .read_max = c->read_max,
                                  .read_pause_ns = c->pause_ns};
    if (c->rcvbuf)
        p->host[1].tcp.rcvbuf = p->host[1].tcp.rcvbuf_max = c->rcvbuf;
}

static void look(const struct world *w, void *result)
{
    *(uint64_t *)result = w->conn[0].end[1].read;
}

/* In units of 1000 octets a second. */
static unsigned long long measure(const struct cell *c)
{
    uint64_t octets = 0;
    const struct world_options options = {
        .plan = plan, .ctx = c, .until_ns = NS_PER_S + SPAN_NS, .look = look, .result = &octets};
    golden_run(1, &options);
    return octets * NS_PER_S / SPAN_NS / 1000;
}

static void row(struct cell c)
{
    if (c.rcvbuf)
        printf("%6u KiB", c.rcvbuf / 1024);
    else
        printf("%10s", "grows");
    for (size_t i = 0; i < LOSSES; i++) {
        c.loss_ppm = losses[i];
        printf("%9llu", measure(&c));
    }
    printf("\n");
}

static void table(struct cell c, const uint32_t *rcvbufs, size_t n)
{
    printf("%-10s", "buffer");
    for (size_t i = 0; i < LOSSES; i++)
        printf("%7u.%u%%", losses[i] / 10000, losses[i] / 1000 % 10);
    printf("\n");
    for (size_t i = 0; i < n; i++) {
        c.rcvbuf = rcvbufs[i];
        row(c);
    }
}

void golden_throughput(void)
{
    static const uint32_t all[] = {4u << 10,    16u << 10, 64u << 10, 256u << 10,
                                   1024u << 10, 4u << 20,  0};
    static const uint32_t some[] = {16u << 10, 64u << 10, 0};
    printf(
        "Throughput in 1000 octets a second, over 5 s; 50 Mbit/s, round trip 50 ms, queue 50 ms;\n"
        "by receive buffer and loss in each direction.\n");
    for (uint32_t super = 1; super <= 44; super += 43) {
        printf("\nsuper-segments of %u MSS\n", super);
        table((struct cell){.super = super, .read_max = CALL_MAX}, all, sizeof all / sizeof *all);
    }
    printf("\nsuper-segments of 44 MSS, a reader that takes up to 64 KiB every 50 ms\n");
    table((struct cell){.super = 44, .read_max = CALL_MAX, .pause_ns = 50 * NS_PER_MS}, some,
          sizeof some / sizeof *some);
}
