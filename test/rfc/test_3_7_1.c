/* RFC 9293 3.7 and 3.7.1: segmentation and the MSS. (3.7.2 is in test_rfc1191.c and test_rfc8201.c;
 * 3.7.3 is about interfaces whose MTU changes with every packet, 3.7.5 about IPv6 jumbograms: we
 * have neither.) */
#include "hosts.h"

/* The host's link, from now on. */
static void mtu(uint32_t mtu)
{
    host.config.caps.mtu = mtu;
    host_start();
}

/* MUST-14, SHLD-5, MAY-3: every SYN and SYN,ACK has the option, be it the default or not, and when
 * it is sent again. */
static void in_every_syn(void **state)
{
    (void)state;
    const uint32_t mtus[] = {576, 1040, 1500};
    for (unsigned i = 0; i < 3; i++) {
        mtu(mtus[i]);
        int mss = (int)mtus[i] - 40;
        struct peer a = peer(1, 0), b = peer(2, 80);
        host_connect(&a);
        leaves(&a, .flags = SYN, .seq = 0, .mss = mss);
        host_later(1000);
        leaves(&a, .flags = SYN, .seq = 0, .mss = mss);
        arrives(&a, .flags = SYN, .seq = 0); /* crosses ours */
        leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = mss);
        arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
        host_listen(80, 5);
        arrives(&b, .flags = SYN, .seq = 0);
        leaves(&b, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = mss);
    }
}

/* IPv6: its headers are larger, and so is its default. */
static void in_every_syn_v6(void **state)
{
    (void)state;
    const uint32_t mtus[] = {1280, 1500};
    for (unsigned i = 0; i < 2; i++) {
        mtu(mtus[i]);
        struct peer a = peer6(1, 0);
        host_connect(&a);
        leaves(&a, .flags = SYN, .seq = 0, .mss = (int)mtus[i] - 60);
    }
}

/* The effective send MSS, when the peer's SYN had this option, or NONE. */
static uint32_t effective(struct peer a, int mss)
{
    struct sock *so = host_connect(&a);
    leaves(&a, .flags = SYN, .seq = 0);
    a.wnd = 65535;
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = mss);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    uint32_t is = host_status(so).snd_mss;
    host_sends(so, 0, 2 * is);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = is);
    leaves(&a, .flags = PSH | ACK, .seq = 1 + is, .ack = 1, .text = is);
    host_abort(so);
    leaves(&a, .flags = RST | ACK, .seq = 1 + 2 * is, .ack = 1);
    return is;
}

/* MUST-15: without the option the default is assumed. */
static void defaults(void **state)
{
    (void)state;
    mtu(1500);
    assert_int_equal(effective(peer(1, 0), NONE), 536);
    assert_int_equal(effective(peer6(1, 0), NONE), 1220);
}

/* MUST-16: the smaller of what the peer takes and of what our path takes. A peer that takes next to
 * nothing gets 48 octets at a time (lib/README.md: CVE-2019-11479). */
static void smaller_of_both(void **state)
{
    (void)state;
    mtu(1500);
    assert_int_equal(effective(peer(1, 0), 100), 100);
    assert_int_equal(effective(peer(1, 0), 536), 536);
    assert_int_equal(effective(peer(1, 0), 1459), 1459);
    assert_int_equal(effective(peer(1, 0), 1460), 1460);
    assert_int_equal(effective(peer(1, 0), 1461), 1460);
    assert_int_equal(effective(peer(1, 0), 65535), 1460);
    assert_int_equal(effective(peer6(1, 0), 1441), 1440);
    assert_int_equal(effective(peer6(1, 0), 1440), 1440);
    assert_int_equal(effective(peer6(1, 0), 1200), 1200);
    assert_int_equal(effective(peer(1, 0), ZERO), 48);
    assert_int_equal(effective(peer(1, 0), 47), 48);
    mtu(400); /* less than the default */
    assert_int_equal(effective(peer(1, 0), NONE), 360);
}

/* The same for who is connected to. */
static void smaller_of_both_passive(void **state)
{
    (void)state;
    struct sock *l = host_listen(80, 50);
    const struct {
        int option;
        uint32_t effective;
    } cases[] = {{NONE, 536}, {300, 300}, {1000, 1000}, {1400, 1000}};
    for (unsigned i = 0; i < 4; i++) {
        struct peer a = peer(i, 80);
        arrives(&a, .flags = SYN, .seq = 0, .mss = cases[i].option);
        leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = HOST_MSS);
        arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
        struct sock *so = host_accept(l);
        host_sends(so, 0, 2 * cases[i].effective);
        leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = cases[i].effective);
        (void)all_leaves();
    }
}

/* MUST-67: what we announce fits what we can receive: the MTU less the fixed headers, and no more
 * than the 16 bits of the option and of IP's length field hold. */
static void announced(void **state)
{
    (void)state;
    const struct {
        uint32_t mtu;
        int v4, v6;
    } cases[] = {{68, 28, 0}, /* RFC 791; no IPv6 over such a link: its SYN would not fit */
                 {80, 40, 1220},
                 {1500, 1460, 1440},
                 {65535, 65495, 65475},
                 {100000, 65495, 65475}};
    for (unsigned i = 0; i < 5; i++) {
        mtu(cases[i].mtu);
        struct peer a = peer(1, 0), b = peer6(1, 0);
        host_connect(&a);
        leaves(&a, .flags = SYN, .seq = 0, .mss = cases[i].v4);
        if (!cases[i].v6)
            continue;
        host_connect(&b);
        leaves(&b, .flags = SYN, .seq = 0, .mss = cases[i].v6);
    }
}

/* 3.7: the borders of segments are not those of SENDs and RECEIVEs. */
static void no_records(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    for (uint32_t i = 0; i < 10; i++) {
        host_sends(so, 250 * i, 250);
        host_batch();
    }
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    leaves(&a, .flags = ACK, .seq = 1001, .ack = 1, .text = 1000);
    leaves(&a, .flags = PSH | ACK, .seq = 2001, .ack = 1, .text = 500);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 2501, .text = 10);
    host_batch();
    arrives(&a, .flags = ACK, .seq = 11, .ack = 2501, .text = 90);
    leaves(&a, .flags = ACK, .seq = 2501, .ack = 101);
    host_receives(so, 0, 50);
    host_receives(so, 50, 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test_ipv4(in_every_syn),
        host_test(in_every_syn_v6),
        host_test_ipv4(defaults),
        host_test_ipv4(smaller_of_both),
        host_test_ipv4(smaller_of_both_passive),
        host_test_ipv4(announced),
        host_test(no_records),
    };
    return host_main(tests);
}
