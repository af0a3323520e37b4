/* The socket calls as a table: the kernel's TCP or ours behind it, for programs that are to do the
 * same with both. */
#ifndef CALLS_H
#define CALLS_H

#include <nstcp.h>
#include <stdbool.h>

/* Each fails with -1 and errno, like its namesake. */
struct calls {
    const char *name;
    /* Before all others; options may be NULL. False: why has a sentence. */
    bool (*begin)(const struct nstcp_options *options, char why[NSTCP_WHY_MAX]);
    int (*socket)(int domain, int type, int protocol);
    int (*bind)(int sock, const struct sockaddr *addr, socklen_t len);
    int (*listen)(int sock, int backlog);
    int (*accept)(int sock, struct sockaddr *addr, socklen_t *len);
    int (*connect)(int sock, const struct sockaddr *addr, socklen_t len);
    ssize_t (*send)(int sock, const void *buf, size_t len, int flags); /* no SIGPIPE */
    ssize_t (*recv)(int sock, void *buf, size_t len, int flags);
    int (*shutdown)(int sock, int how);
    int (*close)(int sock);
    int (*getsockname)(int sock, struct sockaddr *addr, socklen_t *len);
    int (*getpeername)(int sock, struct sockaddr *addr, socklen_t *len);
    int (*setsockopt)(int sock, int level, int name, const void *value, socklen_t len);
    int (*getsockopt)(int sock, int level, int name, void *value, socklen_t *len);
    int (*fcntl)(int sock, int command, int arg);
    int (*poll)(struct pollfd *fds, nfds_t n, int timeout_ms);
    int (*end)(int timeout_ms); /* nstcp_destroy; nothing with the kernel */
};

extern const struct calls calls_kernel, calls_nstcp;

/* "kernel" or "nstcp"; NULL for another name. */
const struct calls *calls_named(const char *name);

#endif
