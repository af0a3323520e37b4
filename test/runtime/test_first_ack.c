/* When connect() leaves the ACK of the SYN-ACK to what the program does next (RFC 9293 3.10.7.3).
 * That is a matter of a millisecond: an attempt in which that has passed shows nothing, and there
 * is another. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>

#include "two_stacks.h"

#define HELD_S   0.001
#define ATTEMPTS 1000

/* TCP_INFO up to linux/tcp.h's tcpi_segs_out, which the C library's struct does not have yet. */
struct info {
    struct tcp_info beginning;
    uint64_t pacing_rate, max_pacing_rate, bytes_acked, bytes_received;
    uint32_t segs_out;
};

static uint32_t segments_out(struct two *t, int sock)
{
    struct info info;
    socklen_t len = sizeof info;
    assert_int_equal(nstcp_getsockopt(t->left, sock, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
    assert_in_range(len, offsetof(struct info, segs_out) + 4, sizeof info);
    return info.segs_out;
}

/* The segments that had gone after `call`, after a connect whose ACK was held. */
static uint32_t after(void (*call)(struct nstcp *, int))
{
    struct two t;
    two_up(&t, NULL);
    int listener = must_listen(t.right, "0.0.0.0", PORT);
    uint32_t out = 0;
    for (unsigned i = 0; i < ATTEMPTS && out == 0; i++) {
        double begun = now();
        int left = must_connect(t.left, "10.0.1.1", PORT);
        uint32_t before = segments_out(&t, left);
        call(t.left, left);
        out = segments_out(&t, left);
        if (now() - begun >= HELD_S)
            out = 0;
        else
            assert_int_equal(before, 1); /* the SYN */
        must_close(t.right, must_accept(t.right, listener));
        must_close(t.left, left);
    }
    two_down(&t);
    return out;
}

static void nothing(struct nstcp *stack, int sock)
{
    (void)stack;
    (void)sock;
}

static void sends(struct nstcp *stack, int sock)
{
    must_send(stack, sock, "x", 1);
}

static void receives(struct nstcp *stack, int sock)
{
    char c;
    assert_fails(nstcp_recv(stack, sock, &c, 1, MSG_DONTWAIT), EAGAIN);
}

static void polls(struct nstcp *stack, int sock)
{
    struct pollfd fd = {.fd = sock, .events = POLLIN};
    assert_int_equal(nstcp_poll(stack, &fd, 1, 0), 0);
}

static void polls_to_send(struct nstcp *stack, int sock)
{
    struct pollfd fd = {.fd = sock, .events = POLLOUT};
    assert_int_equal(nstcp_poll(stack, &fd, 1, 0), 1);
}

static void watches(struct nstcp *stack, int sock)
{
    struct nstcp_epoll *set = nstcp_epoll_create(stack);
    struct epoll_event event = {.events = EPOLLIN};
    assert_non_null(set);
    assert_int_equal(nstcp_epoll_ctl(set, EPOLL_CTL_ADD, sock, &event), 0);
    nstcp_epoll_close(set);
}

static void held(void **state)
{
    (void)state;
    assert_int_equal(after(nothing), 1);
    assert_int_equal(after(polls_to_send), 1);
    assert_int_equal(after(sends), 2);
}

static void goes(void **state)
{
    (void)state;
    assert_int_equal(after(receives), 2);
    assert_int_equal(after(polls), 2);
    assert_int_equal(after(watches), 2);
}

/* A program that does nothing at all does not keep the peer from accepting. */
static void goes_by_itself(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int listener = must_listen(t.right, "0.0.0.0", PORT);
    int left = must_connect(t.left, "10.0.1.1", PORT);
    must_accept(t.right, listener);
    assert_int_equal(segments_out(&t, left), 2);
    two_down(&t);
}

/* Who does not wait for the end of connect() is told of it when others are, too. */
static void without_waiting(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    must_listen(t.right, "0.0.0.0", PORT);
    int left = must_socket(t.left);
    struct address to = address("10.0.1.1", PORT);
    assert_int_equal(nstcp_fcntl(t.left, left, F_SETFL, O_NONBLOCK), 0);
    assert_fails(nstcp_connect(t.left, left, &to.sa, to.len), EINPROGRESS);
    struct pollfd fd = {.fd = left, .events = POLLOUT};
    assert_int_equal(nstcp_poll(t.left, &fd, 1, 10000), 1);
    assert_int_equal(segments_out(&t, left), 2);
    two_down(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(held),
        cmocka_unit_test(goes),
        cmocka_unit_test(goes_by_itself),
        cmocka_unit_test(without_waiting),
    };
    return two_main(tests);
}
