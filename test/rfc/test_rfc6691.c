/* RFC 6691: TCP options and the MSS (RFC 9293 3.7.1 has taken it over; see test_3_7_1.c). */
#include "hosts.h"

/* 2: the option is the MTU less the fixed headers, 40 octets or 60, however many options there are
 * in that very packet. */
static void without_options(void **state)
{
    (void)state;
    host.config.caps.mtu = 1500;
    host_start();
    for (unsigned six = 0; six < 2; six++) {
        struct peer a = six ? peer6(1, 0) : peer(1, 0);
        host_connect(&a);
        struct headers h = headers_leave();
        assert_int_equal(h.n_options, 20); /* MSS, SACK-permitted, timestamps, window scale */
        assert_int_equal(h.options[0], 2);
        assert_int_equal(h.options[2] << 8 | h.options[3], six ? 1440 : 1460);
    }
}

/* 2: a full segment fills the packet. TCP's options are in a SYN only, which has no text. */
static void packets_are_the_correct_length(void **state)
{
    (void)state;
    host.config.caps.mtu = 1500;
    host_start();
    for (unsigned six = 0; six < 2; six++) {
        struct peer a = six ? peer6(1, 0) : peer(1, 0);
        a.wnd = 65535;
        struct sock *so = host_connect(&a);
        leaves(&a, .flags = SYN, .seq = 0);
        arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 65535);
        leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
        host_sends(so, 0, 3000);
        for (unsigned i = 0; i < 2; i++) {
            struct headers h = headers_leave();
            assert_int_equal(h.n_options, 0);
            assert_int_equal(h.total_len, 1500);
        }
        (void)all_leaves();
    }
}

/* 2: the sender reduces the text by the options of the packet, which are IP's, so many that the
 * user may have: it is as long as before. What they take is taken off at once when they change. */
static void less_text_with_options(void **state)
{
    (void)state;
    host.config.caps.mtu = 1500;
    host_start();
    struct peer a = peer(1, 0);
    a.wnd = 65535;
    struct ip_options options = {.len = 40};
    memset(options.octets, 1, sizeof options.octets); /* No Operation */
    struct sock *so = host_connect(&a);
    host_batch();
    assert_int_equal(stack_set_options(so, &options, host.now_ns), ERR_NONE);
    leaves(&a, .flags = SYN, .seq = 0, .mss = 1460); /* without what they take */
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1460);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    uint32_t at = 0;
    for (uint8_t len = 4; len <= 40; len += 12) {
        options.len = len;
        host_step(HERE);
        assert_int_equal(stack_set_options(so, &options, host.now_ns), ERR_NONE);
        uint32_t text = 1460 - len;
        host_sends(so, at, 2 * text);
        leaves(&a, .flags = ACK, .seq = 1 + at, .ack = 1, .text = text);
        leaves(&a, .flags = PSH | ACK, .seq = 1 + at + text, .ack = 1, .text = text);
        at += 2 * text;
        arrives(&a, .flags = ACK, .seq = 1, .ack = 1 + at);
    }
}

/* What the peer sends may be shorter for its options: we take it as it is. */
static void options_of_the_peer(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    with(.options = OPTIONS(NO_OPERATION, NO_OPERATION, UNKNOWN_OPTION(8, 10)));
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 988);
    host_receives(so, 0, 988);
    host_later(40);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 989);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test_ipv4(without_options),
        host_test(packets_are_the_correct_length),
        host_test_ipv4(less_text_with_options),
        host_test(options_of_the_peer),
    };
    return host_main(tests);
}
