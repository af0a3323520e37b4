/* Loss recovery as a whole: random histories against a model, and transfers over a lossy path
 * (RFC 6582, RFC 5681 3.2). test_recovery.c has the rules one by one. */
#include "recovery_sender.h"
#include "support.h"

/* Which octets are still owed to the peer, by a plain model: one flag each. */
#define MODEL_OCTETS 4096

struct model {
    bool owed[MODEL_OCTETS];
};

static void owe(struct model *m, uint32_t from, uint32_t to, bool owed)
{
    for (uint32_t i = from; i < to && i < MODEL_OCTETS; i++)
        m->owed[i] = owed;
}

/* recovery.c: the range covers what must be sent again, after any history. */
static void check_model(const struct sender *s, const struct model *m)
{
    check(s);
    for (uint32_t i = s->una; i < s->nxt; i++)
        if (m->owed[i])
            assert_true(seq_in(at(i), s->r.nxt, s->r.end));
    assert_true(flight(s) <= s->nxt - s->una);
}

static void random_step(struct rnd *p, struct sender *s, struct model *m)
{
    uint32_t out = s->nxt - s->una, what = rnd_below(p, 20);
    if (what < 6 || out == 0) {
        s->nxt += 1 + rnd_below(p, 60);
    } else if (what < 11) {
        if (dup(s))
            owe(m, s->una, s->una + (out < s->c.mss ? out : s->c.mss), true);
    } else if (what < 15) {
        ack(s, s->una + 1 + rnd_below(p, rnd_below(p, 2) ? out : 1 + out / 4));
    } else if (what < 18) {
        if (!recovery_pending(&s->r))
            return;
        uint32_t from = s->r.nxt.v - at(0).v;
        uint32_t end = from + 1 + rnd_below(p, s->nxt - from);
        resent(s, end);
        owe(m, from, end, false);
    } else if (what < 19) {
        timeout(s, rnd_below(p, 2));
        owe(m, s->una, s->nxt, true);
    } else {
        recovery_resend(&s->r, at(s->una), at(s->nxt));
        owe(m, s->una, s->nxt, true);
    }
}

static void nothing_owed_is_forgotten(void **state)
{
    (void)state;
    struct rnd p = rnd_start(__func__);
    for (int run = 0; run < 3000; run++) {
        struct sender s = sender_init(1 + rnd_below(&p, 60));
        static struct model m;
        memset(&m, 0, sizeof m);
        while (s.nxt < MODEL_OCTETS - 60) {
            random_step(&p, &s, &m);
            check_model(&s, &m);
        }
    }
}

/* A path that keeps order, a receiver that acknowledges every segment at once, in segments. */
#define SEGMENTS 300

struct path {
    struct sender s;
    uint32_t in_flight[32 * SEGMENTS]; /* numbers of the segments under way: [head, tail) */
    uint32_t head, tail;
    bool arrived[SEGMENTS];
    uint32_t rcv_nxt;
    uint32_t sent[SEGMENTS]; /* how often each was sent */
    uint32_t timeouts;
};

/* Sends what is to be sent again and what the window allows. The segment that fast recovery asks
 * for does not wait for cwnd. lost(p, n): whether the path loses segment n now. */
static void send_all(struct path *p, bool (*lost)(struct path *p, uint32_t n))
{
    struct sender *s = &p->s;
    for (;;) {
        bool again = recovery_pending(&s->r);
        uint32_t n = again ? s->r.nxt.v - at(0).v : s->nxt;
        bool fast = again && s->r.mode == RECOVERY_FAST && n == s->una;
        if (n == SEGMENTS || (!fast && flight(s) + 1 > s->c.cwnd))
            return;
        if (again)
            resent(s, n + 1);
        else
            s->nxt++;
        p->sent[n]++;
        if (lost(p, n))
            continue;
        assert_true(p->tail < sizeof p->in_flight / sizeof p->in_flight[0]);
        p->in_flight[p->tail++] = n;
    }
}

/* The oldest segment under way arrives, and its ACK is back at once. */
static void deliver(struct path *p)
{
    struct sender *s = &p->s;
    p->arrived[p->in_flight[p->head++]] = true;
    while (p->rcv_nxt < SEGMENTS && p->arrived[p->rcv_nxt])
        p->rcv_nxt++;
    if (p->rcv_nxt > s->una) {
        uint32_t old = s->una;
        if (ack(s, p->rcv_nxt).grow)
            s->c.ops->acked(&s->c, &(struct cc_ack){.octets = p->rcv_nxt - old, .used = true});
    } else if (s->una < s->nxt) {
        dup(s);
    }
}

static struct path *new_path(void)
{
    static struct path p;
    memset(&p, 0, sizeof p);
    p.s = sender_init(1); /* one octet a segment: offsets are numbers of segments */
    return &p;
}

static bool doomed[SEGMENTS];

static bool lost_at_first(struct path *p, uint32_t n)
{
    return doomed[n] && p->sent[n] == 1;
}

/* RFC 6582 1: any number of losses in one window is repaired by partial ACKs, one a round trip,
 * without a timeout, with one reduction, and nothing is sent twice that was not lost. */
static void one_window_without_timeout(void **state)
{
    (void)state;
    struct rnd r = rnd_start(__func__);
    for (int run = 0; run < 2000; run++) {
        struct path *p = new_path();
        uint32_t window = 8 + rnd_below(&r, 40), from = rnd_below(&r, 100);
        p->s.c.cwnd = p->s.c.ssthresh = window;
        memset(doomed, 0, sizeof doomed);
        uint32_t kept = 0; /* three must arrive after the first loss */
        for (uint32_t i = 0; i < window; i++) {
            doomed[from + i] = i == 0 || (rnd_below(&r, 2) && window - i > 3);
            kept += !doomed[from + i];
        }
        assert_true(kept >= 3);
        uint32_t reductions = 0;
        for (send_all(p, lost_at_first); p->head < p->tail; send_all(p, lost_at_first)) {
            enum recovery_mode before = p->s.r.mode;
            deliver(p);
            reductions += before == RECOVERY_OPEN && p->s.r.mode == RECOVERY_FAST;
        }
        assert_int_equal(p->rcv_nxt, SEGMENTS);
        assert_int_equal(reductions, 1);
        for (uint32_t n = 0; n < SEGMENTS; n++)
            assert_int_equal(p->sent[n], doomed[n] ? 2 : 1);
    }
}

static struct rnd luck;
static uint32_t loss_percent;

static bool lost_by_chance(struct path *p, uint32_t n)
{
    (void)p;
    (void)n;
    return rnd_below(&luck, 100) < loss_percent;
}

/* Whatever is lost, retransmissions included: everything arrives, and it takes a timeout only when
 * nothing is under way any more. */
static void everything_arrives(void **state)
{
    (void)state;
    luck = rnd_start(__func__);
    for (int run = 0; run < 1000; run++) {
        struct path *p = new_path();
        loss_percent = rnd_below(&luck, 60);
        uint32_t last_una = UINT32_MAX;
        while (p->s.una < SEGMENTS) {
            send_all(p, lost_by_chance);
            if (p->head < p->tail) {
                deliver(p);
                continue;
            }
            timeout(&p->s, p->s.una != last_una);
            last_una = p->s.una;
            assert_true(++p->timeouts < 20 * SEGMENTS);
        }
        assert_int_equal(p->rcv_nxt, SEGMENTS);
        assert_false(recovery_pending(&p->s.r));
        assert_true(loss_percent > 0 || p->timeouts == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_owed_is_forgotten),
        cmocka_unit_test(one_window_without_timeout),
        cmocka_unit_test(everything_arrives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
