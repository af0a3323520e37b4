/* Socket options: their defaults, what is read back, wrong lengths and values, and what an accepted
 * socket has from its listener. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

#include "posix.h"

static const struct number {
    const char *name;
    int level, option;
    int tried[6];
} numbers[] = {
    {"SO_REUSEADDR", SOL_SOCKET, SO_REUSEADDR, {1, 0, 7, -1, 1, 1}},
    {"SO_KEEPALIVE", SOL_SOCKET, SO_KEEPALIVE, {1, 0, 7, -1, 1, 1}},
    {"SO_OOBINLINE", SOL_SOCKET, SO_OOBINLINE, {1, 0, 7, -1, 0, 1}},
    {"SO_TYPE", SOL_SOCKET, SO_TYPE, {1}},
    {"SO_PROTOCOL", SOL_SOCKET, SO_PROTOCOL, {1}},
    {"SO_DOMAIN", SOL_SOCKET, SO_DOMAIN, {1}},
    {"SO_ACCEPTCONN", SOL_SOCKET, SO_ACCEPTCONN, {1}},
    {"SO_ERROR", SOL_SOCKET, SO_ERROR, {1}},
    {"TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY, {1, 0, 7, -1, 1, 1}},
    {"TCP_KEEPIDLE", IPPROTO_TCP, TCP_KEEPIDLE, {1, 0, 32767, 32768, -1, 60}},
    {"TCP_KEEPINTVL", IPPROTO_TCP, TCP_KEEPINTVL, {1, 0, 32767, 32768, -1, 10}},
    {"TCP_KEEPCNT", IPPROTO_TCP, TCP_KEEPCNT, {1, 0, 127, 128, -1, 3}},
    {"TCP_USER_TIMEOUT", IPPROTO_TCP, TCP_USER_TIMEOUT, {1, 0, 30000, 1 << 30, -1, 20000}},
    {"IP_TOS", IPPROTO_IP, IP_TOS, {0xff, 0, 0x103, -1, 3, 0xb8}},
    {"IP_TTL", IPPROTO_IP, IP_TTL, {1, 0, 255, 256, -1, 200}},
    {"IP_RECVERR", IPPROTO_IP, IP_RECVERR, {1, 0, 7, -1, 1, 1}},
    {"IP_MTU_DISCOVER", IPPROTO_IP, IP_MTU_DISCOVER, {2, 1, 3, 6, -1, 2}},
    {"IP_MTU", IPPROTO_IP, IP_MTU, {1500}},
    {"IPV6_MTU", IPPROTO_IPV6, IPV6_MTU, {1500}},
    {"IPV6_TCLASS", IPPROTO_IPV6, IPV6_TCLASS, {1}},
    {"IPV6_UNICAST_HOPS", IPPROTO_IPV6, IPV6_UNICAST_HOPS, {1}},
    {"option 999", SOL_SOCKET, 999, {1}},
    {"TCP option 999", IPPROTO_TCP, 999, {1}},
    {"IPV6_V6ONLY", IPPROTO_IPV6, IPV6_V6ONLY, {1}},
    {"level 77", 77, 1, {1}},
};

/* Those of an IPv6 socket. */
static const struct number numbers6[] = {
    {"IPV6_TCLASS", IPPROTO_IPV6, IPV6_TCLASS, {0xff, 0, 256, -2, -1, 0xb8}},
    {"IPV6_UNICAST_HOPS", IPPROTO_IPV6, IPV6_UNICAST_HOPS, {1, 0, 256, -2, 255, -1}},
    {"IPV6_RECVERR", IPPROTO_IPV6, IPV6_RECVERR, {1, 0, 7, -1, 0, 0}},
    {"IPV6_MTU_DISCOVER", IPPROTO_IPV6, IPV6_MTU_DISCOVER, {2, 1, 3, 6, -1, 2}},
    {"IP_RECVERR", IPPROTO_IP, IP_RECVERR, {1, 0, 7, -1, 0, 0}},
    {"IP_TOS", IPPROTO_IP, IP_TOS, {0x2b, 0, 1, 2, 4, 8}},
    {"IP_TTL", IPPROTO_IP, IP_TTL, {1, 0, 255, 256, -1, 200}},
};

static void each(const char *which, int sock)
{
    scenario(which);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        RESULT(numbers[i].name, get_int(sock, numbers[i].level, numbers[i].option));
}

static void round_trips(int sock, const struct number *all, size_t n_all)
{
    for (size_t i = 0; i < n_all; i++) {
        const struct number *n = &all[i];
        for (size_t k = 0; k < 6; k++) {
            char what[64];
            snprintf(what, sizeof what, "%s %d", n->name, n->tried[k]);
            RESULT(what, set_int(sock, n->level, n->option, n->tried[k]));
            RESULT("read back", get_int(sock, n->level, n->option));
        }
    }
}

static void round_trips6(void)
{
    scenario("IPv6 option set");
    int sock = must("socket", US(socket, AF_INET6, SOCK_STREAM, 0));
    for (size_t i = 0; i < sizeof numbers6 / sizeof *numbers6; i++)
        RESULT(numbers6[i].name, get_int(sock, numbers6[i].level, numbers6[i].option));
    round_trips(sock, numbers6, sizeof numbers6 / sizeof *numbers6);
    must("close", US(close, sock));
}

static void lengths(int sock)
{
    scenario("option length");
    static const struct {
        const char *name;
        int level, option;
        socklen_t size;
    } all[] = {{"TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY, 4},
               {"SO_KEEPALIVE", SOL_SOCKET, SO_KEEPALIVE, 4},
               {"IP_TOS", IPPROTO_IP, IP_TOS, 4},
               {"IP_TTL", IPPROTO_IP, IP_TTL, 4},
               {"IP_FREEBIND", IPPROTO_IP, IP_FREEBIND, 4},
               {"option 999", SOL_SOCKET, 999, 4},
               {"IPV6_TCLASS", IPPROTO_IPV6, IPV6_TCLASS, 4},
               {"IPV6_UNICAST_HOPS", IPPROTO_IPV6, IPV6_UNICAST_HOPS, 4},
               {"level 77", 77, 1, 4},
               {"SO_LINGER", SOL_SOCKET, SO_LINGER, sizeof(struct linger)},
               {"SO_RCVTIMEO", SOL_SOCKET, SO_RCVTIMEO, sizeof(struct timeval)},
               {"SO_SNDTIMEO", SOL_SOCKET, SO_SNDTIMEO, sizeof(struct timeval)}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        for (socklen_t len = 0; len <= 20; len++) {
            char value[20] = {0}, what[64];
            socklen_t got = len;
            snprintf(what, sizeof what, "%s set, %u octets", all[i].name, len);
            RESULT(what, US(setsockopt, sock, all[i].level, all[i].option, value, len));
            snprintf(what, sizeof what, "%s get, %u octets", all[i].name, len);
            errno = 0;
            int err = US(getsockopt, sock, all[i].level, all[i].option, value, &got);
            line(what, "%s, %u", result_text(err), got);
        }
    }
    socklen_t negative = (socklen_t)-1;
    RESULT("get, length -1", US(getsockopt, sock, SOL_SOCKET, SO_ERROR, &(int){0}, &negative));
    char info[512];
    for (socklen_t len = 0; len <= 104; len += 26) {
        socklen_t got = len;
        must("TCP_INFO", US(getsockopt, sock, IPPROTO_TCP, TCP_INFO, info, &got));
        line("TCP_INFO", "%u of %u octets", got, len);
    }
}

static void timeouts(int sock)
{
    scenario("timeouts");
    static const struct timeval tried[] = {{1, 500000},  {0, 0},    {0, -1},    {0, 1000000},
                                           {-1, 500000}, {0, 4000}, {100000, 0}};
    for (size_t i = 0; i < sizeof tried / sizeof *tried; i++) {
        struct timeval tv = tried[i];
        socklen_t len = sizeof tv;
        char what[64];
        snprintf(what, sizeof what, "SO_RCVTIMEO %ld.%06ld", (long)tv.tv_sec, (long)tv.tv_usec);
        RESULT(what, US(setsockopt, sock, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
        must("get", US(getsockopt, sock, SOL_SOCKET, SO_RCVTIMEO, &tv, &len));
        line("read back", "%ld.%06ld, %u octets", (long)tv.tv_sec, (long)tv.tv_usec, len);
    }
    must("off", US(setsockopt, sock, SOL_SOCKET, SO_RCVTIMEO, &tried[1], sizeof *tried));
}

/* Less than no time: calls that wait do not. */
static void no_patience(void)
{
    scenario("negative timeout");
    static const struct timeval tv = {-1, 0};
    uint16_t port;
    struct joined j = join();
    int listener = our_listener(&port, 4), sock = our_socket();
    must("recv's", US(setsockopt, j.ours, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
    RESULT("recv", US(recv, j.ours, &(char){0}, 1, 0));
    must("accept's", US(setsockopt, listener, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
    RESULT("accept", US(accept4, listener, NULL, NULL, 0));
    must("connect's", US(setsockopt, sock, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv));
    struct sockaddr_in hole = black_hole();
    RESULT("connect", US(connect, sock, SA(hole)));
    RESULT("connect again", US(connect, sock, SA(hole)));
    they_send(j, 1);
    RESULT("recv of what is there", US(recv, j.ours, &(char){0}, 1, 0));
    must("close", US(close, sock));
    must("close", US(close, listener));
    part(j);
}

static void lingers(int sock)
{
    scenario("linger");
    static const struct linger tried[] = {{1, 0}, {1, 5}, {0, 9}, {7, 3}, {0, 0}};
    for (size_t i = 0; i < sizeof tried / sizeof *tried; i++) {
        struct linger l = tried[i];
        socklen_t len = sizeof l;
        char what[64];
        snprintf(what, sizeof what, "SO_LINGER %d, %d", l.l_onoff, l.l_linger);
        RESULT(what, US(setsockopt, sock, SOL_SOCKET, SO_LINGER, &l, sizeof l));
        must("get", US(getsockopt, sock, SOL_SOCKET, SO_LINGER, &l, &len));
        line("read back", "%d, %d, %u octets", l.l_onoff, l.l_linger, len);
    }
}

/* Sizes differ by design: that they can be set before and after, and that larger is more. */
static void buffers(int sock)
{
    scenario("buffers");
    static const int names[] = {SO_SNDBUF, SO_RCVBUF};
    for (int i = 0; i < 2; i++) {
        const char *name = i ? "SO_RCVBUF" : "SO_SNDBUF";
        line(name, "%s by default", get_int(sock, SOL_SOCKET, names[i]) > 4096 ? "some" : "little");
        RESULT(name, set_int(sock, SOL_SOCKET, names[i], 0));
        int least = get_int(sock, SOL_SOCKET, names[i]);
        line(name, "%s at least", least > 0 ? "some" : "none");
        RESULT(name, set_int(sock, SOL_SOCKET, names[i], 50000));
        line(name, "%s", get_int(sock, SOL_SOCKET, names[i]) > least ? "more" : "as little");
        line(name, "%d octets", get_int(sock, SOL_SOCKET, names[i]));
    }
}

static void pacing_rate(int sock)
{
    scenario("pacing rate");
    static const uint64_t tried[] = {
        0, 1, 125000, UINT32_MAX - 1, UINT32_MAX, UINT32_MAX + 1ULL, UINT64_MAX - 1, UINT64_MAX};
    uint64_t rate = 0;
    socklen_t len = sizeof rate;
    must("SO_MAX_PACING_RATE", US(getsockopt, sock, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, &len));
    line("by default", "%llx", (unsigned long long)rate);
    for (size_t i = 0; i < sizeof tried / sizeof *tried; i++) {
        for (socklen_t size = 0; size <= 12; size++) {
            uint64_t value[2] = {tried[i], 0}, back[2] = {0, 0};
            char what[64];
            snprintf(what, sizeof what, "%llx of %u octets", (unsigned long long)tried[i], size);
            RESULT(what, US(setsockopt, sock, SOL_SOCKET, SO_MAX_PACING_RATE, value, size));
            len = size;
            must("read", US(getsockopt, sock, SOL_SOCKET, SO_MAX_PACING_RATE, back, &len));
            line(what, "%llx, %u", (unsigned long long)back[0], len);
        }
    }
}

static void inherited(void)
{
    scenario("inherited");
    uint16_t port;
    int listener = our_listener(&port, 4);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        set_int(listener, numbers[i].level, numbers[i].option, numbers[i].tried[5]);
    const struct timeval tv = {7, 0};
    struct timeval back;
    struct linger linger;
    socklen_t len = sizeof back, linger_len = sizeof linger;
    must("SO_RCVTIMEO", US(setsockopt, listener, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
    linger_of(&us, listener, 1, 3);
    must("pacing rate", set_int(listener, SOL_SOCKET, SO_MAX_PACING_RATE, 12345678));
    int client = must("connect", their_connect(us.ip, port));
    await(&us, listener, POLLIN);
    nonblocking(listener, true);
    int sock = must("accept", US(accept4, listener, NULL, NULL, 0));
    RESULT("F_GETFL", US(fcntl, sock, F_GETFL, 0));
    each("inherited", sock);
    must("SO_RCVTIMEO", US(getsockopt, sock, SOL_SOCKET, SO_RCVTIMEO, &back, &len));
    line("SO_RCVTIMEO", "%ld", (long)back.tv_sec);
    must("SO_LINGER", US(getsockopt, sock, SOL_SOCKET, SO_LINGER, &linger, &linger_len));
    line("SO_LINGER", "%d, %d", linger.l_onoff, linger.l_linger);
    line("pacing rate", "%d", get_int(sock, SOL_SOCKET, SO_MAX_PACING_RATE));
    must("close", THEM(close, client));
    must("close", US(close, sock));
    must("close", US(close, listener));
}

void options(void)
{
    int sock = our_socket();
    each("option by default", sock);
    RESULT("TCP_MAXSEG", get_int(sock, IPPROTO_TCP, TCP_MAXSEG));
    scenario("option set");
    round_trips(sock, numbers, sizeof numbers / sizeof *numbers);
    round_trips6();
    lengths(sock);
    timeouts(sock);
    no_patience();
    lingers(sock);
    buffers(sock);
    pacing_rate(sock);
    must("close", US(close, sock));
    struct joined j = join();
    each("option when connected", j.ours);
    int mss = get_int(j.ours, IPPROTO_TCP, TCP_MAXSEG);
    line("TCP_MAXSEG", "%s", mss > 536 && mss <= 1460 ? "more than 536" : "wrong");
    buffers(j.ours);
    part(j);
    inherited();
}
