/*
 * When to acknowledge (RFC 9293 3.8.6.3, RFC 5681 4.2): delayed ACKs.
 *
 * An ACK is owed at once when two segments are unacknowledged, when order is disturbed or a hole is
 * filled, and for FIN; otherwise after a delay of less than 0.5 s (MUST-40). SHLD-19 asks for every
 * second full-sized segment; as BSD we count those of any size: what is full-sized behind a small
 * path MTU nobody tells us. Text of more than one MSS counts as so many segments. All text is
 * acknowledged at once while the user wants it so (TCP_QUICKACK in tcp(7)).
 */
#ifndef ACKDELAY_H
#define ACKDELAY_H

#include <stdbool.h>
#include <stdint.h>

struct ackdelay {
    uint16_t rmss;    /* the MSS we announced */
    uint16_t largest; /* of one packet's text so far, at most rmss: for TCP_INFO */
    uint16_t quick;   /* texts that are still to be acknowledged at once */
    uint8_t segments; /* accepted since the last ACK went out; two are enough */
    uint8_t owed;     /* ACKs owed at once: 1, or one per out-of-order segment (RFC 5681 4.2) */
};

void ackdelay_init(struct ackdelay *a, uint16_t rmss);

/* The delay that is asked for, cut to less than 0.5 s (MUST-40). */
uint64_t ackdelay_max(uint64_t delay_ns);

/* The MSS that we announce after all, before any text has come. */
void ackdelay_set_rmss(struct ackdelay *a, uint16_t rmss);

#define ACKDELAY_ALL UINT16_MAX

/* The next n texts are acknowledged at once, and what waits now, too; ACKDELAY_ALL: all from now
 * on; 0: none any more. */
void ackdelay_quick(struct ackdelay *a, uint32_t n);

/* Text of `len` octets, 1 or more, was accepted in order; packet_len: text per packet, len but for
 * a super-segment. RCV.NXT has moved, so duplicates still owed become one ACK: with the new number
 * the peer would take them for a sign of loss. True: the ACK may be delayed, and
 * the caller sets the deadline. Cost O(1). */
bool ackdelay_text(struct ackdelay *a, uint32_t len, uint32_t packet_len);

/* One ACK at once (FIN, a filled hole, an unacceptable segment, a window update). */
void ackdelay_now(struct ackdelay *a);

/* One duplicate ACK for each out-of-order segment, so that the peer's fast retransmit can count
 * them even when they arrived in one batch; 64 at most. */
void ackdelay_duplicate(struct ackdelay *a);

/* Whether an ACK must go out at `now`. due_ns: the deadline that the caller has set last. */
bool ackdelay_due(const struct ackdelay *a, uint64_t due_ns, uint64_t now_ns);

/* Whether one waits for that deadline. */
bool ackdelay_waits(const struct ackdelay *a);

/* Earliest time at which ackdelay_due turns true; 0 when it is, TIME_NEVER when none waits. */
uint64_t ackdelay_deadline(const struct ackdelay *a, uint64_t due_ns);

/* A segment with ACK went out: settles what was delayed and one of those owed. */
void ackdelay_sent(struct ackdelay *a);

#endif
