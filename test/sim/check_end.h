/*
 * Checkers of what the two applications learn of a connection's end, against the truth: what the
 * other application did, and what the engine gave up for good reason.
 */
#ifndef CHECK_END_H
#define CHECK_END_H

#include "world.h"

/* An error was learned. Legitimate are:
 *   RESET     the peer aborted, gave up, was never accepted, closed without reading all, lost its
 *             memory in a crash, or has long finished
 *   REFUSED   nobody listens there, or not any more, or not yet again
 *   NETUNREACH, HOSTUNREACH  as TIMEDOUT, and a router has said so
 *   TIMEDOUT  nothing was heard for the user timeout (checked when the engine decides it) */
void end_check_error(struct end *e, int error);

/* The engine tells of a change of state: keeps the truth about what it gives up by itself. */
void end_state(struct host *h, const struct trace_point *point);

/* Whether the peer may be gone without e ever hearing of it: the RST was lost, nobody repeats
 * it, and e has nothing to send that would be answered. */
bool end_may_be_alone(struct end *e);

/* Both have ended: where nobody cut it short, each has all that the other wrote. */
void end_check_pair(struct conn *c);

/* Forged SYNs come to the host: who is half open there may have to give way. */
void end_flooded(struct host *h);

#endif
