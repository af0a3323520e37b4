/* Time to first byte: a handshake, a request, the first octet of the answer. See golden.h. */
#include <stdlib.h>

#include "golden.h"

#define SEEDS 200

struct cell {
    uint64_t rtt_ns;
    uint32_t loss_ppm, request, write_max;
};

static void plan(struct plan *p, const void *ctx)
{
    const struct cell *c = ctx;
    golden_hosts(p, 2, 1);
    struct edge *e = golden_edge(p, 0, 1, c->rtt_ns / 2);
    e->link[0].loss_ppm = e->link[1].loss_ppm = c->loss_ppm;
    plan_conns(p, 1);
    struct conn_plan *k = &p->conn[0];
    k->host[1] = 1;
    k->open_ns = NS_PER_S;
    k->end[0] =
        (struct end_plan){.to_write = c->request, .write_max = c->write_max, .read_max = CALL_MAX};
    k->end[1] = (struct end_plan){
        .to_write = 10000, .write_after = c->request, .write_max = CALL_MAX, .read_max = CALL_MAX};
}

/* Never, when it has not come within two minutes. */
static void look(const struct world *w, void *result)
{
    const struct end *e = &w->conn[0].end[0];
    *(uint64_t *)result = e->read ? e->first_ns - e->opened_ns : 120 * NS_PER_S;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void measure(const struct cell *c)
{
    static const unsigned percentiles[] = {50, 90, 99, 100};
    uint64_t ns[SEEDS], sum = 0;
    for (uint64_t i = 0; i < SEEDS; i++) {
        const struct world_options options = {
            .plan = plan, .ctx = c, .until_ns = 121 * NS_PER_S, .look = look, .result = &ns[i]};
        golden_run(i, &options);
        sum += ns[i] / NS_PER_US;
    }
    qsort(ns, SEEDS, sizeof *ns, compare);
    printf("%6llu ms%6u%%%12llu", (unsigned long long)(c->rtt_ns / NS_PER_MS), c->loss_ppm / 10000,
           (unsigned long long)(sum / SEEDS));
    for (size_t i = 0; i < sizeof percentiles / sizeof *percentiles; i++)
        printf("%12llu", (unsigned long long)(ns[SEEDS * percentiles[i] / 100 - 1] / NS_PER_US));
    printf("\n");
}

static void table(struct cell c)
{
    static const unsigned rtts_ms[] = {1, 20, 200}, losses[] = {0, 1, 5, 20};
    printf("%9s%7s%12s%12s%12s%12s%12s\n", "rtt", "loss", "mean", "50 %", "90 %", "99 %", "most");
    for (size_t i = 0; i < sizeof rtts_ms / sizeof *rtts_ms; i++) {
        for (size_t k = 0; k < sizeof losses / sizeof *losses; k++) {
            c.rtt_ns = rtts_ms[i] * NS_PER_MS;
            c.loss_ppm = losses[k] * 10000;
            measure(&c);
        }
    }
}

void golden_first_byte(void)
{
    printf("Microseconds from connect() to the first octet of the answer, over %d seeds;\n"
           "by round trip and loss in each direction.\n\nA request of 100 octets\n",
           SEEDS);
    table((struct cell){.request = 100, .write_max = 65536});
    printf("\nA request of 4000 octets in writes of up to 1000\n");
    table((struct cell){.request = 4000, .write_max = 1000});
}
