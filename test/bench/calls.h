/* The socket calls that the benchmark needs, as a table: the kernel's TCP or ours behind it. */
#ifndef CALLS_H
#define CALLS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/types.h>

/* Each fails with -1 and errno, like its namesake. Sockets block, with TCP_NODELAY. */
struct calls {
    const char *name;
    bool (*begin)(void); /* false: a message has been printed */
    int (*listen)(const struct sockaddr_in *addr);
    int (*accept)(int listener);
    int (*connect)(const struct sockaddr_in *addr);
    ssize_t (*send)(int sock, const void *buf, size_t len);
    ssize_t (*recv)(int sock, void *buf, size_t len);
    int (*finish)(int sock); /* shutdown(SHUT_WR) */
    int (*close)(int sock);
    void (*end)(void);
};

extern const struct calls calls_kernel, calls_nstcp;

#endif
