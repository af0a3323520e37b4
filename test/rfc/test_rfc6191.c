/* RFC 6191 2: a SYN in TIME-WAIT, by timestamps and by sequence numbers. */
#include "stamped.h"

/* What the old connection had, and what the SYN has: a timestamp that is so much greater than the
 * last one, and a number so far beyond the FIN. */
struct attempt {
    bool stamped_before, stamped_now;
    int32_t ts, seq;
    bool honored;
};

/* Our clock: ms since host_at(0). */
static uint32_t elapsed(void)
{
    return (uint32_t)((host.now_ns - host.start_ns) / NS_PER_MS);
}

static void to_time_wait(struct peer *a, struct sock *l, bool stamped)
{
    if (!stamped) {
        host_to_time_wait(HERE, a, l);
        return;
    }
    uint32_t now = elapsed();
    arrives(a, .flags = SYN, .mss = 1000, TS(50, 0));
    leaves(a, .flags = SYN | ACK, .ack = 1, TS(now, 50));
    arrives(a, .flags = ACK, .seq = 1, .ack = 1, TS(51, now));
    struct sock *so = host_accept(l);
    host_close(so);
    leaves(a, .flags = FIN | ACK, .seq = 1, .ack = 1, TS(now, 51));
    arrives(a, .flags = FIN | ACK, .seq = 1, .ack = 2, TS(60, now));
    leaves(a, .flags = ACK, .seq = 2, .ack = 2, TS(now, 60));
}

static void attempt(const struct attempt *t, unsigned n)
{
    struct peer a = peer(n, 80);
    host_start();
    struct sock *l = host_listen(80, 5);
    to_time_wait(&a, l, t->stamped_before);
    host_later(10);
    host_take_events();
    uint32_t largest = a.iss + 2, irs = a.irs;
    struct line syn = {.flags = SYN, .mss = 1000, .seq = 2 + (uint32_t)t->seq};
    if (t->stamped_now) {
        syn.ts = 1;
        syn.ts_val = 60 + (uint32_t)t->ts;
    }
    host_arrives(HERE, &a, syn);
    if (!t->honored) {
        leaves(&a, .flags = ACK, .seq = 2, .ack = 2);
        assert_int_equal(stack_sock_count(host.stack), 2);
        return;
    }
    uint32_t clock = a.clock;
    a.irs = irs + syn.seq;
    if (t->stamped_now)
        leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, TS(elapsed(), syn.ts_val - syn.seq));
    else
        leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .ts = NONE);
    assert_in_range(a.iss - largest, 1, 0x7fffffff);
    if (t->stamped_before && t->stamped_now)
        assert_int_equal(a.clock, clock); /* our own go on as well */
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .ts = t->stamped_now,
            .ts_val = syn.ts_val - syn.seq);
    expect_event(l, SOCK_EV_COMPLETED);
    assert_int_equal(stack_state(host_accept(l)), STATE_ESTABLISHED);
}

static void each(const struct attempt *t, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        attempt(&t[i], i);
}

/* Both with timestamps: a greater one is enough, whatever the number. */
static void newer_timestamp(void **state)
{
    (void)state;
    static const struct attempt all[] = {
        {true, true, 1, 1, true},           {true, true, 1, -1, true},
        {true, true, 1, -1000000, true},    {true, true, 0x7fffffff, 0, true},
        {true, true, -1, 1, false},         {true, true, -1, -1000, false},
        {true, true, -1000, 100000, false}, {true, true, INT32_MIN, 100000, false},
    };
    each(all, sizeof all / sizeof *all);
}

/* The same one: the number decides. */
static void same_timestamp(void **state)
{
    (void)state;
    static const struct attempt all[] = {
        {true, true, 0, 1, true},
        {true, true, 0, 100000, true},
        {true, true, 0, -1, false},
        {true, true, 0, -100000, false},
    };
    each(all, sizeof all / sizeof *all);
}

/* Timestamps before, and none now: the number decides. */
static void no_timestamp_now(void **state)
{
    (void)state;
    static const struct attempt all[] = {
        {true, false, 0, 1, true},
        {true, false, 0, -1, false},
    };
    each(all, sizeof all / sizeof *all);
}

/* None before, and timestamps now: it can be no old SYN. */
static void no_timestamp_before(void **state)
{
    (void)state;
    static const struct attempt all[] = {
        {false, true, 0, 1, true},
        {false, true, -100, -1, true},
        {false, true, 100, -100000, true},
    };
    each(all, sizeof all / sizeof *all);
}

/* None at all: as ever. */
static void no_timestamps(void **state)
{
    (void)state;
    static const struct attempt all[] = {
        {false, false, 0, 1, true},
        {false, false, 0, -1, false},
    };
    each(all, sizeof all / sizeof *all);
}

/* "Would be enabled" means by both: a stack without them goes by the number. */
static void not_enabled_here(void **state)
{
    (void)state;
    host.config.tcp.timestamps = false;
    host_start();
    struct sock *l = host_listen(80, 5);
    struct peer a = peer(1, 80);
    host_to_time_wait(HERE, &a, l);
    arrives(&a, .flags = SYN, .mss = 1000, .seq = (uint32_t)-100, TS(1000, 0));
    leaves(&a, .flags = ACK, .seq = 2, .ack = 2, .ts = NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(newer_timestamp),     host_test(same_timestamp), host_test(no_timestamp_now),
        host_test(no_timestamp_before), host_test(no_timestamps),  host_test(not_enabled_here),
    };
    return host_main(tests);
}
