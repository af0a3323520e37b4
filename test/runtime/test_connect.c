/* Opening and ending connections: names, errors, non-blocking, addresses of both families. */
#include <errno.h>
#include <string.h>

#include "two_stacks.h"

static void echo_and_close(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int left, right;
    must_pair(&t, &left, &right);
    must_send(t.left, left, "hello", 5);
    char buf[16];
    assert_int_equal(nstcp_recv(t.right, right, buf, sizeof buf, 0), 5);
    must_send(t.right, right, buf, 5);
    assert_int_equal(nstcp_shutdown(t.left, left, SHUT_WR), 0);
    assert_int_equal(nstcp_recv(t.right, right, buf, sizeof buf, 0), 0);
    must_send(t.right, right, "bye", 3); /* the other direction lives on */
    must_close(t.right, right);
    must_recv_all(t.left, left, "hellobye", 8);
    assert_fails(nstcp_send(t.left, left, "x", 1, 0), EPIPE);
    must_close(t.left, left);
    two_down(&t);
}

static void names(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int listener = must_listen(t.right, "0.0.0.0", PORT);
    int left = must_connect(t.left, "10.0.1.1", PORT);
    struct sockaddr_in peer, own, far;
    socklen_t len = sizeof peer;
    int right = nstcp_accept(t.right, listener, (struct sockaddr *)&peer, &len);
    assert_true(right > 0);
    assert_int_equal(len, sizeof peer);
    assert_int_equal(nstcp_getsockname(t.left, left, (struct sockaddr *)&own, &len), 0);
    assert_memory_equal(&peer, &own, sizeof own);
    assert_int_equal(own.sin_addr.s_addr, addr4("10.0.0.1", 0).sin_addr.s_addr);
    assert_in_range(ntohs(own.sin_port), 61000, 61063);
    assert_int_equal(nstcp_getpeername(t.left, left, (struct sockaddr *)&far, &len), 0);
    assert_int_equal(nstcp_getsockname(t.right, right, (struct sockaddr *)&own, &len), 0);
    assert_memory_equal(&far, &own, sizeof own);
    assert_int_equal(ntohs(own.sin_port), PORT);
    assert_int_equal(nstcp_getsockname(t.right, listener, (struct sockaddr *)&own, &len), 0);
    assert_int_equal(own.sin_addr.s_addr, 0);
    assert_fails(nstcp_getpeername(t.right, listener, (struct sockaddr *)&far, &len), ENOTCONN);
    struct sockaddr_in cut;
    len = 4;
    memset(&cut, 0xee, sizeof cut);
    assert_int_equal(nstcp_getsockname(t.right, right, (struct sockaddr *)&cut, &len), 0);
    assert_int_equal(len, sizeof cut);
    assert_int_equal(cut.sin_port, own.sin_port);
    assert_int_equal(cut.sin_addr.s_addr, 0xeeeeeeee);
    two_down(&t);
}

static void both_families(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int listener = nstcp_socket(t.right, AF_INET6, SOCK_STREAM, IPPROTO_TCP);
    struct sockaddr_in6 any = addr6("::", PORT);
    assert_int_equal(nstcp_bind(t.right, listener, (struct sockaddr *)&any, sizeof any), 0);
    assert_int_equal(nstcp_listen(t.right, listener, 1), 0);
    must_connect(t.left, "10.0.1.1", PORT);
    struct sockaddr_in6 peer;
    socklen_t len = sizeof peer;
    assert_true(nstcp_accept(t.right, listener, (struct sockaddr *)&peer, &len) > 0);
    struct sockaddr_in6 expected = addr6("::ffff:10.0.0.1", 0);
    assert_memory_equal(&peer.sin6_addr, &expected.sin6_addr, 16);
    int six = nstcp_socket(t.left, AF_INET6, SOCK_STREAM, 0);
    struct sockaddr_in6 to = addr6("fd00::2", PORT);
    assert_int_equal(nstcp_connect(t.left, six, (struct sockaddr *)&to, sizeof to), 0);
    assert_true(nstcp_accept(t.right, listener, (struct sockaddr *)&peer, &len) > 0);
    expected = addr6("fd00::1", 0);
    assert_memory_equal(&peer.sin6_addr, &expected.sin6_addr, 16);
    two_down(&t);
}

static void refused_and_again(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int sock = must_socket(t.left);
    struct sockaddr_in to = addr4("10.0.1.1", PORT);
    assert_fails(nstcp_connect(t.left, sock, (struct sockaddr *)&to, sizeof to), ECONNREFUSED);
    must_listen(t.right, "10.0.1.1", PORT);
    assert_int_equal(nstcp_connect(t.left, sock, (struct sockaddr *)&to, sizeof to), 0);
    assert_fails(nstcp_connect(t.left, sock, (struct sockaddr *)&to, sizeof to), EISCONN);
    two_down(&t);
}

static void wrong_addresses(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int sock = must_socket(t.left);
    struct sockaddr_in to = addr4("10.0.0.1", PORT);
    struct sockaddr_in6 six = addr6("fd00::2", PORT);
    const struct sockaddr *sa = (struct sockaddr *)&to;
    assert_fails(nstcp_connect(t.left, sock, sa, sizeof to), EADDRNOTAVAIL);
    to = addr4("224.0.0.1", PORT);
    assert_fails(nstcp_connect(t.left, sock, sa, sizeof to), EADDRNOTAVAIL);
    assert_fails(nstcp_connect(t.left, sock, sa, 3), EINVAL);
    assert_fails(nstcp_connect(t.left, sock, (struct sockaddr *)&six, sizeof six), EAFNOSUPPORT);
    to = addr4("10.9.9.9", PORT);
    assert_fails(nstcp_bind(t.left, sock, sa, sizeof to), EADDRNOTAVAIL);
    assert_fails(nstcp_socket(t.left, AF_UNIX, SOCK_STREAM, 0), EAFNOSUPPORT);
    assert_fails(nstcp_socket(t.left, AF_INET, SOCK_DGRAM, 0), EPROTONOSUPPORT);
    assert_fails(nstcp_accept(t.left, sock, NULL, NULL), EINVAL);
    assert_fails(nstcp_send(t.left, sock, "x", 1, 0), ENOTCONN);
    assert_fails(nstcp_recv(t.left, sock, &(char){0}, 1, 0), ENOTCONN);
    assert_fails(nstcp_shutdown(t.left, sock, SHUT_WR), ENOTCONN);
    assert_fails(nstcp_close(t.left, sock + 1), EBADF);
    assert_fails(nstcp_close(t.left, -1), EBADF);
    must_close(t.left, sock);
    assert_fails(nstcp_close(t.left, sock), EBADF);
    two_down(&t);
}

static int bound(struct nstcp *stack, const char *ip, uint16_t port)
{
    struct sockaddr_in in = addr4(ip, port);
    int sock = must_socket(stack);
    if (nstcp_bind(stack, sock, (struct sockaddr *)&in, sizeof in) == 0)
        return sock;
    assert_int_equal(errno, EADDRINUSE);
    must_close(stack, sock);
    return 0;
}

static uint16_t port_of(struct nstcp *stack, int sock)
{
    struct sockaddr_in in;
    socklen_t len = sizeof in;
    assert_int_equal(nstcp_getsockname(stack, sock, (struct sockaddr *)&in, &len), 0);
    return ntohs(in.sin_port);
}

static void binding(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int first = bound(t.left, "10.0.0.1", PORT);
    assert_true(first > 0);
    assert_int_equal(bound(t.left, "10.0.0.1", PORT), 0);
    assert_int_equal(bound(t.left, "0.0.0.0", PORT), 0);
    assert_true(bound(t.left, "0.0.0.0", PORT + 1) > 0);
    assert_int_equal(bound(t.left, "10.0.0.1", PORT + 1), 0);
    struct sockaddr_in in = addr4("10.0.0.1", PORT + 2);
    assert_fails(nstcp_bind(t.left, first, (struct sockaddr *)&in, sizeof in), EINVAL);
    must_close(t.left, first);
    first = bound(t.left, "10.0.0.1", PORT); /* free again */
    assert_true(first > 0);
    for (int i = 0; i < 100; i++) { /* more than one block of ephemeral ports */
        int sock = bound(t.left, "10.0.0.1", 0);
        assert_in_range(port_of(t.left, sock), 61000, 61127);
        assert_int_equal(nstcp_listen(t.left, sock, 1), 0);
    }
    /* A client on a port of its own choice. */
    must_listen(t.right, "10.0.1.1", PORT);
    in = addr4("10.0.1.1", PORT);
    assert_int_equal(nstcp_connect(t.left, first, (struct sockaddr *)&in, sizeof in), 0);
    assert_int_equal(port_of(t.left, first), PORT);
    two_down(&t);
}

static int shares(struct nstcp *stack, int with)
{
    struct sockaddr_in in = addr4("10.0.0.1", port_of(stack, with));
    int sock = must_socket(stack);
    must_set(stack, with, SOL_SOCKET, SO_REUSEADDR, 1);
    must_set(stack, sock, SOL_SOCKET, SO_REUSEADDR, 1);
    assert_int_equal(nstcp_bind(stack, sock, (struct sockaddr *)&in, sizeof in), 0);
    return sock;
}

static uint16_t next_port(struct two *t, int listener)
{
    int sock = must_connect(t->left, "10.0.1.1", PORT);
    must_accept(t->right, listener);
    return port_of(t->left, sock);
}

/* A connection is not given a port that a socket is bound to, which may be about to connect to the
 * same peer; once none is, it is. */
static void beside_bound_sockets(void **state)
{
    (void)state;
    enum { BLOCK = 64 };
    struct two t;
    two_up(&t, NULL);
    int listener = must_listen(t.right, "10.0.1.1", PORT);
    int at[2][BLOCK];
    bool is_bound[UINT16_MAX + 1] = {0};
    for (int i = 0; i < BLOCK; i++) {
        at[0][i] = bound(t.left, "10.0.0.1", 0);
        at[1][i] = shares(t.left, at[0][i]);
        is_bound[port_of(t.left, at[1][i])] = true;
    }
    for (int i = 0; i < BLOCK; i++)
        assert_false(is_bound[next_port(&t, listener)]);
    const struct sockaddr_in to = addr4("10.0.1.1", PORT);
    assert_int_equal(nstcp_connect(t.left, at[0][0], (const void *)&to, sizeof to), 0);
    must_accept(t.right, listener);
    for (int i = 0; i < BLOCK; i++)
        must_close(t.left, at[0][i]);
    for (int i = 0; i < BLOCK; i++)
        assert_false(is_bound[next_port(&t, listener)]);
    for (int i = 0; i < BLOCK; i++)
        must_close(t.left, at[1][i]);
    for (int i = 0; i < BLOCK - 1; i++) /* one is in TIME-WAIT */
        assert_true(is_bound[next_port(&t, listener)]);
    two_down(&t);
}

static void more_ports_than_a_block(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int listener = must_listen(t.right, "10.0.1.1", PORT);
    for (int i = 0; i < 256; i++) {
        must_connect(t.left, "10.0.1.1", PORT);
        must_accept(t.right, listener);
    }
    int sock = must_socket(t.left);
    struct sockaddr_in to = addr4("10.0.1.1", PORT);
    assert_fails(nstcp_connect(t.left, sock, (struct sockaddr *)&to, sizeof to), EADDRNOTAVAIL);
    two_down(&t);
}

/* bind to port 0 keeps clear of TIME-WAIT, in which a connection to the same peer could not be. */
static void bound_beside_time_wait(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int listener = must_listen(t.right, "10.0.1.1", PORT);
    const struct sockaddr_in from = addr4("10.0.0.1", 0), to = addr4("10.0.1.1", PORT);
    for (int i = 0; i < 100; i++) {
        int left = must_socket(t.left);
        assert_int_equal(nstcp_bind(t.left, left, (const struct sockaddr *)&from, sizeof from), 0);
        assert_int_equal(nstcp_connect(t.left, left, (const struct sockaddr *)&to, sizeof to), 0);
        int right = must_accept(t.right, listener);
        must_close(t.left, left);
        must_recv_all(t.right, right, "", 0);
        must_close(t.right, right);
    }
    two_down(&t);
}

static void connecting_without_waiting(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int listener = must_listen(t.right, "10.0.1.1", PORT);
    int sock = nstcp_socket(t.left, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in to = addr4("10.0.1.1", PORT);
    const struct sockaddr *sa = (struct sockaddr *)&to;
    struct pollfd p = {.fd = sock, .events = POLLOUT};
    assert_int_equal(nstcp_poll(t.left, &p, 1, 0), 1);
    assert_int_equal(p.revents, POLLOUT | POLLHUP);
    assert_fails(nstcp_connect(t.left, sock, sa, sizeof to), EINPROGRESS);
    assert_int_equal(nstcp_poll(t.left, &p, 1, 10000), 1);
    assert_int_equal(p.revents, POLLOUT);
    int error = 99;
    socklen_t len = sizeof error;
    assert_int_equal(nstcp_getsockopt(t.left, sock, SOL_SOCKET, SO_ERROR, &error, &len), 0);
    assert_int_equal(error, 0);
    assert_int_equal(nstcp_connect(t.left, sock, sa, sizeof to), 0);
    assert_fails(nstcp_connect(t.left, sock, sa, sizeof to), EISCONN);
    struct sockaddr from;
    assert_fails(nstcp_accept(t.right, listener, &from, &(socklen_t){(socklen_t)-1}), EINVAL);
    must_accept(t.right, listener);
    assert_fails(nstcp_recv(t.left, sock, &(char){0}, 1, 0), EAGAIN);
    /* And where nobody listens. */
    to = addr4("10.0.1.1", PORT + 1);
    p.fd = nstcp_socket(t.left, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_fails(nstcp_connect(t.left, p.fd, sa, sizeof to), EINPROGRESS);
    assert_int_equal(nstcp_poll(t.left, &p, 1, 10000), 1);
    assert_int_equal(p.revents & (POLLERR | POLLHUP), POLLERR | POLLHUP);
    assert_int_equal(nstcp_getsockopt(t.left, p.fd, SOL_SOCKET, SO_ERROR, &error, &len), 0);
    assert_int_equal(error, ECONNREFUSED);
    assert_int_equal(nstcp_getsockopt(t.left, p.fd, SOL_SOCKET, SO_ERROR, &error, &len), 0);
    assert_int_equal(error, 0);
    assert_int_equal(nstcp_recv(t.left, p.fd, &(char){0}, 1, 0), 0); /* it has been told */
    two_down(&t);
}

/* Text queued while it is being opened fills the send queue; it is connected all the same. */
static void connected_with_a_full_queue(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    must_listen(t.right, "10.0.1.1", PORT);
    int sock = nstcp_socket(t.left, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in to = addr4("10.0.1.1", PORT), peer;
    const struct sockaddr *sa = (struct sockaddr *)&to;
    assert_fails(nstcp_connect(t.left, sock, sa, sizeof to), EINPROGRESS);
    const struct timeval soon = {0, 100000};
    assert_int_equal(nstcp_setsockopt(t.left, sock, SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof soon),
                     0);
    assert_int_equal(nstcp_fcntl(t.left, sock, F_SETFL, 0), 0);
    static char much[64 << 20];
    ssize_t n = nstcp_send(t.left, sock, much, sizeof much, 0);
    assert_in_range(n, 1, sizeof much - 1); /* until nothing moves any more */
    socklen_t len = sizeof peer;
    assert_int_equal(nstcp_getpeername(t.left, sock, (struct sockaddr *)&peer, &len), 0);
    assert_int_equal(nstcp_connect(t.left, sock, sa, sizeof to), 0); /* the attempt's result */
    assert_fails(nstcp_connect(t.left, sock, sa, sizeof to), EISCONN);
    two_down(&t);
}

/* SO_ERROR has told of the failure: as in Linux, connect says once more that it failed, and then
 * begins a new attempt. */
static void again_after_so_error(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int sock = nstcp_socket(t.left, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in to = addr4("10.0.1.1", PORT);
    const struct sockaddr *sa = (struct sockaddr *)&to;
    assert_fails(nstcp_connect(t.left, sock, sa, sizeof to), EINPROGRESS);
    struct pollfd p = {.fd = sock, .events = POLLOUT};
    assert_int_equal(nstcp_poll(t.left, &p, 1, 10000), 1);
    int error = 0;
    socklen_t len = sizeof error;
    assert_int_equal(nstcp_getsockopt(t.left, sock, SOL_SOCKET, SO_ERROR, &error, &len), 0);
    assert_int_equal(error, ECONNREFUSED);
    assert_fails(nstcp_connect(t.left, sock, sa, sizeof to), ECONNABORTED);
    must_listen(t.right, "10.0.1.1", PORT);
    assert_fails(nstcp_connect(t.left, sock, sa, sizeof to), EINPROGRESS);
    assert_int_equal(nstcp_poll(t.left, &p, 1, 10000), 1);
    assert_int_equal(p.revents, POLLOUT);
    assert_int_equal(nstcp_connect(t.left, sock, sa, sizeof to), 0);
    two_down(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(echo_and_close),
        cmocka_unit_test(names),
        cmocka_unit_test(both_families),
        cmocka_unit_test(refused_and_again),
        cmocka_unit_test(wrong_addresses),
        cmocka_unit_test(binding),
        cmocka_unit_test(beside_bound_sockets),
        cmocka_unit_test(more_ports_than_a_block),
        cmocka_unit_test(bound_beside_time_wait),
        cmocka_unit_test(connecting_without_waiting),
        cmocka_unit_test(connected_with_a_full_queue),
        cmocka_unit_test(again_after_so_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
