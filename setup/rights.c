/* rights.c - capabilities, and the user namespace that stands in for them.
 *
 * See capabilities(7), user_namespaces(7). Only the caller's own user and group are mapped (to
 * root): more would need the set-user-ID helper newuidmap(1).
 */
#include "rights.h"

#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define REMEDY                                                                                     \
    "run as root, or allow user namespaces (sysctl user.max_user_namespaces, "                     \
    "kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns)"

bool rights_admin(void)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
    unsigned int need = 1U << CAP_SYS_ADMIN | 1U << CAP_NET_ADMIN;
    return syscall(SYS_capget, &head, data) == 0 && (data[0].effective & need) == need;
}

static int write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t n = write(fd, text, strlen(text));
    int err = errno;
    close(fd);
    errno = err;
    return n < 0 ? -1 : 0;
}

static int map_to_root(uid_t uid, gid_t gid)
{
    char users[32], groups[32];
    snprintf(users, sizeof(users), "0 %u 1", uid);
    snprintf(groups, sizeof(groups), "0 %u 1", gid);
    /* setgroups must be given up before a group may be mapped. */
    if (write_file("/proc/self/setgroups", "deny") < 0 ||
        write_file("/proc/self/gid_map", groups) < 0 || write_file("/proc/self/uid_map", users) < 0)
        return -1;
    return 0;
}

int rights_unshare(int flags)
{
    uid_t uid = geteuid();
    gid_t gid = getegid();
    if (rights_admin()) {
        if (unshare(flags) == 0)
            return 0;
        return say_failed("run", strerror(errno), "new namespaces");
    }
    /* Where a policy forbids it, some kernels let unshare pass and then refuse the rights. */
    if (unshare(flags | CLONE_NEWUSER) == 0 && map_to_root(uid, gid) == 0 && rights_admin())
        return 0;
    char why[256];
    snprintf(why, sizeof(why), "%s; %s", strerror(errno), REMEDY);
    return say_failed("run", why, "new user namespace");
}
