/* When to acknowledge: RFC 9293 3.8.6.3 (SHLD-18, SHLD-19, MUST-40), RFC 5681 4.2. */
#include "ackdelay.h"
#include "nstime.h"
#include "support.h"

#define MS(n)    ((uint64_t)(n)*NS_PER_MS)
#define DELAY_NS MS(40)

static uint64_t delay_ns, due_ns; /* of the connection that begins last */

static void begin(struct ackdelay *a, uint32_t rmss, uint64_t delay)
{
    delay_ns = delay;
    ackdelay_init(a, (uint16_t)rmss);
}

static void text(struct ackdelay *a, uint32_t len, uint32_t packet_len, uint64_t now_ns)
{
    if (ackdelay_text(a, len, packet_len))
        due_ns = now_ns + ackdelay_max(delay_ns);
}

static bool due(const struct ackdelay *a, uint64_t now_ns)
{
    return ackdelay_due(a, due_ns, now_ns);
}

static uint64_t deadline(const struct ackdelay *a)
{
    return ackdelay_deadline(a, due_ns);
}

/* How many ACKs go out now. */
static unsigned drain(struct ackdelay *a, uint64_t now_ns)
{
    unsigned n = 0;
    for (; due(a, now_ns); n++)
        ackdelay_sent(a);
    return n;
}

static void nothing_at_first(void **state)
{
    (void)state;
    struct ackdelay a;
    begin(&a, 1460, DELAY_NS);
    assert_false(due(&a, MS(100000)));
    assert_true(deadline(&a) == TIME_NEVER);
}

/* SHLD-18: one segment waits, for the delay and no longer. */
static void one_segment_waits(void **state)
{
    (void)state;
    struct ackdelay a;
    begin(&a, 1460, DELAY_NS);
    text(&a, 1460, 1460, MS(10));
    assert_int_equal(deadline(&a), MS(50));
    assert_false(due(&a, MS(50) - 1));
    assert_true(due(&a, MS(50)));
    assert_int_equal(drain(&a, MS(50)), 1);
    assert_true(deadline(&a) == TIME_NEVER);

    text(&a, 1, 1, MS(60));
    assert_int_equal(deadline(&a), MS(100));
}

/* SHLD-19: every second segment, and the count starts anew with each ACK. */
static void every_second_segment(void **state)
{
    (void)state;
    struct ackdelay a;
    begin(&a, 1460, DELAY_NS);
    for (int i = 0; i < 10; i++) {
        text(&a, 1460, 1460, MS(1));
        assert_false(due(&a, MS(1)));
        text(&a, 1460, 1460, MS(1));
        assert_int_equal(deadline(&a), 0);
        assert_int_equal(drain(&a, MS(1)), 1);
    }
}

/* Whatever their size: a peer behind a smaller path MTU, or one that sends little at a time. */
static void of_any_size(void **state)
{
    (void)state;
    static const uint32_t sizes[][2] = {{1460, 1460}, {1460, 1}, {1, 1460}, {1, 1}};
    struct ackdelay a;
    begin(&a, 8960, DELAY_NS);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        text(&a, sizes[i][0], sizes[i][0], 0);
        assert_false(due(&a, 0));
        text(&a, sizes[i][1], sizes[i][1], 0);
        assert_int_equal(drain(&a, 0), 1);
    }
}

/* RMSS is the most that may be waiting, also where a packet claims to be larger than we allowed. */
static void never_more_than_rmss(void **state)
{
    (void)state;
    static const uint32_t packets[] = {1001, 64000};
    struct ackdelay a;
    begin(&a, 1000, DELAY_NS);
    for (int i = 0; i < 2; i++) {
        text(&a, 1000, packets[i], 0);
        assert_false(due(&a, 0));
        ackdelay_sent(&a);
        text(&a, 1001, packets[i], 0);
        assert_int_equal(drain(&a, 0), 1);
    }
}

/* A super-segment is acknowledged at once, and once. */
static void super_segment(void **state)
{
    (void)state;
    struct ackdelay a;
    begin(&a, 1460, DELAY_NS);
    text(&a, 44 * 1460, 1460, 0);
    assert_int_equal(drain(&a, 0), 1);
    text(&a, 1460, 1460, 0); /* and it did not count as one full-sized text */
    assert_false(due(&a, 0));
    text(&a, 1460, 1460, 0);
    assert_true(due(&a, 0));
}

/* MUST-40: less than 0.5 s, whatever was asked for. */
static void delay_is_bounded(void **state)
{
    (void)state;
    struct ackdelay a;
    uint64_t asked[] = {MS(500), NS_PER_S, UINT64_MAX};
    for (int i = 0; i < 3; i++) {
        begin(&a, 1460, asked[i]);
        text(&a, 1, 1, MS(7));
        assert_true(deadline(&a) - MS(7) < MS(500));
        assert_true(due(&a, MS(7) + MS(500) - 1));
    }
    begin(&a, 1460, MS(200));
    text(&a, 1, 1, MS(7));
    assert_int_equal(deadline(&a), MS(207));
}

/* Text that leaves carries the ACK and settles what was delayed. */
static void piggybacked(void **state)
{
    (void)state;
    struct ackdelay a;
    begin(&a, 1460, DELAY_NS);
    text(&a, 1460, 1460, 0);
    ackdelay_sent(&a);
    assert_false(due(&a, NS_PER_S));
    text(&a, 1460, 1460, MS(1));
    assert_false(due(&a, MS(1)));
    ackdelay_sent(&a);
    ackdelay_sent(&a); /* one that was not owed changes nothing */
    ackdelay_duplicate(&a);
    assert_int_equal(drain(&a, MS(1)), 1);
}

/* RFC 5681 4.2: at once, and never two ACKs for one segment. */
static void at_once_is_once(void **state)
{
    (void)state;
    struct ackdelay a;
    begin(&a, 1460, DELAY_NS);
    ackdelay_now(&a);
    ackdelay_now(&a);
    assert_int_equal(deadline(&a), 0);
    assert_int_equal(drain(&a, 0), 1);
    text(&a, 2920, 1460, 0);
    ackdelay_now(&a); /* FIN with it */
    assert_int_equal(drain(&a, 0), 1);
    assert_true(deadline(&a) == TIME_NEVER);
}

/* RFC 5681 4.2: one for each out-of-order segment of a batch; bounded. */
static void duplicates_are_counted(void **state)
{
    (void)state;
    struct ackdelay a;
    begin(&a, 1460, DELAY_NS);
    for (int i = 0; i < 3; i++)
        ackdelay_duplicate(&a);
    ackdelay_now(&a);
    assert_int_equal(drain(&a, 0), 3);
    for (int i = 0; i < 100000; i++)
        ackdelay_duplicate(&a);
    assert_int_equal(drain(&a, 0), 64);
}

/* Out-of-order text, then the hole is filled, all in one batch: five ACKs with the new RCV.NXT
 * would be four duplicates of it for the peer, and a fast retransmit of what nobody misses. */
static void duplicates_end_when_rcv_nxt_moves(void **state)
{
    (void)state;
    struct ackdelay a;
    begin(&a, 1460, DELAY_NS);
    for (int i = 0; i < 5; i++)
        ackdelay_duplicate(&a);
    text(&a, 100, 100, 0);
    ackdelay_now(&a);
    assert_int_equal(drain(&a, 0), 1);

    ackdelay_duplicate(&a); /* but the one that is left goes at once */
    text(&a, 100, 100, 0);
    assert_int_equal(drain(&a, 0), 1);
}

/* However much there is, what is owed does not go away. */
static void counts_saturate(void **state)
{
    (void)state;
    struct ackdelay a;
    begin(&a, 1, DELAY_NS);
    text(&a, UINT32_MAX, 1, 0);
    text(&a, 2, 1, 0);
    assert_int_equal(a.segments, 2);
    assert_int_equal(drain(&a, 0), 1);
}

/* SHLD-19 and MUST-40 against a plain model, for random histories. */
static void against_a_model(void **state)
{
    (void)state;
    struct rnd p = rnd_start(__func__);
    for (int run = 0; run < 3000; run++) {
        uint32_t rmss = 1 + rnd_below(&p, 9000);
        uint64_t delay = MS(rnd_below(&p, 499)), now = 0, oldest = 0;
        uint32_t segments = 0, at_once = 0;
        struct ackdelay a;
        begin(&a, rmss, delay);
        for (int step = 0; step < 60; step++) {
            uint32_t len = 1 + rnd_below(&p, rmss);
            switch (rnd_below(&p, 6)) {
            case 0:
            case 1:
                text(&a, len, len, now);
                oldest = segments == 0 ? now : oldest;
                segments++;
                at_once = at_once > 0 || segments >= 2 ? 1 : 0;
                break;
            case 2:
                ackdelay_duplicate(&a);
                at_once++;
                break;
            case 3:
                ackdelay_now(&a);
                at_once = at_once > 0 ? at_once : 1;
                break;
            case 4:
                ackdelay_sent(&a);
                segments = 0;
                at_once -= at_once > 0;
                break;
            case 5:
                now += rnd_below(&p, (uint32_t)MS(60));
                break;
            }
            bool is_due = at_once > 0 || (segments > 0 && now >= oldest + delay);
            assert_true(due(&a, now) == is_due);
            assert_true((deadline(&a) <= now) == is_due);
            if (!is_due && segments > 0)
                assert_true(deadline(&a) == oldest + delay);
        }
    }
}

/* TCP_QUICKACK: each of the next texts at once; what is waiting goes, too. */
static void quick(void **state)
{
    (void)state;
    struct ackdelay a;
    begin(&a, 1460, DELAY_NS);
    ackdelay_quick(&a, 2);
    assert_false(due(&a, MS(1)));
    for (unsigned i = 0; i < 2; i++) {
        text(&a, 10, 10, MS(1));
        assert_int_equal(drain(&a, MS(1)), 1);
    }
    text(&a, 10, 10, MS(1));
    assert_false(due(&a, MS(1)));
    ackdelay_quick(&a, ACKDELAY_ALL);
    assert_int_equal(drain(&a, MS(1)), 1);
    for (unsigned i = 0; i < 100; i++) {
        text(&a, 10, 10, MS(1));
        assert_int_equal(drain(&a, MS(1)), 1);
    }
    ackdelay_quick(&a, 0);
    text(&a, 10, 10, MS(2));
    assert_int_equal(deadline(&a), MS(42));
    ackdelay_quick(&a, 0);
    assert_int_equal(deadline(&a), MS(42));
}

/* The MSS announced turns out to be less than was thought: two segments of that size. */
static void less_is_announced(void **state)
{
    (void)state;
    struct ackdelay a;
    begin(&a, 1460, DELAY_NS);
    ackdelay_set_rmss(&a, 300);
    assert_int_equal(a.largest, 300); /* TCP_INFO shows it: no more than may be sent to us */
    text(&a, 300, 300, 0);
    assert_false(due(&a, 0));
    text(&a, 300, 300, 0);
    assert_true(due(&a, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_at_first),
        cmocka_unit_test(one_segment_waits),
        cmocka_unit_test(every_second_segment),
        cmocka_unit_test(of_any_size),
        cmocka_unit_test(never_more_than_rmss),
        cmocka_unit_test(super_segment),
        cmocka_unit_test(delay_is_bounded),
        cmocka_unit_test(piggybacked),
        cmocka_unit_test(at_once_is_once),
        cmocka_unit_test(duplicates_are_counted),
        cmocka_unit_test(duplicates_end_when_rcv_nxt_moves),
        cmocka_unit_test(counts_saturate),
        cmocka_unit_test(against_a_model),
        cmocka_unit_test(quick),
        cmocka_unit_test(less_is_announced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
