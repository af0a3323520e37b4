/*
 * What the path carries, by the rate at which ACKs come in the first slow start. The ACKs of a
 * window come no faster than the bottleneck lets it through, so they tell how much it delivers in a
 * round trip (Keshav's packet pair; HyStart's ACK train, Ha and Rhee 2011, which Linux has, asks
 * the same of a whole round). cwnd may grow to a quarter more. Where it does not grow for a round
 * slow start has found what it looks for.
 *
 * HyStart++ (RFC 9406) waits until the queue has made round trips longer, and sees it a round
 * after: by then cwnd is twice or three times what the path carries, and a queue of one
 * bandwidth-delay product has overflowed.
 *
 * Below what the path carries it is our own rate that comes back, two windows in a round trip by
 * pacing or more: that bounds nothing. Only the unbroken train counts, so that what comes after a
 * pause, of ours or of a window's end, does not make it slow.
 */
#ifndef ACKRATE_H
#define ACKRATE_H

#include <stdbool.h>
#include <stdint.h>

#include "seq.h"

/* All zero: at the beginning. Times and RTTs are in microseconds, times modulo 2^32. */
struct ackrate {
    seq_t round_end;   /* SND.NXT when the round began */
    seq_t train_una;   /* SND.UNA after the first ACK of the train */
    uint32_t train_us; /* when that came */
    uint32_t last_us;  /* when the last ACK came */
    uint32_t least_us; /* the least RTT; 0: none yet */
    uint32_t most;     /* octets to which cwnd may grow; 0: not known */
    bool begun;        /* a round has */
    bool room;         /* and in it cwnd was less than that */
};

struct cc_ack;

/* An ACK in the first slow start, and cwnd before it. True when slow start is over. */
bool ackrate_acked(struct ackrate *r, uint32_t cwnd, const struct cc_ack *ack);

/* Octets by which cwnd may grow. */
static inline uint32_t ackrate_room(const struct ackrate *r, uint32_t cwnd)
{
    if (r->most == 0)
        return UINT32_MAX;
    return cwnd < r->most ? r->most - cwnd : 0;
}

#endif
