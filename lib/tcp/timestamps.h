/*
 * Timestamps (RFC 7323 3 to 5): what goes into the option, which of the peer's is echoed (4.3),
 * which segment is too old to be true (PAWS, 5.3), and the round trip that an echo tells (4.1).
 *
 * Called by the trunk of tcp/ only, while both have agreed on the option (tcb.ts). Who sends and
 * who drops is the trunk's business.
 */
#ifndef TIMESTAMPS_H
#define TIMESTAMPS_H

#include <stdbool.h>
#include <stdint.h>

#include "seq.h"

struct timestamps {
    uint32_t offset;     /* of TSval over the clock (5.4, 7.1): isn_ts_offset() */
    uint32_t recent;     /* TS.Recent */
    uint32_t recent_s;   /* when that was taken, in seconds of the caller's clock */
    seq_t last_ack_sent; /* Last.ACK.sent */
};

/* TSval now: the caller's clock in ms, which wraps after 49 days, and the offset. */
uint32_t timestamps_val(const struct timestamps *ts, uint64_t now_ns);

/* The peer's SYN has val; it is acknowledged by rcv_nxt. */
void timestamps_begin(struct timestamps *ts, uint32_t val, seq_t rcv_nxt, uint64_t now_ns);

/* PAWS (5.3 R1): whether a segment with val is older than what has come before. After 24 days
 * without a newer one nothing is (5.5): the peer's clock may have gone half around. */
bool timestamps_outdated(const struct timestamps *ts, uint32_t val, uint64_t now_ns);

/* By how many of the peer's ticks val is older than the newest. */
uint32_t timestamps_age(const struct timestamps *ts, uint32_t val);

/* RFC 6191 2: whether val is greater than the last that was seen. */
bool timestamps_newer(const struct timestamps *ts, uint32_t val);

/* 5.3 R3, 4.3 (2): a segment that begins with `at` and has val is good. */
void timestamps_arrived(struct timestamps *ts, uint32_t val, seq_t at, uint64_t now_ns);

/* The round trip by the peer's echo, in ns, of whole ms and one at least; 0: it tells none, being
 * from the future, or 0, which broken peers and middleboxes send (as Linux has it). */
uint64_t timestamps_rtt_ns(const struct timestamps *ts, uint32_t ecr, uint64_t now_ns);

/* The time before which a segment with this TSval went, the clock's next tick; TIME_NEVER: it tells
 * none, as above. */
uint64_t timestamps_echo_end_ns(const struct timestamps *ts, uint32_t ecr, uint64_t now_ns);

#endif
