/* How connections end, and what each side is told: SO_LINGER, errors that are told once, data left
 * unread, timeouts. */
#include <stdlib.h>
#include <time.h>

#include "posix.h"

static char buf[64];

/* What they are told at the end. */
static void their_end(const char *what, struct joined j)
{
    await(&them, j.theirs, POLLIN);
    RESULT(what, THEM(recv, j.theirs, buf, sizeof buf, 0));
    RESULT("and then", THEM(recv, j.theirs, buf, sizeof buf, 0));
    must("close", THEM(close, j.theirs));
}

static void told_once(void)
{
    scenario("told once");
    for (int i = 0; i < 3; i++) {
        struct joined j = join();
        linger_of(&them, j.theirs, 1, 0);
        must("close", THEM(close, j.theirs));
        await(&us, j.ours, POLLERR);
        if (i == 0)
            RESULT("SO_ERROR", get_int(j.ours, SOL_SOCKET, SO_ERROR));
        if (i == 1)
            RESULT("recv", US(recv, j.ours, buf, 1, 0));
        if (i == 2)
            RESULT("send", US(send, j.ours, buf, 1, 0));
        RESULT("SO_ERROR then", get_int(j.ours, SOL_SOCKET, SO_ERROR));
        RESULT("recv then", US(recv, j.ours, buf, 1, 0));
        RESULT("send then", US(send, j.ours, buf, 1, 0));
        RESULT("send after that", US(send, j.ours, buf, 1, 0));
        must("close", US(close, j.ours));
    }
}

static void unread(void)
{
    scenario("unread data at close");
    struct joined j = join();
    they_send(j, 10);
    RESULT("close", US(close, j.ours));
    their_end("they", j);
    j = join();
    RESULT("close first", US(close, j.ours));
    must("send", THEM(send, j.theirs, "x", 1, 0));
    await(&them, j.theirs, POLLHUP);
    (void)THEM(send, j.theirs, "x", 1, 0); /* Linux has no "reset" for who has heard the end */
    RESULT("they", THEM(send, j.theirs, "x", 1, 0));
    must("close", THEM(close, j.theirs));
}

static void both_ways(void)
{
    scenario("half-closes");
    struct joined j = join();
    RESULT("shutdown", US(shutdown, j.ours, SHUT_WR));
    RESULT("shutdown twice", US(shutdown, j.ours, SHUT_WR));
    RESULT("send", US(send, j.ours, buf, 1, 0));
    RESULT("they read", THEM(recv, j.theirs, buf, 1, 0));
    they_send(j, 10);
    RESULT("recv", US(recv, j.ours, buf, sizeof buf, 0));
    must("shutdown", THEM(shutdown, j.theirs, SHUT_WR));
    RESULT("the end", US(recv, j.ours, buf, sizeof buf, 0));
    RESULT("close", US(close, j.ours));
    must("close", THEM(close, j.theirs));
}

/* Closes, and says how long that took. */
static void close_line(const char *what, int sock, double least, double most)
{
    double began = now();
    RESULT(what, US(close, sock));
    double took = now() - began;
    line("took", "%s", took < least ? "too short" : took > most ? "too long" : "as it should");
}

/* Sends until nothing more is taken. */
static size_t fill(int sock)
{
    static char octets[1 << 20];
    size_t sent = 0;
    struct pollfd p = {.fd = sock, .events = POLLOUT};
    while (must("poll", US(poll, &p, 1, 200)) > 0)
        sent += (size_t)must("send", US(send, sock, octets, sizeof octets, MSG_DONTWAIT));
    return sent;
}

static void they_read(struct joined j, size_t expected)
{
    static char octets[1 << 20];
    ssize_t n;
    while ((n = THEM(recv, j.theirs, octets, sizeof octets, 0)) > 0)
        expected -= (size_t)n;
    line("they read", "%s, then %s", expected ? "something else" : "all of it", result_text(n));
    must("close", THEM(close, j.theirs));
}

static void lingering(void)
{
    scenario("lingering");
    struct joined j = join();
    linger_of(&us, j.ours, 1, 0);
    close_line("close, 0 s", j.ours, 0, 0.5);
    their_end("they", j);
    j = join();
    linger_of(&us, j.ours, 1, 5);
    must("send", US(send, j.ours, "x", 1, 0));
    close_line("close, 5 s, with a reader", j.ours, 0, 2);
    their_end("they", j);
    for (int i = 0; i < 2; i++) {
        j = join();
        size_t sent = fill(j.ours);
        linger_of(&us, j.ours, 1, 1);
        nonblocking(j.ours, i);
        close_line(i ? "close, 1 s, O_NONBLOCK" : "close, 1 s, nobody reads", j.ours, 0.9, 5);
        they_read(j, sent);
    }
    j = join();
    size_t sent = fill(j.ours);
    close_line("close, no linger, nobody reads", j.ours, 0, 0.5);
    they_read(j, sent);
    j = join();
    they_send(j, 10);
    linger_of(&us, j.ours, 1, 5);
    close_line("close, 5 s, unread", j.ours, 0, 2);
    their_end("they", j);
    uint16_t port;
    int listener = our_listener(&port, 4);
    linger_of(&us, listener, 1, 5);
    close_line("close of a listener", listener, 0, 2);
    int sock = our_socket();
    linger_of(&us, sock, 1, 5);
    close_line("close of a new socket", sock, 0, 2);
}

static void no_answer(void)
{
    scenario("no answer");
    struct sockaddr_in to = black_hole();
    int sock = our_socket();
    must("TCP_USER_TIMEOUT", set_int(sock, IPPROTO_TCP, TCP_USER_TIMEOUT, 1500));
    RESULT("connect", US(connect, sock, SA(to)));
    RESULT("SO_ERROR", get_int(sock, SOL_SOCKET, SO_ERROR));
    poll_line("poll", sock);
    nonblocking(sock, true);
    RESULT("connect, O_NONBLOCK", US(connect, sock, SA(to)));
    await(&us, sock, POLLERR);
    poll_line("poll", sock);
    RESULT("send", US(send, sock, "x", 1, 0));
    RESULT("send then", US(send, sock, "x", 1, 0));
    RESULT("recv", US(recv, sock, buf, 1, 0));
    RESULT("connect then", US(connect, sock, SA(to)));
    must("close", US(close, sock));
    sock = our_socket();
    const struct timeval tv = {0, 100000};
    must("SO_SNDTIMEO", US(setsockopt, sock, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv));
    RESULT("connect, SO_SNDTIMEO", US(connect, sock, SA(to)));
    RESULT("connect again", US(connect, sock, SA(to)));
    nonblocking(sock, true);
    RESULT("connect, O_NONBLOCK", US(connect, sock, SA(to)));
    must("close", US(close, sock));
}

/* What we are told once nothing gets through any more. */
static void told_of_silence(struct joined j)
{
    await(&us, j.ours, POLLERR);
    poll_line("poll", j.ours);
    RESULT("recv", US(recv, j.ours, buf, 1, 0));
    poll_line("poll then", j.ours);
    RESULT("recv then", US(recv, j.ours, buf, 1, 0));
    RESULT("send then", US(send, j.ours, buf, 1, 0));
    RESULT("shutdown then", US(shutdown, j.ours, SHUT_WR));
    RESULT("SO_ERROR then", get_int(j.ours, SOL_SOCKET, SO_ERROR));
    must("close", US(close, j.ours));
    linger_of(&them, j.theirs, 1, 0);
    must("close", THEM(close, j.theirs));
}

/* Keep-alives find it out, and text that is not acknowledged. */
static void silence(void)
{
    scenario("peer gone");
    struct joined idle = join(), sending = join();
    must("TCP_KEEPIDLE", set_int(idle.ours, IPPROTO_TCP, TCP_KEEPIDLE, 1));
    must("TCP_KEEPINTVL", set_int(idle.ours, IPPROTO_TCP, TCP_KEEPINTVL, 1));
    must("TCP_KEEPCNT", set_int(idle.ours, IPPROTO_TCP, TCP_KEEPCNT, 1));
    must("TCP_USER_TIMEOUT", set_int(sending.ours, IPPROTO_TCP, TCP_USER_TIMEOUT, 1000));
    cut(true);
    must("SO_KEEPALIVE", set_int(idle.ours, SOL_SOCKET, SO_KEEPALIVE, 1));
    must("send", US(send, sending.ours, "x", 1, 0));
    double began = now();
    told_of_silence(sending);
    told_of_silence(idle);
    double took = now() - began;
    line("took", "%s", took < 1.5 ? "too short" : took > 8 ? "too long" : "as it should");
    cut(false);
}

void endings(void)
{
    told_once();
    unread();
    both_ways();
    lingering();
    no_answer();
    silence();
}
