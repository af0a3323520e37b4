/* RFC 9293 3.10.7.4: SEGMENT ARRIVES in all other states: steps one to five. Steps six to eight are
 * in test_3_10_7_4_text.c, all of it by state and event in test_state_event.c. */
#include "hosts.h"

#define EACH_STATE(s)                                                                              \
    enum tcp_state s = STATE_SYN_RECEIVED;                                                         \
    s <= STATE_TIME_WAIT;                                                                          \
    s++

/* SND.NXT and RCV.NXT in a state reached by host_reach(). */
static uint32_t us(enum tcp_state s)
{
    return s == STATE_SYN_RECEIVED || s == STATE_ESTABLISHED || s == STATE_CLOSE_WAIT ? 1 : 2;
}

static uint32_t them(enum tcp_state s)
{
    return s == STATE_CLOSE_WAIT || s >= STATE_CLOSING ? 2 : 1;
}

static void goes_on(struct sock *so, enum tcp_state s)
{
    nothing_leaves();
    assert_int_equal(stack_state(so), s);
    expect_no_event();
}

/* ---- First: the sequence number ---- */

/* What is not acceptable is answered by <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK> and dropped, with its
 * ACK, URG, text and FIN. */
static void first_unacceptable(void **state)
{
    (void)state;
    for (EACH_STATE(s)) {
        struct peer a = peer(s, 0);
        struct sock *so = host_reach(&a, s);
        const uint32_t outside[] = {them(s) - 50, them(s) + 20000, them(s) + 0x80000000};
        for (unsigned i = 0; i < 3; i++) {
            arrives(&a, .flags = ACK | URG | FIN, .seq = outside[i], .ack = us(s), .text = 9,
                    .up = 3, .wnd = 77);
            leaves(&a, .flags = ACK, .seq = us(s), .ack = them(s));
        }
        a.wnd = 10000;
        goes_on(so, s);
        assert_int_equal(host_status(so).snd_wnd, 10000);
    }
}

/* Unless it is a RST. */
static void first_unacceptable_rst(void **state)
{
    (void)state;
    for (EACH_STATE(s)) {
        struct peer a = peer(s, 0);
        struct sock *so = host_reach(&a, s);
        arrives(&a, .flags = RST, .seq = them(s) - 1);
        arrives(&a, .flags = RST, .seq = them(s) + 20000);
        goes_on(so, s);
    }
}

/* MUST-58, MUST-59: all that is queued is processed before one ACK is sent for it. */
static void first_all_before_an_ack(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    host_reach(&a, STATE_ESTABLISHED);
    for (uint32_t i = 0; i < 8; i++) {
        arrives(&a, .flags = ACK, .seq = 1 + 1000 * i, .ack = 1, .text = 1000);
        if (i < 7)
            host_batch();
    }
    leaves(&a, .flags = ACK, .seq = 1, .ack = 8001);
    nothing_leaves();
}

/* SHLD-31: what lies beyond RCV.NXT is held, and processed in its turn, whatever the order; of what
 * straddles only the new parts count. */
static void first_held_for_later(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_reach(&a, STATE_ESTABLISHED);
    arrives(&a, .flags = FIN | ACK, .seq = 3001, .ack = 1, .text = 500);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    arrives(&a, .flags = ACK, .seq = 1001, .ack = 1, .text = 1000);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    assert_int_equal(host_recv(so, 0, 1), ERR_AGAIN);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1500);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 2001);
    arrives(&a, .flags = ACK, .seq = 1501, .ack = 1, .text = 2000);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 3502);
    assert_int_equal(stack_state(so), STATE_CLOSE_WAIT);
    host_receives(so, 0, 3500);
    assert_int_equal(host_recv(so, 3500, 1), 0);
}

/* The SYN again in SYN-RECEIVED: our SYN,ACK was lost, and goes again (lib/README.md). */
static void first_syn_again(void **state)
{
    (void)state;
    struct peer a = peer(1, 80);
    host_listen(80, 5);
    arrives(&a, .flags = SYN, .seq = 0);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    host_at(500);
    arrives(&a, .flags = SYN, .seq = 0);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
}

/* ---- Second: RST, as RFC 5961 3 has it ---- */

/* 1) outside of the window: silently dropped: first_unacceptable_rst. U-4: 2) exactly RCV.NXT:
 * reset, in the manner of the state. */
static void second_exact(void **state)
{
    (void)state;
    static const int error[] = {
        [STATE_SYN_RECEIVED] = ERR_REFUSED, [STATE_ESTABLISHED] = ERR_RESET,
        [STATE_FIN_WAIT_1] = ERR_RESET,     [STATE_FIN_WAIT_2] = ERR_RESET,
        [STATE_CLOSE_WAIT] = ERR_RESET,     [STATE_CLOSING] = ERR_RESET, /* lib/README.md */
        [STATE_LAST_ACK] = ERR_RESET,
    };
    for (enum tcp_state s = STATE_SYN_RECEIVED; s < STATE_TIME_WAIT; s++) {
        struct peer a = peer(s, 0);
        struct sock *so = host_reach(&a, s);
        arrives(&a, .flags = RST, .seq = them(s));
        nothing_leaves();
        assert_int_equal(stack_state(so), STATE_CLOSED);
        expect_event(so, SOCK_EV_CLOSED);
        assert_int_equal(stack_error(so), error[s]);
    }
}

/* SYN-RECEIVED by a passive OPEN: back to LISTEN; the user need not be informed. */
static void second_back_to_listen(void **state)
{
    (void)state;
    struct peer a = peer(1, 80);
    struct sock *l = host_listen(80, 5);
    arrives(&a, .flags = SYN, .seq = 0);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    arrives(&a, .flags = RST, .seq = 1);
    goes_on(l, STATE_LISTEN);
    host_at(5000); /* the retransmission queue is flushed */
    nothing_leaves();
}

/* U-5, U-6: 3) elsewhere in the window: a challenge ACK, and nothing else. */
static void second_challenge(void **state)
{
    (void)state;
    for (enum tcp_state s = STATE_SYN_RECEIVED; s < STATE_TIME_WAIT; s++) {
        struct peer a = peer(s, 0);
        struct sock *so = host_reach(&a, s);
        const uint32_t inside[] = {them(s) + 1, them(s) + 5000, 10000};
        for (unsigned i = 0; i < 3; i++) {
            arrives(&a, .flags = RST | PSH | ACK, .seq = inside[i], .ack = us(s), .wnd = 77);
            leaves(&a, .flags = ACK, .seq = us(s), .ack = them(s));
        }
        goes_on(so, s);
        assert_int_equal(host_status(so).snd_wnd, 10000);
    }
}

/* TIME-WAIT ignores a RST (RFC 1337; lib/README.md). */
static void second_in_time_wait(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_reach(&a, STATE_TIME_WAIT);
    arrives(&a, .flags = RST, .seq = 2);
    arrives(&a, .flags = RST, .seq = 3);
    goes_on(so, STATE_TIME_WAIT);
}

/* A reset with text unread: the user hears "reset", but reads first what had arrived
 * (lib/README.md); what was to be sent is flushed. */
static void second_flushes(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_reach(&a, STATE_ESTABLISHED);
    host_sends(so, 0, 9000);
    (void)all_leaves();
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 10);
    arrives(&a, .flags = RST, .seq = 11);
    assert_int_equal(host_status(so).unsent_or_unacked, 0);
    host_receives(so, 0, 10);
    assert_int_equal(host_recv(so, 10, 1), ERR_RESET);
    assert_int_equal(host_send(so, 0, 1), ERR_PIPE);
}

/* ---- Fourth: SYN (third, security: A.1) ---- */

/* SYN-RECEIVED by a passive OPEN: a SYN in the window returns to LISTEN. */
static void fourth_in_syn_received(void **state)
{
    (void)state;
    struct peer a = peer(1, 80);
    struct sock *l = host_listen(80, 5);
    arrives(&a, .flags = SYN, .seq = 0);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    arrives(&a, .flags = SYN, .seq = 5);
    goes_on(l, STATE_LISTEN);
    assert_int_equal(stack_sock_count(host.stack), 1);
}

/* U-7, U-8: in the synchronized states, and in SYN-RECEIVED by an active OPEN: a challenge ACK
 * whatever the number, and the segment is dropped with all that it carries. */
static void fourth_challenge(void **state)
{
    (void)state;
    for (EACH_STATE(s)) {
        struct peer a = peer(s, 0);
        struct sock *so = host_reach(&a, s);
        const uint32_t seqs[] = {them(s), them(s) + 5, them(s) + 20000, them(s) - 1};
        for (unsigned i = 0; i < 4; i++) {
            if (s == STATE_SYN_RECEIVED && seqs[i] == 0)
                continue; /* the SYN again: first_syn_again */
            arrives(&a, .flags = SYN, .seq = seqs[i], .text = 5, .wnd = 77);
            leaves(&a, .flags = ACK, .seq = us(s), .ack = them(s));
        }
        goes_on(so, s);
        assert_int_equal(host_status(so).snd_wnd, 10000);
    }
}

/* ---- Fifth: ACK ---- */

/* No ACK: dropped. */
static void fifth_none(void **state)
{
    (void)state;
    for (EACH_STATE(s)) {
        struct peer a = peer(s, 0);
        struct sock *so = host_reach(&a, s);
        arrives(&a, .flags = FIN | PSH, .seq = them(s), .text = 10);
        goes_on(so, s);
        assert_int_equal(host_status(so).unread, 0);
    }
}

/* SYN-RECEIVED: SND.UNA < SEG.ACK =< SND.NXT establishes, and the window is taken; else a RST. */
static void fifth_in_syn_received(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_reach(&a, STATE_SYN_RECEIVED);
    const uint32_t bad[] = {0, 2, 20000, 0x80000001};
    for (unsigned i = 0; i < 4; i++) {
        arrives(&a, .flags = ACK, .seq = 1, .ack = bad[i]);
        leaves(&a, .flags = RST, .seq = bad[i]);
    }
    assert_int_equal(stack_state(so), STATE_SYN_RECEIVED);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = 2345);
    expect_event(so, SOCK_EV_COMPLETED);
    assert_int_equal(stack_state(so), STATE_ESTABLISHED);
    assert_int_equal(host_status(so).snd_wnd, 2345);
}

/* ESTABLISHED: a new ACK takes what it acknowledges off the queue, and the user hears of it; an old
 * one is ignored. */
static void fifth_in_established(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_reach(&a, STATE_ESTABLISHED);
    host_sends(so, 0, 2000);
    assert_int_equal(all_leaves(), 2);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1001);
    expect_event(so, SOCK_EV_ACKED);
    assert_int_equal(host_status(so).unsent_or_unacked, 1000);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 501);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
    expect_no_event();
    assert_int_equal(host_status(so).unsent_or_unacked, 1000);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 2001);
    assert_int_equal(host_status(so).unsent_or_unacked, 0);
}

/* U-9, MAY-12: SND.UNA - MAX.SND.WND =< SEG.ACK =< SND.NXT; else an ACK, and the segment is dropped
 * with its text. */
static void fifth_range(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_reach(&a, STATE_ESTABLISHED);
    host_sends(so, 0, 100);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 100);
    const uint32_t bad[] = {102, 20000, 0x80000001, 1u - 10001};
    for (unsigned i = 0; i < 4; i++) {
        arrives(&a, .flags = ACK, .seq = 1, .ack = bad[i], .text = 10);
        leaves(&a, .flags = ACK, .seq = 101, .ack = 1);
        assert_int_equal(host_status(so).unread, 0);
    }
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1u - 10000, .text = 10); /* the last good one */
    assert_int_equal(host_status(so).unread, 10);
    arrives(&a, .flags = ACK, .seq = 11, .ack = 101);
    host_later(40);
    leaves(&a, .flags = ACK, .seq = 101, .ack = 11);
}

/* The window is taken from newer segments only: by SEG.SEQ, then by SEG.ACK (SND.WL1, SND.WL2). */
static void fifth_window(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_reach(&a, STATE_ESTABLISHED);
    host_sends(so, 0, 2000);
    assert_int_equal(all_leaves(), 2);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 100, .wnd = 9000);
    assert_int_equal(host_status(so).snd_wnd, 9000);
    arrives(&a, .flags = ACK, .seq = 101, .ack = 1, .wnd = 8000);
    assert_int_equal(host_status(so).snd_wnd, 8000); /* a newer SEG.SEQ */
    arrives(&a, .flags = ACK, .seq = 101, .ack = 1001, .wnd = 7000);
    assert_int_equal(host_status(so).snd_wnd, 7000); /* a newer SEG.ACK */
    arrives(&a, .flags = ACK, .seq = 101, .ack = 1001, .wnd = 6000);
    assert_int_equal(host_status(so).snd_wnd, 6000); /* both the same */
    arrives(&a, .flags = ACK, .seq = 101, .ack = 1, .wnd = 5000);
    assert_int_equal(host_status(so).snd_wnd, 6000); /* an older SEG.ACK */
    host_later(40);
    (void)all_leaves();
    arrives(&a, .flags = ACK, .seq = 51, .ack = 1001, .text = 60, .wnd = 4000);
    assert_int_equal(host_status(so).snd_wnd, 6000); /* an older SEG.SEQ, though with new text */
    leaves(&a, .flags = ACK, .seq = 2001, .ack = 111);
}

/* FIN-WAIT-1 to TIME-WAIT: what the ACK of our FIN does; one of less, nothing. */
static void fifth_ack_of_our_fin(void **state)
{
    (void)state;
    static const enum tcp_state then[] = {
        [STATE_FIN_WAIT_1] = STATE_FIN_WAIT_2,
        [STATE_CLOSING] = STATE_TIME_WAIT,
        [STATE_LAST_ACK] = STATE_CLOSED,
    };
    for (enum tcp_state s = STATE_FIN_WAIT_1; s <= STATE_LAST_ACK; s++) {
        if (then[s] == STATE_CLOSED && s != STATE_LAST_ACK)
            continue;
        struct peer a = peer(s, 0);
        struct sock *so = host_reach(&a, s);
        arrives(&a, .flags = ACK, .seq = them(s), .ack = 1);
        assert_int_equal(stack_state(so), s);
        arrives(&a, .flags = ACK, .seq = them(s), .ack = 2);
        assert_int_equal(stack_state(so), then[s]);
        nothing_leaves();
        expect_event(so, s == STATE_FIN_WAIT_1 ? SOCK_EV_ACKED : SOCK_EV_CLOSED);
    }
}

/* TIME-WAIT: the peer's FIN again is acknowledged, and 2 MSL begin anew. */
static void fifth_in_time_wait(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_reach(&a, STATE_TIME_WAIT);
    host_at(50000);
    arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = 2);
    leaves(&a, .flags = ACK, .seq = 2, .ack = 2);
    host_at(109999);
    assert_int_equal(stack_state(so), STATE_TIME_WAIT);
    host_at(110000);
    assert_int_equal(stack_state(so), STATE_CLOSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(first_unacceptable),
        host_test(first_unacceptable_rst),
        host_test(first_all_before_an_ack),
        host_test(first_held_for_later),
        host_test(first_syn_again),
        host_test(second_exact),
        host_test(second_back_to_listen),
        host_test(second_challenge),
        host_test(second_in_time_wait),
        host_test(second_flushes),
        host_test(fourth_in_syn_received),
        host_test(fourth_challenge),
        host_test(fifth_none),
        host_test(fifth_in_syn_received),
        host_test(fifth_in_established),
        host_test(fifth_range),
        host_test(fifth_window),
        host_test(fifth_ack_of_our_fin),
        host_test(fifth_in_time_wait),
    };
    return host_main(tests);
}
