/*
 * Checker of timestamps (RFC 7323), one struct per end of a connection:
 *
 *   - once both SYNs have had the option every segment has it, RST too, but for one that answers a
 *     segment (reset.c); else none has
 *   - TSval never goes back (5.4)
 *   - TSecr is what TS.Recent can be (4.3): of what has arrived in or before the window's left edge
 *     since the last segment left, or what it was then; 0 without ACK
 *
 * And what arrives is told apart by PAWS (5.3), for the other checkers.
 */
#ifndef CHECK_TS_H
#define CHECK_TS_H

#include <stdbool.h>
#include <stdint.h>

#include "seg.h"

#define TS_OPTION_LEN 12 /* octets of each segment's header, with padding */
#define TS_VALS       64

struct ts_watch {
    bool offered;         /* our SYN has had it */
    bool sent;            /* so that there is a */
    uint32_t val;         /* TSval sent last */
    bool heard;           /* the peer's SYN has had it */
    uint32_t least, most; /* TS.Recent is between these */
    uint32_t maybe[TS_VALS];
    uint32_t n_maybe; /* and one of these, or `least` */
    bool overflow;    /* too many: only the limits are known */
    bool forgetful;   /* our last segment was a SYN cookie: there is no TS.Recent */
};

static inline bool ts_agreed(const struct ts_watch *me, const struct ts_watch *peer)
{
    return me->offered && peer->offered;
}

/* `me` sends seg, no RST; passive: it was opened by a listener. */
void ts_sent(struct ts_watch *me, const struct ts_watch *peer, const struct seg *seg, bool passive);

/* A SYN-ACK without a connection: it echoes its SYN, which may be one that is late. */
void ts_sent_cookie(struct ts_watch *me, const struct ts_watch *peer, const struct seg *seg);

/* A RST of a connection; one that answers a segment. */
void ts_sent_reset(const struct ts_watch *me, const struct ts_watch *peer, const struct seg *seg);
void ts_sent_answer(const struct seg *seg);

enum ts_age {
    TS_GOOD,
    TS_UNSURE,   /* it may be thrown away */
    TS_OUTDATED, /* it is, and answered with an ACK */
};

/* What becomes TS.Recent. */
enum ts_record {
    TS_NOT_RECORDED,
    TS_MAYBE_RECORDED,
    TS_RECORDED,
};

/* seg, which is no RST, reaches `me`. record: by its numbers. */
enum ts_age ts_arrived(struct ts_watch *me, const struct ts_watch *peer, const struct seg *seg,
                       enum ts_record record);

/* Whether the SYN that `client` has sent may take the place of a connection in TIME-WAIT, whose end
 * here is `was`, of `peer` (RFC 6191 2). */
bool ts_reopens(const struct ts_watch *client, const struct ts_watch *was,
                const struct ts_watch *peer);

#endif
