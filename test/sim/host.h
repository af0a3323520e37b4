/*
 * A simulated host: every call of the engine goes through here, and after each the checkers of the
 * engine's border look: stack_check(), memory, output() that stays silent once it was, deadlines
 * that come and mean something.
 */
#ifndef HOST_H
#define HOST_H

#include "world.h"

static inline uint64_t host_now(const struct host *h)
{
    return h->world->now_ns + h->plan->clock_ns;
}

void host_init(struct host *h, struct world *w, uint32_t index);
void host_listen(struct host *h);
void host_close_listener(struct host *h);

/* Before a turn: an engine that had nothing to send still has nothing. */
void host_enter(struct host *h);

/* After each engine call by an application. */
void host_called(struct host *h);

/* After a turn: sends all, passes events on, sets the next tick. */
void host_leave(struct host *h);

/* Turns of their own. */
void host_frame(struct host *h, struct frame *f);
void host_poll(struct host *h);
void host_tick(struct host *h);
void host_accept(struct host *h);

/* Everything has ended: what must hold then. Destroys the stack. */
void host_finish(struct host *h);

/* sabotage.c: what a self test does to a frame that arrives, if anything. */
void sabotage_frame(struct host *h, struct frame *f);

/* Frees what there is, after a failure too. */
void host_free(struct host *h);

#endif
