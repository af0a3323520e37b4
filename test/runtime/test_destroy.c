/* nstcp_destroy: waits for the acknowledgment of all data and FINs and for nothing else, and resets
 * what has not got it at the timeout. */
#include <errno.h>
#include <time.h>

#include "two_stacks.h"

#define LONG_MS 20000 /* no test lasts so long unless it fails */

static void must_end_at_once(struct nstcp **stack)
{
    double began = now();
    assert_int_equal(nstcp_destroy(*stack, LONG_MS), 0);
    assert_true(now() - began < LONG_MS / 2000.0);
    *stack = NULL;
}

static void nothing_to_wait_for(void **state)
{
    (void)state;
    assert_int_equal(nstcp_destroy(NULL, 0), 0);
    struct two t;
    two_up(&t, NULL);
    must_socket(t.left);
    must_listen(t.left, "10.0.0.1", PORT);
    assert_int_equal(nstcp_destroy(t.left, 0), 0);
    t.left = NULL;
    two_down(&t);
}

/* TIME-WAIT lasts a minute and ends with the stack. */
static void not_for_time_wait(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int left, right;
    must_pair(&t, &left, &right);
    must_close(t.left, left);
    must_recv_all(t.right, right, "", 0);
    must_close(t.right, right);
    must_end_at_once(&t.right); /* in LAST-ACK, so that left is in TIME-WAIT then */
    must_end_at_once(&t.left);
}

/* Nor for the peer's FIN: ours is acknowledged in FIN-WAIT-2. */
static void not_for_the_peer(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int left, right;
    must_pair(&t, &left, &right);
    must_send(t.left, left, "hello", 5);
    must_end_at_once(&t.left);
    must_recv_all(t.right, right, "hello", 5);
    two_down(&t);
}

/* A connection that never was, and ones that nobody has accepted: these are reset. */
static void not_for_what_nobody_has(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    must_listen(t.right, "10.0.1.1", PORT);
    int waiting = must_connect(t.left, "10.0.1.1", PORT);
    must_end_at_once(&t.right);
    assert_fails(nstcp_recv(t.left, waiting, &(char){0}, 1, 0), ECONNRESET);
    int sock = must_socket(t.left);
    assert_int_equal(nstcp_fcntl(t.left, sock, F_SETFL, O_NONBLOCK), 0);
    struct address to = address("10.0.1.1", PORT); /* where nobody is any more */
    assert_fails(nstcp_connect(t.left, sock, &to.sa, to.len), EINPROGRESS);
    must_end_at_once(&t.left);
}

#define LATE_MS 200

struct reader {
    struct nstcp *stack;
    int sock;
    size_t octets; /* what it has read to the end */
};

static void *read_late(void *arg)
{
    struct reader *r = arg;
    static char buf[65536];
    nanosleep(&(struct timespec){0, LATE_MS * 1000000}, NULL);
    ssize_t n;
    while ((n = nstcp_recv(r->stack, r->sock, buf, sizeof buf, 0)) > 0)
        r->octets += (size_t)n;
    assert_int_equal(n, 0);
    return NULL;
}

/* timeout_ms < 0: as long as it takes a peer that lets its window be closed for a while. */
static void as_long_as_it_takes(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int left, right;
    must_pair(&t, &left, &right);
    static char much[16 << 20];
    const struct timeval tv = {0, 20000};
    nstcp_setsockopt(t.left, left, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv);
    ssize_t sent = nstcp_send(t.left, left, much, sizeof much, 0);
    assert_in_range(sent, 1, sizeof much - 1);
    struct reader r = {t.right, right, 0};
    double began = now();
    pthread_t thread = must_thread(read_late, &r);
    assert_int_equal(nstcp_destroy(t.left, -1), 0);
    assert_true(now() - began >= LATE_MS / 1000.0);
    t.left = NULL;
    must_join(thread);
    assert_int_equal(r.octets, sent);
    two_down(&t);
}

/* What is not acknowledged at the timeout is reset; 0: what can't be at once. */
static void reset_at(int timeout_ms)
{
    struct two t;
    two_up(&t, NULL);
    int left, right;
    must_pair(&t, &left, &right);
    static char much[16 << 20];
    const struct timeval tv = {0, 20000};
    nstcp_setsockopt(t.left, left, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv);
    assert_true(nstcp_send(t.left, left, much, sizeof much, 0) > 0);
    must_close(t.left, left); /* closed earlier: the same */
    assert_fails(nstcp_destroy(t.left, timeout_ms), ETIMEDOUT);
    t.left = NULL;
    ssize_t n;
    while ((n = nstcp_recv(t.right, right, much, sizeof much, 0)) > 0)
        ;
    assert_fails(n, ECONNRESET);
    two_down(&t);
}

static void without_waiting(void **state)
{
    (void)state;
    reset_at(0);
}

static void reset_at_its_timeout(void **state)
{
    (void)state;
    reset_at(20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_to_wait_for),  cmocka_unit_test(not_for_time_wait),
        cmocka_unit_test(not_for_the_peer),     cmocka_unit_test(not_for_what_nobody_has),
        cmocka_unit_test(as_long_as_it_takes),  cmocka_unit_test(without_waiting),
        cmocka_unit_test(reset_at_its_timeout),
    };
    return two_main(tests);
}
