/*
 * Checker of retransmissions: nothing is sent again but for a reason, and for each reason once.
 * Reasons are a timeout, which comes no sooner than the shortest RTO after the timer was started
 * (RFC 6298 5.4), three duplicate ACKs, and the partial ACKs after them, for one segment each (RFC
 * 5681 3.2, RFC 6582 3.2), a window that has opened, and a router that says "too big" (RFC 1191
 * 6.4). So it holds on the worst of paths, and an engine that sends anything twice is found at
 * once.
 *
 * An ACK may have come in a segment that the engine has thrown away. `sure` is what it must have
 * seen acknowledged, `acked` the most it can have.
 */
#ifndef CHECK_RESEND_H
#define CHECK_RESEND_H

#include <stdbool.h>
#include <stdint.h>

struct resend_watch {
    uint64_t rto_min_ns;
    uint64_t next, end; /* may be sent again */
    uint64_t armed_ns;  /* the timer was not started before that */
    uint64_t recover;   /* fast recovery may last until this is acknowledged; 0: it is not on */
    /* Duplicate ACKs since the last ACK that advanced for sure, and since the last that may have.
     */
    uint32_t dup_sure, dup_maybe;
    bool was_shut; /* the peer's window, since the last such reason */
};

/* What there is of a stream: see above. */
struct resend_seen {
    uint64_t sure, acked, sent;
    uint32_t mss;
};

/* Octets go for the first time; idle: nothing was outstanding. */
void resend_first(struct resend_watch *r, bool idle, uint64_t now_ns);

/* Whether the timer may have run out after so long; whether it may have now; whether [at, end) may
 * go again. */
bool resend_after(const struct resend_watch *r, uint64_t ns);
bool resend_timeout(const struct resend_watch *r, uint64_t now_ns);
bool resend_permits(const struct resend_watch *r, uint64_t at, uint64_t end, uint64_t now_ns);

/* [at, end) goes again. */
void resend_again(struct resend_watch *r, const struct resend_seen *seen, uint64_t at, uint64_t end,
                  uint64_t now_ns);

/* An ACK has advanced; surely: for the engine too, and just now. */
void resend_acked(struct resend_watch *r, const struct resend_seen *seen, bool surely,
                  uint64_t now_ns);

/* Text up to `end` goes again for another reason; if the timer may have run out, perhaps for that,
 * too, and then the rest follows. */
void resend_perhaps(struct resend_watch *r, const struct resend_seen *seen, uint64_t end,
                    uint64_t now_ns);

/* An ACK that may have been thrown away when it came first has come again, and counts; whether it
 * advances for the engine only now is not known. */
void resend_partial(struct resend_watch *r, const struct resend_seen *seen);

/* An ACK without text has come that did not advance. */
void resend_duplicate(struct resend_watch *r, const struct resend_seen *seen);

/* The peer has offered this window; surely: and no old one. */
void resend_window(struct resend_watch *r, const struct resend_seen *seen, uint64_t wnd,
                   bool surely);

/* A router has said "too big". */
void resend_too_big(struct resend_watch *r, const struct resend_seen *seen);

#endif
