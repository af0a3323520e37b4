/* Who moves the packets: a thread that waits, or the receive thread (drive.c). Whichever does, all
 * goes on; how fast is the benchmark's question. */
#include <errno.h>
#include <poll.h>
#include <time.h>

#include "two_stacks.h"

static void sleep_ms(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/* Octets not acknowledged yet. */
static unsigned unacked(struct nstcp *stack, int sock)
{
    struct tcp_info info;
    socklen_t len = sizeof info;
    assert_int_equal(nstcp_getsockopt(stack, sock, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
    return info.tcpi_unacked;
}

/* The stack that is sent to has no thread in a call: it acknowledges all the same. */
static void must_be_acked(struct two *t, int left)
{
    must_send(t->left, left, "abc", 3);
    for (int i = 0; i < 1000 && unacked(t->left, left) > 0; i++)
        sleep_ms(10);
    assert_int_equal(unacked(t->left, left), 0);
}

/* The receive thread goes on where a thread that drove has left: at once, and after a wait that was
 * so long that it has gone to sleep itself. */
static void nobody_calls(void **state)
{
    (void)state;
    struct two t;
    char c;
    two_up(&t, NULL);
    int left, right;
    must_pair(&t, &left, &right);
    must_be_acked(&t, left);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(nstcp_recv(t.right, right, &c, 1, 0), 1);
    must_be_acked(&t, left);
    const long waits_ms[] = {1, 30, 200};
    for (unsigned i = 0; i < 3; i++) {
        char buf[3];
        assert_int_equal(nstcp_recv(t.right, right, buf, sizeof buf, MSG_WAITALL), 3);
        const struct timeval tv = {0, waits_ms[i] * 1000};
        nstcp_setsockopt(t.right, right, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
        assert_fails(nstcp_recv(t.right, right, &c, 1, 0), EAGAIN);
        must_be_acked(&t, left);
    }
    two_down(&t);
}

struct reader {
    struct nstcp *stack;
    int sock;
    unsigned wanted;
    pthread_t thread;
};

static void *read_some(void *arg)
{
    struct reader *r = arg;
    char c;
    for (unsigned i = 0; i < r->wanted; i++)
        assert_int_equal(nstcp_recv(r->stack, r->sock, &c, 1, 0), 1);
    return NULL;
}

/* Three wait, of whom one drives; they leave in any order, and each hears of its octets. */
static void one_leaves_the_others(void **state)
{
    (void)state;
    static const unsigned orders[][3] = {{0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {0, 2, 1}};
    for (unsigned o = 0; o < 4; o++) {
        struct two t;
        struct reader r[3];
        int left[3];
        two_up(&t, NULL);
        for (unsigned i = 0; i < 3; i++) {
            r[i] = (struct reader){.stack = t.right, .wanted = 2};
            must_pair(&t, &left[i], &r[i].sock);
            r[i].thread = must_thread(read_some, &r[i]);
            sleep_ms(5);
        }
        for (unsigned i = 0; i < 3; i++) {
            must_send(t.left, left[orders[o][i]], "x", 1);
            sleep_ms(o * 5);
            must_send(t.left, left[orders[o][i]], "y", 1);
            must_join(r[orders[o][i]].thread);
        }
        two_down(&t);
    }
}

/* What is due while a thread drives is done. */
static void deadlines(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int left, right;
    must_pair(&t, &left, &right);
    must_send(t.left, left, "x", 1);
    char c;
    assert_int_equal(nstcp_recv(t.right, right, &c, 1, 0), 1);
    /* A delayed ACK becomes due in this wait. */
    const struct timeval tv = {1, 0};
    nstcp_setsockopt(t.right, right, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
    struct reader r = {.stack = t.right, .sock = right, .wanted = 1};
    r.thread = must_thread(read_some, &r);
    for (int i = 0; i < 80 && unacked(t.left, left) > 0; i++)
        sleep_ms(10);
    assert_int_equal(unacked(t.left, left), 0);
    must_send(t.left, left, "y", 1);
    must_join(r.thread);
    two_down(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_calls),
        cmocka_unit_test(one_leaves_the_others),
        cmocka_unit_test(deadlines),
    };
    return two_main(tests);
}
