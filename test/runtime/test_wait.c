/* Calls that wait, and what ends their waiting: timeouts, events, close, stop, destroy. */
#include <errno.h>
#include <time.h>

#include "two_stacks.h"

static void set_timeout(struct nstcp *stack, int sock, int name, int ms)
{
    const struct timeval tv = {ms / 1000, ms % 1000 * 1000};
    assert_int_equal(nstcp_setsockopt(stack, sock, SOL_SOCKET, name, &tv, sizeof tv), 0);
}

static void timeouts(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int left, right;
    must_pair(&t, &left, &right);
    set_timeout(t.left, left, SO_RCVTIMEO, 30);
    double began = now();
    assert_fails(nstcp_recv(t.left, left, &(char){0}, 1, 0), EAGAIN);
    assert_true(now() - began >= 0.03);
    must_send(t.right, right, "abc", 3);
    char buf[8];
    assert_int_equal(nstcp_recv(t.left, left, buf, 8, MSG_WAITALL), 3); /* what came in time */
    /* As much as the queues hold, then nothing more. */
    set_timeout(t.right, right, SO_SNDTIMEO, 30);
    static char much[64 << 20];
    ssize_t n = nstcp_send(t.right, right, much, sizeof much, 0);
    assert_in_range(n, 1, sizeof much - 1);
    while ((n = nstcp_send(t.right, right, much, sizeof much, 0)) > 0)
        ; /* under a sanitizer, what the queues hold has not moved in the first timeout */
    assert_fails(n, EAGAIN);
    nstcp_send(t.right, right, much, sizeof much, MSG_DONTWAIT); /* too little to be woken for */
    assert_fails(nstcp_send(t.right, right, much, 1, MSG_DONTWAIT), EAGAIN);
    must_close(t.left, left); /* or it would all have to be read */
    int listener = must_listen(t.right, "10.0.1.1", PORT + 1);
    set_timeout(t.right, listener, SO_RCVTIMEO, 30);
    assert_fails(nstcp_accept(t.right, listener, NULL, NULL), EAGAIN);
    assert_int_equal(nstcp_fcntl(t.right, listener, F_SETFL, O_NONBLOCK), 0);
    assert_fails(nstcp_accept(t.right, listener, NULL, NULL), EAGAIN);
    two_down(&t);
}

static void connect_timeout(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    /* Nobody is there any more: the SYN vanishes. */
    assert_int_equal(nstcp_destroy(t.right, 0), 0);
    t.right = NULL;
    int sock = must_socket(t.left);
    set_timeout(t.left, sock, SO_SNDTIMEO, 30);
    struct address to = address("10.0.1.1", PORT);
    assert_fails(nstcp_connect(t.left, sock, &to.sa, to.len), EINPROGRESS);
    int error = 99;
    socklen_t len = sizeof error;
    assert_int_equal(nstcp_getsockopt(t.left, sock, SOL_SOCKET, SO_ERROR, &error, &len), 0);
    assert_int_equal(error, 0);
    two_down(&t);
}

/* socket(7) does not say so: less than no time, in Linux, and nothing is waited for. */
static void negative_timeout(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int left, right;
    must_pair(&t, &left, &right);
    const struct timeval before = {-1, 0};
    struct timeval back = {5, 5};
    socklen_t len = sizeof back;
    assert_int_equal(
        nstcp_setsockopt(t.left, left, SOL_SOCKET, SO_RCVTIMEO, &before, sizeof before), 0);
    assert_int_equal(nstcp_getsockopt(t.left, left, SOL_SOCKET, SO_RCVTIMEO, &back, &len), 0);
    assert_int_equal(back.tv_sec, 0);
    assert_int_equal(back.tv_usec, 0);
    double began = now();
    assert_fails(nstcp_recv(t.left, left, &(char){0}, 1, 0), EAGAIN);
    assert_true(now() - began < 5);
    two_down(&t);
}

static void polling(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int left, right;
    must_pair(&t, &left, &right);
    int listener = must_listen(t.right, "10.0.1.1", PORT);
    struct pollfd fds[] = {
        {.fd = right, .events = POLLIN | POLLRDHUP},
        {.fd = listener, .events = POLLIN},
        {.fd = -1, .events = POLLIN, .revents = 99},
    };
    assert_int_equal(nstcp_poll(t.right, fds, 3, 0), 0);
    assert_int_equal(fds[2].revents, 0);
    double began = now();
    assert_int_equal(nstcp_poll(t.right, fds, 3, 30), 0);
    assert_true(now() - began >= 0.03);
    must_send(t.left, left, "x", 1);
    assert_int_equal(nstcp_poll(t.right, fds, 3, 10000), 1);
    assert_int_equal(fds[0].revents, POLLIN);
    assert_int_equal(nstcp_poll(t.right, fds, 3, 10000), 1); /* level-triggered */
    assert_int_equal(nstcp_recv(t.right, right, &(char){0}, 1, MSG_PEEK), 1);
    assert_int_equal(nstcp_poll(t.right, fds, 3, 0), 1);
    assert_int_equal(nstcp_recv(t.right, right, &(char){0}, 1, 0), 1);
    assert_int_equal(nstcp_poll(t.right, fds, 3, 0), 0);
    int second = must_connect(t.left, "10.0.1.1", PORT);
    assert_int_equal(nstcp_poll(t.right, fds, 3, 10000), 1);
    assert_int_equal(fds[1].revents, POLLIN);
    must_accept(t.right, listener);
    assert_int_equal(nstcp_shutdown(t.left, left, SHUT_WR), 0);
    assert_int_equal(nstcp_poll(t.right, fds, 3, 10000), 1);
    assert_int_equal(fds[0].revents, POLLIN | POLLRDHUP);
    fds[0].events = POLLOUT;
    assert_int_equal(nstcp_poll(t.right, fds, 1, 0), 1);
    assert_int_equal(fds[0].revents, POLLOUT);
    fds[0].fd = 12345;
    assert_int_equal(nstcp_poll(t.right, fds, 1, 0), 1);
    assert_int_equal(fds[0].revents, POLLNVAL);
    must_close(t.left, second);
    assert_int_equal(nstcp_poll(t.right, NULL, 0, 10), 0);
    two_down(&t);
}

static void reset_is_told_once(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int left, right;
    must_pair(&t, &left, &right);
    const struct linger linger = {1, 0};
    assert_int_equal(nstcp_setsockopt(t.left, left, SOL_SOCKET, SO_LINGER, &linger, sizeof linger),
                     0);
    must_close(t.left, left);
    char c;
    assert_fails(nstcp_recv(t.right, right, &c, 1, 0), ECONNRESET);
    assert_int_equal(nstcp_recv(t.right, right, &c, 1, 0), 0);
    assert_fails(nstcp_send(t.right, right, &c, 1, 0), EPIPE);
    int error = 99;
    socklen_t len = sizeof error;
    assert_int_equal(nstcp_getsockopt(t.right, right, SOL_SOCKET, SO_ERROR, &error, &len), 0);
    assert_int_equal(error, 0);
    two_down(&t);
}

/* A thread in a call that waits; it says how the call ended. */
struct waiting {
    struct nstcp *stack;
    int sock;
    int error;
    short revents;
};

static void *in_recv(void *arg)
{
    struct waiting *w = arg;
    w->error = nstcp_recv(w->stack, w->sock, &(char){0}, 1, 0) == -1 ? errno : 0;
    return NULL;
}

static void *in_accept(void *arg)
{
    struct waiting *w = arg;
    w->error = nstcp_accept(w->stack, w->sock, NULL, NULL) == -1 ? errno : 0;
    return NULL;
}

static void *in_send(void *arg)
{
    struct waiting *w = arg;
    static char much[1 << 20];
    while (nstcp_send(w->stack, w->sock, much, sizeof much, 0) > 0)
        ;
    w->error = errno;
    return NULL;
}

static void *in_poll(void *arg)
{
    struct waiting *w = arg;
    struct pollfd p = {.fd = w->sock, .events = POLLIN};
    w->error = nstcp_poll(w->stack, &p, 1, -1) == -1 ? errno : 0;
    w->revents = p.revents;
    return NULL;
}

/* Long enough for a thread to be asleep in its call. Being wrong does not make the tests fail, only
 * easier: the call would then fail at its start. */
static void let_it_wait(void)
{
    nanosleep(&(struct timespec){0, 20000000}, NULL);
}

static void closed_while_waiting(void **state)
{
    (void)state;
    void *(*const calls[])(void *) = {in_recv, in_send, in_poll, in_accept};
    for (unsigned i = 0; i < 4; i++) {
        struct two t;
        two_up(&t, NULL);
        int left, right;
        must_pair(&t, &left, &right);
        struct waiting w = {.stack = t.right, .sock = right};
        if (calls[i] == in_accept)
            w.sock = must_listen(t.right, "10.0.1.1", PORT);
        pthread_t thread = must_thread(calls[i], &w);
        let_it_wait();
        must_close(t.right, w.sock);
        must_join(thread);
        if (calls[i] == in_poll)
            assert_int_equal(w.revents, POLLNVAL);
        else
            assert_int_equal(w.error, EBADF);
        nstcp_destroy(t.left, 0); /* in_send's text has nowhere to go */
        nstcp_destroy(t.right, 0);
    }
}

static void shut_down_while_waiting(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int left, right;
    must_pair(&t, &left, &right);
    struct waiting w = {.stack = t.right, .sock = right, .error = 99};
    pthread_t thread = must_thread(in_recv, &w);
    let_it_wait();
    assert_int_equal(nstcp_shutdown(t.right, right, SHUT_RD), 0);
    must_join(thread);
    assert_int_equal(w.error, 0);
    two_down(&t);
}

/* Every kind of call waits while the stack is stopped, or destroyed. */
static void ended_while_waiting(bool stop_first)
{
    void *(*const calls[])(void *) = {in_recv, in_send, in_poll, in_accept};
    struct two t;
    two_up(&t, NULL);
    struct waiting w[4];
    pthread_t threads[4];
    for (unsigned i = 0; i < 4; i++) {
        int left, right;
        must_pair(&t, &left, &right);
        w[i] = (struct waiting){.stack = t.right, .sock = right};
    }
    w[3].sock = must_listen(t.right, "10.0.1.1", PORT);
    for (unsigned i = 0; i < 4; i++)
        threads[i] = must_thread(calls[i], &w[i]);
    let_it_wait();
    if (stop_first) {
        nstcp_stop(t.right);
        for (unsigned i = 0; i < 4; i++)
            must_join(threads[i]);
        assert_fails(nstcp_socket(t.right, AF_INET, SOCK_STREAM, 0), ESHUTDOWN);
        must_close(t.right, w[0].sock);
    }
    nstcp_destroy(t.right, 50); /* in_send's text is not read: this may be a reset */
    for (unsigned i = 0; i < 4; i++) {
        if (!stop_first)
            must_join(threads[i]);
        assert_int_equal(w[i].error, ESHUTDOWN);
    }
    nstcp_destroy(t.left, 50);
}

static void stopped_while_waiting(void **state)
{
    (void)state;
    ended_while_waiting(true);
}

static void destroyed_while_waiting(void **state)
{
    (void)state;
    ended_while_waiting(false);
}

static void no_cancellation_point(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int left, right;
    must_pair(&t, &left, &right);
    struct waiting w = {.stack = t.right, .sock = right, .error = 99};
    pthread_t thread = must_thread(in_recv, &w);
    let_it_wait();
    assert_int_equal(pthread_cancel(thread), 0);
    must_send(t.left, left, "x", 1);
    must_join(thread); /* it came to its end */
    assert_int_equal(w.error, 0);
    two_down(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timeouts),
        cmocka_unit_test(connect_timeout),
        cmocka_unit_test(negative_timeout),
        cmocka_unit_test(polling),
        cmocka_unit_test(reset_is_told_once),
        cmocka_unit_test(closed_while_waiting),
        cmocka_unit_test(shut_down_while_waiting),
        cmocka_unit_test(stopped_while_waiting),
        cmocka_unit_test(destroyed_while_waiting),
        cmocka_unit_test(no_cancellation_point),
    };
    return two_main(tests);
}
