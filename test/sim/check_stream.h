/*
 * Checker of what an application reads: exactly what the other has written, in order, once.
 */
#ifndef CHECK_STREAM_H
#define CHECK_STREAM_H

#include "world.h"

/* e has read n octets into buf; counts them. */
void stream_read(struct end *e, const void *buf, size_t n);

/* e has read the end of the stream, unless it has called shutdown_recv(). */
void stream_end(const struct end *e);

#endif
