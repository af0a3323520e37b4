/* Steps from one scene to the next: each is taken by the engine (the ladder of segments.h), and
 * written down for the oracle. */
#ifndef STEPS_H
#define STEPS_H

#include "oracle.h"

/* From nothing; by a passive OPEN when t->passive says so. Active and SYN-RECEIVED: a simultaneous
 * one. wnd: the peer's. */
void step_opened(struct rfc_tcb *t);
void step_syn_received(struct rfc_tcb *t);
void step_established(struct rfc_tcb *t, uint32_t wnd);

/* From SYN-RECEIVED: to FIN-WAIT-1 when a CLOSE is queued. */
void step_syn_acked(struct rfc_tcb *t);

/* Two segments of ours, not acknowledged. */
void step_in_flight(struct rfc_tcb *t);

/* Text arrives and is acknowledged; nobody reads it. */
void step_unread(struct rfc_tcb *t, uint32_t n);

/* One segment of text, whose ACK is delayed. */
void step_unacknowledged(struct rfc_tcb *t);

/* Octets 50 to 99 of the window are here, those before are not; and the FIN behind them, or 0. */
void step_hole(struct rfc_tcb *t, unsigned fin);

/* The user was told of an urgent pointer, two octets ahead. */
void step_urgent(struct rfc_tcb *t);

/* As many challenge ACKs have been sent as may be in 5 seconds (RFC 5961 7). */
void step_throttled(struct rfc_tcb *t);

/* The user has CLOSEd and will not RECEIVE (3.6.1, MAY-1). */
void step_left(struct rfc_tcb *t);

void step_fin_sent(struct rfc_tcb *t);
void step_fin_acked(struct rfc_tcb *t);
void step_fin_received(struct rfc_tcb *t);

#endif
