/* The beginnings of most tests of a stack. See hosts.h. */
#include "hosts.h"

void host_handshake(struct where w, struct peer *p)
{
    host_arrives(w, p, (struct line){.flags = SYN, .mss = 1000});
    host_leaves(w, p, (struct line){.flags = SYN | ACK, .ack = 1});
    host_arrives(w, p, (struct line){.flags = ACK, .seq = 1, .ack = 1});
}

struct sock *host_accept(struct sock *listener)
{
    struct sock *so = NULL;
    assert_int_equal(stack_accept(listener, &host, host.now_ns, &so), ERR_NONE);
    return so;
}

struct sock *host_connected(struct where w, struct peer *p)
{
    struct sock *so = host_connect(p);
    host_leaves(w, p, (struct line){.flags = SYN});
    host_arrives(w, p, (struct line){.flags = SYN | ACK, .ack = 1, .mss = 1000});
    host_leaves(w, p, (struct line){.flags = ACK, .seq = 1, .ack = 1});
    host_event(w, so, SOCK_EV_COMPLETED);
    return so;
}

void host_take_events(void)
{
    struct stack_event ev;
    while (stack_next_event(host.stack, &ev))
        continue;
}

static void closes(struct where w, struct sock *so, struct peer *p, uint32_t ack)
{
    host_step(w);
    assert_int_equal(stack_shutdown_send(so, host.now_ns), ERR_NONE);
    host_leaves(w, p, (struct line){.flags = FIN | ACK, .seq = 1, .ack = ack});
}

static void is_closed(struct where w, struct peer *p, uint32_t us)
{
    host_arrives(w, p, (struct line){.flags = FIN | ACK, .seq = 1, .ack = us});
}

struct sock *host_reaches(struct where w, struct peer *p, enum tcp_state s)
{
    host_take_events();
    struct sock *so = s <= STATE_SYN_RECEIVED ? host_connect(p) : host_connected(w, p);
    if (s <= STATE_SYN_RECEIVED)
        host_leaves(w, p, (struct line){.flags = SYN});
    if (s == STATE_SYN_RECEIVED) {
        host_arrives(w, p, (struct line){.flags = SYN, .mss = 1000});
        host_leaves(w, p, (struct line){.flags = SYN | ACK, .ack = 1});
    }
    if (s == STATE_CLOSE_WAIT || s == STATE_LAST_ACK) {
        is_closed(w, p, 1);
        host_leaves(w, p, (struct line){.flags = ACK, .seq = 1, .ack = 2});
    }
    if (s == STATE_FIN_WAIT_1 || s == STATE_FIN_WAIT_2 || s == STATE_CLOSING ||
        s == STATE_TIME_WAIT)
        closes(w, so, p, 1);
    if (s == STATE_LAST_ACK)
        closes(w, so, p, 2);
    if (s == STATE_FIN_WAIT_2 || s == STATE_TIME_WAIT)
        host_arrives(w, p, (struct line){.flags = ACK, .seq = 1, .ack = 2});
    if (s == STATE_CLOSING || s == STATE_TIME_WAIT) {
        is_closed(w, p, s == STATE_CLOSING ? 1 : 2);
        if (s == STATE_CLOSING)
            host_leaves(w, p, (struct line){.flags = FIN | ACK, .seq = 1, .ack = 2});
        else
            host_leaves(w, p, (struct line){.flags = ACK, .seq = 2, .ack = 2});
    }
    host_take_events();
    assert_int_equal(stack_state(so), s);
    return so;
}

void host_to_time_wait(struct where w, struct peer *p, struct sock *listener)
{
    host_handshake(w, p);
    struct sock *so = host_accept(listener);
    host_step(w);
    stack_close(so, host.now_ns);
    host_leaves(w, p, (struct line){.flags = FIN | ACK, .seq = 1, .ack = 1});
    host_arrives(w, p, (struct line){.flags = FIN | ACK, .seq = 1, .ack = 2});
    host_leaves(w, p, (struct line){.flags = ACK, .seq = 2, .ack = 2});
}
