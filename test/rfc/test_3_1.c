/* RFC 9293 3.1: the header, as it leaves and as it is taken. */
#include "hosts.h"

/* ---- As it leaves ---- */

/* Figure 1, field by field, in a SYN: its number is the ISN, there is nothing to acknowledge, and
 * DOffset counts the options in. */
static void fields_of_a_syn(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    host_connect(&a);
    struct headers h = headers_leave();
    assert_int_equal(h.flow.local_port, a.flow.local_port);
    assert_int_equal(h.flow.remote_port, a.flow.remote_port);
    assert_int_equal(h.flags, SYN);
    assert_int_equal(h.ack, 0);
    assert_int_equal(h.reserved, 0);
    assert_int_equal(h.wnd, 10000);
    assert_int_equal(h.up, 0);
    assert_int_equal(h.n_options, 20); /* MSS, SACK-permitted, timestamps and window scale */
    assert_int_equal(h.text_len, 0);
    assert_true(h.right_checksum);
    a.iss = h.seq;
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    h = headers_leave();
    assert_int_equal(h.seq, a.iss + 1);
    assert_int_equal(h.ack, a.irs + 1);
    assert_int_equal(h.data_offset, 5);
}

/* The sequence number is that of the first octet of text; the ACK is in every segment once the
 * connection is established; bits that are reserved are zero. */
static void fields_once_established(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    host_sends(so, 0, 1500);
    for (uint32_t i = 0; i < 2; i++) {
        struct headers h = headers_leave();
        assert_int_equal(h.seq, a.iss + 1 + 1000 * i);
        assert_int_equal(h.ack, a.irs + 1);
        assert_int_equal(h.flags, i == 0 ? ACK : PSH | ACK);
        assert_int_equal(h.data_offset, 5);
        assert_int_equal(h.reserved, 0);
        assert_int_equal(h.up, 0);
        assert_int_equal(h.text_len, i == 0 ? 1000 : 500);
    }
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1501);
    host_close(so);
    struct headers h = headers_leave();
    assert_int_equal(h.flags, FIN | ACK);
    assert_int_equal(h.seq, a.iss + 1501);
}

/* MUST-2: every segment has a checksum, over an even or an odd number of octets, with the
 * pseudo-header of either family. */
static void checksum_is_sent(void **state)
{
    (void)state;
    for (unsigned six = 0; six < 2; six++) {
        struct peer a = six ? peer6(1, 0) : peer(1, 0);
        struct sock *so = host_connected(HERE, &a);
        for (uint32_t at = 0, n = 1; n < 8; at += n, n++) {
            host_sends(so, at, n);
            struct headers h = headers_leave();
            assert_int_equal(h.version, six ? 6 : 4);
            assert_int_equal(h.text_len, n);
            assert_true(h.right_checksum);
            arrives(&a, .flags = ACK, .seq = 1, .ack = 1 + at + n);
        }
        host_abort(so);
        assert_true(headers_leave().right_checksum);
    }
}

/* MUST-69: header octets behind the end of the option list are zero; the options of a SYN fill
 * whole words, so that there is no such end, or nothing behind it. */
static void padding_is_zero(void **state)
{
    (void)state;
    host_listen(80, 5);
    for (unsigned i = 0; i < 2; i++) { /* the peer offers a window scale, or not */
        struct peer a = peer(i, 80);
        arrives(&a, .flags = SYN, .seq = 0, .mss = 1000, .scale = i ? ZERO : NONE);
        struct headers h = headers_leave();
        bool ended = false;
        for (unsigned at = 0; at < h.n_options;) {
            uint8_t kind = h.options[at];
            ended |= kind == 0;
            if (ended)
                assert_int_equal(kind, 0);
            at += kind <= 1 ? 1 : h.options[at + 1]; /* MUST-68: all others have a length */
            assert_true(at <= h.n_options);
        }
        assert_int_equal(h.n_options, i ? 8 : 4);
    }
}

/* ---- As it is taken ---- */

/* Reserved bits are ignored, and so are those of ECN where it was not agreed upon (RFC 3168). */
static void reserved_bits_are_ignored(void **state)
{
    (void)state;
    host_listen(80, 5);
    struct peer a = peer(1, 80);
    with(.reserved = 15, .options = OPTIONS(MAX_SEGMENT_SIZE(1000)));
    arrives(&a, .flags = SYN | TCP_ECE, .seq = 0);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = HOST_MSS);
    with(.reserved = 15);
    arrives(&a, .flags = ACK | TCP_ECE | TCP_CWR, .seq = 1, .ack = 1, .text = 2000);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 2001);
}

/* MUST-3: a segment whose checksum is wrong is as if it had not come. */
static void checksum_is_checked(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), b = peer(2, 80);
    struct sock *so = host_connected(HERE, &a);
    damaged_arrives(&a, .flags = RST, .seq = 1);
    damaged_arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 100);
    damaged_arrives(&a, .flags = ACK, .seq = 100, .ack = 1, .text = 100);
    damaged_arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = 1);
    damaged_arrives(&b, .flags = SYN, .seq = 0); /* nor is it refused: it may be for another port */
    host_later(500);
    nothing_leaves();
    assert_int_equal(stack_state(so), STATE_ESTABLISHED);
    assert_int_equal(host_recv(so, 0, 1), ERR_AGAIN);
    assert_int_equal(host_counters().bad_checksums, 5);
}

/* The pseudo-header is part of it, so that a segment for another host is not taken. */
static void checksum_covers_the_addresses(void **state)
{
    (void)state;
    struct sock *l = host_listen(80, 5);
    struct peer a = peer(1, 80), elsewhere = a, a6 = peer6(1, 80);
    elsewhere.flow.local = ip_addr_v4(0x0a000009);
    with(.misrouted_to = a.flow.local);
    arrives(&elsewhere, .flags = SYN, .seq = 0);
    nothing_leaves();
    host_close(l);
    struct sock *l6 = NULL;
    assert_int_equal(stack_listen(host.stack, &a6.flow.local, 80, 5, NULL, &l6), ERR_NONE);
    struct peer elsewhere6 = a6;
    elsewhere6.flow.local.b[15] ^= 1;
    with(.misrouted_to = a6.flow.local);
    arrives(&elsewhere6, .flags = SYN, .seq = 0);
    nothing_leaves();
    assert_int_equal(host_counters().bad_checksums, 2);
}

/* MUST-1: a window is unsigned: one of more than 32767 octets is large, not negative. */
static void window_is_unsigned(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    a.wnd = 65535;
    struct sock *so = host_connected(HERE, &a);
    assert_int_equal(host_status(so).snd_wnd, 65535);
    host_sends(so, 0, 4000);
    for (uint32_t i = 0; i < 4; i++)
        leaves(&a, .flags = ACK | (i == 3 ? PSH : 0), .seq = 1 + 1000 * i, .ack = 1, .text = 1000);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 4001);
}

/* REC-1: windows have 32 bits inside, which scaled ones need. */
static void window_has_32_bits(void **state)
{
    (void)state;
    host.config.tcp.rcvbuf = host.config.tcp.rcvbuf_max = 1000000;
    host_start();
    struct peer a = peer(1, 0);
    struct sock *so = host_connect(&a);
    leaves(&a, .flags = SYN, .seq = 0, .wnd = 65535, .scale = 4);
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .wnd = 65535, .mss = 1000, .scale = 14);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = 1000000 >> 4);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = 65535);
    assert_int_equal(host_status(so).snd_wnd, 65535 << 14);
    assert_int_equal(host_status(so).rcv_wnd, 1000000);
}

/* The urgent pointer means nothing without URG. */
static void urgent_pointer_needs_urg(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 10, .up = 5);
    expect_event(so, SOCK_EV_ARRIVED);
    host_receives(so, 0, 10);
    host_later(40);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 11);
}

/* DOffset says where the text begins: less than 5 words, or more than there is, is no segment. */
static void data_offset_is_checked(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    for (uint8_t words = 1; words <= 15; words++) {
        with(.data_offset = words);
        if (words >= 5 && words <= 7)
            continue;
        arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 8);
    }
    assert_int_equal(host_counters().bad_packets, 12);
    host_later(500);
    nothing_leaves();
    assert_int_equal(host_recv(so, 0, 8), ERR_AGAIN);
    with(.data_offset = 7); /* 8 octets of options, one after the other 0: their end */
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
    assert_int_equal(host_counters().bad_packets, 13);
}

/* ---- Options ---- */

/* MUST-4: End of Option List, No-Operation and Maximum Segment Size. */
static void mandatory_options(void **state)
{
    (void)state;
    host_listen(80, 5);
    struct peer a = peer(1, 80), b = peer(2, 80);
    with(.options = OPTIONS(NO_OPERATION, NO_OPERATION, MAX_SEGMENT_SIZE(700), END_OF_OPTION_LIST));
    arrives(&a, .flags = SYN, .seq = 0);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = HOST_MSS);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
    /* What stands behind the end is none. */
    with(.options = OPTIONS(MAX_SEGMENT_SIZE(700), END_OF_OPTION_LIST, MAX_SEGMENT_SIZE(300)));
    arrives(&b, .flags = SYN, .seq = 0);
    leaves(&b, .flags = SYN | ACK, .seq = 0, .ack = 1);
    arrives(&b, .flags = ACK, .seq = 1, .ack = 1);
    struct stack_event ev;
    assert_true(stack_next_event(host.stack, &ev));
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(host_status(host_accept(ev.sock)).snd_mss, 700);
}

/* MUST-5: a segment of any kind may have options. */
static void options_in_any_segment(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connect(&a);
    leaves(&a, .flags = SYN, .seq = 0);
    const struct option *options = OPTIONS(UNKNOWN_OPTION(253, 6), NO_OPERATION, NO_OPERATION);
    with(.options = options);
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    with(.options = options);
    arrives(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 5);
    host_receives(so, 0, 5);
    with(.options = options);
    arrives(&a, .flags = FIN | ACK, .seq = 6, .ack = 1, .text = 4);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 11);
    host_receives(so, 5, 4);
    with(.options = options);
    arrives(&a, .flags = RST, .seq = 11);
    assert_int_equal(stack_state(so), STATE_CLOSED);
    with(.options = options); /* of no connection any more */
    arrives(&a, .flags = ACK, .seq = 11, .ack = 1);
    leaves(&a, .flags = RST, .seq = 1);
}

/* MUST-6, MUST-68: an option that is not known has a length, and what is behind it is found. */
static void unknown_options_are_skipped(void **state)
{
    (void)state;
    host_listen(80, 100);
    for (uint8_t len = 2; len <= 36; len++) {
        struct peer a = peer(len, 80);
        with(.options = OPTIONS(UNKNOWN_OPTION(200, len), MAX_SEGMENT_SIZE(700)));
        arrives(&a, .flags = SYN, .seq = 0);
        leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
        arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
        struct stack_event ev;
        assert_true(stack_next_event(host.stack, &ev));
        assert_int_equal(host_status(host_accept(ev.sock)).snd_mss, 700);
    }
}

/* MUST-7: a length of 0 or 1, or beyond the header, does no harm: the segment is dropped, and
 * counted for who looks for the cause. Its connection goes on, as anybody could have sent it. */
static void illegal_option_lengths(void **state)
{
    (void)state;
    struct sock *l = host_listen(80, 5);
    struct peer a = peer(1, 80), b = peer(2, 80);
    host_handshake(HERE, &a);
    struct sock *so = host_accept(l);
    const uint8_t lengths[] = {0, 1, 5, 41, 255};
    for (unsigned i = 0; i < sizeof lengths; i++) {
        for (uint8_t kind = 2; kind < 6; kind++) {
            with(.options = OPTIONS(FALSE_OPTION(kind, lengths[i], 4)));
            arrives(&b, .flags = SYN, .seq = 0);
            with(.options = OPTIONS(FALSE_OPTION(kind, lengths[i], 4)));
            arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 100);
        }
    }
    assert_int_equal(host_counters().bad_packets, 40);
    nothing_leaves();
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 100);
    host_receives(so, 0, 100);
    host_later(40);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 101);
    arrives(&b, .flags = SYN, .seq = 0);
    leaves(&b, .flags = SYN | ACK, .seq = 0, .ack = 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(fields_of_a_syn),
        host_test(fields_once_established),
        host_test_ipv4(checksum_is_sent),
        host_test(padding_is_zero),
        host_test(reserved_bits_are_ignored),
        host_test(checksum_is_checked),
        host_test(checksum_covers_the_addresses),
        host_test(window_is_unsigned),
        host_test(window_has_32_bits),
        host_test(urgent_pointer_needs_urg),
        host_test(data_offset_is_checked),
        host_test(mandatory_options),
        host_test(options_in_any_segment),
        host_test(unknown_options_are_skipped),
        host_test(illegal_option_lengths),
    };
    return host_main(tests);
}
