/*
 * What packetdrill asks of a shared object that it loads in place of the kernel (--so_filename):
 * one symbol, packetdrill_interface_init, which fills in a table of 33 pointers in this order.
 *
 * Results and errno are those of the system call of the same name. packetdrill has a main thread,
 * which may make all calls, and a second one, which makes one blocking system call at a time and
 * asks for the time as soon as that has returned.
 */
#ifndef INTERFACE_H
#define INTERFACE_H

#include <poll.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>

struct packetdrill_interface {
    void *userdata; /* the first argument of every call */
    void (*free)(void *u);
    int (*socket)(void *u, int domain, int type, int protocol);
    int (*bind)(void *u, int fd, const struct sockaddr *addr, socklen_t len);
    int (*listen)(void *u, int fd, int backlog);
    int (*accept)(void *u, int fd, struct sockaddr *addr, socklen_t *len);
    int (*connect)(void *u, int fd, const struct sockaddr *addr, socklen_t len);
    ssize_t (*read)(void *u, int fd, void *buf, size_t len);
    ssize_t (*readv)(void *u, int fd, const struct iovec *iov, int n);
    ssize_t (*recv)(void *u, int fd, void *buf, size_t len, int flags);
    ssize_t (*recvfrom)(void *u, int fd, void *buf, size_t len, int flags, struct sockaddr *addr,
                        socklen_t *addrlen);
    ssize_t (*recvmsg)(void *u, int fd, struct msghdr *msg, int flags);
    ssize_t (*write)(void *u, int fd, const void *buf, size_t len);
    ssize_t (*writev)(void *u, int fd, const struct iovec *iov, int n);
    ssize_t (*send)(void *u, int fd, const void *buf, size_t len, int flags);
    ssize_t (*sendto)(void *u, int fd, const void *buf, size_t len, int flags,
                      const struct sockaddr *addr, socklen_t addrlen);
    ssize_t (*sendmsg)(void *u, int fd, const struct msghdr *msg, int flags);
    int (*fcntl)(void *u, int fd, int command, ...);           /* nothing more, or one int */
    int (*ioctl)(void *u, int fd, unsigned long request, ...); /* nothing more, or one int * */
    int (*close)(void *u, int fd);
    int (*shutdown)(void *u, int fd, int how);
    int (*getsockopt)(void *u, int fd, int level, int name, void *value, socklen_t *len);
    int (*setsockopt)(void *u, int fd, int level, int name, const void *value, socklen_t len);
    int (*poll)(void *u, struct pollfd *fds, nfds_t n, int timeout_ms);

    /* A packet on its way to the stack: a whole IP datagram. */
    int (*netdev_send)(void *u, const void *packet, size_t len);

    /* The next packet of the stack's, and when it left, on the clock of gettimeofday. *len: the
     * room in buf, then the packet's size; 0: none will come. Waits. */
    int (*netdev_receive)(void *u, void *buf, size_t *len, long long *time_us);

    int (*usleep)(void *u, useconds_t us);
    int (*gettimeofday)(void *u, struct timeval *tv, struct timezone *tz);
    int (*epoll_create)(void *u, int size);
    int (*epoll_ctl)(void *u, int epfd, int op, int fd, struct epoll_event *event);
    int (*epoll_wait)(void *u, int epfd, struct epoll_event *events, int max, int timeout_ms);
    int (*pipe)(void *u, int fds[2]);
    int (*splice)(void *u, int fd_in, loff_t *off_in, int fd_out, loff_t *off_out, size_t len,
                  unsigned flags); /* the offsets are always given and mean nothing */
};

/* flags: --so_flags, or NULL; see flags.h. The table arrives zeroed. */
__attribute__((visibility("default"))) void
packetdrill_interface_init(const char *flags, struct packetdrill_interface *table);

#endif
