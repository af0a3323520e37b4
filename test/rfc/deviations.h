/* Where the engine means to leave RFC 9293 3.10.7. See oracle.h. */
#ifndef DEVIATIONS_H
#define DEVIATIONS_H

#include <stdbool.h>
#include <stdint.h>

enum deviation {
    DEV_SYN_TEXT,
    DEV_REFUSED,
    DEV_EDGE,
    DEV_BUDGET,
    DEV_OLD_ACK,
    DEV_SYN_AGAIN,
    DEV_BACK_TO_LISTEN,
    DEV_CLOSING_RST,
    DEV_TIME_WAIT_RST,
    DEV_TIME_WAIT_ANSWERS,
    DEV_KEEPS_UNREAD,
    DEV_SYN_RECEIVED_ACK,
    DEV_WINDOW_WITH_UNA,
    DEV_BEYOND_WINDOW,
    DEV_OLD_URGENT,
    DEV_URGENT_ADVANCES,
    DEV_CUT_TEXT,
    DEV_TEXT_BEYOND_FIN,
    DEV_FIN_AT_EDGE,
    DEV_FIN_BEFORE_TEXT,
    DEV_SECOND_FIN,
    DEV_FIN_AGAIN,
    DEV_SACK_ALONE,
    DEV_SYN_WITHOUT_TS,
    DEV_TS_WITH_ACK,
    DEV_RST_WITHOUT_TS,
    DEVIATIONS
};

struct deviation_text {
    const char *rfc, *we, *why;
};

extern const struct deviation_text deviation_text[DEVIATIONS];

/* Which deviations a case has come by, and one that is not granted in it. */
struct deviating {
    uint32_t used; /* bits */
    int without;   /* enum deviation, or -1 */
};

/* Whether the engine is granted this one, at a place where it matters. */
static inline bool leaves_rfc(struct deviating *d, enum deviation which)
{
    d->used |= 1u << which;
    return d->without != (int)which;
}

#endif
