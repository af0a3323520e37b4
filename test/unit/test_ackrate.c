/* ackrate.c: what the path carries, by the rate of its ACKs. What cwnd makes of it, over a path:
 * rfc/test_rfc9406.c. */
#include "ackrate.h"

#include "cc.h"
#include "nstime.h"
#include "support.h"

#define ISS UINT32_C(0xfffff000) /* the numbers wrap soon */
#define MSS 1000

/* A connection in the first slow start, whose ACKs come one by one. */
struct flow {
    struct ackrate r;
    uint32_t una, nxt;
    uint32_t cwnd;
    uint64_t now_ns;
};

static struct flow flow(uint32_t cwnd)
{
    return (struct flow){.nxt = cwnd, .cwnd = cwnd, .now_ns = UINT64_C(4294967) * NS_PER_MS};
}

/* So long after the last; as much goes as it acknowledges. */
static bool ack(struct flow *f, uint32_t octets, uint64_t after_us, uint64_t rtt_us, bool used)
{
    f->now_ns += after_us * NS_PER_US;
    f->una += octets;
    f->nxt += octets;
    return ackrate_acked(&f->r, f->cwnd,
                         &(struct cc_ack){.octets = octets,
                                          .used = used,
                                          .una = seq(ISS + f->una),
                                          .nxt = seq(ISS + f->nxt),
                                          .rtt_ns = rtt_us * NS_PER_US,
                                          .now_ns = f->now_ns});
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

/* The octets of the train in the least round trip, and a quarter; from a quarter of that and a
 * millisecond on. */
static void a_quarter_more(void **state)
{
    (void)state;
    for (uint32_t apart_us = 20; apart_us <= 2000; apart_us *= 10) {
        struct flow f = flow(1000000);
        train(&f, (11000 + apart_us - 1) / apart_us, apart_us, 40000); /* the first begins it */
        assert_int_equal(f.r.most, 0);
        assert_int_equal(ackrate_room(&f.r, f.cwnd), UINT32_MAX);
        train(&f, 1, apart_us, 40000);
        assert_int_equal(f.r.most, MSS * 40000 / apart_us * 5 / 4);
        train(&f, 10, apart_us, 80000); /* the least counts */
        assert_int_equal(f.r.most, MSS * 40000 / apart_us * 5 / 4);
    }
}

/* cwnd may grow up to that, and stays where it is more. */
static void room(void **state)
{
    (void)state;
    struct flow f = flow(100000);
    train(&f, 50, 500, 40000);
    assert_int_equal(f.r.most, 100000);
    assert_int_equal(ackrate_room(&f.r, 1), 99999);
    assert_int_equal(ackrate_room(&f.r, 99999), 1);
    assert_int_equal(ackrate_room(&f.r, 100000), 0);
    assert_int_equal(ackrate_room(&f.r, UINT32_MAX), 0);
}

/* Without a sample of the round trip nothing is known. */
static void no_sample(void **state)
{
    (void)state;
    struct flow f = flow(100000);
    train(&f, 90, 500, 0);
    assert_int_equal(f.r.most, 0);
}

/* More than two milliseconds without an ACK end a train: the next ACK begins another, and what
 * came before is known meanwhile. */
static void pause(void **state)
{
    (void)state;
    for (uint64_t us = 2000; us <= 2001; us++) {
        struct flow f = flow(1000000);
        train(&f, 50, 500, 40000);
        assert_int_equal(f.r.most, 100000);
        ack(&f, MSS, us, 40000, true);
        train(&f, 22, 100, 40000);
        assert_int_equal(f.r.most == 100000, us == 2001);
    }
}

/* So does the end of a round: after a window the next may come later. */
static void round_ends(void **state)
{
    (void)state;
    struct flow f = flow(50 * MSS);
    train(&f, 51, 500, 40000); /* windowEnd itself is of the next */
    assert_int_equal(f.r.most, 100000);
    train(&f, 20, 100, 40000);
    assert_int_equal(f.r.most, 100000);
}

/* Where cwnd is not in use, the sender's rate comes back, or the receiver's. */
static void not_in_use(void **state)
{
    (void)state;
    struct flow f = flow(1000000);
    train(&f, 50, 500, 40000);
    assert_int_equal(f.r.most, 100000);
    ack(&f, MSS, 500, 40000, false);
    assert_int_equal(f.r.most, 0);
    train(&f, 21, 500, 40000);
    assert_int_equal(f.r.most, 0);
    train(&f, 1, 500, 40000);
    assert_int_equal(f.r.most, 100000);
}

/* A round in which there was never room is slow start's last; one with room for an ACK is not. */
static void a_round_without_room(void **state)
{
    (void)state;
    struct flow f = flow(101 * MSS);
    assert_false(train(&f, 102, 500, 40000)); /* first there was */
    f.nxt = f.una + f.cwnd;
    for (int i = 0; i < 3; i++) {
        assert_false(train(&f, 50, 500, 40000));
        f.cwnd = 99 * MSS;
        assert_false(train(&f, 1, 500, 40000));
        f.cwnd = 101 * MSS;
        assert_false(train(&f, 51, 500, 40000));
    }
    assert_false(train(&f, 102, 500, 40000));
    assert_true(train(&f, 1, 500, 40000));
}

/* As much as fits, of whatever comes. */
static void saturates(void **state)
{
    (void)state;
    struct flow f = flow(1u << 30);
    ack(&f, 1, 0, 4294967295, true);
    ack(&f, 1u << 29, 1100000, 0, true);
    assert_int_equal(f.r.most, 0);
    f = flow(1u << 30);
    ack(&f, 1, 0, 4000, true);
    ack(&f, 1u << 29, 2000, 0, true);
    assert_int_equal(f.r.most, CC_CWND_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quarter_more),
        cmocka_unit_test(room),
        cmocka_unit_test(no_sample),
        cmocka_unit_test(pause),
        cmocka_unit_test(round_ends),
        cmocka_unit_test(not_in_use),
        cmocka_unit_test(a_round_without_room),
        cmocka_unit_test(saturates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
