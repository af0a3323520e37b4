/* RFC 9293 3.4: sequence numbers: what is acknowledged, what is acceptable, and which numbers SYN
 * and FIN have. Every test runs with numbers that wrap in it as well (run.h). */
#include "hosts.h"

/* A number that is acknowledged says that all octets before it have arrived: it is cumulative, over
 * whatever segments they came in. */
static void cumulative(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    arrives(&a, .flags = ACK, .seq = 1001, .ack = 1, .text = 1000);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    arrives(&a, .flags = ACK, .seq = 2001, .ack = 1, .text = 1000);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 3001);
    host_receives(so, 0, 3000);
}

/* (a) An acknowledgment is new if SND.UNA < SEG.ACK =< SND.NXT: everything else changes nothing,
 * and the timer sends again from SND.UNA. */
static void acceptable_ack(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    host_sends(so, 0, 300);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 300);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 101);
    expect_event(so, SOCK_EV_ACKED);
    assert_int_equal(host_status(so).flight, 200);
    const uint32_t other[] = {101, 100, 1, 0, 302, 0x80000101, 0x7fffffff};
    for (unsigned i = 0; i < sizeof other / sizeof *other; i++) {
        arrives(&a, .flags = ACK, .seq = 1, .ack = other[i]);
        (void)all_leaves(); /* those not sent yet, or long ago, get an ACK: 3.10.7.4 */
        assert_int_equal(host_status(so).flight, 200);
    }
    expect_no_event();
    host_later(200);
    leaves(&a, .flags = PSH | ACK, .seq = 101, .ack = 1, .text = 200);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 301);
    expect_event(so, SOCK_EV_ACKED);
    assert_int_equal(host_status(so).flight, 0);
}

/* (b) A segment leaves the retransmission queue when its sequence number and length together are
 * at most what is acknowledged; of others the rest stays. */
static void fully_acknowledged(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    host_sends(so, 0, 2000);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    leaves(&a, .flags = PSH | ACK, .seq = 1001, .ack = 1, .text = 1000);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1000); /* all of the first but an octet */
    assert_int_equal(host_status(so).unsent_or_unacked, 1001);
    host_later(200);
    leaves(&a, .flags = ACK, .seq = 1000, .ack = 1, .text = 1000);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 2001);
    assert_int_equal(host_status(so).unsent_or_unacked, 0);
    host_later(300000);
    nothing_leaves();
}

/* A segment that the window takes: silence, as it has no text. One that is not is answered by
 * <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>. */
static void empty(struct peer *a, uint32_t seq, uint32_t rcv_nxt, bool acceptable)
{
    host_later(1000); /* the ACKs of so many have a limit: RFC 5961 7 */
    arrives(a, .flags = ACK, .seq = seq, .ack = 1);
    if (!acceptable)
        leaves(a, .flags = ACK, .seq = 1, .ack = rcv_nxt);
    nothing_leaves();
}

/* Table 5, length 0 and window above 0: RCV.NXT =< SEG.SEQ < RCV.NXT+RCV.WND. The edge itself is
 * taken too (lib/README.md). */
static void acceptable_empty(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    host_connected(HERE, &a);
    empty(&a, 0, 1, false);
    empty(&a, 1, 1, true);
    empty(&a, 2, 1, true);
    empty(&a, 10000, 1, true);
    empty(&a, 10001, 1, true);
    empty(&a, 10002, 1, false);
    empty(&a, 0x80000002, 1, false);
    empty(&a, 0x7ffffff0, 1, false);
}

/* Table 5, length and window above 0: the first octet or the last lies in the window. */
static void acceptable_text(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    host_later(40);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1001, .wnd = 9000);
    /* none of it, to the left and to the right */
    arrives(&a, .flags = ACK, .seq = 501, .ack = 1, .text = 500);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1001);
    arrives(&a, .flags = ACK, .seq = 10001, .ack = 1, .text = 500);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1001);
    assert_int_equal(host_status(so).unread, 1000);
    /* the last octet */
    arrives(&a, .flags = ACK, .seq = 502, .ack = 1, .text = 500);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1002);
    /* the first, which is the last of the window, is taken, and counts when the rest is there */
    arrives(&a, .flags = ACK, .seq = 10000, .ack = 1, .text = 500);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1002);
    arrives(&a, .flags = ACK, .seq = 1002, .ack = 1, .text = 8998);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 10001, .wnd = ZERO);
    host_receives(so, 0, 10000);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 10001, .wnd = 10000);
}

/* The peer has filled our window. */
static struct sock *window_shut(struct peer *a)
{
    struct sock *so = host_connected(HERE, a);
    arrives(a, .flags = ACK, .seq = 1, .ack = 1, .text = 10000);
    leaves(a, .flags = ACK, .seq = 1, .ack = 10001, .wnd = ZERO);
    host_take_events();
    return so;
}

/* Table 5, window 0: an empty segment has to be at RCV.NXT, and no text is acceptable; what a
 * segment acknowledges counts all the same, so that we can send while our own window is shut. */
static void acceptable_with_a_shut_window(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = window_shut(&a);
    empty(&a, 10001, 10001, true);
    empty(&a, 10002, 10001, false);
    empty(&a, 10000, 10001, false);
    arrives(&a, .flags = ACK, .seq = 10001, .ack = 1, .text = 1);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 10001, .wnd = ZERO);
    assert_int_equal(host_status(so).unread, 10000);
    host_sends(so, 0, 1000);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 10001, .text = 1000);
    arrives(&a, .flags = ACK, .seq = 10001, .ack = 1001);
    expect_event(so, SOCK_EV_ACKED);
}

/* MUST-66: RST and URG count while the window is zero. */
static void rst_and_urg_with_a_shut_window(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = window_shut(&a);
    arrives(&a, .flags = URG | ACK, .seq = 10001, .ack = 1, .up = 3);
    expect_event(so, SOCK_EV_URGENT);
    arrives(&a, .flags = RST, .seq = 10001);
    expect_event(so, SOCK_EV_CLOSED);
    assert_int_equal(stack_error(so), ERR_RESET);
}

/* A SYN has the number before the first octet of its segment's text, a FIN the one behind the last:
 * both are acknowledged, and sent again, like octets. */
static void syn_and_fin_have_numbers(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connect(&a);
    leaves(&a, .flags = SYN, .seq = 0);
    arrives(&a, .flags = SYN | ACK | FIN, .seq = 0, .ack = 1, .text = 10);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 12); /* the SYN is 0, the FIN 11 */
    host_receives(so, 0, 10);
    assert_int_equal(host_recv(so, 10, 1), 0);
    host_sends(so, 0, 20);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 12, .text = 20);
    host_close(so);
    leaves(&a, .flags = FIN | ACK, .seq = 21, .ack = 12);
    arrives(&a, .flags = ACK, .seq = 12, .ack = 21); /* all but the FIN */
    host_later(200);
    leaves(&a, .flags = FIN | ACK, .seq = 21, .ack = 12);
    arrives(&a, .flags = ACK, .seq = 12, .ack = 22);
    host_later(60000);
    assert_int_equal(stack_sock_count(host.stack), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(cumulative),
        host_test(acceptable_ack),
        host_test(fully_acknowledged),
        host_test(acceptable_empty),
        host_test(acceptable_text),
        host_test(acceptable_with_a_shut_window),
        host_test(rst_and_urg_with_a_shut_window),
        host_test(syn_and_fin_have_numbers),
    };
    return host_main(tests);
}
