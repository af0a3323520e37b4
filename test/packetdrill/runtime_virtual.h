/*
 * lib/runtime/runtime.h in virtual time: the same lock, waiters and pump, no thread and no timer.
 * The clock stands still but for the calls below; what is due on the way happens in order, each at
 * its own time. A thread that waits in runtime_wait() sleeps (on a futex: its state is S); when it
 * has been woken, or its time is over, the clock waits until that thread has asked for the time,
 * which packetdrill's does as soon as its call has returned. So the end of every call, and every
 * packet, has the time at which it would be on an infinitely fast machine.
 *
 * The thread that made the runtime is the one that moves the clock. When it waits itself, the clock
 * runs for it; when then nothing is left that could happen, the process ends with a message, where
 * packetdrill would wait for ever. When it sleeps elsewhere, which it does to let another thread's
 * call end, the clock runs to the end of that call if it is less than a second away: packetdrill
 * has no more patience.
 */
#ifndef RUNTIME_VIRTUAL_H
#define RUNTIME_VIRTUAL_H

#include "runtime.h"

/* To be called at the beginning of every call of the script's, without the lock. */
void virtual_enter(struct runtime *rt);

/* gettimeofday: the time in us, one more at each call. */
uint64_t virtual_time_us(struct runtime *rt);

/* usleep */
void virtual_sleep(struct runtime *rt, uint64_t us);

/* A packet arrives, now. It is not used after return. */
void virtual_input(struct runtime *rt, const void *octets, size_t len);

/* The next packet that the stack has sent, see link_queue.h; the clock runs until there is one.
 * False: nothing is due any more that could send one. */
bool virtual_output(struct runtime *rt, void *buf, size_t room, size_t *len, uint64_t *time_us);

/* The stack's figures, which all connections look at: may be changed at any time. Lock held. */
struct tcp_config *virtual_tcp_config(struct runtime *rt);

#endif
