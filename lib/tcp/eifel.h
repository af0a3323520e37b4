/*
 * The Eifel detection algorithm (RFC 3522): the first ACK after the first retransmission of a loss
 * recovery tells by the timestamp that it echoes whether it answers the first sending: then nothing
 * was lost, and it is known a round trip before a D-SACK could tell.
 */
#ifndef EIFEL_H
#define EIFEL_H

#include <stdbool.h>
#include <stdint.h>

struct eifel {
    enum {
        EIFEL_OFF,
        EIFEL_BEGUN, /* recovery has, nothing has gone again yet */
        EIFEL_WAITS, /* for an ACK that advances */
    } stage : 8;
    bool dsack_seen;        /* on this connection: the peer would have told of what came twice */
    uint64_t retransmit_ns; /* when the oldest text went again first: RetransmitTS as a time */
};

/* Loss recovery begins (steps 1 and 2): not while it goes on. */
void eifel_begin(struct eifel *e);

/* The oldest text goes again. before: not for the first time, a probe was it (RFC 8985 7.3): then
 * an earlier timestamp may be the probe's, and tells nothing. */
void eifel_resent(struct eifel *e, bool before, uint64_t now_ns);

/* It was for something else. */
void eifel_end(struct eifel *e);

/* An ACK has come. echo_end_ns: the time before which what its timestamp echoes had gone
 * (timestamps_echo_end_ns()). advances: SND.UNA (an acceptable one); all: it is of all that is
 * outstanding. dsack: it tells of what came twice. True: recovery is spurious (steps 3 to 6). */
bool eifel_acked(struct eifel *e, uint64_t echo_end_ns, bool advances, bool all, bool dsack);

#endif
