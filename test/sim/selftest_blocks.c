/* Self test of the checker of SACK: of the blocks that B tells. See selftest.h. */
#include "selftest_pair.h"

static void blocks(struct pair *p)
{
    pair_two_holes(p);
    FROM_B(SACK(1, 2, {{3001}, {5001}}, {{1001}, {2001}}));
}

static void not_permitted(struct pair *p)
{
    pair_two_holes(p);
    p->a.sack_permitted = false;
    FROM_B(SACK(1, 1, {{1001}, {2001}}));
}

static void in_syn_ack_unasked(struct pair *p)
{
    p->b.sack_permitted = true;
    p->now_ns += NS_PER_S;
    LOST_FROM_B(.flags = TCP_SYN | TCP_ACK, .ack = {1}, .wnd = 8000,
                .opts = {.has_mss = true, .mss = MSS, .has_sack_permitted = true});
}

static void empty_block(struct pair *p)
{
    pair_two_holes(p);
    FROM_B(SACK(1, 1, {{1001}, {1001}}));
}

static void not_arrived(struct pair *p)
{
    pair_two_holes(p);
    FROM_B(SACK(1, 1, {{1001}, {2002}}));
}

static void below_ack(struct pair *p)
{
    pair_two_holes(p);
    p->now_ns += 200 * NS_PER_MS;
    FROM_A(TEXT(1, MSS));
    FROM_B(SACK(2001, 2, {{3001}, {5001}}, {{1001}, {2001}}));
}

static void one_block_as_two(struct pair *p)
{
    pair_two_holes(p);
    FROM_B(SACK(1, 2, {{3001}, {4001}}, {{4001}, {5001}}));
}

/* RFC 2883 4: what has come twice is below the ACK, or in the second block. */
static void came_twice(struct pair *p)
{
    pair_two_holes(p);
    p->now_ns += 200 * NS_PER_MS;
    FROM_A(TEXT(1, 2 * MSS));
    FROM_B(SACK(2001, 2, {{1001}, {2001}}, {{3001}, {5001}}));
    FROM_A(TEXT(2001, 2 * MSS));
    FROM_B(SACK(5001, 1, {{3001}, {4001}}));
}

static void came_twice_beyond(struct pair *p)
{
    pair_two_holes(p);
    p->now_ns += 200 * NS_PER_MS;
    FROM_A(TEXT(1, 4 * MSS));
    p->b.ack_watch.contig = 2001; /* as if the third had been lost again */
    p->b.ack_watch.n_beyond = 1;
    p->b.ack_watch.beyond[0].start = 3001;
    p->b.ack_watch.beyond[0].end = 5001;
    FROM_B(SACK(2001, 2, {{3001}, {4001}}, {{3001}, {5001}}));
}

/* ---- RFC 2018 4: all of them, whole, the latest first ---- */

static void nothing_told(struct pair *p)
{
    pair_two_holes(p);
    FROM_B(ACK(1, 8000));
}

static void one_left_out(struct pair *p)
{
    pair_two_holes(p);
    FROM_B(SACK(1, 1, {{3001}, {5001}}));
}

static void not_whole(struct pair *p)
{
    pair_two_holes(p);
    FROM_B(SACK(1, 2, {{3001}, {4001}}, {{1001}, {2001}}));
}

static void oldest_first(struct pair *p)
{
    pair_two_holes(p);
    FROM_B(SACK(1, 2, {{1001}, {2001}}, {{3001}, {5001}}));
}

/* The text that came last has made one block of two. */
static void latest_joins(struct pair *p)
{
    pair_two_holes(p);
    FROM_B(SACK(1, 2, {{3001}, {5001}}, {{1001}, {2001}}));
    LOST_FROM_A(TEXT(5001, MSS));
    p->now_ns++;
    FROM_A(TEXT(6001, MSS));
    FROM_B(SACK(1, 3, {{6001}, {7001}}, {{3001}, {5001}}, {{1001}, {2001}}));
    p->now_ns++;
    FROM_A(TEXT(2001, MSS));
    FROM_B(SACK(1, 2, {{1001}, {5001}}, {{6001}, {7001}}));
}

/* A has sent 1 to 6501; of every 1000 octets, the latter half has arrived. */
static void five_blocks(struct pair *p)
{
    pair_permit_sack(p);
    p->a.nodelay = true;
    for (uint32_t i = 0; i < 5; i++) {
        p->a.written = 500 + 1000 * i;
        LOST_FROM_A(TEXT(1 + 1000 * i, 500));
        p->a.written += 500;
        FROM_A(TEXT(501 + 1000 * i, 500));
    }
}

static void as_many_as_have_room(struct pair *p)
{
    five_blocks(p);
    FROM_B(SACK(1, 4, {{4501}, {5001}}, {{3501}, {4001}}, {{2501}, {3001}}, {{1501}, {2001}}));
}

/* The latest four of five blocks are told, and later more text comes. */
static void latest_told(struct pair *p)
{
    FROM_B(SACK(1, 4, {{4501}, {5001}}, {{3501}, {4001}}, {{2501}, {3001}}, {{1501}, {2001}}));
    p->now_ns++;
    p->a.written += 500;
    FROM_A(TEXT(5001, 500));
}

static void earliest_before(struct pair *p)
{
    five_blocks(p);
    FROM_B(SACK(1, 4, {{3501}, {4001}}, {{2501}, {3001}}, {{1501}, {2001}}, {{501}, {1001}}));
    latest_told(p);
}

static void one_passed_over(struct pair *p)
{
    five_blocks(p);
    latest_told(p);
}

/* More blocks than an end keeps in mind, of which the first comes again: it is the latest, and told
 * with what has come twice. The others that are in mind still come after it (seed 21918, with
 * super-segments of 44 MSS and a loss of 50 %). */
static void latest_with_twice_of_very_many(struct pair *p)
{
    pair_permit_sack(p);
    p->a.nodelay = true;
    for (uint32_t i = 0; i < SACK_UNTOLD + 2; i++) {
        p->a.written = 100 + 200 * i;
        LOST_FROM_A(TEXT(1 + 200 * i, 100));
        p->a.written += 100;
        FROM_A(TEXT(101 + 200 * i, 100));
        if (i == 0) {
            FROM_B(SACK(1, 1, {{101}, {201}}));
            p->now_ns += 200 * NS_PER_MS;
        }
    }
    FROM_A(TEXT(101, 100));
    FROM_B(SACK(1, 4, {{101}, {201}}, {{101}, {201}}, {{901}, {1001}}, {{701}, {801}}));
    FROM_B(SACK(1, 4, {{1701}, {1801}}, {{1501}, {1601}}, {{1301}, {1401}}, {{1101}, {1201}}));
}

static void less_than_have_room(struct pair *p)
{
    five_blocks(p);
    FROM_B(SACK(1, 3, {{4501}, {5001}}, {{3501}, {4001}}, {{2501}, {3001}}));
}

/* What B sends with `len` octets of text. */
#define SACK_TEXT(len, n, ...)                                                                     \
    .flags = TCP_ACK, .seq = {1}, .ack = {1}, .wnd = 8000, .text_len = (len),                      \
    .opts = {.n_sack = (n), .sack = {__VA_ARGS__}}

static void beside_text(struct pair *p)
{
    pair_two_holes(p);
    p->b.written = MSS - 12;
    FROM_B(SACK_TEXT(MSS - 12, 1, {{3001}, {5001}}));
}

static void none_beside_text(struct pair *p)
{
    pair_two_holes(p);
    p->b.written = MSS - 12;
    FROM_B(SACK_TEXT(MSS - 12, 0));
}

static void no_room_beside_text(struct pair *p)
{
    pair_two_holes(p);
    FROM_B(SACK_TEXT(MSS, 0));
}

/* A router's word leaves less room, nobody knows how much. */
static void beside_text_after_too_big(struct pair *p)
{
    pair_two_holes(p);
    wire_told(&p->b, 840, seq(ISS_B + 1), false, p->now_ns);
    FROM_B(SACK_TEXT(800, 0));
}

/* A peer's FIN alone is no text, so it is not told. */
static void fin_alone(struct pair *p)
{
    pair_permit_sack(p);
    p->a.written = MSS;
    p->a.closed = true;
    LOST_FROM_A(TEXT(1, MSS));
    FROM_A(.flags = TCP_ACK | TCP_FIN, .seq = {1001}, .ack = {1}, .wnd = 8000);
    FROM_B(ACK(1, 8000));
}

static void fin_with_text(struct pair *p)
{
    pair_permit_sack(p);
    p->a.written = 2 * MSS;
    p->a.closed = true;
    LOST_FROM_A(TEXT(1, MSS));
    FROM_A(.flags = TCP_ACK | TCP_FIN, .seq = {1001}, .ack = {1}, .wnd = 8000, .text_len = MSS);
    FROM_B(SACK(1, 1, {{1001}, {2002}}));
}

static void keepalive(struct pair *p)
{
    pair_two_holes(p);
    p->b.written = 0;
    p->b.keepalive = (struct keepalive_settings){.on = true, .idle_ms = 500, .interval_ms = 500};
    p->now_ns += NS_PER_S;
    FROM_B(.flags = TCP_ACK, .seq = {0}, .ack = {1}, .wnd = 8000);
}

/* ---- What may not have been kept ---- */

static void no_memory(struct pair *p)
{
    p->b.ack_watch.refuses = true;
    pair_two_holes(p);
    FROM_B(ACK(1, 8000));
}

static void timestamp_in_doubt(struct pair *p)
{
    p->b.ack_watch.doubtful = true;
    pair_two_holes(p);
    FROM_B(ACK(1, 8000));
}

static void beyond_window(struct pair *p)
{
    p->b.edge_sent = 4501;
    pair_two_holes(p);
    FROM_B(SACK(1, 2, {{3001}, {4501}}, {{1001}, {2001}}));
}

/* Once all is acknowledged it is known again what there is. */
static void known_again(struct pair *p)
{
    beyond_window(p);
    p->now_ns += 200 * NS_PER_MS;
    FROM_A(TEXT(1, 5 * MSS));
    FROM_B(ACK(5001, 8000));
    LOST_FROM_A(TEXT(5001, MSS));
    FROM_A(TEXT(6001, MSS));
    FROM_B(ACK(5001, 8000));
}

/* ---- RFC 2883 4: what has come twice, and only that, in the ACK that answers it ---- */

static void came_once(struct pair *p)
{
    pair_permit_sack(p);
    FROM_A(TEXT(1, MSS));
    FROM_B(SACK(1001, 1, {{1}, {1001}}));
}

static void came_once_beyond(struct pair *p)
{
    pair_two_holes(p);
    FROM_B(SACK(1, 3, {{3001}, {4001}}, {{3001}, {5001}}, {{1001}, {2001}}));
}

/* 1 to 1001 has come twice. */
static void first_twice(struct pair *p)
{
    pair_permit_sack(p);
    FROM_A(TEXT(1, MSS));
    p->now_ns += 200 * NS_PER_MS;
    FROM_A(TEXT(1, MSS));
}

static void told_once(struct pair *p)
{
    first_twice(p);
    FROM_B(SACK(1001, 1, {{1}, {1001}}));
}

static void told_again(struct pair *p)
{
    told_once(p);
    FROM_B(SACK(1001, 1, {{1}, {1001}}));
}

static void told_too_late(struct pair *p)
{
    first_twice(p);
    FROM_B(ACK(1001, 8000));
    FROM_B(SACK(1001, 1, {{1}, {1001}}));
}

/* It was thrown away for its timestamp when it came again. */
static void told_though_outdated(struct pair *p)
{
    pair_permit_sack(p);
    FROM_A(TEXT(1, MSS));
    sack_outdated(&p->b.sack_heard, &p->b.ack_watch, 1, 1001);
    FROM_B(SACK(1001, 1, {{1}, {1001}}));
}

/* The first ACK had no room for it. */
static void told_later(struct pair *p)
{
    first_twice(p);
    FROM_B(.flags = TCP_ACK, .seq = {1}, .ack = {1001}, .wnd = 8000, .text_len = MSS);
    FROM_B(.flags = TCP_ACK, .seq = {1001}, .ack = {1001}, .wnd = 8000,
           .opts = {.n_sack = 1, .sack = {{{1}, {1001}}}});
}

static void more_than_twice(struct pair *p)
{
    pair_permit_sack(p);
    FROM_A(TEXT(1, 2 * MSS));
    p->now_ns += 200 * NS_PER_MS;
    FROM_A(TEXT(1, MSS));
    FROM_B(SACK(2001, 1, {{1}, {2001}}));
}

/* 1001 to 2001 has come twice beyond a hole, and then 6001 to 7001. */
static void beyond_twice(struct pair *p)
{
    pair_two_holes(p);
    FROM_B(SACK(1, 2, {{3001}, {5001}}, {{1001}, {2001}}));
    p->now_ns += 200 * NS_PER_MS;
    FROM_A(TEXT(1001, MSS));
    LOST_FROM_A(TEXT(5001, MSS));
    FROM_A(TEXT(6001, MSS));
}

static void latest_behind_twice(struct pair *p)
{
    beyond_twice(p);
    FROM_B(SACK(1, 4, {{1001}, {2001}}, {{1001}, {2001}}, {{6001}, {7001}}, {{3001}, {5001}}));
}

static void latest_not_behind_twice(struct pair *p)
{
    beyond_twice(p);
    FROM_B(SACK(1, 4, {{1001}, {2001}}, {{1001}, {2001}}, {{3001}, {5001}}, {{6001}, {7001}}));
}

static void twice_untold(struct pair *p)
{
    beyond_twice(p);
    FROM_B(SACK(1, 3, {{6001}, {7001}}, {{1001}, {2001}}, {{3001}, {5001}}));
}

/* Another connection's text, or a forger's, may look like text that has come before. */
static void disturbed(struct pair *p)
{
    const struct seg other = {.flags = TCP_ACK, .seq = {ISS_A + 1}, .text_len = MSS};
    pair_permit_sack(p);
    FROM_A(TEXT(1, MSS));
    wire_disturbed(&p->b, &other);
    FROM_B(SACK(1001, 1, {{1}, {1001}}));
}

int selftest_blocks(void)
{
    static const struct pair_test tests[] = {
        {blocks, NULL},
        {not_permitted, "sack"},
        {in_syn_ack_unasked, "syn"},
        {empty_block, "sack"},
        {not_arrived, "sack"},
        {below_ack, "sack"},
        {one_block_as_two, "sack"},
        {came_twice, NULL},
        {came_twice_beyond, NULL},
        {nothing_told, "sack blocks"},
        {one_left_out, "sack blocks"},
        {not_whole, "sack blocks"},
        {oldest_first, "sack order"},
        {earliest_before, NULL},
        {latest_with_twice_of_very_many, NULL},
        {one_passed_over, "sack untold"},
        {latest_joins, NULL},
        {as_many_as_have_room, NULL},
        {less_than_have_room, "sack blocks"},
        {beside_text, NULL},
        {none_beside_text, "sack blocks"},
        {no_room_beside_text, NULL},
        {beside_text_after_too_big, NULL},
        {fin_alone, NULL},
        {fin_with_text, NULL},
        {keepalive, NULL},
        {no_memory, NULL},
        {timestamp_in_doubt, NULL},
        {beyond_window, NULL},
        {known_again, "sack blocks"},
        {came_once, "d-sack"},
        {came_once_beyond, "d-sack"},
        {told_once, NULL},
        {told_again, "d-sack"},
        {told_too_late, "d-sack"},
        {told_though_outdated, NULL},
        {told_later, NULL},
        {more_than_twice, "d-sack"},
        {latest_behind_twice, NULL},
        {latest_not_behind_twice, "sack order"},
        {twice_untold, "d-sack"},
        {disturbed, NULL},
    };
    return pair_run("blocks", tests, sizeof tests / sizeof *tests);
}
