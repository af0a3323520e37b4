/* Sockets from their beginning to their end, by lib/api. */
#include <errno.h>

#include "object.h"

/* Sysctls and flags hold from now on, for all connections, as most of Linux's do. */
static void apply_settings(struct object *o)
{
    struct sysctls now;
    sysctls_read(&now);
    runtime_lock(o->stack->rt);
    const struct tcp_config tcp = settings(&o->flags, &o->at_load, &now);
    *virtual_tcp_config(o->stack->rt) = tcp;
    o->stack->sndbuf_default = tcp.sndbuf;
    o->stack->rcvbuf_default = tcp.rcvbuf;
    o->stack->defaults.value.tcp.cc = tcp.cc;
    runtime_unlock(o->stack->rt);
}

/* The descriptor of a socket that has just been made; -1: it was none, or there is no descriptor.
 */
static int give_out(struct object *o, int sock)
{
    int fd = sock < 0 ? -1 : fds_add_socket(&o->fds, sock);
    if (sock >= 0 && fd < 0) {
        int err = errno;
        nstcp_close(o->stack, sock);
        errno = err;
    }
    return fd;
}

static int call_socket(void *u, int domain, int type, int protocol)
{
    struct object *o = object_enter(u);
    apply_settings(o);
    return give_out(o, nstcp_socket(o->stack, domain, type, protocol));
}

static int call_bind(void *u, int fd, const struct sockaddr *addr, socklen_t len)
{
    struct object *o = object_enter(u);
    return nstcp_bind(o->stack, fds_sock(&o->fds, fd), addr, len);
}

static int call_listen(void *u, int fd, int backlog)
{
    struct object *o = object_enter(u);
    return nstcp_listen(o->stack, fds_sock(&o->fds, fd), backlog);
}

static int call_accept(void *u, int fd, struct sockaddr *addr, socklen_t *len)
{
    struct object *o = object_enter(u);
    return give_out(o, nstcp_accept(o->stack, fds_sock(&o->fds, fd), addr, len));
}

static int call_connect(void *u, int fd, const struct sockaddr *addr, socklen_t len)
{
    struct object *o = object_enter(u);
    return nstcp_connect(o->stack, fds_sock(&o->fds, fd), addr, len);
}

static int call_shutdown(void *u, int fd, int how)
{
    struct object *o = object_enter(u);
    return nstcp_shutdown(o->stack, fds_sock(&o->fds, fd), how);
}

/* The descriptor first: from then on it may be another's, as with close(2). */
int object_close(struct object *o, int fd)
{
    struct fd_entry e = fds_find(&o->fds, fd);
    epoll_forget(o, fd);
    fds_close(&o->fds, fd);
    switch (e.kind) {
    case FD_SOCKET:
        return nstcp_close(o->stack, e.sock);
    case FD_EPOLL:
        epoll_close(o, e.epoll);
        return 0;
    case FD_PIPE:
        return 0;
    case FD_FREE:
        break;
    }
    errno = EBADF;
    return -1;
}

static int call_close(void *u, int fd)
{
    return object_close(object_enter(u), fd);
}

void calls_fill(struct packetdrill_interface *table)
{
    table->socket = call_socket;
    table->bind = call_bind;
    table->listen = call_listen;
    table->accept = call_accept;
    table->connect = call_connect;
    table->shutdown = call_shutdown;
    table->close = call_close;
}
