/*
 * What engine.c measures: two ends of one connection in this process, with nothing but memory
 * between them. Each program has one stack's, by name.
 *
 * A call that fails ends the process with a message and status 1.
 */
#ifndef ENGINE_H
#define ENGINE_H

#include <stddef.h>

#include "tools.h"

#define ENGINE_SEGMENT 1460 /* octets of text in an IPv4 packet of 1500 */

/* The end that has connected is 0, the other 1. */
void engine_open(void);
void engine_close(void);

/* Queues text; the octets taken, 0 when the queue is full. */
size_t engine_send(int end, const void *data, size_t len);

/* Takes text that has arrived; 0 when there is none. */
size_t engine_recv(int end, void *buf, size_t len);

/* Carries packets from this end to the other, a batch at most, and lets time pass. */
void engine_move(int end);

#endif
