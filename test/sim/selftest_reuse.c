/* Self test of the checkers of four-tuples that are used again. See selftest.h. */
#include <stdio.h>
#include <string.h>

#include "check_reuse.h"
#include "fail.h"
#include "nstime.h"
#include "selftest.h"
#include "who.h"

/* Two connections of one four-tuple, without an engine. The first sent 1000 octets each way, from
 * sequence numbers 100 and 5000 on; the second begins a second later. */
struct scene {
    struct world world;
    struct conn_plan plan;
    struct host_plan host_plan;
    struct host host[2];
    struct conn conn[2];
    struct end *was, *is; /* the clients */
};

static struct scene *scene_new(void)
{
    static struct scene s;
    memset(&s, 0, sizeof s);
    s.world.conn = s.conn;
    s.world.plan.n_conns = 2;
    s.host_plan.ports = 2;
    for (uint32_t i = 0; i < 2; i++) {
        s.host[i].world = &s.world;
        s.host[i].plan = &s.host_plan;
        s.host[i].addr = ip_addr_v4(0x0a000001 + i);
        struct conn *c = &s.conn[i];
        *c = (struct conn){.world = &s.world, .plan = &s.plan, .index = i, .port = {40000, 7}};
        for (uint8_t k = 0; k < 2; k++) {
            c->end[k] = (struct end){.conn = c, .side = k, .host = &s.host[k], .life = 1};
            c->end[k].wire.iss_ns = i * NS_PER_S;
            c->end[k].wire.sent = 1001;
            c->end[k].wire.syn_sent = true;
            c->end[k].wire.iss = seq((k ? 5000 : 100) + i * 250000);
        }
    }
    who_begins(&s.conn[0]);
    who_begins(&s.conn[1]);
    s.was = &s.conn[0].end[0];
    s.is = &s.conn[1].end[0];
    return &s;
}

static void isn_good(void *arg)
{
    struct scene *s = arg;
    reuse_syn_sent(s->is);
    s->is->wire.iss = seq(0); /* after a crash it is any number */
    s->is->life = 2;
    reuse_syn_sent(s->is);
}

static void isn_behind(void *arg)
{
    struct scene *s = arg;
    s->is->wire.iss = seq(100 + 249998);
    reuse_syn_sent(s->is);
}

static void reopened_good(void *arg)
{
    struct scene *s = arg;
    s->conn[0].end[1].time_wait = true;
    s->is->wire.iss = seq(1101);
    reuse_half_open(&s->conn[1].end[1]);
}

static void reopened_by_old_syn(void *arg)
{
    struct scene *s = arg;
    s->conn[0].end[1].time_wait = true;
    s->is->wire.iss = seq(1100);
    reuse_half_open(&s->conn[1].end[1]);
}

/* MAY-2 (1), for the number of the SYN-ACK. */
static void reopened_with_old_number(void *arg)
{
    struct scene *s = arg;
    struct end *e = &s->conn[1].end[1];
    const struct seg syn_ack = {.flags = TCP_SYN | TCP_ACK,
                                .seq = {5000 + 1000},
                                .ack = {1102},
                                .opts = {.has_mss = true, .mss = 1}};
    reopened_good(s);
    e->wire.syn_sent = false;
    e->wire.peer_syn = e->wire.passive = true;
    e->wire.mss = 1;
    e->wire.arrived = e->wire.ack_watch.contig = 1;
    wire_sent(&e->wire, &s->is->wire, &syn_ack, 0);
}

/* Seed 723746: the connection in TIME-WAIT had a number of its own that nobody here knows. */
static void reopened_after_a_lost_one(void *arg)
{
    struct scene *s = arg;
    s->conn[0].end[1].wire.lost = true;
    reopened_with_old_number(s);
}

static void in_use_good(void *arg)
{
    struct scene *s = arg;
    s->was->in_engine = true;
    reuse_refused(s->is, ERR_IN_USE);
    s->is->in_engine = true;
    reuse_refused(s->is, ERR_NO_PORT);
}

static void not_in_use(void *arg)
{
    reuse_refused(((struct scene *)arg)->is, ERR_IN_USE);
}

static void a_port_is_free(void *arg)
{
    struct scene *s = arg;
    s->was->in_engine = true;
    reuse_refused(s->is, ERR_NO_PORT);
}

/* What would be taken for the second connection's, and what not. */
static int confuses(void)
{
    struct scene *s = scene_new();
    struct frame f = {.conn = &s->conn[0], .seg = {.seq = {100}, .text_len = 100}};
    uint32_t iss = s->is->wire.iss.v;
    bool wrong = reuse_confuses(&f);
    f.seg.seq = seq(iss - 101);
    wrong = wrong || reuse_confuses(&f);
    f.seg.seq = seq(iss - 100);
    wrong = wrong || !reuse_confuses(&f);
    f.conn = &s->conn[1];
    wrong = wrong || reuse_confuses(&f);
    if (wrong)
        printf("confuses: wrong\n");
    return wrong;
}

int selftest_reuse(void)
{
    static const struct {
        const char *name;
        void (*act)(void *arg);
        const char *checker;
    } tests[] = {
        {"isn", isn_good, NULL},
        {"isn behind the clock", isn_behind, "isn"},
        {"reopened", reopened_good, NULL},
        {"reopened by an old SYN", reopened_by_old_syn, "time-wait"},
        {"reopened with an old number", reopened_with_old_number, "time-wait"},
        {"reopened after a lost one", reopened_after_a_lost_one, NULL},
        {"in use", in_use_good, NULL},
        {"not in use", not_in_use, "port"},
        {"a port is free", a_port_is_free, "port"},
    };
    int failed = confuses();
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        failed += expect(tests[i].name, tests[i].act, scene_new(), tests[i].checker);
    return failed;
}
