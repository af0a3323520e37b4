/* What the user is told of trouble while the connection goes on: IP_RECVERR, IPV6_RECVERR (ip(7),
 * ipv6(7)). The router throws all TCP away and says something about it. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "posix_wire.h"

static uint8_t buf[64];

static void sleep_ms(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

static uint16_t checksum(const uint8_t *p, size_t len)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < len; i += 2)
        sum += (uint32_t)p[i] << 8 | p[i + 1];
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

/* The router's word about a segment of ours; of its family. */
static void router_says(uint8_t type, uint8_t code, const struct seen *about)
{
    uint8_t message[8 + QUOTE_MAX] = {type, code};
    size_t len = 8 + about->quote_len;
    memcpy(message + 8, about->quote, about->quote_len);
    bool v4 = about->quote[0] >> 4 == 4;
    uint16_t sum = v4 ? checksum(message, len) : 0; /* the kernel's, for ICMPv6 */
    message[2] = (uint8_t)(sum >> 8);
    message[3] = (uint8_t)sum;
    struct sockaddr_in to = addr_of(us.ip, 0);
    struct sockaddr_in6 to6 = {.sin6_family = AF_INET6};
    must("address", inet_pton(AF_INET6, "fd00:0:0:1::1", &to6.sin6_addr));
    enter_router();
    int raw = must("raw socket", v4 ? socket(AF_INET, SOCK_RAW, IPPROTO_ICMP)
                                    : socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6));
    if (v4)
        must("sendto", sendto(raw, message, len, 0, SA(to)));
    else
        must("sendto", sendto(raw, message, len, 0, SA(to6)));
    close(raw);
    enter(&us);
}

/* An octet is on its way, and does not arrive. */
static struct seen send_octet(int sock)
{
    struct seen seen = {0};
    listen_in();
    must("send", US(send, sock, "x", 1, MSG_DONTWAIT));
    next_segment("text", TH_PUSH, &seen);
    return seen;
}

static void so_error(const char *what, int sock)
{
    int error = get_int(sock, SOL_SOCKET, SO_ERROR);
    line(what, "%s", error ? strerrorname_np(error) : "none");
}

/* Told by one of the calls, and not again by any. */
static void told(int sock, size_t by)
{
    await(&us, sock, POLLERR);
    poll_line("poll", sock);
    if (by % 3 == 0)
        so_error("SO_ERROR", sock);
    if (by % 3 == 1)
        RESULT("recv", US(recv, sock, buf, 1, MSG_DONTWAIT));
    if (by % 3 == 2)
        RESULT("send", US(send, sock, "x", 1, MSG_DONTWAIT));
    poll_line("poll then", sock);
    so_error("SO_ERROR then", sock);
    RESULT("recv then", US(recv, sock, buf, 1, MSG_DONTWAIT));
    RESULT("send then", US(send, sock, "x", 1, MSG_DONTWAIT));
}

/* The connection has gone on. */
static void goes_on(struct joined j)
{
    RESULT("they read", THEM(recv, j.theirs, buf, 2, MSG_WAITALL));
    must("send", THEM(send, j.theirs, "y", 1, 0));
    RESULT("we read", US(recv, j.ours, buf, 1, MSG_WAITALL));
    part(j);
}

static void tcp_state(int sock)
{
    struct tcp_info info;
    socklen_t len = sizeof info;
    must("TCP_INFO", US(getsockopt, sock, IPPROTO_TCP, TCP_INFO, &info, &len));
    line("state", "%u", info.tcpi_state);
}

static const struct {
    const char *name;
    uint8_t type, code;
} errors4[] =
    {
        {"net unreachable", 3, 0},
        {"host unreachable", 3, 1},
        {"protocol unreachable", 3, 2},
        {"port unreachable", 3, 3},
        {"source route failed", 3, 5},
        {"net unknown", 3, 6},
        {"host unknown", 3, 7},
        {"host isolated", 3, 8},
        {"net prohibited", 3, 9},
        {"host prohibited", 3, 10},
        {"net unreachable for TOS", 3, 11},
        {"host unreachable for TOS", 3, 12},
        {"prohibited", 3, 13},
        {"precedence violation", 3, 14},
        {"precedence cutoff", 3, 15},
        {"time exceeded", 11, 0},
        {"parameter problem", 12, 0},
},
  errors6[] = {
      {"no route", 1, 0},          {"prohibited", 1, 1},
      {"beyond scope", 1, 2},      {"address unreachable", 1, 3},
      {"port unreachable", 1, 4},  {"policy fail", 1, 5},
      {"reject route", 1, 6},      {"time exceeded", 3, 0},
      {"parameter problem", 4, 0},
};

#define N4 (sizeof errors4 / sizeof *errors4)
#define N6 (sizeof errors6 / sizeof *errors6)

static void all_kinds(void)
{
    for (size_t i = 0; i < N4; i++) {
        scenario(errors4[i].name);
        struct joined j = join();
        must("IP_RECVERR", set_int(j.ours, IPPROTO_IP, IP_RECVERR, 1));
        cut(true);
        struct seen seen = send_octet(j.ours);
        router_says(errors4[i].type, errors4[i].code, &seen);
        told(j.ours, i);
        tcp_state(j.ours);
        cut(false);
        goes_on(j);
    }
}

/* Two IPv6 sockets. */
static struct joined join6(int listener, uint16_t port)
{
    struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    struct joined j = {.ours = must("socket", US(socket, AF_INET6, SOCK_STREAM, 0))};
    must("address", inet_pton(AF_INET6, "fd00:0:0:2::1", &to.sin6_addr));
    must("connect", US(connect, j.ours, SA(to)));
    j.theirs = must("accept", THEM(accept4, listener, NULL, NULL, 0));
    return j;
}

static void all_kinds6(void)
{
    uint16_t port = fresh_port();
    struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    enter(&them);
    int listener = must("socket", THEM(socket, AF_INET6, SOCK_STREAM, 0));
    must("bind", THEM(bind, listener, SA(at)));
    must("listen", THEM(listen, listener, 4));
    enter(&us);
    for (size_t i = 0; i < N6; i++) {
        char name[40];
        snprintf(name, sizeof name, "IPv6 %s", errors6[i].name);
        scenario(name);
        struct joined j = join6(listener, port);
        must("IPV6_RECVERR", set_int(j.ours, IPPROTO_IPV6, IPV6_RECVERR, 1));
        cut(true);
        struct seen seen = send_octet(j.ours);
        router_says(errors6[i].type, errors6[i].code, &seen);
        told(j.ours, i);
        cut(false);
        goes_on(j);
    }
    must("close", THEM(close, listener));
}

/* Whoever has not asked for it is not told; who has is told what came from then on. */
static void not_asked_for(void)
{
    struct joined j = join();
    cut(true);
    struct seen seen = send_octet(j.ours);
    router_says(3, 1, &seen);
    sleep_ms(100);
    poll_line("poll", j.ours);
    RESULT("recv", US(recv, j.ours, buf, 1, MSG_DONTWAIT));
    RESULT("IP_RECVERR", set_int(j.ours, IPPROTO_IP, IP_RECVERR, 7));
    RESULT("read back", get_int(j.ours, IPPROTO_IP, IP_RECVERR));
    poll_line("poll then", j.ours);
    router_says(3, 1, &seen);
    await(&us, j.ours, POLLERR);
    RESULT("IP_RECVERR off", set_int(j.ours, IPPROTO_IP, IP_RECVERR, 0));
    poll_line("poll when off", j.ours);
    so_error("SO_ERROR when off", j.ours);
    router_says(3, 1, &seen);
    sleep_ms(100);
    poll_line("poll at last", j.ours);
    cut(false);
    part(j);
}

/* A call that waits is told, too; what has arrived comes first. */
static void while_waiting(void)
{
    struct joined j = join(), unread = join();
    must("IP_RECVERR", set_int(j.ours, IPPROTO_IP, IP_RECVERR, 1));
    must("IP_RECVERR", set_int(unread.ours, IPPROTO_IP, IP_RECVERR, 1));
    they_send(unread, 3);
    cut(true);
    struct seen seen = send_octet(j.ours);
    const struct timeval limit = {10, 0};
    must("SO_RCVTIMEO", US(setsockopt, j.ours, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
    pid_t child = must("fork", fork());
    if (child == 0) {
        sleep_ms(200);
        router_says(3, 1, &seen);
        _exit(0);
    }
    RESULT("a recv that waits", US(recv, j.ours, buf, 1, 0));
    waitpid(child, NULL, 0);
    seen = send_octet(unread.ours);
    router_says(3, 1, &seen);
    await(&us, unread.ours, POLLERR);
    poll_line("poll", unread.ours);
    RESULT("recv, all that is there", US(recv, unread.ours, buf, 9, MSG_WAITALL));
    RESULT("recv then", US(recv, unread.ours, buf, 1, 0));
    RESULT("recv after that", US(recv, unread.ours, buf, 1, MSG_DONTWAIT));
    cut(false);
    part(j);
    part(unread);
}

/* R1: three retransmissions without an answer. */
static void silence(void)
{
    struct joined j = join();
    must("IP_RECVERR", set_int(j.ours, IPPROTO_IP, IP_RECVERR, 1));
    cut(true);
    send_octet(j.ours);
    sleep_ms(2000);
    poll_line("poll", j.ours);
    so_error("SO_ERROR", j.ours);
    so_error("SO_ERROR then", j.ours);
    tcp_state(j.ours);
    cut(false);
    must("send", US(send, j.ours, "x", 1, 0));
    goes_on(j);
}

void icmp(void)
{
    all_kinds();
    all_kinds6();
    scenario("not asked for");
    not_asked_for();
    scenario("while waiting");
    while_waiting();
    scenario("R1");
    silence();
    stop_listening();
}
