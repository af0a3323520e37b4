/*
 * Selective acknowledgment, the receiver's side: which blocks an ACK reports (RFC 2018 4), and what
 * has come twice (D-SACK, RFC 2883). Offsets are those of rcvq.h; which text has arrived is there.
 */
#ifndef SACK_H
#define SACK_H

#include <stdbool.h>
#include <stdint.h>

#include "ranges.h"
#include "seg.h"

#define SACK_RECENT_MAX 16

struct sack {
    uint64_t recent[SACK_RECENT_MAX]; /* where text has come beyond a hole, the latest first: one
                                         place in each block */
    uint8_t n_recent;
    uint16_t unreported;       /* a bit for each: no ACK has reported its block since */
    uint64_t twice, twice_end; /* [twice, twice_end) is to be reported, once; empty when equal */
};

/* Text beyond a hole has arrived, and lies at `at` among others, which are `beyond` with it. */
void sack_arrived(struct sack *s, const struct ranges *beyond, uint64_t at);

/* [from, end), not empty, has come once more. The first that is not reported yet stays. */
void sack_twice(struct sack *s, uint64_t from, uint64_t end);

/* Of text at [at, end) that is about to be taken: if it begins or ends with what has arrived beyond
 * a hole, that has come twice. */
void sack_look(struct sack *s, const struct ranges *beyond, uint64_t at, uint64_t end);

/* Whether text has come to blocks that no ACK has reported since. */
static inline bool sack_any_unreported(const struct sack *s)
{
    return s->unreported > 0;
}

/* Whether something has come twice, and whether there is anything to report. */
static inline bool sack_any_twice(const struct sack *s)
{
    return s->twice < s->twice_end;
}

static inline bool sack_any(const struct sack *s, const struct ranges *beyond)
{
    return beyond->n > 0 || sack_any_twice(s);
}

/*
 * The blocks of the next ACK into opts, `max` at most: what has come twice; the block of the text
 * that came last; then those reported before, the latest first; then any. rcv_nxt is the sequence
 * number of the offset `head`. What has come twice is then reported.
 *
 * Segments that arrive together have their ACKs after the last of them. These tell what they would
 * have told in between: no block is passed over that is one of more than an ACK has room for.
 */
void sack_report(struct sack *s, const struct ranges *beyond, uint64_t head, seq_t rcv_nxt,
                 unsigned max, struct tcp_opts *opts);

#endif
