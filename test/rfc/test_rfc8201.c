/* RFC 8201: path MTU discovery for IPv6. What it has in common with IPv4's is in test_rfc1191.c. */
#include "router.h"

/* Connected over a link of 1500 octets, n octets sent. */
static struct sock *sender(struct peer *a, uint32_t n)
{
    a->wnd = 65535;
    struct sock *so = host_connect(a);
    leaves(a, .flags = SYN, .seq = 0);
    arrives(a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1440);
    leaves(a, .flags = ACK, .seq = 1, .ack = 1);
    host_sends(so, 0, n);
    return so;
}

static void link_of_1500(void)
{
    host.config.caps.mtu = 1500;
    host_start();
}

/* 4: the estimate becomes what the message says, and packets are no larger from then on; what was
 * dropped goes again at once (5.4). */
static void reduces_its_estimate(void **state)
{
    (void)state;
    link_of_1500();
    struct peer a = peer6(1, 0);
    struct sock *so = sender(&a, 60000);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(headers_leave().total_len, 1500);
    nothing_leaves();
    hears(&a, .kind = ICMP_TOO_BIG, .mtu = 1300, .seq = 1, .len = 1500);
    assert_int_equal(host_status(so).path_mtu, 1300);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1240);
    while (stack_deadline(host.stack) == 0) {
        struct packet p;
        if (stack_output(host.stack, &p, 1, host.now_ns) > 0)
            assert_true(headers_read(&p).total_len <= 1300);
    }
}

/* 4: the message has to be about something we have sent: test_rfc5927.c has the whole check. */
static void about_what_was_sent(void **state)
{
    (void)state;
    link_of_1500();
    struct peer a = peer6(1, 0);
    struct sock *so = sender(&a, 2880);
    assert_int_equal(all_leaves(), 2);
    const uint32_t wrong[] = {0, 2881, 0x80000000};
    for (unsigned i = 0; i < 3; i++)
        hears(&a, .kind = ICMP_TOO_BIG, .mtu = 1300, .seq = wrong[i], .len = 1500);
    nothing_leaves();
    assert_int_equal(host_status(so).path_mtu, 1500);
}

/* 4: an MTU below 1280 is discarded, 1280 itself is the least. */
static void not_below_1280(void **state)
{
    (void)state;
    link_of_1500();
    const uint32_t mtus[] = {0, 68, 1279, 1280};
    for (unsigned i = 0; i < 4; i++) {
        struct peer a = peer6(i, 0);
        struct sock *so = sender(&a, 1440);
        (void)all_leaves();
        hears(&a, .kind = ICMP_TOO_BIG, .mtu = mtus[i], .seq = 1, .len = 1500);
        if (mtus[i] < 1280)
            nothing_leaves();
        (void)all_leaves();
        assert_int_equal(host_status(so).path_mtu, mtus[i] < 1280 ? 1500 : 1280);
    }
}

/* 4: a message never increases it, also not one of 32 bits. */
static void never_up(void **state)
{
    (void)state;
    link_of_1500();
    struct peer a = peer6(1, 0);
    struct sock *so = sender(&a, 60000);
    (void)all_leaves();
    hears(&a, .kind = ICMP_TOO_BIG, .mtu = 1300, .seq = 1, .len = 1500);
    (void)all_leaves();
    const uint32_t mtus[] = {1300, 1301, 1500, 65575, UINT32_MAX};
    for (unsigned i = 0; i < 5; i++) {
        hears(&a, .kind = ICMP_TOO_BIG, .mtu = mtus[i], .seq = 1, .len = 1500);
        nothing_leaves();
        assert_int_equal(host_status(so).path_mtu, 1300);
    }
}

/* 4: no attempt to increase it within five minutes; here ten. */
static void increase_after_ten_minutes(void **state)
{
    (void)state;
    link_of_1500();
    struct peer a = peer6(1, 0);
    struct sock *so = sender(&a, 1440);
    (void)all_leaves();
    hears(&a, .kind = ICMP_TOO_BIG, .mtu = 1300, .seq = 1, .len = 1500);
    (void)all_leaves();
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1441);
    host_at(599999);
    host_sends(so, 1440, 2000);
    leaves(&a, .flags = ACK, .seq = 1441, .ack = 1, .text = 1240);
    leaves(&a, .flags = PSH | ACK, .seq = 2681, .ack = 1, .text = 760);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 3441);
    host_at(600001);
    host_sends(so, 3440, 1440);
    leaves(&a, .flags = PSH | ACK, .seq = 3441, .ack = 1, .text = 1440);
}

/* 5.2: the estimate is of the path to one address: the next connection there knows it, one to
 * another does not. */
static void remembered(void **state)
{
    (void)state;
    link_of_1500();
    struct peer a = peer6(1, 0), same = a, other = peer6(2, 0);
    (void)sender(&a, 1440);
    (void)all_leaves();
    hears(&a, .kind = ICMP_TOO_BIG, .mtu = 1300, .seq = 1, .len = 1500);
    (void)all_leaves();
    same.flow.remote_port++;
    assert_int_equal(host_status(sender(&same, 1)).snd_mss, 1240);
    (void)all_leaves();
    assert_int_equal(host_status(sender(&other, 1)).snd_mss, 1440);
    (void)all_leaves();
}

/* 5.4: nothing larger than the peer's MSS, and the MSS we announce is that of our link. */
static void mss_option(void **state)
{
    (void)state;
    link_of_1500();
    struct peer a = peer6(1, 0), b = peer6(1, 0);
    (void)sender(&a, 1440);
    (void)all_leaves();
    hears(&a, .kind = ICMP_TOO_BIG, .mtu = 1300, .seq = 1, .len = 1500);
    (void)all_leaves();
    b.flow.remote_port++;
    struct sock *so = host_connect(&b);
    leaves(&b, .flags = SYN, .seq = 0, .mss = 1440);
    arrives(&b, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
    leaves(&b, .flags = ACK, .seq = 1, .ack = 1);
    host_sends(so, 0, 1000);
    leaves(&b, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1000);
}

/* 5.4: no sign of congestion is seen in what was too big. */
static void no_congestion(void **state)
{
    (void)state;
    link_of_1500();
    struct peer a = peer6(1, 0);
    struct sock *so = sender(&a, 60000);
    (void)all_leaves();
    hears(&a, .kind = ICMP_TOO_BIG, .mtu = 1300, .seq = 1, .len = 1500);
    (void)all_leaves();
    assert_int_equal(host_status(so).ssthresh, UINT32_MAX);
    assert_int_equal(host_status(so).cwnd, 1240);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(reduces_its_estimate),
        host_test(about_what_was_sent),
        host_test(not_below_1280),
        host_test(never_up),
        host_test(increase_after_ten_minutes),
        host_test(remembered),
        host_test(mss_option),
        host_test(no_congestion),
    };
    return host_main(tests);
}
