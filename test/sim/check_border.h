/*
 * Checkers of the engine's border, whatever its connections do: output() that stays silent once it
 * was, until the next input, user call or deadline; a deadline that does not move by itself, and
 * that means something when it comes; stack_check(), with every connection's tcb_check(), and the
 * account of memory.
 *
 * Three of these are samples; at each call they would take half of the time. Whether output() is
 * silent until the next turn is looked at before one turn in eight, at any moment of the silence
 * (at the end of a turn: always). stack_check() runs after each call while a host has fewer than
 * eight sockets, then after the fewer calls the more there are; check_mem.h after one call in four
 * at most, the fewer the more connections the world has.
 */
#ifndef CHECK_BORDER_H
#define CHECK_BORDER_H

#include "world.h"

/* Before a turn: an engine that had nothing to send still has nothing. */
void border_enter(struct host *h);

/* After each call of the engine. */
void border_called(struct host *h);

/* output() has had nothing more to say. */
void border_silent(struct host *h);

/* After a tick and the output that follows, which was so many packets. socks: how many there were
 * before. */
void border_ticked(struct host *h, size_t sent, uint32_t socks);

/* The host is up. */
void border_begin(struct host *h);

/* The connections are over; what must hold when the stack is destroyed, which this does. */
void border_end(struct host *h);

#endif
