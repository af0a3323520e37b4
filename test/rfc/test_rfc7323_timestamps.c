/* RFC 7323 3 and 4: the Timestamps option, what is echoed, and the round trip. Window scale is
 * test_rfc7323.c's, PAWS test_rfc7323_paws.c's. */
#include "stamped.h"

/* ---- 3.2: the option ---- */

/* The offer: TSval is the clock's, TSecr is zero without ACK. Agreed, every segment has it: text, a
 * pure ACK, FIN; and from the first on what the peer's SYN had is echoed. */
static void in_every_segment(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = connected(&a, 100);
    host_later(5);
    uint32_t mss = (uint32_t)HOST_MSS - 12;
    host_sends(so, 0, mss + 500);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = mss, TS(5, 100));
    leaves(&a, .flags = PSH | ACK, .seq = 1 + mss, .ack = 1, .text = 500, TS(5, 100));
    host_later(7);
    uint32_t end = mss + 501;
    arrives(&a, .flags = ACK, .seq = 1, .ack = end, TS(115, 5), .text = 10);
    host_later(40);
    leaves(&a, .flags = ACK, .seq = end, .ack = 11, TS(52, 115));
    host_shutdown_send(so);
    leaves(&a, .flags = FIN | ACK, .seq = end, .ack = 11, TS(52, 115));
    arrives(&a, .flags = FIN | ACK, .seq = 11, .ack = end + 1, TS(130, 52));
    leaves(&a, .flags = ACK, .seq = end + 1, .ack = 12, TS(52, 130));
}

/* So has a SYN,ACK, if the SYN had it, and what is sent again; and the listener's connection. */
static void of_a_listener(void **state)
{
    (void)state;
    struct peer a = peer(1, 80), b = peer(2, 80);
    struct sock *l = host_listen(80, 5);
    arrives(&a, .flags = SYN, .seq = 0, .mss = 1000, TS(50, 0));
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, TS(0, 50));
    host_at(1000);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, TS(1000, 50));
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, TS(1060, 1000));
    expect_event(l, SOCK_EV_COMPLETED);
    struct sock *so = host_accept(l);
    assert_true(host_status(so).timestamps);
    host_sends(so, 0, 10);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10, TS(1000, 1060));
    host_later(200);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10, TS(1200, 1060));
    arrives(&b, .flags = SYN, .seq = 0, .mss = 1000);
    leaves(&b, .flags = SYN | ACK, .seq = 0, .ack = 1, .ts = NONE);
}

/* Not answered, or not wanted: no segment has it, and what has it all the same is as any other. */
static void not_negotiated(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), b = peer(2, 80);
    struct sock *so = host_connect(&a);
    leaves(&a, .flags = SYN, .seq = 0, TS(0, 0));
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = HOST_MSS);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .ts = NONE);
    assert_false(host_status(so).timestamps);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 10, TS(7, 0));
    host_later(40);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 11, .ts = NONE);
    arrives(&a, .flags = ACK, .seq = 11, .ack = 1, .text = 10, TS(3, 0)); /* not old to us */
    host_later(40);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 21, .ts = NONE);
    uint32_t mss = (uint32_t)HOST_MSS;
    host_sends(so, 0, 2 * mss);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 21, .text = mss, .ts = NONE);
    (void)all_leaves();
    host.config.tcp.timestamps = false;
    host_start();
    host_listen(80, 5);
    arrives(&b, .flags = SYN, .seq = 0, TS(50, 0));
    leaves(&b, .flags = SYN | ACK, .seq = 0, .ack = 1, .ts = NONE);
    a = peer(3, 0);
    host_connect(&a);
    leaves(&a, .flags = SYN, .seq = 0, .ts = NONE);
}

/* What lacks it is dropped without a word, and the connection goes on; a SYN is answered as any
 * (RFC 5961 4.2), and a RST needs none. */
static void missing(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = connected(&a, 100);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 10);
    arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = 5000);
    arrives(&a, .flags = ACK, .seq = 5, .ack = 900);
    nothing_leaves();
    assert_int_equal(stack_state(so), STATE_ESTABLISHED);
    assert_int_equal(host_status(so).snd_wnd, 10000);
    assert_int_equal(host_status(so).unread, 0);
    arrives(&a, .flags = SYN, .seq = 77);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, TS(0, 100));
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 10, TS(100, 0));
    host_later(40);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 11, TS(40, 100));
    arrives(&a, .flags = RST, .seq = 11);
    assert_int_equal(stack_state(so), STATE_CLOSED);
}

/* Crossing SYNs, both with it: agreed. One without: not. */
static void crossing_syns(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), b = peer(2, 0);
    struct sock *so = host_connect(&a);
    leaves(&a, .flags = SYN, .seq = 0, TS(0, 0));
    arrives(&a, .flags = SYN, .seq = 0, .mss = 1000, TS(30, 0));
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, TS(0, 30));
    host_later(3);
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000, TS(33, 0));
    assert_int_equal(stack_state(so), STATE_ESTABLISHED);
    assert_true(host_status(so).timestamps);
    host_sends(so, 0, 10);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10, TS(3, 33));
    host_take_events();
    so = host_connect(&b);
    leaves(&b, .flags = SYN, .seq = 0, TS(3, 0));
    arrives(&b, .flags = SYN, .seq = 0, .mss = 1000);
    leaves(&b, .flags = SYN | ACK, .seq = 0, .ack = 1, .ts = NONE);
    arrives(&b, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
    assert_int_equal(stack_state(so), STATE_ESTABLISHED);
    assert_false(host_status(so).timestamps);
}

/* 5.2: a RST of a connection has it; one that answers a segment has none, which is Linux's way: as
 * recommended, with TSval zero, Linux would drop it. */
static void in_a_reset(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), b = peer(2, 80);
    struct sock *so = connected(&a, 100);
    host_later(9);
    host_abort(so);
    leaves(&a, .flags = RST | ACK, .seq = 1, .ack = 1, TS(9, 100));
    arrives(&b, .flags = ACK, .seq = 5, .ack = 99, TS(12345, 0));
    leaves(&b, .flags = RST, .seq = 99, .ts = NONE);
    arrives(&b, .flags = SYN, .seq = 0, TS(12345, 0));
    leaves(&b, .flags = RST | ACK, .ack = 1, .ts = NONE);
}

/* ---- 4.1, 4.2: the round trip ---- */

/* Without loss our own clock, which is finer, tells it; one sample in each round trip. */
static void one_sample_a_round_trip(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = connected(&a, 100);
    host_sends(so, 0, 10);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10, TS(0, 100));
    host.now_ns += 12345678; /* 12.3 ms */
    arrives(&a, .flags = ACK, .seq = 1, .ack = 11, TS(112, 0));
    assert_in_range(host_status(so).srtt_ns, 12345000 / 8 - 8000, 12345000 / 8 + 8000);
}

/* After a round trip of 100 ms text has gone at 100, and again at 400. */
static struct sock *sent_again(struct peer *a)
{
    struct sock *so = after_a_round_trip(a, 100);
    host_sends(so, 0, 10);
    leaves(a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10, TS(100, 100));
    host_at(400);
    leaves(a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10, TS(400, 100));
    return so;
}

/* The TSecr of what was sent again tells which of the sendings has arrived: the second, */
static void of_the_second_sending(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = sent_again(&a);
    assert_int_equal(host_status(so).backoff, 1);
    host_at(420);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 11, TS(520, 400));
    assert_int_equal(host_status(so).backoff, 0);
    assert_int_equal(host_status(so).srtt_ns, 90 * NS_PER_MS);
}

/* or the first, whose ACK was only late, or was lost: that is no sample (Appendix E). */
static void of_the_first_sending(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = sent_again(&a);
    host_at(420);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 11, TS(520, 100));
    assert_int_equal(host_status(so).backoff, 1);
    assert_int_equal(host_status(so).srtt_ns, 100 * NS_PER_MS);
}

/* RTTM Rule: no sample from a segment that does not advance SND.UNA; nor from an echo of what was
 * never sent. */
static void no_sample(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = sent_again(&a);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 10, TS(520, 0));
    assert_int_equal(host_status(so).srtt_ns, 100 * NS_PER_MS);
    host_later(40);
    leaves(&a, .flags = ACK, .seq = 11, .ack = 11, TS(440, 520));
    arrives(&a, .flags = ACK, .seq = 11, .ack = 11, TS(520, 10000));
    assert_int_equal(host_status(so).srtt_ns, 100 * NS_PER_MS);
    assert_int_equal(host_status(so).backoff, 1);
}

/* Our SYN was lost: its second sending is measured (Appendix D: "the initial RTT estimate"). */
static void of_a_syn(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connect(&a);
    leaves(&a, .flags = SYN, .seq = 0, TS(0, 0));
    host_at(1000);
    leaves(&a, .flags = SYN, .seq = 0, TS(1000, 0));
    host_at(1030);
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000, TS(5, 1000));
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, TS(1030, 5));
    assert_int_equal(host_status(so).srtt_ns, 30 * NS_PER_MS);
}

/* ---- 4.3: which timestamp to echo ---- */

/* (A), the first figure: delayed ACKs echo the earliest segment that is not acknowledged. */
static void delayed_acks(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    connected(&a, 0);
    host_batch();
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 100, TS(1, 0));
    host_batch();
    arrives(&a, .flags = ACK, .seq = 101, .ack = 1, .text = 100, TS(2, 0));
    host_batch();
    arrives(&a, .flags = ACK, .seq = 201, .ack = 1, .text = 100, TS(3, 0));
    leaves(&a, .flags = ACK, .seq = 1, .ack = 301, TS(0, 1));
    arrives(&a, .flags = ACK, .seq = 301, .ack = 1, .text = 100, TS(4, 0));
    host_later(40);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 401, TS(40, 4));
}

/* (B), (C), the second figure: A, C, B, E, D. */
static void out_of_order(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = connected(&a, 0);
    host_set(so, nodelay, true);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 100, TS(1, 0));
    host_later(40);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 101, TS(40, 1));
    arrives(&a, .flags = ACK, .seq = 201, .ack = 1, .text = 100, TS(3, 0));
    leaves(&a, .flags = ACK, .seq = 1, .ack = 101, TS(40, 1));
    arrives(&a, .flags = ACK, .seq = 101, .ack = 1, .text = 100, TS(2, 0));
    leaves(&a, .flags = ACK, .seq = 1, .ack = 301, TS(40, 2));
    arrives(&a, .flags = ACK, .seq = 401, .ack = 1, .text = 100, TS(5, 0));
    leaves(&a, .flags = ACK, .seq = 1, .ack = 301, TS(40, 2));
    arrives(&a, .flags = ACK, .seq = 301, .ack = 1, .text = 100, TS(4, 0));
    leaves(&a, .flags = ACK, .seq = 1, .ack = 501, TS(40, 4));
}

/* A segment that ends at RCV.NXT: its ACK was lost, and its second sending is what the answer is
 * to. */
static void sent_again_for_us(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    connected(&a, 0);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 100, TS(1, 0));
    host_later(40);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 101, TS(40, 1));
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 100, TS(301, 0));
    leaves(&a, .flags = ACK, .seq = 1, .ack = 101, TS(40, 301));
}

/* So is the peer's SYN. */
static void syn_sent_again(void **state)
{
    (void)state;
    struct peer a = peer(1, 80);
    host_listen(80, 5);
    arrives(&a, .flags = SYN, .seq = 0, .mss = 1000, TS(50, 0));
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, TS(0, 50));
    host_later(500);
    arrives(&a, .flags = SYN, .seq = 0, .mss = 1000, TS(550, 0));
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, TS(500, 550));
}

/* RFC 2018 3, with it: three blocks at most; and what the text has no room for goes by itself. */
static void three_blocks(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    host_connect(&a);
    leaves(&a, .flags = SYN, .seq = 0, .sack_ok = 1, TS(0, 0));
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000, .sack_ok = 1, TS(0, 0));
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, TS(0, 0));
    for (uint32_t i = 1; i <= 5; i++) {
        arrives(&a, .flags = ACK, .seq = 1 + 200 * i, .ack = 1, .text = 100, TS(i, 0));
        struct headers h = headers_leave();
        assert_int_equal(h.n_options, 16 + 8 * (i < 3 ? i : 3));
        assert_int_equal(h.options[0], 1); /* NOP, NOP, timestamps, NOP, NOP, SACK */
        assert_int_equal(h.options[2], 8);
        assert_int_equal(h.options[12], 1);
        assert_int_equal(h.options[14], 5);
    }
}

/* Appendix A, and as Linux has it: MSS, SACK-permitted, timestamps, NOP, window scale. */
static void layout(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connect(&a);
    struct headers h = headers_leave();
    const uint8_t kinds[] = {[0] = 2, [4] = 4, [6] = 8, [7] = 10, [16] = 1, [17] = 3};
    assert_int_equal(h.n_options, 20);
    for (unsigned i = 0; i < sizeof kinds; i++)
        if (kinds[i])
            assert_int_equal(h.options[i], kinds[i]);
    a.iss = h.seq;
    a.clock = (uint32_t)h.options[8] << 24 | (uint32_t)h.options[9] << 16 |
              (uint32_t)h.options[10] << 8 | h.options[11];
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = HOST_MSS, TS(5, 0));
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, TS(0, 5));
    host_sends(so, 0, 3000);
    h = headers_leave();
    assert_int_equal(h.n_options, 12);
    assert_int_equal(h.options[0], 1);
    assert_int_equal(h.options[1], 1);
    assert_int_equal(h.options[2], 8);
    assert_int_equal(h.options[3], 10);
    assert_int_equal(h.total_len, host.config.caps.mtu);
    (void)all_leaves();
}

/* 5.4, 7.1: where the clock stands nobody learns: another four-tuple, another offset; the same one
 * goes on where it was. */
static void offset(void **state)
{
    (void)state;
    uint32_t first[2];
    for (unsigned i = 0; i < 3; i++) {
        struct peer a = peer(1, 0);
        a.flow.remote_port = (uint16_t)(5000 + i % 2);
        a.flow.local_port = 61010;
        struct sock *so = host_connect(&a);
        leaves(&a, .flags = SYN, .seq = 0);
        if (i == 2)
            assert_int_equal(a.clock, first[0]);
        else
            first[i] = a.clock;
        host_abort(so);
        host_later(17);
    }
    assert_true(first[0] - first[1] > 1000 && first[1] - first[0] > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(in_every_segment),
        host_test(of_a_listener),
        host_test(not_negotiated),
        host_test(missing),
        host_test(crossing_syns),
        host_test(in_a_reset),
        host_test(one_sample_a_round_trip),
        host_test(of_the_second_sending),
        host_test(of_the_first_sending),
        host_test(no_sample),
        host_test(of_a_syn),
        host_test(delayed_acks),
        host_test(out_of_order),
        host_test(sent_again_for_us),
        host_test(syn_sent_again),
        host_test(three_blocks),
        host_test(layout),
        host_test(offset),
    };
    return host_main(tests);
}
