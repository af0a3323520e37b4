/*
 * One direction of a link: what becomes of a frame. Loss, independent and in bursts, duplication,
 * reordering, corruption, packets cut short, padding, cuts, delay, a rate with a bounded queue, ECN
 * (what would be lost is marked, and what waits for long),
 * super-segments that pass whole or in pieces, checksums that stay partial or are finished on the
 * way; and an MTU that the hosts do not know of, and that changes.
 */
#ifndef LINK_H
#define LINK_H

#include "cut.h"
#include "frame.h"
#include "queue.h"
#include "rng.h"

#define MTU_STEPS 4

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
    /* Per packet */
    uint32_t loss_ppm, dup_ppm, reorder_ppm, corrupt_ppm, shorten_ppm, pad_ppm;
    /* Gilbert and Elliott's model: a bad state, entered and left with these chances per packet, in
     * which so many are lost. */
    struct {
        uint32_t begin_ppm, end_ppm, loss_ppm;
    } burst;
    uint64_t reorder_ns; /* most extra delay */
    uint64_t delay_ns, jitter_ns;
    uint64_t rate;     /* octets per second; 0: no limit */
    uint64_t queue_ns; /* most time a packet waits in the queue; then it is dropped */
    bool ecn;          /* marks what is ECT, where it would lose it, or its queue is half full, */
    uint32_t mark_ppm; /* and so many others (RFC 3168 5) */
    /* From then on, in order, also in the calm: what is larger is answered by ICMP, or not at
     * all (a black hole). 0: everything fits. */
    struct {
        uint64_t from_ns;
        uint32_t mtu;
    } mtu[MTU_STEPS];
    uint32_t n_mtu;
    bool mtu_silent;
    uint32_t unreach_ppm; /* packets that a router answers by ICMP while the link is cut */
    enum link_split split;
    enum link_csum csum;
};

/* Told what became of a frame, for the ladder. at_ns: arrival; 0: it never arrives. */
typedef void link_watch(void *ctx, const struct frame *f, const char *fate, uint64_t at_ns);

struct link {
    const struct link_plan *plan;
    uint32_t from, to; /* nodes */
    bool calm;         /* the faults are over */
    uint32_t loss_ppm; /* besides the plan's, and never over */
    const struct cut *cut;
    uint32_t cuts; /* those of them, one bit each, that concern this link */
    struct rng rng;
    struct queue *queue;
    uint64_t *in_flight; /* frames on the way, for the world */
    void *ctx;
    link_watch *watch;                                              /* NULL: nobody wants to know */
    void (*refused)(struct link *l, struct frame *icmp);            /* takes a router's answer */
    void (*overflown)(const struct link *l, const struct frame *f); /* its queue was full */

    bool in_burst;
    uint64_t busy_until_ns, last_at_ns;
    bool answers; /* a router sends by it */
};

/* Takes the frame over. */
void link_send(struct link *l, struct frame *f, uint64_t now_ns);

#endif
