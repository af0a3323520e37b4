/* RFC 3168: Explicit Congestion Notification: what is agreed upon (6.1.1), what is ECT (6.1.2,
 * 6.1.4 to 6.1.6), and the receiver (6.1.3). The sender: test_rfc3168_sender.c. */
#include "with_ecn.h"

/* Text of ours goes, with ECT or without, and is acknowledged. */
static void ours_goes(struct peer *a, struct sock *so, uint8_t ecn)
{
    host_sends(so, 0, 10);
    leaves(a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10, .ecn = ecn);
    arrives(a, .flags = ACK, .seq = 1, .ack = 11);
}

/* Two segments of theirs come, the first marked, at SEG.SEQ = at; our ACK says so, or does not. */
static void marked_comes(struct peer *a, uint32_t at, bool echoed)
{
    arrives(a, .flags = ACK, .seq = at, .ack = 11, .text = 10, .ecn = ECN_CE);
    arrives(a, .flags = ACK, .seq = at + 10, .ack = 11, .text = 10, .ecn = ECT0);
    leaves(a, .flags = ACK | (echoed ? ECE : 0u), .seq = 11, .ack = at + 20);
}

static void has_ecn(struct peer *a, struct sock *so)
{
    ours_goes(a, so, ECT0);
    marked_comes(a, 1, true);
    assert_true(host_status(so).ecn);
    assert_true(host_status(so).ecn_seen);
}

static void has_none(struct peer *a, struct sock *so)
{
    ours_goes(a, so, ECN_NOT_ECT);
    marked_comes(a, 1, false);
    assert_false(host_status(so).ecn);
    assert_false(host_status(so).ecn_seen);
}

/* 6.1.1: an ECN-setup SYN, an ECN-setup SYN-ACK. */
static void asked_for(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = connected_with_ecn(&a);
    has_ecn(&a, so);
}

/* 6.1.1, 6.1.1.2: any other SYN-ACK is none, that of a peer that reflects our flags as well. */
static void asked_for_in_vain(void **state)
{
    (void)state;
    static const unsigned flags[] = {0, CWR, ECE | CWR};
    start_with_ecn(TCP_ECN_ASK);
    for (unsigned i = 0; i < 3; i++) {
        struct peer a = peer(1 + i, 0);
        struct sock *so = host_connect(&a);
        leaves(&a, .flags = SYN | ECE | CWR, .seq = 0);
        arrives(&a, .flags = SYN | ACK | flags[i], .seq = 0, .ack = 1, .mss = 1000);
        leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
        has_none(&a, so);
    }
}

/* Linux's tcp_ecn: 0 and 2 do not ask; a SYN-ACK that answers what was not asked is none. */
static void not_asked_for(void **state)
{
    (void)state;
    static const enum tcp_ecn modes[] = {TCP_ECN_OFF, TCP_ECN_ANSWER};
    for (unsigned i = 0; i < 2; i++) {
        start_with_ecn(modes[i]);
        struct peer a = peer(1 + i, 0);
        struct sock *so = host_connect(&a);
        leaves(&a, .flags = SYN, .seq = 0);
        arrives(&a, .flags = SYN | ACK | ECE, .seq = 0, .ack = 1, .mss = 1000);
        leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
        has_none(&a, so);
    }
}

/* The peer's SYN, with these flags and this ECN field, is answered with ours. */
static struct sock *opened(struct peer *a, unsigned theirs, uint8_t ecn, unsigned ours)
{
    struct sock *l = host_listen(80, 5);
    arrives(a, .flags = SYN | theirs, .seq = 0, .mss = 1000, .ecn = ecn);
    leaves(a, .flags = SYN | ACK | ours, .seq = 0, .ack = 1);
    arrives(a, .flags = ACK, .seq = 1, .ack = 1);
    return host_accept(l);
}

/* 6.1.1: an ECN-setup SYN is answered with an ECN-setup SYN-ACK, by default and by those that ask
 * themselves. */
static void answered(void **state)
{
    (void)state;
    static const enum tcp_ecn modes[] = {TCP_ECN_ASK, TCP_ECN_ANSWER};
    assert_int_equal(host.config.tcp.ecn, TCP_ECN_ANSWER);
    for (unsigned i = 0; i < 2; i++) {
        start_with_ecn(modes[i]);
        struct peer a = peer(1 + i, 80);
        has_ecn(&a, opened(&a, ECE | CWR, ECN_NOT_ECT, ECE));
    }
}

/* 6.1.1: MUST NOT where the SYN is no ECN-setup SYN, or nobody wants ECN here. */
static void not_answered(void **state)
{
    (void)state;
    static const struct {
        enum tcp_ecn mode;
        unsigned flags;
        uint8_t ecn;
    } t[] = {
        {TCP_ECN_ANSWER, 0, ECN_NOT_ECT},    {TCP_ECN_ANSWER, ECE, ECN_NOT_ECT},
        {TCP_ECN_ANSWER, CWR, ECN_NOT_ECT},  {TCP_ECN_OFF, ECE | CWR, ECN_NOT_ECT},
        {TCP_ECN_ANSWER, ECE | CWR, ECT0}, /* MUST NOT be: as Linux, no ECN then */
        {TCP_ECN_ANSWER, ECE | CWR, ECN_CE},
    };
    for (unsigned i = 0; i < sizeof t / sizeof *t; i++) {
        start_with_ecn(t[i].mode);
        struct peer a = peer(1 + i, 80);
        has_none(&a, opened(&a, t[i].flags, t[i].ecn, 0));
    }
}

/* 6.1.1: a SYN-ACK that goes again is the same. */
static void answered_again(void **state)
{
    (void)state;
    struct peer a = peer(1, 80);
    struct sock *l = host_listen(80, 5);
    arrives(&a, .flags = SYN | ECE | CWR, .seq = 0, .mss = 1000);
    leaves(&a, .flags = SYN | ACK | ECE, .seq = 0, .ack = 1);
    host_later(1000);
    leaves(&a, .flags = SYN | ACK | ECE, .seq = 0, .ack = 1);
    arrives(&a, .flags = SYN | ECE | CWR, .seq = 0, .mss = 1000);
    leaves(&a, .flags = SYN | ACK | ECE, .seq = 0, .ack = 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
    has_ecn(&a, host_accept(l));
}

/* 6.1.1.1, the example's step 4: the peer's SYN comes again without: so does our SYN-ACK, and that
 * is the end of it. */
static void peer_falls_back(void **state)
{
    (void)state;
    struct peer a = peer(1, 80);
    struct sock *l = host_listen(80, 5);
    arrives(&a, .flags = SYN | ECE | CWR, .seq = 0, .mss = 1000);
    leaves(&a, .flags = SYN | ACK | ECE, .seq = 0, .ack = 1);
    arrives(&a, .flags = SYN, .seq = 0, .mss = 1000);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    arrives(&a, .flags = SYN | ECE | CWR, .seq = 0, .mss = 1000); /* the first, once more */
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
    has_none(&a, host_accept(l));
}

static void syn_is_lost(struct peer *a)
{
    leaves(a, .flags = SYN | ECE | CWR, .seq = 0);
    host_at(1000);
    leaves(a, .flags = SYN, .seq = 0);
    host_at(3000);
    leaves(a, .flags = SYN, .seq = 0);
}

/* 6.1.1.1: after the first timeout our SYN goes without. */
static void falls_back(void **state)
{
    (void)state;
    start_with_ecn(TCP_ECN_ASK);
    struct peer a = peer(1, 0);
    struct sock *so = host_connect(&a);
    syn_is_lost(&a);
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    has_none(&a, so);
}

/* 6.1.1: whoever has sent a SYN without MUST NOT send ECT, but MUST process what the peer, who
 * answers the first one, sends. */
static void falls_back_and_first_is_answered(void **state)
{
    (void)state;
    start_with_ecn(TCP_ECN_ASK);
    struct peer a = peer(1, 0);
    struct sock *so = host_connect(&a);
    syn_is_lost(&a);
    arrives(&a, .flags = SYN | ACK | ECE, .seq = 0, .ack = 1, .mss = 1000);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    ours_goes(&a, so, ECN_NOT_ECT);
    marked_comes(&a, 1, true);
}

/* 6.1.1.1: a RST MAY be answered with a SYN without; as Linux, we take it for what it is: who is
 * refused is to learn it at once, and devices that answer ECN so are gone. */
static void refused(void **state)
{
    (void)state;
    start_with_ecn(TCP_ECN_ASK);
    struct peer a = peer(1, 0);
    struct sock *so = host_connect(&a);
    leaves(&a, .flags = SYN | ECE | CWR, .seq = 0);
    arrives(&a, .flags = RST | ACK, .seq = 0, .ack = 1);
    assert_int_equal(stack_state(so), STATE_CLOSED);
    nothing_leaves();
}

/* 6.1.1: each has sent and received an ECN-setup SYN, and then a SYN-ACK, when SYNs cross; with a
 * peer that is not willing, or gives up, there is no ECN. */
static void crossing(void **state)
{
    (void)state;
    static const struct {
        unsigned syn, ours, syn_ack;
        bool ecn;
    } t[] = {
        {ECE | CWR, ECE, ECE, true},
        {ECE | CWR, ECE, 0, false},
        {0, 0, 0, false},
        {0, 0, ECE, false},
    };
    start_with_ecn(TCP_ECN_ASK);
    for (unsigned i = 0; i < sizeof t / sizeof *t; i++) {
        struct peer a = peer(1 + i, 0);
        struct sock *so = host_connect(&a);
        leaves(&a, .flags = SYN | ECE | CWR, .seq = 0);
        arrives(&a, .flags = SYN | t[i].syn, .seq = 0, .mss = 1000);
        leaves(&a, .flags = SYN | ACK | t[i].ours, .seq = 0, .ack = 1);
        arrives(&a, .flags = SYN | ACK | t[i].syn_ack, .seq = 0, .ack = 1, .mss = 1000);
        assert_int_equal(stack_state(so), STATE_ESTABLISHED);
        if (t[i].ecn)
            has_ecn(&a, so);
        else
            has_none(&a, so);
    }
}

/* 6.1.1: a connection that follows TIME-WAIT has nothing of the old one. */
static void reopened(void **state)
{
    (void)state;
    struct peer a = peer(1, 80);
    struct sock *l = host_listen(80, 5);
    host_to_time_wait(HERE, &a, l);
    arrives(&a, .flags = ACK, .seq = 2, .ack = 2, .text = 10, .ecn = ECN_CE);
    leaves(&a, .flags = ACK, .seq = 2, .ack = 2);
    a.irs += 100000;
    arrives(&a, .flags = SYN | ECE | CWR, .seq = 0, .mss = 1000);
    leaves(&a, .flags = SYN | ACK | ECE, .seq = 0, .ack = 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
    has_ecn(&a, host_accept(l));
}

/* 6.1.2: ECT(0). 6.1.4: not on pure ACKs, FIN, RST; 6.1.5: not on what is sent again. */
static void what_is_ect(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = connected_with_ecn(&a);
    host_sends(so, 0, 2000);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000, .ecn = ECT0);
    leaves(&a, .flags = ACK | PSH, .seq = 1001, .ack = 1, .text = 1000, .ecn = ECT0);
    if (host_with_sack()) {
        host_later(208); /* RFC 8985 7.3: the probe is text that was sent before */
        leaves(&a, .flags = ACK | PSH, .seq = 1001, .ack = 1, .text = 1000);
    }
    host_later(300);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 2001);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 2001, .text = 10);
    host_later(40);
    leaves(&a, .flags = ACK, .seq = 2001, .ack = 11);
    assert_int_equal(host_shutdown_send(so), ERR_NONE);
    leaves(&a, .flags = FIN | ACK, .seq = 2001, .ack = 11);
    host_abort(so);
    leaves(&a, .flags = RST | ACK, .seq = 2002, .ack = 11);
}

/* 6.1.6: neither ECT nor CWR on a window probe; both wait for text that the window lets go. */
static void window_probe(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = connected_with_ecn(&a);
    host_sends(so, 0, 1000);
    leaves(&a, .flags = ACK | PSH, .seq = 1, .ack = 1, .text = 1000, .ecn = ECT0);
    host_later(100);
    arrives(&a, .flags = ACK | ECE, .seq = 1, .ack = 1001, .wnd = ZERO);
    host_sends(so, 1000, 1000);
    host_later(300);
    leaves(&a, .flags = ACK, .seq = 1001, .ack = 1, .text = 1);
    arrives(&a, .flags = ACK | ECE, .seq = 1, .ack = 1002, .wnd = 10000);
    leaves(&a, .flags = ACK | PSH | CWR, .seq = 1002, .ack = 1, .text = 999, .ecn = ECT0);
}

/* 6.1.4: a keep-alive carries nothing. */
static void keepalive(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = connected_with_ecn(&a);
    host_set(so, keepalive.on, true);
    host_later(7200000);
    leaves(&a, .flags = ACK, .seq = 0, .ack = 1);
}

/* RFC 2474: the other six bits are the user's. */
static void beside_the_user(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = connected_with_ecn(&a);
    host_set_ip(so, 46 << 2, 64);
    has_ecn(&a, so);
    host_set_ip(so, 63 << 2, 64);
    host_sends(so, 10, 10);
    leaves(&a, .flags = PSH | ACK | ECE, .seq = 11, .ack = 21, .text = 10, .ecn = ECT0);
}

/* 6.1.3: once a segment was marked every ACK says so, with text as well, until CWR comes; an ACK
 * that is delayed covers what was marked before. */
static void echo(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = connected_with_ecn(&a);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 10, .ecn = ECT0);
    arrives(&a, .flags = ACK, .seq = 11, .ack = 1, .text = 10, .ecn = ECT0);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 21);
    arrives(&a, .flags = ACK, .seq = 21, .ack = 1, .text = 10, .ecn = ECN_CE);
    arrives(&a, .flags = ACK, .seq = 31, .ack = 1, .text = 10, .ecn = ECT0);
    leaves(&a, .flags = ACK | ECE, .seq = 1, .ack = 41);
    arrives(&a, .flags = ACK, .seq = 41, .ack = 1, .text = 10, .ecn = ECT0);
    host_later(40);
    leaves(&a, .flags = ACK | ECE, .seq = 1, .ack = 51);
    host_sends(so, 0, 10);
    leaves(&a, .flags = ACK | PSH | ECE, .seq = 1, .ack = 51, .text = 10, .ecn = ECT0);
    arrives(&a, .flags = ACK | CWR, .seq = 51, .ack = 11, .text = 10, .ecn = ECT0);
    arrives(&a, .flags = ACK, .seq = 61, .ack = 11, .text = 10, .ecn = ECT0);
    leaves(&a, .flags = ACK, .seq = 11, .ack = 71);
}

/* 6.1.3: CWR on a marked segment ends the echo of what was before, and it begins again. */
static void marked_again(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    (void)connected_with_ecn(&a);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 10, .ecn = ECN_CE);
    arrives(&a, .flags = ACK | CWR, .seq = 11, .ack = 1, .text = 10, .ecn = ECN_CE);
    leaves(&a, .flags = ACK | ECE, .seq = 1, .ack = 21);
    arrives(&a, .flags = ACK | CWR, .seq = 21, .ack = 1, .text = 10, .ecn = ECT0);
    arrives(&a, .flags = ACK, .seq = 31, .ack = 1, .text = 10, .ecn = ECT0);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 41);
}

/* 6.1.3: beyond a hole as well: what is lost in between is sent again without ECT. */
static void out_of_order(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    (void)connected_with_ecn(&a);
    arrives(&a, .flags = ACK, .seq = 11, .ack = 1, .text = 10, .ecn = ECN_CE);
    leaves(&a, .flags = ACK | ECE, .seq = 1, .ack = 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 10);
    leaves(&a, .flags = ACK | ECE, .seq = 1, .ack = 21);
}

/* 6.1.5: what lies outside of the window says nothing, whoever has sent it; nor does an ACK without
 * text, which is not to be marked. */
static void outside_of_the_window(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    (void)connected_with_ecn(&a);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 20, .ecn = ECT0);
    host_later(40);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 21);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 20, .ecn = ECN_CE);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 21);
    arrives(&a, .flags = ACK, .seq = 100000, .ack = 1, .text = 20, .ecn = ECN_CE);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 21);
    arrives(&a, .flags = ACK, .seq = 21, .ack = 1, .ecn = ECN_CE);
    arrives(&a, .flags = ACK, .seq = 21, .ack = 1, .text = 10, .ecn = ECN_CE);
    host_later(40);
    leaves(&a, .flags = ACK | ECE, .seq = 1, .ack = 31);
    arrives(&a, .flags = ACK | CWR, .seq = 1, .ack = 1, .text = 20); /* nor does its CWR */
    leaves(&a, .flags = ACK | ECE, .seq = 1, .ack = 31);
}

/* 6.1.6: a probe of our window, when that is shut, has an exact number: its mark is answered. */
static void probed(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    (void)connected_with_ecn(&a);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 10000, .ecn = ECT0);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 10001, .wnd = ZERO);
    arrives(&a, .flags = ACK, .seq = 10002, .ack = 1, .text = 1, .ecn = ECN_CE);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 10001);
    arrives(&a, .flags = ACK, .seq = 10001, .ack = 1, .text = 1, .ecn = ECN_CE);
    leaves(&a, .flags = ACK | ECE, .seq = 1, .ack = 10001);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(asked_for),
        host_test(asked_for_in_vain),
        host_test(not_asked_for),
        host_test(answered),
        host_test(not_answered),
        host_test(answered_again),
        host_test(peer_falls_back),
        host_test(falls_back),
        host_test(falls_back_and_first_is_answered),
        host_test(refused),
        host_test(crossing),
        host_test(reopened),
        host_test_sack(what_is_ect),
        host_test(window_probe),
        host_test(keepalive),
        host_test(beside_the_user),
        host_test(echo),
        host_test(marked_again),
        host_test_sack(out_of_order),
        host_test_sack(outside_of_the_window),
        host_test(probed),
    };
    return host_main(tests);
}
