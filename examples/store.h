/*
 * A file that appears under its name when it is whole, and not before: it is written under another
 * name in the same directory, and takes its own by rename(2). For fileserver.
 *
 * A name that exists already must be that of a file we may write, which is replaced then, or of a
 * link to one. Who is killed (SIGKILL) leaves ".fileserver.XXXXXX" behind.
 */
#ifndef STORE_H
#define STORE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

struct store {
    char path[PATH_MAX], temp[PATH_MAX];
    int fd;
};

/* False with errno: what stands in the way of the name. */
bool store_begin(struct store *s, const char *name);

/* False with errno. */
bool store_write(struct store *s, const void *data, size_t len);

/* All has been written: gives the file its name once it is on the disk. False with errno. */
bool store_finish(struct store *s);

/* Takes everything back, unless the file has its name. Keeps errno. */
void store_end(struct store *s);

#endif
