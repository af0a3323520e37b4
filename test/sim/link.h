/*
 * One direction of a link: what becomes of a frame. Loss, duplication, reordering, corruption,
 * padding, outages, delay, a rate with a queue, super-segments that pass whole or in pieces,
 * checksums that stay partial or are finished on the way; and an MTU smaller than the hosts know
 * of.
 */
#ifndef LINK_H
#define LINK_H

#include "frame.h"
#include "queue.h"
#include "rng.h"

enum link_split {
    SPLIT_NEVER,
    SPLIT_ALWAYS,
    SPLIT_SOMETIMES,
};

enum link_csum {
    LINK_CSUM_KEEP,     /* as on a veth: still partial at the receiver */
    LINK_CSUM_FINISH,   /* a device has finished it */
    LINK_CSUM_VERIFIED, /* and the receiving one has verified it */
};

struct link_plan {
    uint32_t loss_ppm, dup_ppm, reorder_ppm, corrupt_ppm, pad_ppm; /* per packet */
    uint64_t reorder_ns;                                           /* most extra delay */
    uint64_t delay_ns, jitter_ns;
    uint64_t rate;     /* octets per second; 0: no limit */
    uint64_t queue_ns; /* most time a packet waits in the queue; then it is dropped */
    uint64_t outage_from_ns, outage_to_ns;
    uint32_t mtu;       /* 0: everything fits; else what is larger is answered by ICMP */
    uint64_t narrow_ns; /* from then on, also in the calm */
    enum link_split split;
    enum link_csum csum;
};

/* Told what became of a frame, for the ladder. at_ns: arrival; 0: it never arrives. */
typedef void link_watch(void *ctx, const struct frame *f, const char *fate, uint64_t at_ns);

struct link {
    struct link_plan plan;
    bool calm;         /* the faults are over */
    uint32_t loss_ppm; /* besides the plan's, and never over */
    uint32_t to;       /* host */
    struct link *back; /* the other direction */
    struct rng *rng;
    struct queue *queue;
    link_watch *watch;
    void *watch_ctx;
    uint64_t *in_flight; /* frames on the way, for the world */
    uint64_t busy_until_ns, last_at_ns;
    uint64_t packets, lost, duplicated, reordered, corrupted, split, too_big;
};

/* Takes the frame over. */
void link_send(struct link *l, struct frame *f, uint64_t now_ns);

#endif
