/* timeout.c, output.c: keep-alives (RFC 9293 3.8.4; RFC 1122 4.2.3.6). */
#include "segments.h"
#include "timeout.h"
#include "user.h"

/* After 10 s, every 2 s, 3 of them. */
static const struct keepalive_settings quick = {10000, 2000, 3, true};

static void keepalive_on(void)
{
    the.config.keepalive = quick;
}

/* MUST-25: off unless asked for. */
static void off_by_default(void **state)
{
    (void)state;
    establish();
    at(UINT64_C(100) * 3600 * 1000);
    expect_state(STATE_ESTABLISHED);
    assert_true(tcp_deadline(&the.tcb) == TIME_NEVER);
}

/* MUST-28: two hours by default; Linux's 75 s and 9 probes after that. SEG.SEQ = SND.NXT - 1, no
 * text (SHLD-12). Then the connection is dead, not before (MUST-29). */
static void default_intervals(void **state)
{
    (void)state;
    the.config.keepalive.on = true;
    establish();
    for (unsigned i = 0; i < 9; i++) {
        at(100 + 7200000 + 75000 * i);
        expect(.flags = ACK, .seq = 0, .ack = 1, .wnd = 10000);
    }
    at(100 + 7200000 + 75000 * 9 - 1);
    expect_state(STATE_ESTABLISHED);
    at(100 + 7200000 + 75000 * 9);
    expect(.flags = RST | ACK, .seq = 1, .ack = 1);
    expect_closed(ERR_TIMEDOUT);
    expect_events(TCB_EV_CLOSED);
}

/* MUST-29: any number of probes may be lost but the last. MUST-26: and a probe goes only after a
 * whole idle time without a segment. */
static void answered_in_the_end(void **state)
{
    (void)state;
    keepalive_on();
    establish();
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < 3; i++) {
            later(i == 0 ? 10000 : 2000);
            expect(.flags = ACK, .seq = 0, .ack = 1);
        }
        later(1999);
        receive(.flags = ACK, .seq = 1, .ack = 1);
    }
    expect_state(STATE_ESTABLISHED);
    expect_events(0);
}

/* MUST-26: text, ACKs and the peer's own keep-alives all put the probe off. */
static void heard_of_the_peer(void **state)
{
    (void)state;
    keepalive_on();
    establish();
    at(9000);
    receive(.flags = ACK, .seq = 1, .ack = 1, .text = 10);
    at(9040);
    expect(.flags = ACK, .seq = 1, .ack = 11);
    at(18000);
    user_sends(10);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 11, .text = 10);
    at(18100);
    receive(.flags = ACK, .seq = 11, .ack = 11);
    at(28000);
    receive(.flags = ACK, .seq = 10, .ack = 11); /* a keep-alive */
    expect(.flags = ACK, .seq = 11, .ack = 11);
    at(37999);
    expect_silence();
    at(38000);
    expect(.flags = ACK, .seq = 10, .ack = 11);
    receive(.flags = ACK, .seq = 11, .ack = 11);
}

/* What nobody but a stranger would send is not heard of: a dead connection ends however much of it
 * comes. */
static void strangers_do_not_count(void **state)
{
    (void)state;
    keepalive_on();
    establish();
    for (unsigned s = 1; s < 16; s++) {
        at(s * 1000);
        receive(.flags = ACK, .seq = 1, .ack = 50000); /* of what was never sent */
        expect(.flags = ACK, .seq = 1, .ack = 1);
        if (s == 10) {
            at(10100);
            expect(.flags = ACK, .seq = 0, .ack = 1);
        }
        if (s == 12 || s == 14) {
            at(s * 1000 + 100);
            expect(.flags = ACK, .seq = 0, .ack = 1);
        }
    }
    at(16100);
    expect(.flags = RST | ACK, .seq = 1, .ack = 1);
    expect_closed(ERR_TIMEDOUT);
}

/* MUST-26: none while text is outstanding, nor while a shut window keeps text back: those have
 * timers of their own. */
static void none_while_outstanding(void **state)
{
    (void)state;
    keepalive_on();
    establish();
    user_sends(10);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    for (uint64_t due = 100 + 300, rto = 600; due < 80000; due += rto, rto *= 2) {
        at(due);
        expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    }
    at(80000);
    receive(.flags = ACK, .seq = 1, .ack = 11, .wnd = ZERO);
    at(89999);
    user_sends(10);
    for (unsigned i = 0; i < 8; i++) { /* window probes only, which carry text */
        expect_silence();
        ladder_at(HERE, tcp_deadline(&the.tcb) - the.start_ns);
        expect(.flags = ACK, .seq = 11, .ack = 1, .text = 1);
        receive(.flags = ACK, .seq = 1, .ack = 11, .wnd = ZERO);
    }
    assert_true(ladder_now() > 120 * NS_PER_S);
    expect_state(STATE_ESTABLISHED);
    user_abort();
    ignore();
}

/* A FIN that is not acknowledged is outstanding; one that is leaves the other half, which may be
 * dead. So does the peer's. */
static void half_closed(void **state)
{
    (void)state;
    keepalive_on();
    establish();
    user_close();
    expect(.flags = FIN | ACK, .seq = 1, .ack = 1);
    receive(.flags = ACK, .seq = 1, .ack = 2);
    expect_state(STATE_FIN_WAIT_2);
    at(10100);
    expect(.flags = ACK, .seq = 1, .ack = 1);
    receive(.flags = ACK, .seq = 1, .ack = 2);
    for (unsigned i = 0; i < 3; i++) {
        later(i == 0 ? 10000 : 2000);
        expect(.flags = ACK, .seq = 1, .ack = 1);
    }
    later(2000);
    expect(.flags = RST | ACK, .seq = 2, .ack = 1);
    expect_closed(ERR_TIMEDOUT);
    again();

    keepalive_on();
    reach(STATE_CLOSE_WAIT);
    later(10000);
    expect(.flags = ACK, .seq = 0, .ack = 2);
    receive(.flags = RST, .seq = 2); /* it has forgotten us */
    expect_closed(ERR_RESET);
}

/* A FIN that waits behind a shut window is something to be sent. */
static void none_while_fin_waits(void **state)
{
    (void)state;
    keepalive_on();
    establish(.wnd = ZERO);
    receive(.flags = FIN | ACK, .seq = 1, .ack = 1, .wnd = ZERO);
    expect(.flags = ACK, .seq = 1, .ack = 2);
    user_close();
    for (unsigned i = 0; i < 8; i++) {
        expect_silence();
        ladder_at(HERE, tcp_deadline(&the.tcb) - the.start_ns);
        expect(.flags = FIN | ACK, .seq = 1, .ack = 2);
    }
    receive(.flags = ACK, .seq = 2, .ack = 2);
    expect_closed(ERR_NONE);
}

/* Neither before the connection is there nor in TIME-WAIT. */
static void other_states(void **state)
{
    (void)state;
    the.config.keepalive = (struct keepalive_settings){1, 1, 1, true};
    open_active();
    expect(.flags = SYN, .seq = 0);
    at(999);
    expect_state(STATE_SYN_SENT);
    again();
    open_passive();
    receive(.flags = SYN, .seq = 0);
    expect(.flags = SYN | ACK, .seq = 0, .ack = 1);
    at(999);
    expect_state(STATE_SYN_RECEIVED);
    again();
    the.config.keepalive = quick;
    reach(STATE_TIME_WAIT);
    receive(.flags = ACK, .seq = 2, .ack = 2);
    later(59999);
    expect_state(STATE_TIME_WAIT);
    later(1);
    expect_closed(ERR_NONE);
}

/* MUST-24: on and off at any time. Idle since long ago: at once. */
static void switched(void **state)
{
    (void)state;
    establish();
    at(15000);
    user_sets(keepalive, quick);
    expect(.flags = ACK, .seq = 0, .ack = 1);
    user_sets(keepalive.on, false);
    at(900000);
    user_sets(keepalive.on, true); /* the probe of then was not answered either */
    expect(.flags = ACK, .seq = 0, .ack = 1);
    receive(.flags = ACK, .seq = 1, .ack = 1);
    at(909999);
    expect_state(STATE_ESTABLISHED);
    at(910000);
    expect(.flags = ACK, .seq = 0, .ack = 1);
}

/* TCP_USER_TIMEOUT takes the place of the number of probes (tcp(7)). */
static void user_timeout(void **state)
{
    (void)state;
    keepalive_on();
    establish();
    user_sets(user_timeout_ms, 17000);
    for (unsigned i = 0; i < 4; i++) {
        at(10100 + 2000 * i);
        expect(.flags = ACK, .seq = 0, .ack = 1);
    }
    at(18100);
    expect(.flags = RST | ACK, .seq = 1, .ack = 1);
    expect_closed(ERR_TIMEDOUT);
}

/* The probe is thrown away by the peer: it takes no ACK along that is owed, and tells no more
 * window than was told. */
static void probe_settles_nothing(void **state)
{
    (void)state;
    the.config.ack_delay_ns = 400 * NS_PER_MS;
    the.config.keepalive = (struct keepalive_settings){300, 300, 9, true};
    establish();
    receive(.flags = ACK, .seq = 1, .ack = 1, .text = 600);
    user_receives(600);
    at(400);
    expect(.flags = ACK, .seq = 0, .ack = 601, .wnd = 9400);
    at(500);
    expect(.flags = ACK, .seq = 1, .ack = 601, .wnd = 9400);
    receive(.flags = ACK, .seq = 601, .ack = 1);
}

/* The peer's keep-alives, with and without its octet of garbage (MAY-6), are answered: all of the
 * latter, ten in five seconds of the former (RFC 5961 7). */
static void answers_the_peers(void **state)
{
    (void)state;
    establish();
    for (unsigned i = 0; i < 30; i++) {
        receive(.flags = ACK, .seq = 0, .ack = 1);
        if (i < 10)
            expect(.flags = ACK, .seq = 1, .ack = 1);
    }
    receive(.flags = ACK, .seq = 0, .ack = 1, .text = 1);
    expect(.flags = ACK, .seq = 1, .ack = 1);
    at(5100);
    receive(.flags = ACK, .seq = 0, .ack = 1);
    expect(.flags = ACK, .seq = 1, .ack = 1);
}

/* A caller that comes very late sends one probe, not all of them. */
static void too_late(void **state)
{
    (void)state;
    keepalive_on();
    establish();
    the.now_ns += 3600 * NS_PER_S;
    tcp_timeout(&the.tcb, the.now_ns);
    expect(.flags = ACK, .seq = 0, .ack = 1);
    expect_silence();
    expect_state(STATE_ESTABLISHED);
    receive(.flags = ACK, .seq = 1, .ack = 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ladder_test(off_by_default),
        ladder_test(default_intervals),
        ladder_test(answered_in_the_end),
        ladder_test(heard_of_the_peer),
        ladder_test(strangers_do_not_count),
        ladder_test(none_while_outstanding),
        ladder_test(half_closed),
        ladder_test(none_while_fin_waits),
        ladder_test(other_states),
        ladder_test(switched),
        ladder_test(user_timeout),
        ladder_test(probe_settles_nothing),
        ladder_test(answers_the_peers),
        ladder_test(too_late),
    };
    return ladder_main(tests);
}
