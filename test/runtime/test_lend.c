/* A send() lends its buffer while it lasts, and looks for acknowledgments meanwhile: what other
 * threads and other connections may expect all the same. */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <unistd.h>

#include "two_stacks.h"

#define MUCH  (16u << 20)
#define TRIES 20

static uint8_t much[MUCH];

struct end {
    struct nstcp *stack;
    int sock, flags;
    atomic_bool stop;
};

static void *take_all(void *arg)
{
    struct end *e = arg;
    static _Thread_local uint8_t buf[65536];
    while (nstcp_recv(e->stack, e->sock, buf, sizeof buf, 0) > 0)
        continue;
    return NULL;
}

static void *send_on(void *arg)
{
    struct end *e = arg;
    while (nstcp_send(e->stack, e->sock, much, MUCH, e->flags) >= 0 || errno == EAGAIN)
        continue;
    return NULL;
}

/* 16 KiB each millisecond, and never a call that waits. */
static void *send_little(void *arg)
{
    struct end *e = arg;
    while (!e->stop) {
        nstcp_send(e->stack, e->sock, much, 16384, MSG_DONTWAIT);
        usleep(1000);
    }
    return NULL;
}

/* The socket is closed by another thread in the middle of a send. */
static void closed_meanwhile(int flags)
{
    for (int i = 0; i < TRIES; i++) {
        struct two t;
        two_up(&t, NULL);
        int left, right;
        must_pair(&t, &left, &right);
        struct end l = {.stack = t.left, .sock = left, .flags = flags},
                   r = {.stack = t.right, .sock = right};
        pthread_t taker = must_thread(take_all, &r), sender = must_thread(send_on, &l);
        usleep(500 + 143 * (unsigned)i);
        must_close(t.left, left);
        must_join(sender);
        nstcp_stop(t.right); /* whatever is still under way */
        must_join(taker);
        nstcp_destroy(t.left, 0);
        nstcp_destroy(t.right, 0);
    }
}

static void closed_while_it_waits(void **state)
{
    (void)state;
    closed_meanwhile(0);
}

static void closed_while_it_does_not(void **state)
{
    (void)state;
    closed_meanwhile(MSG_DONTWAIT);
}

/* Corked text goes after 200 ms though the only thread at work never waits. */
static void timers_of_others(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int left, right, corked, other;
    must_pair(&t, &left, &right);
    must_pair(&t, &corked, &other);
    struct end l = {.stack = t.left, .sock = left}, r = {.stack = t.right, .sock = right};
    pthread_t taker = must_thread(take_all, &r), sender = must_thread(send_little, &l);
    must_set(t.left, corked, IPPROTO_TCP, TCP_CORK, 1);
    usleep(50000);
    char buf[10];
    double begun = now();
    must_send(t.left, corked, "some text.", sizeof buf);
    assert_int_equal(nstcp_recv(t.right, other, buf, sizeof buf, MSG_WAITALL), sizeof buf);
    assert_true(now() - begun < 2);
    l.stop = true;
    must_join(sender);
    must_close(t.left, left);
    must_join(taker);
    two_down(&t);
}

/* A call that does not wait takes what there is room for when it begins, not what is acknowledged
 * while it lasts as well. */
static void not_more_than_room(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int left, right;
    const int room = 1 << 19;
    must_pair(&t, &left, &right);
    must_set(t.left, left, SOL_SOCKET, SO_SNDBUF, room);
    struct end r = {.stack = t.right, .sock = right};
    pthread_t taker = must_thread(take_all, &r);
    for (int i = 0; i < 100; i++) {
        ssize_t n = nstcp_send(t.left, left, much, MUCH, MSG_DONTWAIT);
        assert_true(n < 0 || (n > 0 && n <= 2 * room));
        usleep(1000);
    }
    must_close(t.left, left);
    must_join(taker);
    two_down(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closed_while_it_waits),
        cmocka_unit_test(closed_while_it_does_not),
        cmocka_unit_test(timers_of_others),
        cmocka_unit_test(not_more_than_room),
    };
    return two_main(tests);
}
