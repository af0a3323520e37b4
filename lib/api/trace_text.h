/*
 * The trace as text: a line for each point, as the book's dbg! shows them, with the place in the
 * source. Called with the stack's lock held: the stack waits for whoever reads the descriptor.
 *
 *     [tcp/output.c:123] 0.000412 #2 sent 10.0.0.1:61003 > 10.0.1.1:40000 SYN seq=1 ack=0 win=65535
 *     payload_len=0
 *
 * Place; seconds since the first line; socket; what; the ECN field, where it is not 0: ect0, ect1,
 * ce. All on one line.
 */
#ifndef TRACE_TEXT_H
#define TRACE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace.h"

struct trace_text {
    int fd;
    uint64_t since_ns; /* of the first line; 0: none yet */
    bool reader_gone;  /* a pipe that nobody reads any more: no further line is tried */
};

/* The sink for struct trace; ctx is a struct trace_text. One write(2) per line; a line that can't
 * be written is lost. Never a SIGPIPE. */
void trace_text_sink(void *ctx, const struct trace_point *point);

/* The line for a point, with its newline, cut to `room` octets; its length. */
size_t trace_text_line(const struct trace_point *point, uint64_t since_ns, char *line, size_t room);

#endif
