/* While the link receives it has the buffers of threads that wait (places.c): text goes straight
 * there, and nothing is written to a buffer whose call has returned. */
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "around.h"
#include "predict.h"
#include "two_stacks.h"

#define SLOW_US 2000
#define TRIES   30
#define LEN     30000

/* A link that takes its time, and then writes to all places that it was given: text where it has
 * come, and an octet of its own. */
struct slow {
    struct around around;
    struct link_expect places[LINK_EXPECT_MAX];
    size_t n;
};

/* Octets of text that were put into this memory. */
static _Atomic(const uint8_t *) watched;
static atomic_uint placed;

static struct slow *of(struct link *l)
{
    return (struct slow *)(void *)l;
}

static void slow_expect(struct link *l, const struct link_expect *e)
{
    struct slow *s = of(l);
    assert_true(s->n < LINK_EXPECT_MAX);
    s->places[s->n++] = *e;
}

static void place(struct slow *s, struct packet *p)
{
    struct flow flow;
    seq_t seq;
    size_t whole = packet_len(p), headers = predict(p->head.ptr, p->head.len, whole, &flow, &seq);
    struct link_expect *e = headers > 0 ? predict_find(s->places, s->n, &flow, seq) : NULL;
    if (!e || whole - headers > e->len)
        return;
    size_t len = whole - headers;
    memcpy(e->buf, p->head.ptr + headers, len);
    p->head.len = headers;
    p->body[0] = (struct bytes){e->buf, len};
    p->n_body = 1;
    const uint8_t *at = watched;
    if (e->buf >= at && e->buf < at + LEN)
        placed += (unsigned)len;
    e->seq = seq_add(e->seq, (uint32_t)len);
    e->buf += len;
    e->len -= len;
}

static size_t slow_recv(struct link *l, struct packet *p, size_t n)
{
    struct slow *s = of(l);
    if (s->n > 1)
        usleep(SLOW_US);
    size_t got = s->around.inner->ops->recv(s->around.inner, p, n);
    for (size_t i = 0; i < got; i++)
        place(s, &p[i]);
    for (size_t i = 0; i < s->n; i++) {
        if (s->places[i].len > 0)
            *s->places[i].buf = 0xaa;
    }
    s->n = 0;
    return got;
}

static struct link *slow_down(struct link *inner)
{
    static const struct link_ops ops = {
        .send = around_send,
        .recv = slow_recv,
        .expect = slow_expect,
        .poll_fd = around_poll_fd,
        .destroy = around_destroy,
    };
    return around_make(inner, sizeof(struct slow), &ops);
}

/* Two connections. A thread of the right stack's waits at the first of them all the time, and so
 * moves packets; another one polls, and has no buffer. */
struct both {
    struct two t;
    int left[2], right[2];
    uint8_t out[LEN], in[LEN];
    pthread_t driver, poller, chatterer;
    atomic_bool quiet;
    ssize_t got; /* the other thread's */
    int err;
};

static void *drive(void *arg)
{
    struct both *b = arg;
    static uint8_t buf[LEN];
    return nstcp_recv(b->t.right, b->right[0], buf, LEN, MSG_WAITALL) < 0 ? arg : NULL;
}

/* Until the stack ends. */
static void *polls(void *arg)
{
    struct both *b = arg;
    return nstcp_poll(b->t.right, NULL, 0, -1) == 0 ? arg : NULL;
}

/* So that the one that moves packets asks the link again and again. */
static void *chatter(void *arg)
{
    struct both *b = arg;
    while (!b->quiet) {
        must_send(b->t.left, b->left[0], b->out, 1);
        usleep(SLOW_US / 4);
    }
    return NULL;
}

static void up(struct both *b)
{
    const struct two_config config = {.super_max = 64000, .around = slow_down};
    two_up(&b->t, &config);
    int listener = must_listen(b->t.right, "10.0.1.1", PORT);
    for (int i = 0; i < 2; i++) {
        b->left[i] = must_connect(b->t.left, "10.0.1.1", PORT);
        b->right[i] = must_accept(b->t.right, listener);
    }
    must_close(b->t.right, listener);
    must_set(b->t.left, b->left[0], IPPROTO_TCP, TCP_NODELAY, 1);
    pattern(b->out, LEN, 0);
    b->quiet = false;
    b->driver = must_thread(drive, b);
    b->poller = must_thread(polls, b);
    b->chatterer = must_thread(chatter, b);
    usleep(5 * SLOW_US);
}

static void down(struct both *b)
{
    b->quiet = true;
    must_join(b->chatterer);
    must_close(b->t.left, b->left[0]);
    must_join(b->driver);
    two_down(&b->t);
    must_join(b->poller);
}

static void *receive(void *arg)
{
    struct both *b = arg;
    b->got = nstcp_recv(b->t.right, b->right[1], b->in, LEN, MSG_WAITALL);
    b->err = errno;
    return NULL;
}

/* Of the thread that does not move packets, too, and though there is one that has none. */
static void of_each_thread(void **state)
{
    (void)state;
    struct both b;
    up(&b);
    placed = 0;
    watched = b.in;
    for (int i = 0; i < TRIES && placed == 0; i++) {
        memset(b.in, 0, LEN);
        pthread_t receiver = must_thread(receive, &b);
        usleep(3 * SLOW_US); /* it waits, most likely */
        must_send(b.t.left, b.left[1], b.out, LEN);
        must_join(receiver);
        assert_int_equal(b.got, LEN);
        assert_memory_equal(b.in, b.out, LEN);
    }
    assert_int_not_equal(placed, 0);
    watched = NULL;
    down(&b);
}

/* The caller's again, who may do with it what he likes. */
static void assert_nobody_writes(uint8_t *buf)
{
    memset(buf, 0x11, LEN);
    usleep(2 * SLOW_US);
    for (size_t i = 0; i < LEN; i++)
        assert_int_equal(buf[i], 0x11);
}

static void times_out(void **state)
{
    (void)state;
    struct both b;
    up(&b);
    const struct timeval limit = {.tv_usec = SLOW_US / 2};
    assert_int_equal(
        nstcp_setsockopt(b.t.right, b.right[1], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
    for (int i = 0; i < TRIES; i++) {
        assert_fails(nstcp_recv(b.t.right, b.right[1], b.in, LEN, 0), EAGAIN);
        assert_nobody_writes(b.in);
    }
    down(&b);
}

/* SIGUSR1: a thread does nothing for a while, wherever it is. */
static void pause_here(int sig)
{
    (void)sig;
    usleep(3 * SLOW_US);
}

/* at_once: nothing is left of the connection. late: the thread that waits does not run at once. */
static void close_meanwhile(unsigned after_us, bool at_once, bool late)
{
    struct both b;
    up(&b);
    pthread_t receiver = must_thread(receive, &b);
    usleep(3 * SLOW_US + after_us);
    const struct linger linger = {.l_onoff = at_once};
    assert_int_equal(
        nstcp_setsockopt(b.t.right, b.right[1], SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
    if (late)
        pthread_kill(receiver, SIGUSR1);
    must_close(b.t.right, b.right[1]);
    must_join(receiver);
    assert_int_equal(b.got, -1);
    assert_int_equal(b.err, EBADF);
    assert_nobody_writes(b.in);
    down(&b);
}

static void closed_meanwhile(void **state)
{
    (void)state;
    for (unsigned i = 0; i < TRIES / 3; i++)
        close_meanwhile(371 * i, i % 2, false);
}

/* The buffers are offered anew before the thread that has been woken runs: its own is not, nor is
 * its connection looked at, which is freed memory. Only the address sanitizer sees the latter. */
static void late_to_leave(void **state)
{
    (void)state;
    signal(SIGUSR1, pause_here);
    close_meanwhile(0, true, true);
    signal(SIGUSR1, SIG_DFL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_each_thread),
        cmocka_unit_test(times_out),
        cmocka_unit_test(closed_meanwhile),
        cmocka_unit_test(late_to_leave),
    };
    return two_main(tests);
}
