/* scoreboard.c: what a single ACK can do to all records takes time in proportion to them. */
#include <time.h>

#include "scoreboard.h"
#include "support.h"

#define MANY 50000u           /* records, */
#define LEN  SCOREBOARD_SMALL /* of so many octets each */

struct many {
    struct test_mem mem;
    struct scoreboard b;
    struct sent *v[MANY];
    double made_s; /* what it took to make them */
};

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Each sent at another time; every second one below `sacked` is SACKed. */
static struct many *make_many(uint32_t sacked)
{
    static struct many m;
    struct delivery d;
    test_mem_init(&m.mem);
    scoreboard_init(&m.b, &m.mem.mem, seq(0));
    scoreboard_begin(&m.b, &d, 0, MANY);
    double began_s = cpu_s();
    for (uint32_t i = 0; i < MANY; i++) {
        scoreboard_sent(&m.b, seq(LEN * i), seq(LEN * (i + 1)), i);
        if (i < sacked && i % 2 > 0)
            scoreboard_sacked(&m.b, seq(LEN * i), seq(LEN * (i + 1)), UINT32_MAX, &d);
    }
    m.made_s = cpu_s() - began_s;
    struct list *l = m.b.by_seq.next;
    for (uint32_t i = 0; i < MANY; i++, l = l->next)
        m.v[i] = container_of(l, struct sent, by_seq);
    assert_true(l == &m.b.by_seq);
    return &m;
}

/* It takes about as long as to make them, whatever the machine; in proportion to the square of
 * their number it would be hundreds of times as long. */
static void quick(const struct many *m, double began_s)
{
    double took_s = cpu_s() - began_s;
    print_message("%.4f s; to make them %.4f s\n", took_s, m->made_s);
    assert_true(took_s < 0.05 + 10 * m->made_s);
}

static void finish_many(struct many *m, uint32_t lost)
{
    assert_int_equal(m->b.lost, LEN * lost);
    assert_true(scoreboard_check(&m->b, seq(0), seq(LEN * MANY)));
    scoreboard_finish(&m->b);
    assert_int_equal(m->mem.live, 0);
}

static void lose(struct many *m, uint32_t from, uint32_t end)
{
    for (uint32_t i = from; i < end; i++)
        scoreboard_lose(&m->b, m->v[i]);
}

/* What was sent first is lost, and then it is not. */
static void none_lost(void **state)
{
    (void)state;
    struct many *m = make_many(0);
    double began_s = cpu_s();
    lose(m, 0, MANY / 2);
    scoreboard_lose_none(&m->b);
    quick(m, began_s);
    finish_many(m, 0);
}

/* Below what is lost already. */
static void all_lost(void **state)
{
    (void)state;
    struct many *m = make_many(0);
    double began_s = cpu_s();
    lose(m, MANY / 2, MANY);
    scoreboard_lose_all(&m->b);
    quick(m, began_s);
    finish_many(m, MANY);
}

/* So is what the peer has thrown away. */
static void reneged(void **state)
{
    (void)state;
    struct many *m = make_many(MANY / 2);
    double began_s = cpu_s();
    lose(m, MANY / 2, MANY);
    scoreboard_renege(&m->b);
    quick(m, began_s);
    finish_many(m, MANY / 2 + MANY / 4);
}

/* The peer tells of a hole at the far end again and again, and of a little more each time. */
static void told_again(void **state)
{
    (void)state;
    struct many *m = make_many(2);
    struct delivery d;
    scoreboard_begin(&m->b, &d, 0, MANY);
    double began_s = cpu_s();
    for (uint32_t i = 10; i < MANY / 2; i++) {
        scoreboard_sacked(&m->b, seq(LEN * 5), seq(LEN * i), UINT32_MAX, &d);
        scoreboard_sacked(&m->b, seq(LEN), seq(LEN * 2), UINT32_MAX, &d);
    }
    quick(m, began_s);
    assert_int_equal(m->b.sacked, LEN * (MANY / 2 - 5));
    finish_many(m, 0);
}

/* Each ACK acknowledges the block of the one before, and has another. */
static void acked_where_it_was(void **state)
{
    (void)state;
    struct delivery d;
    struct many *m = make_many(0);
    scoreboard_begin(&m->b, &d, 0, MANY);
    double began_s = cpu_s();
    for (uint32_t i = 1; i < MANY / 2; i += 2) {
        scoreboard_acked(&m->b, seq(LEN * i), &d);
        scoreboard_sacked(&m->b, seq(LEN * (i + 1)), seq(LEN * (i + 2)), UINT32_MAX, &d);
    }
    quick(m, began_s);
    assert_true(scoreboard_check(&m->b, seq(LEN * (MANY / 2 - 1)), seq(LEN * MANY)));
    scoreboard_finish(&m->b);
}

/* Of small segments there are no more records than that; the last one has what is more. */
static void small(void **state)
{
    (void)state;
    static struct test_mem mem;
    struct scoreboard b;
    test_mem_init(&mem);
    scoreboard_init(&b, &mem.mem, seq(0));
    for (uint32_t i = 0; i < MANY; i++)
        scoreboard_sent(&b, seq(48 * i), seq(48 * (i + 1)), i);
    assert_int_equal(b.n, SCOREBOARD_MANY);
    assert_true(scoreboard_check(&b, seq(0), seq(48 * MANY)));
    uint32_t large =
        SCOREBOARD_SMALL * SCOREBOARD_MANY; /* as many as a large window has of others */
    scoreboard_sent(&b, seq(48 * MANY), seq(large - 1), MANY);
    assert_int_equal(b.n, SCOREBOARD_MANY);
    scoreboard_sent(&b, seq(large - 1), seq(large), MANY + 1);
    assert_int_equal(b.n, SCOREBOARD_MANY + 1);
    scoreboard_finish(&b);
    assert_int_equal(mem.live, 0);
}

/* When the last one has come it is not known how long it has been under way: it tells nothing of
 * when what has arrived was sent (RFC 8985 6.2), until it goes again. */
static void shared(void **state)
{
    (void)state;
    static struct test_mem mem;
    struct scoreboard b;
    struct delivery d;
    const uint32_t last = 48 * (SCOREBOARD_MANY - 1);
    test_mem_init(&mem);
    scoreboard_init(&b, &mem.mem, seq(0));
    for (uint32_t i = 0; i < SCOREBOARD_MANY + 5; i++)
        scoreboard_sent(&b, seq(48 * i), seq(48 * (i + 1)), i);
    scoreboard_begin(&b, &d, 0, MANY);
    scoreboard_sacked(&b, seq(last + 48), seq(last + 96), UINT32_MAX, &d);
    assert_int_equal(d.octets, 48);
    assert_false(d.valid);
    scoreboard_sacked(&b, seq(last - 48), seq(last), UINT32_MAX, &d);
    assert_true(d.valid);
    assert_int_equal(d.at_ns, SCOREBOARD_MANY - 2);
    scoreboard_sent(&b, seq(last), seq(last + 48), MANY);
    scoreboard_sacked(&b, seq(last), seq(last + 48), UINT32_MAX, &d);
    assert_int_equal(d.at_ns, MANY);
    scoreboard_finish(&b);
}

static void shuffle(struct many *m, struct rnd *rnd)
{
    for (uint32_t i = MANY; i > 1; i--) {
        uint32_t other = rnd_below(rnd, i);
        struct sent *s = m->v[i - 1];
        m->v[i - 1] = m->v[other];
        m->v[other] = s;
    }
}

/* By the time; at the same time, by number. */
static void flies_in_order(const struct many *m)
{
    const struct sent *before = NULL;
    for (struct list *l = m->b.flying.next; l != &m->b.flying; l = l->next) {
        const struct sent *s = sent_of_line(l);
        assert_true(!before || sent_after(s->at_ns, s->end, before->at_ns, before->end));
        before = s;
    }
}

/* What was sent again now here, now there, is lost in no order at all. */
static void any_order(void **state)
{
    (void)state;
    struct rnd rnd = rnd_start("any_order");
    struct many *m = make_many(0);
    shuffle(m, &rnd);
    double began_s = cpu_s();
    lose(m, 0, MANY);
    quick(m, began_s);
    assert_true(scoreboard_check(&m->b, seq(0), seq(LEN * MANY)));
    for (uint32_t i = 0; i < MANY; i++)
        m->v[i]->at_ns = i / 4;
    began_s = cpu_s();
    scoreboard_lose_none(&m->b);
    quick(m, began_s);
    flies_in_order(m);
    finish_many(m, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none_lost),
        cmocka_unit_test(all_lost),
        cmocka_unit_test(reneged),
        cmocka_unit_test(told_again),
        cmocka_unit_test(acked_where_it_was),
        cmocka_unit_test(small),
        cmocka_unit_test(shared),
        cmocka_unit_test(any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
