/* The table of calls, by the kernel's TCP. */
#include "calls.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool begin(struct nstcp **stack, const struct nstcp_options *options)
{
    (void)options;
    *stack = NULL;
    return true;
}

static int end(struct nstcp *stack, int timeout_ms)
{
    (void)stack;
    (void)timeout_ms;
    return 0;
}

static int k_socket(struct nstcp *stack, int domain, int type, int protocol)
{
    (void)stack;
    return socket(domain, type | SOCK_CLOEXEC, protocol);
}

static int k_bind(struct nstcp *stack, int sock, const struct sockaddr *addr, socklen_t len)
{
    (void)stack;
    return bind(sock, addr, len);
}

static int k_listen(struct nstcp *stack, int sock, int backlog)
{
    (void)stack;
    return listen(sock, backlog);
}

static int k_accept4(struct nstcp *stack, int sock, struct sockaddr *addr, socklen_t *len,
                     int flags)
{
    (void)stack;
    return accept4(sock, addr, len, flags);
}

static int k_connect(struct nstcp *stack, int sock, const struct sockaddr *addr, socklen_t len)
{
    (void)stack;
    return connect(sock, addr, len);
}

static ssize_t k_send(struct nstcp *stack, int sock, const void *buf, size_t len, int flags)
{
    (void)stack;
    return send(sock, buf, len, flags | MSG_NOSIGNAL);
}

static ssize_t k_recv(struct nstcp *stack, int sock, void *buf, size_t len, int flags)
{
    (void)stack;
    return recv(sock, buf, len, flags);
}

static ssize_t k_sendmsg(struct nstcp *stack, int sock, const struct msghdr *msg, int flags)
{
    (void)stack;
    return sendmsg(sock, msg, flags | MSG_NOSIGNAL);
}

static ssize_t k_recvmsg(struct nstcp *stack, int sock, struct msghdr *msg, int flags)
{
    (void)stack;
    return recvmsg(sock, msg, flags);
}

static int k_shutdown(struct nstcp *stack, int sock, int how)
{
    (void)stack;
    return shutdown(sock, how);
}

static int k_close(struct nstcp *stack, int sock)
{
    (void)stack;
    return close(sock);
}

static int k_getsockname(struct nstcp *stack, int sock, struct sockaddr *addr, socklen_t *len)
{
    (void)stack;
    return getsockname(sock, addr, len);
}

static int k_getpeername(struct nstcp *stack, int sock, struct sockaddr *addr, socklen_t *len)
{
    (void)stack;
    return getpeername(sock, addr, len);
}

static int k_setsockopt(struct nstcp *stack, int sock, int level, int name, const void *value,
                        socklen_t len)
{
    (void)stack;
    return setsockopt(sock, level, name, value, len);
}

static int k_getsockopt(struct nstcp *stack, int sock, int level, int name, void *value,
                        socklen_t *len)
{
    (void)stack;
    return getsockopt(sock, level, name, value, len);
}

static int k_fcntl(struct nstcp *stack, int sock, int command, int arg)
{
    (void)stack;
    return fcntl(sock, command, arg);
}

static int k_ioctl(struct nstcp *stack, int sock, unsigned long request, int *value)
{
    (void)stack;
    return ioctl(sock, request, value);
}

static int k_poll(struct nstcp *stack, struct pollfd *fds, nfds_t n, int timeout_ms)
{
    (void)stack;
    return poll(fds, n, timeout_ms);
}

const struct calls calls_kernel = {
    .name = "kernel",
    .begin = begin,
    .end = end,
    .socket = k_socket,
    .bind = k_bind,
    .listen = k_listen,
    .accept4 = k_accept4,
    .connect = k_connect,
    .send = k_send,
    .recv = k_recv,
    .sendmsg = k_sendmsg,
    .recvmsg = k_recvmsg,
    .shutdown = k_shutdown,
    .close = k_close,
    .getsockname = k_getsockname,
    .getpeername = k_getpeername,
    .setsockopt = k_setsockopt,
    .getsockopt = k_getsockopt,
    .fcntl = k_fcntl,
    .ioctl = k_ioctl,
    .poll = k_poll,
};

const struct calls *calls_named(const char *name)
{
    if (strcmp(name, calls_kernel.name) == 0)
        return &calls_kernel;
    return strcmp(name, calls_nstcp.name) == 0 ? &calls_nstcp : NULL;
}
