/*
 * The receive window: how far the peer may send.
 *
 * The right edge does not move left (RFC 9293 3.8.6, SHLD-14; but see rcvwnd_offer) and moves right
 * only by worthwhile steps (3.8.6.2.2, MUST-39: at least min(half the buffer, one MSS)). The buffer
 * grows with use, to four times what the user has read within one round trip, up to a maximum: a
 * peer in slow start sends twice as much in the next one, and learns of the window a round trip
 * later. As in Linux. Edges are 64-bit stream offsets as in rcvq.h.
 */
#ifndef RCVWND_H
#define RCVWND_H

#include <stdbool.h>
#include <stdint.h>

struct rcvwnd {
    uint64_t edge; /* RCV.NXT + RCV.WND: the rightmost that was announced, or would have been if the
                    * field went so far */
    uint32_t size; /* of the buffer now: RCV.BUFF */
    uint32_t size_max;
    uint16_t mss;  /* the MSS we announced */
    uint8_t shift; /* Rcv.Wind.Shift (RFC 7323); 0 when not negotiated */
    bool fixed;    /* size does not grow with use */
};

/* What the buffer's growth goes by; all 0 to begin with, and whenever nothing has arrived or been
 * read for a while. */
struct rcvwnd_growth {
    uint64_t mark_start, mark_ns; /* where and when the present measurement of reading began;
                                   * mark_ns 0: none has */
    uint64_t rtt_edge, rtt_at_ns; /* the edge then; 0: nothing has arrived yet */
    uint64_t rtt_ns;              /* the receiver's estimate of the round trip; 0: none yet */
};

/* The smallest shift with which a window of size_max can be announced, at most 14 (RFC 7323 2.2).
 */
uint8_t rcvwnd_shift_for(uint32_t size_max);

/* mss >= 1. Raises size to 2 << rcvwnd_shift_for(size_max), and size_max to size, where they are
 * less. */
void rcvwnd_init(struct rcvwnd *w, uint32_t size, uint32_t size_max, uint16_t mss);

/* A buffer of this size, which no longer grows: raised to 2 << shift, and announced as far as the
 * shift can. A smaller one takes effect as the peer uses up what it was promised. */
void rcvwnd_resize(struct rcvwnd *w, uint32_t size);

/* The window to announce now, in octets, given the queue (rcvq.h): start, the first unread octet,
 * and head, RCV.NXT. Always a multiple of 1 << shift and at most 65535 << shift. Rounded down as it
 * grows, but up where rounding down would move the edge left; except that it never reaches a whole
 * 1 << shift beyond the end of the buffer, so that text up to `edge` takes at most size +
 * (1 << shift) - 1 octets. There it may be less than edge - head, by less than 1 << shift, and what
 * lies below `edge` must be accepted all the same (RFC 7323 2.4). Changes nothing. */
uint32_t rcvwnd_offer(const struct rcvwnd *w, uint64_t start, uint64_t head);

/* `wnd` was announced together with RCV.NXT = head; start as above. The edge stays where it is if
 * that is less. Where the field is at its end the edge is that of the buffer: a peer that goes by
 * it, as BSD's does, is not refused for what the field could not say. */
void rcvwnd_announced(struct rcvwnd *w, uint64_t start, uint64_t head, uint32_t wnd);

/* The same while there is no buffer yet: no more than the field says. */
void rcvwnd_announced_syn(struct rcvwnd *w, uint64_t head, uint32_t wnd);

/* RCV.WND, for a segment that is to tell nothing new: octets, as far as the field goes. */
uint32_t rcvwnd_again(const struct rcvwnd *w, uint64_t head);

/* The peer sends segments of `mss`: a buffer of more than one holds whole ones only (as BSD). */
void rcvwnd_whole(struct rcvwnd *w, uint32_t mss);

/* Whether the offer has grown enough over what is announced to be worth a segment of its own: the
 * peer may be waiting for it (3.8.6.2.2). */
bool rcvwnd_update_due(const struct rcvwnd *w, uint64_t start, uint64_t head);

/* Text has arrived up to `head`. How long it takes from there until text comes from beyond the
 * edge is an estimate of the round trip, for who sends nothing and so has no samples. */
void rcvwnd_arrived(const struct rcvwnd *w, struct rcvwnd_growth *g, uint64_t head,
                    uint64_t now_ns);

/* The user has read up to `start`; rtt_ns: the sender's estimate of the round trip, 0 when there is
 * none: then the receiver's counts. May grow the buffer. */
void rcvwnd_read(struct rcvwnd *w, struct rcvwnd_growth *g, uint64_t start, uint64_t rtt_ns,
                 uint64_t now_ns);

#endif
