/*
 * The applications: each end of a connection follows its plan (plan.h). Driven by events and their
 * own timers alone, never by looking around, so an event the engine forgets leaves them waiting
 * and the world finds that nothing goes on.
 */
#ifndef APP_H
#define APP_H

#include "world.h"

/* Turns of their own. */
void app_open(struct conn *c);
void app_wake(struct end *e);

/* The faults are over: no pauses any more. */
void app_calm(struct end *e);

/* Its peer is gone and will never say so: gives the connection up. */
void app_poke(struct end *e);

/* Within a turn of the host. */
/* Fills in the handle. */
void app_accepted(struct host *h, struct handle *handle, struct sock *so);
void app_event(struct end *e, const struct stack_event *ev);

/* e has ended: a connection that is to follow with the same four-tuple is on its way. */
void app_over(struct end *e);

/* Nothing more will come of this end. */
bool app_finished(const struct end *e);

#endif
