/* golden: prints the tables of golden/, by name. See golden.h. */
#include "golden.h"

#include <stdlib.h>
#include <string.h>

#include "fail.h"

void golden_hosts(struct plan *p, uint32_t n, uint32_t super)
{
    *p = (struct plan){.n_hosts = n, .n_nodes = n, .calm_ns = TIME_NEVER / 2};
    for (uint32_t i = 0; i < n; i++) {
        p->host[i] = (struct host_plan){
            .caps = {.mtu = 1500, .super_max = super > 1 ? super * 1460 : 0},
            .tcp = tcp_config_default(),
            .backlog = 64,
            .output_max = OUTPUT_BATCH,
            .max_socks = 64,
            .ports = 64,
        };
    }
}

struct edge *golden_edge(struct plan *p, uint32_t a, uint32_t b, uint64_t delay_ns)
{
    struct edge *e = &p->edge[p->n_edges++];
    e->node[0] = a;
    e->node[1] = b;
    e->link[0] = e->link[1] = (struct link_plan){.delay_ns = delay_ns};
    return e;
}

void golden_run(uint64_t seed, const struct world_options *options)
{
    struct world_result result;
    if (!world_run(seed, options, &result))
        exit(1);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*print)(void);
    } tables[] = {
        {"throughput", golden_throughput}, {"fairness", golden_fairness},
        {"distance", golden_distance},     {"first-byte", golden_first_byte},
        {"matrix", golden_matrix},
    };
    fail_catch_abort();
    for (size_t i = 0; argc == 2 && i < sizeof tables / sizeof *tables; i++) {
        if (strcmp(argv[1], tables[i].name) == 0) {
            tables[i].print();
            return 0;
        }
    }
    fputs("usage: golden throughput|fairness|distance|first-byte|matrix\n", stderr);
    return 2;
}
