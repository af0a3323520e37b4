/* Socket options, flags, and the limits of a stack. */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/ioctl.h>

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
    assert_fails(set(t.left, s, IPPROTO_TCP, TCP_DEFER_ACCEPT, 1), ENOPROTOOPT);
    assert_fails(nstcp_setsockopt(t.left, s, IPPROTO_TCP, TCP_NODELAY, "x", 1), EINVAL);
    assert_fails(nstcp_setsockopt(t.left, s, IPPROTO_TCP, TCP_NODELAY, &(int){0}, (socklen_t)-1),
                 EINVAL);
    int six = nstcp_socket(t.left, AF_INET6, SOCK_STREAM, 0);
    assert_int_equal(get(t.left, six, IPPROTO_IPV6, IPV6_FREEBIND), 0);
    assert_int_equal(set(t.left, six, IPPROTO_IP, IP_FREEBIND, 7), 0); /* the same by both names */
    assert_int_equal(get(t.left, six, IPPROTO_IPV6, IPV6_FREEBIND), 1);
    assert_int_equal(set(t.left, six, IPPROTO_IPV6, IPV6_FREEBIND, 0), 0);
    assert_int_equal(get(t.left, six, IPPROTO_IP, IP_FREEBIND), 0);
    assert_int_equal(get(t.left, s, IPPROTO_IP, IP_TOS), 0);
    assert_int_equal(get(t.left, s, IPPROTO_IP, IP_TTL), 64);
    assert_int_equal(set(t.left, s, IPPROTO_IP, IP_TOS, 0xbb), 0);
    assert_int_equal(get(t.left, s, IPPROTO_IP, IP_TOS), 0xb8); /* ECN's bits are not the user's */
    assert_fails(set(t.left, s, IPPROTO_IP, IP_TTL, 256), EINVAL);
    assert_fails(set(t.left, six, IPPROTO_IPV6, IPV6_TCLASS, 256), EINVAL);
    assert_int_equal(set(t.left, s, IPPROTO_IP, IP_FREEBIND, 1), 0);
    assert_int_equal(get(t.left, s, IPPROTO_IP, IP_FREEBIND), 1);
    assert_fails(set(t.left, s, IPPROTO_IPV6, IPV6_FREEBIND, 1), ENOPROTOOPT);
    assert_int_equal(get(t.left, six, IPPROTO_IPV6, IPV6_V6ONLY), 0);
    assert_int_equal(set(t.left, six, IPPROTO_IPV6, IPV6_V6ONLY, 7), 0);
    assert_int_equal(get(t.left, six, IPPROTO_IPV6, IPV6_V6ONLY), 1);
    assert_fails(set(t.left, s, IPPROTO_IPV6, IPV6_V6ONLY, 1), ENOPROTOOPT);
    two_down(&t);
}

/* IP_MTU, IPV6_MTU: of a connection; read only. */
static void path_mtu(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int left, right, value;
    socklen_t len = sizeof value;
    must_pair(&t, &left, &right);
    assert_int_equal(get(t.left, left, IPPROTO_IP, IP_MTU), 1500);
    assert_int_equal(get(t.right, right, IPPROTO_IP, IP_MTU), 1500);
    assert_fails(nstcp_getsockopt(t.left, left, IPPROTO_IPV6, IPV6_MTU, &value, &len), ENOPROTOOPT);
    assert_fails(set(t.left, left, IPPROTO_IP, IP_MTU, 1400), ENOPROTOOPT);

    const struct sockaddr_in6 to = addr6("fd00::2", PORT);
    int six = nstcp_socket(t.left, AF_INET6, SOCK_STREAM, 0);
    int listener = nstcp_socket(t.right, AF_INET6, SOCK_STREAM, 0);
    assert_fails(nstcp_getsockopt(t.left, six, IPPROTO_IPV6, IPV6_MTU, &value, &len), ENOTCONN);
    assert_fails(nstcp_getsockopt(t.left, six, IPPROTO_IP, IP_MTU, &value, &len), ENOTCONN);
    assert_int_equal(nstcp_bind(t.right, listener, (const struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(nstcp_listen(t.right, listener, 1), 0);
    assert_fails(nstcp_getsockopt(t.right, listener, IPPROTO_IPV6, IPV6_MTU, &value, &len),
                 ENOTCONN);
    assert_int_equal(nstcp_connect(t.left, six, (const struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(get(t.left, six, IPPROTO_IPV6, IPV6_MTU), 1500);
    assert_fails(set(t.left, six, IPPROTO_IPV6, IPV6_MTU, 1400), ENOPROTOOPT);

    assert_int_equal(set(t.left, six, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO), 0);
    assert_int_equal(get(t.left, six, IPPROTO_IP, IP_MTU_DISCOVER), IP_PMTUDISC_DO);
    assert_int_equal(get(t.left, six, IPPROTO_IPV6, IPV6_MTU_DISCOVER), IPV6_PMTUDISC_WANT);
    assert_fails(set(t.left, six, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT), EOPNOTSUPP);
    assert_fails(set(t.left, left, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT), EOPNOTSUPP);
    assert_fails(set(t.left, left, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT + 1), EINVAL);
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
    assert_fails(nstcp_send(t.left, left, "x", 1, MSG_CONFIRM), EOPNOTSUPP);
    assert_fails(nstcp_recv(t.left, left, &(char){0}, 1, MSG_ERRQUEUE), EOPNOTSUPP);
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
    two_up(&t, &(struct two_config){.options = {.max_sockets = UINT_MAX}});
    assert_int_equal(must_socket(t.left), 1);
    two_down(&t);
}

/* What a program hands on when it has not looked at nstcp_socket's result, for one. */
static void no_socket(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    must_socket(t.left);
    static const int none[] = {-1, 0, 2, INT_MAX, INT_MIN};
    for (int i = 0; i < 5; i++) {
        int s = none[i], value = 0;
        socklen_t len = sizeof value;
        char c = 0;
        assert_fails(set(t.left, s, SOL_SOCKET, SO_REUSEADDR, 1), EBADF);
        assert_fails(nstcp_getsockopt(t.left, s, SOL_SOCKET, SO_ERROR, &value, &len), EBADF);
        assert_fails(nstcp_listen(t.left, s, 1), EBADF);
        assert_fails(nstcp_send(t.left, s, &c, 1, 0), EBADF);
        assert_fails(nstcp_recv(t.left, s, &c, 1, 0), EBADF);
        assert_fails(nstcp_accept(t.left, s, NULL, NULL), EBADF);
        assert_fails(nstcp_shutdown(t.left, s, SHUT_WR), EBADF);
        assert_fails(nstcp_fcntl(t.left, s, F_GETFL, 0), EBADF);
        assert_fails(nstcp_close(t.left, s), EBADF);
    }
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

/* What a peer that sends without end may leave unread: the buffer, and what its last window lets
 * through. */
static void receive_buffer(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int listener = must_listen(t.right, "10.0.1.1", PORT);
    assert_true(get(t.right, listener, SOL_SOCKET, SO_RCVBUF) > 0);
    assert_int_equal(set(t.right, listener, SOL_SOCKET, SO_RCVBUF, 1), 0);
    assert_int_equal(get(t.right, listener, SOL_SOCKET, SO_RCVBUF), 4096);
    assert_int_equal(set(t.right, listener, SOL_SOCKET, SO_RCVBUF, 20000), 0);
    int left = must_connect(t.left, "10.0.1.1", PORT), right = must_accept(t.right, listener);
    assert_int_equal(get(t.right, right, SOL_SOCKET, SO_RCVBUF), 20000);
    static char much[1 << 20];
    struct pollfd p = {.fd = left, .events = POLLOUT};
    while (nstcp_poll(t.left, &p, 1, 100) > 0)
        assert_true(nstcp_send(t.left, left, much, sizeof much, MSG_DONTWAIT) > 0);
    int unread = 0;
    assert_int_equal(nstcp_ioctl(t.right, right, FIONREAD, &unread), 0);
    assert_in_range(unread, 10000, 20000);
    /* More, while it lasts. */
    assert_int_equal(set(t.right, right, SOL_SOCKET, SO_RCVBUF, 40000), 0);
    while (unread <= 20000)
        assert_int_equal(nstcp_ioctl(t.right, right, FIONREAD, &unread), 0);
    nstcp_destroy(t.left, 0);
    nstcp_destroy(t.right, 0);
}

/* How long a call that waits looks before it sleeps: told back, and without effect on what it does.
 */
static void busy_poll(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int left, right;
    must_pair(&t, &left, &right);
    assert_int_equal(get(t.right, right, SOL_SOCKET, SO_BUSY_POLL), 50);
    assert_fails(set(t.right, right, SOL_SOCKET, SO_BUSY_POLL, -1), EINVAL);
    const int microseconds[] = {0, 200, 50};
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(set(t.right, right, SOL_SOCKET, SO_BUSY_POLL, microseconds[i]), 0);
        assert_int_equal(get(t.right, right, SOL_SOCKET, SO_BUSY_POLL), microseconds[i]);
        for (unsigned n = 0; n < 20; n++) {
            char c;
            must_send(t.left, left, "x", 1);
            assert_int_equal(nstcp_recv(t.right, right, &c, 1, 0), 1);
        }
    }
    two_down(&t);
}

/* tc-fq(8): a limit of 1 MB in a second, and then none, at once. */
static void pacing_rate(void **state)
{
    (void)state;
    static char text[200000]; /* of which the send queue has room */
    struct two t;
    two_up(&t, NULL);
    int left, right;
    must_pair(&t, &left, &right);
    assert_int_equal(set(t.left, left, SOL_SOCKET, SO_MAX_PACING_RATE, 1000000), 0);
    assert_int_equal(get(t.left, left, SOL_SOCKET, SO_MAX_PACING_RATE), 1000000);
    double begun = now();
    must_send(t.left, left, text, sizeof text);
    assert_int_equal(nstcp_recv(t.right, right, text, sizeof text, MSG_WAITALL), sizeof text);
    /* But for what goes at once: ten segments, and the initial window before the first ACK. */
    assert_true(now() - begun >= (sizeof text - 20 * 1448) / 1e6);
    assert_int_equal(set(t.left, left, SOL_SOCKET, SO_MAX_PACING_RATE, 1), 0);
    must_send(t.left, left, text, sizeof text);
    assert_int_equal(set(t.left, left, SOL_SOCKET, SO_MAX_PACING_RATE, -1), 0);
    assert_int_equal(nstcp_recv(t.right, right, text, sizeof text, MSG_WAITALL), sizeof text);
    two_down(&t);
}

/* More than there is room for: half of the buffer is enough, or nobody would ever read. */
static void low_water(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int left, right;
    must_pair(&t, &left, &right);
    assert_int_equal(set(t.right, right, SOL_SOCKET, SO_RCVLOWAT, -1), 0);
    static char much[1 << 20];
    struct pollfd p = {.fd = right, .events = POLLIN}, q = {.fd = left, .events = POLLOUT};
    must_send(t.left, left, much, 1000);
    assert_int_equal(nstcp_poll(t.right, &p, 1, 50), 0);
    while (nstcp_poll(t.left, &q, 1, 100) > 0)
        assert_true(nstcp_send(t.left, left, much, sizeof much, MSG_DONTWAIT) > 0);
    assert_int_equal(nstcp_poll(t.right, &p, 1, 10000), 1);
    assert_in_range(nstcp_recv(t.right, right, much, sizeof much, 0), 32768, sizeof much);
    nstcp_destroy(t.left, 0);
    nstcp_destroy(t.right, 0);
}

/* A SYN that nobody answers. */
static void user_timeout(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int sock = must_socket(t.left);
    nstcp_destroy(t.right, 0);
    t.right = NULL;
    assert_int_equal(set(t.left, sock, IPPROTO_TCP, TCP_USER_TIMEOUT, 300), 0);
    assert_int_equal(get(t.left, sock, IPPROTO_TCP, TCP_USER_TIMEOUT), 300);
    double began = now();
    struct sockaddr_in to = addr4("10.0.1.1", PORT);
    assert_fails(nstcp_connect(t.left, sock, (struct sockaddr *)&to, sizeof to), ETIMEDOUT);
    assert_true(now() - began >= 0.3);
    two_down(&t);
}

static void expect_congestion(struct nstcp *stack, int sock, const char *name)
{
    char got[20];
    socklen_t len = sizeof got;
    assert_int_equal(nstcp_getsockopt(stack, sock, IPPROTO_TCP, TCP_CONGESTION, got, &len), 0);
    assert_int_equal(len, 16);
    assert_string_equal(got, name);
}

static int set_congestion(struct nstcp *stack, int sock, const char *name)
{
    return nstcp_setsockopt(stack, sock, IPPROTO_TCP, TCP_CONGESTION, name,
                            (socklen_t)strlen(name));
}

/* TCP_CONGESTION: CUBIC by default; a listener's is its connections'; it may change at any time. */
static void congestion(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int listener = must_listen(t.right, "10.0.1.1", PORT + 1);
    expect_congestion(t.right, listener, "cubic");
    assert_int_equal(set_congestion(t.right, listener, "reno"), 0);
    int left = must_connect(t.left, "10.0.1.1", PORT + 1), right = must_accept(t.right, listener);
    expect_congestion(t.right, right, "reno");
    expect_congestion(t.left, left, "cubic");
    assert_fails(set_congestion(t.left, left, "vegas"), ENOENT);
    assert_fails(set_congestion(t.left, left, ""), EINVAL);
    expect_congestion(t.left, left, "cubic");
    for (int i = 0; i < 10; i++) {
        char buf[1000] = {0};
        must_send(t.left, left, buf, sizeof buf);
        assert_int_equal(set_congestion(t.left, left, i % 2 ? "cubic" : "reno"), 0);
        assert_int_equal(nstcp_recv(t.right, right, buf, sizeof buf, MSG_WAITALL), sizeof buf);
    }
    two_down(&t);
}

static void info(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int left, right;
    must_pair(&t, &left, &right);
    must_send(t.left, left, "hello", 5);
    char buf[5];
    assert_int_equal(nstcp_recv(t.right, right, buf, 5, MSG_WAITALL), 5);
    struct tcp_info i;
    do /* until the ACK is back */
        i = info_of(t.left, left);
    while (i.tcpi_unacked > 0);
    assert_int_equal(i.tcpi_state, TCP_ESTABLISHED);
    assert_int_equal(i.tcpi_snd_mss, 1448);
    assert_int_equal(i.tcpi_advmss, 1448);
    assert_int_equal(i.tcpi_pmtu, 1500);
    assert_int_equal(i.tcpi_options, TCPI_OPT_TIMESTAMPS | TCPI_OPT_WSCALE | TCPI_OPT_SACK);
    assert_int_equal(i.tcpi_total_retrans, 0);
    assert_true(i.tcpi_rtt > 0 && i.tcpi_rto >= 200000);
    assert_true(i.tcpi_snd_cwnd >= 2);
    assert_int_equal(i.tcpi_snd_ssthresh, 0x7fffffff); /* Linux: TCP_INFINITE_SSTHRESH */
    assert_int_equal(info_of(t.right, right).tcpi_rcv_mss, 536);
    assert_int_equal(info_of(t.left, must_socket(t.left)).tcpi_state, TCP_CLOSE);
    assert_int_equal(info_of(t.left, must_listen(t.left, "10.0.0.1", PORT)).tcpi_state, TCP_LISTEN);
    /* As much of Linux's longer struct as there is room for. */
    char all[1024];
    socklen_t len = sizeof all;
    assert_int_equal(nstcp_getsockopt(t.left, left, IPPROTO_TCP, TCP_INFO, all, &len), 0);
    assert_true(len > sizeof i && len < sizeof all);
    len = 1;
    assert_int_equal(nstcp_getsockopt(t.left, left, IPPROTO_TCP, TCP_INFO, all, &len), 0);
    assert_int_equal(len, 1);
    assert_int_equal(all[0], TCP_ESTABLISHED);
    two_down(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(receive_buffer), cmocka_unit_test(user_timeout),
        cmocka_unit_test(info),           cmocka_unit_test(numbers),
        cmocka_unit_test(structs),        cmocka_unit_test(flags),
        cmocka_unit_test(no_socket),      cmocka_unit_test(limits),
        cmocka_unit_test(busy_poll),      cmocka_unit_test(little_memory),
        cmocka_unit_test(low_water),      cmocka_unit_test(congestion),
        cmocka_unit_test(pacing_rate),    cmocka_unit_test(path_mtu),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
