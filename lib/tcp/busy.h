/*
 * What a connection needs while something goes on: something is queued, in flight, unread, urgent,
 * or to be answered within a budget. Most connections are silent most of the time; they are without
 * it, and tcb.busy is &busy_none, which says of everything that there is none.
 *
 * It is made when it is needed, which fails for want of memory: then there is no SEND, CLOSE or
 * text that arrives, and nobody is answered who may be an attacker.
 */
#ifndef BUSY_H
#define BUSY_H

#include <stdbool.h>
#include <stdint.h>

#include "cc.h"
#include "list.h"
#include "pacing.h"
#include "persist.h"
#include "rcvq.h"
#include "rcvwnd.h"
#include "recovery.h"
#include "rto.h"
#include "sack.h"
#include "sack_recovery.h"
#include "sndq.h"

/* So many in so long, and no more: see reset.c. */
struct budget {
    uint64_t from_ns;
    uint8_t spent;
};

struct tcb;

struct busy {
    /* Sending */
    struct sndq sndq;
    struct cc cc;
    uint32_t sndbuf;                    /* the send buffer has grown to that; 0: it has not */
    struct recovery recovery;           /* without SACK; and of our SYN */
    struct sack_recovery sack_recovery; /* with it; see loss.h */
    struct rto_timed timed;
    struct pacing pacing;
    struct persist persist;
    uint64_t rtx_due_ns;      /* retransmission (RFC 6298 5); TIME_NEVER: off */
    uint64_t give_up_due_ns;  /* user timeout (RFC 9293 3.10.8); the same */
    seq_t up_from;            /* what was sent before this had no pointer to SND.UP */
    seq_t full;               /* SND.NXT when cwnd last had no room for a segment more */
    seq_t small;              /* end of the last segment below one MSS (RFC 9293 A.3, Minshall) */
    seq_t cwr;                /* of the last segment with CWR, or SND.UNA - 1 (RFC 3168 6.1.2) */
    uint64_t paused_ns;       /* no new text until then (the same); TIME_NEVER: it may go */
    uint64_t autocork_due_ns; /* autocork.c's */
    uint8_t retries;          /* timeouts in a row without progress */

    /* Receiving */
    uint64_t ack_due_ns; /* the delayed ACK's deadline, while ackdelay has one */
    uint64_t rcv_up;     /* RCV.UP, as a stream offset (rcvq.h): it may lie far behind */
    struct sack sack;
    struct rcvwnd_growth growth;
    struct receive *receive; /* a RECEIVE that waits, the caller's; NULL: none */

    struct budget challenges;     /* ACKs that answer what an attacker may have sent (RFC 5961 7) */
    uint64_t challenged_ns;       /* when a SYN was last challenged; 0: never */
    struct budget probe_answers;  /* and keep-alives and window probes */
    struct budget resent_for_mtu; /* text sent again at once for ICMP's "too big" */

    /* For who gives it back when it has not been needed for a while. */
    struct tcb *tcb;
    struct list resting;
    uint64_t since_ns;
};

extern const struct busy busy_none;

/* The connection's, made if there is none; NULL for want of memory, and tcb.no_room. */
struct busy *tcb_busy(struct tcb *t);

/* The same, and takes it away: for another connection to begin with. */
struct busy *tcb_take_busy(struct tcb *t);

/* Makes this memory the connection's, which has none. */
void tcb_begin_busy(struct tcb *t, struct busy *b);

bool tcb_is_busy(const struct tcb *t);

/* Whether there is nothing to do, and nothing to be known of later but what was spent. */
bool tcb_rests(const struct tcb *t);

/* Whether nothing is spent any more. */
bool tcb_unspent(const struct tcb *t, uint64_t now_ns);

/* Gives it back, whatever is in it. */
void tcb_unbusy(struct tcb *t);

#endif
