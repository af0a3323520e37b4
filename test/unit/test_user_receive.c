/* user.c: RECEIVE (RFC 9293 3.10.3). */
#include "segments.h"
#include "user.h"

static void receive_in_each_state(void **state)
{
    (void)state;
    const int64_t answer[] = {
        [STATE_CLOSED] = 0,
        [STATE_LISTEN] = ERR_NOT_CONNECTED,
        [STATE_SYN_SENT] = ERR_AGAIN,
        [STATE_SYN_RECEIVED] = ERR_AGAIN,
        [STATE_ESTABLISHED] = ERR_AGAIN,
        [STATE_FIN_WAIT_1] = ERR_AGAIN,
        [STATE_FIN_WAIT_2] = ERR_AGAIN,
        [STATE_CLOSE_WAIT] = 0, /* "connection closing" is the end of the stream */
        [STATE_CLOSING] = 0,
        [STATE_LAST_ACK] = 0,
        [STATE_TIME_WAIT] = 0,
    };
    for (enum tcp_state s = STATE_CLOSED; s <= STATE_TIME_WAIT; s++) {
        reach(s);
        assert_int_equal(user_receive(10), answer[s]);
        if (s != STATE_LISTEN)
            assert_int_equal(tcp_can_receive(&the.tcb), answer[s] != ERR_AGAIN);
        again();
    }
}

static void receive_text(void **state)
{
    (void)state;
    establish();
    receive(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 100);
    assert_true(tcp_can_receive(&the.tcb));
    uint8_t peeked[30];
    assert_int_equal(tcp_receive(&the.tcb, peeked, sizeof peeked, true, the.now_ns), 30);
    for (unsigned i = 0; i < sizeof peeked; i++)
        assert_int_equal(peeked[i], stream_octet(true, i));
    user_receives(60); /* from the start: they were only looked at */
    assert_int_equal(user_receive(100), 40);
    assert_int_equal(user_receive(100), ERR_AGAIN);
    later(40);
    expect(.flags = ACK, .seq = 1, .ack = 101, .wnd = 9900); /* MUST-39: too little to move it */
}

/* "If insufficient incoming segments are queued to satisfy the request, queue the request." What
 * comes in order goes to its buffer, and the rest to the queue. */
static void receive_that_waits(void **state)
{
    (void)state;
    uint8_t buf[250], rest[100];
    struct receive r = {.buf = buf, .len = sizeof buf}, other = r;
    establish();
    assert_true(tcp_receive_begin(&the.tcb, &r));
    assert_false(tcp_receive_begin(&the.tcb, &other));
    receive(.flags = ACK, .seq = 101, .ack = 1, .text = 100);
    expect(.flags = ACK, .seq = 1, .ack = 1);
    assert_int_equal(r.done, 0);
    receive(.flags = ACK, .seq = 1, .ack = 1, .text = 100); /* up to what has arrived before */
    expect(.flags = ACK, .seq = 1, .ack = 201);
    assert_int_equal(r.done, 100);
    assert_int_equal(tcp_receivable(&the.tcb), 100);
    assert_int_equal(tcp_receive(&the.tcb, rest, 100, false, the.now_ns), 100);
    receive(.flags = ACK, .seq = 201, .ack = 1, .text = 200);
    ignore();
    assert_int_equal(r.done, 250);
    assert_int_equal(tcp_receivable(&the.tcb), 50);
    tcp_receive_end(&the.tcb, &other, the.now_ns); /* not the one that waits */
    assert_false(tcp_receive_begin(&the.tcb, &other));
    tcp_receive_end(&the.tcb, &r, the.now_ns);
    assert_int_equal(tcp_receive(&the.tcb, rest, 50, false, the.now_ns), 50);
    receive(.flags = ACK, .seq = 401, .ack = 1, .text = 10);
    assert_int_equal(r.done, 250);
    assert_int_equal(tcp_receive(&the.tcb, rest, 10, false, the.now_ns), 10);
    ignore();
}

/* It ends at the mark, and with the last CLOSE. */
static void receive_that_waits_ends(void **state)
{
    (void)state;
    uint8_t buf[100];
    struct receive r = {.buf = buf, .len = sizeof buf};
    establish();
    assert_true(tcp_receive_begin(&the.tcb, &r));
    receive(.flags = URG | ACK, .seq = 1, .ack = 1, .up = 5, .text = 10);
    assert_int_equal(r.done, 0);
    assert_int_equal(tcp_receivable(&the.tcb), 4);
    tcp_leave(&the.tcb, the.now_ns);
    assert_null(the.tcb.busy->receive);
    assert_false(r.waits);
    ignore();
}

/* And with ABORT, 3.10.5: "All queued SENDs and RECEIVEs should be given 'connection reset'". */
static void receive_that_waits_is_aborted(void **state)
{
    (void)state;
    uint8_t buf[100];
    struct receive r = {.buf = buf, .len = sizeof buf};
    establish();
    assert_true(tcp_receive_begin(&the.tcb, &r));
    assert_true(r.waits);
    tcp_abort(&the.tcb, the.now_ns);
    assert_false(r.waits);
    expect(.flags = RST | ACK, .seq = 1, .ack = 1);
}

/* "RECEIVEs must be satisfied by data already on hand", then the end: MUST-12's orderly way. */
static void receive_after_fin(void **state)
{
    (void)state;
    establish();
    receive(.flags = FIN | ACK, .seq = 1, .ack = 1, .text = 100);
    expect(.flags = ACK, .seq = 1, .ack = 102);
    user_receives(100);
    assert_int_equal(user_receive(1), 0);
    assert_int_equal(the.tcb.error, ERR_NONE);
}

/* And the other: the error says so (MUST-12). */
static void receive_after_rst(void **state)
{
    (void)state;
    establish();
    receive(.flags = ACK, .seq = 1, .ack = 1, .text = 100);
    receive(.flags = RST, .seq = 101);
    user_receives(100);
    assert_int_equal(user_receive(1), 0);
    expect_closed(ERR_RESET);
}

/* The user may stop receiving while the connection goes on: what is unread and what arrives is
 * thrown away and acknowledged, and the window stays open. */
static void stop_receiving(void **state)
{
    (void)state;
    establish();
    receive(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    tcp_stop_receiving(&the.tcb, the.now_ns);
    assert_int_equal(the.mem.mem.used, sizeof(struct busy)); /* no text */
    assert_int_equal(user_receive(10), 0);
    receive(.flags = ACK, .seq = 1001, .ack = 1, .text = 1000);
    expect(.flags = ACK, .seq = 1, .ack = 2001, .wnd = 10000);
    receive(.flags = ACK, .seq = 3001, .ack = 1, .text = 1000);
    expect(.flags = ACK, .seq = 1, .ack = 2001);
    receive(.flags = FIN | ACK, .seq = 2001, .ack = 1, .text = 1000);
    expect(.flags = ACK, .seq = 1, .ack = 4001);
    receive(.flags = FIN | ACK, .seq = 4001, .ack = 1);
    expect(.flags = ACK, .seq = 1, .ack = 4002);
    expect_state(STATE_CLOSE_WAIT);
    expect_rest();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ladder_test(receive_in_each_state),
        ladder_test(receive_text),
        ladder_test(receive_that_waits),
        ladder_test(receive_that_waits_ends),
        ladder_test(receive_that_waits_is_aborted),
        ladder_test(receive_after_fin),
        ladder_test(receive_after_rst),
        ladder_test(stop_receiving),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
