/* What an application does with an open connection: writing, reading, closing as planned. The steps
 * of app.c. */
#ifndef APP_IO_H
#define APP_IO_H

#include "world.h"

/* One call each, where the plan has one to make now; true when the next may be made at once. */
bool app_write(struct end *e);
bool app_read(struct end *e);

/* Takes what a RECEIVE has got that waited, if one did. */
void app_end_receive(struct end *e);

/* Closes, aborts or stops receiving when the plan's time has come. */
void app_steer(struct end *e);

/* app.c: an event for e at that time, unless there is an earlier one. */
void app_wake_at(struct end *e, uint64_t at_ns);

/* app.c: close or abort. */
void app_give_up(struct end *e, bool abort);

/* app.c: a call has answered how the connection ended. */
void app_learned(struct end *e, int error);

#endif
