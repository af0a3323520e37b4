/* TIMEOUTS (RFC 9293 3.10.8): user timeout, retransmission, TIME-WAIT, the persist timer,
 * and keep-alives (3.8.4). */
#ifndef TIMEOUT_H
#define TIMEOUT_H

#include "tcb.h"

/* Acts on every timer that has run out; harmless when none has. */
void tcp_timeout(struct tcb *t, uint64_t now_ns);

/* The earliest timer; 0 when an ACK is due at once; TIME_NEVER when none runs. */
uint64_t tcp_deadline(const struct tcb *t);

/* The retransmission timer starts anew, and with it R2 unless it runs (RFC 6298 5.1, 5.3); not
 * while a shut window is probed, which the persist timer does alone (SHLD-30). */
void tcp_timeout_arm_rtx(struct tcb *t, uint64_t now_ns);

/* Something is sent that the peer must answer: R2 runs from now unless it runs. */
void tcp_timeout_expect(struct tcb *t, uint64_t now_ns);

/* Takes over settings that stay where they are. R2, if it runs, goes on counting from where it
 * began. */
void tcp_timeout_set(struct tcb *t, const struct tcp_settings *settings);

/* Text is to go again after an RTO of silence: cwnd is at most the initial window (RFC 5681 4.1).
 */
void tcp_timeout_silent(struct tcb *t, uint64_t now_ns);

/* Whether a keep-alive is to be sent now. */
bool tcp_timeout_keepalive(const struct tcb *t, uint64_t now_ns);

/* Progress was made: R2 is counted from now, or not at all when nothing waits for the peer. */
void tcp_timeout_progress(struct tcb *t, uint64_t now_ns);

#endif
