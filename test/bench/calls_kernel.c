/* The benchmark's calls, by the kernel's TCP with CUBIC whatever the machine's default is. */
#include "calls.h"

#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int with_options(int sock)
{
    const int on = 1;
    setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(sock, IPPROTO_TCP, TCP_CONGESTION, "cubic", strlen("cubic"));
    return sock;
}

static bool begin(void)
{
    return true;
}

static int listen_at(const struct sockaddr_in *addr)
{
    const int on = 1;
    int sock = with_options(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(sock, (const struct sockaddr *)addr, sizeof *addr) < 0 || listen(sock, 64) < 0)
        return -1;
    return sock;
}

static int accept_from(int listener)
{
    int sock = accept(listener, NULL, NULL);
    return sock < 0 ? sock : with_options(sock);
}

static int connect_to(const struct sockaddr_in *addr)
{
    int sock = with_options(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    return connect(sock, (const struct sockaddr *)addr, sizeof *addr) < 0 ? -1 : sock;
}

static ssize_t send_to(int sock, const void *buf, size_t len)
{
    return send(sock, buf, len, MSG_NOSIGNAL);
}

static ssize_t recv_from(int sock, void *buf, size_t len)
{
    return recv(sock, buf, len, 0);
}

static int finish(int sock)
{
    return shutdown(sock, SHUT_WR);
}

static void end(void)
{
}

const struct calls calls_kernel = {"kernel", begin,     listen_at, accept_from, connect_to,
                                   send_to,  recv_from, finish,    close,       end};
