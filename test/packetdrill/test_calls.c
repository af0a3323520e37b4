/* Every call of the table on sockets, and its errors. What the calls do in each state of a
 * connection is lib/api's, and tested there. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "driver.h"

static struct packetdrill_interface t;
static struct conn c;

static int begin(void **state)
{
    (void)state;
    load(&t, NULL);
    c = must_open(&t);
    return 0;
}

static int end(void **state)
{
    (void)state;
    t.free(t.userdata);
    return 0;
}

static void text_arrives(size_t len)
{
    INJECT(&t, .flags = ACK, .seq = c.seq, .ack = c.ack, .len = len);
    c.seq += (uint32_t)len;
}

/* The next segment is that text, and is acknowledged. */
static void text_leaves(size_t len)
{
    must_sniff(&t, PSH | ACK, len);
    c.ack += (uint32_t)len;
    INJECT(&t, .flags = ACK, .seq = c.seq, .ack = c.ack);
}

static void reads(void **state)
{
    (void)state;
    char a[10], b[20];
    struct iovec iov[] = {{a, sizeof a}, {b, sizeof b}};
    struct sockaddr_storage from;
    socklen_t from_len = sizeof from;
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2, .msg_flags = -1};
    text_arrives(100);
    assert_int_equal(t.read(t.userdata, c.fd, a, 10), 10);
    assert_int_equal(t.readv(t.userdata, c.fd, iov, 2), 30);
    assert_int_equal(t.recv(t.userdata, c.fd, a, 10, MSG_PEEK), 10);
    assert_int_equal(t.recv(t.userdata, c.fd, a, 10, 0), 10);
    assert_int_equal(t.recvfrom(t.userdata, c.fd, b, 20, 0, (struct sockaddr *)&from, &from_len),
                     20);
    assert_int_equal(from_len, 0);
    assert_int_equal(t.recvmsg(t.userdata, c.fd, &msg, 0), 30);
    assert_int_equal(msg.msg_flags, 0);
    assert_fails(t.recv(t.userdata, c.fd, a, 10, MSG_DONTWAIT), EAGAIN);
    INJECT(&t, .flags = FIN | ACK, .seq = c.seq, .ack = c.ack);
    assert_int_equal(t.read(t.userdata, c.fd, a, 10), 0);
}

static void writes(void **state)
{
    (void)state;
    char a[10] = {0}, b[20] = {0};
    const struct iovec iov[] = {{a, sizeof a}, {b, sizeof b}};
    const struct msghdr msg = {.msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = 2};
    const struct sockaddr unspecified = {.sa_family = AF_UNSPEC};
    assert_int_equal(t.write(t.userdata, c.fd, a, 10), 10);
    text_leaves(10);
    assert_int_equal(t.writev(t.userdata, c.fd, iov, 2), 30);
    text_leaves(30);
    assert_int_equal(t.send(t.userdata, c.fd, a, 10, MSG_NOSIGNAL), 10);
    text_leaves(10);
    assert_int_equal(
        t.sendto(t.userdata, c.fd, b, 20, 0, &unspecified, sizeof(struct sockaddr_storage)), 20);
    text_leaves(20);
    assert_int_equal(t.sendmsg(t.userdata, c.fd, &msg, 0), 30);
    text_leaves(30);
    assert_fails(t.sendto(t.userdata, c.fd, b, 20, MSG_FASTOPEN, &unspecified, 16), EOPNOTSUPP);
    assert_fails(t.sendmsg(t.userdata, c.fd, &msg, MSG_FASTOPEN), EOPNOTSUPP);
}

/* A segment as scripts inject them, of more than any link takes. */
static void a_segment_of_60000(void **state)
{
    (void)state;
    static char buf[60000];
    text_arrives(sizeof buf);
    struct tcp ack = must_sniff(&t, ACK, 0);
    assert_int_equal(ack.ack, c.seq);
    assert_int_equal(t.read(t.userdata, c.fd, buf, sizeof buf), sizeof buf);
}

static void flags_and_counts(void **state)
{
    (void)state;
    int n = -1;
    assert_int_equal(t.fcntl(t.userdata, c.fd, F_GETFL), O_RDWR);
    assert_int_equal(t.fcntl(t.userdata, c.fd, F_SETFL, O_RDWR | O_NONBLOCK), 0);
    assert_int_equal(t.fcntl(t.userdata, c.fd, F_GETFL), O_RDWR | O_NONBLOCK);
    assert_fails(t.fcntl(t.userdata, c.fd, F_GETOWN), EINVAL);
    text_arrives(123);
    assert_int_equal(t.ioctl(t.userdata, c.fd, SIOCINQ, &n), 0);
    assert_int_equal(n, 123);
    assert_int_equal(t.write(t.userdata, c.fd, "text", 4), 4);
    assert_int_equal(t.ioctl(t.userdata, c.fd, SIOCOUTQ, &n), 0);
    assert_int_equal(n, 4);
    assert_fails(t.ioctl(t.userdata, c.fd, SIOCGIFMTU), ENOTTY);
    int fd = t.socket(t.userdata, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(t.fcntl(t.userdata, fd, F_GETFL), O_RDWR | O_NONBLOCK);
}

static int get_int(int level, int name, int expected)
{
    int value = -1;
    socklen_t len = sizeof value;
    assert_int_equal(t.getsockopt(t.userdata, c.fd, level, name, &value, &len), 0);
    assert_int_equal(len, sizeof value);
    assert_int_equal(value, expected);
    return value;
}

static void options(void **state)
{
    (void)state;
    const struct linger linger = {1, 0};
    get_int(SOL_SOCKET, SO_ERROR, 0);
    get_int(SOL_SOCKET, SO_TYPE, SOCK_STREAM);
    get_int(IPPROTO_TCP, TCP_MAXSEG, 1000);
    assert_int_equal(
        t.setsockopt(t.userdata, c.fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)), 0);
    get_int(IPPROTO_TCP, TCP_NODELAY, 1);
    assert_int_equal(t.setsockopt(t.userdata, c.fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger),
                     0);
    assert_fails(t.setsockopt(t.userdata, c.fd, SOL_SOCKET, 9999, &(int){1}, sizeof(int)),
                 ENOPROTOOPT);
    assert_int_equal(
        t.setsockopt(t.userdata, c.fd, SOL_SOCKET, SO_SNDBUF, &(int){21000}, sizeof(int)), 0);
    get_int(SOL_SOCKET, SO_SNDBUF, 42000); /* as Linux, and as scripts expect it */
    assert_int_equal(
        t.setsockopt(t.userdata, c.fd, SOL_SOCKET, SO_RCVBUF, &(int){20000}, sizeof(int)), 0);
    get_int(SOL_SOCKET, SO_RCVBUF, 40000);
    INJECT(&t, .flags = RST | ACK, .seq = c.seq, .ack = c.ack);
    get_int(SOL_SOCKET, SO_ERROR, ECONNRESET);
    get_int(SOL_SOCKET, SO_ERROR, 0);
}

/* What packetdrill asks of any stack whose scripts have Python code. */
static void figures(void **state)
{
    (void)state;
    uint8_t info[300];
    uint32_t memory[9];
    socklen_t len = 280;
    memset(info, 0xee, sizeof info);
    text_arrives(7);
    assert_int_equal(t.getsockopt(t.userdata, c.fd, IPPROTO_TCP, TCP_INFO, info, &len), 0);
    assert_int_equal(len, 280);
    assert_int_equal(info[0], 1); /* TCP_ESTABLISHED */
    assert_int_equal(info[279], 0);
    assert_int_equal(info[280], 0xee);
    len = 20;
    assert_int_equal(t.getsockopt(t.userdata, c.fd, IPPROTO_TCP, TCP_CC_INFO, info, &len), 0);
    assert_int_equal(len, 0);
    len = sizeof memory;
    assert_int_equal(t.getsockopt(t.userdata, c.fd, SOL_SOCKET, SO_MEMINFO, memory, &len), 0);
    assert_int_equal(len, 36);
    assert_int_equal(memory[0], 7);
    get_int(SOL_SOCKET, SO_RCVBUF, (int)memory[1]);
    get_int(SOL_SOCKET, SO_SNDBUF, (int)memory[3]);
    struct sockaddr_in peer;
    len = sizeof peer;
    assert_int_equal(t.getsockopt(t.userdata, c.fd, SOL_SOCKET, SO_PEERNAME, &peer, &len), 0);
    assert_int_equal(len, sizeof peer);
    assert_int_equal(ntohs(peer.sin_port), PEER_PORT);
    assert_int_equal(ntohl(peer.sin_addr.s_addr), REMOTE);
}

static void polling(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(t.pipe(t.userdata, ends), 0);
    struct pollfd fds[] = {
        {.fd = c.fd, .events = POLLIN | POLLOUT},
        {.fd = c.listener, .events = POLLIN},
        {.fd = -1, .events = POLLIN},
        {.fd = ends[0], .events = POLLIN},
        {.fd = ends[1], .events = POLLOUT},
        {.fd = 12345, .events = POLLIN},
    };
    assert_int_equal(t.poll(t.userdata, fds, 2, 0), 1);
    assert_int_equal(fds[0].revents, POLLOUT);
    assert_int_equal(fds[1].revents, 0);
    text_arrives(1);
    INJECT(&t, .flags = SYN, .source = 40001);
    struct tcp synack;
    do
        assert_true(sniff(&t, &synack));
    while (!(synack.flags & SYN)); /* an ACK may come first */
    INJECT(&t, .flags = ACK, .source = 40001, .seq = 1, .ack = synack.seq + 1);
    assert_int_equal(t.poll(t.userdata, fds, 6, -1), 4);
    assert_int_equal(fds[0].revents, POLLIN | POLLOUT);
    assert_int_equal(fds[1].revents, POLLIN);
    assert_int_equal(fds[2].revents, 0);
    assert_int_equal(fds[3].revents, 0);
    assert_int_equal(fds[4].revents, POLLOUT);
    assert_int_equal(fds[5].revents, POLLNVAL);
    INJECT(&t, .flags = RST | ACK, .seq = c.seq, .ack = c.ack);
    assert_int_equal(t.poll(t.userdata, fds, 1, 0), 1);
    assert_int_equal(fds[0].revents, POLLIN | POLLOUT | POLLERR | POLLHUP);
}

static void closing(void **state)
{
    (void)state;
    assert_int_equal(t.shutdown(t.userdata, c.fd, SHUT_WR), 0);
    uint32_t fin = must_sniff(&t, FIN | ACK, 0).seq;
    INJECT(&t, .flags = FIN | ACK, .seq = c.seq, .ack = fin + 1);
    must_sniff(&t, ACK, 0);
    assert_fails(t.shutdown(t.userdata, c.fd, 3), EINVAL);
    assert_int_equal(t.close(t.userdata, c.fd), 0);
    assert_fails(t.close(t.userdata, c.fd), EBADF);
    assert_fails(fcntl(c.fd, F_GETFD), EBADF);
}

/* connect to AF_UNSPEC: the connection is reset, the socket may be used again. */
static void dissolved(void **state)
{
    (void)state;
    const struct sockaddr unspecified = {.sa_family = AF_UNSPEC};
    assert_int_equal(t.connect(t.userdata, c.fd, &unspecified, sizeof(struct sockaddr_storage)), 0);
    struct tcp rst;
    assert_true(sniff(&t, &rst));
    assert_int_equal(rst.flags & RST, RST);
    assert_int_equal(t.fcntl(t.userdata, c.fd, F_SETFL, O_NONBLOCK), 0);
    assert_fails(call_connect(&t, c.fd), EINPROGRESS);
    must_sniff(&t, SYN, 0);
}

/* To a port where nobody listens: the answer of RFC 9293 3.10.7.1. */
static void nobody_listens(void **state)
{
    (void)state;
    INJECT(&t, .target = 1234, .flags = SYN, .seq = 77);
    struct tcp rst = must_sniff(&t, RST | ACK, 0);
    assert_int_equal(rst.source, 1234);
    assert_int_equal(rst.ack, 78);
}

/* An AF_INET6 socket with IPv4 on the wire: --ip_version=ipv4-mapped-ipv6. */
static void mapped(void **state)
{
    (void)state;
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(1234)};
    socklen_t len = sizeof in6;
    assert_int_equal(inet_pton(AF_INET6, "::ffff:192.168.0.1", &in6.sin6_addr), 1);
    int fd = t.socket(t.userdata, AF_INET6, SOCK_STREAM, IPPROTO_TCP);
    assert_int_equal(t.bind(t.userdata, fd, (struct sockaddr *)&in6, len), 0);
    assert_int_equal(t.listen(t.userdata, fd, 1), 0);
    INJECT(&t, .target = 1234, .flags = SYN);
    uint32_t ack = must_sniff(&t, SYN | ACK, 0).seq + 1;
    INJECT(&t, .target = 1234, .flags = ACK, .seq = 1, .ack = ack);
    int accepted = t.accept(t.userdata, fd, (struct sockaddr *)&in6, &len);
    assert_true(accepted >= 0);
    assert_int_equal(len, sizeof in6);
    assert_int_equal(ntohs(in6.sin6_port), PEER_PORT);
    char text[INET6_ADDRSTRLEN];
    assert_string_equal(inet_ntop(AF_INET6, &in6.sin6_addr, text, sizeof text), "::ffff:192.0.2.1");
}

/* Descriptors are real, and there is an end of them. */
static void descriptors(void **state)
{
    (void)state;
    int fd, n = 2;
    while ((fd = t.socket(t.userdata, AF_INET, SOCK_STREAM, 0)) >= 0) {
        assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
        n++;
    }
    assert_int_equal(errno, EMFILE);
    assert_int_equal(n, 256);
    assert_int_equal(t.close(t.userdata, c.fd), 0);
    assert_true(t.socket(t.userdata, AF_INET, SOCK_STREAM, 0) >= 0);
}

static void wrong_sockets(void **state)
{
    (void)state;
    assert_fails(t.socket(t.userdata, AF_UNIX, SOCK_STREAM, 0), EAFNOSUPPORT);
    assert_fails(t.socket(t.userdata, AF_INET, SOCK_DGRAM, 0), EPROTONOSUPPORT);
    int fd = must_socket(&t);
    assert_fails(t.accept(t.userdata, fd, NULL, NULL), EINVAL);
    assert_fails(t.write(t.userdata, fd, "", 1), ENOTCONN);
}

/* Every call that has one, with a descriptor that is none of the object's. */
static void wrong_descriptors(void **state)
{
    (void)state;
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr *addr = (struct sockaddr *)&in;
    socklen_t len = sizeof in;
    char buf[4];
    struct iovec iov = {buf, sizeof buf};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    struct epoll_event event = {.events = EPOLLIN};
    void *u = t.userdata;
    const int bad[] = {STDERR_FILENO, 12345, -1};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int fd = bad[i];
        assert_fails(t.bind(u, fd, addr, len), EBADF);
        assert_fails(t.listen(u, fd, 1), EBADF);
        assert_fails(t.accept(u, fd, addr, &len), EBADF);
        assert_fails(t.connect(u, fd, addr, len), EBADF);
        assert_fails(t.read(u, fd, buf, 4), EBADF);
        assert_fails(t.readv(u, fd, &iov, 1), EBADF);
        assert_fails(t.recv(u, fd, buf, 4, 0), EBADF);
        assert_fails(t.recvfrom(u, fd, buf, 4, 0, addr, &len), EBADF);
        assert_fails(t.recvmsg(u, fd, &msg, 0), EBADF);
        assert_fails(t.write(u, fd, buf, 4), EBADF);
        assert_fails(t.writev(u, fd, &iov, 1), EBADF);
        assert_fails(t.send(u, fd, buf, 4, 0), EBADF);
        assert_fails(t.sendto(u, fd, buf, 4, 0, addr, len), EBADF);
        assert_fails(t.sendmsg(u, fd, &msg, 0), EBADF);
        assert_fails(t.fcntl(u, fd, F_GETFL), EBADF);
        assert_fails(t.ioctl(u, fd, SIOCINQ, &(int){0}), EBADF);
        assert_fails(t.close(u, fd), EBADF);
        assert_fails(t.shutdown(u, fd, SHUT_WR), EBADF);
        assert_fails(t.getsockopt(u, fd, SOL_SOCKET, SO_ERROR, buf, &len), EBADF);
        assert_fails(t.setsockopt(u, fd, SOL_SOCKET, SO_REUSEADDR, buf, 4), EBADF);
        assert_fails(t.epoll_ctl(u, fd, EPOLL_CTL_ADD, c.fd, &event), EBADF);
        assert_fails(t.epoll_wait(u, fd, &event, 1, 0), EBADF);
        assert_fails(t.splice(u, fd, NULL, c.fd, NULL, 4, 0), EBADF);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reads),
        TEST(writes),
        TEST(a_segment_of_60000),
        TEST(flags_and_counts),
        TEST(options),
        TEST(figures),
        TEST(polling),
        TEST(closing),
        TEST(dissolved),
        TEST(nobody_listens),
        TEST(mapped),
        TEST(descriptors),
        TEST(wrong_sockets),
        TEST(wrong_descriptors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
