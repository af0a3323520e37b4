/* Threads that make any call on any socket at any moment, also on those that others close: no call
 * may hang, crash or race, and the stacks end in order. The sanitizers look on. */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <time.h>

#include "two_stacks.h"

#define THREADS 6
#define SOCKS   24
#define CALLS   20000

static struct two t;
static unsigned seed;
static atomic_uint connected, accepted, sent, received;

static int some_sock(unsigned *r)
{
    return 1 + (int)((unsigned)rand_r(r) % SOCKS);
}

static struct address some_port(bool left, unsigned *r)
{
    return address(left ? "10.0.0.1" : "10.0.1.1", (uint16_t)(PORT + rand_r(r) % 3));
}

static void set_limits(struct nstcp *stack, int sock, unsigned *r)
{
    const struct timeval tv = {0, 1 + rand_r(r) % 3000};
    const struct linger linger = {rand_r(r) % 2, 0};
    nstcp_setsockopt(stack, sock, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
    nstcp_setsockopt(stack, sock, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv);
    nstcp_setsockopt(stack, sock, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

static void poll_some(struct nstcp *stack, unsigned *r)
{
    struct pollfd fds[40];
    nfds_t n = (nfds_t)(rand_r(r) % 40);
    for (nfds_t i = 0; i < n; i++)
        fds[i] = (struct pollfd){.fd = some_sock(r) - 1, .events = POLLIN};
    nstcp_poll(stack, fds, n, rand_r(r) % 3);
}

static void connect_one(struct nstcp *stack, const struct address *to, unsigned *r)
{
    int sock =
        nstcp_socket(stack, two_domain(), SOCK_STREAM | (rand_r(r) % 4 ? 0 : SOCK_NONBLOCK), 0);
    set_limits(stack, sock, r);
    connected += nstcp_connect(stack, sock, &to->sa, to->len) == 0;
}

static void listen_one(struct nstcp *stack, const struct address *at, unsigned *r)
{
    int sock = nstcp_socket(stack, two_domain(), SOCK_STREAM, 0);
    if (nstcp_bind(stack, sock, &at->sa, at->len) < 0 ||
        nstcp_listen(stack, sock, rand_r(r) % 5) < 0)
        nstcp_close(stack, sock);
    set_limits(stack, sock, r);
}

static void accept_one(struct nstcp *stack, int sock, unsigned *r)
{
    struct address from = {.len = sizeof from};
    sock = nstcp_accept(stack, sock, &from.sa, &from.len);
    accepted += sock > 0;
    set_limits(stack, sock, r);
}

static void look(struct nstcp *stack, int sock, unsigned *r)
{
    char buf[256];
    socklen_t len = sizeof buf;
    int value;
    nstcp_getpeername(stack, sock, (struct sockaddr *)buf, &len);
    nstcp_ioctl(stack, sock, rand_r(r) % 2 ? FIONREAD : TIOCOUTQ, &value);
    len = sizeof value;
    nstcp_getsockopt(stack, sock, SOL_SOCKET, SO_ERROR, &value, &len);
    len = sizeof buf;
    nstcp_getsockopt(stack, sock, IPPROTO_TCP, TCP_INFO, buf, &len);
}

/* Any call but create, stop and destroy. */
static void some_call(unsigned *r)
{
    bool left = rand_r(r) % 2;
    struct nstcp *stack = left ? t.left : t.right;
    int sock = some_sock(r);
    struct address addr = some_port(left, r), peer = some_port(!left, r);
    char buf[20000] = {0};
    struct iovec iov[2] = {{buf, 1000}, {buf + 1000, 19000}};
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};
    switch (rand_r(r) % 32) {
    case 0:
    case 1:
    case 2:
    case 3:
        connect_one(stack, &peer, r);
        break;
    case 4:
        listen_one(stack, &addr, r);
        break;
    case 5:
        nstcp_close(stack, sock);
        break;
    case 6:
        nstcp_shutdown(stack, sock, rand_r(r) % 3);
        break;
    case 7:
        nstcp_connect(stack, sock, &(struct sockaddr){.sa_family = AF_UNSPEC}, sizeof addr);
        break;
    case 8:
        nstcp_connect(stack, sock, &peer.sa, peer.len);
        break;
    case 9:
    case 10:
        poll_some(stack, r);
        break;
    case 11:
    case 12:
        look(stack, sock, r);
        break;
    case 13:
        nstcp_recv(stack, sock, NULL, sizeof buf, MSG_TRUNC | MSG_WAITALL);
        break;
    case 14:
    case 15:
    case 16:
    case 17:
        sent += nstcp_sendmsg(stack, sock, &msg, rand_r(r) % 2 ? MSG_DONTWAIT : 0) > 0;
        break;
    case 18:
    case 19:
    case 20:
    case 21:
        received += nstcp_recvmsg(stack, sock, &msg, rand_r(r) % 2 ? MSG_WAITALL : MSG_PEEK) > 0;
        break;
    default:
        accept_one(stack, sock, r);
    }
}

static void *storm(void *arg)
{
    unsigned r = seed + (unsigned)(uintptr_t)arg;
    for (int i = 0; i < CALLS; i++)
        some_call(&r);
    return NULL;
}

static void any_call(void **state)
{
    (void)state;
    const char *given = getenv("SEED");
    if (given)
        seed = (unsigned)strtoul(given, NULL, 10);
    else
        assert_int_equal(getrandom(&seed, sizeof seed, 0), sizeof seed);
    print_message("SEED=%u\n", seed);
    const struct two_config config = {.super_max = 64000,
                                      .options = {.max_sockets = SOCKS, .msl_ms = 1}};
    two_up(&t, &config);
    pthread_t threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++)
        threads[i] = must_thread(storm, (void *)i);
    for (int i = 0; i < THREADS; i++)
        must_join(threads[i]);
    print_message("%u connected, %u accepted, %u sent, %u received\n", connected, accepted, sent,
                  received);
    assert_true(connected > 0 && accepted > 0 && sent > 0 && received > 0);
    /* Whoever has found an accept queue full can't close in order while nobody accepts. */
    for (int sock = 1; sock <= SOCKS; sock++)
        nstcp_close(t.left, sock);
    two_down(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(any_call)};
    return two_main(tests);
}
