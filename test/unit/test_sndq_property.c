/* sndq.c: the send queue, against a flat array. */
#include "sndq_octets.h"

#define LARGE     65536u
#define MODEL_MAX 1000000u

/* A flat array that does the same. */
struct model {
    uint8_t *v;
    size_t start, end;
};

static size_t model_add(struct model *m, struct rnd *rng, size_t len)
{
    len = len < MODEL_MAX - m->end ? len : MODEL_MAX - m->end;
    rnd_fill(rng, m->v + m->end, len);
    return len;
}

static void step_append(struct test_mem *k, struct sndq *q, struct model *m, struct rnd *rng)
{
    size_t len = model_add(m, rng, rnd_skewed(rng, 2 * LARGE));
    unsigned failed = k->failed;
    size_t taken = sndq_append(q, m->v + m->end, len);
    assert_true(taken <= len);
    assert_true(taken == len || k->failed > failed);
    m->end += taken;
}

static void step_give(struct test_mem *k, struct sndq *q, struct model *m, struct rnd *rng)
{
    size_t len = model_add(m, rng, 1 + rnd_skewed(rng, LARGE));
    uint8_t *block = len > 0 ? mem_alloc(&k->mem, len) : NULL;
    if (!block)
        return;
    memcpy(block, m->v + m->end, len);
    unsigned failed = k->failed;
    if (sndq_give(q, block, len, len)) {
        m->end += len;
        return;
    }
    assert_true(k->failed > failed);
    mem_free(&k->mem, block, len);
}

/* What was lent is kept, and then something else. */
static void step_keep(struct sndq *q, uint8_t *own)
{
    sndq_keep(q);
    memset(own, 0xee, 2 * LARGE);
}

static void step_lend(struct test_mem *k, struct sndq *q, struct model *m, struct rnd *rng,
                      uint8_t *own)
{
    step_keep(q, own);
    size_t len = model_add(m, rng, rnd_skewed(rng, 2 * LARGE));
    memcpy(own, m->v + m->end, len);
    unsigned failed = k->failed;
    size_t taken = sndq_lend(q, own, len);
    assert_true(taken <= len);
    assert_true(taken == len || k->failed > failed);
    m->end += taken;
}

static void step(struct test_mem *k, struct sndq *q, struct model *m, struct rnd *rng, uint8_t *own)
{
    struct bytes ref;
    unsigned n;
    switch (rnd_below(rng, 9)) {
    case 0:
    case 1:
        step_append(k, q, m, rng);
        break;
    case 2:
    case 3:
        step_give(k, q, m, rng);
        break;
    case 4:
        sndq_refs(q, rnd_below(rng, (uint32_t)q->len + 1), 1, &ref, 1, &n);
        break;
    case 5:
        step_lend(k, q, m, rng, own);
        break;
    case 6:
        step_keep(q, own);
        break;
    default: {
        size_t acked = rnd_below(rng, 3) ? rnd_skewed(rng, (uint32_t)q->len + 1)
                                         : rnd_below(rng, (uint32_t)q->len + 1);
        sndq_acked(q, acked);
        m->start += acked;
    }
    }
    assert_true(sndq_check(q));
    assert_int_equal(q->len, m->end - m->start);
    if (q->len == 0) {
        assert_int_equal(k->mem.used, 0);
        m->start = m->end = 0;
    }
    size_t at = rnd_below(rng, (uint32_t)q->len + 1),
           len = rnd_skewed(rng, (uint32_t)(q->len - at) + 1);
    expect_octets(q, at, m->v + m->start + at, len);
}

static void property(void **state)
{
    (void)state;
    struct rnd rng = rnd_start("sndq");
    struct model m = {.v = malloc(MODEL_MAX)};
    static uint8_t own[2 * LARGE];
    for (unsigned every = 0; every < 12; every++) {
        struct test_mem k;
        struct sndq q;
        test_mem_init(&k);
        k.fail_every = every;
        sndq_init(&q, &k.mem);
        for (int i = 0; i < 1500; i++) {
            step(&k, &q, &m, &rng, own);
            if (i % 100 == 99) { /* all that is held, from front to back */
                expect_octets(&q, 0, m.v + m.start, q.len);
                memmove(m.v, m.v + m.start, q.len);
                m.start = 0;
                m.end = q.len;
            }
        }
        sndq_finish(&q);
        assert_int_equal(k.mem.used, 0);
        m.start = m.end = 0;
    }
    free(m.v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(property)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
