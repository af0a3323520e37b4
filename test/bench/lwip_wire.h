/*
 * lwIP on a device of this network namespace, driven from one thread at a time and without a thread
 * of its own: whoever waits moves the packets.
 */
#ifndef LWIP_WIRE_H
#define LWIP_WIRE_H

#include <stdbool.h>

/* On the only device that is not the loopback, at the address after the kernel's own there, which
 * stays the kernel's. */
void lwip_wire_open(void);
void lwip_wire_close(void);

/* Takes what has arrived, and lets time pass. False: there was nothing. */
bool lwip_wire_move(void);

/* Waits until there is something, for a millisecond at most: of any thread, at any time. */
void lwip_wire_wait(void);

#endif
