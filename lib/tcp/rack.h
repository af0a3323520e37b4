/*
 * RACK-TLP (RFC 8985): what is lost is told by time. Text is lost when something that was sent
 * later has arrived, and more than a round trip and a reordering window has gone by. When the last
 * of a flight is lost nothing later arrives, so a probe is sent (TLP). Names as there.
 *
 * Keeps the two deadlines that RFC 6298's timer does not: of the reordering window, and of the
 * probe (PTO). Knows the scoreboard and no connection.
 */
#ifndef RACK_H
#define RACK_H

#include <stdbool.h>
#include <stdint.h>

#include "scoreboard.h"

struct cc_rest;

/* Linux's tcp_recovery, beside 1, which is RACK itself. */
#define RACK_STATIC_REO_WND 2u /* D-SACKs do not widen the reordering window */
#define RACK_NO_DUP_THRESH  4u /* as much SACKed as three segments does not end it */

struct rack {
    uint8_t tcp_recovery;

    /* RACK.segment: what was sent last of all that was delivered. */
    uint64_t xmit_ns;
    seq_t end_seq;
    uint64_t rtt_ns;
    uint64_t min_rtt_ns, min_rtt_at_ns; /* the least of the last minutes; 0: none yet */

    seq_t dsack_round_end;
    bool dsack_round; /* until SND.UNA has reached that, a D-SACK does not count again */
    bool reordering_seen;
    uint8_t reo_wnd_mult;    /* quarters of min_RTT */
    uint8_t reo_wnd_persist; /* recoveries until the former is 1 again */

    uint64_t reo_due_ns; /* the reordering window ends; TIME_NEVER: none runs */
    uint64_t pto_due_ns; /* a probe is due; TIME_NEVER: none */

    /* TLP */
    bool tlp_out;       /* TLP.end_seq is not None */
    bool tlp_rtt_taken; /* a sample since the last probe: there may be another */
    seq_t tlp_end_seq;
    uint32_t tlp_resent; /* octets before it that went again; 0: TLP.is_retrans is false */
    uint64_t tlp_at_ns;  /* when */
};

/* What RACK is told beside the scoreboard. */
struct rack_now {
    uint64_t now_ns;
    uint64_t srtt_ns;
    uint32_t mss;
    bool in_recovery; /* fast, or after a timeout */
};

void rack_init(struct rack *r, uint8_t tcp_recovery);

/* What a connection that rests keeps of it, and takes up again after rack_init(). */
void rack_rest(const struct rack *r, struct cc_rest *rest);
void rack_resume(struct rack *r, const struct cc_rest *rest);

/* RFC 8985 6.2 steps 1 to 3. */
void rack_delivered(struct rack *r, const struct delivery *d);

/* Step 4's reaction to an ACK, and to one with a D-SACK. */
void rack_round(struct rack *r, seq_t una);
void rack_dsack(struct rack *r, seq_t nxt);

/* The same to the end of a recovery. */
void rack_recovered(struct rack *r);

/* Steps 4 and 5: marks what is lost, and sets reo_due_ns. */
void rack_detect_loss(struct rack *r, struct scoreboard *b, const struct rack_now *now);

/* RFC 8985 6.3: the retransmission timer ran out. */
void rack_timeout(struct rack *r, struct scoreboard *b, const struct rack_now *now);

/* RFC 8985 7.2: sets pto_due_ns. flight: octets; rtx_due_ns: RTO's deadline. max_ack_delay_ns: what
 * a peer may wait with the ACK of a single segment. */
void rack_schedule_probe(struct rack *r, const struct rack_now *now, uint32_t flight,
                         uint64_t rtx_due_ns, uint64_t max_ack_delay_ns);

/* RFC 8985 7.3: PTO has run out; whether a probe may go. */
bool rack_may_probe(const struct rack *r);

/* It went: up to end_seq, which is SND.NXT; `resent` octets not for the first time, 0: new text. */
void rack_probed(struct rack *r, seq_t end_seq, uint32_t resent, uint64_t now_ns);

/* RFC 8985 7.4.2, for an ACK with this SEG.ACK. twice: with a D-SACK of the
 * probe, or nothing but a duplicate.
 * True: a loss was repaired by the probe, and congestion control has to answer. */
bool rack_probe_acked(struct rack *r, seq_t ack, bool twice);

/* RFC 8985 7.1: a recovery begins. */
void rack_forget_probe(struct rack *r);

#endif
