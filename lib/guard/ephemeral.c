/*
 * Ephemeral ports (RFC 6056): which ones are fit for connections that we open, and holding them in
 * blocks.
 *
 * First 61000 to 65535, above the range from which Linux picks its own unless configured otherwise;
 * then what lies below that range. Even if the two overlap nothing breaks, as the kernel never
 * picks a port that a socket of ours holds. The block is random (RFC 6056 3.3 wants the port hard
 * to guess); the port within the claimed blocks is chosen per connection, by the stack.
 */
#include "ephemeral.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hold.h"

#define HIGH_FIRST           61000
#define HIGH_LAST            65535
#define LOW_FIRST            1024
#define KERNEL_FIRST_DEFAULT 32768

/* Calls add for every line of a file. */
static void each_line(const char *path, void (*add)(struct ephemeral *, const char *),
                      struct ephemeral *e)
{
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return;
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, f) >= 0)
        add(e, line);
    free(line);
    fclose(f);
}

static void add_service(struct ephemeral *e, const char *line)
{
    port_set_add_service(&e->avoid, line);
}

static void add_reserved(struct ephemeral *e, const char *line)
{
    port_set_add_list(&e->avoid, line);
}

static void add_kernel_range(struct ephemeral *e, const char *line)
{
    unsigned first;
    if (sscanf(line, "%5u", &first) == 1 && first <= HIGH_LAST)
        e->kernel_first = (uint16_t)first;
}

void ephemeral_read(struct ephemeral *e)
{
    memset(e, 0, sizeof *e);
    e->kernel_first = KERNEL_FIRST_DEFAULT;
    each_line("/etc/services", add_service, e);
    each_line("/proc/sys/net/ipv4/ip_local_reserved_ports", add_reserved, e);
    each_line("/proc/sys/net/ipv4/ip_local_port_range", add_kernel_range, e);
}

static void close_all(int *fds, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        close(fds[i]);
}

/* Looks for the block among [lo, hi]. */
static int claim_between(const struct ephemeral *e, uint32_t lo, uint32_t hi, uint16_t count,
                         int *fds, uint16_t *first)
{
    unsigned held = 0;
    for (uint32_t port = lo; port <= hi; port++) {
        int fd = -EADDRINUSE;
        if (!port_set_has(&e->avoid, (uint16_t)port))
            fd = port_hold_everywhere((uint16_t)port);
        if (fd >= 0) {
            fds[held++] = fd;
            if (held == count) {
                *first = (uint16_t)(port - count + 1);
                return 0;
            }
            continue;
        }
        close_all(fds, held);
        held = 0;
        if (fd != -EADDRINUSE && fd != -EACCES)
            return fd;
    }
    close_all(fds, held);
    return -EADDRINUSE;
}

/* The same, beginning at a random block and coming round to it again. */
static int claim_around(const struct ephemeral *e, uint32_t random, uint32_t lo, uint32_t hi,
                        uint16_t count, int *fds, uint16_t *first)
{
    uint32_t blocks = hi < lo ? 0 : (hi - lo + 1) / count;
    if (blocks == 0)
        return -EADDRINUSE;
    uint32_t start = lo + random % blocks * count;
    int err = claim_between(e, start, hi, count, fds, first);
    if (err == -EADDRINUSE)
        err = claim_between(e, lo, start + count - 2, count, fds, first);
    return err;
}

int ephemeral_claim(const struct ephemeral *e, uint32_t random, uint16_t count, int *fds,
                    uint16_t *first)
{
    int err = claim_around(e, random, HIGH_FIRST, HIGH_LAST, count, fds, first);
    uint32_t low_last = e->kernel_first < HIGH_FIRST ? e->kernel_first : HIGH_FIRST;
    if (err == -EADDRINUSE && low_last > LOW_FIRST)
        err = claim_around(e, random, LOW_FIRST, low_last - 1, count, fds, first);
    return err;
}
