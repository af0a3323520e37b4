/* Throughput by round trip, loss and buffers: the matrix. See golden.h. */
#include "golden.h"

#define MBITS   50
#define SPAN_NS (5 * NS_PER_S)

struct cell {
    uint32_t rtt_ms, loss_ppm; /* of the way there */
    uint32_t buffer;           /* of both sides; 0: the engine's own, which grow */
};

/* As much in the queue as under way, 10 ms at least. */
static void plan(struct plan *p, const void *ctx)
{
    const struct cell *c = ctx;
    golden_hosts(p, 2, 1);
    struct edge *e = golden_edge(p, 0, 1, c->rtt_ms * NS_PER_MS / 2);
    for (int i = 0; i < 2; i++) {
        e->link[i].rate = MBITS * 1000000 / 8;
        e->link[i].queue_ns = (c->rtt_ms > 10 ? c->rtt_ms : 10) * NS_PER_MS;
    }
    e->link[0].loss_ppm = c->loss_ppm;
    plan_conns(p, 1);
    struct conn_plan *k = &p->conn[0];
    k->host[1] = 1;
    k->open_ns = NS_PER_S;
    k->end[0] = (struct end_plan){
        .to_write = UINT64_C(1) << 40, .write_max = CALL_MAX, .read_max = 1, .sndbuf = c->buffer};
    k->end[1] =
        (struct end_plan){.finish = FINISH_AFTER_PEER, .write_max = 1, .read_max = CALL_MAX};
    if (c->buffer)
        p->host[1].tcp.rcvbuf = p->host[1].tcp.rcvbuf_max = c->buffer;
}

static void look(const struct world *w, void *result)
{
    *(uint64_t *)result = w->conn[0].end[1].read;
}

/* The mean of two seeds under loss, where one says little. */
static unsigned long long measure(const struct cell *c)
{
    uint64_t sum = 0, seeds = c->loss_ppm ? 2 : 1;
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        uint64_t octets = 0;
        const struct world_options options = {.plan = plan,
                                              .ctx = c,
                                              .until_ns = NS_PER_S + SPAN_NS,
                                              .look = look,
                                              .result = &octets};
        golden_run(seed, &options);
        sum += octets;
    }
    return sum / seeds * NS_PER_S / SPAN_NS / 1000;
}

void golden_matrix(void)
{
    static const uint32_t rtts[] = {1, 3, 10, 30, 100, 300};
    static const uint32_t losses[] = {0, 1000, 10000, 30000, 100000};
    static const uint32_t buffers[] = {64u << 10, 1u << 20, 0};
    printf(
        "Throughput in 1000 octets a second, over the first 5 s; %u Mbit/s, a queue of one round\n"
        "trip; by buffers, round trip and loss.\n",
        MBITS);
    for (int b = 0; b < 3; b++) {
        if (buffers[b])
            printf("\n%u KiB\n%6s", buffers[b] >> 10, "ms");
        else
            printf("\nbuffers that grow\n%6s", "ms");
        for (int l = 0; l < 5; l++)
            printf("%7u.%u%%", losses[l] / 10000, losses[l] / 1000 % 10);
        for (int r = 0; r < 6; r++) {
            printf("\n%6u", rtts[r]);
            for (int l = 0; l < 5; l++)
                printf("%9llu", measure(&(struct cell){rtts[r], losses[l], buffers[b]}));
        }
        printf("\n");
    }
}
