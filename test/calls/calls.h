/*
 * The socket calls as a table, with the kernel's TCP or ours behind it: a program that is written
 * over the table runs over both.
 *
 * The members are their namesakes of POSIX, with the stack in front, which the kernel's do without.
 * Nothing raises SIGPIPE.
 */
#ifndef CALLS_H
#define CALLS_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

struct nstcp;
struct nstcp_options;

struct calls {
    const char *name;
    /* A stack in the calling thread's network namespace, which the calls on it are to be made in.
     * options: NULL for the defaults. False: a message has been printed. */
    bool (*begin)(struct nstcp **stack, const struct nstcp_options *options);
    int (*end)(struct nstcp *stack, int timeout_ms);
    int (*socket)(struct nstcp *stack, int domain, int type, int protocol);
    int (*bind)(struct nstcp *stack, int sock, const struct sockaddr *addr, socklen_t len);
    int (*listen)(struct nstcp *stack, int sock, int backlog);
    int (*accept4)(struct nstcp *stack, int sock, struct sockaddr *addr, socklen_t *len, int flags);
    int (*connect)(struct nstcp *stack, int sock, const struct sockaddr *addr, socklen_t len);
    ssize_t (*send)(struct nstcp *stack, int sock, const void *buf, size_t len, int flags);
    ssize_t (*recv)(struct nstcp *stack, int sock, void *buf, size_t len, int flags);
    ssize_t (*sendmsg)(struct nstcp *stack, int sock, const struct msghdr *msg, int flags);
    ssize_t (*recvmsg)(struct nstcp *stack, int sock, struct msghdr *msg, int flags);
    int (*shutdown)(struct nstcp *stack, int sock, int how);
    int (*close)(struct nstcp *stack, int sock);
    int (*getsockname)(struct nstcp *stack, int sock, struct sockaddr *addr, socklen_t *len);
    int (*getpeername)(struct nstcp *stack, int sock, struct sockaddr *addr, socklen_t *len);
    int (*setsockopt)(struct nstcp *stack, int sock, int level, int name, const void *value,
                      socklen_t len);
    int (*getsockopt)(struct nstcp *stack, int sock, int level, int name, void *value,
                      socklen_t *len);
    int (*fcntl)(struct nstcp *stack, int sock, int command, int arg);
    int (*ioctl)(struct nstcp *stack, int sock, unsigned long request, int *value);
    int (*poll)(struct nstcp *stack, struct pollfd *fds, nfds_t n, int timeout_ms);
    /* Ours alone; of the others NULL. */
    ssize_t (*reserve)(struct nstcp *stack, int sock, void **buf, size_t len, int flags);
    ssize_t (*commit)(struct nstcp *stack, int sock, size_t len, int flags);
    ssize_t (*borrow)(struct nstcp *stack, int sock, const void **buf, size_t len, int flags);
    int (*release)(struct nstcp *stack, int sock);
};

extern const struct calls calls_kernel, calls_nstcp;

/* By name; NULL for another. */
const struct calls *calls_named(const char *name);

/* Octets that have arrived in order at a socket so far (tcpi_bytes_received). */
uint64_t calls_received(const struct calls *c, struct nstcp *stack, int sock);

#endif
