/*
 * Whose it is: the end of a connection that a socket of the engine, or a packet, belongs to.
 * Several connections of a world may have one four-tuple, one after the other, and packets and
 * sockets of all of them may still be about.
 */
#ifndef WHO_H
#define WHO_H

#include "world.h"

/* The end that the host's socket belongs to; NULL: none yet. */
struct end *who_has_id(const struct host *h, uint32_t sock_id);

/* The newest end with this four-tuple, seen from it; NULL when no connection ever had it. */
struct end *who_has_flow(struct world *w, const struct flow *flow);

/* Whether this four-tuple, seen from it, is e's. */
bool who_fits(const struct end *e, const struct flow *flow);

/* The newest connection with c's four-tuple. */
struct conn *who_newest(struct conn *c);

/* connect() has fixed the ports: c is the newest of its four-tuple from now on. */
void who_begins(struct conn *c);

/* This socket is e's. */
void who_is(struct end *e, uint32_t sock_id);

/* A listener has made a connection out of the last SYN that came (host_syn()): whose that was. */
struct end *who_is_half_open(struct host *h, const struct flow *flow, uint32_t sock_id);

/* The host has a new stack, or none. */
void who_forgets(struct host *h);

#endif
