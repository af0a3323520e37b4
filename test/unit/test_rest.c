/* rest.c, busy.c: a connection that has nothing to do gives back what it needed while it had. */
#include "sock.h"
#include "with_sack.h"

static size_t output_one(void)
{
    struct packet p;
    return stack_output(host.stack, &p, 1, host.now_ns);
}

static void tick_at(uint64_t ns)
{
    host.now_ns = ns;
    stack_tick(host.stack, ns);
}

/* One with SACK, at rest. */
static struct sock *rested(struct peer *a)
{
    struct sock *so = host_connect(a);
    handshake_with_sack(a);
    host_later(1000);
    assert_false(tcb_is_busy(&as_conn(so)->tcb));
    return so;
}

/* A tail that was lost and repaired by a probe (RFC 8985 7.4.2) does not keep it; the answer to its
 * loss is given before. */
static void after_a_probe(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = rested(&a);
    struct tcb *t = &as_conn(so)->tcb;
    host_sends(so, 0, 1000);
    all_leaves();
    host_later(300);
    assert_int_equal(all_leaves(), 1);
    host_later(100);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1001);
    nothing_leaves();
    host_later(1000);
    assert_false(tcb_is_busy(t));
    assert_int_equal(host_status(so).cwnd, host_status(so).ssthresh);
    assert_in_range(host_status(so).ssthresh, 2000, 5000);
}

/* Ten segments, of which the last is lost and a probe repairs it; then another, after so long. It
 * is the first ten that the answer goes by (RFC 8985 7.4.2), whether the connection has rested or
 * not. */
static void repaired_tail(uint64_t ms)
{
    struct peer a = peer(1, 0);
    struct sock *so = host_connect(&a);
    handshake_with_sack(&a);
    host_sends(so, 0, 10000);
    assert_int_equal(all_leaves(), 10);
    host_later(100);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 9001);
    host_later(300);
    assert_int_equal(all_leaves(), 1);
    host_later(100);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 10001);
    uint32_t cwnd = host_status(so).cwnd;
    assert_true(cwnd > 10000);
    host_later(ms);
    host_sends(so, 10000, 1000);
    all_leaves();
    host_later(100);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 11001);
    assert_int_equal(host_status(so).ssthresh, 7000); /* RFC 9438 4.6 */
    assert_in_range(host_status(so).cwnd, 7000, 8000);
}

static void repaired_tail_before(void **state)
{
    (void)state;
    repaired_tail(10);
}

static void repaired_tail_after(void **state)
{
    (void)state;
    repaired_tail(1000);
}

/* A round trip of 600 ms, and a probe that was not needed: the D-SACK comes after the connection
 * could have rested. */
static void dsack_of_a_long_path(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = rested(&a);
    struct tcb *t = &as_conn(so)->tcb;
    t->rto.srtt_us = 600000;
    t->rto.base_us = 1000000;
    host_sends(so, 0, 1000);
    all_leaves();
    host_later(1000);
    while (all_leaves() == 0)
        host_later(100);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1001);
    host_later(600);
    assert_true(tcb_is_busy(t));
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1001, BLOCK(1, 1001));
    host_later(1000);
    assert_false(tcb_is_busy(t));
    assert_int_equal(host_status(so).ssthresh, CC_SSTHRESH_INITIAL);
}

/* RFC 8985 7.4.2 case 2, of a peer that has no D-SACK, when all is acknowledged. */
static void duplicate_after_a_probe(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = rested(&a);
    host_sends(so, 0, 1000);
    all_leaves();
    host_later(300);
    assert_int_equal(all_leaves(), 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1001);
    host_later(100);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1001);
    host_later(2000);
    assert_false(tcb_is_busy(&as_conn(so)->tcb));
    assert_int_equal(host_status(so).ssthresh, CC_SSTHRESH_INITIAL);
}

/* SO_MAX_PACING_RATE: 3000 octets at 1000 in a second, of which the first ten segments go at once:
 * the connection does not rest before they would have gone. */
static void pacing_is_remembered(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = rested(&a);
    struct tcb *t = &as_conn(so)->tcb;
    host_set(so, max_pacing_rate, 1000);
    host_sends(so, 0, 3000);
    assert_int_equal(all_leaves(), 3);
    host_later(100);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 3001);
    host_later(2500);
    assert_true(tcb_is_busy(t));
    host_later(1500);
    assert_false(tcb_is_busy(t));
}

/* That a path reorders, and by how much (RFC 8985 6.2 steps 3 and 4), is not forgotten. */
static void of_a_path_that_reorders(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = rested(&a);
    struct tcb *t = &as_conn(so)->tcb;
    for (uint32_t i = 0; i < 2; i++) {
        host_sends(so, 1000 * i, 1000);
        all_leaves();
        struct rack *rack = &t->busy->sack_recovery.rack;
        assert_int_equal(rack->reordering_seen, i > 0);
        assert_int_equal(rack->reo_wnd_mult, i > 0 ? 5 : 1);
        assert_int_equal(rack->reo_wnd_persist, i > 0 ? 16 : 0);
        rack->reordering_seen = true;
        rack->reo_wnd_mult = 5;
        rack->reo_wnd_persist = 16;
        host_later(100);
        arrives(&a, .flags = ACK, .seq = 1, .ack = 1001 + 1000 * i);
        host_later(1000);
        assert_false(tcb_is_busy(t));
    }
}

/* Those that begin to rest one after the other do so by one deadline, and none before its time. */
static void together(void **state)
{
    (void)state;
    struct sock *so[10];
    uint64_t since_ns[10], due_ns;
    unsigned ticks = 0;
    for (uint8_t i = 0; i < 10; i++) {
        struct peer a = peer((uint8_t)(1 + i), 0);
        so[i] = host_connected(HERE, &a);
        since_ns[i] = host.now_ns;
        host_later(10);
    }
    while ((due_ns = stack_deadline(host.stack)) <= since_ns[9] + 500 * NS_PER_MS && ticks < 10) {
        tick_at(due_ns);
        ticks++;
        for (unsigned i = 0; i < 10; i++)
            assert_true(tcb_is_busy(&as_conn(so[i])->tcb) ||
                        due_ns >= since_ns[i] + 250 * NS_PER_MS);
    }
    assert_int_equal(ticks, 2);
    for (unsigned i = 0; i < 10; i++)
        assert_false(tcb_is_busy(&as_conn(so[i])->tcb));
}

/* Where more than 1024 are busy, the one that has rested for the longest does not wait. */
static void crowded(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), b = peer(2, 0), c = peer(3, 0);
    struct sock *first = host_connected(HERE, &a);
    host.stack->tcp.n_busy += 1022; /* others, that are at work */
    struct sock *second = host_connected(HERE, &b);
    assert_true(tcb_is_busy(&as_conn(first)->tcb));
    struct sock *third = host_connected(HERE, &c);
    assert_false(tcb_is_busy(&as_conn(first)->tcb));
    assert_true(tcb_is_busy(&as_conn(second)->tcb));
    assert_true(tcb_is_busy(&as_conn(third)->tcb));
    assert_int_equal(host.stack->tcp.n_busy, 1024);
    host.stack->tcp.n_busy -= 1022;
    host_later(1000);
    assert_int_equal(host.stack->tcp.n_busy, 0);
}

/* One that rests with the last of what it was sent acknowledged after a while. */
static struct sock *heard(struct peer *a)
{
    struct sock *so = host_connect(a);
    handshake_with_sack(a);
    arrives(a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 100);
    all_leaves();
    host_receives(so, 0, 100);
    host_later(40);
    all_leaves();
    return so;
}

/* One that has just been heard does not make room, though it is the first of those that rest,
 * before it has answered: what it has to say is in what it would give back. (A review's finding.)
 */
static void crowded_but_heard(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), b = peer(2, 0);
    struct sock *first = heard(&a);
    heard(&b);
    assert_true(tcb_is_busy(&as_conn(first)->tcb));
    host.stack->tcp.n_busy += 1024;
    arrives(&b, .flags = ACK, .seq = 101, .ack = 1, .wnd = 60000);
    host_batch();
    arrives(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 100);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 101, BLOCK(1, 101));
    host.stack->tcp.n_busy -= 1024;
}

/* Nor does text that is refused for want of memory, which is when it counts most. */
static void refused(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = rested(&a);
    struct mem *m = &host.mem.mem;
    static uint8_t octets[1000];
    m->limit = m->used + sizeof(struct busy) + 500;
    assert_int_equal(stack_send(so, octets, sizeof octets, host.now_ns), ERR_NOMEM);
    m->limit = SIZE_MAX;
    host_later(1000);
    assert_false(tcb_is_busy(&as_conn(so)->tcb));
}

/* A probe of a shut window is due while the device takes nothing, and then all is acknowledged:
 * nothing is left to probe. (A review's finding: output wrote to what the connection had given
 * back.) */
static void probe_of_nothing(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    struct tcb *t = &as_conn(so)->tcb;
    for (unsigned i = 0; i < 10; i++) {
        host_sends(so, 10 * i, 10);
        all_leaves();
        arrives(&a, .flags = ACK, .seq = 1, .ack = 11 + 10 * i);
        nothing_leaves();
    }
    host_set(so, keepalive.idle_ms, 240);
    host_set(so, keepalive.on, true);
    all_leaves();
    uint64_t from = host.now_ns;
    static uint8_t octets[10];
    host.now_ns = from + NS_PER_MS;
    assert_int_equal(stack_send(so, octets, sizeof octets, host.now_ns), 10);
    assert_int_equal(output_one(), 1); /* and then the device is full */
    host_batch();
    host.now_ns = from + 100 * NS_PER_MS;
    arrives(&a, .flags = ACK, .seq = 1, .ack = 101, .wnd = ZERO);
    tick_at(from + 240 * NS_PER_MS);
    host_batch();
    host.now_ns = from + 245 * NS_PER_MS;
    arrives(&a, .flags = ACK, .seq = 1, .ack = 111, .wnd = ZERO);
    assert_false(t->probe);
    tick_at(from + 251 * NS_PER_MS);
    while (output_one() > 0)
        ;
    assert_null(tcb_check(t));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(repaired_tail_before),
        host_test(repaired_tail_after),
        host_test(of_a_path_that_reorders),
        host_test(dsack_of_a_long_path),
        host_test(duplicate_after_a_probe),
        host_test(pacing_is_remembered),
        host_test(after_a_probe),
        host_test(together),
        host_test(crowded),
        host_test(crowded_but_heard),
        host_test(refused),
        host_test(probe_of_nothing),
    };
    return host_main(tests);
}
