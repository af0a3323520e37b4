/* Self test of the checker of timestamps. See selftest.h. */
#include "selftest_pair.h"

#define TS(val, ecr) .opts = {.has_ts = true, .ts_val = (val), .ts_ecr = (ecr)}

/* A full segment of A's at this place: ROOM octets. */
#define ROOM     (MSS - 12)
#define FULL(at) .flags = TCP_ACK, .seq = {at}, .ack = {1}, .wnd = 8000, .text_len = ROOM

/* Both SYNs have had them, A's with 0xfffffff0, B's with 50; the last that has arrived is A's ACK.
 */
static void agreed(struct pair *p)
{
    p->a.ts = (struct ts_watch){
        .offered = true, .sent = true, .val = 0xfffffff0, .heard = true, .least = 50, .most = 50};
    p->b.ts = (struct ts_watch){.offered = true,
                                .sent = true,
                                .val = 50,
                                .heard = true,
                                .least = 0xfffffff0,
                                .most = 0xfffffff0};
}

static void goes_on(struct pair *p)
{
    agreed(p);
    FROM_A(FULL(1), TS(0xfffffff0, 50));
    FROM_B(ACK(989, 8000), TS(50, 0xfffffff0));
    FROM_A(FULL(989), TS(3, 50)); /* it has wrapped */
    FROM_A(FULL(1977), TS(4, 50));
    FROM_B(ACK(2965, 8000), TS(60, 3)); /* the earliest */
    FROM_A(.flags = TCP_RST | TCP_ACK, .seq = {2965}, .ack = {1}, TS(4, 60));
}

static void missing(struct pair *p)
{
    agreed(p);
    FROM_B(ACK(1, 8000));
}

static void missing_in_a_reset(struct pair *p)
{
    agreed(p);
    FROM_B(.flags = TCP_RST | TCP_ACK, .seq = {1}, .ack = {1});
}

static void not_agreed(struct pair *p)
{
    agreed(p);
    p->a.ts.offered = false;
    FROM_B(ACK(1, 8000), TS(50, 0xfffffff0));
}

static void in_syn_ack_unasked(struct pair *p)
{
    p->now_ns += NS_PER_S;
    p->b.syn_sent = p->b.ts.sent = false;
    LOST_FROM_B(.flags = TCP_SYN | TCP_ACK, .ack = {1}, .wnd = 8000,
                .opts = {.has_mss = true, .mss = MSS, .has_ts = true});
}

static void by_cookie(struct pair *p, uint32_t val, uint32_t ecr)
{
    agreed(p);
    p->now_ns += NS_PER_S;
    p->b.cookie = true;
    LOST_FROM_B(.flags = TCP_SYN | TCP_ACK, .ack = {1}, .wnd = 8000,
                .opts = {
                    .has_mss = true, .mss = MSS, .has_ts = true, .ts_val = val, .ts_ecr = ecr});
}

static void cookie_for_an_old_syn(struct pair *p)
{
    by_cookie(p, 50, 0xffffffe0);
}

static void cookie_for_a_later_syn(struct pair *p)
{
    by_cookie(p, 50, 0xfffffff1);
}

/* Seed 711885: A's first SYN comes behind its second, and B answers it: by a SYN-ACK of a
 * connection or, when `cookie`, of none. Who has sent a cookie keeps no TS.Recent to compare with.
 */
static void late_syn_echoed(struct pair *p, bool cookie)
{
    const struct seg syn = {.flags = TCP_SYN,
                            .seq = seq(ISS_A),
                            .wnd = 8000,
                            .opts = {.has_mss = true, .mss = MSS, .has_ts = true, .ts_val = -32u}};
    by_cookie(p, 50, 0xfffffff0);
    p->b.cookie = cookie;
    if (!cookie)
        LOST_FROM_B(ACK(1, 8000), TS(50, 0xfffffff0));
    wire_arrived(&p->b, &p->a, &syn, wire_epoch(&p->a), p->now_ns);
    p->b.cookie = false;
    LOST_FROM_B(.flags = TCP_SYN | TCP_ACK, .ack = {1}, .wnd = 8000,
                .opts = {
                    .has_mss = true, .mss = MSS, .has_ts = true, .ts_val = 50, .ts_ecr = -32u});
}

static void late_syn_after_cookie(struct pair *p)
{
    late_syn_echoed(p, true);
}

static void late_syn_of_connection(struct pair *p)
{
    late_syn_echoed(p, false);
}

static void cookie_back(struct pair *p)
{
    by_cookie(p, 49, 0xfffffff0);
}

static void back(struct pair *p)
{
    agreed(p);
    FROM_A(FULL(1), TS(0xffffffef, 50));
}

static void never_sent(struct pair *p)
{
    agreed(p);
    FROM_A(FULL(1), TS(2, 50));
    FROM_B(ACK(989, 8000), TS(50, 1));
}

static void lost_before(struct pair *p)
{
    agreed(p);
    LOST_FROM_A(FULL(1), TS(1, 50));
    FROM_A(FULL(989), TS(2, 50)); /* beyond a hole */
    FROM_B(ACK(1, 8000), TS(50, 2));
}

/* Told long ago; now TS.Recent is another. */
static void old_echo(struct pair *p)
{
    agreed(p);
    FROM_A(FULL(1), TS(1, 50));
    FROM_B(ACK(989, 8000), TS(50, 1));
    FROM_B(ACK(989, 8000), TS(50, 0xfffffff0));
}

static void mss(struct pair *p)
{
    agreed(p);
    FROM_A(TEXT(1, ROOM + 1), TS(1, 50));
}

/* What is too old has not arrived: its ACK comes at once, and is of what was there before. */
static void outdated(struct pair *p)
{
    agreed(p);
    FROM_A(FULL(1), TS(1, 50));
    FROM_B(ACK(989, 8000), TS(50, 1));
    p->b.ts.least = p->b.ts.most = 9;
    FROM_A(FULL(989), TS(8, 50));
    FROM_B(ACK(989, 8000), TS(50, 9));
    ack_turn_over(&p->b.ack_watch, p->now_ns);
}

static void outdated_and_taken(struct pair *p)
{
    agreed(p);
    p->b.ts.least = p->b.ts.most = 9;
    FROM_A(FULL(1), TS(8, 50));
    FROM_B(ACK(989, 8000), TS(50, 9));
}

static void outdated_and_not_answered(struct pair *p)
{
    agreed(p);
    p->b.ts.least = p->b.ts.most = 9;
    FROM_A(FULL(1), TS(8, 50));
    ack_turn_over(&p->b.ack_watch, p->now_ns);
}

int selftest_ts(void)
{
    static const struct pair_test tests[] = {
        {goes_on, NULL},
        {missing, "timestamps"},
        {missing_in_a_reset, "timestamps"},
        {not_agreed, "timestamps"},
        {in_syn_ack_unasked, "timestamps"},
        {cookie_for_an_old_syn, NULL},
        {cookie_for_a_later_syn, "timestamps"},
        {cookie_back, "timestamps"},
        {late_syn_after_cookie, NULL},
        {late_syn_of_connection, "timestamps"},
        {back, "timestamps"},
        {never_sent, "timestamps"},
        {lost_before, "timestamps"},
        {old_echo, "timestamps"},
        {mss, "mss"},
        {outdated, NULL},
        {outdated_and_taken, "ack"},
        {outdated_and_not_answered, "late ack"},
    };
    return pair_run("timestamps", tests, sizeof tests / sizeof *tests);
}
