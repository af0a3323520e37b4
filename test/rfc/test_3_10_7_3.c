/* RFC 9293 3.10.7.3: SEGMENT ARRIVES, SYN-SENT, check by check. */
#include "hosts.h"

static void still_waits(struct sock *so)
{
    nothing_leaves();
    expect_no_event();
    assert_int_equal(stack_state(so), STATE_SYN_SENT);
}

/* First: SEG.ACK =< ISS or SEG.ACK > SND.NXT: a RST, unless the segment is one. */
static void first_ack(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_reach(&a, STATE_SYN_SENT);
    const uint32_t bad[] = {0, (uint32_t)-1, 2, 3, 0x80000000, 0x7fffffff};
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        for (unsigned flags = 0; flags < 64; flags++) {
            if (!(flags & ACK))
                continue;
            arrives(&a, .flags = flags, .seq = flags == (RST | ACK) ? a.irs : 0, .ack = bad[i]);
            if (!(flags & RST))
                leaves(&a, .flags = RST, .seq = bad[i]);
        }
    }
    still_waits(so);
}

/* Second: a RST with an acceptable ACK ends it: for POSIX the connection was refused
 * (lib/README.md). Without an ACK it is dropped. */
static void second_rst(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_reach(&a, STATE_SYN_SENT);
    arrives(&a, .flags = RST, .seq = 0);
    arrives(&a, .flags = RST | SYN, .seq = 0);
    still_waits(so);
    arrives(&a, .flags = RST | SYN | ACK, .seq = 0, .ack = 1); /* before the SYN is looked at */
    nothing_leaves();
    expect_event(so, SOCK_EV_CLOSED);
    assert_int_equal(stack_error(so), ERR_REFUSED);
}

/* Fourth: a SYN, and our SYN is acknowledged: ESTABLISHED, <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>. */
static void fourth_syn_with_ack(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_reach(&a, STATE_SYN_SENT);
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .wnd = 3000, .mss = 700);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = 10000);
    expect_event(so, SOCK_EV_COMPLETED);
    assert_int_equal(host_status(so).snd_wnd, 3000);
    assert_int_equal(host_status(so).flight, 0);
    host_at(5000); /* nothing is left to be sent again */
    nothing_leaves();
}

/* What else the SYN,ACK carries is processed from the sixth step on; one ACK is for all of it. */
static void fourth_with_text_and_fin(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_reach(&a, STATE_SYN_SENT);
    arrives(&a, .flags = SYN | ACK | FIN | URG, .seq = 0, .ack = 1, .text = 20, .up = 5);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 22);
    expect_event(so, SOCK_EV_COMPLETED | SOCK_EV_ARRIVED | SOCK_EV_URGENT);
    assert_int_equal(stack_state(so), STATE_CLOSE_WAIT);
}

/* U-3: what waits to be sent may go with that ACK. */
static void fourth_with_text_of_ours(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_reach(&a, STATE_SYN_SENT);
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
    host_batch();
    host_sends(so, 0, 10);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    nothing_leaves();
}

/* Otherwise SYN-RECEIVED and <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK>, with the peer's window taken.
 * Text that the SYN carries waits until ESTABLISHED. (What else it carries does not:
 * lib/README.md.) */
static void fourth_syn_alone(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_reach(&a, STATE_SYN_SENT);
    arrives(&a, .flags = SYN, .seq = 0, .wnd = 3000, .mss = 700, .text = 20);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = HOST_MSS);
    expect_no_event();
    assert_int_equal(stack_state(so), STATE_SYN_RECEIVED);
    assert_int_equal(host_status(so).snd_wnd, 3000);
    arrives(&a, .flags = ACK, .seq = 21, .ack = 1);
    expect_event(so, SOCK_EV_COMPLETED | SOCK_EV_ARRIVED);
    host_receives(so, 0, 20);
    host_at(40);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 21);
}

/* Fifth: neither SYN nor RST: dropped, also with an ACK that would be good. */
static void fifth_other(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_reach(&a, STATE_SYN_SENT);
    for (unsigned flags = 0; flags < 64; flags++) {
        if (!(flags & (SYN | RST)))
            arrives(&a, .flags = flags, .seq = 1, .ack = 1, .text = 5);
    }
    still_waits(so);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(first_ack),
        host_test(second_rst),
        host_test(fourth_syn_with_ack),
        host_test(fourth_with_text_and_fin),
        host_test(fourth_with_text_of_ours),
        host_test(fourth_syn_alone),
        host_test(fifth_other),
    };
    return host_main(tests);
}
