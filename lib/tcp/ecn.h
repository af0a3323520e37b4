/*
 * Explicit Congestion Notification (RFC 3168): what is agreed in the SYNs, ECT on what may be
 * marked, the echo of what was. What the sender makes of an echo is loss.h's and cc.h's.
 *
 * The upper six bits of the IP header's octet are the user's (struct tcp_ip), the lower two are
 * seg.ecn. Of a super-segment's packets all have the same; CWR is on the first alone.
 */
#ifndef ECN_H
#define ECN_H

#include "tcb.h"

/* A SYN or SYN-ACK of the peer: whether it still agrees (6.1.1). One that does not is the end of it
 * for good. */
void tcp_ecn_take_syn(struct tcb *t, const struct seg *seg);

/* TCP_ECE and TCP_CWR of our next SYN or SYN-ACK (6.1.1). */
uint8_t tcp_ecn_syn_flags(const struct tcb *t);

/* TCP_ECE for any other segment with ACK (6.1.3). */
uint8_t tcp_ecn_echo(const struct tcb *t);

/* New text leaves in it: ECT(0), and CWR when it is the first after cwnd was reduced (6.1.2). A
 * probe of a shut window has neither (6.1.6). */
void tcp_ecn_new_text(struct tcb *t, struct seg *seg);

/* Text has arrived in it, in the window (6.1.3, 6.1.5), or as a probe of one that is shut (6.1.6):
 * CE, CWR. */
void tcp_ecn_arrived(struct tcb *t, const struct seg *seg);

/* Whether an ACK that SND.UNA has moved to, or not, tells of congestion; and whether cwnd was not
 * reduced for that already, which is once in a window of data (6.1.2): text was marked that went
 * when the peer could know of the last reduction. */
bool tcp_ecn_told(const struct tcb *t, const struct seg *seg);
bool tcp_ecn_news(const struct tcb *t, const struct seg *seg);

#endif
