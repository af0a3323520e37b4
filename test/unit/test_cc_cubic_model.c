/* cc_cubic.c against RFC 9438's formulas in floating point, over all that its arguments can be, and
 * against the windows that 5.1 says it reaches. Rule by rule: test_cc_cubic.c. */
#include "cc.h"
#include "minmax.h"
#include "nstime.h"
#include "support.h"

typedef long double real;

/* ---- Each ACK ---- */

/* What the RFC has of a stage of congestion avoidance, in octets and seconds. t is that of the RFC,
 * which never runs while cwnd is not in use, nor longer than a round trip without an ACK. */
struct model {
    bool begun, timed_out;
    real w_max, prior, k, t;
    uint32_t w_est; /* in whole segments above where it began */
    real part;      /* of the next */
};

static real cubed_root(real x)
{
    real r = x > 1 ? x : 1;
    for (int i = 0; i < 200; i++)
        r -= (r * r * r - x) / (3 * r * r);
    return r;
}

/* W_cubic(t); the engine's t and K are off by less than a millisecond. */
static real curve(const struct model *m, uint32_t mss, real t)
{
    real d = t - m->k;
    return 0.4L * mss * d * d * d + m->w_max;
}

static void model_begin(struct model *m, uint32_t cwnd, uint32_t mss)
{
    if (m->timed_out || m->w_max < cwnd)
        m->w_max = cwnd;
    m->k = m->w_max > cwnd ? cubed_root((m->w_max - cwnd) / (0.4L * mss)) : 0;
    m->w_est = cwnd;
    m->part = 0;
    m->t = 0;
    m->begun = true;
    m->timed_out = false;
}

static real bounded(real target, real cwnd)
{
    return target < cwnd ? cwnd : target > 1.5L * cwnd ? 1.5L * cwnd : target;
}

static real alpha(const struct model *m)
{
    return m->w_est < m->prior ? 9.0L / 17 : 1;
}

/* Figure 4. Where the part is a whole one but for rounding, as the engine has it. */
static void grow_estimate(struct model *m, const struct cc *was, const struct cc *is, real octets)
{
    m->part += alpha(m) * octets / was->cwnd;
    bool close = m->part > 1 - 3.0L / was->cwnd && m->part < 1 + 3.0L / was->cwnd;
    if (close ? is->cubic.w_est != m->w_est : m->part > 1)
        m->w_est = min_u32(m->w_est + was->mss, CC_CWND_MAX);
    assert_int_equal(is->cubic.w_est, m->w_est);
}

/* What cwnd may be after this ACK. */
struct range {
    real least, most;
};

static struct range after_ack(const struct model *m, const struct cc *c, real octets, real srtt)
{
    const real ms = 0.001L, cwnd = c->cwnd;
    real least = bounded(curve(m, c->mss, m->t + srtt - ms) - 1, cwnd);
    real most = bounded(curve(m, c->mss, m->t + srtt + ms) + 1, cwnd);
    struct range cubic = {cwnd + (least - cwnd) * octets / cwnd - 1,
                          cwnd + (most - cwnd) * octets / cwnd + 1};
    real reno = max_u32(m->w_est, c->cwnd);
    if (curve(m, c->mss, m->t - ms) - 1 >= m->w_est)
        return cubic;
    if (curve(m, c->mss, m->t + ms) + 1 < m->w_est)
        return (struct range){reno, reno};
    return (struct range){cubic.least < reno ? cubic.least : reno,
                          cubic.most > reno ? cubic.most : reno};
}

struct history {
    struct cc c;
    struct model m;
    uint64_t now_us;
    struct rnd p;
    uint32_t acks, grown; /* in congestion avoidance */
};

static void an_ack(struct history *h)
{
    struct cc *c = &h->c, old = h->c;
    uint32_t octets = 1 + (uint32_t)rnd_magnitude(&h->p) % CC_CWND_MAX;
    if (rnd_below(&h->p, 4))
        octets = 1 + rnd_below(&h->p, min_u32(2 * c->mss, c->cwnd));
    uint64_t srtt_us = rnd_magnitude(&h->p) % 100000000;
    uint64_t gap_us = rnd_below(&h->p, 8) ? rnd_below(&h->p, (uint32_t)srtt_us / 8 + 1)
                                          : rnd_magnitude(&h->p) % (UINT64_C(1) << 32);
    bool used = rnd_below(&h->p, 6) > 0;
    h->now_us += gap_us;
    c->ops->acked(c, &(struct cc_ack){.octets = octets,
                                      .used = used,
                                      .paced = rnd_below(&h->p, 2),
                                      .srtt_ns = srtt_us * 1000,
                                      .now_ns = h->now_us * 1000});
    if (old.cwnd < old.ssthresh || old.stage == CC_FIRST_SLOW_START) {
        assert_true(c->cwnd >= old.cwnd && c->cwnd - old.cwnd <= octets);
        if (c->stage != CC_AVOIDANCE)
            return;
        model_begin(&h->m, c->ssthresh, c->mss); /* with this very ACK */
        h->m.w_est = c->cubic.w_est;
        h->m.part = alpha(&h->m) * c->acked / c->cwnd;
        return;
    }
    if (!h->m.begun)
        model_begin(&h->m, old.cwnd, old.mss);
    else if (used)
        h->m.t += (real)min_u64(gap_us, srtt_us) / 1000000;
    if (!used) {
        assert_int_equal(c->cwnd, old.cwnd);
        return;
    }
    octets = min_u32(octets, old.cwnd);
    grow_estimate(&h->m, &old, c, octets);
    struct range r = after_ack(&h->m, &old, octets, (real)srtt_us / 1000000);
    assert_true((real)c->cwnd >= min_u32((uint32_t)r.least, CC_CWND_MAX));
    assert_true((real)c->cwnd <= r.most);
    h->m.part = alpha(&h->m) * c->acked / c->cwnd; /* the engine keeps octets */
    h->acks++;
    h->grown += c->cwnd > old.cwnd;
}

static void a_loss(struct history *h)
{
    struct cc *c = &h->c;
    real cwnd = c->cwnd;
    uint32_t flight = rnd_below(&h->p, 2) ? c->cwnd : 1 + rnd_below(&h->p, c->cwnd);
    bool timeout = rnd_below(&h->p, 3) == 0;
    if (timeout)
        c->ops->timeout(c, flight, true, 0);
    else
        c->ops->loss(c, flight, 0);
    real ssthresh = 0.7L * flight;
    if (ssthresh < 2.0L * c->mss)
        ssthresh = 2.0L * c->mss;
    assert_true(c->ssthresh <= ssthresh && c->ssthresh > ssthresh - 1);
    assert_int_equal(c->cwnd, timeout ? c->mss : c->ssthresh);
    h->m.w_max = cwnd < h->m.w_max ? 0.85L * cwnd : cwnd;
    assert_true(h->m.w_max - c->cubic.w_max >= 0 && h->m.w_max - c->cubic.w_max < 1);
    h->m.w_max = c->cubic.w_max;
    h->m.prior = cwnd;
    h->m.begun = false;
    h->m.timed_out = timeout;
}

/* Any SMSS, window, round trip, pause and ACK: each ACK of congestion avoidance takes cwnd to where
 * the formulas have it, but for what K and t in whole milliseconds, W_est in whole segments and
 * cwnd in whole octets leave. */
static void formulas(void **state)
{
    (void)state;
    struct history h = {.p = rnd_start(__func__), .now_us = 1};
    for (int run = 0; run < 3000; run++) {
        cc_init(&h.c, &cc_cubic, 1 + rnd_skewed(&h.p, UINT16_MAX), false);
        h.m = (struct model){.begun = false};
        uint32_t room = CC_CWND_MAX - h.c.mss;
        h.c.cwnd = h.c.mss + (uint32_t)(rnd_magnitude(&h.p) % room);
        a_loss(&h);
        for (int i = 0; i < 200; i++) {
            if (rnd_below(&h.p, 60) == 0)
                a_loss(&h);
            else
                an_ack(&h);
        }
    }
    assert_true(h.acks > 100000 && h.grown > 50000);
}

/* ---- Any history ---- */

static struct cc_ack any_ack(struct rnd *p)
{
    return (struct cc_ack){.octets = 1 + (uint32_t)rnd_magnitude(p) % INT32_MAX,
                           .used = rnd_below(p, 8) > 0,
                           .paced = rnd_below(p, 2),
                           .una = seq((uint32_t)rnd_u64(p)),
                           .nxt = seq((uint32_t)rnd_u64(p)),
                           .rtt_ns = rnd_magnitude(p),
                           .srtt_ns = rnd_magnitude(p),
                           .now_ns = rnd_magnitude(p)};
}

static void step(struct cc *c, struct rnd *p)
{
    uint32_t n = (uint32_t)rnd_magnitude(p);
    const struct cc old = *c;
    switch (rnd_below(p, 20)) {
    case 0:
        c->ops->loss(c, n, rnd_magnitude(p));
        break;
    case 1:
        c->ops->timeout(c, n, rnd_below(p, 2), rnd_magnitude(p));
        break;
    case 2:
        cc_idle(c);
        break;
    case 3:
        cc_set_mss(c, 1 + rnd_below(p, UINT16_MAX));
        break;
    case 4:
        if (rnd_below(p, 4) == 0)
            cc_change(c, rnd_below(p, 2) ? &cc_cubic : &cc_newreno);
        break;
    default: {
        const struct cc_ack ack = any_ack(p);
        c->ops->acked(c, &ack);
        uint64_t grown = c->cwnd - old.cwnd, most = 8 * (uint64_t)old.mss;
        if (ack.paced && old.cwnd < old.ssthresh)
            most = ack.octets;
        assert_true(c->cwnd >= old.cwnd);
        assert_true(ack.used || grown == 0);
        assert_true(grown <= max_u64(old.cwnd / 2 + 1, most));
        assert_true(c->ssthresh == old.ssthresh || old.stage == CC_FIRST_SLOW_START);
        break;
    }
    }
}

/* cc.h: the limits hold whatever happens, time that runs backwards included; an ACK takes nothing
 * away, and never gives more than the half of cwnd, or in slow start 8 segments, or with pacing
 * what it covers. */
static void limits_for_all_histories(void **state)
{
    (void)state;
    struct rnd p = rnd_start(__func__);
    for (int run = 0; run < 3000; run++) {
        struct cc c;
        cc_init(&c, &cc_cubic, 1 + rnd_below(&p, UINT16_MAX), rnd_below(&p, 2));
        if (rnd_below(&p, 2))
            c.cwnd = c.mss + rnd_below(&p, CC_CWND_MAX - c.mss);
        for (int i = 0; i < 200; i++) {
            step(&c, &p);
            assert_in_range(c.cwnd, c.mss, CC_CWND_MAX);
            assert_true(c.ssthresh >= 2 * c.mss);
            assert_true(c.stage != CC_AVOIDANCE || c.cubic.w_est <= CC_CWND_MAX);
        }
    }
}

/* ---- Whole transfers: RFC 9438 5.1 ---- */

/* The mean window, in segments, when every `every`-th segment is lost, after some losses. */
static uint32_t mean_window(uint32_t every, uint64_t rtt_ns)
{
    struct cc c;
    uint64_t now_ns = 0, octets = 0, rounds = 0, left = every;
    cc_init(&c, &cc_cubic, 1460, false);
    c.ops->loss(&c, c.cwnd, 0);
    for (int losses = 0; losses < 40;) {
        uint32_t n = c.cwnd / c.mss;
        octets += losses >= 20 ? c.cwnd : 0;
        rounds += losses >= 20;
        for (uint32_t i = 0; i < n; i++) {
            now_ns += rtt_ns / n;
            c.ops->acked(&c,
                         &(struct cc_ack){
                             .octets = c.mss, .used = true, .srtt_ns = rtt_ns, .now_ns = now_ns});
        }
        if (left > n) {
            left -= n;
            continue;
        }
        left = every;
        losses++;
        c.ops->loss(&c, c.cwnd, now_ns);
    }
    return (uint32_t)(octets / rounds / c.mss);
}

/* Tables 1 and 2, within 15 %: the formulas behind them take windows and time to be continuous. */
static void average_windows(void **state)
{
    (void)state;
    static const struct {
        uint32_t every;
        uint64_t rtt_ms;
        uint32_t window;
    } table[] = {
        {100, 100, 12}, {1000, 100, 38},  {10000, 100, 187}, {100000, 100, 1054}, {100, 10, 12},
        {1000, 10, 38}, {10000, 10, 120}, {100000, 10, 379}, {1000000, 10, 1200},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        uint32_t mean = mean_window(table[i].every, table[i].rtt_ms * NS_PER_MS);
        print_message("1 of %u lost, %u ms: %u, should be %u\n", table[i].every,
                      (unsigned)table[i].rtt_ms, mean, table[i].window);
        assert_in_range(mean, table[i].window * 85 / 100, table[i].window * 115 / 100 + 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formulas),
        cmocka_unit_test(limits_for_all_histories),
        cmocka_unit_test(average_windows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
