/* ready.c: the ready list: each socket at most once, and no event lost. */
#include "hosts.h"

static void one_entry_per_socket(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), b = peer(2, 0);
    struct sock *sa = host_connected(HERE, &a), *sb = host_connected(HERE, &b);
    assert_int_equal(host_send(sa, 0, 100), 100);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 100);
    for (uint32_t i = 0; i < 50; i++) {
        arrives(&a, .flags = ACK, .seq = 1 + i, .ack = 1 + i, .text = 1);
        host_batch();
        arrives(&b, .flags = ACK, .seq = 1 + i, .ack = 1, .text = 1);
        host_batch();
    }
    arrives(&a, .flags = FIN | ACK | URG, .seq = 51, .ack = 101, .up = 5);
    all_leaves();
    expect_event(sa, SOCK_EV_ACKED | SOCK_EV_ARRIVED | SOCK_EV_URGENT);
    expect_event(sb, SOCK_EV_ARRIVED);
    expect_no_event();
}

/* What happens after an event was taken is a new event, behind the others. */
static void taken_and_again(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), b = peer(2, 0);
    struct sock *sa = host_connected(HERE, &a), *sb = host_connected(HERE, &b);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1);
    arrives(&b, .flags = ACK, .seq = 1, .ack = 1, .text = 1);
    expect_event(sa, SOCK_EV_ARRIVED);
    arrives(&a, .flags = ACK, .seq = 2, .ack = 1, .text = 1);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 3);
    expect_event(sb, SOCK_EV_ARRIVED);
    expect_event(sa, SOCK_EV_ARRIVED);
    expect_no_event();
}

/* A socket that is given up tells nothing any more. */
static void closed_sockets_are_silent(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), b = peer(2, 0);
    struct sock *sa = host_connected(HERE, &a), *sb = host_connected(HERE, &b);
    arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = 1);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 2);
    arrives(&b, .flags = RST, .seq = 1);
    host_close(sa);
    leaves(&a, .flags = FIN | ACK, .seq = 1, .ack = 2);
    expect_event(sb, SOCK_EV_CLOSED); /* and none of what a's user had not taken */
    expect_no_event();
    arrives(&a, .flags = ACK, .seq = 2, .ack = 2);
    expect_no_event();
    host_close(sb);
}

/* The user's pointer comes back, the one of accept from then on. */
static void user_pointer(void **state)
{
    (void)state;
    struct peer a = peer(1, 80);
    int mine;
    struct sock *l = host_listen(80, 5), *so;
    host_handshake(HERE, &a);
    struct stack_event ev;
    assert_true(stack_next_event(host.stack, &ev));
    assert_ptr_equal(ev.user, &host);
    assert_ptr_equal(ev.sock, l);
    assert_int_equal(ev.what, SOCK_EV_COMPLETED);
    assert_int_equal(stack_accept(l, &mine, host.now_ns, &so), ERR_NONE);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1);
    assert_true(stack_next_event(host.stack, &ev));
    assert_ptr_equal(ev.user, &mine);
    assert_ptr_equal(ev.sock, so);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(one_entry_per_socket),
        host_test(taken_and_again),
        host_test(closed_sockets_are_silent),
        host_test(user_pointer),
    };
    return host_main(tests);
}
