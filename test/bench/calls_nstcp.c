/* The benchmark's calls, by nstcp. */
#include "calls.h"

#include <nstcp.h>
#include <stdio.h>

static struct nstcp *stack;

static bool begin(void)
{
    char why[NSTCP_WHY_MAX];
    if (nstcp_create(&stack, NULL, why) == 0)
        return true;
    fprintf(stderr, "bench: %s\n", why);
    return false;
}

static int with_options(int sock)
{
    const int on = 1;
    nstcp_setsockopt(stack, sock, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return sock;
}

static int listen_at(const struct sockaddr_in *addr)
{
    int sock = with_options(nstcp_socket(stack, AF_INET, SOCK_STREAM, 0));
    if (nstcp_bind(stack, sock, (const struct sockaddr *)addr, sizeof *addr) < 0 ||
        nstcp_listen(stack, sock, 64) < 0)
        return -1;
    return sock;
}

static int accept_from(int listener)
{
    return nstcp_accept(stack, listener, NULL, NULL);
}

static int connect_to(const struct sockaddr_in *addr)
{
    int sock = with_options(nstcp_socket(stack, AF_INET, SOCK_STREAM, 0));
    return nstcp_connect(stack, sock, (const struct sockaddr *)addr, sizeof *addr) < 0 ? -1 : sock;
}

static ssize_t send_to(int sock, const void *buf, size_t len)
{
    return nstcp_send(stack, sock, buf, len, 0);
}

static ssize_t recv_from(int sock, void *buf, size_t len)
{
    return nstcp_recv(stack, sock, buf, len, 0);
}

static int finish(int sock)
{
    return nstcp_shutdown(stack, sock, SHUT_WR);
}

static int close_it(int sock)
{
    return nstcp_close(stack, sock);
}

static void end(void)
{
    nstcp_destroy(stack, 2000);
}

const struct calls calls_nstcp = {"nstcp", begin,     listen_at, accept_from, connect_to,
                                  send_to, recv_from, finish,    close_it,    end};
