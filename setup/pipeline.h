/* pipeline.h - what happens to a packet on its way through an impaired router. */
#ifndef NETNS_PIPELINE_H
#define NETNS_PIPELINE_H

#include "impair.h"

/* Packets that can wait for the rate, whatever the queue is told to hold. */
#define PIPELINE_QUEUE_MAX 65536

/* What a packet has on its link besides itself, as tc(8) counts: the Ethernet header. */
#define PIPELINE_FRAME 14

/* One direction, all zero at first. */
struct pipeline {
    uint64_t number;     /* of the next packet */
    bool bad;            /* Gilbert's state: packets are being lost */
    uint64_t busy_until; /* when the link will have sent all that came, had it no bucket; ns */
    uint64_t last_due;   /* of those that keep their order */
    /* The queue: those whose sending has not begun. */
    uint32_t first, count;
    uint64_t octets;
    struct {
        uint64_t begins; /* ns */
        uint32_t len;    /* octets */
    } queued[PIPELINE_QUEUE_MAX];
};

struct pipeline_fate {
    enum { PIPELINE_PASS, PIPELINE_DROP, PIPELINE_TOO_LONG } what; /* the last is to be answered */
    bool twice;                                                    /* a copy follows it */
    bool corrupt; /* with this bit flipped, counted from the first octet's highest */
    uint32_t bit;
    uint64_t due; /* when it leaves the router; ns */
};

/* Begins anew: the next packet is number 0, and finds an idle link. */
void pipeline_reset(struct pipeline *p);

/* Takes the next packet of a direction, an IP packet of len octets that came at `now`, through
 * every stage, and counts it. `now` never goes back. */
struct pipeline_fate pipeline_pass(struct pipeline *p, const struct impair_settings *settings,
                                   int direction, uint64_t now, uint32_t len,
                                   struct impair_counters *counters);

#endif
