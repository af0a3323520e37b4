/* RFC 9406: HyStart++. What a connection has of it, at the border of the stack; and with a sample
 * of every ACK, which SACK gives, over the model of a path. The pseudocode, ACK by ACK:
 * unit/test_hystart.c; what cwnd makes of it: unit/test_cc_cubic.c. */
#include "cc.h"
#include "hosts.h"

/* ---- A connection ---- */

static struct sock *sender(struct peer *a, uint32_t n, int sack_ok)
{
    a->wnd = 65535;
    struct sock *so = host_connect(a);
    host_set(so, sndbuf, 1u << 20);
    leaves(a, .flags = SYN, .seq = 0);
    host_later(100);
    arrives(a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000, .sack_ok = sack_ok);
    leaves(a, .flags = ACK, .seq = 1, .ack = 1);
    host_sends(so, 0, n);
    assert_int_equal(all_leaves(), 10);
    return so;
}

/* 4.2, 4.3: cwnd += min(N, L * SMSS) with L = 8, since these hosts do not pace. */
static void limit(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = sender(&a, 100000, 0);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 7501);
    (void)all_leaves();
    assert_int_equal(host_status(so).cwnd, 17500);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 24001);
    (void)all_leaves();
    assert_int_equal(host_status(so).cwnd, 25500);
}

/* Eight round trips, each longer than the one before. */
static struct sock *longer_and_longer(struct peer *a, int sack_ok)
{
    struct sock *so = sender(a, 400000, sack_ok);
    uint32_t acked = 1;
    for (uint32_t ms = 100; ms <= 240; ms += 20) {
        uint32_t flight = host_status(so).flight;
        uint64_t srtt_ns = host_status(so).srtt_ns;
        host_later(ms);
        for (uint32_t i = 0; i < flight / 1000; i++) {
            arrives(a, .flags = ACK, .seq = 1, .ack = acked += 1000);
            (void)all_leaves();
        }
        assert_true(ms == 100 || host_status(so).srtt_ns > srtt_ns);
    }
    return so;
}

/* With one sample a round trip, of which RFC 6298 makes sure, HyStart++ does not speak, however
 * much the round trips grow: eight are needed (lib/README.md). */
static void one_sample_a_round_trip(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = longer_and_longer(&a, NONE);
    assert_int_equal(host_status(so).ssthresh, UINT32_MAX);
    assert_true(host_status(so).cwnd > 65535);
}

/* 4.3: with SACK each ACK gives a sample, and each round has its eight: CSS begins with the second
 * round, and ends slow start after five of its own, where cwnd then is. */
static void samples_with_sack(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = longer_and_longer(&a, 1);
    assert_in_range(host_status(so).ssthresh, 60000, 90000);
    assert_true(host_status(so).cwnd >= host_status(so).ssthresh);
}

/* ---- A path with a bottleneck, and a sample with each ACK ---- */

#define MSS    1000
#define QUEUED 16384

/* A segment takes slot_ns at the bottleneck; a round trip without waiting is rtt_ns. */
struct path {
    uint64_t rtt_ns, slot_ns, jitter_ns;
    uint32_t room; /* segments in its queue */
    struct cc c;
    uint64_t now_ns, free_ns; /* when the bottleneck is done with what it has */
    struct {
        uint64_t sent_ns, back_ns;
    } under_way[QUEUED];
    uint32_t una, nxt; /* in segments */
    uint32_t lost;     /* for which there was no room: they come back all the same */
};

static void send_all(struct path *p)
{
    while ((p->nxt - p->una + 1) * MSS <= p->c.cwnd) {
        uint64_t begin_ns = p->free_ns > p->now_ns ? p->free_ns : p->now_ns;
        p->lost += (begin_ns - p->now_ns) / p->slot_ns > p->room;
        p->free_ns = begin_ns + p->slot_ns;
        p->under_way[p->nxt % QUEUED].sent_ns = p->now_ns;
        p->under_way[p->nxt % QUEUED].back_ns = p->free_ns + p->rtt_ns;
        p->nxt++;
        assert_true(p->nxt - p->una < QUEUED);
    }
}

/* The next ACK comes, and more goes. */
static void next_ack(struct path *p)
{
    uint64_t sent_ns = p->under_way[p->una % QUEUED].sent_ns;
    p->now_ns = p->under_way[p->una % QUEUED].back_ns;
    p->una++;
    const uint64_t rtt_ns = p->now_ns - sent_ns + p->jitter_ns;
    p->c.ops->acked(&p->c, &(struct cc_ack){.octets = MSS,
                                            .used = true,
                                            .una = seq(p->una * MSS),
                                            .nxt = seq(p->nxt * MSS),
                                            .rtt_ns = rtt_ns,
                                            .srtt_ns = rtt_ns,
                                            .now_ns = p->now_ns});
    send_all(p);
}

/* A path of a segment per slot, with room for so many times what is under way. */
static struct path *path_of(uint64_t slot_us, uint64_t rtt_ms, uint32_t room)
{
    static struct path p;
    memset(&p, 0, sizeof p);
    p.rtt_ns = rtt_ms * NS_PER_MS;
    p.slot_ns = slot_us * NS_PER_US;
    p.room = room * (uint32_t)(p.rtt_ns / p.slot_ns);
    p.now_ns = NS_PER_S;
    cc_init(&p.c, &cc_cubic, MSS, false);
    send_all(&p);
    return &p;
}

/* 80 Mbit/s */
static struct path *new_path(uint64_t rtt_ms, uint32_t room)
{
    return path_of(100, rtt_ms, room);
}

/* 3 Mbit/s: ACKs come too far apart to tell by their rate what the path carries (ackrate.h). */
static struct path *slow_path(uint64_t rtt_ms, uint32_t room)
{
    return path_of(2500, rtt_ms, room);
}

/* How many are lost until the sender can know of the first; none when it leaves slow start before.
 */
static uint32_t overshoot(struct path *p)
{
    while (p->lost == 0 && p->c.cwnd < p->c.ssthresh)
        next_ack(p);
    for (uint32_t end = p->nxt; p->una < end;)
        next_ack(p);
    return p->lost;
}

/* 1, 5: slow start loses up to a whole window when the queue is full; with HyStart++ it is less,
 * the more so the longer the queue is. (It takes a round from the first waiting on to see it, and
 * CSS still grows by a quarter in each of its own.) */
static void loses_less(void **state)
{
    (void)state;
    uint32_t with = 0, without = 0;
    for (uint32_t room = 1; room <= 8; room *= 2) {
        with = without = 0;
        for (uint64_t ms = 100; ms <= 600; ms += 25) {
            with += overshoot(slow_path(ms, room));
            struct path *p = slow_path(ms, room);
            cc_change(&p->c, &cc_newreno);
            without += overshoot(p);
        }
        print_message("queue of %u: %u lost, without HyStart++ %u\n", room, with, without);
        assert_true(with < without);
    }
    assert_true(with < without / 2);
}

/* It leaves slow start with more than the path holds, and in a queue that is long enough without a
 * loss; congestion avoidance goes on from there. */
static void leaves_without_loss(void **state)
{
    (void)state;
    for (uint64_t ms = 100; ms <= 500; ms += 50) {
        struct path *p = slow_path(ms, 20);
        assert_int_equal(overshoot(p), 0);
        assert_in_range(p->c.ssthresh / MSS, p->room / 20, p->room);
        assert_int_equal(p->c.stage, CC_AVOIDANCE);
    }
}

/* ackrate.h: where ACKs come close together, it leaves with little more than the path holds; a
 * queue as long as the path is enough. */
static void leaves_by_the_rate(void **state)
{
    (void)state;
    for (uint64_t ms = 10; ms <= 200; ms += 5) {
        struct path *p = new_path(ms, 1);
        assert_int_equal(overshoot(p), 0);
        assert_in_range(p->c.ssthresh / MSS, p->room, p->room * 7 / 4);
        assert_int_equal(p->c.stage, CC_AVOIDANCE);
    }
}

/* 4.1: a time of long round trips that passes was not ours: slow start goes on, in CSS a quarter as
 * fast meanwhile. */
static void jitter(void **state)
{
    (void)state;
    struct path *p = new_path(100, 1);
    while (p->c.cwnd < 100 * MSS)
        next_ack(p);
    p->jitter_ns = 20 * NS_PER_MS;
    while (!hystart_css(&p->c.hystart))
        next_ack(p);
    next_ack(p);
    uint32_t cwnd = p->c.cwnd, n = 0;
    for (; p->c.cwnd < cwnd + 10 * MSS; n++)
        next_ack(p);
    assert_int_equal(n, 40);
    p->jitter_ns = 0;
    while (hystart_css(&p->c.hystart))
        next_ack(p);
    assert_int_equal(p->c.stage, CC_FIRST_SLOW_START);
    next_ack(p);
    cwnd = p->c.cwnd;
    for (n = 0; p->c.cwnd < cwnd + 10 * MSS; n++)
        next_ack(p);
    assert_int_equal(n, 10);
}

/* 4.3: only the first slow start has it; a loss ends that. */
static void only_the_first(void **state)
{
    (void)state;
    struct path *p = new_path(100, 1);
    while (p->c.cwnd < 200 * MSS)
        next_ack(p);
    p->c.ops->timeout(&p->c, p->c.cwnd, true, p->now_ns);
    assert_int_equal(p->c.ssthresh, 140 * MSS);
    p->una = p->nxt;
    send_all(p);
    p->jitter_ns = 0;
    while (p->c.cwnd < 140 * MSS) { /* ever longer, and a segment more for each all the same */
        uint32_t cwnd = p->c.cwnd;
        p->jitter_ns += NS_PER_MS;
        next_ack(p);
        assert_int_equal(p->c.cwnd, cwnd + MSS);
    }
}

/* 4.3: the restart window after idleness grows with it, as long as nothing was lost. */
static void restart_window(void **state)
{
    (void)state;
    struct path *p = new_path(50, 20);
    while (p->c.cwnd < 100 * MSS)
        next_ack(p);
    while (p->una < p->nxt) {
        p->now_ns = p->under_way[p->una % QUEUED].back_ns;
        p->una++;
    }
    cc_idle(&p->c);
    assert_int_equal(p->c.cwnd, 10 * MSS);
    send_all(p);
    assert_int_equal(overshoot(p), 0);
    assert_in_range(p->c.ssthresh / MSS, p->room / 20, p->room / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test_sack(limit),          host_test(one_sample_a_round_trip),
        host_test(samples_with_sack),   host_test(loses_less),
        host_test(leaves_without_loss), host_test(jitter),
        host_test(leaves_by_the_rate),  host_test(only_the_first),
        host_test(restart_window),
    };
    return host_main(tests);
}
