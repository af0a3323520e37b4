/* unreach.c: ICMP errors other than "packet too big" (RFC 9293 3.9.2.2, RFC 5927 5.2). */
#include "segments.h"
#include "timeout.h"
#include "unreach.h"

static void hears(int err, bool hard)
{
    expect_silence();
    tcp_unreachable(&the.tcb, err, hard, the.now_ns);
    assert_null(tcb_check_deep(&the.tcb));
}

static void until_it_times_out(void)
{
    while (the.tcb.state != STATE_CLOSED) {
        ladder_at(HERE, tcp_deadline(&the.tcb) - the.start_ns);
        ignore();
    }
}

/* SHLD-26, in SYN-SENT: connect() fails at once. */
static void hard_while_connecting(void **state)
{
    (void)state;
    open_active();
    expect(.flags = SYN, .seq = 0);
    hears(ERR_REFUSED, true);
    expect_closed(ERR_REFUSED);
    expect_events(TCB_EV_CLOSED);
    expect_silence();
}

/* In SYN-RECEIVED likewise: the half-open connection is gone without a RST. */
static void hard_while_being_connected_to(void **state)
{
    (void)state;
    reach(STATE_SYN_RECEIVED);
    ignore();
    hears(ERR_REFUSED, true);
    expect_closed(ERR_REFUSED);
    expect_silence();
}

/* MUST-56: no soft error ends a connection, in any state. RFC 5927 5.2: nor does a hard one when it
 * is synchronized. It is told (SHLD-25). */
static void does_not_end_it(void **state)
{
    (void)state;
    for (enum tcp_state s = STATE_SYN_SENT; s <= STATE_LAST_ACK; s++) {
        for (unsigned hard = 0; hard < (s >= STATE_ESTABLISHED ? 2 : 1); hard++) {
            reach(s);
            ignore();
            the.tcb.events = 0;
            hears(ERR_HOSTUNREACH, hard);
            expect_state(s);
            expect_events(TCB_EV_TROUBLE);
            struct tcp_status status;
            tcb_status(&the.tcb, &status);
            assert_int_equal(status.soft_error, ERR_HOSTUNREACH);
            again();
        }
    }
}

/* The reason given for the timeout, while connecting and later; Linux calls it sk_err_soft. */
static void why_it_timed_out(void **state)
{
    (void)state;
    open_active();
    expect(.flags = SYN, .seq = 0);
    hears(ERR_NETUNREACH, false);
    hears(ERR_HOSTUNREACH, false); /* the last one counts */
    until_it_times_out();
    expect_closed(ERR_HOSTUNREACH);

    again();
    establish();
    user_sends(100);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 100);
    hears(ERR_REFUSED, true);
    until_it_times_out();
    expect_closed(ERR_REFUSED);
}

/* Progress makes it a thing of the past. */
static void forgotten_by_progress(void **state)
{
    (void)state;
    open_active();
    expect(.flags = SYN, .seq = 0);
    hears(ERR_NETUNREACH, false);
    at(100);
    receive(.flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
    expect(.flags = ACK, .seq = 1, .ack = 1);
    assert_int_equal(the.tcb.soft_error, ERR_NONE);
    user_sends(100);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 100);
    hears(ERR_HOSTUNREACH, false);
    receive(.flags = ACK, .seq = 1, .ack = 101);
    user_sends(100);
    ignore();
    until_it_times_out();
    expect_closed(ERR_TIMEDOUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ladder_test(hard_while_connecting), ladder_test(hard_while_being_connected_to),
        ladder_test(does_not_end_it),       ladder_test(why_it_timed_out),
        ladder_test(forgotten_by_progress),
    };
    return ladder_main(tests);
}
