/*
 * Checker of acknowledging, one struct per receiving end: keeps which octets have arrived, and so
 * knows what may be acknowledged, and what has to be, and when (RFC 9293 3.8.6.3, RFC 5681 4.2).
 */
#ifndef CHECK_ACK_H
#define CHECK_ACK_H

#include <stdbool.h>
#include <stdint.h>

#define ACK_RANGES 256

struct ack_watch {
    bool refuses;      /* this end's memory may run out: it may not have kept what has arrived */
    bool doubtful;     /* it may have thrown something away for its timestamp */
    uint64_t slack_ns; /* its timers may be so late */
    uint64_t contig;   /* everything below has arrived */
    struct {
        uint64_t start, end;
    } beyond[ACK_RANGES]; /* in order, disjoint */
    uint32_t n_beyond;
    bool overflow;       /* too many holes to keep: contig is not to be believed any more */
    bool left;           /* the user has called close(): */
    uint64_t left_at;    /* contig at that time */
    bool owed, owed_now; /* an ACK is owed, at once */
    uint64_t owed_since_ns;
};

/* [at, end) of the peer's sequence space arrives. may_owe: this end is one that has to answer. */
void ack_arrived(struct ack_watch *a, uint64_t at, uint64_t end, bool may_owe, uint64_t now_ns);

/* One that cannot be taken arrives: it is answered at once, if this end is one that has to. */
void ack_unacceptable(struct ack_watch *a, bool may_owe, uint64_t now_ns);

/* A segment that acknowledges up to `ack` is sent. fin: of it, one is the peer's FIN. */
void ack_sent(struct ack_watch *a, uint64_t ack, bool fin);

/* A RST is sent: nothing is owed any more. */
void ack_reset(struct ack_watch *a);

/* The end's turn is over: everything it wanted to send is sent. */
void ack_turn_over(struct ack_watch *a, uint64_t now_ns);

#endif
