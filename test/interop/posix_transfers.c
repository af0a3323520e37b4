/* Moving octets: every flag of send and recv, buffers in pieces, timeouts, and what ends them. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>

#include "posix.h"

static char buf[64];

static void timeout(int sock, int name, int ms)
{
    const struct timeval tv = {ms / 1000, ms % 1000 * 1000};
    must("timeout", US(setsockopt, sock, SOL_SOCKET, name, &tv, sizeof tv));
}

static void peeking(void)
{
    scenario("peeking");
    struct joined j = join();
    they_send_text(j, "abcdefgh", 0);
    recv_line("MSG_PEEK 3", j.ours, 3, MSG_PEEK);
    recv_line("MSG_PEEK 3 again", j.ours, 3, MSG_PEEK);
    recv_line("MSG_PEEK 20", j.ours, 20, MSG_PEEK);
    recv_line("MSG_PEEK of 0", j.ours, 0, MSG_PEEK);
    struct iovec iov[] = {{buf, 2}, {buf, 0}, {buf + 10, 4}, {buf + 20, 20}};
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 4};
    memset(buf, '-', sizeof buf);
    RESULT("recvmsg MSG_PEEK", US(recvmsg, j.ours, &msg, MSG_PEEK));
    line("in pieces", "%.40s", buf);
    RESULT("MSG_TRUNC|MSG_PEEK 5", US(recv, j.ours, NULL, 5, MSG_TRUNC | MSG_PEEK));
    RESULT("MSG_TRUNC 2", US(recv, j.ours, NULL, 2, MSG_TRUNC));
    recv_line("what follows", j.ours, 2, 0);
    RESULT("MSG_TRUNC 100", US(recv, j.ours, NULL, 100, MSG_TRUNC));
    recv_line("nothing left", j.ours, 1, MSG_DONTWAIT);
    recv_line("nothing left to peek at", j.ours, 1, MSG_DONTWAIT | MSG_PEEK);
    recv_line("0 of nothing", j.ours, 0, MSG_DONTWAIT);
    part(j);
}

static void waiting_for_all(void)
{
    scenario("waiting for all");
    struct joined j = join();
    timeout(j.ours, SO_RCVTIMEO, 50);
    they_send_text(j, "abc", 0);
    recv_line("MSG_WAITALL|MSG_PEEK 8, timeout", j.ours, 8, MSG_WAITALL | MSG_PEEK);
    recv_line("MSG_WAITALL 8, timeout", j.ours, 8, MSG_WAITALL);
    recv_line("MSG_WAITALL 8, timeout, nothing", j.ours, 8, MSG_WAITALL);
    they_send_text(j, "abc", 0);
    recv_line("MSG_WAITALL|MSG_DONTWAIT 8", j.ours, 8, MSG_WAITALL | MSG_DONTWAIT);
    they_send_text(j, "abcdefgh", 0);
    recv_line("MSG_WAITALL 8 of 8", j.ours, 8, MSG_WAITALL);
    they_send_text(j, "xyz", 0);
    must("shutdown", THEM(shutdown, j.theirs, SHUT_WR));
    timeout(j.ours, SO_RCVTIMEO, 0);
    recv_line("MSG_WAITALL|MSG_PEEK 8, FIN", j.ours, 8, MSG_WAITALL | MSG_PEEK);
    recv_line("MSG_WAITALL 8, FIN", j.ours, 8, MSG_WAITALL);
    recv_line("MSG_WAITALL 8, after it", j.ours, 8, MSG_WAITALL);
    part(j);
    j = join();
    they_send_text(j, "xyz", 0);
    linger_of(&them, j.theirs, 1, 0);
    must("close", THEM(close, j.theirs));
    await(&us, j.ours, POLLERR);
    recv_line("MSG_WAITALL 8, RST", j.ours, 8, MSG_WAITALL);
    recv_line("after it", j.ours, 8, MSG_WAITALL);
    recv_line("and after that", j.ours, 8, MSG_WAITALL);
    must("close", US(close, j.ours));
}

static void low_water(void)
{
    scenario("SO_RCVLOWAT");
    struct joined j = join();
    RESULT("by default", get_int(j.ours, SOL_SOCKET, SO_RCVLOWAT));
    static const int tried[] = {7, 0, 1, -1, 5};
    for (size_t i = 0; i < 5; i++) {
        RESULT("set", set_int(j.ours, SOL_SOCKET, SO_RCVLOWAT, tried[i]));
        int is = get_int(j.ours, SOL_SOCKET, SO_RCVLOWAT);
        line("read back", "%s", is > 1000 ? "much" : result_text(is));
    }
    timeout(j.ours, SO_RCVTIMEO, 50);
    they_send_text(j, "abc", 0);
    poll_line("3 of 5", j.ours);
    recv_line("recv, timeout", j.ours, 8, 0);
    they_send_text(j, "abc", 0);
    recv_line("recv MSG_DONTWAIT", j.ours, 8, MSG_DONTWAIT);
    they_send_text(j, "abc", 0);
    recv_line("recv of 2", j.ours, 2, 0);
    they_send_text(j, "de", 0);
    poll_line("3 again", j.ours);
    they_send_text(j, "fg", 0);
    poll_line("5 of 5", j.ours);
    recv_line("MSG_PEEK", j.ours, 8, MSG_PEEK);
    recv_line("recv", j.ours, 8, 0);
    they_send_text(j, "xyz", 0);
    must("shutdown", THEM(shutdown, j.theirs, SHUT_WR));
    await(&us, j.ours, POLLRDHUP);
    poll_line("3 of 5, FIN", j.ours);
    recv_line("recv, FIN", j.ours, 8, 0);
    recv_line("then", j.ours, 8, 0);
    part(j);
}

static void messages(void)
{
    scenario("messages");
    struct joined j = join();
    struct sockaddr_in name = addr_of("10.9.9.9", 9);
    char one[] = "ab", two[] = "cde";
    struct iovec iov[1100] = {{one, 2}, {NULL, 0}, {two, 3}};
    struct msghdr msg = {.msg_name = &name, .msg_namelen = sizeof name, .msg_iov = iov};
    msg.msg_iovlen = 3;
    RESULT("sendmsg to a name", US(sendmsg, j.ours, &msg, MSG_NOSIGNAL));
    memset(buf, '-', sizeof buf);
    RESULT("arrives", THEM(recv, j.theirs, buf, 5, MSG_WAITALL));
    line("as", "%.5s", buf);
    msg.msg_iovlen = 0;
    RESULT("sendmsg of nothing", US(sendmsg, j.ours, &msg, 0));
    msg.msg_iovlen = 1024;
    RESULT("sendmsg of 1024 pieces", US(sendmsg, j.ours, &msg, 0));
    RESULT("arrives too", THEM(recv, j.theirs, buf, 5, MSG_WAITALL));
    msg.msg_iovlen = 1100;
    RESULT("sendmsg of 1100 pieces", US(sendmsg, j.ours, &msg, 0));
    they_send_text(j, "abcdefgh", 0);
    char control[64];
    struct iovec in[] = {{buf, 1}, {buf, 0}, {buf + 8, 3}, {buf + 16, 20}};
    msg = (struct msghdr){&name, sizeof name, in, 4, control, sizeof control, -1};
    memset(buf, '-', sizeof buf);
    RESULT("recvmsg", US(recvmsg, j.ours, &msg, 0));
    line("in pieces", "%.24s", buf);
    line("name, control, flags", "%u %zu %d", msg.msg_namelen, (size_t)msg.msg_controllen,
         msg.msg_flags);
    they_send_text(j, "xyz", 0);
    in[0].iov_len = 0;
    msg.msg_iovlen = 1;
    RESULT("recvmsg of 0 octets", US(recvmsg, j.ours, &msg, 0));
    msg.msg_iovlen = 1100;
    RESULT("recvmsg of 1100 pieces", US(recvmsg, j.ours, &msg, 0));
    part(j);
}

/* What is sent to a peer that does not read, until nothing more is taken. */
static void full_queues(void)
{
    scenario("full queues");
    const size_t much = 64 << 20;
    char *octets = calloc(1, much);
    struct joined j = join();
    timeout(j.ours, SO_SNDTIMEO, 200);
    must("SO_SNDBUF", set_int(j.ours, SOL_SOCKET, SO_SNDBUF, 100000));
    ssize_t sent = US(send, j.ours, octets, much, 0);
    line("send, timeout", "%s", sent > 0 && sent < (ssize_t)much ? "a part" : "all or nothing");
    for (ssize_t n; (n = US(send, j.ours, octets, much, 0)) > 0;)
        sent += n; /* the kernel's queues grow */
    RESULT("send again", US(send, j.ours, octets, much, 0));
    RESULT("send MSG_DONTWAIT", US(send, j.ours, octets, much, MSG_DONTWAIT));
    RESULT("send of 0 octets", US(send, j.ours, octets, 0, MSG_DONTWAIT));
    poll_line("poll", j.ours);
    int waits = 0;
    RESULT("SIOCOUTQ", US(ioctl, j.ours, TIOCOUTQ, &waits));
    line("waits", "%s", waits > 0 && waits < sent ? "a part" : "all or nothing");
    while (sent > 0) {
        ssize_t n = must("recv", THEM(recv, j.theirs, octets, much, 0));
        sent -= n > 0 ? n : sent;
    }
    line("read", "%zd too many", -sent);
    await(&us, j.ours, POLLOUT);
    poll_line("poll then", j.ours);
    RESULT("send then", US(send, j.ours, "x", 1, MSG_DONTWAIT));
    do
        must("SIOCOUTQ", US(ioctl, j.ours, TIOCOUTQ, &waits));
    while (waits > 0);
    part(j);
    free(octets);
}

static void flags(void)
{
    scenario("flags");
    struct joined j = join();
    RESULT("send MSG_MORE", US(send, j.ours, "ab", 2, MSG_MORE));
    RESULT("send MSG_NOSIGNAL", US(send, j.ours, "cd", 2, MSG_NOSIGNAL));
    RESULT("arrives", THEM(recv, j.theirs, buf, 4, MSG_WAITALL));
    RESULT("send MSG_OOB", US(send, j.ours, "x", 1, MSG_OOB));
    RESULT("recv MSG_OOB", US(recv, j.ours, buf, 1, MSG_OOB));
    RESULT("recv MSG_DONTWAIT", US(recv, j.ours, buf, 1, MSG_DONTWAIT));
    RESULT("recv MSG_CMSG_CLOEXEC", US(recv, j.ours, buf, 1, MSG_DONTWAIT | MSG_CMSG_CLOEXEC));
    RESULT("FIONBIO", US(ioctl, j.ours, FIONBIO, &(int){1}));
    RESULT("F_GETFL", US(fcntl, j.ours, F_GETFL, 0));
    RESULT("recv", US(recv, j.ours, buf, 1, 0));
    RESULT("FIONBIO off", US(ioctl, j.ours, FIONBIO, &(int){0}));
    RESULT("F_GETFL off", US(fcntl, j.ours, F_GETFL, 0));
    part(j);
}

static void counts(void)
{
    scenario("counts");
    struct joined j = join();
    int n = -1;
    they_send_text(j, "abcde", 0);
    must("shutdown", THEM(shutdown, j.theirs, SHUT_WR));
    await(&us, j.ours, POLLRDHUP);
    US(recv, j.ours, buf, 2, 0);
    RESULT("FIONREAD", US(ioctl, j.ours, FIONREAD, &n));
    line("octets", "%d", n);
    US(recv, j.ours, buf, 3, 0);
    RESULT("FIONREAD at the end", US(ioctl, j.ours, FIONREAD, &n));
    line("octets at the end", "%d", n);
    part(j);
}

static void reading_shut(void)
{
    scenario("SHUT_RD");
    struct joined j = join();
    they_send_text(j, "abc", 0);
    must("shutdown", US(shutdown, j.ours, SHUT_RD));
    recv_line("what was unread", j.ours, 8, 0);
    recv_line("and then", j.ours, 8, 0);
    must("send", THEM(send, j.theirs, "def", 3, 0));
    RESULT("send", US(send, j.ours, "x", 1, 0));
    RESULT("arrives", THEM(recv, j.theirs, buf, 1, 0));
    recv_line("what came after", j.ours, 8, 0);
    RESULT("shutdown again", US(shutdown, j.ours, SHUT_RD));
    part(j);
}

void transfers(void)
{
    peeking();
    waiting_for_all();
    low_water();
    messages();
    full_queues();
    flags();
    counts();
    reading_shut();
}
