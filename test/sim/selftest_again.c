/* Self test of the checkers of what is sent again, of pure ACKs and of the path's MTU. */
#include "check_mtu.h"
#include "fail.h"
#include "selftest_pair.h"

/* A has sent 1 to 4001, of which nothing has arrived. */
static void four_lost(struct pair *p)
{
    LOST_FROM_A(TEXT(1, 4 * MSS));
}

/* The same, but only the first was lost, and B has told of n others. */
static void duplicates(struct pair *p, uint32_t n)
{
    LOST_FROM_A(TEXT(1, MSS));
    for (uint32_t i = 0; i < n; i++) {
        FROM_A(TEXT(1 + (i + 1) * MSS, MSS));
        FROM_B(ACK(1, 8000));
    }
}

static void twice(struct pair *p)
{
    FROM_A(TEXT(1, MSS));
    FROM_A(TEXT(1, MSS));
}

static void fin_twice(struct pair *p)
{
    p->a.written = 0;
    p->a.closed = true;
    FROM_A(.flags = TCP_ACK | TCP_FIN, .seq = {1}, .ack = {1}, .wnd = 8000);
    FROM_A(.flags = TCP_ACK | TCP_FIN, .seq = {1}, .ack = {1}, .wnd = 8000);
}

/* Both FINs are under way; then A's goes again, with this acknowledgement. */
static void fins_cross(struct pair *p)
{
    p->a.written = p->b.written = 0;
    p->a.closed = p->b.closed = true;
    LOST_FROM_A(.flags = TCP_ACK | TCP_FIN, .seq = {1}, .ack = {1}, .wnd = 8000);
    FROM_B(.flags = TCP_ACK | TCP_FIN, .seq = {1}, .ack = {1}, .wnd = 8000);
}

static void fin_from_a(struct pair *p, uint32_t ack)
{
    LOST_FROM_A(.flags = TCP_ACK | TCP_FIN, .seq = {1}, .ack = {ack}, .wnd = 8000);
}

static void fin_crosses(struct pair *p)
{
    fins_cross(p);
    fin_from_a(p, 2);
}

static void fin_crosses_once(struct pair *p)
{
    fin_crosses(p);
    fin_from_a(p, 2);
}

/* B's FIN was here before A's went. */
static void fin_follows(struct pair *p)
{
    p->a.written = p->b.written = 0;
    p->a.closed = p->b.closed = true;
    FROM_B(.flags = TCP_ACK | TCP_FIN, .seq = {1}, .ack = {1}, .wnd = 8000);
    fin_from_a(p, 2);
    fin_from_a(p, 2);
}

/* A had no room for B's FIN when it came first. */
static void fin_crosses_later(struct pair *p)
{
    fins_cross(p);
    p->now_ns += 300 * NS_PER_MS;
    fin_from_a(p, 1);
    p->now_ns += 600 * NS_PER_MS;
    fin_from_a(p, 1);
    p->now_ns += 20 * NS_PER_MS;
    fin_from_a(p, 2);
}

static void syn_twice(struct pair *p)
{
    LOST_FROM_A(.flags = TCP_SYN, .wnd = 8000, .opts = {.has_mss = true, .mss = MSS});
}

/* RTO is of whole us (seed 2046062). */
static void syn_after_rto(struct pair *p)
{
    p->now_ns += 200 * NS_PER_MS - NS_PER_US + 1;
    syn_twice(p);
}

static void syn_before_rto(struct pair *p)
{
    p->now_ns += 200 * NS_PER_MS - NS_PER_US;
    syn_twice(p);
}

static void timeout(struct pair *p)
{
    four_lost(p);
    p->now_ns += 200 * NS_PER_MS;
    LOST_FROM_A(TEXT(1, 2 * MSS));
    LOST_FROM_A(TEXT(2001, 2 * MSS));
}

static void timeout_too_soon(struct pair *p)
{
    four_lost(p);
    p->now_ns += 200 * NS_PER_MS - NS_PER_US; /* RTO is of whole us */
    LOST_FROM_A(TEXT(1, MSS));
}

static void timeout_for_more(struct pair *p)
{
    timeout(p);
    LOST_FROM_A(TEXT(3001, MSS));
}

/* The ACK has started the timer anew. */
static void timeout_after_ack(struct pair *p)
{
    FROM_A(TEXT(1, 2 * MSS));
    p->now_ns += 150 * NS_PER_MS;
    FROM_B(ACK(1001, 8000));
    p->now_ns += 150 * NS_PER_MS;
    FROM_A(TEXT(1001, MSS));
}

static void fast(struct pair *p)
{
    duplicates(p, 3);
    LOST_FROM_A(TEXT(1, MSS));
}

static void fast_too_soon(struct pair *p)
{
    duplicates(p, 2);
    LOST_FROM_A(TEXT(1, MSS));
}

static void fast_and_more(struct pair *p)
{
    duplicates(p, 3);
    LOST_FROM_A(TEXT(1, 2 * MSS));
}

static void fast_again(struct pair *p)
{
    fast(p);
    LOST_FROM_A(TEXT(1, MSS));
}

/* RFC 6582: 1001 was lost too. */
static void partial_ack(struct pair *p)
{
    LOST_FROM_A(TEXT(1, 2 * MSS));
    for (uint32_t i = 0; i < 3; i++) {
        FROM_A(TEXT(2001 + i * MSS, MSS));
        FROM_B(ACK(1, 8000));
    }
    FROM_A(TEXT(1, MSS));
    FROM_B(ACK(1001, 8000));
    FROM_A(TEXT(1001, MSS));
}

/* A is in fast recovery until 6001, the first three segments were lost, and has sent 1 again. */
static void recovers(struct pair *p)
{
    p->b.written = 10;
    FROM_B(.flags = TCP_ACK, .seq = {1}, .ack = {1}, .wnd = 8000, .text_len = 10);
    LOST_FROM_A(TEXT(1, 3 * MSS));
    for (uint32_t i = 0; i < 3; i++) {
        FROM_A(TEXT(3001 + i * MSS, MSS));
        FROM_B(.flags = TCP_ACK, .seq = {11}, .ack = {1}, .wnd = 8000);
    }
    LOST_FROM_A(TEXT(1, MSS));
}

/* Seed 8000511: the partial ACK that came in an old segment comes again, and counts now. */
static void partial_ack_again(struct pair *p)
{
    recovers(p);
    pair_ack_arrives(p, false, 1001);
    pair_ack_arrives(p, true, 1501);
    LOST_FROM_A(TEXT(1001, MSS));
    pair_ack_arrives(p, false, 1501);
    LOST_FROM_A(TEXT(1501, MSS));
}

/* It has counted once. */
static void partial_ack_thrice(struct pair *p)
{
    partial_ack_again(p);
    pair_ack_arrives(p, false, 1501);
    LOST_FROM_A(TEXT(1501, MSS));
}

/* The ACK that would end recovery comes in an old segment, before one that is partial. */
static void end_of_recovery_unheard(struct pair *p)
{
    recovers(p);
    pair_ack_arrives(p, true, 6001);
    pair_ack_arrives(p, false, 1001);
    LOST_FROM_A(TEXT(1001, MSS));
}

static void ack_of_some(struct pair *p)
{
    FROM_A(TEXT(1, 4 * MSS));
    FROM_B(ACK(1001, 8000));
    FROM_A(TEXT(1001, MSS));
}

/* A has filled B's window and sent one octet more as a probe, which was thrown away. */
static void probe(struct pair *p)
{
    FROM_A(TEXT(1, 8 * MSS));
    FROM_B(ACK(8001, 0));
    LOST_FROM_A(.flags = TCP_ACK, .seq = {8001}, .ack = {1}, .wnd = 8000, .text_len = 1);
}

static void window_opens(struct pair *p)
{
    probe(p);
    FROM_B(ACK(8001, 8000));
    FROM_A(TEXT(8001, MSS));
}

/* Probes, each answered, at intervals that grow so much. */
static void probes(struct pair *p, uint64_t factor)
{
    probe(p);
    for (uint64_t interval = NS_PER_S; interval < 20 * NS_PER_S;
         interval = interval * factor + NS_PER_S) {
        p->now_ns += interval;
        FROM_A(.flags = TCP_ACK, .seq = {8001}, .ack = {1}, .wnd = 8000, .text_len = 1);
    }
}

static void window_is_shut(struct pair *p)
{
    probe(p);
    FROM_B(ACK(8001, 0));
    FROM_A(TEXT(8001, 1));
}

static void too_big(struct pair *p)
{
    four_lost(p);
    wire_told(&p->a, 840, seq(ISS_A + 1), false, p->now_ns);
    for (uint32_t i = 0; i < 5; i++)
        LOST_FROM_A(.flags = TCP_ACK, .seq = {1 + 800 * i}, .ack = {1}, .wnd = 8000,
                    .text_len = 800);
}

static void too_big_ignored(struct pair *p)
{
    four_lost(p);
    wire_told(&p->a, 840, seq(ISS_A + 1), false, p->now_ns);
    LOST_FROM_A(TEXT(1, MSS));
}

static void too_big_forged(struct pair *p)
{
    four_lost(p);
    wire_told(&p->a, 840, seq(ISS_A + 1), true, p->now_ns);
    LOST_FROM_A(TEXT(4001, MSS));
}

static void too_big_forgotten(struct pair *p)
{
    four_lost(p);
    wire_told(&p->a, 840, seq(ISS_A + 1), false, p->now_ns);
    p->now_ns += 600 * NS_PER_S;
    LOST_FROM_A(TEXT(1, MSS));
}

/* Seed 889700: two segments go again at each timeout. After the first an ACK for the former has
 * arrived, in a segment that was thrown away; or it was taken. */
static bool falls_back(unsigned timeouts, bool taken)
{
    struct mtu_watch w = {.r1 = 3};
    for (unsigned i = 0; i < timeouts; i++) {
        if (i == 0 || !taken)
            mtu_sent_again(&w, 1001, i > 0 ? 3001 : 1, 1);
        mtu_sent_again(&w, 3001, i > 0 ? 3001 : 1, i > 0 && taken ? 3001 : 1);
    }
    return mtu_fallen_back(&w, 52, 972);
}

static void falls_back_in_time(struct pair *p)
{
    (void)p;
    SIM_CHECK(!falls_back(2, false) && falls_back(3, false), "path mtu", "not at the third");
    SIM_CHECK(!falls_back(3, true) && falls_back(4, true), "path mtu", "not at the third");
}

static void acks_for_text(struct pair *p)
{
    p->a.written = 0;
    for (uint32_t i = 0; i < 100; i++) {
        p->a.written += 10;
        FROM_A(.flags = TCP_ACK, .seq = {1 + 10 * i}, .ack = {1}, .wnd = 8000, .text_len = 10);
        FROM_B(ACK(11 + 10 * i, 8000 - 10 - 10 * i));
    }
}

static void ack_storm(struct pair *p)
{
    for (int i = 0; i < 60; i++)
        LOST_FROM_A(.flags = TCP_ACK, .seq = {1}, .ack = {1}, .wnd = 8000);
}

/* Each answers the other's ACK. */
static void acks_for_acks(struct pair *p)
{
    for (int i = 0; i < 60; i++) {
        FROM_A(.flags = TCP_ACK, .seq = {1}, .ack = {1}, .wnd = 8000);
        FROM_B(.flags = TCP_ACK, .seq = {1}, .ack = {1}, .wnd = 8000);
    }
}

static void probes_back_off(struct pair *p)
{
    probes(p, 2);
}

static void probes_do_not(struct pair *p)
{
    probes(p, 1);
}

int selftest_again(void)
{
    static const struct pair_test tests[] = {
        {twice, "again"},
        {fin_twice, "again"},
        {fin_crosses, NULL},
        {fin_crosses_once, "again"},
        {fin_crosses_later, NULL},
        {fin_follows, "again"},
        {syn_twice, "again"},
        {syn_after_rto, NULL},
        {syn_before_rto, "again"},
        {timeout, NULL},
        {timeout_too_soon, "again"},
        {timeout_for_more, "again"},
        {timeout_after_ack, "again"},
        {fast, NULL},
        {fast_too_soon, "again"},
        {fast_and_more, "again"},
        {fast_again, "again"},
        {partial_ack, NULL},
        {partial_ack_again, NULL},
        {partial_ack_thrice, "again"},
        {end_of_recovery_unheard, NULL},
        {ack_of_some, "again"},
        {window_opens, NULL},
        {window_is_shut, "again"},
        {probes_back_off, NULL},
        {probes_do_not, "backoff"},
        {too_big, NULL},
        {too_big_ignored, "path mtu"},
        {too_big_forged, NULL},
        {too_big_forgotten, NULL},
        {falls_back_in_time, NULL},
        {acks_for_text, NULL},
        {ack_storm, "ack storm"},
        {acks_for_acks, "ack storm"},
    };
    return pair_run("again", tests, sizeof tests / sizeof *tests);
}
