/* hook.h - takes the forwarding of a network namespace away from its kernel, and gives it back. */
#ifndef NETNS_HOOK_H
#define NETNS_HOOK_H

#include "nl.h"

/* From now on the calling thread's network namespace gives every packet it would forward to packet
 * queue 0 (queue.h), and forwards none that nobody takes from there. *hook owns that: when its
 * socket is closed, by nl_close or by the end of the process, the kernel forwards again. 0, or -1
 * after saying why. */
int hook_set(struct nl *hook);

#endif
