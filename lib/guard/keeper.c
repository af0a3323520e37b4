/* A thread with descriptors of its own, and the mailbox through which it is given work; see
 * keeper.h. */
#include "keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "thread.h"

struct keeper {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int (*work)(void *arg); /* NULL: none, or done */
    void *arg;
    int result;
    bool stop;
};

/* Leaves the program's descriptors to the program. 0 to 2 stay taken by something that can't be
 * written to: a message of the C library's shall not end up in a netlink socket. */
static int own_descriptors(void *arg)
{
    (void)arg;
    if (close_range(0, UINT_MAX, CLOSE_RANGE_UNSHARE) < 0)
        return -errno;
    for (int fd = 0; fd <= STDERR_FILENO; fd++) {
        if (open("/", O_PATH | O_CLOEXEC) < 0)
            return -errno;
    }
    return 0;
}

/* The thread sanitizer, where there is one, takes a process to have one descriptor table, and would
 * see races between descriptors of ours and of the program's that have the same number. */
void __tsan_ignore_thread_begin(void) __attribute__((weak));
void __tsan_ignore_thread_end(void) __attribute__((weak));

static int run_unwatched(int (*work)(void *arg), void *arg)
{
    if (__tsan_ignore_thread_begin)
        __tsan_ignore_thread_begin();
    int result = work(arg);
    if (__tsan_ignore_thread_end)
        __tsan_ignore_thread_end();
    return result;
}

/* Works with the lock held: whoever has given the work waits for it. */
static void *keeper_thread(void *arg)
{
    struct keeper *k = arg;
    pthread_setname_np(pthread_self(), "nstcp-keeper");
    pthread_mutex_lock(&k->lock);
    while (!k->stop) {
        if (k->work) {
            k->result = run_unwatched(k->work, k->arg);
            k->work = NULL;
            pthread_cond_signal(&k->changed);
        }
        pthread_cond_wait(&k->changed, &k->lock);
    }
    pthread_mutex_unlock(&k->lock);
    return NULL;
}

int keeper_create(struct keeper **out)
{
    struct keeper *k = calloc(1, sizeof *k);
    if (k == NULL)
        return -ENOMEM;
    pthread_mutex_init(&k->lock, NULL);
    pthread_cond_init(&k->changed, NULL);
    int err = thread_start(&k->thread, keeper_thread, k);
    if (err < 0) {
        free(k);
        return err;
    }
    err = keeper_do(k, own_descriptors, NULL);
    if (err < 0)
        keeper_destroy(k);
    else
        *out = k;
    return err;
}

int keeper_do(struct keeper *k, int (*work)(void *arg), void *arg)
{
    pthread_mutex_lock(&k->lock);
    k->work = work;
    k->arg = arg;
    pthread_cond_signal(&k->changed);
    while (k->work)
        pthread_cond_wait(&k->changed, &k->lock);
    int result = k->result;
    pthread_mutex_unlock(&k->lock);
    return result;
}

void keeper_destroy(struct keeper *k)
{
    pthread_mutex_lock(&k->lock);
    k->stop = true;
    pthread_cond_signal(&k->changed);
    pthread_mutex_unlock(&k->lock);
    pthread_join(k->thread, NULL);
    pthread_cond_destroy(&k->changed);
    pthread_mutex_destroy(&k->lock);
    free(k);
}
