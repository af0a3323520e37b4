/* What `--trace` prints: every segment as it leaves and as it arrives, one connection's ends left
 * and right, and between them what the engine says of itself. */
#ifndef LADDER_H
#define LADDER_H

#include "world.h"

void ladder_begin(const struct world *w, uint64_t seed);

/* A line of its own, for what happens to a host. */
void ladder_note(const struct world *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void ladder_arrives(const struct host *h, const struct frame *f);
void ladder_point(const struct host *h, const struct trace_point *point);

/* A link_watch: a frame has been sent. */
void ladder_sent(void *ctx, const struct frame *f, const char *fate, uint64_t at_ns);

#endif
