/* RFC 9293 3.8.6.2.2: silly windows, the receiver's side: MUST-39. RCV.BUFF is 10000, the MSS 1000,
 * so the edge moves by no less than 1000. */
#include "hosts.h"

/* Our window is full: the edge is fixed at 10001. */
static struct sock *full(struct peer *a)
{
    struct sock *so = host_connected(HERE, a);
    arrives(a, .flags = ACK, .seq = 1, .ack = 1, .text = 10000);
    leaves(a, .flags = ACK, .seq = 1, .ack = 10001, .wnd = ZERO);
    return so;
}

/* The edge stays while text arrives: RCV.WND shrinks as RCV.NXT grows. */
static void edge_is_fixed(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    host_connected(HERE, &a);
    for (int i = 1; i <= 4; i++) {
        arrives(&a, .flags = ACK, .seq = 1 + 300 * ((uint32_t)i - 1), .ack = 1, .text = 300);
        host_later(40);
        leaves(&a, .flags = ACK, .seq = 1, .ack = 1 + 300 * (uint32_t)i, .wnd = 10000 - 300 * i);
    }
}

/* What the user reads in small pieces opens the window only when there is room for a segment. */
static void small_reads(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = full(&a);
    for (uint32_t at = 0; at < 900; at += 100) {
        host_receives(so, at, 100);
        nothing_leaves();
        arrives(&a, .flags = ACK, .seq = 10001, .ack = 1, .text = 1); /* a probe: still shut */
        leaves(&a, .flags = ACK, .seq = 1, .ack = 10001, .wnd = ZERO);
    }
    host_receives(so, 900, 100);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 10001, .wnd = 1000);
}

/* Then RCV.WND becomes RCV.BUFF - RCV.USER. */
static void all_that_is_free(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = full(&a);
    host_receives(so, 0, 4300);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 10001, .wnd = 4300);
}

/* Small text that is read at once moves the edge on by a segment, not by each of its octets. */
static void steps_of_a_segment(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    uint32_t edge = 10001;
    for (uint32_t at = 1; at < 9000; at += 100) {
        arrives(&a, .flags = ACK, .seq = at, .ack = 1, .text = 100);
        host_batch();
        host_receives(so, at - 1, 100);
        host_later(40);
        for (struct packet p; stack_output(host.stack, &p, 1, host.now_ns) > 0;) {
            struct headers h = headers_read(&p);
            uint32_t now = h.ack - a.irs + h.wnd;
            assert_true(now == edge || now >= edge + 1000);
            edge = now;
        }
    }
    assert_in_range(edge, 18000, 19001);
}

/* With a buffer of less than a segment the step is half of it (Fr = 1/2). */
static void steps_of_half_a_small_buffer(void **state)
{
    (void)state;
    host.config.tcp.rcvbuf = host.config.tcp.rcvbuf_max = 900;
    host_start();
    struct peer a = peer(1, 0);
    struct sock *so = host_connected(HERE, &a);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 900);
    host_later(40);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 901, .wnd = ZERO);
    host_receives(so, 0, 449);
    nothing_leaves();
    host_receives(so, 449, 1);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 901, .wnd = 450);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(edge_is_fixed),
        host_test_ipv4(small_reads),
        host_test(all_that_is_free),
        host_test_ipv4(steps_of_a_segment),
        host_test(steps_of_half_a_small_buffer),
    };
    return host_main(tests);
}
