/*
 * The persist timer: zero-window probes (RFC 9293 3.8.6.1) and the override timeout of the sender's
 * silly window avoidance (3.8.6.2.1 (4)). The first comes after one RTO (SHLD-29), then the
 * interval doubles (SHLD-30) up to PERSIST_MAX_NS.
 */
#ifndef PERSIST_H
#define PERSIST_H

#include <stdbool.h>
#include <stdint.h>

#include "nstime.h"

#define PERSIST_MIN_NS (100 * NS_PER_MS)
#define PERSIST_MAX_NS (60 * NS_PER_S)

struct persist {
    uint64_t due_ns;      /* TIME_NEVER: off */
    uint64_t interval_ns; /* of the timer that runs */
    uint32_t unanswered;  /* probes in a row */
};

/* What a timer that does not run begins with. */
#define PERSIST_OFF                                                                                \
    {                                                                                              \
        .due_ns = TIME_NEVER                                                                       \
    }

/* Starts the timer at rto_ns (clamped to the limits above); no effect when it runs. */
void persist_start(struct persist *p, uint64_t rto_ns, uint64_t now_ns);
void persist_stop(struct persist *p);
bool persist_on(const struct persist *p);
bool persist_due(const struct persist *p, uint64_t now_ns);

/* A probe was sent; the peer has acknowledged something, whatever its window is. */
void persist_probed(struct persist *p);
void persist_heard(struct persist *p);

/* The timer has run out and the probe goes: doubles the interval and starts again. */
void persist_backoff(struct persist *p, uint64_t now_ns);

#endif
