/*
 * The socket calls in every state, over the kernel's TCP or ours: posix US THEM SCENARIOS. To be
 * run in a private lab. posix_test.py compares what it prints over the kernel's and over ours.
 */
#include "posix.h"

#include <nstcp.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 10000

struct end us = {.ip = "10.0.0.1"}, them = {.ip = "10.0.1.1"};

static const char *scenario_name = "";

double last_call;

double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
static uint16_t next_port = 20000;

void scenario(const char *name)
{
    scenario_name = name;
}

void line(const char *what, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    printf("%s: %s = ", scenario_name, what);
    vprintf(format, args);
    putchar('\n');
    va_end(args);
    fflush(stdout);
}

const char *result_text(int64_t result)
{
    static char text[24];
    if (result == -1 && errno)
        return strerrorname_np(errno);
    snprintf(text, sizeof text, "%lld", (long long)result);
    return text;
}

void result(const char *what, int64_t result)
{
    line(what, "%s", result_text(result));
}

const char *events_text(short revents)
{
    static const struct {
        short bit;
        const char *name;
    } names[] = {{POLLIN, "IN"},       {POLLRDNORM, "RDNORM"}, {POLLPRI, "PRI"},
                 {POLLOUT, "OUT"},     {POLLWRNORM, "WRNORM"}, {POLLERR, "ERR"},
                 {POLLRDHUP, "RDHUP"}, {POLLHUP, "HUP"},       {POLLNVAL, "NVAL"}};
    static char text[80];
    text[0] = '\0';
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (revents & names[i].bit) {
            strcat(text, text[0] ? "|" : "");
            strcat(text, names[i].name);
        }
    }
    return text[0] ? text : "nothing";
}

void recv_line(const char *what, int sock, size_t len, int flags)
{
    char buf[64];
    memset(buf, '-', sizeof buf);
    errno = 0;
    ssize_t n = US(recv, sock, buf, len, flags);
    line(what, "%s '%.*s'", result_text(n), n > 0 ? (int)n : 0, buf);
}

void urgent_line(const char *what, int sock)
{
    int mark = -1, n = -1;
    must("SIOCATMARK", US(ioctl, sock, SIOCATMARK, &mark));
    must("FIONREAD", US(ioctl, sock, FIONREAD, &n));
    line(what, "%s, %s, FIONREAD %d", events_text(our_events(sock)),
         mark ? "at the mark" : "not at the mark", n);
}

void try_line(const char *what, int sock, size_t len, int flags)
{
    recv_line(what, sock, len, flags | MSG_DONTWAIT);
    urgent_line("then", sock);
}

const char *addr_text(const struct sockaddr *addr, socklen_t len)
{
    static char text[80];
    const struct sockaddr_in *in = (const void *)addr;
    const struct sockaddr_in6 *in6 = (const void *)addr;
    char ip[INET6_ADDRSTRLEN], scope[16] = "";
    bool v6 = addr->sa_family == AF_INET6;
    if (!(len == sizeof *in && addr->sa_family == AF_INET) && !(len == sizeof *in6 && v6)) {
        snprintf(text, sizeof text, "family %d, %u octets", addr->sa_family, (unsigned)len);
        return text;
    }
    inet_ntop(addr->sa_family, v6 ? (const void *)&in6->sin6_addr : &in->sin_addr, ip, sizeof ip);
    if (v6 && in6->sin6_scope_id)
        snprintf(scope, sizeof scope, "%%%u", in6->sin6_scope_id);
    unsigned port = ntohs(in->sin_port); /* which lies at one place in both */
    int n = snprintf(text, sizeof text, v6 ? "[%s%s]:" : "%s%s:", ip, scope);
    if (port >= 32768)
        strcat(text, "some port");
    else
        snprintf(text + n, sizeof text - (size_t)n, "%u", port);
    return text;
}

int must(const char *what, int64_t result)
{
    if (result >= 0)
        return (int)result;
    fprintf(stderr, "posix: %s: %s: %s\n", scenario_name, what, strerror(errno));
    exit(1);
}

#define ALL_EVENTS (POLLIN | POLLPRI | POLLOUT | POLLRDNORM | POLLWRNORM | POLLRDHUP)

short our_events(int sock)
{
    struct pollfd p = {.fd = sock, .events = ALL_EVENTS};
    must("poll", US(poll, &p, 1, 0));
    return p.revents;
}

void poll_line(const char *what, int sock)
{
    line(what, "%s", events_text(our_events(sock)));
}

void await(const struct end *e, int sock, short events)
{
    struct pollfd p = {.fd = sock, .events = events};
    must("poll", e->c->poll(e->stack, &p, 1, PATIENCE_MS));
    if (!(p.revents & events))
        line("await", "%s, not %s", events_text(p.revents), e == &us ? "as ours" : "as theirs");
}

void await_state(int sock, int state)
{
    struct tcp_info info;
    for (int i = 0; i < PATIENCE_MS; i++) {
        socklen_t len = sizeof info;
        must("TCP_INFO", US(getsockopt, sock, IPPROTO_TCP, TCP_INFO, &info, &len));
        if (info.tcpi_state == state)
            return;
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    }
    line("await state", "%d, not %d", info.tcpi_state, state);
}

struct sockaddr_in addr_of(const char *ip, uint16_t port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    must("address", inet_pton(AF_INET, ip, &in.sin_addr) == 1 ? 0 : -1);
    return in;
}

uint16_t fresh_port(void)
{
    return next_port++;
}

void enter(const struct end *e)
{
    must("setns", setns(e->netns, CLONE_NEWNET));
}

int their_socket(void)
{
    enter(&them);
    int sock = must("socket", THEM(socket, AF_INET, SOCK_STREAM, 0));
    enter(&us);
    return sock;
}

static int listener_of(const struct end *e, uint16_t *port, int backlog)
{
    *port = fresh_port();
    struct sockaddr_in at = addr_of(e->ip, *port);
    enter(e);
    int sock = must("socket", e->c->socket(e->stack, AF_INET, SOCK_STREAM, 0));
    must("bind", e->c->bind(e->stack, sock, SA(at)));
    must("listen", e->c->listen(e->stack, sock, backlog));
    enter(&us);
    return sock;
}

int their_listener(uint16_t *port, int backlog)
{
    return listener_of(&them, port, backlog);
}

int our_listener(uint16_t *port, int backlog)
{
    return listener_of(&us, port, backlog);
}

int their_connect(const char *ip, uint16_t port)
{
    struct sockaddr_in to = addr_of(ip, port);
    int sock = their_socket();
    enter(&them);
    int err = THEM(connect, sock, SA(to));
    enter(&us);
    return err < 0 ? -1 : sock;
}

int our_socket(void)
{
    return must("socket", US(socket, AF_INET, SOCK_STREAM, 0));
}

int set_int(int sock, int level, int name, int value)
{
    return US(setsockopt, sock, level, name, &value, sizeof value);
}

int get_int(int sock, int level, int name)
{
    int value = -2;
    socklen_t len = sizeof value;
    return US(getsockopt, sock, level, name, &value, &len) < 0 ? -1 : value;
}

void nonblocking(int sock, bool on)
{
    must("fcntl", US(fcntl, sock, F_SETFL, on ? O_NONBLOCK : 0));
}

void linger_of(const struct end *e, int sock, int on, int seconds)
{
    const struct linger linger = {on, seconds};
    must("SO_LINGER",
         e->c->setsockopt(e->stack, sock, SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
}

struct joined join(void)
{
    static uint16_t port;
    static int listener = -1;
    if (listener < 0)
        listener = their_listener(&port, 64);
    struct sockaddr_in to = addr_of(them.ip, port);
    struct joined j = {.ours = our_socket()};
    must("connect", US(connect, j.ours, SA(to)));
    j.theirs = must("accept", THEM(accept4, listener, NULL, NULL, 0));
    return j;
}

struct joined join_by(bool in_line)
{
    struct joined j = join();
    must("SO_OOBINLINE", set_int(j.ours, SOL_SOCKET, SO_OOBINLINE, in_line));
    return j;
}

void part(struct joined j)
{
    must("close", US(close, j.ours));
    must("close", THEM(close, j.theirs));
}

void await_octets(int sock, uint64_t n)
{
    while (calls_received(us.c, us.stack, sock) < n)
        ;
}

static void they_send_octets(struct joined j, const char *octets, size_t len, int flags)
{
    uint64_t n = calls_received(us.c, us.stack, j.ours) + len;
    must("send", THEM(send, j.theirs, octets, len, flags));
    await_octets(j.ours, n);
}

void they_send(struct joined j, size_t len)
{
    static const char octets[1 << 16];
    they_send_octets(j, octets, len, 0);
}

void they_send_text(struct joined j, const char *text, int flags)
{
    they_send_octets(j, text, strlen(text), flags);
}

void they_close(struct joined j)
{
    must("shutdown", THEM(shutdown, j.theirs, SHUT_WR));
    await(&us, j.ours, POLLRDHUP);
}

void they_reset(struct joined *j)
{
    linger_of(&them, j->theirs, 1, 0);
    must("close", THEM(close, j->theirs));
    j->theirs = -1;
    await(&us, j->ours, POLLERR);
}

struct sockaddr_in black_hole(void)
{
    static uint16_t port;
    if (port == 0) {
        their_listener(&port, 0);
        struct sockaddr_in to = addr_of(them.ip, port);
        must("connect", US(connect, our_socket(), SA(to)));
    }
    return addr_of(them.ip, port);
}

void enter_router(void)
{
    int router = must("router", open("/run/netns/router", O_RDONLY | O_CLOEXEC));
    must("setns", setns(router, CLONE_NEWNET));
    close(router);
}

void cut(bool on)
{
    enter_router();
    if (system(on ? "nft 'add table inet cut; add chain inet cut forward { type filter hook "
                    "forward priority 0; }; add rule inet cut forward meta l4proto tcp drop'"
                  : "nft delete table inet cut"))
        exit(1);
    enter(&us);
}

static void begin(struct end *e, const char *calls, const char *node)
{
    char path[64];
    snprintf(path, sizeof path, "/run/netns/%s", node);
    const struct nstcp_options accepting = {.accept_source_route = 1}; /* for posix_ip.c */
    e->netns = must(path, open(path, O_RDONLY | O_CLOEXEC));
    e->c = calls_named(calls);
    enter(e);
    if (!e->c || !e->c->begin(&e->stack, &accepting))
        exit(1);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } all[] = {{"matrix", matrix},    {"transfers", transfers},
               {"options", options},  {"ip", ip},
               {"icmp", icmp},        {"tcp", tcp},
               {"names", names},      {"endings", endings},
               {"urgent", urgent},    {"sequences", sequences},
               {"families", families}};
    const size_t n = sizeof all / sizeof *all;
    size_t i = 0;
    if (argc == 2 && strcmp(argv[1], "list") == 0) {
        while (i < n)
            puts(all[i++].name);
        return 0;
    }
    while (i < n && argc == 4 && strcmp(argv[3], all[i].name) != 0)
        i++;
    if (argc != 4 || i == n) {
        fprintf(stderr, "usage: posix kernel|nstcp kernel|nstcp SCENARIOS\n       posix list\n");
        return 2;
    }
    begin(&them, argv[2], "host2");
    begin(&us, argv[1], "host1");
    all[i].run();
    us.c->end(us.stack, 0);
    enter(&them);
    them.c->end(them.stack, 0);
    return 0;
}
