/* mounts.c - what a private lab sees of the file system: all of it, but its own /run/netns, /proc.
 *
 * See mount_namespaces(7), pid_namespaces(7). Nothing that is mounted here is seen outside. Where
 * /run/netns does not exist and must not be made (not root, or it would stay behind), /run itself
 * is covered by a new one that shows everything of the old.
 */
#include "ns.h"
#include "private.h"
#include "say.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* Shows entry `name` of the old /run (an open directory) in the new one. An entry that cannot be
 * shown is left out: the lab itself needs none of them. */
static void carry_over(int old, const char *name)
{
    char from[64 + NAME_MAX], to[64 + NAME_MAX], target[PATH_MAX];
    struct stat st;
    if (fstatat(old, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return;
    snprintf(from, sizeof(from), "/proc/self/fd/%d/%s", old, name);
    snprintf(to, sizeof(to), "/run/%s", name);
    if (S_ISLNK(st.st_mode)) {
        ssize_t len = readlinkat(old, name, target, sizeof(target) - 1);
        target[len > 0 ? len : 0] = '\0';
        if (symlink(target, to) < 0)
            return;
    } else {
        int made = S_ISDIR(st.st_mode) ? mkdir(to, 0755) : mknod(to, S_IFREG | 0644, 0);
        if (made == 0 && mount(from, to, NULL, MS_BIND | MS_REC, NULL) < 0)
            remove(to);
    }
}

static int cover_run(void)
{
    int fd = open("/run", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *old = fd < 0 ? NULL : fdopendir(fd);
    if (!old)
        return say_failed("/run", strerror(errno), "open");
    if (mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") < 0) {
        say_failed("/run", strerror(errno), "mount tmpfs");
        closedir(old);
        return -1;
    }
    for (struct dirent *entry; (entry = readdir(old));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            carry_over(fd, entry->d_name);
    closedir(old);
    if (mkdir(NS_DIR, 0755) < 0)
        return say_failed(NS_DIR, strerror(errno), "mkdir");
    return 0;
}

int private_mounts(void)
{
    if (mount("none", "/", NULL, MS_PRIVATE | MS_REC, NULL) < 0)
        return say_failed("/", strerror(errno), "make the mounts private");
    /* A container may forbid a new /proc. The old one works, but shows the processes outside. */
    if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
        fprintf(stderr, "netns: run: /proc: %s; ps will show the processes outside\n",
                strerror(errno));
    if (access(NS_DIR, F_OK) < 0)
        return cover_run();
    if (mount("tmpfs", NS_DIR, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755") < 0)
        return say_failed(NS_DIR, strerror(errno), "mount tmpfs");
    return 0;
}
