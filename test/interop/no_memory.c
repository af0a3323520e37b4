/* Every allocation fails once, from nstcp_create to a bind to an address of our own, and so does
 * every descriptor: the call says why, the next one succeeds, and no descriptor is left open. Run
 * in host1 of the lab; says what is wrong, and ends with status 1. */
#include <arpa/inet.h>
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "nstcp.h"

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *ptr, size_t size);

static atomic_int until_failure = -1; /* allocations that succeed before one that fails */

static atomic_bool failed;

static bool fails(void)
{
    if (until_failure < 0 || until_failure-- > 0)
        return false;
    failed = true;
    errno = ENOMEM;
    return true;
}

#pragma GCC visibility push(default) /* the libraries' calls come here, too */

void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *ptr, size_t size)
{
    return fails() ? NULL : __libc_realloc(ptr, size);
}

#pragma GCC visibility pop

static int count_descriptors(void)
{
    int n = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (dir && readdir(dir))
        n++;
    closedir(dir);
    return n;
}

/* 0, or the errno of the first call that failed. */
static int use_a_stack(void)
{
    struct nstcp *stack;
    struct sockaddr_in6 addr = {.sin6_family = AF_INET6, .sin6_port = htons(40000)};
    inet_pton(AF_INET6, "fd00:0:0:1::77", &addr.sin6_addr);
    const int on = 1;
    if (nstcp_create(&stack, NULL, NULL) < 0)
        return errno;
    int sock = nstcp_socket(stack, AF_INET6, SOCK_STREAM, 0), error = 0;
    if (sock < 0 ||
        nstcp_setsockopt(stack, sock, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof on) < 0 ||
        nstcp_bind(stack, sock, (struct sockaddr *)&addr, sizeof addr) < 0 ||
        nstcp_listen(stack, sock, 1) < 0)
        error = errno;
    until_failure = -1;
    nstcp_destroy(stack, 0);
    return error;
}

static void check(int error, bool expected, const char *what, int n, int before)
{
    until_failure = -1;
    if (!expected)
        errx(1, "%s %d: %s", what, n, strerror(error));
    if (count_descriptors() != before)
        errx(1, "%s %d: %d descriptors instead of %d", what, n, count_descriptors(), before);
}

int main(void)
{
    int before = count_descriptors(), n = 0, error;
    do { /* EAGAIN: pthread_create's; and some do well without: /etc/services is not read then */
        failed = false;
        until_failure = n;
        error = use_a_stack();
        check(error, error == 0 || error == ENOMEM || error == EAGAIN, "allocation", n++, before);
    } while (failed);
    struct rlimit all, limit;
    getrlimit(RLIMIT_NOFILE, &all);
    limit = all;
    int left = 0;
    do {
        limit.rlim_cur = (rlim_t)(before - 3 + left); /* without ".", ".." and the folder's own */
        setrlimit(RLIMIT_NOFILE, &limit);
        error = use_a_stack();
        setrlimit(RLIMIT_NOFILE, &all);
        check(error, error == 0 || error == EMFILE, "descriptor", left++, before);
    } while (error != 0);
    if (left < 4)
        errx(1, "the limit had no effect");
    return 0;
}
