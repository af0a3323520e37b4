/* hook.h - takes the forwarding of a network namespace away from its kernel, and gives it back. */
#ifndef NETNS_HOOK_H
#define NETNS_HOOK_H

#include "nl.h"

/* From now on the calling thread's network namespace gives every packet that it would forward by
 * the device of index[n] to packet queue n (queue.h), and forwards none that nobody takes from
 * there. *hook owns that: when its socket is closed, by nl_close or by the end of the process, the
 * kernel forwards again. 0, or -1 after saying why. */
int hook_set(struct nl *hook, const uint32_t index[], int count);

/* Lets the kernel forward again without the queues, and leaves what waits in them to be decided
 * about. nl_close without this before it would drop that. */
void hook_pass(struct nl *hook);

#endif
