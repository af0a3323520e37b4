/* Self test of the checker of liveness. See selftest.h. */
#include <stdio.h>
#include <string.h>

#include "check_live.h"
#include "fail.h"
#include "nstime.h"
#include "selftest.h"

#define PATIENCE (240 * NS_PER_S) /* twice the RTO's maximum, and half a minute */
#define RTO_MAX  (105 * NS_PER_S)
#define R2       (600 * NS_PER_S)
#define CALM     (10 * NS_PER_S)

/* A connection that stands still since a second after faults have ended. */
struct scene {
    struct world world;
    struct conn_plan plan;
    struct end_plan end_plan;
    struct conn conn;
};

static struct scene *scene_new(void)
{
    static struct scene s;
    memset(&s, 0, sizeof s);
    s.world.conn = &s.conn;
    s.world.plan.n_conns = s.world.plan.n_hosts = 1;
    s.world.plan.calm_ns = CALM - NS_PER_S;
    s.world.plan.host[0].tcp.rto_max_ns = RTO_MAX;
    s.world.plan.host[0].tcp.user_timeout_ns = R2;
    s.conn.plan = &s.plan;
    s.conn.world = &s.world;
    s.conn.end[0].plan = s.conn.end[1].plan = &s.end_plan;
    return &s;
}

static bool is_stuck(struct scene *s, uint64_t now_ns, uint64_t dropped_ns)
{
    s->world.now_ns = now_ns;
    s->conn.dropped_ns = dropped_ns;
    return live_is_stuck(&s->world, &s->conn);
}

/* Whether a packet that meets a full queue counts for the connection. */
static bool drop_counts(struct scene *s, bool forged, enum frame_icmp icmp)
{
    struct plan *p = &s->world.plan;
    struct frame *f = sim_zalloc(1, sizeof *f);
    p->n_hosts = p->n_nodes = 2;
    p->n_edges = 1;
    p->edge[0].node[1] = 1;
    p->edge[0].link[0].rate = 1000;
    net_init(&s->world);
    s->world.net.link[0].busy_until_ns = s->world.now_ns + 1;
    *f = (struct frame){.refs = 1, .conn = &s->conn, .forged = forged, .icmp = (uint8_t)icmp};
    s->conn.dropped_ns = 0;
    link_send(&s->world.net.link[0], f, s->world.now_ns);
    return s->conn.dropped_ns == s->world.now_ns;
}

int selftest_live(void)
{
    struct scene *s = scene_new();
    const uint64_t dropped = CALM + 100 * NS_PER_S, end = CALM + PATIENCE;
    bool good =
        live_patience_ns(&s->world) == PATIENCE && !is_stuck(s, end - 1, 0) && is_stuck(s, end, 0);
    /* Before the calm it is no excuse; later it is, as the timer goes on from there (seed 651656),
     * but not for longer than R2. */
    good = good && is_stuck(s, end, CALM - 1) && !is_stuck(s, end, dropped) &&
           !is_stuck(s, dropped + PATIENCE - 1, dropped) &&
           is_stuck(s, dropped + PATIENCE, dropped) && !is_stuck(s, end + R2 - 1, end + R2 - 1) &&
           is_stuck(s, end + R2, end + R2);
    s->conn.end[1].wire.moved_ns = 2 * CALM;
    good = good && !is_stuck(s, end, 0) && is_stuck(s, end + CALM, 0);
    /* Where packets are lost all the time: */
    s->world.loss_ppm = 1;
    good = good && !is_stuck(s, end + CALM + R2 - 1, 0) && is_stuck(s, end + CALM + R2, 0);
    s->world.loss_ppm = 0;
    /* Where a router is silent (seed 1247376): R1 more, if it has something to be silent about. */
    struct link_plan *l = &s->world.plan.edge[0].link[1];
    s->world.plan.n_edges = 1;
    s->world.plan.host[0].tcp.r1 = 3;
    l->n_mtu = 1;
    good = good && live_patience_ns(&s->world) == PATIENCE;
    l->mtu_silent = true;
    good = good && live_patience_ns(&s->world) == PATIENCE;
    s->world.plan.host[0].tcp.mtu_probing = true;
    good = good && live_patience_ns(&s->world) == PATIENCE + 3 * RTO_MAX;
    l->n_mtu = 0;
    good = good && live_patience_ns(&s->world) == PATIENCE;
    good = good && drop_counts(s, false, ICMP_SAYS_NOTHING) &&
           !drop_counts(s, true, ICMP_SAYS_NOTHING) && !drop_counts(s, false, ICMP_SAYS_TOO_BIG);
    if (!good)
        printf("liveness: not the time that it takes\n");
    return !good;
}
