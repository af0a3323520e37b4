/* RFC 9293 3.8.4: keep-alives (MAY-5). */
#include "hosts.h"

#define HOURS UINT64_C(3600000)

static void keepalive(struct sock *so, uint32_t idle_ms, uint32_t interval_ms, uint8_t probes)
{
    const struct keepalive_settings on = {idle_ms, interval_ms, probes, true};
    host_step(HERE);
    host_set(so, keepalive, on);
}

static void with_defaults(struct sock *so, bool on)
{
    struct keepalive_settings settings = keepalive_default();
    settings.on = on;
    host_step(HERE);
    host_set(so, keepalive, settings);
}

/* MUST-25: off unless asked for. */
static void off_by_default(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    host_at(1000 * HOURS);
    nothing_leaves();
    assert_int_equal(stack_state(so), STATE_ESTABLISHED);
}

/* MUST-28, SHLD-12: by default after two hours: a segment without text, whose number the peer has
 * acknowledged already, so that it has to answer. */
static void after_two_hours(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    with_defaults(so, true);
    host_at(2 * HOURS - 1);
    nothing_leaves();
    host_at(2 * HOURS);
    leaves(&a, .flags = ACK, .seq = 0, .ack = 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
    host_at(4 * HOURS - 1);
    nothing_leaves();
    host_at(4 * HOURS);
    leaves(&a, .flags = ACK, .seq = 0, .ack = 1);
}

/* MUST-24: on and off for each connection, at any time. */
static void switched(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), b = peer(2, 0);
    struct sock *so = host_connected(HERE, &a);
    host_connected(HERE, &b);
    with_defaults(so, true);
    host_at(2 * HOURS);
    leaves(&a, .flags = ACK, .seq = 0, .ack = 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
    with_defaults(so, false);
    host_at(10 * HOURS);
    nothing_leaves();
    with_defaults(so, true); /* idle for longer already */
    leaves(&a, .flags = ACK, .seq = 0, .ack = 1);
}

/* MUST-26: not while something is outstanding; what is sent again asks as well. */
static void not_with_data_outstanding(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    keepalive(so, 1000, 1000, 3);
    host_sends(so, 0, 10);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    uint32_t ms = 0;
    for (uint32_t rto = 200; rto <= 25600; rto *= 2) {
        ms += rto;
        host_at(ms);
        leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    }
    arrives(&a, .flags = ACK, .seq = 1, .ack = 11);
    host_later(999);
    nothing_leaves();
    host_later(1);
    leaves(&a, .flags = ACK, .seq = 10, .ack = 1);
}

/* MUST-26: a FIN that waits for the peer's window is outstanding too: the window is probed with it,
 * and nothing goes before. */
static void not_with_a_fin_that_waits(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    keepalive(so, 100, 100, 3);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = ZERO);
    host_shutdown_send(so);
    host_at(199); /* RTO is 200 ms */
    nothing_leaves();
    host_at(200);
    leaves(&a, .flags = FIN | ACK, .seq = 1, .ack = 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 2, .wnd = ZERO);
    host_later(100); /* now nothing is */
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
}

/* MUST-26: nor when the peer was heard of within the interval, by text or by an ACK. */
static void not_when_heard_of(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    keepalive(so, 1000, 1000, 3);
    host_at(900);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
    host_at(1800);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 10);
    host_at(1840);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 11);
    host_at(2799);
    nothing_leaves();
    host_at(2800);
    leaves(&a, .flags = ACK, .seq = 0, .ack = 11);
}

/* MUST-27: the interval is configurable, MUST-29: one probe that is not answered means nothing; nor
 * do several before an answer. */
static void one_probe_is_not_enough(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    keepalive(so, 10000, 5000, 1);
    for (unsigned i = 0; i < 3; i++) {
        host_later(10000);
        leaves(&a, .flags = ACK, .seq = 0, .ack = 1);
        host_later(4999);
        nothing_leaves();
        arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
        assert_int_equal(stack_state(so), STATE_ESTABLISHED);
    }
    keepalive(so, 10000, 5000, 4);
    host_later(10000);
    leaves(&a, .flags = ACK, .seq = 0, .ack = 1);
    for (unsigned i = 0; i < 3; i++) {
        host_later(5000);
        leaves(&a, .flags = ACK, .seq = 0, .ack = 1);
    }
    host_later(4999);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
    assert_int_equal(stack_state(so), STATE_ESTABLISHED);
}

/* A peer that answers none of them is gone: the connection ends, and the user is told. */
static void nobody_there(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    keepalive(so, 10000, 5000, 3);
    for (unsigned i = 0; i < 3; i++) {
        host_at(10000 + 5000 * i);
        leaves(&a, .flags = ACK, .seq = 0, .ack = 1);
    }
    host_at(24999);
    assert_int_equal(stack_state(so), STATE_ESTABLISHED);
    host_at(25000);
    leaves(&a, .flags = RST | ACK, .seq = 1, .ack = 1);
    expect_event(so, SOCK_EV_CLOSED);
    assert_int_equal(stack_error(so), ERR_TIMEDOUT);
}

/* A peer's keep-alive is answered, with or without its octet of garbage, which is not text. */
static void of_the_peer(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    arrives(&a, .flags = ACK, .seq = 0, .ack = 1);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    host_later(1000);
    arrives(&a, .flags = ACK, .seq = 0, .ack = 1, .text = 1);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    assert_int_equal(host_recv(so, 0, 1), ERR_AGAIN);
    expect_no_event();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(off_by_default),
        host_test(after_two_hours),
        host_test(switched),
        host_test(not_with_data_outstanding),
        host_test(not_with_a_fin_that_waits),
        host_test(not_when_heard_of),
        host_test(one_probe_is_not_enough),
        host_test(nobody_there),
        host_test(of_the_peer),
    };
    return host_main(tests);
}
