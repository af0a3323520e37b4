/* RFC 8985: the pseudocode of 6.2, 6.3 and 7.2 to 7.4, case by case. Times in ms. */
#include "nstime.h"
#include "rack.h"
#include "support.h"

#define MSS 1000u
#define MS  NS_PER_MS

struct test {
    struct test_mem mem;
    struct scoreboard b;
    struct rack r;
    struct rack_now now;
};

static void begin(struct test *t)
{
    test_mem_init(&t->mem);
    scoreboard_init(&t->b, &t->mem.mem, seq(0));
    rack_init(&t->r, 1);
    t->now = (struct rack_now){.srtt_ns = 100 * MS, .mss = MSS};
}

static void end(struct test *t)
{
    scoreboard_finish(&t->b);
    assert_int_equal(t->mem.live, 0);
}

/* Segments [from, to) are sent. */
static void sent(struct test *t, uint32_t from, uint32_t to, uint64_t at_ms)
{
    scoreboard_sent(&t->b, seq(from * MSS), seq(to * MSS), at_ms * MS);
}

/* An ACK up to segment `una` comes, and SACKs [from, to). */
static void acked(struct test *t, uint32_t una, uint32_t from, uint32_t to, uint64_t at_ms)
{
    struct delivery d;
    t->now.now_ns = at_ms * MS;
    scoreboard_begin(&t->b, &d, t->r.min_rtt_ns, t->now.now_ns);
    scoreboard_acked(&t->b, seq(una * MSS), &d);
    if (from < to)
        scoreboard_sacked(&t->b, seq(from * MSS), seq(to * MSS), UINT32_MAX, &d);
    rack_delivered(&t->r, &d);
    rack_detect_loss(&t->r, &t->b, &t->now);
}

static void later(struct test *t, uint64_t at_ms)
{
    t->now.now_ns = at_ms * MS;
    rack_detect_loss(&t->r, &t->b, &t->now);
}

/* ---- 6.2 ---- */

/* Steps 1 and 2: RACK.min_RTT, RACK.rtt, and what was sent last of what has arrived. */
static void most_recent(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    sent(&t, 0, 1, 1000);
    sent(&t, 1, 2, 1010);
    sent(&t, 2, 3, 1020);
    acked(&t, 0, 1, 2, 1130);
    assert_int_equal(t.r.min_rtt_ns, 120 * MS);
    assert_int_equal(t.r.rtt_ns, 120 * MS);
    assert_int_equal(t.r.xmit_ns, 1010 * MS);
    assert_int_equal(t.r.end_seq.v, 2 * MSS);
    acked(&t, 2, 0, 0, 1135); /* sent before: RACK.segment stays */
    assert_int_equal(t.r.xmit_ns, 1010 * MS);
    acked(&t, 3, 0, 0, 1130);
    assert_int_equal(t.r.min_rtt_ns, 110 * MS);
    assert_int_equal(t.r.xmit_ns, 1020 * MS);
    end(&t);
}

/* Step 1: the minimum is one over time: after minutes a longer one counts. */
static void min_rtt_ages(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    sent(&t, 0, 1, 1000);
    acked(&t, 1, 0, 0, 1050);
    sent(&t, 1, 2, 200000);
    acked(&t, 2, 0, 0, 200100);
    assert_int_equal(t.r.min_rtt_ns, 50 * MS);
    sent(&t, 2, 3, 302000);
    acked(&t, 3, 0, 0, 302100);
    assert_int_equal(t.r.min_rtt_ns, 100 * MS);
    end(&t);
}

/* Step 2: sent again, and answered sooner than in min_RTT: it was the first sending. */
static void answered_too_soon(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    sent(&t, 0, 2, 1000);
    acked(&t, 1, 0, 0, 1100);
    sent(&t, 1, 2, 1300);
    acked(&t, 2, 0, 0, 1350);
    assert_int_equal(t.r.xmit_ns, 1000 * MS);
    assert_int_equal(t.r.rtt_ns, 100 * MS);
    end(&t);
}

/* Step 4: without reordering, before DupThresh, min_RTT / 4 is waited for. */
static void reordering_window(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    sent(&t, 0, 1, 1000);
    sent(&t, 1, 3, 1001);
    acked(&t, 0, 1, 2, 1101);
    assert_int_equal(t.b.lost, 0);
    assert_int_equal(t.r.reo_due_ns, 1125 * MS); /* sent at 1000, rtt 100, min_RTT / 4 */
    later(&t, 1124);
    assert_int_equal(t.b.lost, 0);
    later(&t, 1125);
    assert_int_equal(t.b.lost, MSS);
    assert_int_equal(t.r.reo_due_ns, TIME_NEVER); /* segment 2 was sent behind the one that came */
    end(&t);
}

/* Step 4: three segments SACKed, or in recovery, without reordering: at once. */
static void no_window(void **state)
{
    (void)state;
    for (unsigned recovery = 0; recovery < 2; recovery++) {
        struct test t;
        begin(&t);
        t.now.in_recovery = recovery;
        sent(&t, 0, 1, 1000);
        sent(&t, 1, 5, 1001);
        acked(&t, 0, 1, recovery ? 2 : 3, 1101);
        assert_int_equal(t.b.lost, recovery ? MSS : 0);
        acked(&t, 0, 1, 4, 1102);
        assert_int_equal(t.b.lost, MSS);
        end(&t);
    }
}

/* tcp_recovery 5: it is kept, until recovery has begun. */
static void no_dup_thresh(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    rack_init(&t.r, 1 | RACK_NO_DUP_THRESH);
    sent(&t, 0, 1, 1000);
    sent(&t, 1, 5, 1001);
    acked(&t, 0, 1, 5, 1101);
    assert_int_equal(t.b.lost, 0);
    assert_int_equal(t.r.reo_due_ns, 1125 * MS);
    t.now.in_recovery = true;
    later(&t, 1102);
    assert_int_equal(t.b.lost, MSS);
    end(&t);
}

/* The same once reordering was seen: the window is kept, whatever was SACKed. */
static void window_after_reordering(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    sent(&t, 0, 2, 1000);
    acked(&t, 0, 1, 2, 1100);
    acked(&t, 2, 0, 0, 1110);
    assert_true(t.r.reordering_seen);
    sent(&t, 2, 3, 2000);
    sent(&t, 3, 8, 2001);
    acked(&t, 2, 3, 8, 2101);
    assert_int_equal(t.b.lost, 0);
    assert_int_equal(t.r.reo_due_ns, 2125 * MS);
    end(&t);
}

/* Step 4: each round trip with a D-SACK widens it by a quarter of min_RTT, up to SRTT; it lasts for
 * 16 recoveries. */
static void dsack(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    sent(&t, 0, 1, 1000);
    acked(&t, 1, 0, 0, 1100);
    rack_dsack(&t.r, seq(5 * MSS));
    rack_round(&t.r, seq(4 * MSS));
    rack_dsack(&t.r, seq(6 * MSS)); /* the same round */
    assert_int_equal(t.r.reo_wnd_mult, 2);
    rack_round(&t.r, seq(5 * MSS));
    rack_dsack(&t.r, seq(6 * MSS));
    assert_int_equal(t.r.reo_wnd_mult, 3);
    sent(&t, 1, 2, 2000);
    sent(&t, 2, 3, 2001);
    acked(&t, 1, 2, 3, 2101);
    assert_int_equal(t.r.reo_due_ns, 2175 * MS);
    t.now.srtt_ns = 30 * MS;
    later(&t, 2101);
    assert_int_equal(t.r.reo_due_ns, 2130 * MS);
    for (unsigned i = 1; i <= 16; i++) {
        assert_int_equal(t.r.reo_wnd_mult, 3);
        rack_recovered(&t.r);
    }
    assert_int_equal(t.r.reo_wnd_mult, 1);
    end(&t);
}

/* tcp_recovery 3: it does not. */
static void static_window(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    rack_init(&t.r, 1 | RACK_STATIC_REO_WND);
    rack_dsack(&t.r, seq(5 * MSS));
    assert_int_equal(t.r.reo_wnd_mult, 1);
    assert_int_equal(t.r.reo_wnd_persist, 0);
    end(&t);
}

/* It does not wrap around. */
static void many_dsacks(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    for (uint32_t i = 0; i < 1000; i++) {
        rack_round(&t.r, seq(i));
        rack_dsack(&t.r, seq(i));
    }
    assert_int_equal(t.r.reo_wnd_mult, UINT8_MAX);
    end(&t);
}

/* Step 5: RACK_sent_after: at the same time, the higher number was sent later. */
static void same_time(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    t.now.in_recovery = true;
    sent(&t, 0, 5, 1000);
    acked(&t, 0, 2, 3, 1100);
    assert_int_equal(t.b.lost, 2 * MSS); /* not 3 and 4 */
    seq_t from, to;
    assert_true(scoreboard_missing(&t.b, &from, &to));
    assert_int_equal(from.v, 0);
    assert_int_equal(to.v, 2 * MSS);
    end(&t);
}

/* Step 5: what was sent again and lost again is found, which counting duplicates can't. */
static void lost_retransmission(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    t.now.in_recovery = true;
    sent(&t, 0, 2, 1000);
    acked(&t, 0, 1, 2, 1100);
    assert_int_equal(t.b.lost, MSS);
    sent(&t, 0, 1, 1100);
    assert_int_equal(t.b.lost, 0);
    sent(&t, 2, 3, 1101);
    acked(&t, 0, 1, 3, 1201);
    assert_int_equal(t.b.lost, MSS);
    end(&t);
}

/* The timer waits for the last of those that may still arrive. */
static void last_of_several(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    sent(&t, 0, 1, 1000);
    sent(&t, 1, 2, 1010);
    sent(&t, 2, 3, 1020);
    acked(&t, 0, 2, 3, 1120);
    assert_int_equal(t.r.reo_due_ns, 1135 * MS);
    later(&t, 1125);
    assert_int_equal(t.b.lost, MSS);
    later(&t, 1135);
    assert_int_equal(t.b.lost, 2 * MSS);
    end(&t);
}

/* ---- 6.3 ---- */

/* After a timeout the first, and what has had its round trip and window, is lost; not the rest. */
static void timeout(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    sent(&t, 0, 1, 900);
    acked(&t, 1, 0, 0, 1000);
    sent(&t, 1, 2, 1300);
    sent(&t, 2, 3, 1000);
    sent(&t, 3, 4, 1250);
    t.now.now_ns = 1300 * MS;
    rack_timeout(&t.r, &t.b, &t.now);
    assert_int_equal(t.b.lost, 2 * MSS); /* 1 for its place, 2 for its time */
    assert_int_equal(t.r.reo_due_ns, TIME_NEVER);
    assert_int_equal(t.r.pto_due_ns, TIME_NEVER);
    end(&t);
}

/* ---- 7 ---- */

/* 7.2: PTO: two SRTT, more for a single segment whose ACK may be delayed, a second without a
 * sample; and no later than the retransmission timer. */
static void pto(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    t.now.now_ns = 1000 * MS;
    rack_schedule_probe(&t.r, &t.now, 2 * MSS, 9000 * MS, 40 * MS);
    assert_int_equal(t.r.pto_due_ns, 1208 * MS);
    rack_schedule_probe(&t.r, &t.now, MSS, 9000 * MS, 40 * MS);
    assert_int_equal(t.r.pto_due_ns, 1240 * MS);
    rack_schedule_probe(&t.r, &t.now, 2 * MSS, 1150 * MS, 40 * MS);
    assert_int_equal(t.r.pto_due_ns, 1150 * MS);
    t.now.srtt_ns = 0;
    rack_schedule_probe(&t.r, &t.now, 2 * MSS, 9000 * MS, 40 * MS);
    assert_int_equal(t.r.pto_due_ns, 2000 * MS);
    end(&t);
}

/* 7.3: one probe at a time, and a new round-trip sample before the next. */
static void one_probe(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    assert_true(rack_may_probe(&t.r));
    sent(&t, 0, 2, 1000);
    rack_probed(&t.r, seq(2 * MSS), 0, 0);
    assert_false(rack_may_probe(&t.r));
    assert_false(rack_probe_acked(&t.r, seq(2 * MSS), false));
    assert_false(rack_may_probe(&t.r));
    acked(&t, 1, 0, 0, 1100);
    assert_true(rack_may_probe(&t.r));
    end(&t);
}

/* 7.4.2, with the last segment sent again. */
static void probe_cases(void **state)
{
    (void)state;
    static const struct {
        bool new_text, twice;
        uint32_t ack;
        bool repaired, out;
    } cases[] = {
        {false, false, 999, false, true},  /* below TLP.end_seq: nothing is known */
        {false, true, 999, false, true},   /* the same */
        {true, false, 1000, false, false}, /* the probe was new text */
        {false, true, 1000, false, false}, /* case 1, a D-SACK; case 2, a duplicate ACK */
        {false, false, 1000, false, true}, /* the first sending or the probe: it is waited for */
        {false, true, 2000, false, false}, /* both have arrived */
        {false, false, 2000, true, false}, /* beyond it, and no sign of the other: repaired */
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rack r;
        rack_init(&r, 1);
        rack_probed(&r, seq(1000), cases[i].new_text ? 0 : 100, 0);
        assert_int_equal(rack_probe_acked(&r, seq(cases[i].ack), cases[i].twice),
                         cases[i].repaired);
        assert_int_equal(r.tlp_out, cases[i].out);
        assert_false(rack_probe_acked(&r, seq(999), true));
    }
}

/* 7.1: a recovery begins: no probe. */
static void forget(void **state)
{
    (void)state;
    struct rack r;
    rack_init(&r, 1);
    rack_probed(&r, seq(1000), 100, 0);
    r.pto_due_ns = 5;
    rack_forget_probe(&r);
    assert_false(r.tlp_out);
    assert_int_equal(r.pto_due_ns, TIME_NEVER);
    assert_false(rack_probe_acked(&r, seq(2000), false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(most_recent),
        cmocka_unit_test(min_rtt_ages),
        cmocka_unit_test(answered_too_soon),
        cmocka_unit_test(reordering_window),
        cmocka_unit_test(no_window),
        cmocka_unit_test(no_dup_thresh),
        cmocka_unit_test(window_after_reordering),
        cmocka_unit_test(dsack),
        cmocka_unit_test(static_window),
        cmocka_unit_test(many_dsacks),
        cmocka_unit_test(same_time),
        cmocka_unit_test(lost_retransmission),
        cmocka_unit_test(last_of_several),
        cmocka_unit_test(timeout),
        cmocka_unit_test(pto),
        cmocka_unit_test(one_probe),
        cmocka_unit_test(probe_cases),
        cmocka_unit_test(forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
