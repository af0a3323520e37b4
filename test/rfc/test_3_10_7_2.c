/* RFC 9293 3.10.7.2: SEGMENT ARRIVES, LISTEN, check by check. */
#include "hosts.h"

static void nothing_has_happened(const struct sock *l)
{
    nothing_leaves();
    expect_no_event();
    assert_int_equal(stack_state(l), STATE_LISTEN);
    assert_int_equal(stack_sock_count(host.stack), 1);
}

/* First: a RST is ignored, whatever else the segment has. */
static void first_rst(void **state)
{
    (void)state;
    struct sock *l = host_listen(80, 5);
    struct peer a = peer(1, 80);
    for (unsigned flags = 0; flags < 64; flags++) {
        if (flags & RST)
            arrives(&a, .flags = flags, .seq = flags == (RST | ACK) ? a.irs : 0, .ack = 77);
    }
    nothing_has_happened(l);
}

/* Second: any ACK is bad, and gets <SEQ=SEG.ACK><CTL=RST>. */
static void second_ack(void **state)
{
    (void)state;
    struct sock *l = host_listen(80, 5);
    struct peer a = peer(1, 80);
    for (unsigned flags = 0; flags < 64; flags++) {
        if (flags & RST || !(flags & ACK))
            continue;
        arrives(&a, .flags = flags, .seq = 0, .ack = 77 + flags, .text = 3);
        leaves(&a, .flags = RST, .seq = 77 + flags);
    }
    nothing_has_happened(l);
}

/* Third: a SYN: RCV.NXT is SEG.SEQ+1, and <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK> goes. (Security:
 * A.1.) The remote socket, which was open, is filled in. */
static void third_syn(void **state)
{
    (void)state;
    struct sock *l = host_listen(80, 5);
    struct peer a = peer(1, 80), b = peer(2, 80);
    arrives(&a, .flags = SYN, .seq = 0, .mss = 1000);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .wnd = 10000, .mss = HOST_MSS,
           .scale = NONE);
    arrives(&b, .flags = SYN | PSH | URG, .seq = 0, .mss = 1000, .up = 9);
    leaves(&b, .flags = SYN | ACK, .seq = 0, .ack = 1);
    expect_no_event(); /* it is not open yet */
    arrives(&b, .flags = ACK, .seq = 1, .ack = 1);
    expect_event(l, SOCK_EV_COMPLETED);
    expect_peer(host_accept(l), &b);
}

/* Other controls and text that come with the SYN should be queued. They are not kept
 * (lib/README.md): not acknowledged, and taken when they come again. */
static void third_syn_with_text_and_fin(void **state)
{
    (void)state;
    struct sock *l = host_listen(80, 5);
    struct peer a = peer(1, 80);
    arrives(&a, .flags = SYN | FIN, .seq = 0, .text = 20, .mss = 1000);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = 1, .text = 20);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 22);
    struct sock *so = host_accept(l);
    assert_int_equal(stack_state(so), STATE_CLOSE_WAIT);
    host_receives(so, 0, 20);
    assert_int_equal(host_recv(so, 20, 1), 0);
}

/* Fourth: what has none of them is dropped. */
static void fourth_other(void **state)
{
    (void)state;
    struct sock *l = host_listen(80, 5);
    struct peer a = peer(1, 80);
    for (unsigned flags = 0; flags < 64; flags++) {
        if (!(flags & (RST | ACK | SYN)))
            arrives(&a, .flags = flags, .seq = 0, .text = 3);
    }
    nothing_has_happened(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(first_rst),    host_test(second_ack),
        host_test(third_syn),    host_test(third_syn_with_text_and_fin),
        host_test(fourth_other),
    };
    return host_main(tests);
}
