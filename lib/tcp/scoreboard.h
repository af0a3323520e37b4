/*
 * The scoreboard: what of [SND.UNA, SND.NXT) was sent when, what of it the peer has, and what is
 * taken to be lost (RFC 6675 4, RFC 8985 5.2). Numbers and times only: when something counts as
 * lost is rack.h's to say, and who sends it again loss.h's.
 *
 * A record is a run of octets that were sent at the same time, in ascending order, and share their
 * fate; it is cut where that differs, and joined again where it does not. So a super-segment, and
 * all that one call to output sends, is one record.
 */
#ifndef SCOREBOARD_H
#define SCOREBOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "list.h"
#include "mem.h"
#include "seq.h"

struct sent {
    struct list by_seq;
    struct list line; /* in flight: scoreboard.flying; lost: scoreboard.missing; SACKed: none */
    seq_t start, end;
    uint64_t at_ns; /* when it was sent last */
    bool again;     /* not for the first time */
    bool sacked, lost;
    bool shared; /* some of it was sent before at_ns: that it has come tells of no time */
};

struct scoreboard {
    struct list by_seq;
    struct list flying;  /* neither SACKed nor lost, by at_ns */
    struct list missing; /* lost, by number */
    struct mem *mem;
    struct sent *near;     /* where blocks were SACKed last; NULL: nowhere */
    uint32_t n;            /* records */
    uint32_t sacked, lost; /* octets */
    seq_t fack;            /* the highest number that was delivered, + 1 */
    bool refused;          /* memory was; the caller tells and clears */
    struct sent spare;     /* for when there is nothing else */
};

/* What one ACK has delivered. */
struct delivery {
    uint64_t now_ns;
    /* Sent again and answered sooner, or not before what the ACK's timestamp echoes (TIME_NEVER: it
     * has none): the answer is to an earlier sending. */
    uint64_t min_rtt_ns, echo_end_ns;
    seq_t fack; /* before it */
    uint32_t octets;
    bool reordered; /* something that was sent once, below fack */
    /* What was sent last of what was surely answered (RFC 8985 6.2 step 2). */
    bool valid;
    bool again;
    uint64_t at_ns;
    seq_t end;
};

void scoreboard_init(struct scoreboard *b, struct mem *mem, seq_t una);
void scoreboard_finish(struct scoreboard *b);

/* [from, end) was sent, for the first time or again. Without memory for a record the whole of one
 * that it touches counts as sent now; so does, of more than SCOREBOARD_MANY records of small
 * segments, the last one. */
#define SCOREBOARD_MANY  8192
#define SCOREBOARD_SMALL 536 /* octets: records are, on the average, of less */

void scoreboard_sent(struct scoreboard *b, seq_t from, seq_t end, uint64_t now_ns);

/* An ACK has come. */
void scoreboard_begin(const struct scoreboard *b, struct delivery *d, uint64_t min_rtt_ns,
                      uint64_t now_ns);

/* Everything below una was acknowledged. */
void scoreboard_acked(struct scoreboard *b, seq_t una, struct delivery *d);

/* [left, right) was SACKed, within what is outstanding. What can't be recorded is not, nor what
 * would cut records to more than so many: a peer that reports single octets would have us look
 * through as many records with each ACK. O(records between these blocks and those before), which
 * are few where blocks tell of a hole. */
void scoreboard_sacked(struct scoreboard *b, seq_t left, seq_t right, uint32_t records_max,
                       struct delivery *d);

/* It is lost. */
void scoreboard_lose(struct scoreboard *b, struct sent *s);

/* Everything outstanding that is not SACKed is; or nothing is. */
void scoreboard_lose_all(struct scoreboard *b);
void scoreboard_lose_none(struct scoreboard *b);

/* The peer has thrown away what it had SACKed (RFC 2018 8): all of that is lost. */
void scoreboard_renege(struct scoreboard *b);

/* The first run that is lost, if any. */
bool scoreboard_missing(const struct scoreboard *b, seq_t *from, seq_t *end);

/* The first record; NULL: nothing is outstanding. */
struct sent *scoreboard_first(const struct scoreboard *b);

/* Octets that are neither SACKed nor lost, of `outstanding`: RFC 6675's pipe. */
static inline uint32_t scoreboard_flight(const struct scoreboard *b, uint32_t outstanding)
{
    return outstanding - b->sacked - b->lost;
}

/* The record that stands on a line here. */
static inline struct sent *sent_of_line(struct list *l)
{
    return container_of(l, struct sent, line);
}

/* Whether t1, end1 was sent after t2, end2: RFC 8985 6.2's RACK_sent_after. */
static inline bool sent_after(uint64_t t1, seq_t end1, uint64_t t2, seq_t end2)
{
    return t1 > t2 || (t1 == t2 && seq_lt(end2, end1));
}

/* Whether the records cover [una, nxt) and the counts are right. O(records). */
bool scoreboard_check(struct scoreboard *b, seq_t una, seq_t nxt);

#endif
