/* The table of calls, by nstcp: one stack for the program. */
#include "calls.h"

static struct nstcp *stack;

static bool begin(const struct nstcp_options *options, char why[NSTCP_WHY_MAX])
{
    return nstcp_create(&stack, options, why) == 0;
}

static int open_socket(int domain, int type, int protocol)
{
    return nstcp_socket(stack, domain, type, protocol);
}

static int bind_to(int sock, const struct sockaddr *addr, socklen_t len)
{
    return nstcp_bind(stack, sock, addr, len);
}

static int listen_on(int sock, int backlog)
{
    return nstcp_listen(stack, sock, backlog);
}

static int accept_from(int sock, struct sockaddr *addr, socklen_t *len)
{
    return nstcp_accept(stack, sock, addr, len);
}

static int connect_to(int sock, const struct sockaddr *addr, socklen_t len)
{
    return nstcp_connect(stack, sock, addr, len);
}

static ssize_t send_on(int sock, const void *buf, size_t len, int flags)
{
    return nstcp_send(stack, sock, buf, len, flags);
}

static ssize_t recv_on(int sock, void *buf, size_t len, int flags)
{
    return nstcp_recv(stack, sock, buf, len, flags);
}

static int shut(int sock, int how)
{
    return nstcp_shutdown(stack, sock, how);
}

static int close_it(int sock)
{
    return nstcp_close(stack, sock);
}

static int name_of(int sock, struct sockaddr *addr, socklen_t *len)
{
    return nstcp_getsockname(stack, sock, addr, len);
}

static int peer_of(int sock, struct sockaddr *addr, socklen_t *len)
{
    return nstcp_getpeername(stack, sock, addr, len);
}

static int set(int sock, int level, int name, const void *value, socklen_t len)
{
    return nstcp_setsockopt(stack, sock, level, name, value, len);
}

static int get(int sock, int level, int name, void *value, socklen_t *len)
{
    return nstcp_getsockopt(stack, sock, level, name, value, len);
}

static int control(int sock, int command, int arg)
{
    return nstcp_fcntl(stack, sock, command, arg);
}

static int poll_them(struct pollfd *fds, nfds_t n, int timeout_ms)
{
    return nstcp_poll(stack, fds, n, timeout_ms);
}

static int end(int timeout_ms)
{
    return nstcp_destroy(stack, timeout_ms);
}

const struct calls calls_nstcp = {
    "nstcp", begin,    open_socket, bind_to, listen_on, accept_from, connect_to, send_on,   recv_on,
    shut,    close_it, name_of,     peer_of, set,       get,         control,    poll_them, end,
};
