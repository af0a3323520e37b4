/* RFC 6429: a peer that keeps its window shut (RFC 9293 3.8.6.1). */
#include "hosts.h"

/* Answers every probe with a window of 0, up to `hours` from now; returns how many there were, and
 * stops when the connection is no more. */
static unsigned persist(struct peer *a, uint32_t hours)
{
    unsigned n = 0;
    nothing_leaves();
    for (uint64_t end = host.now_ns + hours * 3600 * NS_PER_S; stack_deadline(host.stack) < end;
         n++) {
        host_go(HERE, stack_deadline(host.stack));
        if (stack_sock_count(host.stack) == 0)
            break;
        struct packet p;
        if (stack_output(host.stack, &p, 1, host.now_ns) == 0)
            break;
        assert_int_equal(headers_read(&p).text_len, 1);
        arrives(a, .flags = ACK, .seq = 1, .ack = 1, .wnd = ZERO);
        nothing_leaves();
    }
    return n;
}

static struct sock *shut(struct peer *a, uint32_t n)
{
    a->wnd = ZERO;
    struct sock *so = host_connected(HERE, a);
    host_sends(so, 0, n);
    return so;
}

/* 4: not closed merely because it persists, for as long as probes are answered. */
static void not_closed_for_it(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = shut(&a, 5000);
    assert_true(persist(&a, 48) > 2000);
    assert_int_equal(stack_state(so), STATE_ESTABLISHED);
    assert_int_equal(host_status(so).unsent_or_unacked, 5000);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = 10000);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000); /* and goes on */
    (void)all_leaves();
}

/* 4: but it can be closed and aborted meanwhile, by its user or by who manages resources, and gives
 * back all it has. */
static void can_be_aborted(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), b = peer(2, 0);
    struct sock *so = shut(&a, 5000);
    assert_true(persist(&a, 1) > 10);
    host_abort(so);
    leaves(&a, .flags = RST | ACK, .seq = 1, .ack = 1);
    nothing_leaves();
    assert_int_equal(stack_sock_count(host.stack), 0);
    so = shut(&b, 5000);
    host_close(so);
    nothing_leaves();
    host_step(HERE);
    stack_abort_left(host.stack, host.now_ns); /* those whose users have gone */
    leaves(&b, .flags = RST | ACK, .seq = 1, .ack = 1);
    nothing_leaves();
    assert_int_equal(stack_sock_count(host.stack), 0);
}

/* The user may set a limit for this connection, which counts whether probes are answered or not. */
static void limit_of_the_user(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = shut(&a, 5000);
    host_step(HERE);
    host_set(so, user_timeout_ms, 60000);
    (void)persist(&a, 1);
    assert_int_equal(stack_state(so), STATE_CLOSED);
    assert_int_equal(stack_error(so), ERR_TIMEDOUT);
}

/* 3: an orphan, whose user has closed and gone, is nobody's to abort: it ends after R2 of no
 * progress, so that no peer can make us hold its data for ever. */
static void orphan(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    host_close(shut(&a, 5000));
    uint64_t began = host.now_ns;
    (void)persist(&a, 1);
    assert_int_equal(stack_sock_count(host.stack), 0);
    assert_in_range(host.now_ns - began, 300 * NS_PER_S, 301 * NS_PER_S);
}

/* An orphan that makes progress, however slow, is let be. */
static void orphan_with_progress(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    host_close(shut(&a, 100));
    nothing_leaves();
    for (uint32_t at = 1; at < 30; at++) {
        host_go(HERE, stack_deadline(host.stack));
        leaves(&a, .flags = ACK, .seq = at, .ack = 1, .text = 1);
        arrives(&a, .flags = ACK, .seq = 1, .ack = at + 1, .wnd = ZERO);
        nothing_leaves();
    }
    assert_true(host.now_ns - host.start_ns > 600 * NS_PER_S);
    assert_int_equal(stack_sock_count(host.stack), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(not_closed_for_it),    host_test(can_be_aborted),
        host_test(limit_of_the_user),    host_test(orphan),
        host_test(orphan_with_progress),
    };
    return host_main(tests);
}
