/* The two ends of a measurement, by name; and what bench.h has for all of them. */
#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *name;
    void (*serve)(struct bench *b), (*ask)(struct bench *b);
    bool calls; /* is made of socket calls */
} kinds[] = {
    {"bulk", bulk_serve, bulk_ask, true},    {"rtt", rtt_serve, rtt_ask, true},
    {"crowd", crowd_serve, crowd_ask, true}, {"cps", cps_serve, cps_ask, true},
    {"idle", idle_serve, idle_ask, true},    {"memory", memory_serve, memory_ask, true},
    {"raw", raw_serve, raw_ask, false},
};

static int open_socket(struct bench *b, unsigned port, struct sockaddr_in *addr)
{
    const int on = 1;
    int sock = b->c->socket(b->stack, AF_INET, SOCK_STREAM, 0);
    if (sock < 0)
        die("socket");
    b->c->setsockopt(b->stack, sock, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    b->c->setsockopt(b->stack, sock, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (b->c->setsockopt(b->stack, sock, IPPROTO_TCP, TCP_CONGESTION, "cubic", strlen("cubic")) <
            0 &&
        !b->stack)
        die("TCP_CONGESTION");
    if (b->sleep || b->spin)
        b->c->setsockopt(b->stack, sock, SOL_SOCKET, SO_BUSY_POLL, &(int){b->spin}, sizeof(int));
    *addr = b->addr;
    addr->sin_port = htons((uint16_t)(ntohs(addr->sin_port) + port));
    return sock;
}

int open_listener(struct bench *b, unsigned port)
{
    struct sockaddr_in addr;
    int sock = open_socket(b, port, &addr);
    if (b->c->bind(b->stack, sock, (const struct sockaddr *)&addr, sizeof addr) < 0)
        die("bind");
    if (b->c->listen(b->stack, sock, 1024) < 0)
        die("listen");
    return sock;
}

int open_connection(struct bench *b, unsigned port)
{
    struct sockaddr_in addr;
    int sock = open_socket(b, port, &addr);
    if (b->c->connect(b->stack, sock, (const struct sockaddr *)&addr, sizeof addr) < 0)
        die("connect");
    return sock;
}

int take_connection(struct bench *b, int listener)
{
    int sock = b->c->accept4(b->stack, listener, NULL, NULL, 0);
    if (sock < 0)
        die("accept");
    return sock;
}

void say_listening(void)
{
    fprintf(stderr, "listening\n");
}

size_t recv_some(struct bench *b, int sock, void *buf, size_t len)
{
    ssize_t n;
    do
        n = b->c->recv(b->stack, sock, buf, len, b->spin ? MSG_DONTWAIT : 0);
    while (n < 0 && b->spin && errno == EAGAIN);
    if (n < 0)
        die("recv");
    return (size_t)n;
}

void recv_all(struct bench *b, int sock, void *buf, size_t len)
{
    for (size_t n, done = 0; done < len; done += n) {
        n = recv_some(b, sock, (char *)buf + done, len - done);
        if (n == 0) {
            errno = ECONNRESET;
            die("recv: the peer has closed");
        }
    }
}

void send_all(struct bench *b, int sock, const void *buf, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = b->c->send(b->stack, sock, (const char *)buf + done, len - done, 0);
        if (n < 0)
            die("send");
        done += (size_t)n;
    }
}

static int usage(void)
{
    fprintf(stderr, "usage: bench WHO KIND serve|ask ADDR PORT [-s] [-w] [-z] [-k] [-n CONNS] "
                    "[-a AMOUNT]\n"
                    "  WHO   kernel nstcp; bench_lwip: lwip\n"
                    "  KIND  bulk rtt crowd cps idle memory raw\n"
                    "  -s    spin, instead of waiting\n"
                    "  -w    wait, without a look before\n"
                    "  -z    bulk by the calls that do not copy, which nstcp has\n"
                    "  -k    check what arrives\n");
    return 2;
}

static bool parse(int argc, char **argv, struct bench *b)
{
    int opt;
    b->addr.sin_family = AF_INET;
    b->conns = 1;
    b->amount = 1;
    if (argc < 6 || inet_pton(AF_INET, argv[4], &b->addr.sin_addr) != 1 || atoi(argv[5]) < 1)
        return false;
    b->addr.sin_port = htons((uint16_t)atoi(argv[5]));
    optind = 6;
    while ((opt = getopt(argc, argv, "swzkn:a:")) != -1) {
        b->spin = b->spin || opt == 's';
        b->sleep = b->sleep || opt == 'w';
        b->in_place = b->in_place || opt == 'z';
        b->check = b->check || opt == 'k';
        if (opt == 'n')
            b->conns = (unsigned)atoi(optarg);
        else if (opt == 'a')
            b->amount = atof(optarg);
        else if (opt == '?')
            return false;
    }
    return optind == argc && b->conns > 0 && b->amount > 0;
}

int main(int argc, char **argv)
{
    struct bench b = {0};
    if (!parse(argc, argv, &b) || !(b.c = calls_named(argv[1])))
        return usage();
    if (b.in_place && !b.c->reserve)
        return usage();
    bool serve = strcmp(argv[3], "serve") == 0;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(argv[2], kinds[i].name) != 0 || !(serve || strcmp(argv[3], "ask") == 0))
            continue;
        if (kinds[i].calls && !b.c->begin(&b.stack, NULL))
            return 1;
        (serve ? kinds[i].serve : kinds[i].ask)(&b);
        if (kinds[i].calls)
            b.c->end(b.stack, 2000);
        return 0;
    }
    return usage();
}
