/* close with SO_LINGER, and the end of a socket or a stack under calls of other threads. */
#include <errno.h>

#include "api_priv.h"
#include "two_stacks.h"

static void set_linger(struct nstcp *stack, int sock, int seconds)
{
    const struct linger linger = {1, seconds};
    assert_int_equal(nstcp_setsockopt(stack, sock, SOL_SOCKET, SO_LINGER, &linger, sizeof linger),
                     0);
}

/* A thread in a call that waits: how it ended, and when. */
struct waiting {
    struct nstcp *stack;
    int sock;
    int error;
    double ended;
};

static void *in_close(void *arg)
{
    struct waiting *w = arg;
    w->error = nstcp_close(w->stack, w->sock) < 0 ? errno : 0;
    w->ended = now();
    return NULL;
}

static void *in_connect(void *arg)
{
    struct waiting *w = arg;
    struct address to = address("10.0.1.1", PORT + 9);
    w->error = nstcp_connect(w->stack, w->sock, &to.sa, to.len) < 0 ? errno : 0;
    return NULL;
}

/* Until the number means nothing any more. */
static void until_closed(struct nstcp *stack, int sock)
{
    while (nstcp_fcntl(stack, sock, F_GETFL, 0) >= 0)
        ;
    assert_int_equal(errno, EBADF);
}

/* More than the queues hold, so that close has something to wait for. */
static size_t fill(struct nstcp *stack, int sock)
{
    static char much[1 << 20];
    struct pollfd p = {.fd = sock, .events = POLLOUT};
    size_t sent = 0;
    while (nstcp_poll(stack, &p, 1, 100) > 0) {
        ssize_t n = nstcp_send(stack, sock, much, sizeof much, MSG_DONTWAIT);
        assert_true(n > 0);
        sent += (size_t)n;
    }
    return sent;
}

static void read_all(struct nstcp *stack, int sock, size_t expected)
{
    static char much[1 << 20];
    ssize_t n;
    while ((n = nstcp_recv(stack, sock, much, sizeof much, 0)) > 0)
        expected -= (size_t)n;
    assert_int_equal(n, 0);
    assert_int_equal(expected, 0);
}

/* A close of left's socket that lingers for a minute, with full queues, in a thread. */
struct lingering {
    struct two t;
    int left, right;
    size_t sent; /* octets */
    struct waiting w;
    pthread_t thread;
    double began;
};

static void linger_in_thread(struct lingering *l)
{
    two_up(&l->t, NULL);
    must_pair(&l->t, &l->left, &l->right);
    l->sent = fill(l->t.left, l->left);
    set_linger(l->t.left, l->left, 60);
    l->w = (struct waiting){.stack = l->t.left, .sock = l->left, .error = 99};
    l->began = now();
    l->thread = must_thread(in_close, &l->w);
    until_closed(l->t.left, l->left);
}

/* close lasts until the peer has read all, and no longer. */
static void lingers(void **state)
{
    (void)state;
    struct lingering l;
    linger_in_thread(&l);
    double read_at = now();
    read_all(l.t.right, l.right, l.sent);
    must_join(l.thread);
    assert_int_equal(l.w.error, 0);
    assert_true(l.w.ended > read_at);
    assert_true(l.w.ended < read_at + 50);
    two_down(&l.t);
}

/* The time is over: close returns, and the rest still arrives. */
static void lingers_in_vain(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int left, right;
    must_pair(&t, &left, &right);
    size_t sent = fill(t.left, left);
    set_linger(t.left, left, 1);
    double began = now();
    must_close(t.left, left);
    assert_true(now() - began >= 1);
    read_all(t.right, right, sent);
    two_down(&t);
}

/* A reset, and text that nobody will read, end the wait. */
static void lingering_is_ended(void **state)
{
    (void)state;
    for (int text = 0; text < 2; text++) {
        struct lingering l;
        linger_in_thread(&l);
        if (text) {
            must_send(l.t.right, l.right, "x", 1);
        } else {
            set_linger(l.t.right, l.right, 0);
            must_close(l.t.right, l.right);
        }
        must_join(l.thread);
        assert_int_equal(l.w.error, 0);
        assert_true(l.w.ended < l.began + 50);
        two_down(&l.t);
    }
}

/* nstcp_stop ends it, and nstcp_destroy does. */
static void lingering_is_stopped(void **state)
{
    (void)state;
    for (int destroy = 0; destroy < 2; destroy++) {
        struct lingering l;
        linger_in_thread(&l);
        if (destroy)
            assert_fails(nstcp_destroy(l.t.left, 0), ETIMEDOUT);
        else
            nstcp_stop(l.t.left);
        must_join(l.thread);
        assert_int_equal(l.w.error, 0);
        assert_true(l.w.ended < l.began + 50);
        if (!destroy)
            nstcp_destroy(l.t.left, 0);
        nstcp_destroy(l.t.right, 0);
    }
}

/* A connect that gets no answer, and its socket closed, or dissolved, or the stack stopped. */
static void closed_while_connecting(void **state)
{
    (void)state;
    enum { CLOSE, DISSOLVE, SHUT_DOWN, STOP, N };
    static const int errors[N] = {EBADF, ECONNABORTED, ECONNABORTED, ESHUTDOWN};
    for (int how = 0; how < N; how++) {
        struct two t;
        two_up(&t, NULL);
        nstcp_destroy(t.right, 0); /* nobody answers */
        t.right = NULL;
        struct waiting w = {.stack = t.left, .sock = must_socket(t.left), .error = 99};
        pthread_t thread = must_thread(in_connect, &w);
        struct tcp_info info = {0};
        socklen_t len = sizeof info;
        while (info.tcpi_state != TCP_SYN_SENT)
            assert_int_equal(nstcp_getsockopt(t.left, w.sock, IPPROTO_TCP, TCP_INFO, &info, &len),
                             0);
        const struct sockaddr none = {.sa_family = AF_UNSPEC};
        if (how == CLOSE)
            must_close(t.left, w.sock);
        else if (how == DISSOLVE)
            assert_int_equal(nstcp_connect(t.left, w.sock, &none, sizeof none), 0);
        else if (how == SHUT_DOWN)
            assert_int_equal(nstcp_shutdown(t.left, w.sock, SHUT_RDWR), 0);
        else
            nstcp_stop(t.left);
        must_join(thread);
        assert_int_equal(w.error, errors[how]);
        two_down(&t);
    }
}

static void *in_accept(void *arg)
{
    struct waiting *w = arg;
    w->error = nstcp_accept(w->stack, w->sock, NULL, NULL) < 0 ? errno : 0;
    return NULL;
}

/* A listener that is shut down ends a waiting accept, as in Linux. */
static void shut_down_while_accepting(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    struct waiting w = {.stack = t.right, .sock = must_listen(t.right, "10.0.1.1", PORT)};
    pthread_t thread = must_thread(in_accept, &w);
    assert_int_equal(nstcp_shutdown(t.right, w.sock, SHUT_RD), 0);
    must_join(thread);
    assert_int_equal(w.error, EINVAL);
    two_down(&t);
}

static void *in_recv(void *arg)
{
    struct waiting *w = arg;
    w->error = nstcp_recv(w->stack, w->sock, &(char){0}, 1, 0) < 0 ? errno : 0;
    return NULL;
}

static void *in_destroy(void *arg)
{
    nstcp_destroy(arg, 0);
    return NULL;
}

/* Calls that have begun and not got the lock yet are under way, too: nstcp_destroy waits for them,
 * whoever gets the lock first. */
static void destroyed_under_calls_without_the_lock(void **state)
{
    (void)state;
    void *(*const calls[])(void *) = {in_recv, in_accept, in_close, in_connect};
    for (int i = 0; i < 40; i++) {
        struct two t;
        two_up(&t, NULL);
        struct waiting w[4];
        pthread_t threads[4];
        for (int k = 0; k < 4; k++)
            w[k] = (struct waiting){.stack = t.left, .sock = must_socket(t.left), .error = 99};
        runtime_lock(t.left->rt);
        bool first = i % 2;
        pthread_t destroyer = first ? must_thread(in_destroy, t.left) : (pthread_t){0};
        for (int k = 0; k < 4; k++)
            threads[k] = must_thread(calls[k], &w[k]);
        while (atomic_load(&t.left->calls) < 4)
            sched_yield();
        if (!first)
            destroyer = must_thread(in_destroy, t.left);
        runtime_unlock(t.left->rt);
        for (int k = 0; k < 4; k++)
            must_join(threads[k]);
        must_join(destroyer);
        nstcp_destroy(t.right, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lingers),
        cmocka_unit_test(lingers_in_vain),
        cmocka_unit_test(lingering_is_ended),
        cmocka_unit_test(lingering_is_stopped),
        cmocka_unit_test(closed_while_connecting),
        cmocka_unit_test(shut_down_while_accepting),
        cmocka_unit_test(destroyed_under_calls_without_the_lock),
    };
    return two_main(tests);
}
