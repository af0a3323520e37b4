/* getsockopt, setsockopt, fcntl, ioctl: by lib/api, and besides what packetdrill asks of any stack
 * whose scripts have Python code. */
#include <errno.h>
#include <linux/sockios.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>

#include "object.h"
#include "options.h"

/* As large as packetdrill's idea of struct tcp_info: it takes no less. */
#define TCP_INFO_SIZE 280

/* SO_MEMINFO (linux/sock_diag.h), as far as it has a meaning here. */
struct meminfo {
    uint32_t rmem_alloc, rcvbuf, wmem_alloc, sndbuf, fwd_alloc, wmem_queued, optmem, backlog, drops;
};

static int put(const void *from, socklen_t size, void *to, socklen_t *len)
{
    *len = *len < size ? *len : size;
    memcpy(to, from, *len);
    return 0;
}

static int get_tcp_info(struct object *o, int sock, void *value, socklen_t *len)
{
    uint8_t info[TCP_INFO_SIZE] = {0};
    socklen_t size = sizeof info;
    if (nstcp_getsockopt(o->stack, sock, IPPROTO_TCP, TCP_INFO, info, &size) < 0)
        return -1;
    return put(info, sizeof info, value, len);
}

static uint32_t get_size(struct object *o, int sock, int name)
{
    int size = 0;
    nstcp_getsockopt(o->stack, sock, SOL_SOCKET, name, &size, &(socklen_t){sizeof size});
    return (uint32_t)size;
}

static int get_meminfo(struct object *o, int sock, void *value, socklen_t *len)
{
    int unread = 0, unacked = 0;
    nstcp_ioctl(o->stack, sock, FIONREAD, &unread); /* fails on a listener, which has neither */
    nstcp_ioctl(o->stack, sock, SIOCOUTQ, &unacked);
    const struct meminfo info = {
        .rmem_alloc = (uint32_t)unread,
        .rcvbuf = get_size(o, sock, SO_RCVBUF),
        .wmem_alloc = (uint32_t)unacked,
        .sndbuf = get_size(o, sock, SO_SNDBUF),
        .wmem_queued = (uint32_t)unacked,
    };
    return put(&info, sizeof info, value, len);
}

/* socket(7): Linux gives back twice what was set. lib/api gives it back as it is. */
static int get_buffer(struct object *o, int sock, int name, void *value, socklen_t *len)
{
    int size = 0;
    socklen_t size_len = sizeof size;
    if (nstcp_getsockopt(o->stack, sock, SOL_SOCKET, name, &size, &size_len) < 0)
        return -1;
    runtime_lock(o->stack->rt);
    const struct slot_options *set = slot_find(o->stack, sock)->options;
    bool was_set = (name == SO_SNDBUF ? set->tcp.sndbuf : set->tcp.rcvbuf) > 0;
    runtime_unlock(o->stack->rt);
    size = was_set ? 2 * size : size;
    return put(&size, sizeof size, value, len);
}

int object_getsockopt(struct object *o, int fd, int level, int name, void *value, socklen_t *len)
{
    int sock = fds_sock(&o->fds, fd);
    if (sock < 0) {
        errno = EBADF;
        return -1;
    }
    switch (OPTION(level, name)) {
    case OPTION(IPPROTO_TCP, TCP_INFO):
        return get_tcp_info(o, sock, value, len);
    case OPTION(IPPROTO_TCP, TCP_CC_INFO):
        *len = 0; /* as Linux where congestion control has nothing to tell */
        return 0;
    case OPTION(SOL_SOCKET, SO_SNDBUF):
    case OPTION(SOL_SOCKET, SO_RCVBUF):
        return get_buffer(o, sock, name, value, len);
    case OPTION(SOL_SOCKET, SO_MEMINFO):
        return get_meminfo(o, sock, value, len);
    case OPTION(SOL_SOCKET, SO_PEERNAME):
        return nstcp_getpeername(o->stack, sock, value, len);
    default:
        return nstcp_getsockopt(o->stack, sock, level, name, value, len);
    }
}

static int call_getsockopt(void *u, int fd, int level, int name, void *value, socklen_t *len)
{
    return object_getsockopt(object_enter(u), fd, level, name, value, len);
}

static int call_setsockopt(void *u, int fd, int level, int name, const void *value, socklen_t len)
{
    struct object *o = object_enter(u);
    return nstcp_setsockopt(o->stack, fds_sock(&o->fds, fd), level, name, value, len);
}

static int call_fcntl(void *u, int fd, int command, ...)
{
    struct object *o = object_enter(u);
    int arg = 0;
    if (command == F_SETFL) {
        va_list args;
        va_start(args, command);
        arg = va_arg(args, int);
        va_end(args);
    }
    return nstcp_fcntl(o->stack, fds_sock(&o->fds, fd), command, arg);
}

/* All that lib/api knows have an int to fill in; packetdrill passes none for others. */
static int call_ioctl(void *u, int fd, unsigned long request, ...)
{
    struct object *o = object_enter(u);
    int *value = NULL;
    if (request == FIONREAD || request == SIOCOUTQ || request == FIONBIO) {
        va_list args;
        va_start(args, request);
        value = va_arg(args, int *);
        va_end(args);
    }
    return nstcp_ioctl(o->stack, fds_sock(&o->fds, fd), request, value);
}

void options_fill(struct packetdrill_interface *table)
{
    table->getsockopt = call_getsockopt;
    table->setsockopt = call_setsockopt;
    table->fcntl = call_fcntl;
    table->ioctl = call_ioctl;
}
