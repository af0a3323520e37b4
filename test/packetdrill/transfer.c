/* read, write and their kin, by nstcp_recvmsg and nstcp_sendmsg; on pipes by the kernel. */
#include <errno.h>
#include <unistd.h>

#include "object.h"

static ssize_t receive(void *u, int fd, struct msghdr *msg, int flags)
{
    struct object *o = object_enter(u);
    return nstcp_recvmsg(o->stack, fds_sock(&o->fds, fd), msg, flags);
}

static ssize_t transmit(void *u, int fd, const struct msghdr *msg, int flags)
{
    struct object *o = object_enter(u);
    ssize_t n = nstcp_sendmsg(o->stack, fds_sock(&o->fds, fd), msg, flags);
    int err = errno;
    epoll_written(o, fd);
    errno = err;
    return n;
}

static bool is_pipe(void *u, int fd)
{
    struct object *o = u;
    return fds_find(&o->fds, fd).kind == FD_PIPE;
}

static ssize_t call_readv(void *u, int fd, const struct iovec *iov, int n)
{
    if (is_pipe(u, fd))
        return readv(fd, iov, n);
    struct msghdr msg = {.msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = (size_t)n};
    return receive(u, fd, &msg, 0);
}

static ssize_t call_recv(void *u, int fd, void *buf, size_t len, int flags)
{
    struct iovec iov = {buf, len};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    return receive(u, fd, &msg, flags);
}

static ssize_t call_read(void *u, int fd, void *buf, size_t len)
{
    const struct iovec iov = {buf, len};
    return call_readv(u, fd, &iov, 1);
}

/* The peer of a connection is known: no address is given. */
static ssize_t call_recvfrom(void *u, int fd, void *buf, size_t len, int flags,
                             struct sockaddr *addr, socklen_t *addrlen)
{
    (void)addr;
    ssize_t n = call_recv(u, fd, buf, len, flags);
    if (n >= 0 && addrlen)
        *addrlen = 0;
    return n;
}

static ssize_t call_recvmsg(void *u, int fd, struct msghdr *msg, int flags)
{
    return receive(u, fd, msg, flags);
}

static ssize_t call_writev(void *u, int fd, const struct iovec *iov, int n)
{
    if (is_pipe(u, fd))
        return writev(fd, iov, n);
    const struct msghdr msg = {.msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = (size_t)n};
    return transmit(u, fd, &msg, 0);
}

static ssize_t call_send(void *u, int fd, const void *buf, size_t len, int flags)
{
    struct iovec iov = {(void *)(uintptr_t)buf, len};
    const struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    return transmit(u, fd, &msg, flags);
}

static ssize_t call_write(void *u, int fd, const void *buf, size_t len)
{
    const struct iovec iov = {(void *)(uintptr_t)buf, len};
    return call_writev(u, fd, &iov, 1);
}

/* The address of a connection's peer is not looked at, as in Linux, whatever its family. */
static ssize_t call_sendto(void *u, int fd, const void *buf, size_t len, int flags,
                           const struct sockaddr *addr, socklen_t addrlen)
{
    (void)addr;
    (void)addrlen;
    return call_send(u, fd, buf, len, flags);
}

static ssize_t call_sendmsg(void *u, int fd, const struct msghdr *msg, int flags)
{
    return transmit(u, fd, msg, flags);
}

void transfer_fill(struct packetdrill_interface *table)
{
    table->read = call_read;
    table->readv = call_readv;
    table->recv = call_recv;
    table->recvfrom = call_recvfrom;
    table->recvmsg = call_recvmsg;
    table->write = call_write;
    table->writev = call_writev;
    table->send = call_send;
    table->sendto = call_sendto;
    table->sendmsg = call_sendmsg;
}
