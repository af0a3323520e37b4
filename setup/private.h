/* private.h - a lab of one's own, for as long as a command runs. */
#ifndef NETNS_PRIVATE_H
#define NETNS_PRIVATE_H

#include <stdbool.h>

/* Runs argv in a private lab. Returns what the program is to exit with: the command's status, 128
 * plus the signal that killed it, 127 or 126 if it could not be started, 1 if there is no lab.
 * own_group: the command is an interactive shell. */
int private_run(char **argv, bool own_group);

/* Makes the mounts of a private lab: its own /run/netns and /proc. To be called in new mount and
 * PID namespaces. 0, or -1 after saying why. */
int private_mounts(void);

#endif
