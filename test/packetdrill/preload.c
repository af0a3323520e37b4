/*
 * To be preloaded into packetdrill (LD_PRELOAD): catches getsockopt(2) and close(2) on the
 * descriptors of a shared object under test. Scripts with Python code, %{ ... }%, need it:
 * packetdrill asks the C library for their TCP_INFO.
 *
 * The object's descriptors are the numbers from 1000 up. Calls on all others go to the C library,
 * and so do those of the object itself, which packetdrill loads with RTLD_DEEPBIND.
 */
#include "preload.h"

#include <dlfcn.h>
#include <unistd.h>

#define NUMBER_FIRST 1000

static int (*object_getsockopt)(int fd, int level, int name, void *value, socklen_t *len);
static int (*object_close)(int fd);

void pd_register(int (*getsockopt_fn)(int fd, int level, int name, void *value, socklen_t *len),
                 int (*close_fn)(int fd))
{
    object_getsockopt = getsockopt_fn;
    object_close = close_fn;
}

__attribute__((visibility("default"))) int getsockopt(int fd, int level, int name, void *value,
                                                      socklen_t *restrict len)
{
    static int (*libc)(int fd, int level, int name, void *value, socklen_t *len);
    if (fd >= NUMBER_FIRST && object_getsockopt)
        return object_getsockopt(fd, level, name, value, len);
    if (!libc)
        *(void **)&libc = dlsym(RTLD_NEXT, "getsockopt");
    return libc(fd, level, name, value, len);
}

__attribute__((visibility("default"))) int close(int fd)
{
    static int (*libc)(int fd);
    if (fd >= NUMBER_FIRST && object_close)
        return object_close(fd);
    if (!libc)
        *(void **)&libc = dlsym(RTLD_NEXT, "close");
    return libc(fd);
}
