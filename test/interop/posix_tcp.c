/* Options of TCP's own that change what is sent: TCP_MAXSEG, TCP_SYNCNT,
 * TCP_QUICKACK, TCP_CORK, MSG_MORE, TCP_LINGER2, TCP_CONGESTION. */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include <linux/sockios.h>

#include "posix_wire.h"

static void round_trips(int sock, const char *name, int option, const int *tried, size_t n)
{
    RESULT("by default", get_int(sock, IPPROTO_TCP, option));
    for (size_t i = 0; i < n; i++) {
        char what[64];
        snprintf(what, sizeof what, "%s %d", name, tried[i]);
        RESULT(what, set_int(sock, IPPROTO_TCP, option, tried[i]));
        RESULT("read back", get_int(sock, IPPROTO_TCP, option));
    }
}

#define ROUND_TRIPS(sock, option, ...)                                                             \
    round_trips(sock, #option, option, (const int[]){__VA_ARGS__},                                 \
                sizeof(const int[]){__VA_ARGS__} / sizeof(int))

/* ---- TCP_MAXSEG ---- */

/* With timestamps, which both have, 12 octets less are left for text. */
static void mss_line(const char *what, int sock)
{
    line(what, "%d", get_int(sock, IPPROTO_TCP, TCP_MAXSEG));
}

static void mss_of_syn(const char *what, uint8_t flags)
{
    struct seen seen;
    if (next_segment(what, flags, &seen))
        line(what, "mss %u", seen.mss);
}

static void maxseg(void)
{
    int sock = our_socket();
    ROUND_TRIPS(sock, TCP_MAXSEG, 87, 88, 32767, 32768, -1, 0, 1100);
    uint16_t port;
    int listener = their_listener(&port, 4);
    struct sockaddr_in to = addr_of(them.ip, port);
    listen_in();
    must("connect", US(connect, sock, SA(to)));
    mss_of_syn("SYN", TH_SYN);
    mss_line("when connected", sock);
    RESULT("set then", set_int(sock, IPPROTO_TCP, TCP_MAXSEG, 500));
    mss_line("read back", sock);
    must("close", THEM(close, must("accept", THEM(accept4, listener, NULL, NULL, 0))));
    must("close", US(close, sock));
    must("close", THEM(close, listener));
    to = black_hole();
    sock = our_socket();
    must("TCP_MAXSEG", set_int(sock, IPPROTO_TCP, TCP_MAXSEG, 1100));
    nonblocking(sock, true);
    US(connect, sock, SA(to));
    mss_line("when connecting", sock);
    must("close", US(close, sock));
    listener = our_listener(&port, 4);
    must("TCP_MAXSEG", set_int(listener, IPPROTO_TCP, TCP_MAXSEG, 1100));
    mss_line("listener's", listener);
    listen_in();
    int theirs = must("connect", their_connect(us.ip, port));
    mss_of_syn("SYN-ACK", TH_SYN | TH_ACK);
    await(&us, listener, POLLIN);
    sock = must("accept", US(accept4, listener, NULL, NULL, 0));
    mss_line("accepted", sock);
    must("close", US(close, sock));
    must("close", THEM(close, theirs));
    must("close", US(close, listener));
}

/* ---- TCP_SYNCNT ---- */

static void took(double began, double least, double most)
{
    double s = now() - began;
    line("took", "%s", s < least ? "too short" : s > most ? "too long" : "as it should");
}

static void syncnt(void)
{
    int sock = our_socket();
    ROUND_TRIPS(sock, TCP_SYNCNT, 0, 127, 128, -1, 1);
    struct sockaddr_in to = black_hole();
    double began = now();
    RESULT("connect", US(connect, sock, SA(to)));
    took(began, 2.9, 5);
    must("close", US(close, sock));
    sock = our_socket();
    must("TCP_SYNCNT", set_int(sock, IPPROTO_TCP, TCP_SYNCNT, 5));
    must("TCP_USER_TIMEOUT", set_int(sock, IPPROTO_TCP, TCP_USER_TIMEOUT, 1500));
    began = now();
    RESULT("connect with TCP_USER_TIMEOUT", US(connect, sock, SA(to)));
    took(began, 1.4, 3);
    must("close", US(close, sock));
    uint16_t port;
    int listener = our_listener(&port, 4);
    must("TCP_SYNCNT", set_int(listener, IPPROTO_TCP, TCP_SYNCNT, 3));
    int theirs = must("connect", their_connect(us.ip, port));
    await(&us, listener, POLLIN);
    sock = must("accept", US(accept4, listener, NULL, NULL, 0));
    RESULT("accepted", get_int(sock, IPPROTO_TCP, TCP_SYNCNT));
    must("close", US(close, sock));
    must("close", THEM(close, theirs));
    must("close", US(close, listener));
}

/* ---- TCP_QUICKACK ---- */

/* They send an octet: when is it acknowledged? */
static void ack_line(const char *what, struct joined j)
{
    struct seen seen;
    listen_in();
    must("send", THEM(send, j.theirs, "x", 1, 0));
    line(what, "%s",
         next_ack(20, &seen)    ? "at once"
         : next_ack(500, &seen) ? "later"
                                : "not at all");
}

static void quickack(void)
{
    struct joined j = join();
    struct seen seen;
    ROUND_TRIPS(j.ours, TCP_QUICKACK, 1, 7, 0);
    ack_line("off", j);
    RESULT("on", set_int(j.ours, IPPROTO_TCP, TCP_QUICKACK, 1));
    for (int i = 0; i < 3; i++)
        ack_line("on", j);
    RESULT("off", set_int(j.ours, IPPROTO_TCP, TCP_QUICKACK, 0));
    ack_line("off", j);
    listen_in();
    they_send(j, 1);
    RESULT("on, while one waits", set_int(j.ours, IPPROTO_TCP, TCP_QUICKACK, 1));
    line("it goes", "%s", next_ack(20, &seen) ? "at once" : "later");
    part(j);
}

/* ---- TCP_CORK, MSG_MORE ---- */

static char text[8192];

/* What leaves within ms: how much, and whether it is PUSHed. */
static unsigned leaves(const char *what, int ms)
{
    struct seen seen;
    unsigned octets = 0;
    bool pushed = false;
    while (next_text(ms, &seen)) {
        octets += seen.text;
        pushed = seen.flags & TH_PUSH;
        ms = 20;
    }
    if (octets % 1448 == 0 || octets % 1460 == 0)
        line(what, "%s", octets > 0 ? "full segments" : "nothing");
    else if (octets > 1000)
        line(what, "the rest%s", pushed ? ", PSH" : "");
    else
        line(what, "%u%s", octets, pushed ? ", PSH" : "");
    return octets;
}

static struct joined corked(void)
{
    struct joined j = join();
    listen_in();
    RESULT("TCP_CORK", set_int(j.ours, IPPROTO_TCP, TCP_CORK, 1));
    return j;
}

static void we_send(struct joined j, size_t n, int flags)
{
    must("send", US(send, j.ours, text, n, flags));
}

/* The next ACK is not for what has been sent already. */
static void all_acknowledged(struct joined j)
{
    for (int n = 1; n > 0;)
        must("SIOCOUTQ", US(ioctl, j.ours, SIOCOUTQ, &n));
}

static void they_have(struct joined j, size_t n)
{
    RESULT("they read", THEM(recv, j.theirs, text, n, MSG_WAITALL));
}

static void cork(void)
{
    struct joined j = corked();
    ROUND_TRIPS(j.ours, TCP_CORK, 0, 7, -1, 1);
    we_send(j, 10, 0);
    we_send(j, 10, 0);
    leaves("20 octets", 100);
    RESULT("off", set_int(j.ours, IPPROTO_TCP, TCP_CORK, 0));
    leaves("then", 100);
    they_have(j, 20);
    part(j);
    j = corked();
    we_send(j, 10, 0);
    leaves("10 octets", 150);
    leaves("after 200 ms", 300);
    we_send(j, 10, 0);
    leaves("10 more", 150);
    they_have(j, 20);
    part(j);
    j = corked();
    we_send(j, 4000, 0);
    unsigned n = leaves("of 4000 octets", 100);
    RESULT("off", set_int(j.ours, IPPROTO_TCP, TCP_CORK, 0));
    n += leaves("then", 100);
    line("together", "%u", n);
    they_have(j, 4000);
    part(j);
    j = corked();
    we_send(j, 10, 0);
    RESULT("TCP_NODELAY", set_int(j.ours, IPPROTO_TCP, TCP_NODELAY, 1));
    leaves("flushed", 100);
    we_send(j, 10, 0);
    leaves("corked again", 100);
    must("shutdown", US(shutdown, j.ours, SHUT_WR));
    leaves("shut down", 100);
    they_have(j, 30);
    part(j);
}

static void more(void)
{
    struct joined j = join();
    listen_in();
    we_send(j, 10, MSG_MORE);
    we_send(j, 10, MSG_MORE);
    leaves("20 octets", 100);
    we_send(j, 10, 0);
    leaves("10 octets without it", 100);
    all_acknowledged(j);
    we_send(j, 10, MSG_MORE);
    leaves("10 octets", 150);
    leaves("after 200 ms", 300);
    all_acknowledged(j);
    we_send(j, 4000, MSG_MORE);
    unsigned n = leaves("of 4000 octets", 200); /* what is acknowledged lets go the rest */
    line("together", "%u", n);
    all_acknowledged(j);
    we_send(j, 10, MSG_MORE);
    leaves("10 octets", 100);
    RESULT("TCP_NODELAY", set_int(j.ours, IPPROTO_TCP, TCP_NODELAY, 1));
    leaves("flushed", 100);
    all_acknowledged(j);
    we_send(j, 10, MSG_MORE);
    leaves("held all the same", 100);
    linger_of(&us, j.ours, 1, 0);
    they_have(j, 4050);
    part(j);
}

/* ---- TCP_LINGER2 ---- */

/* We close; what they are told of FIN-WAIT-2's end, and how their FIN is answered after ms. */
static void linger2_line(const char *what, int seconds, bool close_first, long ms)
{
    struct joined j = join();
    must("TCP_LINGER2", set_int(j.ours, IPPROTO_TCP, TCP_LINGER2, seconds));
    if (!close_first) {
        must("shutdown", US(shutdown, j.ours, SHUT_WR));
        await_state(j.ours, TCP_FIN_WAIT2);
    }
    must("close", US(close, j.ours));
    await(&them, j.theirs, POLLRDHUP);
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
    struct pollfd p = {.fd = j.theirs, .events = POLLIN};
    must("poll", THEM(poll, &p, 1, 0));
    listen_in();
    must("close", THEM(close, j.theirs));
    struct seen seen;
    bool acknowledged = next_ack(100, &seen);
    line(what, "%s, their FIN is %s", events_text(p.revents),
         acknowledged ? "acknowledged" : "not acknowledged");
}

static void linger2(void)
{
    int sock = our_socket();
    ROUND_TRIPS(sock, TCP_LINGER2, 1, 0, 120, 121, 1 << 30, -1, -7, 60);
    must("close", US(close, sock));
    linger2_line("60 s, close", 60, true, 100);
    linger2_line("60 s, close in FIN-WAIT-2", 60, false, 100);
    linger2_line("1 s, close", 1, true, 1500);
    linger2_line("1 s, close in FIN-WAIT-2", 1, false, 1500);
    linger2_line("none, close in FIN-WAIT-2", -1, false, 100);
    linger2_line("none, close", -1, true, 100);
}

/* ---- TCP_CONGESTION ---- */

static void congestion_line(const char *what, int sock)
{
    char name[20] = "";
    socklen_t len = sizeof name;
    must("TCP_CONGESTION", US(getsockopt, sock, IPPROTO_TCP, TCP_CONGESTION, name, &len));
    line(what, "%s, %u octets", name, len);
}

static void set_congestion(int sock, const char *name, socklen_t len)
{
    char what[64];
    snprintf(what, sizeof what, "%s, %u octets", name, len);
    RESULT(what, US(setsockopt, sock, IPPROTO_TCP, TCP_CONGESTION, name, len));
    congestion_line("read back", sock);
}

static void congestion(void)
{
    int sock = our_socket();
    static const struct {
        const char *name;
        socklen_t len;
    } tried[] = {{"reno", 4},  {"cubic", 5},    {"nosuch", 6},
                 {"reno", 5},  {"cubic", 4},    {"cubic", 6},
                 {"reno", 0},  {"", 1},         {"reno\0cubic", 10},
                 {"CUBIC", 5}, {"renoreno", 8}, {"reno\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20}};
    for (size_t i = 0; i < sizeof tried / sizeof *tried; i++)
        set_congestion(sock, tried[i].name, tried[i].len);
    for (socklen_t len = 0; len <= 20; len += 4) {
        char name[20];
        memset(name, '-', sizeof name);
        socklen_t got = len;
        RESULT("get", US(getsockopt, sock, IPPROTO_TCP, TCP_CONGESTION, name, &got));
        line("of octets", "%u: %u, %.*s", len, got, (int)sizeof name, name);
    }
    must("close", US(close, sock));
    struct joined j = join();
    set_congestion(j.ours, "reno", 4);
    we_send(j, 4000, 0);
    set_congestion(j.ours, "cubic", 5);
    they_have(j, 4000);
    part(j);
    uint16_t port;
    int listener = our_listener(&port, 4);
    set_congestion(listener, "reno", 4);
    int theirs = must("connect", their_connect(us.ip, port));
    await(&us, listener, POLLIN);
    sock = must("accept", US(accept4, listener, NULL, NULL, 0));
    congestion_line("accepted", sock);
    must("close", US(close, sock));
    must("close", THEM(close, theirs));
    must("close", US(close, listener));
}

void tcp(void)
{
    scenario("TCP_MAXSEG");
    maxseg();
    scenario("TCP_SYNCNT");
    syncnt();
    scenario("TCP_QUICKACK");
    quickack();
    scenario("TCP_CORK");
    cork();
    scenario("MSG_MORE");
    more();
    scenario("TCP_LINGER2");
    linger2();
    scenario("TCP_CONGESTION");
    congestion();
    stop_listening();
}
