/*
 * What the path carries, by the rate at which ACKs come in the first slow start. Once there is a
 * queue at the bottleneck ACKs come as fast as that lets text through, so they tell how much it
 * delivers in a round trip (Keshav's packet pair; HyStart's ACK train, Ha and Rhee 2011, which
 * Linux has, asks the same of a whole round). cwnd may grow to a quarter more, and where it has no
 * room for a round slow start is over.
 *
 * HyStart++ (RFC 9406) asks for round trips that have become longer from the beginning of a round
 * to that of the next: by then cwnd is twice or three times what the path carries, and a queue of
 * one bandwidth-delay product has overflowed.
 *
 * Without a queue it is our own rate that comes back, or the receiver's, and bounds nothing: an ACK
 * counts if its own round trip was an eighth longer than the least, half of what a quarter more
 * under way makes. A path that has become longer since looks like a queue; the bound is then what
 * was sent at that rate, and goes with the round. And only the unbroken train counts, so that a
 * pause does not make it slow.
 */
#ifndef ACKRATE_H
#define ACKRATE_H

#include <stdbool.h>
#include <stdint.h>

/* All zero: at the beginning. Times are in microseconds, modulo 2^32. */
struct ackrate {
    uint32_t train_us;     /* when the first ACK of the train came */
    uint32_t train_octets; /* that were acknowledged after it */
    uint32_t last_us;      /* when the last ACK came */
    uint32_t least_us;     /* the least RTT; 0: none yet */
    uint32_t most;         /* octets to which cwnd may grow; 0: not known */
    bool known;            /* in this round `most` was found */
    bool room;             /* and cwnd was less once */
};

struct cc_ack;

/* An ACK in the first slow start, cwnd before it, and whether a round of HyStart++ begins with it.
 * True when slow start is over. */
bool ackrate_acked(struct ackrate *r, uint32_t cwnd, bool round_begins, const struct cc_ack *ack);

/* Octets by which cwnd may grow. */
static inline uint32_t ackrate_room(const struct ackrate *r, uint32_t cwnd)
{
    if (r->most == 0)
        return UINT32_MAX;
    return cwnd < r->most ? r->most - cwnd : 0;
}

#endif
