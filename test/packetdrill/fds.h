/*
 * The descriptors that packetdrill is given. At the end of a script it hands those that are still
 * open to close(2) of the C library, and where a script has Python code to getsockopt(2). So they
 * are either real ones, an eventfd(2) each, which can be closed and nothing more; or, where
 * somebody has preloaded what catches both calls (preload.c), numbers from 1000 up. The ends of a
 * pipe are the kernel's.
 *
 * Thread-safe.
 */
#ifndef FDS_H
#define FDS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define FDS_MAX          256
#define FDS_NUMBER_FIRST 1000

enum fd_kind {
    FD_FREE,
    FD_SOCKET,
    FD_EPOLL,
    FD_PIPE,
};

struct epoll;

struct fd_entry {
    enum fd_kind kind;
    int fd;
    int sock;            /* FD_SOCKET: its number in the stack */
    struct epoll *epoll; /* FD_EPOLL */
    uint64_t mark;       /* what tells our descriptor from another of the same number */
};

struct fds {
    pthread_mutex_t lock;
    bool numbers; /* instead of descriptors */
    uint64_t marks;
    struct fd_entry entries[FDS_MAX];
};

void fds_init(struct fds *fds, bool numbers);

/* Closes the descriptors that nobody has closed yet. */
void fds_finish(struct fds *fds);

/* A descriptor for the socket of this number, or the epoll. -1: EMFILE and others. */
int fds_add_socket(struct fds *fds, int sock);
int fds_add_epoll(struct fds *fds, struct epoll *epoll);

/* Takes over an end of a pipe. -1: EMFILE; then it is closed. */
int fds_add_pipe(struct fds *fds, int fd);

/* What the descriptor stands for; FD_FREE when it is none of ours. */
struct fd_entry fds_find(struct fds *fds, int fd);

/* The socket's number; -1, which is none, for another kind. */
int fds_sock(struct fds *fds, int fd);

/* Closes and forgets the descriptor; what it stood for is the caller's to end. */
void fds_close(struct fds *fds, int fd);

#endif
