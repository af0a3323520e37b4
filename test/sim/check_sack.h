/*
 * Checker of SACK, one struct per end of a connection where both have said SACK-permitted.
 *
 * Sending: text goes again as RFC 8985 has it: when something that was sent later has arrived (with
 * check_resend.h's other reasons), or as the one probe of a flight's end. Keeps for all that is
 * outstanding which of its sendings was the last.
 *
 * Receiving, RFC 2018 4 and RFC 2883: a block tells of what has arrived and of nothing else; it
 * lies beyond what is acknowledged, but for the first, which may tell what has come twice; no octet
 * is in two of the others.
 */
#ifndef CHECK_SACK_H
#define CHECK_SACK_H

#include <stdbool.h>
#include <stdint.h>

#include "check_ack.h"
#include "check_resend.h"
#include "seg.h"

#define SACK_SENDINGS 256

struct sack_watch {
    struct {
        uint64_t at, end;
        uint64_t number;  /* of the last sending; what goes at the same time has the same */
    } out[SACK_SENDINGS]; /* in order, without gaps */
    uint32_t n_out;
    uint64_t top;       /* the highest end so far */
    bool overflow;      /* too many: nothing is checked until all is acknowledged */
    uint64_t sendings;  /* so far */
    uint64_t delivered; /* the highest number of one that may have arrived */
    bool may_probe;     /* what was sent last may be a probe */
    bool probed;        /* since an ACK has advanced */
    uint64_t sent_ns;   /* when text was last sent */
    uint64_t quiet_ns;  /* when new text was, or an ACK advanced */
};

/* [at, end) is sent; below seen->sent, again. Whether it counts as lost. timeout: the
 * retransmission timer may have run out, before which the probe goes (RFC 8985 7.2). */
bool sack_sent(struct sack_watch *w, const struct resend_seen *seen, uint64_t at, uint64_t end,
               bool timeout, uint64_t now_ns);

/* There is no other reason for what was sent last: whether it may have been the probe. */
bool sack_was_probe(struct sack_watch *w);

/* An ACK arrives: up to ack, and n blocks. */
struct sack_span {
    uint64_t left, right;
};
void sack_acked(struct sack_watch *w, uint64_t ack, const struct sack_span *blocks, unsigned n,
                uint64_t now_ns);

/* The end that has received what `a` says sends an ACK of `ack` with these blocks. */
void sack_told(const struct ack_watch *a, uint64_t ack, const struct sack_span *blocks, unsigned n);

#endif
