/* RFC 5961: the three defences against blind attacks, and their limit. Which states they are for is
 * in test_3_10_7_4.c. */
#include "hosts.h"

/* ---- 3: RST ---- */

/* 3.2: outside of the window: silence; RCV.NXT: reset; elsewhere inside: a challenge ACK. At each
 * border of the window, which is [1, 10001). */
static void rst_by_its_number(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    const uint32_t outside[] = {0, (uint32_t)-1000, 10001, 10002, 0x80000001},
                   inside[] = {2, 5000, 10000};
    for (unsigned i = 0; i < 5; i++) {
        arrives(&a, .flags = RST, .seq = outside[i]);
        nothing_leaves();
    }
    arrives(&a, .flags = RST, .seq = (uint32_t)-4, .text = 10); /* its text reaches inside */
    nothing_leaves();
    for (unsigned i = 0; i < 3; i++) {
        arrives(&a, .flags = RST, .seq = inside[i]);
        leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    }
    assert_int_equal(stack_state(so), STATE_ESTABLISHED);
    arrives(&a, .flags = RST, .seq = 1);
    assert_int_equal(stack_error(so), ERR_RESET);
    nothing_leaves();
}

/* A peer that has really gone answers the challenge by a RST with the number that the ACK names. */
static void rst_confirmed(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    arrives(&a, .flags = RST, .seq = 501); /* text before it was lost */
    struct headers challenge = headers_leave();
    assert_int_equal(challenge.flags, ACK);
    arrives(&a, .flags = RST, .seq = challenge.ack - a.irs);
    assert_int_equal(stack_error(so), ERR_RESET);
}

/* The segment with the RST is dropped: its ACK, window and text do nothing; what comes next is
 * processed as ever. */
static void rst_is_dropped(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    host_sends(so, 0, 100);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 100);
    arrives(&a, .flags = RST | ACK | PSH, .seq = 2, .ack = 101, .text = 10, .wnd = 77);
    leaves(&a, .flags = ACK, .seq = 101, .ack = 1);
    assert_int_equal(host_status(so).flight, 100);
    assert_int_equal(host_status(so).snd_wnd, 10000);
    a.wnd = 10000;
    arrives(&a, .flags = ACK, .seq = 1, .ack = 101, .text = 10);
    host_receives(so, 0, 10);
    host_later(40);
    leaves(&a, .flags = ACK, .seq = 101, .ack = 11);
}

/* SYN-SENT: acceptable if the ACK is of the SYN, else silently discarded. */
static void rst_in_syn_sent(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_reach(&a, STATE_SYN_SENT);
    arrives(&a, .flags = RST, .seq = 1);
    arrives(&a, .flags = RST | ACK, .seq = 0, .ack = 0);
    arrives(&a, .flags = RST | ACK, .seq = 0, .ack = 2);
    nothing_leaves();
    assert_int_equal(stack_state(so), STATE_SYN_SENT);
    arrives(&a, .flags = RST | ACK, .seq = 0, .ack = 1);
    assert_int_equal(stack_state(so), STATE_CLOSED);
}

/* ---- 4: SYN ---- */

/* 4.2: a challenge ACK whatever its number, and the segment is dropped. */
static void syn_by_its_number(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    const uint32_t seqs[] = {1, 2, 10000, 10001, 0, 0x80000001};
    for (unsigned i = 0; i < 6; i++) {
        arrives(&a, .flags = SYN, .seq = seqs[i], .wnd = 77);
        leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    }
    assert_int_equal(stack_state(so), STATE_ESTABLISHED);
    assert_int_equal(host_status(so).snd_wnd, 10000);
    host_sends(so, 0, 100);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 100);
    arrives(&a, .flags = SYN | ACK | FIN, .seq = 1, .ack = 101, .text = 10);
    leaves(&a, .flags = ACK, .seq = 101, .ack = 1);
    assert_int_equal(host_status(so).flight, 100);
    assert_int_equal(host_status(so).unread, 0);
    assert_int_equal(stack_state(so), STATE_ESTABLISHED);
}

/* A peer that has restarted answers by a RST; the connection ends, and its next SYN finds a
 * listener. */
static void syn_confirmed(void **state)
{
    (void)state;
    struct peer a = peer(1, 80);
    struct sock *l = host_listen(80, 5);
    host_handshake(HERE, &a);
    struct sock *old = host_accept(l);
    host_take_events();
    arrives(&a, .flags = SYN, .seq = 700000);
    struct headers challenge = headers_leave();
    arrives(&a, .flags = RST, .seq = challenge.ack - a.irs);
    assert_int_equal(stack_error(old), ERR_RESET);
    host_take_events();
    a.irs += 700000;
    host_handshake(HERE, &a);
    expect_event(l, SOCK_EV_COMPLETED);
}

/* ---- 5: data ---- */

/* 5.2: SND.UNA - MAX.SND.WND =< SEG.ACK =< SND.NXT, else an ACK, and all of the segment is dropped:
 * text and FIN. MAX.SND.WND is the largest window that ever was, and it is scaled. */
static void data_by_its_ack(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    a.wnd = 1000;
    struct sock *so = host_connect(&a);
    leaves(&a, .flags = SYN, .seq = 0);
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .scale = 2);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = 3000); /* 12000, the largest */
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = 500);
    host_sends(so, 0, 100);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 100);
    const uint32_t bad[] = {102, 0x80000001, 1u - 12001};
    for (unsigned i = 0; i < 3; i++) {
        arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = bad[i], .text = 10);
        leaves(&a, .flags = ACK, .seq = 101, .ack = 1);
        assert_int_equal(stack_state(so), STATE_ESTABLISHED);
        assert_int_equal(host_status(so).unread, 0);
    }
    arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = 1u - 12000, .text = 10);
    leaves(&a, .flags = ACK, .seq = 101, .ack = 12);
    assert_int_equal(stack_state(so), STATE_CLOSE_WAIT);
}

/* ---- 7: throttling ---- */

/* Ten challenges in five seconds, for RST, SYN and ACK together; then silence until they are over.
 */
static void ten_in_five_seconds(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    for (unsigned round = 0; round < 3; round++) {
        host_at(5000 * round);
        for (unsigned i = 0; i < 30; i++) {
            switch (i % 3) {
            case 0:
                arrives(&a, .flags = RST, .seq = 100);
                break;
            case 1:
                arrives(&a, .flags = SYN, .seq = 100);
                break;
            default:
                arrives(&a, .flags = ACK, .seq = 1, .ack = 20000);
                break;
            }
            if (i < 10)
                leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
            nothing_leaves();
        }
        host_at(5000 * round + 4999);
        arrives(&a, .flags = RST, .seq = 100);
        nothing_leaves();
    }
    assert_int_equal(stack_state(so), STATE_ESTABLISHED);
}

/* A SYN outside of the window is challenged like one inside, and counts with it. The SYN,ACK again
 * asks for the ACK that was lost, and does not. */
static void syns_outside_of_the_window(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    host_connected(HERE, &a);
    for (unsigned i = 0; i < 30; i++) {
        arrives(&a, .flags = i % 2 ? SYN : SYN | ACK, .seq = 0x80000001, .ack = 1);
        if (i < 10)
            leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
        nothing_leaves();
    }
    for (unsigned i = 0; i < 30; i++) {
        arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
        leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    }
    arrives(&a, .flags = SYN, .seq = 100);
    nothing_leaves();
}

/* The limit is each connection's own: what one has used up says nothing about another
 * (CVE-2016-5696). */
static void limit_per_connection(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), b = peer(2, 0);
    host_connected(HERE, &a);
    host_connected(HERE, &b);
    for (unsigned i = 0; i < 20; i++) {
        arrives(&a, .flags = RST, .seq = 100);
        (void)all_leaves();
    }
    for (unsigned i = 0; i < 10; i++) {
        arrives(&b, .flags = RST, .seq = 100);
        leaves(&b, .flags = ACK, .seq = 1, .ack = 1);
    }
}

/* What the peer itself needs goes on: the ACK of text, the answer to a probe. */
static void limit_spares_the_peer(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    for (unsigned i = 0; i < 20; i++) {
        arrives(&a, .flags = RST, .seq = 100);
        (void)all_leaves();
    }
    arrives(&a, .flags = ACK, .seq = 0, .ack = 1); /* a keep-alive */
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 2000);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 2001);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 2000); /* again, as our ACK was lost */
    leaves(&a, .flags = ACK, .seq = 1, .ack = 2001);
    host_receives(so, 0, 2000);
    arrives(&a, .flags = RST, .seq = 2001); /* and a RST that is right */
    assert_int_equal(stack_state(so), STATE_CLOSED);
}

/* 10: two ends that challenge each other don't do so for ever. */
static void no_storm(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    host_connected(HERE, &a);
    unsigned n = 0;
    for (unsigned i = 0; i < 1000; i++) { /* each ACK of ours is answered by one that is as bad */
        host_later(1);
        arrives(&a, .flags = ACK, .seq = 30000, .ack = 1);
        n += all_leaves();
    }
    assert_int_equal(n, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(rst_by_its_number),
        host_test(rst_confirmed),
        host_test(rst_is_dropped),
        host_test(rst_in_syn_sent),
        host_test(syn_by_its_number),
        host_test(syn_confirmed),
        host_test(data_by_its_ack),
        host_test(ten_in_five_seconds),
        host_test(syns_outside_of_the_window),
        host_test(limit_per_connection),
        host_test(limit_spares_the_peer),
        host_test(no_storm),
    };
    return host_main(tests);
}
