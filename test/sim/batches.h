/*
 * Checker: splitting an input batch changes nothing that the application can see. The engine's
 * memory is saved, the batch is taken in whole, packet by packet, and packet by packet with all
 * output taken in between; each time everything is looked at that an application can learn (events,
 * readiness, errors, connections to accept, octets, what calls answer) and undone again. Packet by
 * packet the segments sent and the deadline have to be the same as well. With output in between
 * they need not: the congestion window is used, and grows, at other moments.
 */
#ifndef BATCHES_H
#define BATCHES_H

#include "world.h"

/* h->rx has come, in[] is that for the engine. Now and then, as the plan says. */
void batches_try(struct host *h, const struct packet *in);

#endif
