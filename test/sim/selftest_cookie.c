/* Self test of the checkers of SYN cookies. See selftest.h. */
#include <stdio.h>
#include <string.h>

#include "check_cookie.h"
#include "cookie.h"
#include "nstime.h"
#include "selftest.h"

/* A connection without an engine, in the second second: A's SYN has reached B, which has answered
 * it with a cookie whose number is 100. */
struct scene {
    struct world world;
    struct host_plan plan;
    struct host host;
    struct mtu_list told;
    struct conn conn;
    struct end *a, *b;
};

static const struct seg first = {.flags = TCP_SYN | TCP_ACK,
                                 .seq = {100},
                                 .ack = {8},
                                 .wnd = 8000,
                                 .opts = {.has_mss = true, .mss = 1000}};

static struct scene *scene_new(void)
{
    static struct scene s;
    memset(&s, 0, sizeof s);
    s.plan.tcp.syncookies = SYNCOOKIES_FULL;
    s.host.plan = &s.plan;
    s.world.now_ns = NS_PER_S;
    s.conn.world = &s.world;
    for (uint8_t i = 0; i < 2; i++) {
        struct end *e = &s.conn.end[i];
        *e = (struct end){.conn = &s.conn, .side = i, .host = &s.host};
        e->wire = (struct wire_end){
            .mss = 1000, .rcvbuf = 8000, .told = &s.told, .shift = -1, .storm.credit = 2};
    }
    s.a = &s.conn.end[0];
    s.b = &s.conn.end[1];
    s.a->wire.iss = seq(7);
    s.a->wire.syn_sent = s.b->wire.peer_syn = s.b->wire.passive = true;
    s.b->wire.arrived = s.b->wire.ack_watch.contig = 1;
    cookie_syn_sent(s.b, &first, true);
    return &s;
}

/* B sends the second cookie; it has a connection that the ACK of the first has made now, or
 * earlier. */
static uint32_t second_goes(struct scene *s, bool now)
{
    struct seg second = first;
    second.seq = seq(200);
    s->b->in_engine = true;
    s->b->cookie_ns = NS_PER_S - !now;
    return cookie_syn_sent(s->b, &second, true);
}

/* Seeds 654093, 736158: a copy of the SYN has come right before that ACK, in the next period. What
 * it is answered with lies behind, and is of no connection any more: the one that there is goes on.
 */
static int crosses_ack(void)
{
    struct scene *s = scene_new();
    uint32_t epoch = second_goes(s, true);
    if (!s->b->wire.ghost && epoch != wire_epoch(&s->b->wire) && seq_eq(s->b->wire.iss, first.seq))
        return 0;
    printf("a cookie made before an ACK has come is taken for the connection's\n");
    return 1;
}

/* Seed 1359601: a SYN in between is answered with another cookie (of other options), the next with
 * the first again. The connection that comes of the first, whichever copy, is the same. */
static int comes_again(void)
{
    struct scene *s = scene_new();
    struct seg other = first;
    uint32_t epoch = wire_epoch(&s->b->wire);
    other.seq = seq(200);
    uint32_t between = cookie_syn_sent(s->b, &other, true);
    cookie_syn_sent(s->b, &first, true);
    wire_arrived(&s->a->wire, &s->b->wire, &first, epoch, s->world.now_ns);
    if (between != epoch && !s->a->wire.lost && s->a->wire.arrived == 1)
        return 0;
    printf("a cookie that is made again is taken for another\n");
    return 1;
}

static void good(void *arg)
{
    struct scene *s = arg;
    cookie_asked_by(s->b, seq(8));
    s->b->in_engine = true;
    cookie_syn_sent(s->b, &first, true);
}

static void another_later(void *arg)
{
    struct scene *s = arg;
    s->b->wire.taken = true;
    second_goes(s, false);
}

static void of_nobody(void *arg)
{
    cookie_asked_by(((struct scene *)arg)->b, seq(9));
}

static void not_to_be(void *arg)
{
    struct scene *s = arg;
    s->plan.tcp.syncookies = SYNCOOKIES_NEVER;
    cookie_syn_sent(s->b, &first, true);
}

static void without_timestamps(void *arg)
{
    struct seg scaled = first;
    scaled.opts.has_wscale = true;
    cookie_syn_sent(((struct scene *)arg)->b, &scaled, true);
}

/* Of a cookie that tcp/cookie.c has made: its ACK fits, for two periods, and so do those of the
 * other MSSs; nothing else does. */
static int fits(void)
{
    struct scene *s = scene_new();
    const struct flow flow = {
        .local = ip_addr_v4(1), .remote = ip_addr_v4(2), .local_port = 3, .remote_port = 4};
    const struct seg kept = {.flags = TCP_SYN, .seq = {7}, .opts = {.has_mss = true, .mss = 536}};
    const struct siphash_key key = cookie_key(&s->host.secret);
    seq_t cookie = cookie_make(&key, &flow, &kept, NS_PER_S);
    int good = 0, bad = 0;
    s->host.world = &s->world;
    for (int i = -100; i < 100; i++) {
        bool is_one = i >= -1 && i < 7; /* 536 is the second of eight */
        s->host.heard =
            (struct seg){.flags = TCP_ACK, .seq = seq(8), .ack = seq_add(cookie, (uint32_t)i + 1)};
        for (int minutes = 0; minutes < 4; minutes++) {
            s->world.now_ns = (1 + 64 * (uint64_t)minutes) * NS_PER_S;
            bool now = cookie_fits(&s->host, &flow);
            good += now && is_one && minutes < 2;
            bad += now && !(is_one && minutes < 2);
        }
    }
    s->host.heard = (struct seg){.flags = TCP_ACK, .seq = seq(9), .ack = seq_add(cookie, 1)};
    s->world.now_ns = NS_PER_S;
    bad += cookie_fits(&s->host, &flow);
    if (good == 16 && bad == 0)
        return 0;
    printf("%d ACKs of a cookie are found, of 16, and %d others\n", good, bad);
    return 1;
}

int selftest_cookie(void)
{
    static const struct {
        const char *name;
        void (*act)(void *arg);
        const char *checker;
    } tests[] = {
        {"cookie", good, NULL},
        {"cookie, and another number later", another_later, "wire"},
        {"cookie of nobody", of_nobody, "cookie"},
        {"cookie where there are none", not_to_be, "cookie"},
        {"cookie that forgets", without_timestamps, "cookie"},
    };
    int failed = crosses_ack() + comes_again() + fits();
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        failed += expect(tests[i].name, tests[i].act, scene_new(), tests[i].checker);
    return failed;
}
