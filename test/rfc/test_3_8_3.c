/* RFC 9293 3.8.3: connections that fail: R1 and R2, and how an OPEN can fail. */
#include "router.h"

static void in_state(const struct sock *so, enum tcp_state s)
{
    assert_int_equal(stack_state(so), s);
}

/* Segment number `at`, of n octets, is lost again and again, until `ms` from now. Returns how often
 * it was sent again. */
static unsigned lost(struct peer *a, uint32_t at, uint32_t n, uint32_t ms)
{
    unsigned times = 0;
    nothing_leaves();
    for (uint64_t end = host.now_ns + ms * NS_PER_MS; stack_deadline(host.stack) < end; times++) {
        host_go(HERE, stack_deadline(host.stack));
        leaves(a, .flags = PSH | ACK, .seq = at, .ack = 1, .text = n);
        nothing_leaves();
    }
    return times;
}

/* MUST-20 (c), SHLD-11: at R2, five minutes by default, the connection is closed, and the user told
 * why. Up to then it is kept. */
static void r2(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    host_sends(so, 0, 10);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    assert_int_equal(lost(&a, 1, 10, 300000), 10);
    host_take_events();
    host_at(299999);
    in_state(so, STATE_ESTABLISHED);
    host_at(300000);
    in_state(so, STATE_CLOSED);
    expect_event(so, SOCK_EV_CLOSED);
    assert_int_equal(host_send(so, 10, 1), ERR_TIMEDOUT);
    nothing_leaves();
}

/* IP is told, before the next segment goes, that the way to this address may be dead; or is not. */
static void advised(const struct peer *a, bool told)
{
    struct ip_addr about;
    assert_int_equal(stack_next_advice(host.stack, &about), told);
    if (told)
        assert_true(ip_addr_eq(&about, &a->flow.remote));
}

/* MUST-20 (b), SHLD-10: R1 comes before it, after three retransmissions; it is no end. It is
 * negative advice to IP, which each retransmission that exceeds it gives again. (e), SHLD-9: the
 * user is told, once (test_3_9_1_8.c). */
static void r1(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    host_sends(so, 0, 10);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    uint32_t ms = 0;
    for (unsigned i = 1; i <= 5; i++) {
        ms += 200u << (i - 1);
        host_at(ms);
        advised(&a, i >= 3);
        leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
        if (i == 3)
            expect_event(so, SOCK_EV_TROUBLE);
        else
            expect_no_event();
    }
    arrives(&a, .flags = ACK, .seq = 1, .ack = 11);
    expect_event(so, SOCK_EV_ACKED);
    in_state(so, STATE_ESTABLISHED);
    host_sends(so, 10, 1);
    leaves(&a, .flags = PSH | ACK, .seq = 11, .ack = 1, .text = 1);
    host_later(host_status(so).rto_ns / NS_PER_MS);
    leaves(&a, .flags = PSH | ACK, .seq = 11, .ack = 1, .text = 1);
    advised(&a, false);
}

/* The same when the peer has died behind a shut window: its probes are sent again as lost text is.
 * Each answer begins anew. */
static void r1_behind_a_shut_window(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    a.wnd = ZERO;
    struct sock *so = host_connected(HERE, &a);
    host_sends(so, 0, 500);
    host_take_events();
    uint32_t ms = 0, interval = 200;
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 5; i++) {
            ms += interval;
            interval = interval < 30000 ? 2 * interval : 60000;
            host_at(ms);
            advised(&a, i >= 3);
            leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1);
            if (i == 3)
                expect_event(so, SOCK_EV_TROUBLE);
            else
                expect_no_event();
        }
        arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = ZERO);
    }
    in_state(so, STATE_ESTABLISHED);
}

/* (a): both measure the same segment: what makes progress begins anew. */
static void measured_from_progress(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    for (uint32_t i = 0; i < 10; i += 2) {
        host_sends(so, i, 1);
        leaves(&a, .flags = PSH | ACK, .seq = 1 + i, .ack = 1, .text = 1);
        assert_true(lost(&a, 1 + i, 1, 200000) > 3);
        arrives(&a, .flags = ACK, .seq = 1, .ack = 2 + i);
        host_sends(so, i + 1, 1); /* a sample ends the backoff */
        leaves(&a, .flags = PSH | ACK, .seq = 2 + i, .ack = 1, .text = 1);
        arrives(&a, .flags = ACK, .seq = 1, .ack = 3 + i);
    }
    in_state(so, STATE_ESTABLISHED); /* after 1000 s of trouble */
}

/* MUST-21: the user sets R2 for one connection, shorter or longer; 49 days are as good as never. */
static void r2_set_by_the_user(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), b = peer(2, 0);
    struct sock *so = host_connected(HERE, &a), *other = host_connected(HERE, &b);
    host_step(HERE);
    host_at(1000); /* both have nothing to do for a while */
    host_set(so, user_timeout_ms, 5000);
    host_sends(so, 0, 10);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    (void)lost(&a, 1, 10, 5000);
    host_at(5999);
    in_state(so, STATE_ESTABLISHED);
    host_at(6000);
    in_state(so, STATE_CLOSED);
    assert_int_equal(stack_error(so), ERR_TIMEDOUT);
    host_set(other, user_timeout_ms, UINT32_MAX);
    host_sends(other, 0, 10);
    leaves(&b, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    assert_true(lost(&b, 1, 10, 86400 * 1000) > 700);
    in_state(other, STATE_ESTABLISHED);
}

/* MUST-22, MUST-23: a SYN is sent again for three minutes at least, with R1 on the way, and then
 * the user is told. The SYN,ACK of a listener likewise, of which no user knows yet; but it is no
 * reason for advice (lib/README.md). */
static void syn(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), b = peer(2, 80);
    struct sock *so = host_connect(&a);
    leaves(&a, .flags = SYN, .seq = 0);
    host_listen(80, 5);
    arrives(&b, .flags = SYN, .seq = 0);
    leaves(&b, .flags = SYN | ACK, .seq = 0, .ack = 1);
    for (unsigned i = 1; i <= 7; i++) {
        host_at(((1u << i) - 1) * 1000);
        advised(&a, i >= 3);
        advised(&b, false);
        leaves(&a, .flags = SYN, .seq = 0);
        leaves(&b, .flags = SYN | ACK, .seq = 0, .ack = 1);
        if (i == 3)
            expect_event(so, SOCK_EV_TROUBLE);
        else
            expect_no_event();
    }
    host_at(179999);
    in_state(so, STATE_SYN_SENT);
    assert_int_equal(stack_sock_count(host.stack), 3);
    host_at(180000);
    expect_event(so, SOCK_EV_CLOSED);
    assert_int_equal(stack_error(so), ERR_TIMEDOUT);
    assert_int_equal(stack_sock_count(host.stack), 2);
    expect_no_event();
}

/* The application may give up sooner. */
static void syn_given_up(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connect(&a);
    leaves(&a, .flags = SYN, .seq = 0);
    host_close(so);
    host_at(200000);
    nothing_leaves();
    assert_int_equal(stack_sock_count(host.stack), 0);
}

/* An OPEN can also fail by a RST, or by ICMP's port unreachable. */
static void refused(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), b = peer(2, 0);
    struct sock *so = host_reach(&a, STATE_SYN_SENT), *other = host_reach(&b, STATE_SYN_SENT);
    arrives(&a, .flags = RST | ACK, .seq = 0, .ack = 1);
    expect_event(so, SOCK_EV_CLOSED);
    assert_int_equal(stack_error(so), ERR_REFUSED);
    hears(&b, .kind = ICMP_PORT_UNREACHABLE, .seq = 0);
    expect_event(other, SOCK_EV_CLOSED);
    assert_int_equal(stack_error(other), ERR_REFUSED);
    host_at(10000);
    nothing_leaves();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(r2),
        host_test(r1),
        host_test(r1_behind_a_shut_window),
        host_test(measured_from_progress),
        host_test(r2_set_by_the_user),
        host_test(syn),
        host_test(syn_given_up),
        host_test(refused),
    };
    return host_main(tests);
}
