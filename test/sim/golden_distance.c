/* Throughput by bandwidth, distance and loss, CUBIC beside NewReno. See golden.h. */
#include "golden.h"

#define MSS 1460

struct cell {
    const struct cc_ops *cc;
    uint32_t mbits, rtt_ms, loss_ppm; /* of the way there */
    uint64_t span_ns;
};

/* As much in the queue as under way, and buffers that stand in nobody's way. */
static void plan(struct plan *p, const void *ctx)
{
    const struct cell *c = ctx;
    golden_hosts(p, 2, 1);
    struct edge *e = golden_edge(p, 0, 1, c->rtt_ms * NS_PER_MS / 2);
    e->link[0].rate = e->link[1].rate = c->mbits * 1000000 / 8;
    e->link[0].queue_ns = e->link[1].queue_ns = c->rtt_ms * NS_PER_MS;
    e->link[0].loss_ppm = c->loss_ppm;
    p->host[0].tcp.cc = c->cc;
    p->host[1].tcp.rcvbuf = p->host[1].tcp.rcvbuf_max = 16u << 20;
    plan_conns(p, 1);
    struct conn_plan *k = &p->conn[0];
    k->host[1] = 1;
    k->open_ns = NS_PER_S;
    k->end[0] = (struct end_plan){
        .to_write = UINT64_C(1) << 40, .write_max = CALL_MAX, .read_max = 1, .sndbuf = 16u << 20};
    k->end[1] =
        (struct end_plan){.finish = FINISH_AFTER_PEER, .write_max = 1, .read_max = CALL_MAX};
}

static void look(const struct world *w, void *result)
{
    *(uint64_t *)result = w->conn[0].end[1].read;
}

static uint64_t octets(const struct cell *c)
{
    uint64_t n = 0;
    const struct world_options options = {
        .plan = plan, .ctx = c, .until_ns = NS_PER_S + c->span_ns, .look = look, .result = &n};
    golden_run(1, &options);
    return n;
}

static const struct cc_ops *const algorithms[] = {&cc_cubic, &cc_newreno};

/* What the queue's overflow leaves of the bandwidth. */
static void by_bandwidth(void)
{
    static const uint32_t rates[] = {2, 10}, rtts[] = {20, 100, 300};
    const uint64_t span_s = 60;
    printf(
        "Thousandths of the bandwidth, over %u s; nothing is lost but what the queue has no room\n"
        "for, which is as long as the path.\n\n%-9s",
        (unsigned)span_s, "Mbit/s ms");
    for (int i = 0; i < 6; i++)
        printf("%5u%4u", rates[i / 3], rtts[i % 3]);
    for (size_t a = 0; a < 2; a++) {
        printf("\n%-9s", algorithms[a]->name);
        for (int i = 0; i < 6; i++) {
            const struct cell c = {algorithms[a], rates[i / 3], rtts[i % 3], 0, span_s * NS_PER_S};
            printf("%9llu", (unsigned long long)(octets(&c) * 8 / 1000 / c.mbits / span_s));
        }
    }
    printf("\n");
}

/* What random loss leaves of the window, where there is bandwidth enough. */
static void by_loss(void)
{
    static const uint32_t rtts[] = {10, 100}, losses[] = {10000, 1000, 100};
    printf(
        "\nThe mean window in segments, by round trip and loss; bandwidth is no limit. RFC 9438 "
        "5.1\nhas 12, 38 and 187 for 100 ms, and 12, 38 and 120 for 10 ms and for NewReno.\n\n%-9s",
        "ms loss");
    for (int i = 0; i < 6; i++)
        printf("%4u.%02u%%", rtts[i / 3], losses[i % 3] / 100);
    for (size_t a = 0; a < 2; a++) {
        printf("\n%-9s", algorithms[a]->name);
        for (int i = 0; i < 6; i++) {
            struct cell c = {algorithms[a], 1000, rtts[i / 3], losses[i % 3], 0};
            uint64_t round_trips = 500;
            c.span_ns = round_trips * c.rtt_ms * NS_PER_MS;
            printf("%9llu", (unsigned long long)(octets(&c) / MSS / round_trips));
        }
    }
    printf("\n");
}

void golden_distance(void)
{
    by_bandwidth();
    by_loss();
}
