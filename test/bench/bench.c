/*
 * One end of a measurement, over the kernel's TCP or ours:
 *
 *     bench kernel|nstcp serve ADDR PORT          one client after the other, until it is killed
 *     bench kernel|nstcp bulk ADDR PORT SECONDS   prints Gbit/s, as acknowledged by the other end
 *     bench kernel|nstcp rtt ADDR PORT COUNT      prints the median and the 99th percentile, in us
 *
 * The first octet a client sends says what it wants: 'B', everything is read, and the number of
 * octets sent back after the FIN; 'E', echo. Exit status: 0 done, 1 failed, 2 usage.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "calls.h"

#define BULK_CALL ((size_t)256 * 1024)
#define ECHO_LEN  64
#define WARM_UP   200

/* The calls measured, and their stack. */
static const struct calls *c;
static struct nstcp *stack;

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int failed(const char *what)
{
    perror(what);
    return 1;
}

static bool recv_all(int sock, void *buf, size_t len)
{
    char *to = buf;
    while (len > 0) {
        ssize_t n = c->recv(stack, sock, to, len, 0);
        if (n <= 0)
            return false;
        to += n;
        len -= (size_t)n;
    }
    return true;
}

static bool send_all(int sock, const void *buf, size_t len)
{
    const char *from = buf;
    while (len > 0) {
        ssize_t n = c->send(stack, sock, from, len, 0);
        if (n <= 0)
            return false;
        from += n;
        len -= (size_t)n;
    }
    return true;
}

static void serve_one(int sock, char *buf)
{
    char kind = 0;
    uint64_t total = 1;
    ssize_t n = c->recv(stack, sock, &kind, 1, 0);
    while (n > 0 && (n = c->recv(stack, sock, buf, BULK_CALL, 0)) > 0) {
        total += (uint64_t)n;
        if (kind == 'E' && !send_all(sock, buf, (size_t)n))
            break;
    }
    if (kind == 'B' && n == 0)
        send_all(sock, &total, sizeof total);
    c->close(stack, sock);
}

/* A socket with TCP_NODELAY, and with CUBIC whatever the machine's default is. */
static int open_socket(void)
{
    const int on = 1;
    int sock = c->socket(stack, AF_INET, SOCK_STREAM, 0);
    c->setsockopt(stack, sock, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    c->setsockopt(stack, sock, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    c->setsockopt(stack, sock, IPPROTO_TCP, TCP_CONGESTION, "cubic", strlen("cubic"));
    return sock;
}

static int serve(const struct sockaddr_in *addr, char *buf)
{
    int listener = open_socket();
    if (c->bind(stack, listener, (const struct sockaddr *)addr, sizeof *addr) < 0 ||
        c->listen(stack, listener, 64) < 0)
        return failed("bench: listen");
    fprintf(stderr, "bench: listening\n");
    for (;;) {
        int sock = c->accept4(stack, listener, NULL, NULL, 0);
        if (sock < 0)
            return failed("bench: accept");
        serve_one(sock, buf);
    }
}

static int bulk(int sock, char *buf, unsigned seconds)
{
    uint64_t begin = now_ns(), sent = 1, got;
    if (!send_all(sock, "B", 1))
        return failed("bench: send");
    while (now_ns() - begin < seconds * UINT64_C(1000000000)) {
        if (!send_all(sock, buf, BULK_CALL))
            return failed("bench: send");
        sent += BULK_CALL;
    }
    c->shutdown(stack, sock, SHUT_WR);
    if (!recv_all(sock, &got, sizeof got))
        return failed("bench: recv");
    double took = (double)(now_ns() - begin);
    if (got != sent) {
        fprintf(stderr, "bench: sent %llu octets, %llu arrived\n", (unsigned long long)sent,
                (unsigned long long)got);
        return 1;
    }
    printf("%.3f\n", (double)sent * 8 / took);
    return 0;
}

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static int rtt(int sock, char *buf, unsigned count)
{
    uint64_t *took = calloc(count + 1, sizeof *took);
    if (!took || !send_all(sock, "E", 1))
        return failed("bench: send");
    for (unsigned i = 0; i < WARM_UP + count; i++) {
        uint64_t begin = now_ns();
        if (!send_all(sock, buf, ECHO_LEN) || !recv_all(sock, buf, ECHO_LEN))
            return failed("bench: echo");
        if (i >= WARM_UP)
            took[i - WARM_UP] = now_ns() - begin;
    }
    qsort(took, count, sizeof *took, by_size);
    printf("%.2f %.2f\n", (double)took[count / 2] / 1e3, (double)took[count * 99 / 100] / 1e3);
    free(took);
    return 0;
}

static int client(const struct sockaddr_in *addr, char *buf, const char *mode, unsigned amount)
{
    int sock = open_socket();
    if (c->connect(stack, sock, (const struct sockaddr *)addr, sizeof *addr) < 0)
        return failed("bench: connect");
    int status = strcmp(mode, "bulk") == 0 ? bulk(sock, buf, amount) : rtt(sock, buf, amount);
    c->close(stack, sock);
    return status;
}

int main(int argc, char **argv)
{
    struct sockaddr_in addr = {.sin_family = AF_INET};
    bool serving = argc == 5 && strcmp(argv[2], "serve") == 0;
    bool asking = argc == 6 && (strcmp(argv[2], "bulk") == 0 || strcmp(argv[2], "rtt") == 0) &&
                  atoi(argv[5]) > 0;
    c = argc > 1 ? calls_named(argv[1]) : NULL;
    if (!c || !(serving || asking) || inet_pton(AF_INET, argv[3], &addr.sin_addr) != 1) {
        fprintf(stderr, "usage: bench kernel|nstcp serve ADDR PORT\n"
                        "       bench kernel|nstcp bulk|rtt ADDR PORT SECONDS|COUNT\n");
        return 2;
    }
    addr.sin_port = htons((uint16_t)atoi(argv[4]));
    char *buf = calloc(1, BULK_CALL);
    if (!buf || !c->begin(&stack, NULL))
        return failed("bench: begin");
    int status = serving ? serve(&addr, buf) : client(&addr, buf, argv[2], (unsigned)atoi(argv[5]));
    c->end(stack, 2000);
    free(buf);
    return status;
}
