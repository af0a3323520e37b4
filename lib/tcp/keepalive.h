/*
 * Keep-alive (RFC 9293 3.8.4): whether the peer of an idle connection is still there.
 *
 * After `idle` without a segment from the peer a probe goes, and one every `interval` until the
 * peer is heard of again; when several in a row are not answered it is taken to be gone (MUST-29:
 * never because of one). The caller asks only while the connection is idle (MUST-26).
 */
#ifndef KEEPALIVE_H
#define KEEPALIVE_H

#include <stdbool.h>
#include <stdint.h>

/* What the user may set (MUST-24, MUST-27), as tcp(7) has it. */
struct keepalive_settings {
    uint32_t idle_ms;     /* TCP_KEEPIDLE */
    uint32_t interval_ms; /* TCP_KEEPINTVL; above 0 */
    uint16_t probes;      /* TCP_KEEPCNT: so many without answer are enough */
    uint16_t on;          /* SO_KEEPALIVE: 0 or 1 */
};

/* Off (MUST-25); when on: 2 h (MUST-28), 75 s, 9 probes. */
struct keepalive_settings keepalive_default(void);

struct keepalive {
    uint64_t heard_ns;       /* when the peer was last heard of; kept while off as well */
    uint64_t asked_us : 56;  /* when the last probe went */
    uint64_t unanswered : 8; /* probes since the peer was heard of */
};

/* A segment of the peer's has arrived. */
void keepalive_heard(struct keepalive *k, uint64_t now_ns);

/* When to ask keepalive_probe_due and keepalive_dead again; TIME_NEVER when off. */
uint64_t keepalive_deadline(const struct keepalive *k, const struct keepalive_settings *s);

/* Whether it is time for a probe. user_timeout_ns: as for keepalive_dead. */
bool keepalive_probe_due(const struct keepalive *k, const struct keepalive_settings *s,
                         uint64_t user_timeout_ns, uint64_t now_ns);

/* Whether the peer is gone. user_timeout_ns: 0, or the user's own limit for silence, which then
 * decides instead of the number of probes (TCP_USER_TIMEOUT in tcp(7)). */
bool keepalive_dead(const struct keepalive *k, const struct keepalive_settings *s,
                    uint64_t user_timeout_ns, uint64_t now_ns);

/* A probe goes out. */
void keepalive_probed(struct keepalive *k, uint64_t now_ns);

#endif
