/* Choosing the blocks of ports that connections of ours go out from. Called by guard.c only. */
#ifndef EPHEMERAL_H
#define EPHEMERAL_H

#include <stdint.h>

#include "portset.h"

/* Where blocks are looked for. */
struct ephemeral {
    struct port_set avoid; /* known to belong to somebody */
    uint16_t kernel_first; /* where the kernel's own range begins */
};

/* Reads the system's files; what can't be read is taken as empty, or as the kernel's default. */
void ephemeral_read(struct ephemeral *e);

/*
 * Holds `count` consecutive ports and fills fds; *first is the lowest. random: where to begin
 * looking. -EADDRINUSE: there is no such block; other errors as from port_hold. Linear in the ports
 * that are in the way, 0.2 ms for a block of 64 when none is.
 */
int ephemeral_claim(const struct ephemeral *e, uint32_t random, uint16_t count, int *fds,
                    uint16_t *first);

#endif
