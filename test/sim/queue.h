/*
 * What will happen, by virtual time: a binary heap of small events. Equal times come out in the
 * order in which they went in, so a run is the same on every machine.
 *
 * Its own, not base/heap: a simulator does not stand on what it tests.
 */
#ifndef QUEUE_H
#define QUEUE_H

#include <stddef.h>
#include <stdint.h>

enum event_kind {
    EVENT_FRAME,  /* ptr: struct frame; arrives at node */
    EVENT_POLL,   /* the host looks at what has arrived */
    EVENT_TICK,   /* the host's deadline may have passed */
    EVENT_APP,    /* ptr: struct end; the application goes on */
    EVENT_OPEN,   /* ptr: struct conn; its active side connects */
    EVENT_CLOSE,  /* the host's listener is closed */
    EVENT_ACCEPT, /* the host's listener is looked at */
    EVENT_FLOOD,  /* forged SYNs come to it */
    EVENT_CRASH,  /* the host's memory is lost */
    EVENT_START,  /* it has a new stack */
    EVENT_LISTEN, /* and a listener */
    EVENT_CALM,   /* the faults end */
    EVENT_WATCH,  /* does everybody make progress? */
};

struct event {
    uint64_t at_ns, order;
    enum event_kind kind;
    uint32_t node; /* host or router */
    void *ptr;
};

struct queue {
    struct event *v;
    size_t n, room;
    uint64_t next_order;
};

void queue_finish(struct queue *q);
void queue_push(struct queue *q, uint64_t at_ns, enum event_kind kind, uint32_t node, void *ptr);

/* When that is, of the earliest. There must be one. */
static inline uint64_t queue_next_ns(const struct queue *q)
{
    return q->v[0].at_ns;
}

/* The earliest event, taken off. There must be one. */
struct event queue_pop(struct queue *q);

#endif
