/* RFC 9293 3.10.8: the three timeouts, in each state. */
#include "hosts.h"

/* Until nothing more happens before `ms` after the test began, sending what there is to send;
 * returns how many segments. */
static unsigned runs_until(uint64_t ms)
{
    unsigned n = all_leaves();
    nothing_leaves();
    while (stack_deadline(host.stack) < host.start_ns + ms * NS_PER_MS) {
        host_go(HERE, stack_deadline(host.stack));
        n += all_leaves();
        nothing_leaves();
    }
    host_at(ms);
    return n;
}

/* USER TIMEOUT: in every state in which something is unacknowledged: all queues are flushed, the
 * user is told, CLOSED. */
static void user_timeout(void **state)
{
    (void)state;
    static const enum tcp_state states[] = {STATE_SYN_SENT,   STATE_SYN_RECEIVED, STATE_ESTABLISHED,
                                            STATE_FIN_WAIT_1, STATE_CLOSE_WAIT,   STATE_CLOSING,
                                            STATE_LAST_ACK};
    for (unsigned i = 0; i < sizeof states / sizeof *states; i++) {
        enum tcp_state s = states[i];
        host_start();
        host.now_ns = host.start_ns;
        struct peer a = peer(s, 0);
        struct sock *so = host_reach(&a, s);
        if (s == STATE_ESTABLISHED || s == STATE_CLOSE_WAIT)
            host_sends(so, 0, 3000);
        uint64_t r2_ms = s <= STATE_SYN_RECEIVED ? 180000 : 300000;
        assert_true(runs_until(r2_ms - 1) > 3);
        assert_int_equal(stack_state(so), s);
        host_take_events();
        host_at(r2_ms);
        assert_int_equal(stack_state(so), STATE_CLOSED);
        expect_event(so, SOCK_EV_CLOSED);
        assert_int_equal(stack_error(so), ERR_TIMEDOUT);
        assert_int_equal(host_status(so).unsent_or_unacked, 0);
        nothing_leaves();
    }
}

/* Where nothing is, it does not run: FIN-WAIT-2 lasts as long as its user wants. */
static void no_user_timeout(void **state)
{
    (void)state;
    static const enum tcp_state states[] = {STATE_ESTABLISHED, STATE_FIN_WAIT_2, STATE_CLOSE_WAIT};
    for (unsigned i = 0; i < 3; i++) {
        struct peer a = peer(i, 0);
        struct sock *so = host_reach(&a, states[i]);
        host_later(86400 * 1000);
        nothing_leaves();
        assert_int_equal(stack_state(so), states[i]);
    }
}

/* FIN-WAIT-2 whose user has gone ends after a minute: nobody is left to wait for the peer. */
static void fin_wait_2_without_a_user(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    host_close(host_reach(&a, STATE_FIN_WAIT_2));
    host_at(59999);
    assert_int_equal(stack_sock_count(host.stack), 1);
    host_at(60000);
    assert_int_equal(stack_sock_count(host.stack), 0);
    nothing_leaves();
}

/* RETRANSMISSION TIMEOUT: in every state the front of the queue is sent again, and the timer begins
 * again. */
static void retransmission_timeout(void **state)
{
    (void)state;
    static const struct {
        enum tcp_state state;
        struct line front;
    } cases[] = {
        {STATE_SYN_SENT, {.flags = SYN}},
        {STATE_SYN_RECEIVED, {.flags = SYN | ACK, .ack = 1}},
        {STATE_ESTABLISHED, {.flags = ACK, .seq = 1, .ack = 1, .text = 1000}},
        {STATE_FIN_WAIT_1, {.flags = FIN | ACK, .seq = 1, .ack = 1}},
        {STATE_CLOSE_WAIT, {.flags = ACK, .seq = 1, .ack = 2, .text = 1000}},
        {STATE_CLOSING, {.flags = FIN | ACK, .seq = 1, .ack = 2}},
        {STATE_LAST_ACK, {.flags = FIN | ACK, .seq = 1, .ack = 2}},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum tcp_state s = cases[i].state;
        struct peer a = peer(s, 0);
        struct sock *so = host_reach(&a, s);
        if (s == STATE_ESTABLISHED || s == STATE_CLOSE_WAIT) {
            host_sends(so, 0, 3000);
            assert_int_equal(all_leaves(), 3);
        }
        uint32_t rto = s <= STATE_SYN_RECEIVED ? 1000 : 200;
        for (unsigned n = 0; n < 2; n++, rto *= 2) { /* the third is R1: RFC 4821 7.7 */
            host_later(rto - 1);
            nothing_leaves();
            host_later(1);
            host_leaves(HERE, &a, cases[i].front);
            nothing_leaves();
        }
        assert_int_equal(stack_state(so), s);
        host_abort(so);
        (void)all_leaves();
    }
}

/* TIME-WAIT TIMEOUT: CLOSED, without a word to anybody, and whether the user has gone or not. */
static void time_wait_timeout(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), b = peer(2, 0);
    struct sock *so = host_reach(&a, STATE_TIME_WAIT);
    host_close(host_reach(&b, STATE_TIME_WAIT));
    host_at(59999);
    assert_int_equal(stack_sock_count(host.stack), 2);
    host_at(60000);
    nothing_leaves();
    assert_int_equal(stack_sock_count(host.stack), 1);
    assert_int_equal(stack_state(so), STATE_CLOSED);
    assert_int_equal(stack_error(so), ERR_NONE);
}

/* Each at its own time: also of those whose 2 MSL began anew (3.10.7.4, eighth step), or whose user
 * left when others were in TIME-WAIT for a shorter time than they. */
static void time_wait_timeout_of_many(void **state)
{
    (void)state;
    struct peer p[6];
    struct sock *so[6];
    for (uint32_t i = 0; i < 6; i++) {
        host_at(i * 1000);
        p[i] = peer((uint16_t)(i + 1), 0);
        so[i] = host_reach(&p[i], STATE_TIME_WAIT);
        if (i != 1 && i != 3)
            host_close(so[i]);
    }
    host_at(10000);
    host_close(so[3]);
    host_close(so[1]);
    arrives(&p[2], .flags = FIN | ACK, .seq = 1, .ack = 2);
    assert_true(all_leaves() > 0);
    const uint32_t end_s[] = {60, 61, 63, 64, 65, 70};
    for (uint32_t i = 0; i < 6; i++) {
        host_at(end_s[i] * 1000 - 1);
        assert_int_equal(stack_sock_count(host.stack), 6 - i);
        host_at(end_s[i] * 1000);
        assert_int_equal(stack_sock_count(host.stack), 5 - i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(user_timeout),
        host_test(no_user_timeout),
        host_test(fin_wait_2_without_a_user),
        host_test(retransmission_timeout),
        host_test(time_wait_timeout),
        host_test(time_wait_timeout_of_many),
    };
    return host_main(tests);
}
