/* Descriptors and what they stand for. See fds.h. */
#include "fds.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

void fds_init(struct fds *fds, bool numbers)
{
    *fds = (struct fds){.numbers = numbers};
    pthread_mutex_init(&fds->lock, NULL);
}

/* Lock held. */
static struct fd_entry *find(struct fds *fds, int fd)
{
    for (int i = 0; i < FDS_MAX; i++) {
        if (fds->entries[i].kind != FD_FREE && fds->entries[i].fd == fd)
            return &fds->entries[i];
    }
    return NULL;
}

static int lowest_number(struct fds *fds)
{
    int fd = FDS_NUMBER_FIRST;
    while (find(fds, fd))
        fd++;
    return fd;
}

/* An eventfd counts: its count, which is seen in /proc, is the mark. */
static uint64_t mark_of_eventfd(int fd)
{
    char name[64], line[128];
    uint64_t count = 0;
    snprintf(name, sizeof name, "/proc/self/fdinfo/%d", fd);
    FILE *f = fopen(name, "re");
    while (f && fgets(line, sizeof line, f) && sscanf(line, "eventfd-count: %" SCNx64, &count) != 1)
        ;
    if (f)
        fclose(f);
    return count;
}

static uint64_t mark_of_pipe(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 ? st.st_ino : 0;
}

/* Puts it in the table. Lock held. */
static int add(struct fds *fds, struct fd_entry entry)
{
    if (entry.fd < 0)
        return -1;
    for (int i = 0; i < FDS_MAX; i++) {
        if (fds->entries[i].kind == FD_FREE) {
            fds->entries[i] = entry;
            return entry.fd;
        }
    }
    if (entry.kind == FD_PIPE || !fds->numbers)
        close(entry.fd);
    errno = EMFILE;
    return -1;
}

static int add_ours(struct fds *fds, struct fd_entry entry)
{
    pthread_mutex_lock(&fds->lock);
    entry.mark = ++fds->marks;
    entry.fd = fds->numbers ? lowest_number(fds)
                            : eventfd((unsigned)entry.mark, EFD_CLOEXEC | EFD_NONBLOCK);
    int fd = add(fds, entry);
    pthread_mutex_unlock(&fds->lock);
    return fd;
}

int fds_add_socket(struct fds *fds, int sock)
{
    return add_ours(fds, (struct fd_entry){.kind = FD_SOCKET, .sock = sock});
}

int fds_add_epoll(struct fds *fds, struct epoll *epoll)
{
    return add_ours(fds, (struct fd_entry){.kind = FD_EPOLL, .epoll = epoll});
}

int fds_add_pipe(struct fds *fds, int fd)
{
    pthread_mutex_lock(&fds->lock);
    int result = add(fds, (struct fd_entry){.kind = FD_PIPE, .fd = fd, .mark = mark_of_pipe(fd)});
    pthread_mutex_unlock(&fds->lock);
    return result;
}

struct fd_entry fds_find(struct fds *fds, int fd)
{
    pthread_mutex_lock(&fds->lock);
    const struct fd_entry *e = find(fds, fd);
    struct fd_entry copy = e ? *e : (struct fd_entry){0};
    pthread_mutex_unlock(&fds->lock);
    return copy;
}

int fds_sock(struct fds *fds, int fd)
{
    struct fd_entry e = fds_find(fds, fd);
    return e.kind == FD_SOCKET ? e.sock : -1;
}

static void close_descriptor(const struct fds *fds, const struct fd_entry *e)
{
    if (e->kind == FD_PIPE || !fds->numbers)
        close(e->fd);
}

void fds_close(struct fds *fds, int fd)
{
    pthread_mutex_lock(&fds->lock);
    struct fd_entry *e = find(fds, fd);
    if (e) {
        close_descriptor(fds, e);
        *e = (struct fd_entry){0};
    }
    pthread_mutex_unlock(&fds->lock);
}

/* packetdrill has closed most, behind our back, and the numbers may be others' by now. */
void fds_finish(struct fds *fds)
{
    for (int i = 0; i < FDS_MAX; i++) {
        const struct fd_entry *e = &fds->entries[i];
        uint64_t mark = e->kind == FD_PIPE ? mark_of_pipe(e->fd) : mark_of_eventfd(e->fd);
        if (e->kind != FD_FREE && mark == e->mark)
            close_descriptor(fds, e);
    }
    pthread_mutex_destroy(&fds->lock);
}
