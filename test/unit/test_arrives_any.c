/* arrives.c and arrives_sync.c: every state with every set of flags, with numbers on each side of
 * each limit. What RFC 9293 says of all of them is asserted: which states may
 * follow, when a connection may end, and what may be answered. */
#include "no_memory.h"
#include "segments.h"
#include "user.h"

#define BIT(s) (1u << (s))

/* Figure 5, and the steps of 3.10.7: the states that a segment may lead to, but for CLOSED. */
static const unsigned may_follow[] = {
    [STATE_CLOSED] = 0,
    [STATE_LISTEN] = BIT(STATE_LISTEN) | BIT(STATE_SYN_RECEIVED),
    [STATE_SYN_SENT] = BIT(STATE_SYN_SENT) | BIT(STATE_SYN_RECEIVED) | BIT(STATE_ESTABLISHED) |
                       BIT(STATE_CLOSE_WAIT),
    [STATE_SYN_RECEIVED] = BIT(STATE_SYN_RECEIVED) | BIT(STATE_ESTABLISHED) | BIT(STATE_CLOSE_WAIT),
    [STATE_ESTABLISHED] = BIT(STATE_ESTABLISHED) | BIT(STATE_CLOSE_WAIT),
    [STATE_FIN_WAIT_1] =
        BIT(STATE_FIN_WAIT_1) | BIT(STATE_FIN_WAIT_2) | BIT(STATE_CLOSING) | BIT(STATE_TIME_WAIT),
    [STATE_FIN_WAIT_2] = BIT(STATE_FIN_WAIT_2) | BIT(STATE_TIME_WAIT),
    [STATE_CLOSE_WAIT] = BIT(STATE_CLOSE_WAIT),
    [STATE_CLOSING] = BIT(STATE_CLOSING) | BIT(STATE_TIME_WAIT),
    [STATE_LAST_ACK] = BIT(STATE_LAST_ACK),
    [STATE_TIME_WAIT] = BIT(STATE_TIME_WAIT),
};

/* Whether this segment may end the connection. them, us: RCV.NXT and SND.NXT before. */
static bool may_end(enum tcp_state s, const struct line *l, uint32_t them, uint32_t us)
{
    switch (s) {
    case STATE_CLOSED:
        return true;
    case STATE_LISTEN:
    case STATE_TIME_WAIT: /* RFC 1337 */
        return false;
    case STATE_SYN_SENT:
        return l->flags & RST && l->flags & ACK && l->ack == us;
    case STATE_SYN_RECEIVED: /* passive here: a SYN in the window returns to LISTEN */
        if (!(l->flags & RST) && l->flags & SYN)
            return true;
        return l->flags & RST && l->seq == them;
    case STATE_LAST_ACK:
        if (!(l->flags & (RST | SYN)) && l->flags & ACK && l->ack == us)
            return true;
        return l->flags & RST && l->seq == them;
    default:
        return l->flags & RST && l->seq == them;
    }
}

/* What has been answered: at most one segment. */
static struct line answer(bool *any)
{
    struct seg seg;
    *any = ladder_take(HERE, &seg);
    return *any ? line_of(&seg, the.iss, the.irs) : (struct line){0};
}

static void arrives_in(enum tcp_state s, struct line l)
{
    reach(s);
    uint32_t them = theirs(), us = ours(), una = the.tcb.snd.una.v;
    ladder_receive(HERE, l);
    enum tcp_state then = the.tcb.state;
    if (then == STATE_CLOSED)
        assert_true(may_end(s, &l, them, us));
    else
        assert_true(may_follow[s] & BIT(then));

    bool any;
    struct line out = answer(&any);
    if (any && out.flags & RST) { /* 3.5.2: not once synchronized, and never for a RST */
        assert_true(s <= STATE_SYN_RECEIVED);
        assert_false(l.flags & RST);
        assert_int_equal(out.flags, l.flags & ACK ? RST : RST | ACK);
        assert_int_equal(then, s); /* "the connection remains in the same state" */
    } else if (any && !(out.flags & SYN)) {
        bool crossed = s == STATE_FIN_WAIT_1 && then == STATE_CLOSING; /* our FIN goes again */
        assert_int_equal(out.flags, crossed ? FIN | ACK : ACK);
        assert_int_equal(out.text, 0);
        assert_int_equal(out.seq, ours() - crossed);
        assert_int_equal(out.ack, theirs());
    }
    expect_silence();
    if (!(l.flags & ACK)) /* "if the ACK bit is off": nothing is acknowledged, nothing taken */
        assert_int_equal(the.tcb.snd.una.v, una);
    if (l.flags & RST || !(l.flags & (ACK | SYN)))
        assert_int_equal(the.tcb.events & (unsigned)~TCB_EV_CLOSED, 0);
    again();
}

static void any(void **state)
{
    (void)state;
    no_memory_spares(); /* these are thirty thousand segments, of kinds that other tests have too */
    for (enum tcp_state s = STATE_CLOSED; s <= STATE_TIME_WAIT; s++) {
        reach(s);
        const uint32_t us = s <= STATE_LISTEN ? 0 : ours(),
                       them = s <= STATE_SYN_SENT ? 0 : theirs();
        const uint32_t seqs[] = {them - 1, them, them + 1, them + 9999, them + 10000, them + 77777};
        const uint32_t acks[] = {us - 10001, us - 1, us, us + 1};
        again();
        for (unsigned flags = 0; flags < 64; flags++) {
            for (unsigned i = 0; i < 6 * 4 * 2; i++) {
                struct line l = {.flags = flags,
                                 .seq = seqs[i % 6],
                                 .ack = flags & ACK ? acks[i / 6 % 4] : 0,
                                 .text = i / 24 * 10,
                                 .up = 5};
                if (l.flags == (RST | ACK)) /* whose number line_seg() takes as it is */
                    l.flags |= PSH;
                arrives_in(s, l);
            }
        }
    }
}

/* ---- Segments that reach into the window from its left ---- */

/* 3.10.7.4 second, 1) (RFC 5961 3.2): a RST whose number is outside of the window is dropped
 * silently, though what it carries (SHLD-2) ends inside. */
static void rst_reaches_into_the_window(void **state)
{
    (void)state;
    for (enum tcp_state s = STATE_SYN_RECEIVED; s <= STATE_TIME_WAIT; s++) {
        reach(s);
        receive(.flags = RST, .seq = theirs() - 5, .text = 10);
        expect_silence();
        expect_state(s);
        receive(.flags = RST | FIN, .seq = theirs() - 5, .text = 5);
        expect_silence();
        expect_state(s);
        again();
    }
}

/* 3.10.7.4 first: what lies left of the window is trimmed, the SYN included. So a SYN before it
 * does not return a passive connection to LISTEN (fourth), whatever else the segment carries. */
static void syn_reaches_into_the_window(void **state)
{
    (void)state;
    reach(STATE_SYN_RECEIVED);
    receive(.flags = SYN, .seq = UINT32_MAX, .text = 10);
    expect(.flags = ACK, .seq = 1, .ack = 1);
    expect_state(STATE_SYN_RECEIVED);
    receive(.flags = SYN | ACK, .seq = 0, .ack = 1, .text = 10);
    expect(.flags = ACK, .seq = 1, .ack = 1);
    expect_state(STATE_SYN_RECEIVED);
}

/* 3.10.7.4 first: an unacceptable RST is not answered, in TIME-WAIT neither (RFC 1337). */
static void rst_with_text_at_a_shut_window(void **state)
{
    (void)state;
    the.config.rcvbuf = the.config.rcvbuf_max = 1000;
    establish();
    receive(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    later(40);
    expect(.flags = ACK, .seq = 1, .ack = 1001, .wnd = ZERO);
    assert_int_equal(user_close(), ERR_NONE);
    expect(.flags = FIN | ACK, .seq = 1, .ack = 1001);
    receive(.flags = FIN | ACK, .seq = 1001, .ack = 2);
    expect(.flags = ACK, .seq = 2, .ack = 1002);
    expect_state(STATE_TIME_WAIT);
    receive(.flags = RST, .seq = 1002, .text = 1);
    expect_silence();
    expect_state(STATE_TIME_WAIT);
}

/* 3.10.7.4 eighth: "send an acknowledgment for the FIN": one that can't be, for there is text
 * beyond it, is not taken, but the peer learns where we are. */
static void fin_before_text(void **state)
{
    (void)state;
    establish();
    receive(.flags = ACK, .seq = 11, .ack = 1, .text = 10);
    expect(.flags = ACK, .seq = 1, .ack = 1);
    receive(.flags = FIN | ACK, .seq = 1, .ack = 1);
    expect(.flags = ACK, .seq = 1, .ack = 1);
    expect_state(STATE_ESTABLISHED);
}

/* The ACK of what is sent again counts, though the segment is old and answered by an ACK: it may be
 * the only one to come. RFC 9293 throws it away. */
static void ack_of_an_old_segment(void **state)
{
    (void)state;
    establish();
    receive(.flags = ACK, .seq = 1, .ack = 1, .text = 100);
    user_sends(1000);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 101, .text = 1000);
    receive(.flags = ACK, .seq = 1, .ack = 1001, .text = 100);
    expect(.flags = ACK, .seq = 1001, .ack = 101);
    assert_int_equal(the.tcb.snd.una.v, the.iss + 1001);
    user_sends(1000);
    expect(.flags = PSH | ACK, .seq = 1001, .ack = 101, .text = 1000);
    receive(.flags = ACK, .seq = 0, .ack = 2001, .text = 100); /* ends before RCV.NXT */
    expect(.flags = ACK, .seq = 2001, .ack = 101);
    assert_int_equal(the.tcb.snd.una.v, the.iss + 1001);
    user_close();
    expect(.flags = FIN | ACK, .seq = 2001, .ack = 101);
    receive(.flags = FIN | ACK, .seq = 101, .ack = 2001);
    expect(.flags = FIN | ACK, .seq = 2001, .ack = 102);
    receive(.flags = FIN | ACK, .seq = 101, .ack = 2002);
    expect(.flags = ACK, .seq = 2002, .ack = 102);
    expect_state(STATE_TIME_WAIT);
}

/* Where the field can say 65535 at most and the buffer is larger, RCV.WND is the buffer, in whole
 * segments; but of a passive connection not before it is established. */
static void window_beyond_the_field(void **state)
{
    (void)state;
    the.config.rcvbuf = the.config.rcvbuf_max = 65536;
    establish(.scale = NONE);
    receive(.flags = RST, .seq = 66000);
    expect(.flags = ACK, .seq = 1, .ack = 1, .wnd = 65535);
    receive(.flags = RST, .seq = 66001);
    expect_silence();
    receive(.flags = ACK, .seq = 65900, .ack = 1, .text = 200);
    expect(.flags = ACK, .seq = 1, .ack = 1, .wnd = 65535);
    assert_int_equal(ranges_total(&the.tcb.rcvq.held->beyond), 101);
    again();

    the.config.rcvbuf = the.config.rcvbuf_max = 65536;
    open_passive();
    receive(.flags = SYN, .seq = 0, .mss = 1000);
    expect(.flags = SYN | ACK, .seq = 0, .ack = 1, .wnd = 65535);
    receive(.flags = RST, .seq = 65535);
    expect(.flags = ACK, .seq = 1, .ack = 1);
    receive(.flags = RST, .seq = 65536);
    expect_silence();
    receive(.flags = ACK, .seq = 1, .ack = 1);
    receive(.flags = RST, .seq = 66000);
    expect(.flags = ACK, .seq = 1, .ack = 1, .wnd = 65535);
    receive(.flags = RST, .seq = 66001);
    expect_silence();
}

/* ---- Simultaneous open, and SYNs that come again ---- */

/* 3.10.7.4 first: what lies left of the window is trimmed, the SYN included. With text, or a FIN,
 * its end lies inside; it is the SYN again all the same, and no new one. */
static void syn_again_with_more(void **state)
{
    (void)state;
    const struct line syn[] = {
        {.flags = SYN, .text = 10, .mss = 1000},
        {.flags = SYN | FIN, .mss = 1000},
        {.flags = SYN | FIN | PSH, .text = 2000, .mss = 1000},
    };
    for (unsigned i = 0; i < 6; i++) {
        bool active = i >= 3;
        if (active) {
            open_active();
            expect(.flags = SYN, .seq = 0);
        } else {
            open_passive();
        }
        ladder_receive(HERE, syn[i % 3]);
        expect(.flags = SYN | ACK, .seq = 0, .ack = 1);
        at(900);
        ladder_receive(HERE, syn[i % 3]);
        expect(.flags = SYN | ACK, .seq = 0, .ack = 1);
        expect_state(STATE_SYN_RECEIVED);
        receive(.flags = ACK, .seq = 1, .ack = 1); /* of the first SYN-ACK, perhaps */
        expect_state(STATE_ESTABLISHED);
        ignore();
        later(40);
        ignore();
        again();
    }
}

/* 3.10.7.3: what else comes with a SYN is processed once the connection is established: the text,
 * to the end of the window that our own SYN has offered. It is acknowledged then, and read. */
static void text_with_crossing_syn(void **state)
{
    (void)state;
    const uint32_t texts[] = {3, 9999, 10000, 11000};
    for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++) {
        uint32_t taken = texts[i] < 10000 ? texts[i] : 10000;
        open_active();
        expect(.flags = SYN, .seq = 0);
        receive(.flags = SYN, .seq = 0, .text = texts[i], .mss = 1000);
        expect(.flags = SYN | ACK, .seq = 0, .ack = 1);
        expect_state(STATE_SYN_RECEIVED);
        assert_int_equal(user_receive(1), ERR_AGAIN);
        assert_false(tcp_can_receive(&the.tcb));
        receive(.flags = ACK, .seq = 1, .ack = 1);
        expect_state(STATE_ESTABLISHED);
        expect_events(TCB_EV_ESTABLISHED | TCB_EV_ARRIVED);
        if (taken == 3)
            later(40);
        expect(.flags = ACK, .seq = 1, .ack = 1 + taken);
        user_receives(taken);
        ignore();
        again();
    }
}

/* The ACK may come with a number behind the text: the peer takes it to be here. Or with the text
 * again, in a SYN-ACK too. */
static void text_with_crossing_syn_again(void **state)
{
    (void)state;
    const struct line ends[] = {
        {.flags = ACK, .seq = 4, .ack = 1},
        {.flags = ACK, .seq = 1, .ack = 1, .text = 3},
        {.flags = ACK, .seq = 3, .ack = 1, .text = 1},
        {.flags = SYN | ACK, .seq = 0, .ack = 1, .text = 3, .mss = 1000},
    };
    for (unsigned i = 0; i < sizeof ends / sizeof *ends; i++) {
        open_active();
        expect(.flags = SYN, .seq = 0);
        receive(.flags = SYN, .seq = 0, .text = 3, .mss = 1000);
        expect(.flags = SYN | ACK, .seq = 0, .ack = 1);
        ladder_receive(HERE, ends[i]);
        expect_state(STATE_ESTABLISHED);
        ignore();
        later(40);
        ignore();
        assert_int_equal(theirs(), 4);
        user_receives(3);
        assert_int_equal(user_receive(1), ERR_AGAIN);
        again();
    }
}

/* Nobody reads the text of a connection that has never been one; and it takes no memory then, nor
 * where there is none. */
static void text_with_crossing_syn_and_no_connection(void **state)
{
    (void)state;
    open_active();
    expect(.flags = SYN, .seq = 0);
    receive(.flags = SYN, .seq = 0, .text = 3, .mss = 1000);
    expect(.flags = SYN | ACK, .seq = 0, .ack = 1);
    receive(.flags = RST, .seq = 1);
    expect_closed(ERR_REFUSED);
    assert_int_equal(user_receive(1), 0);
    again();

    open_active();
    test_mem_fail_at(&the.mem, 1);
    expect(.flags = SYN, .seq = 0);
    receive(.flags = SYN, .seq = 0, .text = 3, .mss = 1000);
    assert_true(the.tcb.no_room);
    expect(.flags = SYN | ACK, .seq = 0, .ack = 1);
    receive(.flags = ACK, .seq = 1, .ack = 1);
    expect_state(STATE_ESTABLISHED);
    assert_int_equal(theirs(), 1);
}

/* RFC 7323 2.2: a SYN-ACK carries window scale only when the SYN has, though our own SYN did; and
 * then neither side scales. */
static void crossing_syn_without_scale(void **state)
{
    (void)state;
    the.config.rcvbuf_max = 1 << 20;
    open_active();
    expect(.flags = SYN, .seq = 0, .scale = 5);
    receive(.flags = SYN, .seq = 0, .mss = 1000, .wnd = 700);
    expect(.flags = SYN | ACK, .seq = 0, .ack = 1, .scale = NONE);
    at(1000);
    expect(.flags = SYN | ACK, .seq = 0, .ack = 1, .scale = NONE); /* again */
    receive(.flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000, .wnd = 700);
    assert_int_equal(the.tcb.snd.wnd, 700);
    receive(.flags = ACK, .seq = 1, .ack = 1, .text = 1);
    at(1040);
    expect(.flags = ACK, .seq = 1, .ack = 2, .wnd = 9999);
}

/* RFC 7323 2.2: the window of the SYN-ACK is not scaled, to the octet; that of the next ACK is. */
static void crossing_syn_ack_window(void **state)
{
    (void)state;
    the.config.rcvbuf_max = 1 << 20;
    open_active();
    expect(.flags = SYN, .seq = 0);
    receive(.flags = SYN, .seq = 0, .mss = 1000, .scale = 7, .wnd = 2925);
    expect(.flags = SYN | ACK, .seq = 0, .ack = 1, .scale = 5);
    receive(.flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000, .scale = 7, .wnd = 2926);
    expect_state(STATE_ESTABLISHED);
    assert_int_equal(the.tcb.snd.wnd, 2926);
    receive(.flags = ACK, .seq = 1, .ack = 1, .wnd = 2926);
    assert_int_equal(the.tcb.snd.wnd, 2926 << 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ladder_test(any),
        ladder_test(rst_reaches_into_the_window),
        ladder_test(syn_reaches_into_the_window),
        ladder_test(rst_with_text_at_a_shut_window),
        ladder_test(fin_before_text),
        ladder_test(ack_of_an_old_segment),
        ladder_test(window_beyond_the_field),
        ladder_test(syn_again_with_more),
        ladder_test(text_with_crossing_syn),
        ladder_test(text_with_crossing_syn_again),
        ladder_test(text_with_crossing_syn_and_no_connection),
        ladder_test(crossing_syn_without_scale),
        ladder_test(crossing_syn_ack_window),
    };
    return ladder_main(tests);
}
