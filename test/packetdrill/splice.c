/* pipe(2), which is the kernel's, and splice(2) between a pipe and a socket: a copy here. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "object.h"

#define AT_ONCE 65536 /* octets: as many as a pipe holds */

static int call_pipe(void *u, int fds[2])
{
    struct object *o = object_enter(u);
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    fds[0] = fds_add_pipe(&o->fds, ends[0]);
    fds[1] = fds_add_pipe(&o->fds, ends[1]);
    if (fds[0] >= 0 && fds[1] >= 0)
        return 0;
    fds_close(&o->fds, ends[0]);
    errno = EMFILE;
    return -1;
}

static int too_early(void)
{
    errno = EAGAIN;
    return -1;
}

static int pipe_octets(int fd)
{
    int n = 0;
    ioctl(fd, FIONREAD, &n);
    return n;
}

/* The pipe's room is found before anything is taken from the socket: nothing can be put back. */
static ssize_t from_socket(struct object *o, int sock, int pipe_end, size_t len, int flags)
{
    char octets[AT_ONCE];
    int room = fcntl(pipe_end, F_GETPIPE_SZ) - pipe_octets(pipe_end);
    if (room <= 0)
        return too_early();
    len = len < (size_t)room ? len : (size_t)room;
    ssize_t n = nstcp_recv(o->stack, sock, octets, len < AT_ONCE ? len : AT_ONCE, flags);
    return n > 0 ? write(pipe_end, octets, (size_t)n) : n;
}

/* Octets that the socket's send queue takes. */
static int socket_room(struct object *o, int sock)
{
    int sndbuf = 0, queued = 0;
    socklen_t len = sizeof sndbuf;
    if (nstcp_getsockopt(o->stack, sock, SOL_SOCKET, SO_SNDBUF, &sndbuf, &len) < 0 ||
        nstcp_ioctl(o->stack, sock, SIOCOUTQ, &queued) < 0)
        return -1;
    return sndbuf > queued ? sndbuf - queued : 0;
}

static ssize_t to_socket(struct object *o, int pipe_end, int sock, size_t len, int flags)
{
    char octets[AT_ONCE];
    int room, ready = pipe_octets(pipe_end);
    if (ready == 0)
        return too_early();
    while ((room = socket_room(o, sock)) == 0) {
        if (flags & MSG_DONTWAIT)
            return too_early();
        struct pollfd fd = {.fd = sock, .events = POLLOUT};
        if (nstcp_poll(o->stack, &fd, 1, -1) < 0)
            return -1;
    }
    if (room < 0)
        return -1;
    len = len < (size_t)room ? len : (size_t)room;
    ssize_t n = read(pipe_end, octets, len < AT_ONCE ? len : AT_ONCE);
    return n > 0 ? nstcp_send(o->stack, sock, octets, (size_t)n, flags) : n;
}

static int call_splice(void *u, int fd_in, loff_t *off_in, int fd_out, loff_t *off_out, size_t len,
                       unsigned flags)
{
    struct object *o = object_enter(u);
    struct fd_entry in = fds_find(&o->fds, fd_in), out = fds_find(&o->fds, fd_out);
    int wait = flags & SPLICE_F_NONBLOCK ? MSG_DONTWAIT : 0;
    (void)off_in;
    (void)off_out;
    if (in.kind == FD_SOCKET && out.kind == FD_PIPE)
        return (int)from_socket(o, in.sock, fd_out, len, wait);
    if (in.kind == FD_PIPE && out.kind == FD_SOCKET)
        return (int)to_socket(o, fd_in, out.sock, len, wait);
    errno = in.kind == FD_FREE || out.kind == FD_FREE ? EBADF : EINVAL;
    return -1;
}

void splice_fill(struct packetdrill_interface *table)
{
    table->pipe = call_pipe;
    table->splice = call_splice;
}
