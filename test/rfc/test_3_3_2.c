/* RFC 9293 3.3.2: the states, and figure 5 arrow by arrow. What else belongs to an arrow is in the
 * files of 3.10. */
#include "hosts.h"

static void in_state(const struct sock *so, enum tcp_state s)
{
    assert_int_equal(stack_state(so), s);
}

/* CLOSED - active OPEN: SYN - SYN-SENT - SYN,ACK: ACK - ESTABLISHED */
static void active_open(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connect(&a);
    leaves(&a, .flags = SYN, .seq = 0);
    in_state(so, STATE_SYN_SENT);
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    in_state(so, STATE_ESTABLISHED);
}

/* CLOSED - passive OPEN - LISTEN - SYN: SYN,ACK - SYN-RECEIVED - ACK of the SYN - ESTABLISHED. The
 * listener itself stays: it waits for any peer. */
static void passive_open(void **state)
{
    (void)state;
    struct peer a = peer(1, 80), b = peer(2, 80);
    struct sock *l = host_listen(80, 5);
    in_state(l, STATE_LISTEN);
    arrives(&a, .flags = SYN, .seq = 0);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    expect_no_event();
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
    expect_event(l, SOCK_EV_COMPLETED);
    in_state(host_accept(l), STATE_ESTABLISHED);
    in_state(l, STATE_LISTEN);
    host_handshake(HERE, &b);
    in_state(host_accept(l), STATE_ESTABLISHED);
}

/* SYN-SENT - SYN: SYN,ACK - SYN-RECEIVED - ACK of the SYN - ESTABLISHED */
static void simultaneous_open(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connect(&a);
    leaves(&a, .flags = SYN, .seq = 0);
    arrives(&a, .flags = SYN, .seq = 0);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    in_state(so, STATE_SYN_RECEIVED);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
    in_state(so, STATE_ESTABLISHED);
}

/* LISTEN - CLOSE - CLOSED: what comes then is for nobody. */
static void close_in_listen(void **state)
{
    (void)state;
    struct peer a = peer(1, 80);
    struct sock *l = host_listen(80, 5);
    host_close(l);
    nothing_leaves();
    arrives(&a, .flags = SYN, .seq = 0);
    leaves(&a, .flags = RST | ACK, .seq = 0, .ack = 1);
}

/* SYN-SENT - CLOSE - CLOSED */
static void close_in_syn_sent(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    host_close(host_reach(&a, STATE_SYN_SENT));
    nothing_leaves();
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    leaves(&a, .flags = RST, .seq = 1);
}

/* SYN-RECEIVED - CLOSE: FIN - FIN-WAIT-1: the FIN follows the ACK of our SYN (see user.c). */
static void close_in_syn_received(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_reach(&a, STATE_SYN_RECEIVED);
    host_linger(so);
    nothing_leaves();
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
    leaves(&a, .flags = FIN | ACK, .seq = 1, .ack = 1);
    in_state(so, STATE_FIN_WAIT_1);
    host_close(so);
}

/* Note 1: SYN-RECEIVED - RST - LISTEN, where the OPEN was passive. */
static void rst_back_to_listen(void **state)
{
    (void)state;
    struct peer a = peer(1, 80);
    struct sock *l = host_listen(80, 5);
    arrives(&a, .flags = SYN, .seq = 0);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    arrives(&a, .flags = RST, .seq = 1);
    in_state(l, STATE_LISTEN);
    expect_no_event();
    host_handshake(HERE, &a);
    expect_event(l, SOCK_EV_COMPLETED);
}

/* ESTABLISHED - CLOSE: FIN - FIN-WAIT-1 - ACK of the FIN - FIN-WAIT-2 - FIN: ACK - TIME-WAIT -
 * 2 MSL - CLOSED */
static void close_first(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_reach(&a, STATE_ESTABLISHED);
    assert_int_equal(host_shutdown_send(so), ERR_NONE);
    leaves(&a, .flags = FIN | ACK, .seq = 1, .ack = 1);
    in_state(so, STATE_FIN_WAIT_1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 2);
    in_state(so, STATE_FIN_WAIT_2);
    arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = 2);
    leaves(&a, .flags = ACK, .seq = 2, .ack = 2);
    in_state(so, STATE_TIME_WAIT);
    host_at(59999);
    in_state(so, STATE_TIME_WAIT);
    host_at(60000);
    in_state(so, STATE_CLOSED);
}

/* FIN-WAIT-1 - FIN: ACK - CLOSING - ACK of the FIN - TIME-WAIT */
static void close_together(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_reach(&a, STATE_FIN_WAIT_1);
    arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = 1);
    leaves(&a, .flags = FIN | ACK, .seq = 1, .ack = 2); /* again (lib/README.md) */
    in_state(so, STATE_CLOSING);
    arrives(&a, .flags = ACK, .seq = 2, .ack = 2);
    in_state(so, STATE_TIME_WAIT);
}

/* Note 2: FIN-WAIT-1 - FIN that acknowledges ours: ACK - TIME-WAIT */
static void fin_with_the_ack_of_ours(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_reach(&a, STATE_FIN_WAIT_1);
    arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = 2);
    leaves(&a, .flags = ACK, .seq = 2, .ack = 2);
    in_state(so, STATE_TIME_WAIT);
}

/* ESTABLISHED - FIN: ACK - CLOSE-WAIT - CLOSE: FIN - LAST-ACK - ACK of the FIN - CLOSED */
static void close_second(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_reach(&a, STATE_ESTABLISHED);
    arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = 1);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 2);
    in_state(so, STATE_CLOSE_WAIT);
    assert_int_equal(host_shutdown_send(so), ERR_NONE);
    leaves(&a, .flags = FIN | ACK, .seq = 1, .ack = 2);
    in_state(so, STATE_LAST_ACK);
    arrives(&a, .flags = ACK, .seq = 2, .ack = 2);
    in_state(so, STATE_CLOSED);
}

/* Note 3: a RST that is valid ends each of these states, but for TIME-WAIT (RFC 1337), and leaves
 * no connection behind. */
static void rst_in_each_state(void **state)
{
    (void)state;
    for (enum tcp_state s = STATE_SYN_RECEIVED; s < STATE_TIME_WAIT; s++) {
        struct peer a = peer(s, 0);
        struct sock *so = host_reach(&a, s);
        bool closed = s == STATE_CLOSE_WAIT || s == STATE_CLOSING || s == STATE_LAST_ACK;
        uint32_t them = closed ? 2 : 1;
        arrives(&a, .flags = RST, .seq = them);
        in_state(so, STATE_CLOSED);
        nothing_leaves();
        arrives(&a, .flags = ACK, .seq = them, .ack = 1);
        leaves(&a, .flags = RST, .seq = 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(active_open),        host_test(passive_open),
        host_test(simultaneous_open),  host_test(close_in_listen),
        host_test(close_in_syn_sent),  host_test(close_in_syn_received),
        host_test(rst_back_to_listen), host_test(close_first),
        host_test(close_together),     host_test(fin_with_the_ack_of_ours),
        host_test(close_second),       host_test(rst_in_each_state),
    };
    return host_main(tests);
}
