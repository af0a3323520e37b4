/* RFC 9293 3.10.1: the OPEN call, in each state. What its parameters mean is in test_3_9_1_1.c. */
#include "hosts.h"

/* CLOSED, active: a SYN <SEQ=ISS><CTL=SYN>; SND.UNA is ISS, SND.NXT is ISS+1. */
static void closed_active(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connect(&a);
    assert_int_equal(stack_state(so), STATE_SYN_SENT);
    leaves(&a, .flags = SYN, .seq = 0);
    assert_int_equal(host_status(so).flight, 1);
}

/* CLOSED, passive: LISTEN, and silence. */
static void closed_passive(void **state)
{
    (void)state;
    struct sock *l = host_listen(80, 5);
    assert_int_equal(stack_state(l), STATE_LISTEN);
    host_at(1000000);
    nothing_leaves();
}

/* CLOSED, with the remote socket not specified, or no room: errors, and nothing is left. */
static void closed_errors(void **state)
{
    (void)state;
    struct sock *so = NULL;
    struct flow f = peer(1, 0).flow;
    f.remote = ip_addr_v4(0);
    assert_int_equal(stack_connect(host.stack, &f, 0, NULL, host.now_ns, &so), ERR_ADDRESS);
    host.config.max_socks = 1;
    host_start();
    f = peer(1, 0).flow;
    host_listen(80, 5);
    assert_int_equal(stack_connect(host.stack, &f, 0, NULL, host.now_ns, &so), ERR_NOMEM);
    struct ip_addr any = ip_addr_v4(0);
    assert_int_equal(stack_listen(host.stack, &any, 81, 5, NULL, &so), ERR_NOMEM);
    nothing_leaves();
    assert_int_equal(stack_sock_count(host.stack), 1);
}

/* LISTEN: no call turns a listener into a connection, as POSIX has it; an active OPEN from its port
 * is a connection beside it. */
static void in_listen(void **state)
{
    (void)state;
    struct sock *l = host_listen(80, 5);
    struct peer a = peer(1, 80);
    host_connect(&a);
    leaves(&a, .flags = SYN, .seq = 0);
    assert_int_equal(stack_state(l), STATE_LISTEN);
}

/* All others: "connection already exists". In CLOSED it does not. */
static void in_each_other_state(void **state)
{
    (void)state;
    for (enum tcp_state s = STATE_SYN_SENT; s <= STATE_TIME_WAIT; s++) {
        struct peer a = peer(s, 4000);
        struct sock *so = host_reach(&a, s), *again = NULL;
        assert_int_equal(stack_connect(host.stack, &a.flow, 0, NULL, host.now_ns, &again),
                         ERR_IN_USE);
        nothing_leaves();
        assert_int_equal(stack_state(so), s);
    }
    struct peer a = peer(99, 4000);
    struct sock *so = host_reach(&a, STATE_LAST_ACK);
    arrives(&a, .flags = ACK, .seq = 2, .ack = 2);
    assert_int_equal(stack_state(so), STATE_CLOSED);
    host_connect(&a);
    leaves(&a, .flags = SYN, .seq = 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(closed_active), host_test(closed_passive),      host_test(closed_errors),
        host_test(in_listen),     host_test(in_each_other_state),
    };
    return host_main(tests);
}
