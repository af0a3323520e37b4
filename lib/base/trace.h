/*
 * Tracepoints: the one mechanism by which the engine tells what it does. It tells, it is never
 * answered: the sink must not call back into the engine and must not keep the pointers.
 *
 * Off (no sink) a tracepoint costs one test of a pointer. Turning points into text or into a
 * capture file is the business of the upper floors.
 */
#ifndef TRACE_H
#define TRACE_H

#include <stddef.h>
#include <stdint.h>

struct flow; /* wire/seg.h */
struct seg;  /* wire/seg.h */

enum trace_kind {
    TRACE_SENT,       /* seg: a segment leaves */
    TRACE_RECEIVED,   /* seg: a segment has arrived and passed its checksum */
    TRACE_DROPPED,    /* text: why a packet or segment was thrown away; seg may be NULL */
    TRACE_STATE,      /* from, to: names of states (RFC 9293 3.3.2); text: why */
    TRACE_RETRANSMIT, /* seq, len: what will be sent again; text: why */
    TRACE_EVENT,      /* text: the event's name, as the application may wait for it */
    TRACE_INVARIANT,  /* text: the invariant that did not hold; the connection is reset */
};

struct trace_point {
    enum trace_kind kind;
    const char *file; /* where in the source this happened */
    int line;
    uint64_t now_ns;
    uint32_t sock_id;        /* 0: belongs to no socket */
    const struct flow *flow; /* may be NULL */
    const struct seg *seg;
    const char *from, *to, *text;
    uint32_t seq, len;
};

struct trace {
    void (*sink)(void *ctx, const struct trace_point *point); /* NULL: off */
    void *ctx;
};

/* TRACE(trace, TRACE_STATE, .now_ns = now, .from = ...): emits a point with this file and line. */
#define TRACE(trace_ptr, what, ...) TRACE_AT(trace_ptr, what, __FILE__, __LINE__, __VA_ARGS__)

/* The same for a place that the caller has handed over. */
#define TRACE_AT(trace_ptr, what, file_name, line_number, ...)                                     \
    do {                                                                                           \
        const struct trace *trace_ = (trace_ptr);                                                  \
        if (__builtin_expect(trace_->sink != NULL, 0)) {                                           \
            const struct trace_point point_ = {                                                    \
                .kind = (what), .file = (file_name), .line = (line_number), __VA_ARGS__};          \
            trace_->sink(trace_->ctx, &point_);                                                    \
        }                                                                                          \
    } while (0)

#endif
