/* RFC 9293 3.10.7.1: SEGMENT ARRIVES, CLOSED. */
#include "hosts.h"

/* A RST is discarded; everything else is answered by one that its sender will believe, and what it
 * carries is discarded. The 64 sets of control bits are in test_3_5_2.c: no_connection. */
static void without_an_ack(void **state)
{
    (void)state;
    struct peer a = peer(1, 9);
    arrives(&a, .flags = SYN, .seq = 0);
    leaves(&a, .flags = RST | ACK, .seq = 0, .ack = 1);
    arrives(&a, .flags = SYN | FIN, .seq = 0, .text = 100);
    leaves(&a, .flags = RST | ACK, .seq = 0, .ack = 102);
    arrives(&a, .flags = 0, .seq = 7);
    leaves(&a, .flags = RST | ACK, .seq = 0, .ack = 7);
}

static void with_an_ack(void **state)
{
    (void)state;
    struct peer a = peer(1, 9);
    arrives(&a, .flags = ACK, .seq = 7, .ack = 1234, .text = 100);
    leaves(&a, .flags = RST, .seq = 1234);
    arrives(&a, .flags = SYN | ACK, .seq = 7, .ack = 1235);
    leaves(&a, .flags = RST, .seq = 1235);
}

static void rst(void **state)
{
    (void)state;
    struct peer a = peer(1, 9);
    arrives(&a, .flags = RST, .seq = 7);
    arrives(&a, .flags = RST | ACK, .seq = 7, .ack = 8);
    arrives(&a, .flags = RST | SYN, .seq = 7);
    nothing_leaves();
}

/* "Acceptable to who sent the offending segment": a peer in SYN-SENT takes the answer to its SYN,
 * one in ESTABLISHED that to its text. */
static void the_answer_is_believed(void **state)
{
    (void)state;
    struct peer there = peer(1, 9), here = peer(2, 0);
    struct sock *so = host_reach(&here, STATE_SYN_SENT); /* the sender; the two need not be one */
    arrives(&there, .flags = SYN, .seq = 0);
    struct headers rst = headers_leave();
    assert_int_equal(rst.ack, there.irs + 1);
    arrives(&here, .flags = RST | ACK, .seq = 0, .ack = 1);
    assert_int_equal(stack_error(so), ERR_REFUSED);
    struct peer b = peer(3, 0);
    host_take_events();
    so = host_connected(HERE, &b);
    arrives(&there, .flags = ACK, .seq = 5, .ack = 1);
    rst = headers_leave();
    assert_int_equal(rst.seq, there.iss + 1);
    arrives(&b, .flags = RST, .seq = 1);
    assert_int_equal(stack_error(so), ERR_RESET);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(without_an_ack),
        host_test(with_an_ack),
        host_test(rst),
        host_test(the_answer_is_believed),
    };
    return host_main(tests);
}
