/* scoreboard.c: random calls, against an array with an entry for every octet; and what becomes of
 * it without memory. */
#include "scoreboard.h"
#include "support.h"

#define OCTETS 6000u
#define FIRST  0xfffff800u /* numbers wrap on the way */

struct octet {
    uint64_t at_ns;
    bool again, sacked, lost;
};

struct model {
    struct octet v[OCTETS];
    uint32_t una, nxt, fack;
    bool vague; /* memory was refused, or the peer has reneged: not all is known any more */
};

struct test {
    struct test_mem mem;
    struct scoreboard b;
    struct model m;
    struct rnd rnd;
    uint64_t now_ns;
};

static seq_t number(uint32_t at)
{
    return seq(FIRST + at);
}

static struct sent *next(const struct scoreboard *b, const struct sent *s)
{
    struct list *l = s->by_seq.next;
    return l == &b->by_seq ? NULL : container_of(l, struct sent, by_seq);
}

/* ---- What is expected of an ACK ---- */

static void model_deliver(struct model *m, struct delivery *d, uint32_t at)
{
    struct octet *o = &m->v[at];
    seq_t end = number(at + 1);
    d->octets++;
    d->reordered |= !o->again && seq_lt(end, d->fack);
    if (m->fack < at + 1)
        m->fack = at + 1;
    if (o->again && d->now_ns - o->at_ns < d->min_rtt_ns)
        return;
    if (d->valid && !sent_after(o->at_ns, end, d->at_ns, d->end))
        return;
    d->valid = true;
    d->again = o->again;
    d->at_ns = o->at_ns;
    d->end = end;
}

static void compare_delivery(const struct delivery *is, const struct delivery *expected)
{
    assert_int_equal(is->octets, expected->octets);
    assert_int_equal(is->reordered, expected->reordered);
    assert_int_equal(is->valid, expected->valid);
    if (!is->valid)
        return;
    assert_int_equal(is->again, expected->again);
    assert_int_equal(is->at_ns, expected->at_ns);
    assert_int_equal(is->end.v, expected->end.v);
}

/* ---- Steps ---- */

static void step_sent(struct test *t)
{
    struct model *m = &t->m;
    uint32_t outstanding = m->nxt - m->una, from = m->nxt, end;
    if (outstanding > 0 && rnd_below(&t->rnd, 3) == 0)
        from = m->una + rnd_below(&t->rnd, outstanding);
    end = from + 1 + rnd_skewed(&t->rnd, 300);
    if (end > OCTETS)
        end = OCTETS;
    if (from >= end)
        return;
    scoreboard_sent(&t->b, number(from), number(end), t->now_ns);
    for (uint32_t at = from; at < end; at++) {
        if (at < m->nxt && m->v[at].sacked)
            continue;
        m->v[at] = (struct octet){.at_ns = t->now_ns, .again = at < m->nxt};
    }
    if (m->nxt < end)
        m->nxt = end;
}

static void step_ack(struct test *t)
{
    struct model *m = &t->m;
    uint32_t outstanding = m->nxt - m->una;
    struct delivery d, expected;
    scoreboard_begin(&t->b, &d, rnd_below(&t->rnd, 2) ? 50 : 0, t->now_ns);
    assert_true(m->vague || d.fack.v == number(m->fack).v);
    expected = d;
    uint32_t una = m->una;
    if (rnd_below(&t->rnd, 2) == 0)
        una += rnd_skewed(&t->rnd, outstanding + 1);
    scoreboard_acked(&t->b, number(una), &d);
    for (uint32_t at = m->una; at < una; at++) {
        if (!m->v[at].sacked)
            model_deliver(m, &expected, at);
    }
    m->una = una;
    if (m->fack < una)
        m->fack = una;
    for (unsigned n = rnd_below(&t->rnd, 4); n > 0 && m->una + 1 < m->nxt; n--) {
        uint32_t left = una + 1 + rnd_below(&t->rnd, m->nxt - una - 1);
        uint32_t right = left + 1 + rnd_skewed(&t->rnd, m->nxt - left);
        scoreboard_sacked(&t->b, number(left), number(right), UINT32_MAX, &d);
        for (uint32_t at = left; at < right; at++) {
            if (m->v[at].sacked)
                continue;
            model_deliver(m, &expected, at);
            m->v[at] = (struct octet){.sacked = true};
        }
    }
    if (!m->vague)
        compare_delivery(&d, &expected);
}

/* Any record that is in flight. */
static void step_lose(struct test *t)
{
    unsigned skip = rnd_below(&t->rnd, 20);
    for (struct sent *s = scoreboard_first(&t->b); s; s = next(&t->b, s)) {
        if (s->sacked || s->lost || skip-- > 0)
            continue;
        for (uint32_t at = s->start.v - FIRST; at < s->end.v - FIRST; at++)
            t->m.v[at].lost = true;
        scoreboard_lose(&t->b, s);
        return;
    }
}

static void step_all(struct test *t)
{
    struct model *m = &t->m;
    unsigned what = rnd_below(&t->rnd, 3);
    if (what == 0)
        scoreboard_lose_all(&t->b);
    else if (what == 1)
        scoreboard_lose_none(&t->b);
    else
        scoreboard_renege(&t->b);
    for (uint32_t at = m->una; at < m->nxt; at++) {
        struct octet *o = &m->v[at];
        if (what == 0)
            o->lost = !o->sacked;
        else if (what == 1)
            o->lost = false;
        else if (o->sacked)
            *o = (struct octet){.lost = true};
    }
    m->vague |= what == 2;
}

/* ---- Comparing ---- */

/* Every record says what the array says. Of what the peer has thrown away nobody knows any more
 * when it was sent. */
static void compare(struct test *t)
{
    struct model *m = &t->m;
    uint32_t lost = OCTETS, lost_end = OCTETS;
    assert_true(scoreboard_check(&t->b, number(m->una), number(m->nxt)));
    for (struct sent *s = scoreboard_first(&t->b); s; s = next(&t->b, s)) {
        for (uint32_t at = s->start.v - FIRST; at < s->end.v - FIRST; at++) {
            const struct octet *o = &m->v[at];
            assert_int_equal(s->sacked, o->sacked);
            assert_int_equal(s->lost, o->lost);
            assert_true(s->sacked || m->vague || (s->at_ns == o->at_ns && s->again == o->again));
            if (o->lost && lost == OCTETS)
                lost = at;
            if (o->lost && (lost_end == OCTETS || lost_end == at))
                lost_end = at + 1;
        }
    }
    seq_t from, end;
    assert_int_equal(scoreboard_missing(&t->b, &from, &end), lost < OCTETS);
    if (lost < OCTETS) {
        assert_int_equal(from.v, number(lost).v);
        assert_int_equal(end.v, number(lost_end).v);
    }
}

/* Without memory: nothing counts as SACKed that the peer has not SACKed. */
static void compare_vaguely(struct test *t)
{
    assert_true(scoreboard_check(&t->b, number(t->m.una), number(t->m.nxt)));
    for (struct sent *s = scoreboard_first(&t->b); s; s = next(&t->b, s)) {
        for (uint32_t at = s->start.v - FIRST; s->sacked && at < s->end.v - FIRST; at++)
            assert_true(t->m.v[at].sacked);
    }
}

/* What is in flight is in the order in which it was sent. */
static void in_order(const struct scoreboard *b)
{
    uint64_t before = 0;
    for (struct list *l = b->flying.next; l != &b->flying; l = l->next) {
        uint64_t at_ns = container_of(l, struct sent, line)->at_ns;
        assert_true(before <= at_ns);
        before = at_ns;
    }
}

static void live(struct test *t, bool refused)
{
    for (unsigned i = 0; i < 300 && t->m.una < OCTETS; i++) {
        unsigned what = rnd_below(&t->rnd, 20);
        if (what < 9)
            step_sent(t);
        else if (what < 17)
            step_ack(t);
        else if (what < 19)
            step_lose(t);
        else
            step_all(t);
        (refused ? compare_vaguely : compare)(t);
        if (!t->m.vague)
            in_order(&t->b);
        t->now_ns += rnd_below(&t->rnd, 3) * 10;
    }
}

static void lives(struct rnd rnd, unsigned n, unsigned fail_every)
{
    static struct test t;
    for (unsigned i = 0; i < n; i++) {
        memset(&t, 0, sizeof t);
        t.rnd = (struct rnd){rnd_u64(&rnd)};
        test_mem_init(&t.mem);
        t.mem.fail_every = fail_every;
        t.now_ns = 1000;
        t.m.vague = fail_every > 0;
        scoreboard_init(&t.b, &t.mem.mem, number(0));
        live(&t, fail_every > 0);
        scoreboard_finish(&t.b);
        assert_int_equal(t.mem.live, 0);
        assert_int_equal(t.b.sacked + t.b.lost, 0);
    }
}

static void random_calls(void **state)
{
    (void)state;
    lives(rnd_start("random_calls"), 300, 0);
}

static void without_memory(void **state)
{
    (void)state;
    struct rnd rnd = rnd_start("without_memory");
    for (unsigned every = 1; every <= 8; every++)
        lives(rnd, 60, every);
}

/* ---- One by one ---- */

static unsigned records(const struct scoreboard *b)
{
    unsigned n = 0;
    for (struct sent *s = scoreboard_first(b); s; s = next(b, s))
        n++;
    return n;
}

/* What is sent at once is one record, what shares its fate becomes one again. */
static void few_records(void **state)
{
    (void)state;
    struct test_mem mem;
    struct scoreboard b;
    struct delivery d;
    test_mem_init(&mem);
    scoreboard_init(&b, &mem.mem, seq(0));
    for (uint32_t i = 0; i < 10; i++)
        scoreboard_sent(&b, seq(1000 * i), seq(1000 * i + 1000), 1);
    assert_int_equal(records(&b), 1);
    scoreboard_begin(&b, &d, 0, 2);
    for (uint32_t i = 1; i < 9; i += 2)
        scoreboard_sacked(&b, seq(1000 * i), seq(1000 * i + 1000), UINT32_MAX, &d);
    assert_int_equal(records(&b), 9);
    assert_int_equal(scoreboard_flight(&b, 10000), 6000);
    scoreboard_sacked(&b, seq(2000), seq(10000), UINT32_MAX, &d);
    assert_int_equal(records(&b), 2);
    scoreboard_acked(&b, seq(10000), &d);
    assert_int_equal(records(&b), 0);
    assert_int_equal(d.octets, 10000);
    assert_int_equal(mem.live, 0);
}

/* Blocks cut no more records than they may; what needs no cut is taken all the same. */
static void bounded(void **state)
{
    (void)state;
    struct test_mem mem;
    struct scoreboard b;
    struct delivery d;
    test_mem_init(&mem);
    scoreboard_init(&b, &mem.mem, seq(0));
    scoreboard_sent(&b, seq(0), seq(1000), 1);
    scoreboard_sent(&b, seq(1000), seq(2000), 2);
    scoreboard_begin(&b, &d, 0, 3);
    for (uint32_t i = 1; i < 999; i += 2)
        scoreboard_sacked(&b, seq(i), seq(i + 1), 20, &d);
    assert_in_range(records(&b), 19, 20);
    assert_int_equal(b.n, records(&b));
    assert_int_equal(d.octets, b.sacked);
    scoreboard_sacked(&b, seq(1000), seq(2000), 20, &d);
    assert_true(b.sacked >= 1000);
    scoreboard_sacked(&b, seq(1), seq(1000), 20, &d);
    assert_int_equal(b.sacked, 1999);
    assert_int_equal(records(&b), 2);
    assert_true(scoreboard_check(&b, seq(0), seq(2000)));
    scoreboard_finish(&b);
    assert_int_equal(b.n, 0);
    assert_int_equal(mem.live, 0);
}

/* Memory that is refused from the first record on: there is one for all. */
static void one_record(void **state)
{
    (void)state;
    struct test_mem mem;
    struct scoreboard b;
    struct delivery d;
    test_mem_init(&mem);
    test_mem_fail_at(&mem, 1);
    scoreboard_init(&b, &mem.mem, seq(0));
    scoreboard_sent(&b, seq(0), seq(1000), 1);
    scoreboard_sent(&b, seq(1000), seq(2000), 5);
    assert_int_equal(scoreboard_first(&b)->at_ns, 5);
    scoreboard_begin(&b, &d, 0, 9);
    scoreboard_sacked(&b, seq(500), seq(1000), UINT32_MAX, &d); /* can't be recorded */
    assert_int_equal(d.octets, 0);
    scoreboard_sacked(&b, seq(0), seq(2000), UINT32_MAX, &d);
    assert_int_equal(d.octets, 2000);
    scoreboard_acked(&b, seq(1500), &d);
    assert_true(scoreboard_check(&b, seq(1500), seq(2000)));
    scoreboard_finish(&b);
}

/* RFC 8985 6.2 step 2: what was sent again may have been answered for its first sending. */
static void ambiguous(void **state)
{
    (void)state;
    struct test_mem mem;
    struct scoreboard b;
    struct delivery d;
    test_mem_init(&mem);
    scoreboard_init(&b, &mem.mem, seq(0));
    scoreboard_sent(&b, seq(0), seq(1000), 100);
    scoreboard_sent(&b, seq(0), seq(1000), 200);
    scoreboard_begin(&b, &d, 50, 249);
    scoreboard_acked(&b, seq(500), &d);
    assert_false(d.valid);
    scoreboard_begin(&b, &d, 50, 250);
    d.echo_end_ns = 200;
    scoreboard_acked(&b, seq(600), &d);
    assert_false(d.valid);
    scoreboard_begin(&b, &d, 50, 250);
    d.echo_end_ns = 201;
    scoreboard_acked(&b, seq(1000), &d);
    assert_true(d.valid && d.again);
    assert_int_equal(d.at_ns, 200);
    scoreboard_finish(&b);
}

/* RFC 8985 6.2 step 3: below what was delivered, and sent once: reordering. */
static void reordered(void **state)
{
    (void)state;
    struct test_mem mem;
    struct scoreboard b;
    struct delivery d;
    test_mem_init(&mem);
    scoreboard_init(&b, &mem.mem, seq(0));
    scoreboard_sent(&b, seq(0), seq(3000), 1);
    scoreboard_begin(&b, &d, 0, 2);
    scoreboard_sacked(&b, seq(2000), seq(3000), UINT32_MAX, &d);
    assert_false(d.reordered);
    scoreboard_sent(&b, seq(0), seq(1000), 3);
    scoreboard_begin(&b, &d, 0, 4);
    scoreboard_acked(&b, seq(1000), &d); /* sent again */
    assert_false(d.reordered);
    scoreboard_begin(&b, &d, 0, 5);
    scoreboard_acked(&b, seq(2000), &d);
    assert_true(d.reordered);
    scoreboard_finish(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_calls), cmocka_unit_test(without_memory),
        cmocka_unit_test(few_records),  cmocka_unit_test(bounded),
        cmocka_unit_test(one_record),   cmocka_unit_test(ambiguous),
        cmocka_unit_test(reordered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
