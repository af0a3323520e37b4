/* Self test of the checkers of endings, of the payload and of memory. See selftest.h. */
#include <stdio.h>
#include <string.h>

#include "check_end.h"
#include "check_mem.h"
#include "check_stream.h"
#include "fail.h"
#include "nstime.h"
#include "payload.h"
#include "selftest.h"
#include "simmem.h"
#include "who.h"

/* A connection without an engine, side 0 the client; everything written, nothing ended. */
struct scene {
    struct world world;
    struct conn_plan plan;
    struct host_plan host_plan;
    struct end_plan end_plan;
    struct host host[2];
    struct conn conn;
    struct end *a, *b;
};

static struct scene *scene_new(void)
{
    static struct scene s;
    memset(&s, 0, sizeof s);
    s.conn.plan = &s.plan;
    s.conn.world = &s.world;
    for (uint8_t i = 0; i < 2; i++) {
        s.host[i].world = &s.world;
        s.host[i].plan = &s.host_plan;
        s.conn.end[i] =
            (struct end){.conn = &s.conn, .side = i, .host = &s.host[i], .plan = &s.end_plan};
        s.conn.end[i].opened = s.conn.end[i].connected = true;
        s.conn.end[i].wire.written = 100;
        s.conn.end[i].wire.passive = i == 1;
    }
    s.a = &s.conn.end[0];
    s.b = &s.conn.end[1];
    return &s;
}

/* The first n octets of b's stream but for `wrong`, which is changed. */
static void read_octets(struct scene *s, size_t n, size_t wrong)
{
    uint8_t buf[200];
    payload_fill(s->b->wire.stream, 0, buf, sizeof buf);
    if (wrong < n)
        buf[wrong] ^= 1;
    stream_read(s->a, buf, n);
}

static void stream_good(void *arg)
{
    read_octets(arg, 100, 100);
}

static void stream_wrong(void *arg)
{
    read_octets(arg, 100, 99);
}

static void stream_twice(void *arg)
{
    read_octets(arg, 50, 50);
    read_octets(arg, 50, 50);
}

static void stream_too_much(void *arg)
{
    read_octets(arg, 101, 101);
}

static void stream_deaf(void *arg)
{
    ((struct scene *)arg)->a->deaf = true;
    read_octets(arg, 1, 1);
}

static void eof_good(void *arg)
{
    struct scene *s = arg;
    s->b->send_closed = true;
    s->a->read = 100;
    stream_end(s->a);
}

static void eof_unasked(void *arg)
{
    struct scene *s = arg;
    s->a->read = 100;
    stream_end(s->a);
}

static void eof_early(void *arg)
{
    struct scene *s = arg;
    s->b->send_closed = true;
    s->a->read = 99;
    stream_end(s->a);
}

static void reset_good(void *arg)
{
    struct scene *s = arg;
    s->b->aborted = true;
    end_check_error(s->a, ERR_RESET);
    s->b->aborted = false;
    s->b->finished = true;
    end_check_error(s->a, ERR_RESET);
    s->b->finished = false;
    s->b->left = true; /* close() with unread text */
    s->b->read = 50;
    end_check_error(s->a, ERR_RESET);
}

static void reset_by_nobody(void *arg)
{
    struct scene *s = arg;
    s->b->left = s->b->eof = s->b->in_engine = true;
    s->b->read = 100;
    end_check_error(s->a, ERR_RESET);
}

static void reset_in_a_crowd(void *arg)
{
    struct scene *s = arg;
    s->b->crowded = true;
    s->b->opened = false;
    end_check_error(s->a, ERR_RESET);
}

static void reset_out_of_a_crowd(void *arg)
{
    struct scene *s = arg;
    s->b->crowded = true;
    end_check_error(s->a, ERR_RESET);
}

static void reset_after_a_cookie(void *arg)
{
    struct scene *s = arg;
    s->b->cookied = true;
    s->b->opened = false;
    end_check_error(s->a, ERR_RESET);
}

static void reset_long_after_a_cookie(void *arg)
{
    struct scene *s = arg;
    s->b->cookied = true;
    end_check_error(s->a, ERR_RESET);
}

static void reset_by_crash(void *arg)
{
    struct scene *s = arg;
    s->b->crashed = true;
    end_check_error(s->a, ERR_RESET);
}

static void eof_by_crash(void *arg)
{
    struct scene *s = arg;
    s->b->crashed = true;
    s->a->read = 100;
    stream_end(s->a);
}

static void eof_early_by_crash(void *arg)
{
    struct scene *s = arg;
    s->b->crashed = s->b->send_closed = true;
    s->a->read = 99;
    stream_end(s->a);
}

static void refused_by_listener(void *arg)
{
    struct scene *s = arg;
    s->a->connected = false;
    end_check_error(s->a, ERR_REFUSED);
}

static void timed_out_unsaid(void *arg)
{
    end_check_error(((struct scene *)arg)->a, ERR_TIMEDOUT);
}

/* The engine tells that a's connection has gone from one state to another, two seconds after a was
 * opened, last heard of anything and entered its state. */
static void moves(struct scene *s, const char *from, const char *to, const char *why)
{
    const struct trace_point point = {
        .kind = TRACE_STATE, .sock_id = 1, .from = from, .to = to, .text = why};
    who_is(s->a, 1);
    s->host_plan.tcp.msl_ns = s->host_plan.tcp.user_timeout_ns = NS_PER_S;
    s->host_plan.tcp.syn_timeout_ns = s->host_plan.tcp.orphan_ns = 2 * NS_PER_S;
    s->host_plan.tcp.keepalive = (struct keepalive_settings){1000, 500, 2, true};
    s->world.now_ns = 2 * NS_PER_S;
    end_state(&s->host[0], &point);
}

static void time_wait_good(void *arg)
{
    moves(arg, "TIME-WAIT", "CLOSED", "TIME-WAIT timeout");
}

static void time_wait_too_short(void *arg)
{
    ((struct scene *)arg)->a->wait_ns = 1;
    time_wait_good(arg);
}

static void orphan_good(void *arg)
{
    ((struct scene *)arg)->a->left = true;
    moves(arg, "FIN-WAIT-2", "CLOSED", "TIME-WAIT timeout, or no user");
}

static void orphan_with_user(void *arg)
{
    moves(arg, "FIN-WAIT-2", "CLOSED", "TIME-WAIT timeout, or no user");
}

static void user_timeout_good(void *arg)
{
    moves(arg, "ESTABLISHED", "CLOSED", "user timeout");
    end_check_error(((struct scene *)arg)->a, ERR_TIMEDOUT);
}

static void user_timeout_too_soon(void *arg)
{
    ((struct scene *)arg)->a->wire.progress_ns = NS_PER_S + 1;
    moves(arg, "ESTABLISHED", "CLOSED", "user timeout");
}

static void syn_unanswered(void *arg)
{
    ((struct scene *)arg)->a->calm_syns = 2;
    moves(arg, "SYN-SENT", "CLOSED", "user timeout");
}

static void syn_answered(void *arg)
{
    ((struct scene *)arg)->a->calm_answers = 1;
    syn_unanswered(arg);
}

static void keepalive_good(void *arg)
{
    moves(arg, "ESTABLISHED", "CLOSED", "keep-alive");
}

static void keepalive_too_soon(void *arg)
{
    ((struct scene *)arg)->a->wire.heard_ns = 1;
    moves(arg, "ESTABLISHED", "CLOSED", "keep-alive");
}

static void unreachable_good(void *arg)
{
    struct scene *s = arg;
    s->a->unreachable = s->a->timed_out = true;
    end_check_error(s->a, ERR_HOSTUNREACH);
}

static void unreachable_unsaid(void *arg)
{
    struct scene *s = arg;
    s->a->timed_out = true;
    end_check_error(s->a, ERR_HOSTUNREACH);
}

static void unknown_error(void *arg)
{
    end_check_error(((struct scene *)arg)->a, ERR_INVAL);
}

static void pair_good(void *arg)
{
    struct scene *s = arg;
    s->a->eof = s->b->eof = true;
    s->a->read = s->b->read = 100;
    end_check_pair(&s->conn);
}

static void pair_short(void *arg)
{
    struct scene *s = arg;
    s->a->eof = s->b->eof = true;
    s->a->read = 100;
    s->b->read = 99;
    end_check_pair(&s->conn);
}

static void memory(void *arg)
{
    struct rng rng;
    struct simmem m;
    rng_init(&rng, 1);
    simmem_init(&m, &rng, 1000);
    uint8_t *p = mem_alloc(&m.mem, 100);
    switch (*(int *)arg) {
    case 0: /* written beyond its end */
        p[100] = 1;
        mem_free(&m.mem, p, 100);
        break;
    case 1: /* another size */
        mem_free(&m.mem, p, 99);
        break;
    case 2: /* an account that is wrong */
        m.mem.used++;
        simmem_check(&m);
        break;
    default:
        mem_free(&m.mem, p, 100);
        simmem_check(&m);
        break;
    }
    simmem_finish(&m);
}

/* 90 octets are held at a: 30 that b has not acknowledged, 60 that nobody has read. */
static struct scene *memory_in_use(size_t octets)
{
    struct scene *s = scene_new();
    s->world.conn = &s->conn;
    s->world.plan.n_conns = 1;
    s->conn.index = 1; /* all is copied */
    s->a->in_engine = true;
    s->a->wire.acked_new = 71;
    s->a->wire.arrived = 61;
    s->host[0].socks_most = 1;
    s->host[0].mem.used = 2 * 4096 + 2 * 65536 + 3 * 16384 + 32768 + octets;
    return s;
}

static void memory_of_known(void *arg)
{
    mem_check(&memory_in_use(94 + *(size_t *)arg)->host[0]);
}

/* Seeds 643734, 723746: a talks to an earlier epoch of b, whose numbers tell nothing of what has
 * arrived: it may be all that b has written. */
static void memory_of_lost(void *arg)
{
    struct scene *s = memory_in_use(110 + 100 + *(size_t *)arg);
    s->a->wire.lost = true;
    s->a->wire.arrived = UINT64_MAX - 100000;
    mem_check(&s->host[0]);
    s->a->wire.arrived = 1000000;
    mem_check(&s->host[0]);
}

/* Memory as it was, whatever happened to it meanwhile. */
static int undone(void)
{
    struct rng rng;
    struct simmem m;
    rng_init(&rng, 1);
    simmem_init(&m, &rng, 1000);
    uint8_t *kept = mem_alloc(&m.mem, 100), *freed = mem_alloc(&m.mem, 50);
    kept[99] = freed[0] = 1;
    simmem_save(&m);
    for (int i = 0; i < 2; i++) {
        kept[99] = 2;
        mem_free(&m.mem, freed, 50);
        mem_alloc(&m.mem, 200);
        simmem_restore(&m);
    }
    simmem_forget(&m);
    bool good = kept[99] == 1 && freed[0] == 1 && m.mem.used == 150;
    mem_free(&m.mem, freed, 50);
    mem_free(&m.mem, kept, 100);
    good = good && simmem_finish(&m) == 0;
    if (!good)
        printf("memory is not as it was\n");
    return !good;
}

/* Every octet counts, at every alignment. */
static int payload(void)
{
    uint8_t buf[64];
    for (uint64_t offset = 0; offset < 16; offset++) {
        for (size_t len = 1; len <= 40; len++) {
            payload_fill(3, offset, buf, len);
            if (payload_verify(3, offset, buf, len) != len)
                return 1;
            for (size_t i = 0; i < len; i++) {
                buf[i] ^= 0x40;
                if (payload_verify(3, offset, buf, len) != i)
                    return 1;
                buf[i] ^= 0x40;
            }
        }
    }
    payload_fill(3, 8, buf, 32);
    return payload_verify(3, 16, buf, 32) == 32 || payload_verify(4, 8, buf, 32) == 32;
}

int selftest_ends(void)
{
    static const struct {
        const char *name;
        void (*act)(void *arg);
        const char *checker;
    } tests[] = {
        {"stream", stream_good, NULL},
        {"stream, wrong octet", stream_wrong, "payload"},
        {"stream, octets twice", stream_twice, "payload"},
        {"stream, too much", stream_too_much, "receive"},
        {"stream, deaf", stream_deaf, "receive"},
        {"eof", eof_good, NULL},
        {"eof, peer open", eof_unasked, "end of stream"},
        {"eof too early", eof_early, "end of stream"},
        {"reset", reset_good, NULL},
        {"reset by nobody", reset_by_nobody, "reset"},
        {"reset in a crowd", reset_in_a_crowd, NULL},
        {"reset out of a crowd", reset_out_of_a_crowd, "reset"},
        {"reset after a cookie", reset_after_a_cookie, NULL},
        {"reset long after a cookie", reset_long_after_a_cookie, "reset"},
        {"reset after a crash", reset_by_crash, NULL},
        {"eof by a crash", eof_by_crash, "end of stream"},
        {"eof too early, and a crash", eof_early_by_crash, "end of stream"},
        {"refused", refused_by_listener, "refused"},
        {"timed out", timed_out_unsaid, "timed out"},
        {"time-wait", time_wait_good, NULL},
        {"time-wait too short", time_wait_too_short, "time-wait"},
        {"orphan", orphan_good, NULL},
        {"orphan with a user", orphan_with_user, "orphan"},
        {"user timeout", user_timeout_good, NULL},
        {"user timeout too soon", user_timeout_too_soon, "timed out"},
        {"SYN unanswered", syn_unanswered, "unanswered"},
        {"SYN answered", syn_answered, NULL},
        {"keep-alive", keepalive_good, NULL},
        {"keep-alive too soon", keepalive_too_soon, "keep-alive"},
        {"unreachable", unreachable_good, NULL},
        {"unreachable, says nobody", unreachable_unsaid, "unreachable"},
        {"error", unknown_error, "error"},
        {"pair", pair_good, NULL},
        {"pair, octets missing", pair_short, "end"},
    };
    int failed = payload() + undone();
    size_t none = 0, one = 1;
    failed += expect("memory in use", memory_of_known, &none, NULL);
    failed += expect("memory in use, too much", memory_of_known, &one, "memory");
    failed += expect("memory of a lost end", memory_of_lost, &none, NULL);
    failed += expect("memory of a lost end, too much", memory_of_lost, &one, "memory");
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        failed += expect(tests[i].name, tests[i].act, scene_new(), tests[i].checker);
    for (int i = 0; i < 4; i++)
        failed += expect("memory", memory, &i, i < 3 ? "memory" : NULL);
    return failed;
}
