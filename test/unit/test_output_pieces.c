/* output.c: text that lies in many pieces of memory. */
#include "no_memory.h"
#include "segments.h"

/* So many octets of our stream in memory of their own. */
static void gives(uint8_t *octets, size_t n)
{
    bool ok = sndq_give(&the.tcb.busy->sndq, octets, 0, n);
    no_memory_told(!ok);
    assert_true(ok);
}

/* Text from many pieces of the send queue than a segment can refer to: it goes in two. */
static void more_pieces_than_references(void **state)
{
    (void)state;
    the.path.super_max = 64000;
    establish(.wnd = 60000);
    the.tcb.busy->cc.cwnd = 60000;
    the.tcb.last_sent_ns = the.now_ns; /* or it would count as idle */
    static uint8_t octets[20 * 300];   /* lent until the connection's end */
    for (unsigned i = 0; i < sizeof octets; i++)
        octets[i] = stream_octet(false, i);
    for (unsigned i = 0; i < 20; i++)
        gives(octets + 300 * i, 300);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 2000);
    expect(.flags = ACK, .seq = 2001, .ack = 1, .text = 2000);
    expect(.flags = PSH | ACK, .seq = 4001, .ack = 1, .text = 2000);
    receive(.flags = ACK, .seq = 1, .ack = 6001);
}

/* Text in many pieces that is sent again together with new text. */
static void pieces_again_with_new_text(void **state)
{
    (void)state;
    the.config.nodelay = true;
    establish();
    static uint8_t octets[40];
    for (unsigned i = 0; i < sizeof octets; i++)
        octets[i] = stream_octet(false, i);
    for (uint32_t i = 0; i < 20; i++) {
        gives(octets + i, 1);
        expect(.flags = PSH | ACK, .seq = 1 + i, .ack = 1, .text = 1);
    }
    user_sets(nodelay, false);
    for (uint32_t i = 20; i < 40; i++)
        gives(octets + i, 1);
    expect_silence();
    at(400);
    ignore();
    assert_int_equal(ours(), 25); /* what had been sent, and as much as the last segment holds */
    receive(.flags = ACK, .seq = 1, .ack = 25);
    ignore();
    receive(.flags = ACK, .seq = 1, .ack = ours());
    ignore();
    assert_int_equal(ours(), 41);
    receive(.flags = ACK, .seq = 1, .ack = 41);
}

/* What is sent again is counted in segments, as Linux counts tcpi_total_retrans, however many go at
 * once. RFC 5681 3.1: after the timeout one, then two. */
static void segments_again_at_once(void **state)
{
    (void)state;
    the.path.super_max = 64000;
    establish(.wnd = 60000);
    user_sends(6000);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 6000);
    at(400);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    assert_int_equal(the.tcb.resent, 1);
    receive(.flags = ACK, .seq = 1, .ack = 1001);
    expect(.flags = ACK, .seq = 1001, .ack = 1, .text = 2000);
    assert_int_equal(the.tcb.resent, 3);
    assert_int_equal(the.tcb.octets_resent, 3000);
    receive(.flags = ACK, .seq = 1, .ack = 6001);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ladder_test(more_pieces_than_references),
        ladder_test(pieces_again_with_new_text),
        ladder_test(segments_again_at_once),
    };
    return ladder_main(tests);
}
