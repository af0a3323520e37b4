/* hystart.c: when slow start has gone far enough (RFC 9406 4.2). */
#include "hystart.h"

#include "support.h"

#define ISS UINT32_C(0xffffff00) /* the numbers wrap soon */
#define MS  UINT64_C(1000000)

struct rounds {
    struct hystart h;
    uint32_t una;
};

/* One octet is a segment: a round of n segments, all acknowledged with this RTT, in `acks` ACKs;
 * the next are sent one by one. True: congestion avoidance, as the first says. */

static bool round_of(struct rounds *r, uint32_t n, uint32_t acks, uint64_t rtt_ns)
{
    uint32_t from = ISS + r->una;
    bool over = hystart_acked(&r->h, seq(from + 1), seq(from + n), rtt_ns);
    for (uint32_t i = 2; i <= acks; i++)
        assert_false(
            hystart_acked(&r->h, seq(from + (i == acks ? n : i)), seq(from + n + i), rtt_ns));
    r->una += n;
    return over;
}

static struct rounds fresh(void)
{
    return (struct rounds){.h = {.begun = false}};
}

/* A round in CSS has begun, from a round trip of `base` ms to one of `more`. */
static struct rounds in_css(uint64_t base_ms, uint64_t more_ms)
{
    struct rounds r = fresh();
    round_of(&r, 20, 20, base_ms * MS);
    round_of(&r, 20, 20, base_ms * MS);
    assert_false(hystart_css(&r.h));
    round_of(&r, 20, 20, more_ms * MS);
    assert_true(hystart_css(&r.h));
    return r;
}

/* RttThresh = max(4 ms, min(lastRoundMinRTT / 8, 16 ms)), to the microsecond; as much is enough. */
static void threshold(void **state)
{
    (void)state;
    static const struct {
        uint64_t last_us, thresh_us;
    } table[] = {{1, 4000},       {500, 4000},      {31999, 4000},      {32000, 4000},
                 {32008, 4001},   {80000, 10000},   {127999, 15999},    {128000, 16000},
                 {200000, 16000}, {3000000, 16000}, {4294900000, 16000}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        for (uint64_t less = 0; less <= 1; less++) {
            struct rounds r = fresh();
            round_of(&r, 10, 10, table[i].last_us * 1000);
            round_of(&r, 10, 10, (table[i].last_us + table[i].thresh_us - less) * 1000);
            assert_int_equal(hystart_css(&r.h), less == 0);
        }
    }
}

/* N_RTT_SAMPLE = 8: fewer samples say nothing, however long they are. */
static void eight_samples(void **state)
{
    (void)state;
    for (uint32_t n = 1; n <= 9; n++) {
        struct rounds r = fresh();
        round_of(&r, 20, 20, 10 * MS);
        round_of(&r, 20, n, 500 * MS);
        assert_int_equal(hystart_css(&r.h), n >= 8);
    }
    struct rounds r = fresh(); /* ACKs without a sample do not count */
    round_of(&r, 20, 20, 10 * MS);
    for (uint32_t i = 0; i < 7; i++) {
        hystart_acked(&r.h, seq(ISS + 21 + i), seq(ISS + 60), 500 * MS);
        hystart_acked(&r.h, seq(ISS + 21 + i), seq(ISS + 60), 0);
    }
    assert_false(hystart_css(&r.h));
    hystart_acked(&r.h, seq(ISS + 28), seq(ISS + 60), 500 * MS);
    assert_true(hystart_css(&r.h));
}

/* The minimum of a round counts, not a single long round trip. */
static void minimum(void **state)
{
    (void)state;
    struct rounds r = fresh();
    round_of(&r, 20, 20, 10 * MS);
    hystart_acked(&r.h, seq(ISS + 21), seq(ISS + 60), 10 * MS);
    for (uint32_t i = 0; i < 15; i++)
        hystart_acked(&r.h, seq(ISS + 22 + i), seq(ISS + 60), 500 * MS);
    assert_false(hystart_css(&r.h));
}

/* Nothing is compared with a round that has no sample, nor in the first. */
static void nothing_to_compare_with(void **state)
{
    (void)state;
    struct rounds r = fresh();
    round_of(&r, 20, 20, 10 * MS);
    round_of(&r, 20, 20, 0);
    round_of(&r, 20, 20, 500 * MS);
    assert_false(hystart_css(&r.h));
    round_of(&r, 20, 20, 600 * MS);
    assert_true(hystart_css(&r.h));
}

/* windowEnd is SND.NXT at the first ACK and at the end of each round. */
static void rounds_by_numbers(void **state)
{
    (void)state;
    struct hystart h = {.begun = false};
    for (uint32_t i = 1; i <= 9; i++)
        hystart_acked(&h, seq(ISS + i), seq(ISS + 10 + i), 10 * MS);
    assert_int_equal(h.window_end.v, ISS + 11);
    hystart_acked(&h, seq(ISS + 11), seq(ISS + 21), 10 * MS); /* all before it */
    assert_int_equal(h.last_us, 0);
    hystart_acked(&h, seq(ISS + 12), seq(ISS + 23), 8 * MS); /* its sample is of the next round */
    assert_int_equal(h.last_us, 10000);
    assert_int_equal(h.current_us, 8000);
    assert_int_equal(h.samples, 1);
    assert_int_equal(h.window_end.v, ISS + 23);
}

/* CSS_ROUNDS = 5, and the round in the middle of which CSS begins is one of them. */
static void five_rounds_of_css(void **state)
{
    (void)state;
    struct rounds r = in_css(10, 20); /* the first one */
    for (int i = 2; i <= 6; i++) {
        assert_true(hystart_css(&r.h));
        assert_int_equal(round_of(&r, 20, 20, 20 * MS), i == 6);
    }
}

/* A round trip below the baseline: the exit was spurious, and all begins again. */
static void spurious(void **state)
{
    (void)state;
    struct rounds r = in_css(10, 20);
    round_of(&r, 20, 20, 20 * MS); /* as long as the baseline: no */
    assert_true(hystart_css(&r.h));
    round_of(&r, 20, 7, 19 * MS); /* too few */
    assert_true(hystart_css(&r.h));
    round_of(&r, 20, 8, 19999 * MS / 1000);
    assert_false(hystart_css(&r.h));
    round_of(&r, 20, 20, 26 * MS); /* and again: the rounds are counted anew */
    assert_true(hystart_css(&r.h));
    for (int i = 2; i <= 6; i++)
        assert_int_equal(round_of(&r, 20, 20, 26 * MS), i == 6);
}

/* Against the RFC's pseudocode, in real numbers of its own, for round trips of every length. */
struct model {
    double last, current, baseline;
    uint32_t samples, css_rounds, end;
    bool begun;
};

static const double infinity = 1e300;

static void model_judge(struct model *m)
{
    double thresh = m->last / 8 < 16000 ? m->last / 8 : 16000;
    thresh = thresh > 4000 ? thresh : 4000;
    if (m->samples < 8)
        return;
    if (m->baseline < infinity) {
        if (m->current < m->baseline)
            m->baseline = infinity;
    } else if (m->current < infinity && m->last < infinity && m->current >= m->last + thresh) {
        m->baseline = m->current;
        m->css_rounds = 0;
    }
}

static bool model_acked(struct model *m, uint32_t una, uint32_t nxt, uint64_t rtt_us)
{
    if (!m->begun)
        *m = (struct model){infinity, infinity, infinity, 0, 0, nxt, true};
    if (una > m->end) {
        m->end = nxt;
        m->last = m->current;
        m->current = infinity;
        m->samples = 0;
        if (m->baseline < infinity && ++m->css_rounds == 5)
            return true;
    }
    if (rtt_us > 0) {
        m->samples++;
        if ((double)rtt_us < m->current)
            m->current = (double)rtt_us;
    }
    model_judge(m);
    return false;
}

static void as_the_pseudocode(void **state)
{
    (void)state;
    struct rnd p = rnd_start(__func__);
    uint32_t spoke = 0, over = 0;
    for (int run = 0; run < 3000; run++) {
        struct hystart h = {.begun = false};
        struct model m = {.begun = false};
        uint32_t una = 0, nxt = 10, most = 1 + rnd_below(&p, 30);
        uint64_t base_us = 1 + rnd_magnitude(&p) % 10000000;
        for (int i = 0; i < 1000; i++) {
            una += 1 + rnd_below(&p, rnd_below(&p, 8) ? 1 : nxt - una);
            if (rnd_below(&p, 80) == 0)
                base_us = 1 + base_us * (70 + rnd_below(&p, 100)) / 100 % 4000000000;
            uint64_t rtt_us = rnd_below(&p, most) ? base_us : 0;
            bool done = hystart_acked(&h, seq(ISS + una), seq(ISS + nxt),
                                      rtt_us * 1000 + (rtt_us ? rnd_below(&p, 1000) : 0));
            assert_int_equal(done, model_acked(&m, una, nxt, rtt_us));
            assert_int_equal(hystart_css(&h), m.baseline < infinity);
            spoke += hystart_css(&h);
            over += done;
            if (done)
                break;
            uint32_t sent = una + 1 + rnd_below(&p, 60);
            nxt = sent > nxt ? sent : nxt;
            nxt += nxt == una;
        }
    }
    assert_true(spoke > 1000 && over > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threshold),         cmocka_unit_test(eight_samples),
        cmocka_unit_test(minimum),           cmocka_unit_test(nothing_to_compare_with),
        cmocka_unit_test(rounds_by_numbers), cmocka_unit_test(five_rounds_of_css),
        cmocka_unit_test(spurious),          cmocka_unit_test(as_the_pseudocode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
