/* Socket options, flags, and the limits of a stack. */
#include <errno.h>
#include <string.h>

#include "two_stacks.h"

static int get(struct nstcp *stack, int sock, int level, int name)
{
    int value = -99;
    socklen_t len = sizeof value;
    assert_int_equal(nstcp_getsockopt(stack, sock, level, name, &value, &len), 0);
    assert_int_equal(len, sizeof value);
    return value;
}

static int set(struct nstcp *stack, int sock, int level, int name, int value)
{
    return nstcp_setsockopt(stack, sock, level, name, &value, sizeof value);
}

static void numbers(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int s = must_socket(t.left);
    assert_int_equal(get(t.left, s, SOL_SOCKET, SO_TYPE), SOCK_STREAM);
    assert_int_equal(get(t.left, s, SOL_SOCKET, SO_DOMAIN), AF_INET);
    assert_int_equal(get(t.left, s, SOL_SOCKET, SO_PROTOCOL), IPPROTO_TCP);
    assert_int_equal(get(t.left, s, SOL_SOCKET, SO_ACCEPTCONN), 0);
    assert_int_equal(get(t.left, s, SOL_SOCKET, SO_ERROR), 0);
    assert_int_equal(get(t.left, s, SOL_SOCKET, SO_REUSEADDR), 0);
    assert_int_equal(set(t.left, s, SOL_SOCKET, SO_REUSEADDR, 7), 0);
    assert_int_equal(get(t.left, s, SOL_SOCKET, SO_REUSEADDR), 1);
    assert_int_equal(get(t.left, s, IPPROTO_TCP, TCP_NODELAY), 0);
    assert_int_equal(set(t.left, s, IPPROTO_TCP, TCP_NODELAY, 7), 0);
    assert_int_equal(get(t.left, s, IPPROTO_TCP, TCP_NODELAY), 1);
    assert_true(get(t.left, s, SOL_SOCKET, SO_SNDBUF) > 0);
    assert_int_equal(set(t.left, s, SOL_SOCKET, SO_SNDBUF, 100000), 0);
    assert_int_equal(get(t.left, s, SOL_SOCKET, SO_SNDBUF), 100000);
    assert_int_equal(set(t.left, s, SOL_SOCKET, SO_SNDBUF, 1), 0);
    assert_int_equal(get(t.left, s, SOL_SOCKET, SO_SNDBUF), 4096);
    assert_fails(set(t.left, s, SOL_SOCKET, SO_BROADCAST, 1), ENOPROTOOPT);
    assert_fails(set(t.left, s, SOL_SOCKET, SO_TYPE, 1), ENOPROTOOPT);
    assert_fails(set(t.left, s, IPPROTO_TCP, TCP_CORK, 1), ENOPROTOOPT);
    assert_fails(nstcp_setsockopt(t.left, s, IPPROTO_TCP, TCP_NODELAY, "x", 1), EINVAL);
    int six = nstcp_socket(t.left, AF_INET6, SOCK_STREAM, 0);
    assert_int_equal(get(t.left, six, IPPROTO_IPV6, IPV6_FREEBIND), 0);
    assert_int_equal(set(t.left, six, IPPROTO_IP, IP_FREEBIND, 7), 0); /* the same by both names */
    assert_int_equal(get(t.left, six, IPPROTO_IPV6, IPV6_FREEBIND), 1);
    assert_int_equal(set(t.left, six, IPPROTO_IPV6, IPV6_FREEBIND, 0), 0);
    assert_int_equal(get(t.left, six, IPPROTO_IP, IP_FREEBIND), 0);
    assert_int_equal(set(t.left, s, IPPROTO_IP, IP_FREEBIND, 1), 0);
    assert_int_equal(get(t.left, s, IPPROTO_IP, IP_FREEBIND), 1);
    assert_fails(set(t.left, s, IPPROTO_IPV6, IPV6_FREEBIND, 1), ENOPROTOOPT);
    assert_int_equal(get(t.left, six, IPPROTO_IPV6, IPV6_V6ONLY), 0);
    assert_int_equal(set(t.left, six, IPPROTO_IPV6, IPV6_V6ONLY, 0), 0);
    assert_fails(set(t.left, six, IPPROTO_IPV6, IPV6_V6ONLY, 1), EINVAL);
    two_down(&t);
}

static void structs(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int s = must_socket(t.left);
    struct timeval tv = {1, 500000}, back;
    socklen_t len = sizeof back;
    assert_int_equal(nstcp_setsockopt(t.left, s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv), 0);
    assert_int_equal(nstcp_getsockopt(t.left, s, SOL_SOCKET, SO_RCVTIMEO, &back, &len), 0);
    assert_memory_equal(&tv, &back, sizeof tv);
    assert_int_equal(nstcp_getsockopt(t.left, s, SOL_SOCKET, SO_SNDTIMEO, &back, &len), 0);
    assert_int_equal(back.tv_sec, 0);
    assert_int_equal(back.tv_usec, 0);
    tv.tv_usec = 1000000;
    assert_fails(nstcp_setsockopt(t.left, s, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv), EDOM);
    assert_fails(nstcp_setsockopt(t.left, s, SOL_SOCKET, SO_SNDTIMEO, &tv, 4), EINVAL);
    struct linger linger = {1, 0};
    assert_int_equal(nstcp_setsockopt(t.left, s, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
    len = sizeof linger;
    assert_int_equal(nstcp_getsockopt(t.left, s, SOL_SOCKET, SO_LINGER, &linger, &len), 0);
    assert_int_equal(linger.l_onoff, 1);
    linger.l_linger = 5;
    assert_int_equal(nstcp_setsockopt(t.left, s, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
    assert_int_equal(nstcp_getsockopt(t.left, s, SOL_SOCKET, SO_LINGER, &linger, &len), 0);
    assert_int_equal(linger.l_linger, 5);
    assert_fails(nstcp_setsockopt(t.left, s, SOL_SOCKET, SO_LINGER, &linger, 4), EINVAL);
    two_down(&t);
}

static void flags(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int s = must_socket(t.left);
    assert_int_equal(nstcp_fcntl(t.left, s, F_GETFL, 0), O_RDWR);
    assert_int_equal(nstcp_fcntl(t.left, s, F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(nstcp_fcntl(t.left, s, F_GETFL, 0), O_RDWR | O_NONBLOCK);
    assert_fails(nstcp_fcntl(t.left, s, F_GETFD, 0), EINVAL);
    s = nstcp_socket(t.left, AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(nstcp_fcntl(t.left, s, F_GETFL, 0), O_RDWR | O_NONBLOCK);
    int left, right;
    must_pair(&t, &left, &right);
    assert_fails(nstcp_send(t.left, left, "x", 1, MSG_OOB), EOPNOTSUPP);
    assert_fails(nstcp_recv(t.left, left, &(char){0}, 1, MSG_OOB), EOPNOTSUPP);
    assert_int_equal(nstcp_send(t.left, left, "x", 1, MSG_NOSIGNAL | MSG_MORE), 1);
    assert_int_equal(nstcp_send(t.left, left, "", 0, 0), 0);
    assert_fails(nstcp_shutdown(t.left, left, 77), EINVAL);
    two_down(&t);
}

/* Sockets have the lowest free numbers; there are as many as the options say. */
static void limits(void **state)
{
    (void)state;
    struct two t;
    const struct two_config config = {.options = {.max_sockets = 40}};
    two_up(&t, &config);
    for (int i = 1; i <= 40; i++)
        assert_int_equal(must_socket(t.left), i);
    assert_fails(nstcp_socket(t.left, AF_INET, SOCK_STREAM, 0), EMFILE);
    must_close(t.left, 17);
    must_close(t.left, 3);
    assert_int_equal(must_socket(t.left), 3);
    assert_int_equal(must_socket(t.left), 17);
    assert_fails(nstcp_socket(t.left, AF_INET, SOCK_STREAM, 0), EMFILE);
    two_down(&t);
}

/* Text that finds no memory is refused on the way in, and a send waits or fails; nothing breaks. */
static void little_memory(void **state)
{
    (void)state;
    struct two t;
    const struct two_config config = {.super_max = 64000, .options = {.memory_max = 100000}};
    two_up(&t, &config);
    int left, right;
    must_pair(&t, &left, &right);
    static char much[1 << 20];
    ssize_t n = nstcp_send(t.left, left, much, sizeof much, MSG_DONTWAIT);
    assert_true(n > 0 || (n == -1 && errno == ENOMEM));
    ssize_t got = 0;
    while (got < n) {
        ssize_t k = nstcp_recv(t.right, right, much, sizeof much, 0);
        assert_true(k > 0);
        got += k;
    }
    two_down(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers), cmocka_unit_test(structs),       cmocka_unit_test(flags),
        cmocka_unit_test(limits),  cmocka_unit_test(little_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
