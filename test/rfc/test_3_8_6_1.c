/* RFC 9293 3.8.6.1: probing zero windows. */
#include "with_sack.h"

/* Connected to a peer whose window is shut, with n octets to send; RTO is 200 ms. */
static struct sock *shut(struct peer *a, uint32_t n)
{
    a->wnd = ZERO;
    struct sock *so = host_connected(HERE, a);
    host_sends(so, 0, n);
    nothing_leaves();
    return so;
}

/* MUST-36, SHLD-29: the first probe goes when the window has been shut for RTO, with an octet of
 * new data; SHLD-30: the intervals double, up to a minute. */
static void probes(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = shut(&a, 500);
    uint32_t ms = 0;
    for (uint32_t interval = 200, i = 0; i < 14; i++) {
        ms += interval;
        host_at(ms - 1);
        nothing_leaves();
        host_at(ms);
        leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1);
        arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = ZERO);
        nothing_leaves();
        interval = interval < 30000 ? 2 * interval : 60000;
    }
    assert_int_equal(stack_state(so), STATE_ESTABLISHED);
}

/* SHLD-30, of a window that is shut on what is in flight, in the middle of fast recovery as well
 * (seed 1522708: there the retransmission timer probed beside the other, each RTO). */
static void probes_in_recovery(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connect(&a);
    handshake_with_sack(&a);
    host_sends(so, 0, 5000);
    assert_int_equal(all_leaves(), 5);
    host_later(100);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, BLOCK(1001, 5001));
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = ZERO, BLOCK(1001, 5001));
    nothing_leaves();
    uint64_t now_ns = host.now_ns, due_ns, waited_ns[6];
    for (unsigned i = 0; i < 6; i++) {
        while (all_leaves() == 0) {
            due_ns = stack_deadline(host.stack);
            assert_true(due_ns > host.now_ns);
            host_later((unsigned)((due_ns - host.now_ns + NS_PER_MS - 1) / NS_PER_MS));
        }
        waited_ns[i] = host.now_ns - now_ns;
        now_ns = host.now_ns;
        arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = ZERO, BLOCK(1001, 5001));
        nothing_leaves();
    }
    for (unsigned i = 2; i < 6; i++) /* the first two are one RTO each */
        assert_true(waited_ns[i] + NS_PER_MS >= 2 * waited_ns[i - 1]);
}

/* The probe is what makes a lost window update harmless: the answer to it tells the window. */
static void window_update_lost(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    shut(&a, 500);
    host_at(200);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1);
    host_at(210);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 2, .wnd = 5000); /* it was open, and takes it */
    leaves(&a, .flags = PSH | ACK, .seq = 2, .ack = 1, .text = 499);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 501);
}

/* A window that opens by itself needs no probe; what a probe carried and was not taken goes again.
 */
static void window_opens(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    shut(&a, 500);
    host_at(200);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = ZERO);
    host_at(300);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = 5000);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 500);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 501);
    host_at(10000);
    nothing_leaves();
}

/* A FIN is sent as a probe when there is nothing else. */
static void fin_as_a_probe(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    a.wnd = ZERO;
    struct sock *so = host_connected(HERE, &a);
    assert_int_equal(host_shutdown_send(so), ERR_NONE);
    nothing_leaves();
    host_at(200);
    leaves(&a, .flags = FIN | ACK, .seq = 1, .ack = 1);
    host_at(600);
    leaves(&a, .flags = FIN | ACK, .seq = 1, .ack = 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 2, .wnd = ZERO);
    assert_int_equal(stack_state(so), STATE_FIN_WAIT_2);
}

/* MUST-37: as long as probes are answered the connection stays open, whatever R2 says. */
static void open_for_a_week(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = shut(&a, 500);
    uint64_t end = host.now_ns + 7 * 86400 * NS_PER_S;
    while (host.now_ns < end) {
        host_go(HERE, stack_deadline(host.stack));
        leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1);
        arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = ZERO);
        nothing_leaves();
    }
    assert_int_equal(stack_state(so), STATE_ESTABLISHED);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = 500);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 500);
}

/* When they are not, the peer is gone: R2 ends it. */
static void not_answered(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = shut(&a, 500);
    host_at(200);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1);
    nothing_leaves();
    uint64_t end = host.start_ns + 300200 * NS_PER_MS;
    while (stack_deadline(host.stack) < end) {
        host_go(HERE, stack_deadline(host.stack));
        leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1);
        nothing_leaves();
    }
    host_at(300199);
    assert_int_equal(stack_state(so), STATE_ESTABLISHED);
    host_at(300200);
    assert_int_equal(stack_error(so), ERR_TIMEDOUT);
    nothing_leaves();
}

/* MAY-8: our window may stay shut for as long as the user does not read; each segment that comes
 * meanwhile is answered with what we expect, and the window, which is zero. */
static void our_window_stays_shut(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 10000);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 10001, .wnd = ZERO);
    for (unsigned i = 0; i < 100; i++) {
        host_later(60000);
        arrives(&a, .flags = ACK, .seq = 10001, .ack = 1, .text = 1);
        leaves(&a, .flags = ACK, .seq = 1, .ack = 10001, .wnd = ZERO);
    }
    host_receives(so, 0, 10000);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 10001, .wnd = 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(probes),       host_test(probes_in_recovery),    host_test(window_update_lost),
        host_test(window_opens), host_test(fin_as_a_probe),        host_test(open_for_a_week),
        host_test(not_answered), host_test(our_window_stays_shut),
    };
    return host_main(tests);
}
