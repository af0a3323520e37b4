/*
 * Checker of SACK, one struct per end of a connection where both have said SACK-permitted.
 *
 * Sending: text goes again as RFC 8985 has it: when something that was sent later has arrived (with
 * check_resend.h's other reasons), or as the one probe of a flight's end. Keeps for all that is
 * outstanding which of its sendings was the last.
 *
 * Receiving, RFC 2018 4 and RFC 2883: a block tells of what has arrived and of nothing else; it
 * lies beyond what is acknowledged, but for the first, which may tell what has come twice, in the
 * ACK that answers it; no octet is in two of the others. Where it is known what the engine has kept
 * of what has arrived beyond a hole, an ACK tells of as many such blocks as there are and as it has
 * room for, each of them whole, and first of the one to which text has come last.
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
    bool probed;        /* since an ACK has advanced, or said that the window is shut */
    uint64_t sent_ns;   /* when text was last sent */
    uint64_t quiet_ns;  /* when new text was, or an ACK advanced */
};

/* [at, end) is sent; below seen->sent, again. Whether it counts as lost. timeout: the
 * retransmission timer may have run out, before which the probe goes (RFC 8985 7.2). */
bool sack_sent(struct sack_watch *w, const struct resend_seen *seen, uint64_t at, uint64_t end,
               bool timeout, uint64_t now_ns);

/* There is no other reason for what was sent last: whether it may have been the probe. */
bool sack_was_probe(struct sack_watch *w);

/* An ACK arrives: up to ack, and n blocks. surely: it is not too old for the end to take it. */
struct sack_span {
    uint64_t left, right;
};
void sack_acked(struct sack_watch *w, uint64_t ack, const struct sack_span *blocks, unsigned n,
                bool surely, uint64_t now_ns);

/* What the end has to tell, beside what ack_watch knows. */
#define SACK_TWICE  16
#define SACK_UNTOLD 16
struct sack_heard {
    bool unsure; /* it may have kept less than has arrived, until all that is acknowledged */
    uint64_t latest, latest_ns;   /* where and when text has come beyond a hole last */
    uint64_t untold[SACK_UNTOLD]; /* where it has then, and no ACK has told of it since */
    uint32_t n_untold;
    bool untold_more; /* and more than an end need keep in mind */
    bool answered;    /* by an ACK without text */
    struct sack_span
        twice[SACK_TWICE]; /* what has come twice since the last ACK that could say so */
    uint32_t n_twice;
    bool twice_more; /* and more than is known here */
    bool twice_due;  /* some of it must be told */
};

/* Text [at, end) is about to arrive where `a` has arrived before. edge: of the window. sure: the
 * end is one that takes it. */
void sack_heard(struct sack_heard *h, const struct ack_watch *a, uint64_t at, uint64_t end,
                uint64_t edge, bool sure, uint64_t now_ns);

/* The same, but it is thrown away for its timestamp; the next ACK may say what has come twice. */
void sack_outdated(struct sack_heard *h, const struct ack_watch *a, uint64_t at, uint64_t end);

/* An ACK that is sent. */
struct sack_ack_sent {
    uint64_t ack;
    uint64_t fin; /* where the peer's FIN is, which is no text; UINT64_MAX: not known */
    const struct sack_span *blocks;
    unsigned n, most; /* most: for so many blocks there is room, at least */
    bool text;        /* it carries text, so that there may be less room than its MSS says */
};

/* The end that has received what `h` and `a` say sends it. */
void sack_told(struct sack_heard *h, const struct ack_watch *a, const struct sack_ack_sent *s);

#endif
