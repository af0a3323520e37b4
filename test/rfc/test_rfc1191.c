/* RFC 1191: path MTU discovery for IPv4 (RFC 9293 3.7.2). */
#include "router.h"

/* Connected over a link of 1500 octets to a peer that takes as much, n octets sent. */
static struct sock *sender(struct peer *a, uint32_t n)
{
    a->wnd = 65535;
    struct sock *so = host_connect(a);
    leaves(a, .flags = SYN, .seq = 0);
    arrives(a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1460);
    leaves(a, .flags = ACK, .seq = 1, .ack = 1);
    host_sends(so, 0, n);
    return so;
}

static void link_of(uint32_t mtu)
{
    host.config.caps.mtu = mtu;
    host_start();
}

/* 2: all packets have DF set, and at first the size of the first link. */
static void df_is_set(void **state)
{
    (void)state;
    link_of(1500);
    struct peer a = peer(1, 0);
    struct sock *so = sender(&a, 3000);
    for (unsigned i = 0; i < 3; i++) {
        struct headers h = headers_leave();
        assert_true(h.df);
        assert_int_equal(h.total_len, i < 2 ? 1500 : 120);
    }
    host_abort(so);
    assert_true(headers_leave().df);
}

/* 3: the estimate becomes what the message says, and no larger packet is sent any more. */
static void reduces_its_estimate(void **state)
{
    (void)state;
    link_of(1500);
    struct peer a = peer(1, 0);
    struct sock *so = sender(&a, 60000);
    assert_int_equal(all_leaves(), 10);
    hears(&a, .kind = ICMP_TOO_BIG, .mtu = 1006, .seq = 1, .len = 1500);
    assert_int_equal(host_status(so).path_mtu, 1006);
    uint32_t acked = 1;
    for (unsigned round = 0; round < 10; round++) {
        uint32_t largest = 0;
        for (struct packet p; stack_output(host.stack, &p, 1, host.now_ns) > 0;) {
            struct headers h = headers_read(&p);
            largest = h.total_len > largest ? h.total_len : largest;
        }
        assert_int_equal(largest, 1006);
        acked += 966;
        arrives(&a, .flags = ACK, .seq = 1, .ack = acked);
        host_batch();
    }
    (void)all_leaves();
}

/* 3: an increase is not tried sooner than after five minutes; we wait for ten (6.3). Nothing is
 * sent again because of it. */
static void increase_after_ten_minutes(void **state)
{
    (void)state;
    link_of(1500);
    struct peer a = peer(1, 0);
    struct sock *so = sender(&a, 1460);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1460);
    hears(&a, .kind = ICMP_TOO_BIG, .mtu = 1006, .seq = 1, .len = 1500);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 966);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 967);
    leaves(&a, .flags = PSH | ACK, .seq = 967, .ack = 1, .text = 494);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1461);
    host_at(599999);
    host_sends(so, 1460, 1460);
    leaves(&a, .flags = ACK, .seq = 1461, .ack = 1, .text = 966);
    leaves(&a, .flags = PSH | ACK, .seq = 2427, .ack = 1, .text = 494);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 2921);
    host_sends(so, 2920, 1);
    leaves(&a, .flags = PSH | ACK, .seq = 2921, .ack = 1, .text = 1);
    host_at(600001);
    nothing_leaves();
    host_sends(so, 2921, 1460);
    leaves(&a, .flags = PSH | ACK, .seq = 2922, .ack = 1, .text = 1460);
}

/* 3, 5: a message of an old router, with an MTU of 0: the next plateau below the length that it
 * quotes, or below the estimate where that is less. */
static void old_style_messages(void **state)
{
    (void)state;
    static const struct {
        uint32_t link, len, becomes;
    } cases[] = {
        {65535, 65535, 32000}, {65535, 17914, 8166}, {17914, 17914, 8166}, {9000, 9000, 8166},
        {8166, 8166, 4352},    {4352, 4352, 2002},   {1500, 1500, 1492},   {1500, 1520, 1492},
        {1492, 1492, 1006},    {1006, 1006, 552},    {600, 600, 552},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        link_of(cases[i].link);
        struct peer a = peer(i, 0);
        a.wnd = 65535;
        struct sock *so = host_connect(&a);
        leaves(&a, .flags = SYN, .seq = 0);
        arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 65495);
        leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
        host_sends(so, 0, 1000);
        (void)all_leaves();
        hears(&a, .kind = ICMP_TOO_BIG, .mtu = 0, .seq = 1, .len = cases[i].len);
        assert_int_equal(host_status(so).path_mtu, cases[i].becomes);
        (void)all_leaves();
    }
}

/* 3: never below 68 octets; we stay at 552 (lib/README.md). */
static void never_below(void **state)
{
    (void)state;
    link_of(1500);
    const uint32_t mtus[] = {1, 67, 68, 296, 551, 552};
    for (unsigned i = 0; i < sizeof mtus / sizeof *mtus; i++) {
        struct peer a = peer(i, 0);
        struct sock *so = sender(&a, 1460);
        (void)all_leaves();
        hears(&a, .kind = ICMP_TOO_BIG, .mtu = mtus[i], .seq = 1, .len = 1500);
        (void)all_leaves();
        assert_int_equal(host_status(so).path_mtu, mtus[i] < 68 ? 1500 : 552);
    }
}

/* 3: a message never increases it. */
static void never_up(void **state)
{
    (void)state;
    link_of(1500);
    struct peer a = peer(1, 0);
    struct sock *so = sender(&a, 60000);
    (void)all_leaves();
    hears(&a, .kind = ICMP_TOO_BIG, .mtu = 1006, .seq = 1, .len = 1500);
    (void)all_leaves();
    const uint32_t mtus[] = {1006, 1007, 1500, 9000};
    for (unsigned i = 0; i < 4; i++) {
        hears(&a, .kind = ICMP_TOO_BIG, .mtu = mtus[i], .seq = 1, .len = 1500);
        nothing_leaves();
        assert_int_equal(host_status(so).path_mtu, 1006);
    }
}

/* 3.1: nothing larger than the peer's MSS and 40 octets, whatever the path takes; and the option we
 * send is that of our link, whatever the path takes (6.4). */
static void mss_option(void **state)
{
    (void)state;
    link_of(1500);
    struct peer a = peer(1, 0), b = peer(1, 0);
    struct sock *so = host_connect(&a);
    leaves(&a, .flags = SYN, .seq = 0, .mss = 1460);
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 800);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    host_sends(so, 0, 1600);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 800);
    leaves(&a, .flags = PSH | ACK, .seq = 801, .ack = 1, .text = 800);
    hears(&a, .kind = ICMP_TOO_BIG, .mtu = 600, .seq = 1, .len = 840);
    (void)all_leaves();
    b.flow.remote_port++;
    host_connect(&b);
    leaves(&b, .flags = SYN, .seq = 0, .mss = 1460);
}

/* 6.4: what was dropped is sent again at once, not after a timeout: one segment, and as slow start
 * does when ACKs come. No sign of congestion is seen in it. */
static void sent_again_at_once(void **state)
{
    (void)state;
    link_of(1500);
    struct peer a = peer(1, 0);
    struct sock *so = sender(&a, 60000);
    assert_int_equal(all_leaves(), 10);
    hears(&a, .kind = ICMP_TOO_BIG, .mtu = 1040, .seq = 1, .len = 1500);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    nothing_leaves();
    assert_int_equal(host_status(so).ssthresh, UINT32_MAX);
    uint32_t at = 1001;
    for (uint32_t n = 2; n <= 8; n *= 2) {
        arrives(&a, .flags = ACK, .seq = 1, .ack = at);
        for (uint32_t i = 0; i < n; i++, at += 1000)
            leaves(&a, .flags = ACK, .seq = at, .ack = 1, .text = 1000);
        nothing_leaves();
    }
    arrives(&a, .flags = ACK, .seq = 1, .ack = at);
    (void)all_leaves();
}

/* 6.4: nor for every step of an MTU that somebody lets go down octet by octet: ten times in five
 * seconds, and then the timer is waited for. */
static void not_for_every_step(void **state)
{
    (void)state;
    link_of(1500);
    struct peer a = peer(1, 0);
    struct sock *so = sender(&a, 60000);
    assert_int_equal(all_leaves(), 10);
    for (uint32_t mtu = 1499; mtu >= 600; mtu--) {
        hears(&a, .kind = ICMP_TOO_BIG, .mtu = mtu, .seq = 1, .len = 1500);
        (void)all_leaves();
    }
    assert_int_equal(host_status(so).path_mtu, 600);
    assert_int_equal(host_status(so).resent, 10);
    host_later(200);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 560);
}

/* A packet that was not longer than the MTU was not too big: the message is no router's. */
static void not_too_big(void **state)
{
    (void)state;
    link_of(1500);
    struct peer a = peer(1, 0);
    struct sock *so = sender(&a, 100);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 100);
    const uint32_t mtus[] = {140, 600, 1400};
    for (unsigned i = 0; i < 3; i++)
        hears(&a, .kind = ICMP_TOO_BIG, .mtu = mtus[i], .seq = 1, .len = 140);
    nothing_leaves();
    assert_int_equal(host_status(so).path_mtu, 1500);
}

/* 6.4: one does not send again for every message: a burst of packets that were too big brings a
 * burst of messages, of which the first is news. */
static void not_for_every_message(void **state)
{
    (void)state;
    link_of(1500);
    struct peer a = peer(1, 0);
    struct sock *so = sender(&a, 60000);
    assert_int_equal(all_leaves(), 10);
    hears(&a, .kind = ICMP_TOO_BIG, .mtu = 1040, .seq = 1, .len = 1500);
    (void)all_leaves();
    uint32_t resent = host_status(so).resent;
    for (uint32_t seq = 1461; seq < 4381; seq += 1460) {
        hears(&a, .kind = ICMP_TOO_BIG, .mtu = 1040, .seq = seq, .len = 1500);
        nothing_leaves();
    }
    assert_int_equal(host_status(so).resent, resent);
}

/* 6.2, 6.3: the next connection to the same address knows; one to another address does not, and
 * after ten minutes nobody does. */
static void remembered(void **state)
{
    (void)state;
    link_of(1500);
    struct peer a = peer(1, 0), same = a, other = peer(2, 0), last = a, later = a;
    (void)sender(&a, 1460);
    (void)all_leaves();
    hears(&a, .kind = ICMP_TOO_BIG, .mtu = 1006, .seq = 1, .len = 1500);
    (void)all_leaves();
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1461);
    same.flow.remote_port++;
    assert_int_equal(host_status(sender(&same, 1)).snd_mss, 966);
    (void)all_leaves();
    arrives(&same, .flags = ACK, .seq = 1, .ack = 2);
    assert_int_equal(host_status(sender(&other, 1)).snd_mss, 1460);
    (void)all_leaves();
    arrives(&other, .flags = ACK, .seq = 1, .ack = 2);
    host_at(599999);
    last.flow.remote_port += 2;
    (void)sender(&last, 1460);
    leaves(&last, .flags = ACK, .seq = 1, .ack = 1, .text = 966);
    leaves(&last, .flags = PSH | ACK, .seq = 967, .ack = 1, .text = 494);
    arrives(&last, .flags = ACK, .seq = 1, .ack = 1461);
    host_at(600001);
    later.flow.remote_port += 3;
    (void)sender(&later, 1460);
    leaves(&later, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1460);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test_ipv4(df_is_set),
        host_test_ipv4(reduces_its_estimate),
        host_test_ipv4(increase_after_ten_minutes),
        host_test_ipv4(old_style_messages),
        host_test_ipv4(never_below),
        host_test_ipv4(never_up),
        host_test_ipv4(mss_option),
        host_test_ipv4(sent_again_at_once),
        host_test_ipv4(not_for_every_message),
        host_test_ipv4(not_for_every_step),
        host_test_ipv4(not_too_big),
        host_test_ipv4(remembered),
    };
    return host_main(tests);
}
