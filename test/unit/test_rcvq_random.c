/* rcvq.c: random calls, against a flat array with a flag for every octet. */
#include "rcvq.h"
#include "support.h"

#define C ((size_t)RCVQ_CHUNK)

static void setup(struct test_mem *t, struct rcvq *q)
{
    test_mem_init(t);
    rcvq_init(q);
}

static void teardown(struct test_mem *t, struct rcvq *q)
{
    assert_true(rcvq_check(q));
    rcvq_finish(q);
    assert_int_equal(t->mem.used, 0);
}

/* The same as a flat array. */
#define MODEL  (40 * C)
#define WINDOW (6 * C)
struct model {
    uint8_t octets[MODEL];
    bool there[MODEL];
    uint64_t start, head;
};

static void model_insert(struct model *m, uint64_t at, const uint8_t *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!m->there[at + i])
            m->octets[at + i] = text[i];
        m->there[at + i] = true;
    }
    while (m->head < MODEL && m->there[m->head])
        m->head++;
}

static void compare(const struct rcvq *q, const struct model *m)
{
    static uint8_t got[MODEL];
    assert_true(rcvq_check(q));
    assert_int_equal(q->start, m->start);
    assert_int_equal(q->head, m->head);
    assert_int_equal(rcvq_peek(q, 0, got, MODEL), m->head - m->start);
    assert_memory_equal(got, m->octets + m->start, (size_t)(m->head - m->start));
    size_t skip = (size_t)(m->head - m->start) / 3, rest = (size_t)(m->head - m->start) - skip;
    assert_int_equal(rcvq_peek(q, skip, got, MODEL), rest);
    assert_memory_equal(got, m->octets + m->start + skip, rest);
    uint64_t end = m->start + WINDOW < MODEL ? m->start + WINDOW : MODEL, beyond = 0;
    for (uint64_t at = m->head; at < end; at++)
        beyond += m->there[at];
    assert_int_equal(ranges_total(&q->held->beyond), beyond);
    assert_int_equal(rcvq_has_hole(q), beyond > 0);
}

/* A RECEIVE waits: it gets what is next, up to what has arrived before, and not an octet more. */
static void step_give(struct rcvq *q, struct model *m, struct rnd *rnd, uint64_t at,
                      const struct bytes *text, unsigned n)
{
    static uint8_t room[3 * C + 1];
    struct receive r = {.buf = room, .len = rnd_skewed(rnd, sizeof room)};
    size_t wanted = 0, before = (size_t)(m->head - at);
    for (unsigned i = 0; i < n && m->start == m->head && at <= m->head; i++) {
        for (size_t k = 0; k < text[i].len && wanted < r.len; k++) {
            if (before > 0) {
                before--;
            } else if (m->there[m->head + wanted]) {
                i = n - 1;
                break;
            } else {
                m->octets[m->head + wanted++] = text[i].ptr[k];
            }
        }
    }
    memset(m->there + m->head, 1, wanted);
    room[r.len] = 0x5a;
    rcvq_give(q, &r, at, text, n);
    assert_int_equal(r.done, wanted);
    assert_int_equal(room[r.len], 0x5a);
    assert_memory_equal(room, m->octets + m->head, wanted);
    m->start += wanted;
    m->head += wanted;
    while (m->head < MODEL && m->there[m->head])
        m->head++;
    assert_true(rcvq_check(q));
}

/* Random text at a random place of the window, some of it below head, in random pieces. */
static void step_insert(struct test_mem *t, struct rcvq *q, struct model *m, struct rnd *rnd)
{
    static uint8_t text[3 * C];
    struct bytes refs[8];
    unsigned n = 0, failed = t->failed;
    uint64_t end = m->start + WINDOW < MODEL ? m->start + WINDOW : MODEL;
    uint64_t at = m->head;
    if (rnd_below(rnd, 3) == 0)
        at = m->start + rnd_below(rnd, (uint32_t)(end - m->start) + 1);
    else if (rnd_below(rnd, 3) == 0)
        at -= rnd_below(rnd, (uint32_t)(at < C ? at : C) + 1);
    size_t max = end - at < sizeof text ? (size_t)(end - at) : sizeof text;
    size_t len = rnd_skewed(rnd, (uint32_t)max + 1);
    rnd_fill(rnd, text, len);
    for (size_t done = 0; done < len;) {
        size_t piece = n == 7 ? len - done : rnd_below(rnd, (uint32_t)(len - done) + 1);
        refs[n++] = (struct bytes){text + done, piece};
        done += piece;
    }
    bool had_beyond = rcvq_has_hole(q);
    if (rnd_below(rnd, 3) == 0)
        step_give(q, m, rnd, at, refs, n);
    bool pruned = false, taken = rcvq_insert(q, &t->mem, at, refs, n, &pruned);
    /* Text in order that was refused at first has driven out what lay beyond the hole. */
    assert_int_equal(pruned, at <= m->head && t->failed > failed && had_beyond);
    if (pruned)
        memset(m->there + m->head, 0, MODEL - m->head);
    if (taken)
        model_insert(m, at, text, len);
    else
        assert_true(t->failed > failed); /* far fewer than RANGES_MAX holes */
}

static void property(void **state)
{
    (void)state;
    static struct model m;
    static uint8_t got[WINDOW + 1];
    struct rnd rnd = rnd_start("rcvq");
    for (unsigned every = 0; every < 10; every++) {
        struct test_mem t;
        struct rcvq q;
        setup(&t, &q);
        t.fail_every = every == 1 ? 11 : every; /* 1 would refuse all */
        memset(&m, 0, sizeof m);
        for (int i = 0; i < 3000 && m.start < MODEL; i++) {
            step_insert(&t, &q, &m, &rnd);
            if (rnd_below(&rnd, 4) == 0) {
                size_t len = rnd_skewed(&rnd, WINDOW + 1), have = (size_t)(m.head - m.start);
                size_t want = len < have ? len : have;
                got[want] = 0x5a;
                size_t n = rcvq_peek(&q, 0, got, len);
                rcvq_consume(&q, n);
                assert_int_equal(n, want);
                assert_int_equal(got[n], 0x5a); /* not an octet more */
                assert_memory_equal(got, m.octets + m.start, n);
                m.start += n;
            }
            if (i % 8 == 0)
                compare(&q, &m);
        }
        compare(&q, &m);
        teardown(&t, &q);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(property)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
