/* Fairness: flows that share a bottleneck. See golden.h. */
#include "golden.h"

#define SPAN_NS   (30 * NS_PER_S)
#define FLOWS_MAX 8

struct cell {
    uint32_t super, flows;
    const struct cc_ops *cc[2]; /* of every other flow */
};

struct shares {
    uint32_t n;
    uint64_t octets[FLOWS_MAX];
};

/* Four hosts on each side, a router on each, 10 Mbit/s between them, a round trip of 40 ms, a queue
 * of 100 ms. The flows begin 100 ms after each other. */
static void plan(struct plan *p, const void *ctx)
{
    const struct cell *c = ctx;
    golden_hosts(p, 8, c->super);
    p->n_nodes = 10;
    for (uint32_t i = 0; i < 4; i++)
        p->host[i].tcp.cc = c->cc[i % 2];
    struct edge *e = golden_edge(p, 8, 9, 18 * NS_PER_MS);
    for (int i = 0; i < 2; i++) {
        e->link[i].rate = 10000000 / 8;
        e->link[i].queue_ns = 100 * NS_PER_MS;
    }
    for (uint32_t i = 0; i < 8; i++)
        golden_edge(p, i, 8 + i / 4, NS_PER_MS);
    plan_conns(p, c->flows);
    for (uint32_t i = 0; i < c->flows; i++) {
        struct conn_plan *k = &p->conn[i];
        k->host[0] = i % 4;
        k->host[1] = 4 + i % 4;
        k->open_ns = NS_PER_S + i * 100 * NS_PER_MS;
        k->end[0] =
            (struct end_plan){.to_write = UINT64_C(1) << 40, .write_max = CALL_MAX, .read_max = 1};
        k->end[1] =
            (struct end_plan){.finish = FINISH_AFTER_PEER, .write_max = 1, .read_max = CALL_MAX};
    }
}

static void look(const struct world *w, void *result)
{
    struct shares *s = result;
    s->n = w->plan.n_conns;
    for (uint32_t i = 0; i < s->n; i++)
        s->octets[i] = w->conn[i].end[1].read;
}

static void measure(const struct cell *c)
{
    struct shares s;
    const struct world_options options = {
        .plan = plan, .ctx = c, .until_ns = NS_PER_S + SPAN_NS, .look = look, .result = &s};
    golden_run(1, &options);
    uint64_t sum = 0, squares = 0;
    for (uint32_t i = 0; i < s.n; i++) {
        uint64_t x = s.octets[i] / 1000;
        sum += x;
        squares += x * x;
    }
    printf("%5u%9u%12llu%12llu   ", c->super, c->flows,
           (unsigned long long)(sum * 1000 / (10000000 / 8 / 1000 * (SPAN_NS / NS_PER_S))),
           (unsigned long long)(sum * sum * 1000 / (s.n * squares)));
    for (uint32_t i = 0; i < s.n; i++)
        printf("%5llu", (unsigned long long)(s.octets[i] / 1000 * 1000 / sum));
    printf("\n");
}

static void table(const char *title, const struct cc_ops *one, const struct cc_ops *other)
{
    printf("\n%s\n%5s%9s%12s%12s    %s\n", title, "super", "flows", "used", "Jain", "shares");
    for (uint32_t super = 1; super <= 44; super += 43)
        for (uint32_t flows = 2; flows <= FLOWS_MAX; flows *= 2)
            measure(&(struct cell){super, flows, {one, other}});
}

void golden_fairness(void)
{
    printf("Flows that share a bottleneck of 10 Mbit/s for 30 s; round trip 40 ms, queue 100 ms.\n"
           "All in thousandths: of the bottleneck, Jain's index, each flow's share.\n");
    table("cubic", &cc_cubic, &cc_cubic);
    table("reno", &cc_newreno, &cc_newreno);
    table("cubic, reno, cubic, ...", &cc_cubic, &cc_newreno);
}
