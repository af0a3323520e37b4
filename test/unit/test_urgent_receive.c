/* urgent.c and user.c: urgent data that arrives (RFC 9293 3.8.5, 3.10.3, 3.10.7.4 sixth step), and
 * what users of sockets make of it: the mark, and the last octet out of band (socket(7), tcp(7)).
 */
#include "arrives.h"
#include "no_memory.h"
#include "output.h"
#include "segments.h"
#include "urgent.h"
#include "user.h"

/* ESTABLISHED, as sockets are by default: the last urgent octet is not in line. */
static void establish_oob(void)
{
    establish();
    user_sets(oobinline, false);
}

#define OOB(peek, answer) oob(HERE, (peek), (answer))

/* RECEIVE out of band gives this, and the octet just before RCV.UP where it is 1. */
static void oob(struct where w, bool peek, int answer)
{
    uint8_t octet = 0, expected = stream_octet(true, the.tcb.busy->rcv_up - 1);
    int got = tcp_urgent_receive(&the.tcb, &octet, peek);
    if (got != answer || (got == 1 && octet != expected)) {
        print_error("RECEIVE out of band gives %d, octet %d, not %d\n", got, octet, answer);
        _fail(w.file, w.line);
    }
}

/* RECEIVE passes over the octet that is out of band: the next is this many. */
static void receives_over(size_t n)
{
    the.read++;
    user_receives(n);
}

static int64_t peek(size_t n, uint64_t from)
{
    static uint8_t buf[20000];
    int64_t got = tcp_receive(&the.tcb, buf, n, true, the.now_ns);
    for (int64_t i = 0; i < got; i++)
        assert_int_equal(buf[i], stream_octet(true, from + (uint64_t)i));
    return got;
}

/* ---- RCV.UP ---- */

/* MUST-32: the user hears of it before the data has come, and when it moves on; MUST-33: and can
 * ask how much is left. */
static void told_and_counted(void **state)
{
    (void)state;
    establish();
    assert_int_equal(tcp_urgent_left(&the.tcb), 0);
    receive(.flags = ACK | URG, .seq = 1, .ack = 1, .up = 30);
    expect_events(TCB_EV_URGENT);
    assert_int_equal(tcp_urgent_left(&the.tcb), 30);
    receive(.flags = ACK | URG, .seq = 1, .ack = 1, .text = 20, .up = 30);
    expect_events(TCB_EV_ARRIVED);
    user_receives(15);
    assert_int_equal(tcp_urgent_left(&the.tcb), 15);
    receive(.flags = ACK | URG, .seq = 21, .ack = 1, .text = 20, .up = 20);
    expect(.flags = ACK, .seq = 1, .ack = 41);
    expect_events(TCB_EV_ARRIVED | TCB_EV_URGENT);
    assert_int_equal(tcp_urgent_left(&the.tcb), 25);
    user_receives(24); /* to the mark */
    assert_int_equal(tcp_urgent_left(&the.tcb), 1);
    user_receives(1);
    assert_int_equal(tcp_urgent_left(&the.tcb), 0);
}

/* RFC 6093 2.1: what has come as normal data becomes urgent by a later pointer. */
static void unread_becomes_urgent(void **state)
{
    (void)state;
    establish();
    receive(.flags = ACK, .seq = 1, .ack = 1, .text = 20);
    receive(.flags = ACK | URG, .seq = 21, .ack = 1, .text = 5, .up = 5);
    assert_int_equal(tcp_urgent_left(&the.tcb), 25);
    ignore();
}

/* 3.1: the pointer is an offset from SEG.SEQ, also where that is the SYN's. */
static void with_syn(void **state)
{
    (void)state;
    const struct {
        uint16_t up;
        unsigned left;
    } cases[] = {{0, 0}, {1, 0}, {2, 1}, {5, 4}, {65535, 65534}};
    for (unsigned i = 0; i < 5; i++) {
        open_active();
        expect(.flags = SYN, .seq = 0);
        receive(.flags = SYN | ACK | URG, .seq = 0, .ack = 1, .up = cases[i].up);
        assert_int_equal(tcp_urgent_left(&the.tcb), cases[i].left);
        ignore();
        again();

        open_active(); /* 3.5, figure 8: the SYNs cross, and the pointer comes again */
        expect(.flags = SYN, .seq = 0);
        receive(.flags = SYN | URG, .seq = 0, .up = cases[i].up);
        assert_int_equal(tcp_urgent_left(&the.tcb), 0);
        expect(.flags = SYN | ACK, .seq = 0, .ack = 1);
        receive(.flags = SYN | ACK | URG, .seq = 0, .ack = 1, .up = cases[i].up);
        expect_state(STATE_ESTABLISHED);
        assert_int_equal(tcp_urgent_left(&the.tcb), cases[i].left);
        ignore();
        again();
    }
}

/* A listener looks at no pointer; the ACK that opens the connection may have one. */
static void with_the_handshake(void **state)
{
    (void)state;
    open_passive();
    receive(.flags = SYN | URG, .seq = 0, .up = 9, .mss = 1000);
    expect(.flags = SYN | ACK, .seq = 0, .ack = 1);
    assert_int_equal(tcp_urgent_left(&the.tcb), 0);
    receive(.flags = ACK | URG, .seq = 1, .ack = 1, .up = 9);
    expect_events(TCB_EV_ESTABLISHED | TCB_EV_URGENT);
    assert_int_equal(tcp_urgent_left(&the.tcb), 9);
}

/* With the FIN: the pointer counts, and ends with the stream; after it nothing does. */
static void with_fin(void **state)
{
    (void)state;
    establish_oob();
    receive(.flags = FIN | ACK | URG, .seq = 1, .ack = 1, .text = 10, .up = 10);
    expect(.flags = ACK, .seq = 1, .ack = 12);
    assert_int_equal(tcp_urgent_left(&the.tcb), 10);
    receive(.flags = ACK | URG, .seq = 12, .ack = 1, .up = 50);
    assert_int_equal(tcp_urgent_left(&the.tcb), 10);
    user_receives(9);
    OOB(true, 1);
    OOB(false, 1);
    OOB(false, ERR_INVAL);
    assert_true(tcp_can_receive(&the.tcb));
    assert_int_equal(user_receive(10), 0); /* passes over it, and there is the end */
    assert_int_equal(tcp_urgent_left(&the.tcb), 0);
}

/* A pointer beyond the end of the stream: it is not waited for. */
static void beyond_fin(void **state)
{
    (void)state;
    establish_oob();
    receive(.flags = FIN | ACK | URG, .seq = 1, .ack = 1, .text = 10, .up = 40);
    expect(.flags = ACK, .seq = 1, .ack = 12);
    OOB(false, 0);
    user_receives(10);
    assert_int_equal(user_receive(10), 0);
    OOB(false, 0);
    assert_false(tcp_urgent_ready(&the.tcb));
    again();

    establish_oob(); /* nor does the user have to make room for it */
    receive(.flags = ACK, .seq = 1, .ack = 1, .text = 10000);
    expect(.flags = ACK, .seq = 1, .ack = 10001, .wnd = ZERO);
    receive(.flags = FIN | ACK | URG, .seq = 10001, .ack = 1, .up = 40);
    expect(.flags = ACK, .seq = 1, .ack = 10002, .wnd = ZERO);
    assert_int_equal(tcp_urgent_left(&the.tcb), 10040);
    assert_false(tcp_urgent_ready(&the.tcb));
}

/* MUST-66: while the window is shut the pointer counts, of a pure ACK and of a probe. */
static void window_shut(void **state)
{
    (void)state;
    establish_oob();
    receive(.flags = ACK, .seq = 1, .ack = 1, .text = 10000);
    expect(.flags = ACK, .seq = 1, .ack = 10001, .wnd = ZERO);
    expect_events(TCB_EV_ARRIVED);
    assert_false(tcp_urgent_ready(&the.tcb));
    receive(.flags = ACK | URG, .seq = 10001, .ack = 1, .up = 1);
    expect_events(TCB_EV_URGENT);
    assert_true(tcp_urgent_ready(&the.tcb)); /* MUST-32: it comes when the user reads */
    OOB(false, ERR_AGAIN);
    receive(.flags = ACK | URG, .seq = 10001, .ack = 1, .text = 1, .up = 2);
    expect(.flags = ACK, .seq = 1, .ack = 10001, .wnd = ZERO);
    expect_events(TCB_EV_URGENT);
    assert_int_equal(tcp_urgent_left(&the.tcb), 10002);
    user_receives(10000);
    expect(.flags = ACK, .seq = 1, .ack = 10001, .wnd = 10000);
    assert_false(tcp_urgent_ready(&the.tcb));
}

/* ---- RECEIVE ---- */

/* 3.9.1.4: "the boundary is clearly marked": RECEIVE ends at the mark and goes on behind it, in
 * line with the last urgent octet. */
static void ends_at_the_mark(void **state)
{
    (void)state;
    establish();
    receive(.flags = ACK | URG, .seq = 1, .ack = 1, .text = 10, .up = 4);
    assert_int_equal(peek(100, 0), 3);
    user_receives(2);
    assert_int_equal(tcp_receivable(&the.tcb), 1);
    user_receives(1);
    assert_int_equal(tcp_receivable(&the.tcb), 7);
    assert_int_equal(peek(100, 3), 7);
    user_receives(7);
    OOB(false, ERR_INVAL);
    ignore();
}

/* The same without it. */
static void passes_over_the_octet(void **state)
{
    (void)state;
    establish_oob();
    receive(.flags = ACK | URG, .seq = 1, .ack = 1, .text = 10, .up = 4);
    OOB(true, 1);
    user_receives(3);
    OOB(true, 1);
    assert_int_equal(tcp_receivable(&the.tcb), 6);
    assert_int_equal(peek(100, 4), 6);
    assert_int_equal(tcp_urgent_left(&the.tcb), 1); /* to peek changes nothing */
    OOB(false, 1);
    OOB(true, ERR_INVAL);
    receives_over(2);
    assert_int_equal(tcp_urgent_left(&the.tcb), 0);
    user_receives(4);
    ignore();
}

/* Nothing but the octet out of band: that is nothing to RECEIVE. Who asks all the same is past it.
 */
static void only_the_octet(void **state)
{
    (void)state;
    establish_oob();
    size_t idle = the.mem.mem.used;
    receive(.flags = ACK | URG, .seq = 1, .ack = 1, .text = 1, .up = 1);
    assert_true(tcp_urgent_ready(&the.tcb));
    assert_false(tcp_can_receive(&the.tcb));
    assert_int_equal(peek(10, 0), ERR_AGAIN);
    assert_int_equal(user_receive(0), 0);
    OOB(true, 1);
    batch();
    assert_int_equal(user_receive(10), ERR_AGAIN);
    OOB(false, ERR_INVAL);
    assert_false(tcp_urgent_ready(&the.tcb));
    assert_int_equal(the.mem.mem.used, idle);
    the.read++;
    ignore();
    receive(.flags = ACK, .seq = 2, .ack = 1, .text = 5);
    expect(.flags = ACK, .seq = 1, .ack = 7);
    user_receives(5);
}

/* It is not there before all text in front of it is. */
static void behind_a_hole(void **state)
{
    (void)state;
    establish_oob();
    receive(.flags = ACK | URG, .seq = 11, .ack = 1, .text = 10, .up = 10);
    expect(.flags = ACK, .seq = 1, .ack = 1);
    expect_events(TCB_EV_URGENT);
    assert_false(tcp_urgent_ready(&the.tcb));
    OOB(false, ERR_AGAIN);
    receive(.flags = ACK | URG, .seq = 1, .ack = 1, .text = 10, .up = 20);
    expect(.flags = ACK, .seq = 1, .ack = 21);
    expect_events(TCB_EV_ARRIVED);
    assert_true(tcp_urgent_ready(&the.tcb));
    OOB(false, 1);
    user_receives(19);
}

/* There is one mark: an earlier one becomes text like any other. */
static void two_of_them(void **state)
{
    (void)state;
    establish_oob();
    receive(.flags = ACK | URG, .seq = 1, .ack = 1, .text = 5, .up = 5);
    receive(.flags = ACK | URG, .seq = 6, .ack = 1, .text = 5, .up = 5);
    expect(.flags = ACK, .seq = 1, .ack = 11);
    OOB(false, 1);
    user_receives(9);
    assert_int_equal(user_receive(10), ERR_AGAIN);
    OOB(false, ERR_INVAL);
}

/* Only one whose place the user has reached is lost, taken or not. */
static void two_of_them_at_the_mark(void **state)
{
    (void)state;
    for (int taken = 0; taken < 2; taken++) {
        establish_oob();
        receive(.flags = ACK | URG, .seq = 1, .ack = 1, .text = 5, .up = 5);
        user_receives(4);
        if (taken)
            OOB(false, 1);
        receive(.flags = ACK | URG, .seq = 6, .ack = 1, .text = 5, .up = 4);
        expect(.flags = ACK, .seq = 1, .ack = 11);
        OOB(false, 1);
        assert_int_equal(tcp_urgent_left(&the.tcb), 4);
        the.read++;
        user_receives(3);
        receives_over(1);
        again();
    }
}

/* In line there is nothing to be lost. */
static void two_of_them_in_line(void **state)
{
    (void)state;
    establish();
    receive(.flags = ACK | URG, .seq = 1, .ack = 1, .text = 1, .up = 1);
    receive(.flags = ACK | URG, .seq = 2, .ack = 1, .text = 1, .up = 1);
    expect(.flags = ACK, .seq = 1, .ack = 3);
    user_receives(1);
    user_receives(1);
}

/* SO_OOBINLINE may change its mind at any time. */
static void in_line_or_not(void **state)
{
    (void)state;
    establish();
    receive(.flags = ACK | URG, .seq = 1, .ack = 1, .text = 10, .up = 4);
    user_receives(3);
    OOB(false, ERR_INVAL);
    user_sets(oobinline, false);
    OOB(false, 1);
    user_sets(oobinline, true);
    user_receives(7);
    ignore();
}

/* What has arrived can be had after a FIN, but not after a failure, as in Linux. */
static void after_the_end(void **state)
{
    (void)state;
    establish_oob();
    receive(.flags = ACK | URG, .seq = 1, .ack = 1, .text = 10, .up = 4);
    receive(.flags = RST, .seq = 11);
    expect_closed(ERR_RESET);
    OOB(false, ERR_NOT_CONNECTED);
    user_receives(3);
    again();
    establish_oob();
    receive(.flags = FIN | ACK | URG, .seq = 1, .ack = 1, .text = 10, .up = 4);
    expect(.flags = ACK, .seq = 1, .ack = 12);
    receive(.flags = RST, .seq = 12);
    expect_closed(ERR_RESET);
    OOB(false, 1);
}

/* Who RECEIVEs no more loses the octet with the rest, and is still told. */
static void receiving_is_shut(void **state)
{
    (void)state;
    establish_oob();
    receive(.flags = ACK | URG, .seq = 1, .ack = 1, .text = 10, .up = 4);
    tcp_stop_receiving(&the.tcb, the.now_ns);
    OOB(false, ERR_INVAL);
    ignore();
    the.tcb.events = 0;
    receive(.flags = ACK | URG, .seq = 11, .ack = 1, .text = 10, .up = 14);
    expect_events(TCB_EV_ARRIVED | TCB_EV_URGENT);
    OOB(false, 0);
    ignore();
}

/* Text that there is no memory for comes again, its pointer counts already. */
static void no_memory(void **state)
{
    (void)state;
    establish_oob();
    test_mem_fail_at(&the.mem, 1);
    receive(.flags = ACK | URG, .seq = 1, .ack = 1, .text = 10, .up = 10);
    expect(.flags = ACK, .seq = 1, .ack = 1);
    expect_events(TCB_EV_URGENT);
    OOB(false, ERR_AGAIN);
    test_mem_fail_at(&the.mem, 0);
    receive(.flags = ACK | URG, .seq = 1, .ack = 1, .text = 10, .up = 10);
    expect_events(TCB_EV_ARRIVED);
    OOB(false, 1);
    ignore();
}

/* ---- Pointers that lie (URGENT/11 and others: memory was read or written by them) ---- */

/* In every state, with and without text, FIN and a hole: the pointer is a number, and no more can
 * be had by it than there is. Buffers have the exact size. */
static void pointers_that_lie(void **state)
{
    (void)state;
    const uint16_t ups[] = {0, 1, 9, 10, 11, 12, 32767, 32768, 65534, 65535};
    const unsigned flags[] = {URG,       URG | ACK,       URG | ACK | FIN,
                              URG | SYN, URG | SYN | ACK, URG | ACK | PSH};
    for (unsigned k = 0, i = 0; k < 2640; k++, i = (i + 37) % 2640) { /* all, in another order */
        if (k == 72)
            no_memory_spares(); /* the rest has ten thousand allocations of the same kinds */
        enum tcp_state s = (enum tcp_state)(i / 240);
        uint32_t hole = i % 2 ? 5 : 0, text = i % 4 < 2 ? 10 : 0;
        reach(s);
        user_sets(oobinline, i % 3 == 0);
        batch();
        receive(.flags = flags[i / 4 % 6], .seq = theirs() + hole, .ack = ours(), .text = text,
                .up = ups[i / 24 % 10]);
        batch();
        receive(.flags = ACK | URG, .seq = theirs(), .ack = ours(), .up = 3); /* moves back */
        uint64_t left = tcp_urgent_left(&the.tcb), unread = rcvq_len(&the.tcb.rcvq);
        assert_true(left <= 65535 + 10u && unread <= 10);
        uint8_t *octet = exact_copy("", 1), *buf = malloc(unread + 1);
        int got = tcp_urgent_receive(&the.tcb, octet, false);
        assert_true(got <= 1 && (got < 1 || left <= unread));
        int64_t n, sum = 0;
        while ((n = tcp_receive(&the.tcb, buf, unread + 1, false, the.now_ns)) > 0)
            sum += n;
        assert_true(sum <= (int64_t)unread);
        assert_int_equal(rcvq_len(&the.tcb.rcvq), 0);
        free(octet);
        free(buf);
        ignore();
        again();
    }
}

/* ---- Numbers that wrap ---- */

static const uint8_t octets[60000];

static void text_arrives(uint64_t len)
{
    struct seg seg;
    for (uint64_t done = 0; done < len; done += sizeof octets) {
        seg = (struct seg){.flags = ACK,
                           .seq = the.tcb.rcv.nxt,
                           .ack = the.tcb.snd.nxt,
                           .wnd = the.peer_wnd,
                           .text_len = sizeof octets,
                           .n_text = 1,
                           .text = {{octets, sizeof octets}}};
        the.now_ns += NS_PER_MS;
        assert_int_equal(tcp_arrives(&the.tcb, &seg, the.now_ns), ARRIVES_TAKEN);
        assert_int_equal(tcp_urgent_left(&the.tcb), 0);
        assert_null(tcb_check(&the.tcb));
        while (tcp_output(&the.tcb, &seg, the.now_ns))
            ;
    }
}

/* A pointer long past does not come back, neither after half the sequence space nor after all of
 * it, and new ones count. */
static void long_after(void **state)
{
    (void)state;
    the.config.rcvbuf = the.config.rcvbuf_max = 130000;
    establish(.scale = 2);
    tcp_stop_receiving(&the.tcb, the.now_ns);
    for (int i = 0; i < 3; i++) {
        struct seg seg = {.flags = ACK | URG,
                          .seq = the.tcb.rcv.nxt,
                          .ack = the.tcb.snd.nxt,
                          .wnd = the.peer_wnd,
                          .up = 10};
        the.tcb.events = 0;
        tcp_arrives(&the.tcb, &seg, the.now_ns);
        expect_events(TCB_EV_URGENT);
        assert_int_equal(tcp_urgent_left(&the.tcb), 10);
        no_memory_spares(); /* from here on it is each time the memory of one segment's text */
        text_arrives(UINT64_C(1) << 31);
    }
    assert_true(the.tcb.rcvq.head > UINT64_C(3) << 31);
    ignore();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ladder_test(told_and_counted),
        ladder_test(unread_becomes_urgent),
        ladder_test(with_syn),
        ladder_test(with_the_handshake),
        ladder_test(with_fin),
        ladder_test(beyond_fin),
        ladder_test(window_shut),
        ladder_test(ends_at_the_mark),
        ladder_test(passes_over_the_octet),
        ladder_test(only_the_octet),
        ladder_test(behind_a_hole),
        ladder_test(two_of_them),
        ladder_test(two_of_them_at_the_mark),
        ladder_test(two_of_them_in_line),
        ladder_test(in_line_or_not),
        ladder_test(after_the_end),
        ladder_test(receiving_is_shut),
        ladder_test(no_memory),
        ladder_test(pointers_that_lie),
        ladder_test(long_after),
    };
    return ladder_main(tests);
}
