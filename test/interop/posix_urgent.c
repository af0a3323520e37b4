/* Urgent data: the mark, the octet out of band and in line, what poll and ioctl say of it, and how
 * it ends. What is sent with MSG_OOB ends with a capital letter. */
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <time.h>

#include "posix.h"

static char buf[64];

/* Everything that recv gives. */
static void drain(int sock)
{
    char what[16];
    for (int i = 1; i <= 5; i++) {
        snprintf(what, sizeof what, "recv %d", i);
        try_line(what, sock, 20, 0);
    }
}

/* ---- One after another ---- */

static void out_of_band(void)
{
    scenario("urgent, out of band");
    struct joined j = join_by(false);
    urgent_line("before", j.ours);
    try_line("MSG_OOB before", j.ours, 1, MSG_OOB);
    they_send_text(j, "abC", MSG_OOB);
    urgent_line("after", j.ours);
    try_line("MSG_OOB|MSG_PEEK", j.ours, 1, MSG_OOB | MSG_PEEK);
    try_line("MSG_OOB", j.ours, 5, MSG_OOB);
    try_line("MSG_OOB again", j.ours, 1, MSG_OOB);
    they_send_text(j, "de", 0);
    try_line("MSG_PEEK", j.ours, 20, MSG_PEEK);
    try_line("recv of 1", j.ours, 1, 0);
    try_line("recv", j.ours, 20, 0);
    try_line("MSG_PEEK at the mark", j.ours, 20, MSG_PEEK);
    try_line("MSG_PEEK of 1 at the mark", j.ours, 1, MSG_PEEK);
    try_line("recv of 0 at the mark", j.ours, 0, 0);
    drain(j.ours);
    part(j);
}

static void in_line(void)
{
    scenario("urgent, in line");
    struct joined j = join_by(true);
    they_send_text(j, "abC", MSG_OOB);
    urgent_line("after", j.ours);
    try_line("MSG_OOB", j.ours, 1, MSG_OOB);
    they_send_text(j, "de", 0);
    try_line("MSG_PEEK", j.ours, 20, MSG_PEEK);
    try_line("recv", j.ours, 20, 0);
    try_line("MSG_PEEK at the mark", j.ours, 20, MSG_PEEK);
    try_line("recv of 0 at the mark", j.ours, 0, 0);
    try_line("recv of 1 at the mark", j.ours, 1, 0);
    drain(j.ours);
    they_send_text(j, "F", MSG_OOB);
    drain(j.ours);
    part(j);
}

/* The mark passed without a look at the octet; and who never reads it. */
static void passed(void)
{
    scenario("urgent, passed");
    struct joined j = join_by(false);
    they_send_text(j, "abC", MSG_OOB);
    they_send_text(j, "de", 0);
    drain(j.ours);
    try_line("MSG_OOB", j.ours, 1, MSG_OOB);
    they_send_text(j, "F", MSG_OOB);
    urgent_line("one alone", j.ours);
    drain(j.ours);
    they_send_text(j, "G", MSG_OOB);
    RESULT("close", US(close, j.ours));
    await(&them, j.theirs, POLLIN);
    RESULT("they", THEM(recv, j.theirs, buf, 1, 0));
    must("close", THEM(close, j.theirs));

    j = join_by(false);
    they_send_text(j, "H", MSG_OOB);
    try_line("MSG_OOB alone", j.ours, 1, MSG_OOB);
    RESULT("close with it taken", US(close, j.ours));
    await(&them, j.theirs, POLLIN);
    RESULT("they then", THEM(recv, j.theirs, buf, 1, 0));
    must("close", THEM(close, j.theirs));
}

static void several(void)
{
    scenario("urgent, several");
    for (int in_line = 0; in_line < 2; in_line++) {
        struct joined j = join_by(in_line);
        they_send_text(j, "abC", MSG_OOB);
        they_send_text(j, "deF", MSG_OOB);
        try_line("MSG_OOB", j.ours, 1, MSG_OOB);
        drain(j.ours);
        they_send_text(j, "gh", 0);
        they_send_text(j, "I", MSG_OOB);
        they_send_text(j, "jk", 0);
        they_send_text(j, "L", MSG_OOB);
        drain(j.ours);
        part(j);
    }
    /* The second comes while the first is next: its place is needed. */
    for (int taken = 0; taken < 2; taken++) {
        struct joined j = join_by(false);
        they_send_text(j, "A", MSG_OOB);
        if (taken)
            try_line("MSG_OOB of the first", j.ours, 1, MSG_OOB);
        they_send_text(j, "B", MSG_OOB);
        try_line("MSG_OOB of the second", j.ours, 1, MSG_OOB | MSG_PEEK);
        they_send_text(j, "c", 0);
        they_send_text(j, "D", MSG_OOB);
        drain(j.ours);
        part(j);
    }
    struct joined j = join_by(true);
    they_send_text(j, "A", MSG_OOB);
    they_send_text(j, "B", MSG_OOB);
    drain(j.ours);
    part(j);
}

/* Two on their way at one time. */
static void at_once(void)
{
    scenario("urgent, at once");
    struct joined j = join_by(false);
    must("send", THEM(send, j.theirs, "x", 1, 0));
    must("send", THEM(send, j.theirs, "aB", 2, MSG_OOB));
    must("send", THEM(send, j.theirs, "cd", 2, 0));
    must("send", THEM(send, j.theirs, "eF", 2, MSG_OOB));
    await_octets(j.ours, 7);
    try_line("MSG_OOB", j.ours, 1, MSG_OOB);
    drain(j.ours);
    part(j);
}

/* ---- How recv is asked ---- */

static void flags(void)
{
    scenario("urgent, flags");
    struct joined j = join_by(false);
    they_send_text(j, "abC", MSG_OOB);
    RESULT("MSG_OOB|MSG_TRUNC", US(recv, j.ours, NULL, 1, MSG_OOB | MSG_TRUNC | MSG_PEEK));
    RESULT("MSG_OOB|MSG_WAITALL 5", US(recv, j.ours, buf, 5, MSG_OOB | MSG_WAITALL | MSG_PEEK));
    struct iovec iov[] = {{buf, 0}, {buf + 1, 1}, {buf + 2, 5}};
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 3, .msg_flags = -1};
    RESULT("recvmsg MSG_OOB|MSG_PEEK", US(recvmsg, j.ours, &msg, MSG_OOB | MSG_PEEK));
    line("flags", "%d", msg.msg_flags);
    msg.msg_iovlen = 1;
    RESULT("recvmsg MSG_OOB of 0 octets", US(recvmsg, j.ours, &msg, MSG_OOB));
    line("flags of that", "%d", msg.msg_flags);
    try_line("MSG_OOB after it", j.ours, 1, MSG_OOB);
    msg.msg_iovlen = 3;
    RESULT("recvmsg", US(recvmsg, j.ours, &msg, 0));
    line("flags without", "%d", msg.msg_flags);
    they_send_text(j, "defg", 0);
    RESULT("MSG_TRUNC|MSG_PEEK", US(recv, j.ours, NULL, 20, MSG_TRUNC | MSG_PEEK));
    RESULT("MSG_TRUNC", US(recv, j.ours, NULL, 2, MSG_TRUNC));
    drain(j.ours);
    part(j);
}

static void wait_for(const struct joined *j, int ms)
{
    const struct timeval tv = {ms / 1000, ms % 1000 * 1000};
    must("timeout", US(setsockopt, j->ours, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
}

/* MSG_WAITALL waits no longer than to the mark; who waits at it waits for what is behind. */
static void waiting(void)
{
    scenario("urgent, waiting");
    for (int in_line = 0; in_line < 2; in_line++) {
        struct joined j = join_by(in_line);
        wait_for(&j, 50);
        they_send_text(j, "ab", 0);
        they_send_text(j, "cD", MSG_OOB);
        they_send_text(j, "ef", 0);
        recv_line("MSG_WAITALL|MSG_PEEK 8", j.ours, 8, MSG_WAITALL | MSG_PEEK);
        recv_line("MSG_WAITALL 3", j.ours, 3, MSG_WAITALL);
        urgent_line("at it", j.ours);
        recv_line("MSG_WAITALL|MSG_PEEK 8 at it", j.ours, 8, MSG_WAITALL | MSG_PEEK);
        recv_line("MSG_WAITALL 8 at it", j.ours, 8, MSG_WAITALL);
        they_send_text(j, "gh", 0);
        they_send_text(j, "I", MSG_OOB);
        recv_line("MSG_WAITALL 8", j.ours, 8, MSG_WAITALL);
        recv_line("recv at it", j.ours, 8, 0);
        recv_line("recv behind it", j.ours, 8, 0);
        urgent_line("behind it", j.ours);
        wait_for(&j, 0);
        THEM(send, j.theirs, "J", 1, MSG_OOB);
        await(&us, j.ours, POLLPRI);
        urgent_line("POLLPRI waited for", j.ours);
        THEM(send, j.theirs, "klm", 3, 0);
        recv_line("recv waits", j.ours, in_line ? 4 : 3, MSG_WAITALL);
        part(j);
    }
}

/* ---- How it ends ---- */

static void endings_of_it(void)
{
    for (int in_line = 0; in_line < 2; in_line++) {
        scenario(in_line ? "urgent, then FIN, in line" : "urgent, then FIN");
        struct joined j = join_by(in_line);
        they_send_text(j, "abC", MSG_OOB);
        they_close(j);
        urgent_line("FIN", j.ours);
        try_line("MSG_OOB|MSG_PEEK", j.ours, 1, MSG_OOB | MSG_PEEK);
        drain(j.ours);
        try_line("MSG_OOB", j.ours, 1, MSG_OOB);
        part(j);
        j = join_by(in_line);
        they_send_text(j, "abC", MSG_OOB);
        they_close(j);
        must("shutdown", US(shutdown, j.ours, SHUT_WR));
        await_state(j.ours, TCP_CLOSE);
        try_line("MSG_OOB when both are closed", j.ours, 1, MSG_OOB);
        drain(j.ours);
        part(j);

        scenario(in_line ? "urgent, then RST, in line" : "urgent, then RST");
        for (int first = 0; first < 3; first++) {
            j = join_by(in_line);
            they_send_text(j, first == 2 ? "C" : "abC", MSG_OOB);
            they_reset(&j);
            urgent_line("RST", j.ours);
            if (first != 1)
                try_line("MSG_OOB", j.ours, 1, MSG_OOB);
            drain(j.ours);
            must("close", US(close, j.ours));
        }
    }
    scenario("urgent, shut down");
    struct joined j = join_by(false);
    they_send_text(j, "abC", MSG_OOB);
    must("shutdown", US(shutdown, j.ours, SHUT_WR));
    try_line("MSG_OOB", j.ours, 1, MSG_OOB);
    RESULT("send MSG_OOB", US(send, j.ours, "x", 1, MSG_OOB));
    drain(j.ours);
    part(j);
}

/* ---- Where it lies ---- */

static void their_sndbuf(struct joined j, int octets)
{
    must("SO_SNDBUF", THEM(setsockopt, j.theirs, SOL_SOCKET, SO_SNDBUF, &octets, sizeof octets));
}

/* Urgent data of many segments, more than a pointer can reach: one mark. */
static void long_data(void)
{
    scenario("urgent, long");
    static char out[100000], in[100003];
    for (size_t i = 0; i < sizeof out; i++)
        out[i] = (char)('a' + i % 26);
    const size_t lengths[] = {1459, 1460, 1461, 10000, 65534, 65535, 65536, 65537, 100000};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct joined j = join_by(i % 2);
        size_t len = lengths[i], got = 0;
        their_sndbuf(j, 200000);
        must("send", THEM(send, j.theirs, "xy", 2, 0));
        ssize_t sent = THEM(send, j.theirs, out, len, MSG_OOB | MSG_DONTWAIT);
        must("send", THEM(send, j.theirs, "z", 1, 0));
        for (int mark = 0; !mark && got < sizeof in;) {
            await(&us, j.ours, POLLIN);
            got += (size_t)must("recv", US(recv, j.ours, in + got, sizeof in - got, MSG_DONTWAIT));
            must("SIOCATMARK", US(ioctl, j.ours, SIOCATMARK, &mark));
        }
        bool right =
            got == len + 1 && memcmp(in, "xy", 2) == 0 && memcmp(in + 2, out, len - 1) == 0;
        line("octets", "%zd, %s", sent, right ? "the mark before the last" : "the mark elsewhere");
        await_octets(j.ours, len + 3);
        drain(j.ours);
        part(j);
    }
}

/* The window is shut, and the pointer comes all the same (MUST-66). */
static void window_shut(void)
{
    scenario("urgent, window shut");
    static char octets[1 << 20];
    uint16_t port;
    int listener = their_listener(&port, 1);
    struct sockaddr_in to = addr_of(them.ip, port);
    struct joined j = {.ours = our_socket()};
    must("SO_RCVBUF", set_int(j.ours, SOL_SOCKET, SO_RCVBUF, 10000));
    must("connect", US(connect, j.ours, SA(to)));
    j.theirs = must("accept", THEM(accept4, listener, NULL, NULL, 0));
    their_sndbuf(j, 10000); /* the pointer reaches as far */
    size_t sent = 0, got = 0;
    struct pollfd p = {.fd = j.theirs, .events = POLLOUT};
    while (must("poll", THEM(poll, &p, 1, 300)) > 0)
        sent += (size_t)must("send", THEM(send, j.theirs, octets, 1000, MSG_DONTWAIT));
    their_sndbuf(j, 20000);
    RESULT("MSG_OOB before", US(recv, j.ours, buf, 1, MSG_OOB));
    must("send", THEM(send, j.theirs, "X", 1, MSG_OOB));
    do
        errno = 0;
    while (US(recv, j.ours, buf, 1, MSG_OOB) < 0 && errno == EINVAL);
    line("MSG_OOB then", "%s", strerrorname_np(errno));
    for (int mark = 0; !mark;) {
        await(&us, j.ours, POLLIN);
        got += (size_t)must("recv", US(recv, j.ours, octets, sizeof octets, MSG_DONTWAIT));
        must("SIOCATMARK", US(ioctl, j.ours, SIOCATMARK, &mark));
    }
    line("the mark", "%s", got == sent ? "where it belongs" : "elsewhere");
    await(&us, j.ours, POLLPRI);
    urgent_line("at it", j.ours);
    part(j);
}

/* ---- What is sent ---- */

static void sending(void)
{
    scenario("urgent, sending");
    struct joined j = join_by(false);
    RESULT("0 octets", US(send, j.ours, "", 0, MSG_OOB));
    int mark = -1;
    RESULT("MSG_OOB|MSG_MORE", US(send, j.ours, "abC", 3, MSG_OOB | MSG_MORE));
    struct iovec iov[] = {{buf, 0}, {(char[]){"d"}, 1}, {(char[]){"eF"}, 2}, {NULL, 0}};
    const struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 4};
    await(&them, j.theirs, POLLPRI);
    RESULT("they read it", THEM(recv, j.theirs, buf, 1, MSG_OOB));
    line("as", "%c", buf[0]);
    RESULT("sendmsg", US(sendmsg, j.ours, &msg, MSG_OOB | MSG_DONTWAIT));
    await(&them, j.theirs, POLLPRI);
    RESULT("they read that", THEM(recv, j.theirs, buf, 1, MSG_OOB));
    line("as", "%c", buf[0]);
    ssize_t n = THEM(recv, j.theirs, buf, 20, 0);
    line("before it", "%.*s", (int)n, buf);
    must("SIOCATMARK", THEM(ioctl, j.theirs, SIOCATMARK, &mark));
    line("at the mark", "%d", mark);
    part(j);
}

void urgent(void)
{
    out_of_band();
    in_line();
    passed();
    several();
    at_once();
    flags();
    waiting();
    endings_of_it();
    long_data();
    window_shut();
    sending();
}
