/* See store.h. */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where a file of this name goes: behind links. */
static bool find_path(const char *name, char path[PATH_MAX])
{
    struct stat st;
    size_t len = strlen(name);
    if (len >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return false;
    }
    if (realpath(name, path)) {
        if (stat(path, &st) < 0)
            return false;
        errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
        return S_ISREG(st.st_mode) && faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0;
    }
    if (errno != ENOENT || len == 0 || lstat(name, &st) == 0)
        return false; /* a link to nothing */
    memcpy(path, name, len + 1);
    errno = EISDIR;
    return name[len - 1] != '/';
}

bool store_begin(struct store *s, const char *name)
{
    s->fd = -1;
    if (!find_path(name, s->path))
        return false;
    const char *slash = strrchr(s->path, '/');
    int dir_len = slash ? (int)(slash + 1 - s->path) : 0;
    if (snprintf(s->temp, PATH_MAX, "%.*s.fileserver.XXXXXX", dir_len, s->path) >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return false;
    }
    s->fd = mkostemp(s->temp, O_CLOEXEC);
    if (s->fd < 0)
        return false;
    mode_t mask = umask(0);
    umask(mask);
    if (fchmod(s->fd, 0666 & ~mask) == 0)
        return true;
    store_end(s);
    return false;
}

bool store_write(struct store *s, const void *data, size_t len)
{
    for (const char *at = data; len > 0;) {
        ssize_t n = write(s->fd, at, len);
        if (n < 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

bool store_finish(struct store *s)
{
    if (fsync(s->fd) < 0 || rename(s->temp, s->path) < 0)
        return false;
    close(s->fd);
    s->fd = -1;
    return true;
}

void store_end(struct store *s)
{
    int error = errno;
    if (s->fd >= 0) {
        unlink(s->temp);
        close(s->fd);
    }
    s->fd = -1;
    errno = error;
}
