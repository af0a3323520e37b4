/* Urgent data between two stacks: out of band and in line, and threads that wait for it. What each
 * call says in each order, interop/posix_test.py compares with Linux. */
#include <errno.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>

#include "two_stacks.h"

static void send_oob(struct nstcp *stack, int sock, const char *text)
{
    assert_int_equal(nstcp_send(stack, sock, text, strlen(text), MSG_OOB), strlen(text));
}

static void await(struct nstcp *stack, int sock, short events)
{
    struct pollfd p = {.fd = sock, .events = events};
    assert_int_equal(nstcp_poll(stack, &p, 1, 10000), 1);
    assert_true(p.revents & events);
}

static int at_mark(struct nstcp *stack, int sock)
{
    int mark = -1;
    assert_int_equal(nstcp_ioctl(stack, sock, SIOCATMARK, &mark), 0);
    return mark;
}

static void out_of_band(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int left, right;
    char buf[8];
    must_pair(&t, &left, &right);
    assert_fails(nstcp_recv(t.right, right, buf, 1, MSG_OOB), EINVAL);
    send_oob(t.left, left, "abC");
    await(t.right, right, POLLPRI);
    assert_int_equal(nstcp_recv(t.right, right, buf, 8, MSG_WAITALL), 2);
    assert_int_equal(at_mark(t.right, right), 1);
    struct iovec iov = {buf, 8};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    assert_int_equal(nstcp_recvmsg(t.right, right, &msg, MSG_OOB), 1);
    assert_int_equal(msg.msg_flags, MSG_OOB);
    assert_int_equal(buf[0], 'C');
    assert_fails(nstcp_recv(t.right, right, buf, 1, MSG_OOB), EINVAL);
    must_send(t.left, left, "de", 2);
    assert_int_equal(nstcp_recv(t.right, right, buf, 8, 0), 2);
    assert_memory_equal(buf, "de", 2);
    assert_int_equal(at_mark(t.right, right), 0);
    two_down(&t);
}

static void in_line(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int left, right;
    char buf[8];
    must_pair(&t, &left, &right);
    assert_int_equal(
        nstcp_setsockopt(t.right, right, SOL_SOCKET, SO_OOBINLINE, &(int){1}, sizeof(int)), 0);
    send_oob(t.left, left, "abC");
    must_send(t.left, left, "de", 2);
    assert_int_equal(nstcp_recv(t.right, right, buf, 2, MSG_WAITALL), 2);
    assert_int_equal(at_mark(t.right, right), 1);
    assert_int_equal(nstcp_recv(t.right, right, buf, 3, MSG_WAITALL), 3);
    assert_memory_equal(buf, "Cde", 3);
    two_down(&t);
}

struct waiting {
    struct nstcp *stack;
    int sock;
};

/* Only for what is urgent: text in front of it does not wake it. */
static void *wait_for_urgent(void *arg)
{
    const struct waiting *w = arg;
    char octet;
    await(w->stack, w->sock, POLLPRI);
    assert_int_equal(nstcp_recv(w->stack, w->sock, &octet, 1, MSG_OOB), 1);
    return NULL;
}

static void waited_for(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int left, right;
    must_pair(&t, &left, &right);
    struct waiting w = {t.right, right};
    pthread_t thread = must_thread(wait_for_urgent, &w);
    must_send(t.left, left, "a", 1);
    send_oob(t.left, left, "B");
    must_join(thread);
    two_down(&t);
}

/* MUST-32: nobody reads, and the window shuts before the octet; the pointer is told all the same,
 * and what is read makes room for it. */
static void told_to_make_room(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int left, right;
    static char much[32 << 20];
    must_pair(&t, &left, &right);
    const struct timeval tv = {0, 300000};
    assert_int_equal(nstcp_setsockopt(t.left, left, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv), 0);
    ssize_t sent = nstcp_send(t.left, left, much, sizeof much, MSG_OOB), got = 0, n;
    assert_in_range(sent, 1, sizeof much - 1);
    await(t.right, right, POLLPRI);
    assert_fails(nstcp_recv(t.right, right, much, 1, MSG_OOB), EAGAIN);
    assert_int_equal(nstcp_shutdown(t.left, left, SHUT_WR), 0);
    while (got < sent - 1) {
        n = nstcp_recv(t.right, right, much, sizeof much, 0);
        assert_true(n > 0);
        got += n;
        assert_int_equal(at_mark(t.right, right), got == sent - 1);
    }
    await(t.right, right, POLLPRI);
    assert_int_equal(nstcp_recv(t.right, right, much, 1, MSG_OOB), 1);
    assert_int_equal(nstcp_recv(t.right, right, much, 1, 0), 0);
    two_down(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(out_of_band),
        cmocka_unit_test(in_line),
        cmocka_unit_test(waited_for),
        cmocka_unit_test(told_to_make_room),
    };
    return two_main(tests);
}
