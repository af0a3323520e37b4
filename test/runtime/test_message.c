/* sendmsg and recvmsg: buffers in pieces, partial transfers, timeouts; and errors that wait. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <time.h>

#include "two_stacks.h"

#define MUCH ((size_t)3 << 20)

static uint8_t out[MUCH], in[MUCH];

/* Cuts a buffer into n pieces of uneven length, many of them empty. */
static void cut(struct iovec *iov, size_t n, uint8_t *buf, size_t len)
{
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        size_t piece = i % 5 > 2 ? 0 : (i * 7919) % (4 * len / n);
        if (piece > len - at || i == n - 1)
            piece = len - at;
        iov[i] = (struct iovec){buf + at, piece};
        at += piece;
    }
}

static void *send_in_pieces(void *arg)
{
    struct two *t = arg;
    static struct iovec iov[IOV_MAX];
    cut(iov, IOV_MAX, out, MUCH);
    const struct msghdr msg = {.msg_iov = iov, .msg_iovlen = IOV_MAX};
    assert_int_equal(nstcp_sendmsg(t->left, 1, &msg, 0), MUCH); /* much more than the queue holds */
    return NULL;
}

static void in_pieces(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int left, right;
    must_pair(&t, &left, &right);
    assert_int_equal(left, 1);
    pattern(out, MUCH, 0);
    memset(in, 0, MUCH);
    pthread_t thread = must_thread(send_in_pieces, &t);
    static struct iovec iov[IOV_MAX];
    cut(iov, 300, in, MUCH);
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 300};
    assert_int_equal(nstcp_recvmsg(t.right, right, &msg, MSG_WAITALL), MUCH);
    assert_memory_equal(in, out, MUCH);
    must_join(thread);
    two_down(&t);
}

static void wrong_messages(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int left, right;
    must_pair(&t, &left, &right);
    static struct iovec iov[IOV_MAX + 1];
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = IOV_MAX + 1};
    assert_fails(nstcp_sendmsg(t.left, left, &msg, 0), EMSGSIZE);
    assert_fails(nstcp_recvmsg(t.left, left, &msg, MSG_DONTWAIT), EMSGSIZE);
    iov[0].iov_len = iov[1].iov_len = SSIZE_MAX;
    msg.msg_iovlen = 2;
    assert_fails(nstcp_sendmsg(t.left, left, &msg, 0), EINVAL);
    assert_fails(nstcp_recvmsg(t.left, left, &msg, MSG_DONTWAIT), EINVAL);
    msg = (struct msghdr){.msg_control = iov, .msg_controllen = 64};
    assert_fails(nstcp_sendmsg(t.left, left, &msg, 0), EINVAL);
    assert_fails(nstcp_sendmsg(t.left, 99, &msg, 0), EBADF);
    two_down(&t);
}

static void set_timeout(struct nstcp *stack, int sock, int name, int ms)
{
    const struct timeval tv = {ms / 1000, ms % 1000 * 1000};
    assert_int_equal(nstcp_setsockopt(stack, sock, SOL_SOCKET, name, &tv, sizeof tv), 0);
}

/* As much as the queues take, the pieces in order, and not an octet twice. */
static void partial(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int left, right;
    must_pair(&t, &left, &right);
    pattern(out, MUCH, 0);
    set_timeout(t.left, left, SO_SNDTIMEO, 50);
    struct iovec iov[100];
    size_t sent = 0;
    for (;;) { /* the receiver's buffer grows to 4 MiB at most */
        cut(iov, 100, out, MUCH);
        const struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 100};
        ssize_t n = nstcp_sendmsg(t.left, left, &msg, 0);
        if (n < 0)
            break;
        sent += (size_t)n;
        if ((size_t)n < MUCH)
            break;
    }
    assert_true(sent > 0);
    int waits = 0;
    assert_int_equal(nstcp_ioctl(t.left, left, TIOCOUTQ, &waits), 0);
    assert_true(waits > 0);
    assert_int_equal(nstcp_shutdown(t.left, left, SHUT_WR), 0);
    for (size_t got = 0; got < sent;) {
        struct iovec to[] = {{in, 1}, {in + 1, 65536}};
        struct msghdr msg = {.msg_iov = to, .msg_iovlen = 2};
        ssize_t n = nstcp_recvmsg(t.right, right, &msg, 0);
        assert_true(n > 0);
        uint8_t expected[65537];
        for (ssize_t i = 0; i < n; i++)
            expected[i] = out[(got + (size_t)i) % MUCH];
        assert_memory_equal(in, expected, (size_t)n);
        got += (size_t)n;
    }
    assert_int_equal(nstcp_recv(t.right, right, in, 1, 0), 0);
    two_down(&t);
}

struct sending {
    struct two *t;
    int sock;
    ssize_t first;
    int error; /* of the call after that */
};

static void *send_late(void *arg)
{
    const struct sending *s = arg;
    nanosleep(&(struct timespec){0, 20000000}, NULL);
    must_send(s->t->left, s->sock, "x", 1);
    return NULL;
}

/* Of no octets: waits as for one, with MSG_WAITALL too. As Linux. */
static void nothing_wanted(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int left, right;
    must_pair(&t, &left, &right);
    static const int flags[] = {0, MSG_WAITALL, MSG_PEEK | MSG_WAITALL};
    for (int i = 0; i < 3; i++) {
        pthread_t thread = must_thread(send_late, &(struct sending){.t = &t, .sock = left});
        assert_int_equal(nstcp_recv(t.right, right, NULL, 0, flags[i]), 0);
        must_join(thread);
        assert_int_equal(nstcp_recv(t.right, right, in, 2, 0), 1);
        assert_fails(nstcp_recv(t.right, right, NULL, 0, flags[i] | MSG_DONTWAIT), EAGAIN);
    }
    assert_int_equal(nstcp_send(t.left, left, NULL, 0, 0), 0);
    two_down(&t);
}

static void *send_much(void *arg)
{
    struct sending *s = arg;
    struct iovec iov[8];
    for (size_t i = 0; i < 8; i++)
        iov[i] = (struct iovec){out, MUCH};
    const struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 8};
    s->first = nstcp_sendmsg(s->t->left, s->sock, &msg, 0);
    s->error = nstcp_send(s->t->left, s->sock, out, 1, 0) < 0 ? errno : 0;
    return NULL;
}

/* What came before an error is the call's result; the error is the next call's. */
static void error_waits(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int left, right;
    must_pair(&t, &left, &right);
    must_send(t.right, right, "abc", 3);
    const struct linger linger = {1, 0};
    assert_int_equal(
        nstcp_setsockopt(t.right, right, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
    char buf[8];
    struct pollfd p = {.fd = left, .events = POLLIN};
    assert_int_equal(nstcp_poll(t.left, &p, 1, 10000), 1);
    must_close(t.right, right);
    assert_int_equal(nstcp_recv(t.left, left, buf, 8, MSG_WAITALL), 3);
    assert_fails(nstcp_recv(t.left, left, buf, 8, MSG_WAITALL), ECONNRESET);
    assert_int_equal(nstcp_recv(t.left, left, buf, 8, MSG_WAITALL), 0);
    /* A sender that waits for room when the reset comes: it has sent a part. */
    must_pair(&t, &left, &right);
    struct sending s = {&t, left, 0, 0};
    pthread_t thread = must_thread(send_much, &s);
    p = (struct pollfd){.fd = right, .events = POLLIN};
    assert_int_equal(nstcp_poll(t.right, &p, 1, 10000), 1);
    assert_int_equal(
        nstcp_setsockopt(t.right, right, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
    must_close(t.right, right);
    must_join(thread);
    assert_in_range(s.first, 1, sizeof out * 8 - 1);
    assert_int_equal(s.error, ECONNRESET);
    two_down(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_pieces),   cmocka_unit_test(wrong_messages),
        cmocka_unit_test(partial),     cmocka_unit_test(nothing_wanted),
        cmocka_unit_test(error_waits),
    };
    return two_main(tests);
}
