/* Self test of the checkers of what goes over the wire. See selftest.h. */
#include "fail.h"
#include "selftest_pair.h"

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

/* B tells of a large window in a segment that A gets first, or behind the next, and fills it but
 * for `left`, which A uses up. A window older than another does not count (RFC 9293 3.10.7.4:
 * SND.WL1), and so the half of it is none of Max(SND.WND) (seed 689563). */
static void uses_up(struct pair *p, uint16_t left, bool late)
{
    const uint16_t large = (uint16_t)(8000 + left);
    const struct seg first = {.flags = TCP_ACK,
                              .seq = seq(ISS_B + 1),
                              .ack = seq(ISS_A + 1),
                              .wnd = large,
                              .text_len = 10};
    p->b.nodelay = true;
    p->b.written = 10;
    pair_send(p, &p->b, SEG(.flags = TCP_ACK, .seq = {1}, .ack = {1}, .wnd = large, .text_len = 10),
              !late);
    FROM_A(.flags = TCP_ACK, .seq = {1}, .ack = {late ? 1 : 11}, .wnd = late ? 8000 : 7990,
           .text_len = 8 * MSS, .gso_size = MSS);
    p->b.written = 20;
    FROM_B(.flags = TCP_ACK, .seq = {11}, .ack = {8001}, .wnd = left, .text_len = 10);
    if (late)
        wire_arrived(&p->a, &p->b, &first, wire_epoch(&p->b), p->now_ns);
    FROM_A(.flags = TCP_ACK, .seq = {8001}, .ack = {21}, .wnd = 7980, .text_len = left,
           .gso_size = MSS);
}

static void half_of_late_window(struct pair *p)
{
    uses_up(p, 4500, true);
}

static void less_than_half(struct pair *p)
{
    uses_up(p, 3500, true);
}

static void half_of_earlier_window(struct pair *p)
{
    uses_up(p, 4500, false);
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
    FROM_A(.flags = TCP_ACK, .seq = {1}, .ack = {1}, .wnd = 8000,
           .opts = {.has_mss = true, .mss = MSS});
}

static void another_iss(struct pair *p)
{
    FROM_A(.flags = TCP_SYN, .seq = {5}, .wnd = 8000, .opts = {.has_mss = true, .mss = MSS});
}

static void after_the_end(struct pair *p)
{
    p->a.over = true;
    FROM_A(.flags = TCP_ACK, .seq = {1}, .ack = {1}, .wnd = 8000);
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
    for (uint64_t i = 0; i < 5; i++, p->now_ns += UINT64_C(1000000000))
        LOST_FROM_A(.flags = TCP_ACK, .seq = {1}, .ack = {1}, .wnd = 8000, .text_len = MSS);
}

static void needless(struct pair *p)
{
    p->a.clean = true;
    FROM_A(.flags = TCP_ACK, .seq = {1}, .ack = {1}, .wnd = 8000, .text_len = MSS);
    p->now_ns += NS_PER_S;
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

/* B's user has left, and an old SYN makes its listener begin anew: a ghost. */
static void haunted(struct pair *p)
{
    p->a.written = 7;
    FROM_A(.flags = TCP_ACK, .seq = {1}, .ack = {1}, .wnd = 8000, .text_len = 7);
    LOST_FROM_B(.flags = TCP_ACK, .seq = {1}, .ack = {8}, .wnd = 7993);
    p->b.gone = p->b.dead = true;
    LOST_FROM_B(.flags = TCP_SYN | TCP_ACK, .seq = {1000}, .ack = {1}, .wnd = 8000,
                .opts = {.has_mss = true, .mss = MSS});
}

/* The ACK arrives, of this epoch of B. */
static void ghost_acks(struct pair *p, uint32_t epoch)
{
    const struct seg ack = {
        .flags = TCP_ACK, .seq = seq(ISS_B + 1), .ack = seq(ISS_A + 8), .wnd = 7993};
    haunted(p);
    wire_arrived(&p->a, &p->b, &ack, epoch, p->now_ns);
    p->a.written = 14;
    FROM_A(.flags = TCP_ACK, .seq = {8}, .ack = {1}, .wnd = 8000, .text_len = 7);
}

/* Seed 8002881, super-segments of 44 MSS: what was sent before counts. */
static void ack_before_ghost(struct pair *p)
{
    ghost_acks(p, ISS_B);
}

static void ack_of_ghost(struct pair *p)
{
    ghost_acks(p, ISS_B + 1);
}

/* Seed 982356: what fills a hole comes after an ACK from beyond it. Its own ACK moves A. */
static void ack_in_hole(struct pair *p)
{
    p->now_ns++;
    LOST_FROM_B(.flags = TCP_ACK, .seq = {1}, .ack = {1}, .wnd = 8000, .text_len = MSS);
    FROM_B(.flags = TCP_ACK, .seq = {1001}, .ack = {1}, .wnd = 8000);
    FROM_A(TEXT(1, MSS));
    p->now_ns += NS_PER_S;
    FROM_B(.flags = TCP_ACK, .seq = {1}, .ack = {1001}, .wnd = 8000, .text_len = MSS);
    SIM_CHECK(p->a.moved_ns == p->now_ns, "liveness", "the ACK has not moved its sender");
}

int selftest_wire(void)
{
    static const struct pair_test tests[] = {
        {good, NULL},
        {ack_in_hole, NULL},
        {wrong_text, "payload"},
        {gap, "text"},
        {not_written, "text"},
        {beyond_mss, "mss"},
        {beyond_window, "window"},
        {window_shrinks, "window shrinks"},
        {silly_receiver, "silly receiver"},
        {silly_sender, "silly sender"},
        {half_of_late_window, NULL},
        {less_than_half, "silly sender"},
        {half_of_earlier_window, "silly sender"},
        {two_small, "nagle"},
        {ack_goes_back, "ack"},
        {ack_of_nothing, "ack"},
        {no_ack, "ack"},
        {fin_unasked, "fin"},
        {fin_too_early, "fin"},
        {mss_later, "syn"},
        {another_iss, "wire"},
        {after_the_end, "after the end"},
        {ack_beyond_hole, "ack"},
        {hole_unanswered, "late ack"},
        {late_ack, "late ack"},
        {ack_after_close, "ack after close"},
        {ack_before_ghost, NULL},
        {ack_of_ghost, "nagle"},
        {needless, "needless"},
        {no_backoff, "backoff"},
        {keepalives, NULL},
        {keepalive_unasked, "keep-alive"},
        {keepalive_too_early, "keep-alive"},
        {keepalives_too_soon, "keep-alive"},
        {keepalive_before_text, "keep-alive"},
        {keepalive_before_fin, "keep-alive"},
    };
    return pair_run("wire", tests, sizeof tests / sizeof *tests);
}
