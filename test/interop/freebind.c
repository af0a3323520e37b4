/*
 * What freebind_test.py runs in a node:
 *
 *     freebind bind ADDR [plain]       binds and listens at ADDR, port 40000, with IP_FREEBIND or
 *                                      without; prints "bound" or the error
 *     freebind connect ADDR TO PORT    connects from ADDR, sends 100 000 octets, and prints "same"
 *                                      when they came back
 *     freebind elsewhere ADDR          the same as bind, by a thread that has gone to another
 * network namespace since it made the stack freebind twice ADDR              binds two sockets, the
 * second without IP_FREEBIND, and connects to itself
 */
#include "nstcp.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PORT   40000
#define OCTETS 100000

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static struct nstcp *stack;

static union address address(const char *text, int port)
{
    union address a = {.v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)}};
    if (inet_pton(AF_INET, text, &a.v4.sin_addr) == 1)
        return a;
    a = (union address){.v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)}};
    if (inet_pton(AF_INET6, text, &a.v6.sin6_addr) != 1)
        errx(2, "not an address: %s", text);
    return a;
}

/* A socket bound there; prints the error and returns -1. */
static int bound(const char *text, int port, int freebind)
{
    union address a = address(text, port);
    int sock = nstcp_socket(stack, a.any.sa_family, SOCK_STREAM, 0);
    if (sock < 0)
        err(1, "socket");
    bool v4 = a.any.sa_family == AF_INET;
    if (nstcp_setsockopt(stack, sock, v4 ? IPPROTO_IP : IPPROTO_IPV6,
                         v4 ? IP_FREEBIND : IPV6_FREEBIND, &freebind, sizeof freebind) < 0)
        err(1, "setsockopt");
    if (nstcp_bind(stack, sock, &a.any, sizeof a) == 0)
        return sock;
    printf("%s\n", strerror(errno));
    return -1;
}

static int bind_there(const char *text, int freebind)
{
    int sock = bound(text, PORT, freebind);
    if (sock < 0)
        return 0;
    if (nstcp_listen(stack, sock, 5) < 0)
        err(1, "listen");
    puts("bound");
    return 0;
}

static int bind_from_elsewhere(const char *text)
{
    if (unshare(CLONE_NEWNET) < 0)
        err(1, "unshare");
    return bind_there(text, 1);
}

static int connect_from(const char *from, const char *to, int port)
{
    static unsigned char out[OCTETS], in[OCTETS];
    int sock = bound(from, 0, 1);
    if (sock < 0)
        return 1;
    union address a = address(to, port), name;
    socklen_t len = sizeof name;
    if (nstcp_connect(stack, sock, &a.any, sizeof a) < 0)
        err(1, "connect");
    char text[INET6_ADDRSTRLEN];
    nstcp_getsockname(stack, sock, &name.any, &len);
    if (name.any.sa_family == AF_INET)
        inet_ntop(AF_INET, &name.v4.sin_addr, text, sizeof text);
    else
        inet_ntop(AF_INET6, &name.v6.sin6_addr, text, sizeof text);
    printf("from %s\n", text);
    fflush(stdout);
    for (size_t i = 0; i < OCTETS; i++)
        out[i] = (unsigned char)(i % 251);
    if (nstcp_send(stack, sock, out, OCTETS, 0) != OCTETS ||
        nstcp_recv(stack, sock, in, OCTETS, MSG_WAITALL) != OCTETS)
        err(1, "send and recv");
    puts(memcmp(in, out, OCTETS) == 0 ? "same" : "other octets");
    fflush(stdout);
    getchar(); /* until its input ends, so that somebody may look */
    return 0;
}

static int twice(const char *text)
{
    int first = bound(text, PORT, 1), second = bound(text, PORT + 1, 0);
    if (first < 0 || second < 0)
        return 1;
    union address a = address(text, PORT);
    int sock = nstcp_socket(stack, a.any.sa_family, SOCK_STREAM, 0);
    nstcp_listen(stack, first, 5);
    int result = nstcp_connect(stack, sock, &a.any, sizeof a);
    puts(result < 0 ? strerror(errno) : "connected");
    return 0;
}

int main(int argc, char **argv)
{
    char why[NSTCP_WHY_MAX];
    if (argc < 3 || nstcp_create(&stack, NULL, why) < 0)
        errx(2, "%s", argc < 3 ? "usage" : why);
    int status = 2;
    if (strcmp(argv[1], "bind") == 0)
        status = bind_there(argv[2], argc == 3);
    else if (strcmp(argv[1], "elsewhere") == 0)
        status = bind_from_elsewhere(argv[2]);
    else if (strcmp(argv[1], "connect") == 0 && argc == 5)
        status = connect_from(argv[2], argv[3], atoi(argv[4]));
    else if (strcmp(argv[1], "twice") == 0)
        status = twice(argv[2]);
    nstcp_destroy(stack, 5000);
    return status;
}
