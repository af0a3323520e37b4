/* See write_whole.h. */
#include "write_whole.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <time.h>

/* Goes past what has been written. */
static void advance(struct iovec **iov, int *n, size_t len)
{
    while (*n > 0 && len >= (*iov)->iov_len) {
        len -= (*iov)->iov_len;
        ++*iov;
        --*n;
    }
    if (*n > 0)
        **iov = (struct iovec){(uint8_t *)(*iov)->iov_base + len, (*iov)->iov_len - len};
}

int write_whole(int fd, struct iovec *iov, int n, size_t *part)
{
    sigset_t raised, pending, before;
    sigemptyset(&raised);
    sigaddset(&raised, SIGPIPE);
    sigaddset(&raised, SIGXFSZ);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &raised, &before);
    size_t done = 0;
    int err = 0;
    advance(&iov, &n, 0); /* empty pieces */
    while (n > 0 && err == 0) {
        ssize_t w = writev(fd, iov, n);
        if (w > 0) {
            done += (size_t)w;
            advance(&iov, &n, (size_t)w);
        } else if (w == 0 || errno != EINTR) {
            err = w == 0 ? -EIO : -errno;
        }
    }
    sigdelset(&raised, err == -EPIPE ? SIGXFSZ : SIGPIPE);
    if ((err == -EPIPE && !sigismember(&pending, SIGPIPE)) ||
        (err == -EFBIG && !sigismember(&pending, SIGXFSZ)))
        sigtimedwait(&raised, NULL, &(struct timespec){0});
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (part)
        *part = done;
    return err;
}
