/* Text without a copy: reserve and commit, borrow and release. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "two_stacks.h"

#define MUCH ((size_t)3 << 20)

static uint8_t out[MUCH], in[MUCH];

static size_t must_reserve(struct nstcp *stack, int sock, void **buf, size_t len)
{
    ssize_t n = nstcp_reserve(stack, sock, buf, len, 0);
    assert_in_range(n, 1, len);
    return (size_t)n;
}

static void *send_all_in_place(void *arg)
{
    struct two *t = arg;
    size_t done = 0;
    for (size_t i = 0; done < MUCH; i++) {
        void *buf;
        size_t len = must_reserve(t->left, 1, &buf, MUCH - done);
        if (i % 3 == 1 && len > 1000) /* much less than was reserved */
            len = 999;
        memcpy(buf, out + done, len);
        assert_int_equal(nstcp_commit(t->left, 1, len, i % 4 == 2 ? MSG_MORE : 0), len);
        done += len;
    }
    assert_int_equal(nstcp_shutdown(t->left, 1, SHUT_WR), 0);
    return NULL;
}

/* Much more than the queues hold, in order, both ends in place. */
static void both_ends(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int left, right;
    must_pair(&t, &left, &right);
    assert_int_equal(left, 1);
    pattern(out, MUCH, 0);
    pthread_t thread = must_thread(send_all_in_place, &t);
    size_t done = 0;
    const void *buf;
    ssize_t n;
    while ((n = nstcp_borrow(t.right, right, &buf, 1 + done % 300000, 0)) > 0) {
        assert_in_range(done + (size_t)n, 1, MUCH);
        memcpy(in + done, buf, (size_t)n);
        done += (size_t)n;
        assert_int_equal(nstcp_release(t.right, right), 0);
    }
    assert_int_equal(n, 0);
    assert_int_equal(done, MUCH);
    assert_memory_equal(in, out, MUCH);
    assert_fails(nstcp_release(t.right, right), EINVAL); /* the end was not borrowed */
    must_join(thread);
    two_down(&t);
}

/* What is reserved goes behind what is sent meanwhile, and can be given back. */
static void reserved(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int left, right;
    must_pair(&t, &left, &right);
    void *buf, *other;
    assert_fails(nstcp_commit(t.left, left, 0, 0), EINVAL);
    assert_fails(nstcp_reserve(t.left, left, &buf, 0, 0), EINVAL);
    assert_fails(nstcp_reserve(t.left, left, &buf, 1, MSG_OOB), EOPNOTSUPP);
    assert_fails(nstcp_reserve(t.left, 99, &buf, 1, 0), EBADF);
    assert_int_equal(nstcp_reserve(t.left, left, &buf, 100, 0), 100);
    assert_fails(nstcp_reserve(t.left, left, &other, 100, 0), EALREADY);
    assert_fails(nstcp_commit(t.left, left, 101, 0), EINVAL);
    assert_fails(nstcp_commit(t.left, left, 1, MSG_OOB), EOPNOTSUPP);
    assert_int_equal(nstcp_commit(t.left, left, 0, 0), 0);
    assert_fails(nstcp_commit(t.left, left, 1, 0), EINVAL);

    assert_int_equal(nstcp_reserve(t.left, left, &buf, 100, 0), 100);
    memcpy(buf, "second", 6);
    must_send(t.left, left, "first, ", 7);
    assert_int_equal(nstcp_commit(t.left, left, 6, 0), 6);
    must_set(t.left, left, SOL_SOCKET, SO_SNDBUF, 1 << 20);
    assert_int_equal(nstcp_reserve(t.left, left, &buf, 1 << 20, 0), 262144); /* to be forgotten */
    must_close(t.left, left);
    must_recv_all(t.right, right, "first, second", 13);
    two_down(&t);
}

/* Sends until nothing is taken any more, nor a while later. How much that was. */
static size_t fill(struct two *t, int sock)
{
    size_t queued = 0, before;
    do {
        before = queued;
        for (ssize_t n; (n = nstcp_send(t->left, sock, out, sizeof out, MSG_DONTWAIT)) > 0;)
            queued += (size_t)n;
        assert_int_equal(errno, EAGAIN);
        usleep(30000);
    } while (queued > before);
    return queued;
}

/* Without room nothing is reserved; what was is sent all the same. */
static void room(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int left, right, unsent = 0;
    must_pair(&t, &left, &right);
    void *buf;
    assert_int_equal(nstcp_reserve(t.left, left, &buf, 10, MSG_DONTWAIT), 10);
    size_t queued = fill(&t, left);
    assert_int_equal(nstcp_commit(t.left, left, 10, 0), 10);
    assert_fails(nstcp_reserve(t.left, left, &buf, 1, MSG_DONTWAIT), EAGAIN);
    const struct timeval tv = {0, 20000};
    assert_int_equal(nstcp_setsockopt(t.left, left, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv), 0);
    assert_fails(nstcp_reserve(t.left, left, &buf, 1, 0), EAGAIN);
    for (size_t done = 0; done < queued + 10;) {
        ssize_t n = nstcp_recv(t.right, right, in, sizeof in, 0);
        assert_in_range(n, 1, sizeof in);
        done += (size_t)n;
    }
    while (nstcp_ioctl(t.left, left, TIOCOUTQ, &unsent) == 0 && unsent > 0)
        ;
    assert_int_equal(nstcp_reserve(t.left, left, &buf, 1, MSG_DONTWAIT), 1);
    two_down(&t);
}

static void *recv_to_end(void *arg)
{
    struct two *t = arg;
    while (nstcp_recv(t->right, 2, in, sizeof in, 0) > 0)
        ;
    return NULL;
}

/* Who waits gets no crumbs; who does not, what there is room for. */
static void no_crumbs(void **state)
{
    (void)state;
    const size_t much = 200000;
    struct two t;
    two_up(&t, NULL);
    int left, right, unsent, full;
    must_pair(&t, &left, &right);
    must_set(t.left, left, SOL_SOCKET, SO_SNDBUF, 1 << 20); /* a third of it is more than `much` */
    void *buf;
    fill(&t, left);
    assert_int_equal(nstcp_ioctl(t.left, left, TIOCOUTQ, &full), 0);
    do { /* until a little is acknowledged */
        assert_true(nstcp_recv(t.right, right, in, 20000, 0) > 0);
        assert_int_equal(nstcp_ioctl(t.left, left, TIOCOUTQ, &unsent), 0);
    } while (unsent == full);
    assert_in_range(nstcp_reserve(t.left, left, &buf, much, MSG_DONTWAIT), 1, much);
    assert_int_equal(nstcp_commit(t.left, left, 0, 0), 0);
    assert_int_equal(right, 2);
    pthread_t thread = must_thread(recv_to_end, &t);
    assert_int_equal(nstcp_reserve(t.left, left, &buf, much, 0), much);
    must_close(t.left, left);
    must_join(thread);
    two_down(&t);
}

/* What is borrowed has been read, and stays where it is although more arrives and the peer resets
 * the connection. */
static void borrowed(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int left, right;
    must_pair(&t, &left, &right);
    const void *buf, *other;
    assert_fails(nstcp_borrow(t.right, right, &buf, 1, MSG_DONTWAIT), EAGAIN);
    assert_fails(nstcp_borrow(t.right, right, &buf, 0, 0), EINVAL);
    assert_fails(nstcp_borrow(t.right, right, &buf, 1, MSG_PEEK), EOPNOTSUPP);
    assert_fails(nstcp_borrow(t.right, 99, &buf, 1, 0), EBADF);
    assert_fails(nstcp_release(t.right, right), EINVAL);
    must_send(t.left, left, "borrowed", 8);
    assert_int_equal(nstcp_borrow(t.right, right, &buf, 8, MSG_WAITALL), 8);
    assert_fails(nstcp_borrow(t.right, right, &other, 1, 0), EALREADY);
    must_send(t.left, left, "and more", 8);
    char rest[8];
    assert_int_equal(nstcp_recv(t.right, right, rest, 8, MSG_WAITALL), 8);
    assert_memory_equal(rest, "and more", 8);
    const struct linger at_once = {.l_onoff = 1};
    assert_int_equal(
        nstcp_setsockopt(t.left, left, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    must_close(t.left, left);
    assert_fails(nstcp_recv(t.right, right, rest, 8, 0), ECONNRESET);
    assert_memory_equal(buf, "borrowed", 8);
    assert_int_equal(nstcp_release(t.right, right), 0);
    assert_int_equal(nstcp_borrow(t.right, right, &buf, 8, 0), 0);
    two_down(&t);
}

/* Who has reserved learns of the end when he commits. */
static void ended(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int left, right;
    void *buf;
    const void *text;
    int sock = must_socket(t.left);
    assert_fails(nstcp_reserve(t.left, sock, &buf, 1, 0), ENOTCONN);
    assert_fails(nstcp_borrow(t.left, sock, &text, 1, 0), ENOTCONN);
    must_close(t.left, sock);
    must_pair(&t, &left, &right);
    assert_int_equal(nstcp_reserve(t.left, left, &buf, 10, 0), 10);
    assert_int_equal(nstcp_shutdown(t.left, left, SHUT_WR), 0);
    memset(buf, 1, 10);
    assert_fails(nstcp_commit(t.left, left, 10, 0), EPIPE);
    assert_fails(nstcp_commit(t.left, left, 10, 0), EINVAL);
    assert_fails(nstcp_reserve(t.left, left, &buf, 10, 0), EPIPE);
    two_down(&t);
}

/* Both count towards the stack's memory. */
static void memory(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, &(struct two_config){.options.memory_max = 332400});
    int left, right;
    must_pair(&t, &left, &right);
    const void *text;
    void *buf;
    assert_fails(nstcp_borrow(t.right, right, &text, 1 << 20, MSG_DONTWAIT), EAGAIN);
    assert_fails(nstcp_reserve(t.right, right, &buf, 65536, 0), ENOMEM);
    assert_int_equal(nstcp_reserve(t.right, right, &buf, 1000, 0), 1000);
    two_down(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ends), cmocka_unit_test(reserved), cmocka_unit_test(room),
        cmocka_unit_test(no_crumbs), cmocka_unit_test(borrowed), cmocka_unit_test(ended),
        cmocka_unit_test(memory),
    };
    return two_main(tests);
}
