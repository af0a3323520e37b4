/* epoll(7) over the sockets of a stack (epoll.c): as the kernel's, level- and edge-triggered. */
#include <errno.h>
#include <time.h>

#include "two_stacks.h"

#define MANY 50

struct fixture {
    struct two t;
    struct nstcp_epoll *set;
    int left, right;
};

static void up(struct fixture *f)
{
    two_up(&f->t, NULL);
    must_pair(&f->t, &f->left, &f->right);
    f->set = nstcp_epoll_create(f->t.right);
    assert_non_null(f->set);
}

static void down(struct fixture *f)
{
    nstcp_epoll_close(f->set);
    two_down(&f->t);
}

static void must_control(struct fixture *f, int op, int sock, uint32_t events, uint32_t data)
{
    struct epoll_event ev = {.events = events, .data.u32 = data};
    assert_int_equal(nstcp_epoll_ctl(f->set, op, sock, &ev), 0);
}

/* Waits, and expects this socket with these events. */
static void must_tell(struct fixture *f, uint32_t events, uint32_t data)
{
    struct epoll_event ev[4];
    assert_int_equal(nstcp_epoll_wait(f->set, ev, 4, 10000), 1);
    assert_int_equal(ev[0].events, events);
    assert_int_equal(ev[0].data.u32, data);
}

static void must_be_silent(struct fixture *f)
{
    struct epoll_event ev;
    assert_int_equal(nstcp_epoll_wait(f->set, &ev, 1, 0), 0);
    assert_int_equal(nstcp_epoll_wait(f->set, &ev, 1, 20), 0);
}

static void must_recv(struct fixture *f, size_t len)
{
    char buf[16];
    assert_int_equal(nstcp_recv(f->t.right, f->right, buf, len, MSG_WAITALL), len);
}

static void level(void **state)
{
    (void)state;
    struct fixture f;
    up(&f);
    must_control(&f, EPOLL_CTL_ADD, f.right, EPOLLIN, 7);
    must_be_silent(&f);
    must_send(f.t.left, f.left, "abc", 3);
    must_tell(&f, EPOLLIN, 7);
    must_recv(&f, 1);
    must_tell(&f, EPOLLIN, 7); /* again: something is left */
    must_recv(&f, 2);
    must_be_silent(&f);
    must_control(&f, EPOLL_CTL_MOD, f.right, EPOLLIN | EPOLLOUT, 8);
    must_tell(&f, EPOLLOUT, 8);
    must_control(&f, EPOLL_CTL_MOD, f.right, EPOLLIN | EPOLLRDHUP, 9);
    must_be_silent(&f);
    assert_int_equal(nstcp_shutdown(f.t.left, f.left, SHUT_WR), 0);
    must_tell(&f, EPOLLIN | EPOLLRDHUP, 9);
    assert_int_equal(nstcp_epoll_ctl(f.set, EPOLL_CTL_DEL, f.right, NULL), 0);
    must_be_silent(&f);
    down(&f);
}

/* What holds when it is added is told; then only what is new. */
static void edge(void **state)
{
    (void)state;
    struct fixture f;
    up(&f);
    must_send(f.t.left, f.left, "abc", 3);
    must_control(&f, EPOLL_CTL_ADD, f.right, EPOLLIN | EPOLLET, 1);
    must_tell(&f, EPOLLIN, 1);
    must_be_silent(&f);
    must_send(f.t.left, f.left, "d", 1);
    must_tell(&f, EPOLLIN, 1);
    must_recv(&f, 4);
    must_be_silent(&f);
    down(&f);
}

static void one_shot(void **state)
{
    (void)state;
    struct fixture f;
    up(&f);
    must_control(&f, EPOLL_CTL_ADD, f.right, EPOLLIN | EPOLLONESHOT, 1);
    must_send(f.t.left, f.left, "a", 1);
    must_tell(&f, EPOLLIN, 1);
    must_send(f.t.left, f.left, "b", 1);
    must_be_silent(&f);
    must_control(&f, EPOLL_CTL_MOD, f.right, EPOLLIN | EPOLLONESHOT, 2);
    must_tell(&f, EPOLLIN, 2);
    down(&f);
}

static void refusals(void **state)
{
    (void)state;
    struct fixture f;
    struct epoll_event ev = {.events = EPOLLIN};
    up(&f);
    assert_fails(nstcp_epoll_ctl(f.set, EPOLL_CTL_ADD, 99, &ev), EBADF);
    assert_fails(nstcp_epoll_ctl(f.set, EPOLL_CTL_ADD, f.right, NULL), EFAULT);
    assert_fails(nstcp_epoll_ctl(f.set, EPOLL_CTL_MOD, f.right, &ev), ENOENT);
    assert_fails(nstcp_epoll_ctl(f.set, EPOLL_CTL_DEL, f.right, NULL), ENOENT);
    assert_fails(nstcp_epoll_ctl(f.set, 99, f.right, &ev), EINVAL);
    must_control(&f, EPOLL_CTL_ADD, f.right, EPOLLIN, 1);
    assert_fails(nstcp_epoll_ctl(f.set, EPOLL_CTL_ADD, f.right, &ev), EEXIST);
    assert_fails(nstcp_epoll_wait(f.set, &ev, 0, 0), EINVAL);
    struct nstcp_epoll *other = nstcp_epoll_create(f.t.right); /* a socket may be in two sets */
    assert_int_equal(nstcp_epoll_ctl(other, EPOLL_CTL_ADD, f.right, &ev), 0);
    nstcp_epoll_close(other);
    must_send(f.t.left, f.left, "a", 1);
    must_tell(&f, EPOLLIN, 1);
    nstcp_epoll_close(NULL);
    down(&f);
}

/* A socket that is closed leaves the set, and another with its number is not in it. */
static void closed(void **state)
{
    (void)state;
    struct fixture f;
    up(&f);
    must_control(&f, EPOLL_CTL_ADD, f.right, EPOLLIN, 1);
    must_send(f.t.left, f.left, "a", 1);
    must_tell(&f, EPOLLIN, 1);
    must_recv(&f, 1);
    must_close(f.t.right, f.right);
    must_be_silent(&f);
    int again;
    do
        again = must_socket(f.t.right);
    while (again < f.right);
    assert_int_equal(again, f.right);
    must_control(&f, EPOLL_CTL_ADD, again, EPOLLIN, 2);
    must_tell(&f, EPOLLHUP, 2); /* as Linux: a socket without connection */
    down(&f);
}

static void *stop_soon(void *arg)
{
    nanosleep(&(struct timespec){0, 20000000}, NULL);
    nstcp_stop(arg);
    return NULL;
}

static void stopped(void **state)
{
    (void)state;
    struct fixture f;
    struct epoll_event ev;
    up(&f);
    must_control(&f, EPOLL_CTL_ADD, f.right, EPOLLIN, 1);
    pthread_t thread = must_thread(stop_soon, f.t.right);
    assert_fails(nstcp_epoll_wait(f.set, &ev, 1, -1), ESHUTDOWN);
    must_join(thread);
    down(&f);
}

/* All of many are told of, in portions, and none is starved by one that is always ready. */
static void many(void **state)
{
    (void)state;
    struct fixture f;
    struct epoll_event ev[7];
    static int left[MANY], right[MANY];
    bool seen[MANY] = {false};
    unsigned n_seen = 0;
    up(&f);
    int listener = must_listen(f.t.right, "10.0.1.1", PORT + 1);
    for (uint32_t i = 0; i < MANY; i++) {
        left[i] = must_connect(f.t.left, "10.0.1.1", PORT + 1);
        right[i] = must_accept(f.t.right, listener);
        must_control(&f, EPOLL_CTL_ADD, right[i], EPOLLIN, i);
        must_send(f.t.left, left[i], "a", 1);
    }
    time_t until = time(NULL) + 20;
    while (n_seen < MANY && time(NULL) < until) {
        int n = nstcp_epoll_wait(f.set, ev, 7, 10000);
        assert_in_range(n, 1, 7);
        for (int i = 0; i < n; i++) {
            n_seen += !seen[ev[i].data.u32];
            seen[ev[i].data.u32] = true;
        }
    }
    assert_int_equal(n_seen, MANY);
    down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(level),  cmocka_unit_test(edge),     cmocka_unit_test(one_shot),
        cmocka_unit_test(closed), cmocka_unit_test(refusals), cmocka_unit_test(stopped),
        cmocka_unit_test(many),
    };
    return two_main(tests);
}
