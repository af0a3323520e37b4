/* traffic.h - the packets of an impaired router: from the kernel's queues through the pipeline, to
 * wait there until their moment comes. */
#ifndef NETNS_TRAFFIC_H
#define NETNS_TRAFFIC_H

#include "impair.h"
#include "inject.h"
#include "pipeline.h"
#include "queue.h"
#include "window.h"

struct traffic {
    struct queue queue;
    struct inject inject;
    struct mem mem;
    struct window window[TOPO_LINKS];
    struct pipeline *pipeline; /* TOPO_LINKS of them */
    struct impair_state state;
    uint64_t now, now_real;    /* of the packets being taken, by two clocks; ns */
    uint64_t came[TOPO_LINKS]; /* the last one */
    bool moved;                /* something was taken or let go in this turn */
    bool listens;
    uint64_t next;            /* ns */
    uint64_t dropped;         /* for want of memory or room here */
    uint64_t overflow_before; /* of the settings in force */
};

#define TRAFFIC_CLOSED ((struct traffic){.inject = INJECT_CLOSED})

/* In the calling thread's network namespace. *t is TRAFFIC_CLOSED. 0, or -1 after saying why; to be
 * closed in either case. */
int traffic_open(struct traffic *t, const struct impair_settings *settings);
void traffic_close(struct traffic *t); /* packets that wait are dropped; allowed on a closed one */

/* Replaces the settings and counts anew. What waits keeps its moment. */
void traffic_set(struct traffic *t, const struct impair_settings *settings);

/* What there is to know, now. */
const struct impair_state *traffic_state(struct traffic *t);

/* The clock of it all, CLOCK_MONOTONIC; ns. */
uint64_t traffic_now(void);

/* Takes a batch of packets and lets a batch go whose moment has come; never waits. To be called
 * again at t->next, TIME_NEVER meaning never, and when a packet comes if t->listens. */
void traffic_work(struct traffic *t);

/* Lets everything go that waits. Nothing may come any more. */
void traffic_end(struct traffic *t);

#endif
