/* Self test of the checker of congestion control. See selftest.h. */
#include "selftest_pair.h"

#define NEVER_REDUCED UINT32_MAX

/* A's segments were lost, and the timer has run out since. */
static void timer_runs_out(struct pair *p, uint32_t segments)
{
    LOST_FROM_A(TEXT(1, segments * MSS));
    p->now_ns += 200 * NS_PER_MS;
}

static void first_again(struct pair *p, uint32_t ssthresh)
{
    p->a.ssthresh = ssthresh;
    LOST_FROM_A(TEXT(1, MSS));
}

static void timeout(struct pair *p)
{
    timer_runs_out(p, 4);
    first_again(p, 2800);
}

static void timeout_reduces_too_little(struct pair *p)
{
    timer_runs_out(p, 4);
    first_again(p, 2801);
}

static void timeout_reduces_nothing(struct pair *p)
{
    timer_runs_out(p, 4);
    first_again(p, NEVER_REDUCED);
}

/* RFC 5681 3.1: two segments at least. */
static void two_segments(struct pair *p)
{
    timer_runs_out(p, 1);
    first_again(p, 2000);
}

static void two_segments_and_more(struct pair *p)
{
    timer_runs_out(p, 1);
    first_again(p, 2001);
}

static void nobody_knows(struct pair *p)
{
    timer_runs_out(p, 4);
    first_again(p, 0);
}

static void third_duplicate(struct pair *p, uint32_t ssthresh)
{
    LOST_FROM_A(TEXT(1, MSS));
    for (uint32_t i = 1; i < 5; i++)
        FROM_A(TEXT(1 + i * MSS, MSS));
    for (int i = 0; i < 3; i++)
        FROM_B(ACK(1, 8000));
    first_again(p, ssthresh);
}

static void duplicates(struct pair *p)
{
    third_duplicate(p, 3500);
}

static void duplicates_reduce_nothing(struct pair *p)
{
    third_duplicate(p, NEVER_REDUCED);
}

static void two_holes(struct pair *p, uint32_t ssthresh)
{
    pair_two_holes(p);
    FROM_B(SACK(1, 2, {{3001}, {5001}}, {{1001}, {2001}}));
    first_again(p, ssthresh);
}

static void sack(struct pair *p)
{
    two_holes(p, 3500);
}

static void sack_reduces_nothing(struct pair *p)
{
    two_holes(p, NEVER_REDUCED);
}

/* A window of eight segments has been reduced; then a loss in one of four: the first round trip
 * after it may still be the same loss. */
static void smaller_flights(struct pair *p, uint32_t rounds)
{
    FROM_A(TEXT(1, 7 * MSS));
    FROM_B(ACK(7001, 8000));
    uint32_t at = 7001;
    for (; rounds > 0; rounds--, at += 4 * MSS) {
        FROM_A(TEXT(at, 4 * MSS));
        FROM_B(ACK(at + 4 * MSS, 8000));
    }
    p->a.ssthresh = 4900;
    LOST_FROM_A(TEXT(at, 4 * MSS));
    p->now_ns += 200 * NS_PER_MS;
    LOST_FROM_A(TEXT(at, MSS));
}

static void old_flight(struct pair *p)
{
    smaller_flights(p, 0);
}

static void older_flight(struct pair *p)
{
    smaller_flights(p, 2);
}

/* Until all is acknowledged that was sent before the last timeout, there is no other reduction. */
static void timeouts(struct pair *p)
{
    timer_runs_out(p, 7);
    first_again(p, 4900);
    p->now_ns += 400 * NS_PER_MS;
    LOST_FROM_A(TEXT(7001, MSS));
    p->now_ns += 400 * NS_PER_MS;
    FROM_A(TEXT(1, 6 * MSS));
    FROM_B(ACK(6001, 8000));
    LOST_FROM_A(TEXT(6001, MSS));
    p->now_ns += 1200 * NS_PER_MS;
    LOST_FROM_A(TEXT(6001, MSS));
}

/* ---- No congestion ---- */

static void window_opens(struct pair *p)
{
    p->a.ssthresh = NEVER_REDUCED;
    FROM_A(TEXT(1, 8 * MSS));
    FROM_B(ACK(8001, 0));
    LOST_FROM_A(TEXT(8001, 1));
    p->now_ns += 200 * NS_PER_MS;
    LOST_FROM_A(TEXT(8001, 1));
    FROM_B(ACK(8001, 8000));
    FROM_A(TEXT(8001, MSS));
}

/* What is sent since the window has opened is lost as ever. */
static void lost_in_open_window(struct pair *p)
{
    window_opens(p);
    FROM_B(ACK(9001, 8000));
    LOST_FROM_A(TEXT(9001, 4 * MSS));
    p->now_ns += 200 * NS_PER_MS;
    LOST_FROM_A(TEXT(9001, MSS));
}

#define SMALL(at)                                                                                  \
    .flags = TCP_ACK, .seq = {at}, .ack = {1}, .wnd = 8000, .text_len = 800, .gso_size = 800

static void too_big(struct pair *p)
{
    p->a.ssthresh = NEVER_REDUCED;
    LOST_FROM_A(TEXT(1, 4 * MSS));
    wire_told(&p->a, 840, seq(ISS_A + 1), false, p->now_ns);
    FROM_A(SMALL(1));
}

static void lost_after_too_big(struct pair *p)
{
    too_big(p);
    for (uint32_t i = 1; i < 5; i++)
        FROM_A(SMALL(1 + 800 * i));
    FROM_B(ACK(4001, 8000));
    for (uint32_t i = 0; i < 5; i++)
        LOST_FROM_A(SMALL(4001 + 800 * i));
    p->now_ns += 200 * NS_PER_MS;
    LOST_FROM_A(SMALL(4001));
}

static void loss_probe(struct pair *p)
{
    p->a.ssthresh = NEVER_REDUCED;
    pair_permit_sack(p);
    LOST_FROM_A(TEXT(1, 2 * MSS));
    p->now_ns += 10 * NS_PER_MS;
    LOST_FROM_A(TEXT(1001, MSS));
}

static void fin(struct pair *p)
{
    p->a.ssthresh = NEVER_REDUCED;
    p->a.written = 0;
    p->a.closed = true;
    LOST_FROM_A(.flags = TCP_ACK | TCP_FIN, .seq = {1}, .ack = {1}, .wnd = 8000);
    p->now_ns += 200 * NS_PER_MS;
    LOST_FROM_A(.flags = TCP_ACK | TCP_FIN, .seq = {1}, .ack = {1}, .wnd = 8000);
}

int selftest_cc(void)
{
    static const struct pair_test tests[] = {
        {timeout, NULL},
        {timeout_reduces_too_little, "congestion"},
        {timeout_reduces_nothing, "congestion"},
        {two_segments, NULL},
        {two_segments_and_more, "congestion"},
        {nobody_knows, NULL},
        {duplicates, NULL},
        {duplicates_reduce_nothing, "congestion"},
        {sack, NULL},
        {sack_reduces_nothing, "congestion"},
        {old_flight, NULL},
        {older_flight, "congestion"},
        {timeouts, NULL},
        {window_opens, NULL},
        {lost_in_open_window, "congestion"},
        {too_big, NULL},
        {lost_after_too_big, "congestion"},
        {loss_probe, NULL},
        {fin, NULL},
    };
    return pair_run("congestion", tests, sizeof tests / sizeof *tests);
}
