/*
 * A checker that cannot fail is a defect: each is fed something wrong here and has to say so, and
 * something right, and has to be silent. No engine takes part, but in the last test, where a world
 * is lived twice and has to be the same.
 */
#include <stdio.h>
#include <stdlib.h>

#include "check_end.h"
#include "check_wire.h"
#include "fail.h"
#include "frame.h"
#include "host.h"
#include "nstime.h"
#include "payload.h"
#include "selftest.h"

#define MSS   1000
#define ISS_A 0xfffffff0u /* sequence numbers wrap right away */
#define ISS_B 77u

/* Two ends of a connection, and what they say to each other. */
struct pair {
    struct wire_end a, b;
    uint8_t text[20000];
    uint64_t now_ns;
};

static struct pair *pair_new(void)
{
    static struct pair p;
    p = (struct pair){0};
    p.a = (struct wire_end){.stream = 1, .taken = true, .mss = MSS, .rcvbuf = 8000, .shift = -1};
    p.b = p.a;
    p.b.stream = 2;
    p.b.passive = true;
    p.a.written = p.b.written = 20000;
    return &p;
}

/* `from` sends; text is the stream's at this offset. */
static void send(struct pair *p, struct wire_end *from, struct seg seg, bool arrives)
{
    struct wire_end *to = from == &p->a ? &p->b : &p->a;
    uint32_t iss = from == &p->a ? ISS_A : ISS_B, peer = from == &p->a ? ISS_B : ISS_A;
    if (seg.text_len > 0) {
        if (p->text[0] != 0xff) /* the test wants wrong text */
            payload_fill(from->stream, seg.seq.v - 1, p->text, seg.text_len);
        seg.text[0] = (struct bytes){p->text, seg.text_len};
        seg.n_text = 1;
    }
    seg.seq = seq(iss + seg.seq.v);
    seg.ack = seq(peer + seg.ack.v);
    wire_sent(from, to, &seg, p->now_ns);
    if (arrives)
        wire_arrived(to, from, &seg, from->epoch, p->now_ns);
}

#define SEG(...)         ((struct seg){__VA_ARGS__})
#define FROM_A(...)      send(p, &p->a, SEG(__VA_ARGS__), true)
#define FROM_B(...)      send(p, &p->b, SEG(__VA_ARGS__), true)
#define LOST_FROM_A(...) send(p, &p->a, SEG(__VA_ARGS__), false)

static void shake_hands(struct pair *p)
{
    const struct tcp_opts opts = {.has_mss = true, .mss = MSS};
    FROM_A(.flags = TCP_SYN, .wnd = 8000, .opts = opts);
    FROM_B(.flags = TCP_SYN | TCP_ACK, .ack = {1}, .wnd = 8000, .opts = opts);
    FROM_A(.flags = TCP_ACK, .seq = {1}, .ack = {1}, .wnd = 8000);
}

static void good(struct pair *p)
{
    FROM_A(.flags = TCP_ACK, .seq = {1}, .ack = {1}, .wnd = 8000, .text_len = MSS);
    FROM_A(.flags = TCP_ACK, .seq = {1001}, .ack = {1}, .wnd = 8000, .text_len = 3 * MSS,
           .gso_size = MSS);
    FROM_B(.flags = TCP_ACK, .seq = {1}, .ack = {4001}, .wnd = 8000);
    p->a.written = 4500;
    p->a.closed = true;
    FROM_A(.flags = TCP_ACK | TCP_FIN, .seq = {4001}, .ack = {1}, .wnd = 8000, .text_len = 500);
    FROM_B(.flags = TCP_ACK, .seq = {1}, .ack = {4502}, .wnd = 7500);
}

static void wrong_text(struct pair *p)
{
    p->text[0] = 0xff;
    FROM_A(.flags = TCP_ACK, .seq = {1}, .ack = {1}, .wnd = 8000, .text_len = MSS);
}

static void gap(struct pair *p)
{
    FROM_A(.flags = TCP_ACK, .seq = {1001}, .ack = {1}, .wnd = 8000, .text_len = MSS);
}

static void not_written(struct pair *p)
{
    p->a.written = 500;
    FROM_A(.flags = TCP_ACK, .seq = {1}, .ack = {1}, .wnd = 8000, .text_len = MSS);
}

static void beyond_mss(struct pair *p)
{
    FROM_A(.flags = TCP_ACK, .seq = {1}, .ack = {1}, .wnd = 8000, .text_len = MSS + 1);
}

static void beyond_window(struct pair *p)
{
    for (uint32_t i = 0; i < 9; i++)
        FROM_A(.flags = TCP_ACK, .seq = {1 + i * MSS}, .ack = {1}, .wnd = 8000, .text_len = MSS);
}

static void window_shrinks(struct pair *p)
{
    FROM_B(.flags = TCP_ACK, .seq = {1}, .ack = {1}, .wnd = 7999);
}

static void silly_receiver(struct pair *p)
{
    FROM_B(.flags = TCP_ACK, .seq = {1}, .ack = {1}, .wnd = 8000);
    FROM_B(.flags = TCP_ACK, .seq = {1}, .ack = {1}, .wnd = 8100);
}

static void silly_sender(struct pair *p)
{
    FROM_A(.flags = TCP_ACK, .seq = {1}, .ack = {1}, .wnd = 8000, .text_len = 10);
}

static void two_small(struct pair *p)
{
    p->a.written = 10;
    FROM_A(.flags = TCP_ACK, .seq = {1}, .ack = {1}, .wnd = 8000, .text_len = 10);
    p->a.written = 20;
    FROM_A(.flags = TCP_ACK, .seq = {11}, .ack = {1}, .wnd = 8000, .text_len = 10);
}

static void ack_goes_back(struct pair *p)
{
    FROM_A(.flags = TCP_ACK, .seq = {1}, .ack = {1}, .wnd = 8000, .text_len = MSS);
    FROM_B(.flags = TCP_ACK, .seq = {1}, .ack = {1001}, .wnd = 8000);
    FROM_B(.flags = TCP_ACK, .seq = {1}, .ack = {1}, .wnd = 9000);
}

static void ack_of_nothing(struct pair *p)
{
    LOST_FROM_A(.flags = TCP_ACK, .seq = {1}, .ack = {1}, .wnd = 8000, .text_len = MSS);
    FROM_B(.flags = TCP_ACK, .seq = {1}, .ack = {1001}, .wnd = 8000);
}

static void no_ack(struct pair *p)
{
    FROM_A(.flags = TCP_PSH, .seq = {1}, .wnd = 8000, .text_len = MSS);
}

static void fin_unasked(struct pair *p)
{
    p->a.written = 0;
    FROM_A(.flags = TCP_ACK | TCP_FIN, .seq = {1}, .ack = {1}, .wnd = 8000);
}

static void fin_too_early(struct pair *p)
{
    p->a.closed = true;
    FROM_A(.flags = TCP_ACK | TCP_FIN, .seq = {1}, .ack = {1}, .wnd = 8000);
}

static void mss_later(struct pair *p)
{
    FROM_A(.flags = TCP_ACK, .seq = {1}, .ack = {1}, .wnd = 8000, .opts = {true, false, MSS, 0});
}

static void another_iss(struct pair *p)
{
    FROM_A(.flags = TCP_SYN, .seq = {5}, .wnd = 8000, .opts = {true, false, MSS, 0});
}

static void after_the_end(struct pair *p)
{
    p->a.over = true;
    FROM_A(.flags = TCP_ACK, .seq = {1}, .ack = {1}, .wnd = 8000);
}

static void ack_storm(struct pair *p)
{
    for (int i = 0; i < 20; i++)
        LOST_FROM_A(.flags = TCP_ACK, .seq = {1}, .ack = {1}, .wnd = 8000);
}

static void ack_beyond_hole(struct pair *p)
{
    LOST_FROM_A(.flags = TCP_ACK, .seq = {1}, .ack = {1}, .wnd = 8000, .text_len = MSS);
    FROM_A(.flags = TCP_ACK, .seq = {1001}, .ack = {1}, .wnd = 8000, .text_len = MSS);
    FROM_B(.flags = TCP_ACK, .seq = {1}, .ack = {2001}, .wnd = 8000);
}

static void hole_unanswered(struct pair *p)
{
    p->b.taken = true;
    LOST_FROM_A(.flags = TCP_ACK, .seq = {1}, .ack = {1}, .wnd = 8000, .text_len = MSS);
    FROM_A(.flags = TCP_ACK, .seq = {1001}, .ack = {1}, .wnd = 8000, .text_len = MSS);
    ack_turn_over(&p->b.ack_watch, p->now_ns);
}

static void late_ack(struct pair *p)
{
    FROM_A(.flags = TCP_ACK, .seq = {1}, .ack = {1}, .wnd = 8000, .text_len = MSS);
    ack_turn_over(&p->b.ack_watch, p->now_ns + UINT64_C(500000000));
    ack_turn_over(&p->b.ack_watch, p->now_ns + UINT64_C(500000001));
}

static void ack_after_close(struct pair *p)
{
    p->b.ack_watch.left = true;
    p->b.ack_watch.left_at = p->b.ack_watch.contig;
    FROM_A(.flags = TCP_ACK, .seq = {1}, .ack = {1}, .wnd = 8000, .text_len = MSS);
    FROM_B(.flags = TCP_ACK, .seq = {1}, .ack = {1001}, .wnd = 8000);
}

static void no_backoff(struct pair *p)
{
    for (uint64_t i = 0; i < 4; i++, p->now_ns += UINT64_C(1000000000))
        LOST_FROM_A(.flags = TCP_ACK, .seq = {1}, .ack = {1}, .wnd = 8000, .text_len = MSS);
}

static void needless(struct pair *p)
{
    p->a.clean = true;
    FROM_A(.flags = TCP_ACK, .seq = {1}, .ack = {1}, .wnd = 8000, .text_len = MSS);
    FROM_A(.flags = TCP_ACK, .seq = {1}, .ack = {1}, .wnd = 8000, .text_len = MSS);
}

/* A is idle, and on = whether it may ask after ten seconds, then every two. */
static void idle_pair(struct pair *p, bool on)
{
    p->a.written = 0;
    p->a.keepalive = (struct keepalive_settings){10000, 2000, 9, on};
    p->now_ns += 10 * NS_PER_S;
}

static void keepalives(struct pair *p)
{
    idle_pair(p, true);
    LOST_FROM_A(.flags = TCP_ACK, .seq = {0}, .ack = {1}, .wnd = 8000);
    p->now_ns += 2 * NS_PER_S;
    FROM_A(.flags = TCP_ACK, .seq = {0}, .ack = {1}, .wnd = 8000);
    FROM_B(.flags = TCP_ACK, .seq = {1}, .ack = {1}, .wnd = 8000);
    p->now_ns += 10 * NS_PER_S;
    FROM_A(.flags = TCP_ACK, .seq = {0}, .ack = {1}, .wnd = 8000);
}

static void keepalive_unasked(struct pair *p)
{
    idle_pair(p, false);
    FROM_A(.flags = TCP_ACK, .seq = {0}, .ack = {1}, .wnd = 8000);
}

static void keepalive_too_early(struct pair *p)
{
    idle_pair(p, true);
    p->now_ns--;
    FROM_A(.flags = TCP_ACK, .seq = {0}, .ack = {1}, .wnd = 8000);
}

static void keepalives_too_soon(struct pair *p)
{
    idle_pair(p, true);
    FROM_A(.flags = TCP_ACK, .seq = {0}, .ack = {1}, .wnd = 8000);
    p->now_ns += 2 * NS_PER_S - 1;
    FROM_A(.flags = TCP_ACK, .seq = {0}, .ack = {1}, .wnd = 8000);
}

static void keepalive_before_text(struct pair *p)
{
    idle_pair(p, true);
    p->a.written = 1;
    FROM_A(.flags = TCP_ACK, .seq = {0}, .ack = {1}, .wnd = 8000);
}

static void keepalive_before_fin(struct pair *p)
{
    idle_pair(p, true);
    p->a.closed = true;
    FROM_A(.flags = TCP_ACK, .seq = {0}, .ack = {1}, .wnd = 8000);
}

static const struct {
    void (*act)(struct pair *p);
    const char *checker; /* that has to find it; NULL: none */
} wire_tests[] = {
    {good, NULL},
    {wrong_text, "payload"},
    {gap, "text"},
    {not_written, "text"},
    {beyond_mss, "mss"},
    {beyond_window, "window"},
    {window_shrinks, "window shrinks"},
    {silly_receiver, "silly receiver"},
    {silly_sender, "silly sender"},
    {two_small, "nagle"},
    {ack_goes_back, "ack"},
    {ack_of_nothing, "ack"},
    {no_ack, "ack"},
    {fin_unasked, "fin"},
    {fin_too_early, "fin"},
    {mss_later, "syn"},
    {another_iss, "wire"},
    {after_the_end, "after the end"},
    {ack_storm, "ack storm"},
    {ack_beyond_hole, "ack"},
    {hole_unanswered, "late ack"},
    {late_ack, "late ack"},
    {ack_after_close, "ack after close"},
    {needless, "needless"},
    {no_backoff, "backoff"},
    {keepalives, NULL},
    {keepalive_unasked, "keep-alive"},
    {keepalive_too_early, "keep-alive"},
    {keepalives_too_soon, "keep-alive"},
    {keepalive_before_text, "keep-alive"},
    {keepalive_before_fin, "keep-alive"},
};

static void act_on_pair(void *arg)
{
    struct pair *p = pair_new();
    shake_hands(p);
    wire_tests[*(size_t *)arg].act(p);
}

int expect(const char *name, void (*act)(void *arg), void *arg, const char *checker)
{
    fail_frame.what = NULL;
    fail_frame.armed = fail_frame.quiet = true;
    if (setjmp(fail_frame.env) == 0)
        act(arg);
    fail_frame.armed = fail_frame.quiet = false;
    const char *what = fail_frame.what ? fail_frame.what : "nothing";
    if (strcmp(what, checker ? checker : "nothing") == 0)
        return 0;
    printf("%s: %s was found, should be %s\n", name, what, checker ? checker : "nothing");
    return 1;
}

int main(void)
{
    int failed = 0;
    for (size_t i = 0; i < sizeof wire_tests / sizeof *wire_tests; i++) {
        char name[32];
        snprintf(name, sizeof name, "wire test %zu", i);
        failed += expect(name, act_on_pair, &i, wire_tests[i].checker);
    }
    failed += selftest_ends();
    failed += selftest_frames();
    failed += selftest_worlds();
    return failed > 0;
}
