/*
 * SEGMENT ARRIVES as RFC 9293 3.10.7 has it, with RFC 5961 (which 3.10.7.4 has folded in), RFC
 * 1337, the timestamps of RFC 7323 and the marks of RFC 3168: what one segment does to one
 * connection. Written from the RFCs' text, one function for each of its steps; it shares no code
 * with the engine, not even the arithmetic of sequence numbers.
 *
 * Where the engine means to leave the RFC the oracle asks leaves_rfc(), which also notes that the
 * place was reached; deviations.c has the list. Everything else has to be the same.
 */
#ifndef ORACLE_H
#define ORACLE_H

#include <stdbool.h>
#include <stdint.h>

#include "deviations.h"

/* In the order of 3.3.2, LISTEN being the first. */
enum rfc_state {
    RFC_CLOSED,
    RFC_LISTEN,
    RFC_SYN_SENT,
    RFC_SYN_RECEIVED,
    RFC_ESTABLISHED,
    RFC_FIN_WAIT_1,
    RFC_FIN_WAIT_2,
    RFC_CLOSE_WAIT,
    RFC_CLOSING,
    RFC_LAST_ACK,
    RFC_TIME_WAIT,
};

/* Control bits, 3.1. */
enum {
    RFC_FIN = 1,
    RFC_SYN = 2,
    RFC_RST = 4,
    RFC_PSH = 8,
    RFC_ACK = 16,
    RFC_URG = 32,
    RFC_ECE = 64, /* RFC 3168 */
    RFC_CWR = 128,
};

struct rfc_seg {
    unsigned ctl;
    uint32_t seq, ack, wnd;
    uint32_t text; /* octets */
    uint16_t up;
    bool ts; /* has timestamps */
    uint32_t tsval;
    bool ce; /* its packet is marked CE (RFC 3168) */
};

/* Signals to the user. */
enum {
    RFC_SIG_OPEN = 1,    /* the connection is open */
    RFC_SIG_OK = 2,      /* "ok" for SENDs, and for the CLOSE in FIN-WAIT-2 */
    RFC_SIG_ARRIVED = 4, /* there is more to RECEIVE: text, or "connection closing" */
    RFC_SIG_URGENT = 8,
    RFC_SIG_OVER = 16, /* both directions have ended: TIME-WAIT, or CLOSED with `error` */
};

enum rfc_error {
    RFC_NO_ERROR,
    RFC_RESET,   /* "connection reset" */
    RFC_REFUSED, /* "connection refused" */
    RFC_ABORTED, /* we have reset it ourselves */
};

#define RFC_STREAM 1024 /* octets of the peer's text that the oracle can follow */

/* The connection: RFC 9293 3.3.1, and what else the text of 3.10.7 speaks of. */
struct rfc_tcb {
    enum rfc_state state;
    bool passive; /* "came from the LISTEN state" */
    bool sack;    /* both ends have permitted it (RFC 2018) */
    uint32_t rmss;

    uint32_t iss, snd_una, snd_nxt, snd_wnd, snd_wl1, snd_wl2;
    uint32_t max_snd_wnd; /* RFC 5961 5.2 */
    bool fin_sent;        /* our FIN is the last before SND.NXT */

    uint32_t irs, rcv_nxt, rcv_wnd;
    uint32_t rcv_up;
    bool urgent;       /* the user was told of RCV.UP */
    uint32_t read;     /* octets of text the user has consumed */
    uint32_t unacked;  /* octets of text for which an ACK is being delayed */
    bool close_queued; /* 3.10.4: "queue for processing after entering ESTABLISHED state" */
    bool user_gone;    /* has CLOSEd and will never RECEIVE (3.6.1, MAY-1) */
    bool throttled;    /* RFC 5961 7: no challenge ACK may be sent now */

    bool arrived[RFC_STREAM]; /* which octets of the peer's text are here */
    bool fin_held;            /* the peer's FIN is here: its number */
    uint32_t fin;
    bool fin_taken; /* and RCV.NXT has passed it */

    bool ecn;  /* RFC 3168 6.1.1: the SYNs so far were ECN-setup ones */
    bool echo; /* 6.1.3: CE has come, and no CWR since */

    bool ts_ok;                        /* RFC 7323 3.2: Snd.TS.OK */
    uint32_t ts_recent, last_ack_sent; /* RFC 7323 4.3 */
};

enum rfc_when {
    RFC_AT_ONCE,
    RFC_DELAYED, /* within 0.5 s (MUST-40) */
};

struct rfc_answer {
    unsigned ctl;
    uint32_t seq, ack;
    uint32_t sacked; /* octets beyond a hole that its SACK blocks tell of (RFC 2018 4) */
    enum rfc_when when;
    bool ts; /* has timestamps */
    uint32_t tsecr;
};

#define RFC_ANSWERS 3

struct oracle {
    struct rfc_tcb t;

    /* The reaction */
    struct rfc_answer answer[RFC_ANSWERS];
    unsigned n_answers;
    unsigned signals;
    enum rfc_error error;
    bool two_msl; /* the 2 MSL timeout begins, or begins again */

    /* Given: there is no memory for text that arrives. What can't be kept is as if it had never
     * come, with what follows it: the peer sends it again. */
    bool no_memory;

    /* Inside one call */
    bool ack_at_once, ack_delayed;
    bool synack_again, fin_goes, fin_again, only_ack;
    bool twice; /* the segment has brought text that was here */

    struct deviating dev;
};

/* 3.10.7. Of `o` no more is set than the connection and what is given. */
void oracle_arrives(struct oracle *o, const struct rfc_seg *seg);

/* 3.10.7.4, and its steps from the sixth on: to what the SYN,ACK carries. */
void oracle_arrives_sync(struct oracle *o, const struct rfc_seg *seg);
void oracle_sixth_on(struct oracle *o, const struct rfc_seg *seg);

/* What the user can RECEIVE, what waits beyond a hole, and how far RCV.UP is in advance of the data
 * consumed: octets. */
uint32_t oracle_unread(const struct rfc_tcb *t);
uint32_t oracle_held(const struct rfc_tcb *t);
uint32_t oracle_urgent(const struct rfc_tcb *t);

/* ---- For the oracle's own files ---- */

static inline bool rfc_before(uint32_t a, uint32_t b)
{
    return (uint32_t)(b - a - 1) < 0x7fffffffu;
}

/* SEG.LEN */
static inline uint32_t rfc_len(const struct rfc_seg *s)
{
    return s->text + (s->ctl & RFC_SYN ? 1 : 0) + (s->ctl & RFC_FIN ? 1 : 0);
}

void oracle_answer(struct oracle *o, unsigned ctl, uint32_t seq, uint32_t ack);
void oracle_signal(struct oracle *o, unsigned signal);
void oracle_over(struct oracle *o, enum rfc_error error); /* "enter the CLOSED state" */
void oracle_window(struct oracle *o, const struct rfc_seg *seg);
void oracle_ts_recent(struct oracle *o, const struct rfc_seg *seg); /* RFC 7323 4.3 (2) */
void oracle_ecn_syn(struct oracle *o, const struct rfc_seg *seg);   /* RFC 3168 6.1.1 */

#endif
