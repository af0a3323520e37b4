/* RFC 9293 3.5: establishing a connection: figures 6 to 8, each from both sides. */
#include "hosts.h"

static void in_state(const struct sock *so, enum tcp_state s)
{
    assert_int_equal(stack_state(so), s);
}

/* Figure 6 as peer A. Line 5 has the number of line 4, as an ACK takes none. */
static void three_way_as_a(void **state)
{
    (void)state;
    struct peer b = peer(1, 0);
    struct sock *so = host_connect(&b);
    leaves(&b, .flags = SYN, .seq = 0);
    in_state(so, STATE_SYN_SENT);
    host_at(100);
    arrives(&b, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
    leaves(&b, .flags = ACK, .seq = 1, .ack = 1);
    in_state(so, STATE_ESTABLISHED);
    expect_event(so, SOCK_EV_COMPLETED);
    host_at(200);
    host_sends(so, 0, 10);
    leaves(&b, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
}

/* Figure 6 as peer B. */
static void three_way_as_b(void **state)
{
    (void)state;
    struct peer a = peer(1, 80);
    struct sock *l = host_listen(80, 5);
    arrives(&a, .flags = SYN, .seq = 0, .mss = 1000);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    expect_no_event();
    host_at(100);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
    expect_event(l, SOCK_EV_COMPLETED);
    struct sock *so = host_accept(l);
    in_state(so, STATE_ESTABLISHED);
    host_at(200);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 10);
    expect_event(so, SOCK_EV_ARRIVED);
    host_receives(so, 0, 10);
    host_at(240);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 11);
}

/* A third segment that is lost is replaced by the text that follows: it acknowledges as well. */
static void text_completes_the_handshake(void **state)
{
    (void)state;
    struct peer a = peer(1, 80);
    struct sock *l = host_listen(80, 5);
    arrives(&a, .flags = SYN, .seq = 0, .mss = 1000);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    arrives(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    expect_event(l, SOCK_EV_COMPLETED);
    struct sock *so = host_accept(l);
    host_receives(so, 0, 10);
    host_at(40);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 11);
}

/* Figure 7, MUST-10: both SYNs cross. Line 5 is our SYN once more, now with an ACK; line 6 the
 * peer's, which establishes. */
static void simultaneous(void **state)
{
    (void)state;
    struct peer b = peer(1, 0);
    struct sock *so = host_connect(&b);
    leaves(&b, .flags = SYN, .seq = 0);
    in_state(so, STATE_SYN_SENT);
    host_at(100);
    arrives(&b, .flags = SYN, .seq = 0, .mss = 1000);
    leaves(&b, .flags = SYN | ACK, .seq = 0, .ack = 1);
    in_state(so, STATE_SYN_RECEIVED);
    expect_no_event();
    host_at(200);
    arrives(&b, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
    in_state(so, STATE_ESTABLISHED);
    expect_event(so, SOCK_EV_COMPLETED);
    nothing_leaves(); /* as in line 7 the peer has no need of it */
    host_sends(so, 0, 10);
    leaves(&b, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
}

/* The same with what some send instead in line 6: an ACK alone. */
static void simultaneous_with_a_plain_ack(void **state)
{
    (void)state;
    struct peer b = peer(1, 0);
    struct sock *so = host_connect(&b);
    leaves(&b, .flags = SYN, .seq = 0);
    arrives(&b, .flags = SYN, .seq = 0, .mss = 1000);
    leaves(&b, .flags = SYN | ACK, .seq = 0, .ack = 1);
    arrives(&b, .flags = ACK, .seq = 1, .ack = 1);
    in_state(so, STATE_ESTABLISHED);
}

/* MUST-10 with both SYN,ACKs of figure 7 lost: each is sent again until it gets through. */
static void simultaneous_with_loss(void **state)
{
    (void)state;
    struct peer b = peer(1, 0);
    struct sock *so = host_connect(&b);
    leaves(&b, .flags = SYN, .seq = 0);
    arrives(&b, .flags = SYN, .seq = 0, .mss = 1000);
    leaves(&b, .flags = SYN | ACK, .seq = 0, .ack = 1);
    host_at(1000);
    leaves(&b, .flags = SYN | ACK, .seq = 0, .ack = 1);
    arrives(&b, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
    in_state(so, STATE_ESTABLISHED);
}

/* MUST-11: what a RST means in SYN-RECEIVED depends on how it was reached: by an active OPEN whose
 * user has to hear of it, or by a passive one that goes on listening. */
static void how_syn_received_was_reached(void **state)
{
    (void)state;
    struct peer b = peer(1, 0), a = peer(2, 80);
    struct sock *so = host_reach(&b, STATE_SYN_RECEIVED), *l = host_listen(80, 5);
    arrives(&b, .flags = RST, .seq = 1);
    expect_event(so, SOCK_EV_CLOSED);
    assert_int_equal(stack_error(so), ERR_REFUSED);
    arrives(&a, .flags = SYN, .seq = 0);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    arrives(&a, .flags = RST, .seq = 1);
    expect_no_event();
    in_state(l, STATE_LISTEN);
    host_handshake(HERE, &a);
    expect_event(l, SOCK_EV_COMPLETED);
}

/* Figure 8 as peer A: the SYN,ACK of line 4 answers a SYN of long ago, and is answered by the RST
 * of line 5, whose number makes it believable; ours is still on its way. */
static void old_duplicate_as_a(void **state)
{
    (void)state;
    struct peer b = peer(1, 0);
    struct sock *so = host_connect(&b);
    leaves(&b, .flags = SYN, .seq = 0);
    arrives(&b, .flags = SYN | ACK, .seq = 0, .ack = (uint32_t)-9);
    leaves(&b, .flags = RST, .seq = (uint32_t)-9);
    in_state(so, STATE_SYN_SENT);
    expect_no_event();
    b.irs += 100;
    arrives(&b, .flags = SYN | ACK, .seq = 0, .ack = 1); /* line 7 */
    leaves(&b, .flags = ACK, .seq = 1, .ack = 1);
    in_state(so, STATE_ESTABLISHED);
}

/* Figure 8 as peer B: the old SYN is answered, as nobody can tell; after the RST of line 5 nothing
 * is left of it, and the SYN of line 6 finds a listener. */
static void old_duplicate_as_b(void **state)
{
    (void)state;
    struct peer old = peer(1, 80), a = old;
    old.irs -= 10;
    struct sock *l = host_listen(80, 5);
    arrives(&old, .flags = SYN, .seq = 0);
    leaves(&old, .flags = SYN | ACK, .seq = 0, .ack = 1);
    arrives(&old, .flags = RST, .seq = 1);
    assert_int_equal(stack_sock_count(host.stack), 1);
    host_at(1);
    arrives(&a, .flags = SYN, .seq = 0);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
    expect_event(l, SOCK_EV_COMPLETED);
    in_state(host_accept(l), STATE_ESTABLISHED);
}

/* "If the SYN at line 6 had arrived before the RST": it lies in the window of SYN-RECEIVED, which
 * returns to LISTEN (3.10.7.4 fourth); the peer's SYN comes again, and is taken. */
static void old_duplicate_and_the_syn_before_the_rst(void **state)
{
    (void)state;
    struct peer old = peer(1, 80), a = old;
    old.irs -= 10;
    struct sock *l = host_listen(80, 5);
    arrives(&old, .flags = SYN, .seq = 0);
    leaves(&old, .flags = SYN | ACK, .seq = 0, .ack = 1);
    arrives(&a, .flags = SYN, .seq = 0);
    nothing_leaves();
    arrives(&old, .flags = RST, .seq = 1);
    nothing_leaves();
    host_at(1000);
    arrives(&a, .flags = SYN, .seq = 0);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
    expect_event(l, SOCK_EV_COMPLETED);
}

/* Text may come with a SYN, and must not reach the user before the connection is established. We do
 * not keep it (lib/README.md): it is not acknowledged, and comes again. */
static void text_with_the_syn(void **state)
{
    (void)state;
    struct peer a = peer(1, 80);
    struct sock *l = host_listen(80, 5);
    arrives(&a, .flags = SYN, .seq = 0, .text = 20, .mss = 1000);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
    struct sock *so = host_accept(l);
    assert_int_equal(host_recv(so, 0, 20), ERR_AGAIN);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 20);
    host_receives(so, 0, 20);
    host_later(40);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 21);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(three_way_as_a),
        host_test(three_way_as_b),
        host_test(text_completes_the_handshake),
        host_test(simultaneous),
        host_test(simultaneous_with_a_plain_ack),
        host_test(simultaneous_with_loss),
        host_test(how_syn_received_was_reached),
        host_test(old_duplicate_as_a),
        host_test(old_duplicate_as_b),
        host_test(old_duplicate_and_the_syn_before_the_rst),
        host_test(text_with_the_syn),
    };
    return host_main(tests);
}
