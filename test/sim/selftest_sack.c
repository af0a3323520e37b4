/* Self test of the checker of SACK: of what is sent again. See selftest.h. */
#include "selftest_pair.h"

static void overtaken(struct pair *p)
{
    pair_two_holes(p);
    FROM_B(SACK(1, 2, {{3001}, {5001}}, {{1001}, {2001}}));
    LOST_FROM_A(TEXT(1, MSS));
    LOST_FROM_A(TEXT(2001, MSS));
}

static void not_overtaken(struct pair *p)
{
    pair_permit_sack(p);
    LOST_FROM_A(TEXT(1, MSS));
    p->now_ns++;
    FROM_A(TEXT(1001, MSS));
    p->now_ns++;
    LOST_FROM_A(TEXT(2001, MSS));
    FROM_B(SACK(1, 1, {{1001}, {2001}}));
    LOST_FROM_A(TEXT(2001, MSS));
}

static void known_to_have_arrived(struct pair *p)
{
    pair_two_holes(p);
    FROM_B(SACK(1, 2, {{3001}, {5001}}, {{1001}, {2001}}));
    LOST_FROM_A(TEXT(1, MSS));
    p->now_ns++;
    LOST_FROM_A(TEXT(1, MSS));
}

/* RFC 8985: what was sent again was lost, as something sent later has arrived. */
static void lost_again(struct pair *p)
{
    overtaken(p);
    p->now_ns++;
    FROM_A(TEXT(5001, MSS));
    FROM_B(SACK(1, 2, {{3001}, {6001}}, {{1001}, {2001}}));
    p->now_ns++;
    LOST_FROM_A(TEXT(1, MSS));
}

/* One of what has arrived since does not tell of what was sent after it. */
static void partly_overtaken(struct pair *p)
{
    lost_again(p);
    p->now_ns++;
    LOST_FROM_A(TEXT(1, 3 * MSS));
}

/* RFC 8985 7.2: the end of the flight, once, and not too soon. */
static void probe(struct pair *p)
{
    pair_permit_sack(p);
    LOST_FROM_A(TEXT(1, 2 * MSS));
    p->now_ns += 10 * NS_PER_MS;
    LOST_FROM_A(TEXT(1001, MSS));
}

static void probe_too_soon(struct pair *p)
{
    pair_permit_sack(p);
    LOST_FROM_A(TEXT(1, 2 * MSS));
    p->now_ns += 7 * NS_PER_MS;
    LOST_FROM_A(TEXT(1001, MSS));
}

static void probe_of_the_first(struct pair *p)
{
    pair_permit_sack(p);
    LOST_FROM_A(TEXT(1, 2 * MSS));
    p->now_ns += 10 * NS_PER_MS;
    LOST_FROM_A(TEXT(1, MSS));
}

static void probes(struct pair *p)
{
    probe(p);
    p->now_ns += 10 * NS_PER_MS;
    LOST_FROM_A(TEXT(1001, MSS));
}

static void probe_after_progress(struct pair *p)
{
    pair_permit_sack(p);
    FROM_A(TEXT(1, MSS));
    LOST_FROM_A(TEXT(1001, MSS));
    p->now_ns += 10 * NS_PER_MS;
    LOST_FROM_A(TEXT(1001, MSS));
    FROM_B(ACK(1001, 8000));
    p->now_ns += 10 * NS_PER_MS;
    LOST_FROM_A(TEXT(1001, MSS));
}

/* With new text, which Nagle would have held back. */
static void small_probe(struct pair *p, uint64_t after_ns)
{
    pair_permit_sack(p);
    p->a.written = 10;
    LOST_FROM_A(TEXT(1, 10));
    p->a.written = 20;
    p->now_ns += after_ns;
    LOST_FROM_A(TEXT(11, 10));
}

static void probe_despite_nagle(struct pair *p)
{
    small_probe(p, 10 * NS_PER_MS);
}

/* Seed 1373704: an ACK that is too old for A, perhaps, ends no waiting for the probe. */
static void probe_after_ack(struct pair *p, bool old)
{
    pair_permit_sack(p);
    p->a.written = 1010;
    p->b.written = 10;
    LOST_FROM_A(TEXT(1, MSS));
    LOST_FROM_A(TEXT(1001, 10));
    FROM_B(.flags = TCP_ACK, .seq = {1}, .ack = {1}, .wnd = 8000, .text_len = 10);
    p->now_ns += 5 * NS_PER_MS;
    pair_ack_arrives(p, old, 1001);
    p->now_ns += 5 * NS_PER_MS;
    p->a.written = 1020;
    LOST_FROM_A(.flags = TCP_ACK, .seq = {1011}, .ack = {11}, .wnd = 7990, .text_len = 10);
}

static void probe_after_old_ack(struct pair *p)
{
    probe_after_ack(p, true);
}

static void probe_after_new_ack(struct pair *p)
{
    probe_after_ack(p, false);
}

static void no_probe_despite_nagle(struct pair *p)
{
    small_probe(p, 5 * NS_PER_MS);
}

/* RFC 8985 7.2: it goes instead of the retransmission timer at the latest. */
static void probe_at_the_timeout(struct pair *p)
{
    pair_permit_sack(p);
    p->a.written = 1;
    LOST_FROM_A(TEXT(1, 1));
    p->now_ns += 199 * NS_PER_MS;
    p->a.written = 1001;
    LOST_FROM_A(TEXT(2, MSS));
    p->now_ns += NS_PER_MS;
    p->a.written = 1011;
    LOST_FROM_A(TEXT(1002, 10));
}

/* What goes again for another reason is none. */
static void probe_after_window(struct pair *p)
{
    pair_permit_sack(p);
    FROM_A(TEXT(1, 8 * MSS));
    FROM_B(ACK(8001, 0));
    LOST_FROM_A(TEXT(8001, 1));
    p->now_ns += 10 * NS_PER_MS;
    FROM_B(ACK(8001, 8000));
    LOST_FROM_A(TEXT(8001, MSS));
    p->now_ns += 10 * NS_PER_MS;
    LOST_FROM_A(TEXT(8001, MSS));
}

static void probes_despite_nagle(struct pair *p)
{
    probe_despite_nagle(p);
    p->a.written = 30;
    p->now_ns += 10 * NS_PER_MS;
    LOST_FROM_A(TEXT(21, 10));
}

int selftest_sack(void)
{
    static const struct pair_test tests[] = {
        {overtaken, NULL},
        {not_overtaken, "again"},
        {known_to_have_arrived, "again"},
        {lost_again, NULL},
        {partly_overtaken, "again"},
        {probe, NULL},
        {probe_too_soon, "again"},
        {probe_of_the_first, "again"},
        {probes, "again"},
        {probe_after_progress, NULL},
        {probe_despite_nagle, NULL},
        {probe_after_old_ack, NULL},
        {probe_after_new_ack, "nagle"},
        {no_probe_despite_nagle, "nagle"},
        {probe_at_the_timeout, NULL},
        {probe_after_window, NULL},
        {probes_despite_nagle, "nagle"},
    };
    return pair_run("sack", tests, sizeof tests / sizeof *tests);
}
