/* ackrate.c: what the path carries, by the rate of its ACKs. What cwnd makes of it, over a path:
 * rfc/test_rfc9406.c. */
#include "ackrate.h"

#include "cc.h"
#include "nstime.h"
#include "support.h"

#define ISS UINT32_C(0xfffff000) /* the numbers wrap soon */
#define MSS 1000

#define LEAST  40000 /* us of a round trip without a queue */
#define QUEUED 45000 /* and with one that is long enough */

/* A connection in the first slow start, whose ACKs come one by one. */
struct flow {
    struct hystart h; /* knows the rounds */
    struct ackrate r;
    uint32_t una, nxt;
    uint32_t cwnd;
    uint64_t now_ns;
};

/* So long after the last; as much goes as it acknowledges. */
static bool ack(struct flow *f, uint32_t octets, uint64_t after_us, uint64_t rtt_us, bool used)
{
    f->now_ns += after_us * NS_PER_US;
    f->una += octets;
    f->nxt += octets;
    seq_t una = seq(ISS + f->una);
    bool begins = hystart_round_begins(&f->h, una);
    (void)hystart_acked(&f->h, una, seq(ISS + f->nxt), rtt_us * NS_PER_US);
    return ackrate_acked(
        &f->r, f->cwnd, begins,
        &(struct cc_ack){
            .octets = octets, .used = used, .rtt_ns = rtt_us * NS_PER_US, .now_ns = f->now_ns});
}

/* n ACKs of one segment each; whether the last has ended slow start. */
static bool train(struct flow *f, uint32_t n, uint64_t apart_us, uint64_t rtt_us)
{
    bool over = false;
    for (uint32_t i = 0; i < n; i++) {
        assert_false(over);
        over = ack(f, MSS, apart_us, rtt_us, true);
    }
    return over;
}

/* The first ACK has come, after a round trip without a queue. */
static struct flow flow(uint32_t cwnd)
{
    struct flow f = {.nxt = cwnd, .cwnd = cwnd, .now_ns = UINT64_C(4294967) * NS_PER_MS};
    train(&f, 1, 0, LEAST);
    return f;
}

/* The octets of the train in the least round trip, and a quarter; from a quarter of that and a
 * millisecond on. */
static void a_quarter_more(void **state)
{
    (void)state;
    for (uint32_t apart_us = 20; apart_us <= 2000; apart_us *= 10) {
        struct flow f = flow(1000000);
        uint32_t enough = (11000 + apart_us - 1) / apart_us;
        train(&f, enough - 1, apart_us, QUEUED);
        assert_int_equal(f.r.most, 0);
        assert_int_equal(ackrate_room(&f.r, f.cwnd), UINT32_MAX);
        train(&f, 1, apart_us, QUEUED);
        assert_int_equal(f.r.most, MSS * LEAST / apart_us * 5 / 4);
        train(&f, 10, apart_us, 2 * QUEUED); /* the least counts */
        assert_int_equal(f.r.most, MSS * LEAST / apart_us * 5 / 4);
    }
}

/* Without a queue, or a sample that shows it, it is not the path that makes the rate. */
static void queue(void **state)
{
    (void)state;
    static const uint64_t rtt_us[] = {0, 1, LEAST, QUEUED - 1, QUEUED};
    for (size_t i = 0; i < sizeof rtt_us / sizeof *rtt_us; i++) {
        struct flow f = flow(1000000);
        train(&f, 90, 500, rtt_us[i]);
        assert_int_equal(f.r.most, rtt_us[i] == QUEUED ? 100000 : 0);
    }
}

/* cwnd may grow up to that, and stays where it is more. */
static void room(void **state)
{
    (void)state;
    struct flow f = flow(100000);
    train(&f, 50, 500, QUEUED);
    assert_int_equal(f.r.most, 100000);
    assert_int_equal(ackrate_room(&f.r, 1), 99999);
    assert_int_equal(ackrate_room(&f.r, 99999), 1);
    assert_int_equal(ackrate_room(&f.r, 100000), 0);
    assert_int_equal(ackrate_room(&f.r, UINT32_MAX), 0);
}

/* More than two milliseconds without an ACK end a train: the next ACK begins another, and what
 * came before is known meanwhile. */
static void pause(void **state)
{
    (void)state;
    for (uint64_t us = 2000; us <= 2001; us++) {
        struct flow f = flow(1000000);
        train(&f, 50, 500, QUEUED);
        assert_int_equal(f.r.most, 100000);
        ack(&f, MSS, us, LEAST, true);
        train(&f, 22, 100, QUEUED);
        assert_int_equal(f.r.most == 100000, us == 2001);
    }
}

/* So does the end of a round: after a window the next may come later. */
static void round_ends(void **state)
{
    (void)state;
    struct flow f = flow(50 * MSS);
    train(&f, 50, 500, QUEUED); /* windowEnd itself is of the next */
    assert_int_equal(f.r.most, 100000);
    train(&f, 20, 100, QUEUED);
    assert_int_equal(f.r.most, 100000);
}

/* What was found lasts for the next round, and no longer if that finds nothing: who was slow for a
 * while is not bound by it for ever. */
static void forgotten(void **state)
{
    (void)state;
    struct flow f = flow(50 * MSS);
    train(&f, 50, 500, QUEUED);
    assert_int_equal(f.r.most, 100000);
    train(&f, 51, 10, LEAST);
    assert_int_equal(f.r.most, 100000);
    train(&f, 1, 10, LEAST);
    assert_int_equal(f.r.most, 0);
    assert_false(train(&f, 500, 10, LEAST));
}

/* Where cwnd is not in use, the sender's rate comes back, or the receiver's. */
static void not_in_use(void **state)
{
    (void)state;
    struct flow f = flow(1000000);
    train(&f, 20, 500, QUEUED);
    ack(&f, MSS, 500, QUEUED, false);
    train(&f, 21, 500, QUEUED);
    assert_int_equal(f.r.most, 0);
    train(&f, 1, 500, QUEUED);
    assert_int_equal(f.r.most, 100000);
}

/* With reordering SND.UNA stands still meanwhile: what is SACKed counts. */
static void reordered(void **state)
{
    (void)state;
    struct flow f = flow(1000000);
    for (int i = 0; i < 22; i++) {
        ack(&f, MSS, 500, QUEUED, true);
        f.una -= MSS;
    }
    assert_int_equal(f.r.most, 100000);
}

/* A round in which there was never room is slow start's last; one with room for an ACK is not. */
static void a_round_without_room(void **state)
{
    (void)state;
    struct flow f = flow(101 * MSS);
    assert_false(train(&f, 101, 500, QUEUED)); /* first there was */
    f.nxt = f.una + f.cwnd;
    for (int i = 0; i < 3; i++) {
        assert_false(train(&f, 50, 500, QUEUED));
        f.cwnd = 99 * MSS;
        assert_false(train(&f, 1, 500, QUEUED));
        f.cwnd = 101 * MSS;
        assert_false(train(&f, 51, 500, QUEUED));
    }
    assert_false(train(&f, 102, 500, QUEUED));
    assert_true(train(&f, 1, 500, QUEUED));
}

/* As much as fits, of whatever comes, and never nothing. */
static void saturates(void **state)
{
    (void)state;
    struct flow f = flow(1u << 30);
    for (int i = 0; i < 6; i++)
        ack(&f, 1u << 27, 2000, UINT64_C(4294967295), true);
    assert_int_equal(f.r.most, CC_CWND_MAX);
    f = flow(1u << 30);
    for (int i = 0; i < 30; i++)
        ack(&f, 0, 2000, QUEUED, true);
    assert_int_equal(f.r.most, 1);
}

/* An ACK of more than there is room for opens cwnd up to that; what was found is that of another
 * window once cwnd was set. */
static void what_cwnd_makes_of_it(void **state)
{
    (void)state;
    struct cc c;
    cc_init(&c, &cc_cubic, MSS, false);
    const struct cc_ack ack = {.octets = 8 * MSS, .used = true};
    c.hystart = (struct hystart){.begun = true, .window_end = seq(1)};
    c.ackrate = (struct ackrate){.least_us = 10000, .most = 12 * MSS, .known = true};
    c.ops->acked(&c, &ack);
    assert_int_equal(c.cwnd, 12 * MSS);
    cc_stage_over(&c);
    c.ops->acked(&c, &ack);
    assert_int_equal(c.cwnd, 20 * MSS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quarter_more),
        cmocka_unit_test(queue),
        cmocka_unit_test(room),
        cmocka_unit_test(pause),
        cmocka_unit_test(round_ends),
        cmocka_unit_test(forgotten),
        cmocka_unit_test(not_in_use),
        cmocka_unit_test(reordered),
        cmocka_unit_test(a_round_without_room),
        cmocka_unit_test(saturates),
        cmocka_unit_test(what_cwnd_makes_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
