/* user.c: OPEN, SEND, RECEIVE, CLOSE and ABORT in each state (RFC 9293 3.10.1-5), and the user who
 * leaves (3.6.1). */
#include "no_memory.h"
#include "segments.h"
#include "timeout.h"
#include "user.h"

/* ---- 3.10.1 OPEN ---- */

static void open_active_sends_syn(void **state)
{
    (void)state;
    open_active();
    expect_state(STATE_SYN_SENT);
    expect(.flags = SYN, .seq = 0, .mss = 1000, .wnd = 10000);
    assert_int_equal(the.tcb.snd.una.v, the.iss);
    assert_int_equal(the.tcb.snd.nxt.v, the.iss + 1);
}

static void open_passive_sends_nothing(void **state)
{
    (void)state;
    open_passive();
    expect_state(STATE_LISTEN);
    at(1000000);
    expect_state(STATE_LISTEN);
}

/* ---- 3.10.2 SEND ---- */

static void send_in_each_state(void **state)
{
    (void)state;
    const int64_t answer[] = {
        [STATE_CLOSED] = ERR_NOT_CONNECTED,
        [STATE_LISTEN] = ERR_NOT_CONNECTED,
        [STATE_SYN_SENT] = 10,
        [STATE_SYN_RECEIVED] = 10,
        [STATE_ESTABLISHED] = 10,
        [STATE_FIN_WAIT_1] = ERR_PIPE,
        [STATE_FIN_WAIT_2] = ERR_PIPE,
        [STATE_CLOSE_WAIT] = 10,
        [STATE_CLOSING] = ERR_PIPE,
        [STATE_LAST_ACK] = ERR_PIPE,
        [STATE_TIME_WAIT] = ERR_PIPE,
    };
    for (enum tcp_state s = STATE_CLOSED; s <= STATE_TIME_WAIT; s++) {
        reach(s);
        assert_true(tcp_can_send(&the.tcb));
        assert_int_equal(user_send(10), answer[s]);
        if (s == STATE_ESTABLISHED || s == STATE_CLOSE_WAIT)
            expect(.flags = PSH | ACK, .seq = 1, .ack = theirs(), .text = 10);
        again();
    }
}

/* "Queue the data for transmission after entering ESTABLISHED state." */
static void send_before_established(void **state)
{
    (void)state;
    reach(STATE_SYN_RECEIVED);
    user_sends(10);
    user_sends(20);
    receive(.flags = ACK, .seq = 1, .ack = 1);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 30);
}

/* "If there is insufficient space to remember this buffer": what fits is taken. */
static void send_fills_the_queue(void **state)
{
    (void)state;
    the.config.sndbuf = 1500;
    establish(.wnd = ZERO);
    user_sends(999);
    assert_true(tcp_can_send(&the.tcb));
    assert_int_equal(user_send(1000), 501);
    assert_false(tcp_can_send(&the.tcb));
    assert_int_equal(user_send(1), ERR_AGAIN);
    assert_int_equal(user_send(0), 0);
    receive(.flags = ACK, .seq = 1, .ack = 1, .wnd = 499);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 499);
    receive(.flags = ACK, .seq = 1, .ack = 500, .wnd = 1000);
    expect_events(0); /* not worth waking anybody up: less than a third is free */
    assert_false(tcp_can_send(&the.tcb));
    expect(.flags = ACK, .seq = 500, .ack = 1, .text = 1000);
    receive(.flags = ACK, .seq = 1, .ack = 502, .wnd = ZERO);
    expect_events(TCB_EV_ACKED);
    assert_true(tcp_can_send(&the.tcb));
    assert_int_equal(user_send(5000), 501);
    receive(.flags = ACK, .seq = 1, .ack = 1500, .wnd = ZERO);
    expect_events(TCB_EV_ACKED);
    assert_int_equal(user_send(5000), 998);
}

static void send_without_memory(void **state)
{
    (void)state;
    establish();
    test_mem_fail_at(&the.mem, 1);
    assert_int_equal(user_send(100), ERR_NOMEM);
    test_mem_fail_at(&the.mem, 0);
    user_sends(100);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 100);
}

/* A block of 20 octets, of which 10 are our stream's next. */
static int64_t user_send_block(void)
{
    uint8_t *block = mem_alloc(&the.mem.mem, 20);
    no_memory_told(!block);
    assert_non_null(block);
    for (unsigned i = 0; i < 10; i++)
        block[i] = stream_octet(false, the.written + i);
    int64_t n = tcp_send_block(&the.tcb, block, 20, 10);
    if (n > 0)
        the.written += 10;
    else
        mem_free(&the.mem.mem, block, 20);
    return n;
}

/* Of text that is in its place all is taken, room or not. */
static void send_block(void **state)
{
    (void)state;
    the.config.sndbuf = the.config.sndbuf_max = 1500;
    establish(.wnd = ZERO);
    assert_int_equal(tcp_send_room(&the.tcb), 1500);
    user_sends(1499);
    assert_int_equal(tcp_send_room(&the.tcb), 1);
    assert_int_equal(user_send_block(), 10);
    assert_int_equal(tcp_send_room(&the.tcb), ERR_AGAIN);
    assert_int_equal(user_send_block(), 10);
    receive(.flags = ACK, .seq = 1, .ack = 1, .wnd = 5000);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    expect(.flags = PSH | ACK, .seq = 1001, .ack = 1, .text = 519);
    receive(.flags = ACK, .seq = 1, .ack = 1520);
    assert_int_equal(tcp_send_room(&the.tcb), 1500);
    user_close();
    expect(.flags = FIN | ACK, .seq = 1520, .ack = 1);
    assert_int_equal(tcp_send_room(&the.tcb), ERR_PIPE);
    assert_int_equal(user_send_block(), ERR_PIPE);
}

static void send_block_without_memory(void **state)
{
    (void)state;
    establish();
    uint8_t *block = mem_zalloc(&the.mem.mem, 20);
    no_memory_told(!block);
    assert_non_null(block);
    test_mem_fail_at(&the.mem, 1);
    assert_int_equal(tcp_send_block(&the.tcb, block, 20, 10), ERR_NOMEM);
    test_mem_fail_at(&the.mem, 0);
    mem_free(&the.mem.mem, block, 20);
}

/* ---- 3.10.4 CLOSE ---- */

static void close_in_each_state(void **state)
{
    (void)state;
    const struct {
        int answer;
        enum tcp_state then;
    } cases[] = {
        [STATE_CLOSED] = {ERR_NOT_CONNECTED, STATE_CLOSED},
        [STATE_LISTEN] = {ERR_NONE, STATE_CLOSED},
        [STATE_SYN_SENT] = {ERR_NONE, STATE_CLOSED},
        [STATE_SYN_RECEIVED] = {ERR_NONE, STATE_SYN_RECEIVED}, /* queued */
        [STATE_ESTABLISHED] = {ERR_NONE, STATE_FIN_WAIT_1},
        [STATE_FIN_WAIT_1] = {ERR_PIPE, STATE_FIN_WAIT_1},
        [STATE_FIN_WAIT_2] = {ERR_PIPE, STATE_FIN_WAIT_2},
        [STATE_CLOSE_WAIT] = {ERR_NONE, STATE_LAST_ACK},
        [STATE_CLOSING] = {ERR_PIPE, STATE_CLOSING},
        [STATE_LAST_ACK] = {ERR_PIPE, STATE_LAST_ACK},
        [STATE_TIME_WAIT] = {ERR_PIPE, STATE_TIME_WAIT},
    };
    for (enum tcp_state s = STATE_CLOSED; s <= STATE_TIME_WAIT; s++) {
        reach(s);
        assert_int_equal(user_close(), cases[s].answer);
        if (s == STATE_ESTABLISHED || s == STATE_CLOSE_WAIT)
            expect(.flags = FIN | ACK, .seq = 1, .ack = theirs()); /* a second one: never */
        expect_silence();
        expect_state(cases[s].then);
        assert_int_equal(user_close() == ERR_NONE, 0);
        again();
    }
}

/* "Queue this until all preceding SENDs have been segmentized"; the FIN goes with the last. */
static void close_behind_text(void **state)
{
    (void)state;
    establish(.wnd = 1000);
    user_sends(1000);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1000);
    user_sends(1300);
    user_close();
    expect_state(STATE_FIN_WAIT_1);
    receive(.flags = ACK, .seq = 1, .ack = 1001);
    expect(.flags = ACK, .seq = 1001, .ack = 1, .text = 1000);
    receive(.flags = ACK, .seq = 1, .ack = 2001);
    expect(.flags = FIN | PSH | ACK, .seq = 2001, .ack = 1, .text = 300);
    receive(.flags = ACK, .seq = 1, .ack = 2302);
    expect_state(STATE_FIN_WAIT_2);
}

/* In CLOSE-WAIT: "then send a FIN segment, enter LAST-ACK state". */
static void close_behind_text_in_close_wait(void **state)
{
    (void)state;
    establish(.wnd = 1000);
    receive(.flags = FIN | ACK, .seq = 1, .ack = 1);
    expect(.flags = ACK, .seq = 1, .ack = 2);
    user_sends(1500);
    expect(.flags = ACK, .seq = 1, .ack = 2, .text = 1000);
    user_close();
    expect_silence();
    expect_state(STATE_CLOSE_WAIT);
    assert_int_equal(user_send(1), ERR_PIPE);
    receive(.flags = ACK, .seq = 2, .ack = 1001);
    expect(.flags = FIN | PSH | ACK, .seq = 1001, .ack = 2, .text = 500);
    expect_state(STATE_LAST_ACK);
    receive(.flags = ACK, .seq = 2, .ack = 1502);
    expect_closed(ERR_NONE);
}

/* In SYN-RECEIVED with text queued: "queue for processing after entering ESTABLISHED state". */
static void close_in_syn_received_behind_text(void **state)
{
    (void)state;
    reach(STATE_SYN_RECEIVED);
    user_sends(100);
    user_close();
    receive(.flags = ACK, .seq = 1, .ack = 1);
    expect(.flags = FIN | PSH | ACK, .seq = 1, .ack = 1, .text = 100);
    expect_state(STATE_FIN_WAIT_1);
}

/* 3.6, case 1 and 3.6.1: a half-closed connection goes on in the other direction. */
static void half_closed_receives(void **state)
{
    (void)state;
    reach(STATE_FIN_WAIT_2);
    for (uint32_t i = 0; i < 50; i++) {
        receive(.flags = ACK, .seq = 1 + 1000 * i, .ack = 2, .text = 500);
        batch();
        receive(.flags = ACK, .seq = 501 + 1000 * i, .ack = 2, .text = 500);
        batch();
        user_receives(1000);
        expect(.flags = ACK, .seq = 2, .ack = 1001 + 1000 * i);
    }
    expect_state(STATE_FIN_WAIT_2);
}

static void half_closed_sends(void **state)
{
    (void)state;
    reach(STATE_CLOSE_WAIT);
    for (uint32_t i = 0; i < 50; i++) {
        user_sends(1000);
        expect(.flags = PSH | ACK, .seq = 1 + 1000 * i, .ack = 2, .text = 1000);
        later(10);
        receive(.flags = ACK, .seq = 2, .ack = 1001 + 1000 * i);
    }
    user_close();
    expect(.flags = FIN | ACK, .seq = 50001, .ack = 2);
}

/* ---- 3.10.5 ABORT ---- */

static void abort_in_each_state(void **state)
{
    (void)state;
    for (enum tcp_state s = STATE_CLOSED; s <= STATE_TIME_WAIT; s++) {
        reach(s);
        uint32_t nxt = ours(), ack = theirs();
        user_abort();
        if (s >= STATE_SYN_RECEIVED && s <= STATE_CLOSE_WAIT)
            expect(.flags = RST | ACK, .seq = nxt, .ack = ack);
        expect_closed(s == STATE_CLOSED ? ERR_NONE : ERR_ABORTED);
        assert_true(tcp_deadline(&the.tcb) == TIME_NEVER);
        again();
    }
}

/* "All segments queued for transmission [...] or retransmission should be flushed." */
static void abort_flushes(void **state)
{
    (void)state;
    establish(.wnd = 1500);
    user_sends(3000);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    user_abort();
    expect(.flags = RST | ACK, .seq = 1001, .ack = 1); /* SND.NXT, not what was queued */
    expect_rest();
    receive(.flags = ACK, .seq = 1, .ack = 1001);
    expect(.flags = RST, .seq = 1001);
}

/* ---- 3.6.1, SHLD-3: the user leaves ---- */

static void leave_closes_in_order(void **state)
{
    (void)state;
    establish();
    user_sends(100);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 100);
    user_leave();
    expect(.flags = FIN | ACK, .seq = 101, .ack = 1);
    expect_state(STATE_FIN_WAIT_1);
    receive(.flags = FIN | ACK, .seq = 1, .ack = 102);
    expect(.flags = ACK, .seq = 102, .ack = 2);
    expect_state(STATE_TIME_WAIT);
}

static void leave_with_unread_text(void **state)
{
    (void)state;
    for (enum tcp_state s = STATE_ESTABLISHED; s <= STATE_CLOSE_WAIT; s++) {
        if (s != STATE_CLOSE_WAIT) {
            reach(s);
            receive(.flags = ACK, .seq = 1, .ack = ours(), .text = 1);
        } else {
            establish();
            receive(.flags = FIN | ACK, .seq = 1, .ack = 1, .text = 1);
            expect(.flags = ACK, .seq = 1, .ack = 3);
        }
        uint32_t nxt = ours(), ack = theirs();
        user_leave();
        expect(.flags = RST | ACK, .seq = nxt, .ack = ack);
        expect_closed(ERR_ABORTED);
        again();
    }
}

/* The RST has the number that the peer expects: SEG.ACK (3.10.7.1), whether our FIN has come or
 * not.
 */
static void text_after_leaving(void **state)
{
    (void)state;
    reach(STATE_ESTABLISHED);
    user_leave();
    expect(.flags = FIN | ACK, .seq = 1, .ack = 1);
    receive(.flags = ACK, .seq = 1, .ack = 1, .text = 1);
    expect(.flags = RST, .seq = 1);
    expect_closed(ERR_ABORTED);
    again();
    reach(STATE_FIN_WAIT_2);
    user_leave();
    receive(.flags = FIN | ACK, .seq = 1, .ack = 2, .text = 1);
    expect(.flags = RST, .seq = 2);
    expect_closed(ERR_ABORTED);
}

/* Text that had arrived and was read is no loss when it comes again. */
static void old_text_after_leaving(void **state)
{
    (void)state;
    establish();
    receive(.flags = ACK, .seq = 1, .ack = 1, .text = 10);
    user_receives(10);
    user_leave();
    expect(.flags = FIN | ACK, .seq = 1, .ack = 11);
    receive(.flags = ACK, .seq = 1, .ack = 1, .text = 10);
    expect(.flags = ACK, .seq = 2, .ack = 11);
    expect_state(STATE_FIN_WAIT_1);
}

static void leave_in_other_states(void **state)
{
    (void)state;
    const enum tcp_state closed[] = {STATE_CLOSED, STATE_LISTEN, STATE_SYN_SENT};
    for (size_t i = 0; i < sizeof closed / sizeof *closed; i++) {
        reach(closed[i]);
        user_leave();
        expect_closed(ERR_NONE);
        again();
    }
    const enum tcp_state stay[] = {STATE_SYN_RECEIVED, STATE_FIN_WAIT_1, STATE_CLOSING,
                                   STATE_LAST_ACK, STATE_TIME_WAIT};
    for (size_t i = 0; i < sizeof stay / sizeof *stay; i++) {
        reach(stay[i]);
        user_leave();
        expect_silence();
        expect_state(stay[i]);
        again();
    }
    reach(STATE_FIN_WAIT_2);
    user_leave();
    at(100 + 60000);
    expect_closed(ERR_NONE);
}

/* Unread text in CLOSING and LAST-ACK: ABORT would send nothing there (3.10.5), SHLD-3 wants a
 * RST, or the peer would never learn that its text, or ours, was lost. */
static void leave_with_unread_text_after_both_fins(void **state)
{
    (void)state;
    establish();
    receive(.flags = FIN | ACK, .seq = 1, .ack = 1, .text = 5);
    expect(.flags = ACK, .seq = 1, .ack = 7);
    user_close();
    expect(.flags = FIN | ACK, .seq = 1, .ack = 7);
    expect_state(STATE_LAST_ACK);
    user_leave();
    expect(.flags = RST | ACK, .seq = 2, .ack = 7);
    again();
    reach(STATE_FIN_WAIT_1);
    receive(.flags = FIN | ACK, .seq = 1, .ack = 1, .text = 5);
    expect(.flags = FIN | ACK, .seq = 1, .ack = 7);
    expect_state(STATE_CLOSING);
    user_leave();
    expect(.flags = RST | ACK, .seq = 2, .ack = 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ladder_test(open_active_sends_syn),
        ladder_test(open_passive_sends_nothing),
        ladder_test(send_in_each_state),
        ladder_test(send_before_established),
        ladder_test(send_fills_the_queue),
        ladder_test(send_without_memory),
        ladder_test(send_block),
        ladder_test(send_block_without_memory),
        ladder_test(close_in_each_state),
        ladder_test(close_behind_text),
        ladder_test(close_behind_text_in_close_wait),
        ladder_test(close_in_syn_received_behind_text),
        ladder_test(half_closed_receives),
        ladder_test(half_closed_sends),
        ladder_test(abort_in_each_state),
        ladder_test(abort_flushes),
        ladder_test(leave_closes_in_order),
        ladder_test(leave_with_unread_text),
        ladder_test(text_after_leaving),
        ladder_test(old_text_after_leaving),
        ladder_test(leave_in_other_states),
        ladder_test(leave_with_unread_text_after_both_fins),
    };
    return ladder_main(tests);
}
