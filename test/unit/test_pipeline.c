/* pipeline.c: every stage by its statistics, in virtual time; and that a seed says it all. */
#include "nstime.h"
#include "pipeline.h"
#include "support.h"
#include "units.h"

enum { N = 200000, MTU = 1500, D = RIGHT };

static struct pipeline pipeline;
static struct impair_settings settings;
static struct impair_counters counters;

static struct impair_way *begin(uint64_t seed)
{
    settings = (struct impair_settings){.seed = seed};
    counters = (struct impair_counters){0};
    pipeline_reset(&pipeline);
    settings.way[D] = (struct impair_way){.on = true, .queue_in_packets = true, .queue = 1000};
    return &settings.way[D];
}

static struct pipeline_fate pass(uint64_t now, uint32_t len)
{
    return pipeline_pass(&pipeline, &settings, D, now, len, &counters);
}

static bool passes(uint64_t now)
{
    return pass(now, MTU).what == PIPELINE_PASS;
}

/* Five standard deviations are once in a million. */
static void assert_near(double found, double wanted, double variance)
{
    if ((found - wanted) * (found - wanted) > 25 * variance + 0.25)
        fail_msg("%g, wanted %g, variance %g", found, wanted, variance);
}

/* A count of `n` trials of this probability. */
static void assert_share(uint64_t count, uint64_t n, double share)
{
    double wanted = (double)n * share;
    assert_near((double)count, wanted, wanted * (1 - share));
}

static void nothing_is_done_unless_asked_for(void **state)
{
    (void)state;
    begin(1)->on = false;
    for (uint64_t i = 0; i < 1000; i++) {
        struct pipeline_fate fate = pass(i, MTU);
        assert_int_equal(fate.what, PIPELINE_PASS);
        assert_int_equal(fate.due, i);
        assert_false(fate.twice || fate.corrupt);
    }
    assert_int_equal(counters.packets, 1000);
    assert_int_equal(counters.out, 1000);
}

/* How often what is asked for holds, and in how many runs. */
struct runs {
    uint64_t lost, runs;
};

static struct runs lose(void)
{
    struct runs r = {0};
    for (bool before = false, i = 0; counters.packets < N; before = i) {
        i = !passes(0);
        r.lost += i;
        r.runs += i && !before;
    }
    assert_int_equal(counters.lost, r.lost);
    assert_int_equal(counters.out, N - r.lost);
    return r;
}

static void loss_is_independent(void **state)
{
    (void)state;
    static const uint32_t loss[] = {1000, 10000, 200000, 500000};
    for (size_t i = 0; i < sizeof loss / sizeof loss[0]; i++) {
        begin(i)->loss = loss[i];
        double share = loss[i] / (double)UNITS_WHOLE;
        struct runs r = lose();
        assert_share(r.lost, N, share);
        assert_share(r.runs, r.lost, 1 - share); /* each loss begins a run by the same chance */
    }
    begin(1)->loss = UNITS_WHOLE;
    assert_int_equal(lose().lost, N);
    begin(1)->loss = 0;
    assert_int_equal(lose().lost, 0);
}

static void bursts_have_their_mean_and_the_loss_its_share(void **state)
{
    (void)state;
    static const struct {
        uint32_t loss, burst;
    } of[] = {{10000, 4000}, {50000, 10000}, {200000, 2500}, {100000, 1000}, {500000, 1000}};
    for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
        struct impair_way *way = begin(i);
        way->loss = of[i].loss;
        way->burst = of[i].burst;
        struct runs r = lose();
        double share = of[i].loss / (double)UNITS_WHOLE, burst = of[i].burst / 1000.0;
        /* The length of a run is geometric, its variance burst * (burst - 1); and losses that come
         * in runs vary more by as much. */
        assert_near((double)r.lost, (double)r.runs * burst, (double)r.runs * burst * (burst - 1));
        assert_near((double)r.lost, N * share, N * share * (1 - share) * 2 * burst);
    }
}

static void a_seed_says_it_all(void **state)
{
    (void)state;
    static struct pipeline_fate first[20000];
    enum { COUNT = sizeof first / sizeof first[0] };
    for (int run = 0; run < 5; run++) {
        struct impair_way *way = begin(run == 3 ? 8 : 7);
        way->loss = 100000;
        way->burst = run == 4 ? 3000 : 0;
        way->dup = way->corrupt = way->reorder = 100000;
        way->late_ns = 1;
        if (run == 2) { /* whatever time does, and whatever else is lost by it */
            way->rate = 10000000;
            way->mtu = 1000;
        }
        int other = 0;
        for (int i = 0; i < COUNT; i++) {
            uint64_t now = (uint64_t)(i * (run + 1)) * NS_PER_MS;
            struct pipeline_fate fate = pass(now, run == 2 && i % 7 == 0 ? 1200 : 600);
            fate.due -= fate.what == PIPELINE_PASS ? now : 0;
            if (run == 0)
                first[i] = fate;
            else if (run == 2 && i % 7 == 0)
                assert_int_equal(fate.what, PIPELINE_TOO_LONG);
            else
                other += fate.what != first[i].what || fate.twice != first[i].twice ||
                         fate.corrupt != first[i].corrupt || fate.bit != first[i].bit ||
                         (run != 2 && fate.due != first[i].due);
        }
        if (run < 3)
            assert_int_equal(other, 0);
        else
            assert_true(other > COUNT / 20);
    }
}

static void directions_have_fates_of_their_own(void **state)
{
    (void)state;
    static struct pipeline back;
    struct impair_counters back_counters = {0};
    begin(7)->loss = 500000;
    settings.way[LEFT] = settings.way[RIGHT];
    int same = 0;
    for (int i = 0; i < N; i++)
        same += passes(0) == (pipeline_pass(&back, &settings, LEFT, 0, MTU, &back_counters).what ==
                              PIPELINE_PASS);
    assert_share((uint64_t)same, N, 0.5);
}

static void copies_and_flipped_bits_have_their_shares(void **state)
{
    (void)state;
    enum { LEN = 100 };
    struct impair_way *way = begin(3);
    way->dup = 20000;
    way->corrupt = 300000;
    uint64_t twice = 0, corrupt = 0, both = 0, bit[LEN * 8] = {0};
    for (int i = 0; i < N; i++) {
        struct pipeline_fate fate = pass(0, LEN);
        twice += fate.twice;
        corrupt += fate.corrupt;
        both += fate.twice && fate.corrupt;
        assert_true(fate.bit < LEN * 8);
        bit[fate.bit] += fate.corrupt;
    }
    assert_share(twice, N, 0.02);
    assert_share(corrupt, N, 0.3);
    assert_share(both, N, 0.006);
    for (int i = 0; i < LEN * 8; i++)
        assert_share(bit[i], corrupt, 1.0 / (LEN * 8));
    assert_int_equal(counters.dup, twice);
    assert_int_equal(counters.corrupt, corrupt);
    assert_int_equal(counters.out, N + twice);
}

static void a_delay_is_exact(void **state)
{
    (void)state;
    begin(1)->delay_ns = 20 * NS_PER_MS;
    for (uint64_t i = 0; i < 100; i++)
        assert_int_equal(pass(i * 12345, MTU).due, i * 12345 + 20 * NS_PER_MS);
}

/* Uniform: as many in each tenth. */
static void jitter_is_uniform_around_the_delay(void **state)
{
    (void)state;
    struct impair_way *way = begin(1);
    way->delay_ns = 20 * NS_PER_MS;
    way->jitter_ns = 5 * NS_PER_MS;
    uint64_t tenth[10] = {0};
    for (uint64_t i = 0; i < N; i++) {
        uint64_t now = i * NS_PER_S, due = pass(now, MTU).due - now;
        assert_in_range(due, 15 * NS_PER_MS, 25 * NS_PER_MS);
        tenth[due == 25 * NS_PER_MS ? 9 : (due - 15 * NS_PER_MS) / NS_PER_MS]++;
    }
    for (int i = 0; i < 10; i++)
        assert_share(tenth[i], N, 0.1);
}

static void jitter_keeps_the_order(void **state)
{
    (void)state;
    struct impair_way *way = begin(1);
    way->delay_ns = way->jitter_ns = 5 * NS_PER_MS;
    uint64_t last = 0;
    for (uint64_t i = 0; i < N; i++) {
        uint64_t now = i * 12000, due = pass(now, MTU).due;
        assert_in_range(due, now, now + 10 * NS_PER_MS);
        assert_true(due >= last);
        last = due;
    }
}

static void the_late_are_late_and_nobody_waits_for_them(void **state)
{
    (void)state;
    struct impair_way *way = begin(1);
    way->delay_ns = 20 * NS_PER_MS;
    way->reorder = 50000;
    way->late_ns = 3 * NS_PER_MS;
    uint64_t late = 0;
    for (uint64_t i = 0; i < N; i++) {
        uint64_t transit = pass(i * 1000, MTU).due - i * 1000;
        assert_true(transit == 20 * NS_PER_MS || transit == 23 * NS_PER_MS);
        late += transit == 23 * NS_PER_MS;
    }
    assert_share(late, N, 0.05);
    assert_int_equal(counters.late, late);
}

static void a_link_sends_one_packet_after_the_other(void **state)
{
    (void)state;
    struct impair_way *way = begin(1);
    way->rate = 100000000;
    way->delay_ns = NS_PER_MS;
    const uint64_t takes = (MTU + 14) * 80; /* 121120 ns of 100 Mbit/s, as tc counts */
    for (uint64_t i = 0; i < 1000; i++)
        assert_int_equal(pass(0, MTU).due, (i + 1) * takes + NS_PER_MS);
    assert_int_equal(pass(NS_PER_S, MTU).due, NS_PER_S + takes + NS_PER_MS); /* idle again */
    assert_int_equal(pass(NS_PER_S, 46).due, NS_PER_S + takes + 60 * 80 + NS_PER_MS);
}

static void the_queue_holds_so_many_packets(void **state)
{
    (void)state;
    struct impair_way *way = begin(1);
    way->rate = 1000000;
    way->queue = 10;
    for (int i = 0; i < 30; i++)
        assert_int_equal(passes(0), i < 11); /* one is on the link */
    assert_int_equal(counters.queue, 19);
    assert_true(passes((MTU + 14) * 8 * NS_PER_US));
    assert_false(passes((MTU + 14) * 8 * NS_PER_US));
}

static void the_queue_holds_so_many_octets(void **state)
{
    (void)state;
    struct impair_way *way = begin(1);
    way->rate = 1000000;
    way->queue_in_packets = false;
    way->queue = 2 * 1014 + 100;
    assert_true(pass(0, 1000).what == PIPELINE_PASS); /* on the link */
    assert_true(pass(0, 1000).what == PIPELINE_PASS);
    assert_true(pass(0, 1000).what == PIPELINE_PASS);
    assert_true(pass(0, 87).what == PIPELINE_DROP); /* 101 with its frame */
    assert_true(pass(0, 86).what == PIPELINE_PASS);
    assert_true(pass(0, 20).what == PIPELINE_DROP);
    assert_true(pass(1014 * 8 * NS_PER_US - 1, 1000).what == PIPELINE_DROP);
    assert_true(pass(1014 * 8 * NS_PER_US, 1000).what == PIPELINE_PASS);
}

static void a_queue_has_a_last_place(void **state)
{
    (void)state;
    struct impair_way *way = begin(1);
    way->rate = 1000;
    way->queue = UNITS_SIZE_MAX;
    for (int i = 0; i < PIPELINE_QUEUE_MAX + 1; i++)
        assert_true(passes(0));
    assert_false(passes(0));
}

static void no_queue_is_a_link_that_drops_what_comes_too_soon(void **state)
{
    (void)state;
    struct impair_way *way = begin(1);
    way->rate = 100000000;
    way->queue = 0;
    assert_true(passes(0));
    assert_false(passes(121119));
    assert_true(passes(121120));
}

/* Against a bucket that is filled and emptied, in units of one bit's billionth. */
static void a_bucket_without_a_queue_is_a_policer(void **state)
{
    (void)state;
    struct rnd rnd = rnd_start("policer");
    struct impair_way *way = begin(1);
    way->rate = 10000000;
    way->bucket = 32768;
    way->queue = 0;
    const uint64_t full = way->bucket * 8 * NS_PER_S;
    uint64_t tokens = full, now = 0, passed = 0;
    for (int i = 0; i < N; i++) {
        uint64_t step = rnd_below(&rnd, i / 1000 % 2 ? 2000 : 2000000);
        uint32_t len = 20 + rnd_below(&rnd, 1481);
        now += step;
        tokens = tokens + step * way->rate > full ? full : tokens + step * way->rate;
        uint64_t cost = (len + PIPELINE_FRAME) * 8 * NS_PER_S;
        struct pipeline_fate fate = pass(now, len);
        /* The link's times are whole nanoseconds: they may differ by one for each packet. */
        uint64_t about = way->rate * 2000;
        if (tokens >= cost + about || tokens + about < cost)
            assert_int_equal(fate.what == PIPELINE_PASS, tokens >= cost);
        if (fate.what == PIPELINE_PASS) {
            assert_int_equal(fate.due, now); /* it never delays */
            tokens -= cost < tokens ? cost : tokens;
            passed += len + PIPELINE_FRAME;
        }
    }
    assert_true(counters.queue > N / 10 && counters.out > N / 10);
    assert_true(passed * 8 * NS_PER_S <= full + way->rate * (now + 1000000));
}

static void a_bucket_with_a_queue_shapes(void **state)
{
    (void)state;
    struct impair_way *way = begin(1);
    way->rate = 100000000;
    way->bucket = 10 * (MTU + 14);
    for (uint64_t i = 0; i < 20; i++)
        assert_int_equal(pass(0, MTU).due, i < 10 ? 0 : (i - 9) * 121120);
}

static void what_is_too_long_is_answered_or_not(void **state)
{
    (void)state;
    struct impair_way *way = begin(1);
    way->mtu = 1400;
    way->rate = 1000000;
    assert_int_equal(pass(0, 1401).what, PIPELINE_TOO_LONG);
    assert_int_equal(pass(0, 1400).due, 1414 * 8 * NS_PER_US); /* the other took no time */
    way->black_hole = true;
    assert_int_equal(pass(0, 1401).what, PIPELINE_DROP);
    assert_int_equal(counters.mtu, 2);
}

static struct impair_way any_way(struct rnd *rnd)
{
    struct impair_way way = {.loss = rnd_skewed(rnd, 300000),
                             .dup = rnd_skewed(rnd, 300000),
                             .corrupt = rnd_skewed(rnd, 300000),
                             .reorder = rnd_skewed(rnd, 300000),
                             .burst = rnd_below(rnd, 2) * (1000 + rnd_below(rnd, 9000)),
                             .mtu = rnd_below(rnd, 2) * 1000,
                             .rate = rnd_below(rnd, 3) * (10000 + rnd_below(rnd, 1000000000)),
                             .bucket = rnd_below(rnd, 2) * rnd_below(rnd, 100000),
                             .queue = rnd_below(rnd, 5000),
                             .delay_ns = rnd_below(rnd, 100000000),
                             .late_ns = 1 + rnd_below(rnd, 10000000)};
    way.queue_in_packets = way.queue < 500;
    way.jitter_ns = rnd_below(rnd, (uint32_t)way.delay_ns + 1);
    way.black_hole = rnd_below(rnd, 2);
    return way;
}

static void every_packet_is_accounted_for(void **state)
{
    (void)state;
    struct rnd rnd = rnd_start("pipeline");
    for (int round = 0; round < 200; round++) {
        struct impair_way *way = begin(rnd_u64(&rnd));
        *way = any_way(&rnd);
        uint64_t now = 0, last = 0, passed = 0;
        for (int i = 0; i < 1000; i++) {
            now += rnd_skewed(&rnd, 1000000);
            uint64_t late_before = counters.late;
            struct pipeline_fate fate = pass(now, 20 + rnd_below(&rnd, 1481));
            if (fate.what != PIPELINE_PASS)
                continue;
            passed += 1U + fate.twice;
            assert_true(fate.due >= now + way->delay_ns - way->jitter_ns);
            if (counters.late == late_before) {
                assert_true(fate.due >= last);
                last = fate.due;
            }
        }
        assert_int_equal(counters.packets, 1000);
        assert_int_equal(counters.out, passed);
        assert_int_equal(counters.packets + counters.dup,
                         counters.out + counters.lost + counters.queue + counters.mtu);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_done_unless_asked_for),
        cmocka_unit_test(loss_is_independent),
        cmocka_unit_test(bursts_have_their_mean_and_the_loss_its_share),
        cmocka_unit_test(a_seed_says_it_all),
        cmocka_unit_test(directions_have_fates_of_their_own),
        cmocka_unit_test(copies_and_flipped_bits_have_their_shares),
        cmocka_unit_test(a_delay_is_exact),
        cmocka_unit_test(jitter_is_uniform_around_the_delay),
        cmocka_unit_test(jitter_keeps_the_order),
        cmocka_unit_test(the_late_are_late_and_nobody_waits_for_them),
        cmocka_unit_test(a_link_sends_one_packet_after_the_other),
        cmocka_unit_test(the_queue_holds_so_many_packets),
        cmocka_unit_test(the_queue_holds_so_many_octets),
        cmocka_unit_test(a_queue_has_a_last_place),
        cmocka_unit_test(no_queue_is_a_link_that_drops_what_comes_too_soon),
        cmocka_unit_test(a_bucket_without_a_queue_is_a_policer),
        cmocka_unit_test(a_bucket_with_a_queue_shapes),
        cmocka_unit_test(what_is_too_long_is_answered_or_not),
        cmocka_unit_test(every_packet_is_accounted_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
