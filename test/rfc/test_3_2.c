/* RFC 9293 3.2: the options of the mandatory set. */
#include "hosts.h"

/* The effective send MSS of a connection whose SYN had these options. */
static uint32_t mss_by(unsigned n, const struct option *options)
{
    struct peer a = peer(n, 80);
    with(.options = options);
    arrives(&a, .flags = SYN, .seq = 0);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
    struct stack_event ev;
    assert_true(stack_next_event(host.stack, &ev));
    return host_status(host_accept(ev.sock)).snd_mss;
}

/* MUST-64: a sender need not align options to words. */
static void any_alignment(void **state)
{
    (void)state;
    host_listen(80, 50);
    assert_int_equal(mss_by(1, OPTIONS(MAX_SEGMENT_SIZE(700))), 700);
    assert_int_equal(mss_by(2, OPTIONS(NO_OPERATION, MAX_SEGMENT_SIZE(701))), 701);
    assert_int_equal(mss_by(3, OPTIONS(NO_OPERATION, NO_OPERATION, MAX_SEGMENT_SIZE(702))), 702);
    assert_int_equal(mss_by(4, OPTIONS(WINDOW_SCALE(0), MAX_SEGMENT_SIZE(703))), 703);
    assert_int_equal(mss_by(5, OPTIONS(UNKNOWN_OPTION(254, 5), MAX_SEGMENT_SIZE(704))), 704);
}

/* The end of the list need not be the end of the header, and what follows it is not looked at; nor
 * does there have to be one where the two are the same. */
static void end_of_option_list(void **state)
{
    (void)state;
    host_listen(80, 50);
    assert_int_equal(mss_by(1, OPTIONS(END_OF_OPTION_LIST, MAX_SEGMENT_SIZE(700))), 536);
    assert_int_equal(
        mss_by(2, OPTIONS(MAX_SEGMENT_SIZE(700), END_OF_OPTION_LIST, FALSE_OPTION(2, 0, 20))), 700);
    assert_int_equal(mss_by(3, OPTIONS(NO_OPERATION, NO_OPERATION, NO_OPERATION, NO_OPERATION,
                                       MAX_SEGMENT_SIZE(700))),
                     700);
}

/* MUST-65: the MSS is sent with a SYN, and with nothing else. */
static void mss_in_a_syn_only(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), nobody = peer(2, 9);
    struct sock *so = host_connect(&a);
    leaves(&a, .flags = SYN, .seq = 0, .mss = HOST_MSS);
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .mss = NONE, .scale = NONE);
    host_sends(so, 0, 100);
    assert_int_equal(headers_leave().n_options, 0);
    host_later(200); /* again */
    assert_int_equal(headers_leave().n_options, 0);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 101);
    assert_int_equal(host_shutdown_send(so), ERR_NONE);
    assert_int_equal(headers_leave().n_options, 0);
    host_abort(so);
    assert_int_equal(headers_leave().n_options, 0);
    arrives(&nobody, .flags = SYN, .seq = 0);
    assert_int_equal(headers_leave().n_options, 0);
}

/* So it says nothing elsewhere. */
static void mss_is_taken_from_a_syn_only(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    with(.options = OPTIONS(MAX_SEGMENT_SIZE(100)));
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
    assert_int_equal(host_status(so).snd_mss, 1000);
    host_sends(so, 0, 1000);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1000);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1001);
}

/* It is 16 bits wide, to its last value; what we make of the smallest and the largest is in
 * test_3_7_1.c. */
static void mss_of_16_bits(void **state)
{
    (void)state;
    host.config.caps.mtu = 65535;
    host_start();
    host_listen(80, 50);
    const uint32_t sizes[] = {256, 536, 32767, 32768, 65495};
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++)
        assert_int_equal(mss_by(i, OPTIONS(MAX_SEGMENT_SIZE(sizes[i]))), sizes[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(any_alignment),       host_test_ipv4(end_of_option_list),
        host_test(mss_in_a_syn_only),   host_test(mss_is_taken_from_a_syn_only),
        host_test_ipv4(mss_of_16_bits),
    };
    return host_main(tests);
}
