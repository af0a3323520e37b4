/*
 * Telling a child made by fork() from the process that made the stack. The child has a copy of the
 * stack's memory, with locks that nobody may ever unlock there, and none of its threads.
 *
 * The mark is a page that such a child finds wiped (madvise(2), MADV_WIPEONFORK): looking at it
 * costs no system call, and it knows of every way to fork, also those that pass the C library by.
 */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime_priv.h"

#define MARK_LEN 1 /* rounded up to a page by the kernel */

int fork_mark_create(struct runtime *rt)
{
    bool *mark = mmap(NULL, MARK_LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mark == MAP_FAILED)
        return -errno;
    if (madvise(mark, MARK_LEN, MADV_WIPEONFORK) < 0) {
        int err = -errno;
        munmap(mark, MARK_LEN);
        return err;
    }
    *mark = true;
    rt->not_forked = mark;
    return 0;
}

void fork_mark_free(struct runtime *rt)
{
    if (rt->not_forked)
        munmap(rt->not_forked, MARK_LEN);
}

bool runtime_forked(const struct runtime *rt)
{
    return !*rt->not_forked;
}

void runtime_disown(struct runtime *rt)
{
    if (rt->timer < 0)
        return; /* a second time */
    close(rt->timer);
    close(rt->link->ops->poll_fd(rt->link));
    rt->timer = -1;
}
