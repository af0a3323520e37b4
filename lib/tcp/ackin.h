/*
 * Step five of 3.10.7.4 in detail: what an acceptable ACK does to the sender: SND.UNA, the window,
 * RTT (RFC 6298), congestion control and recovery (RFC 5681, 6582), the timers.
 */
#ifndef ACKIN_H
#define ACKIN_H

#include "tcb.h"

/* SEG.ACK has been found within [SND.UNA - MAX.SND.WND, SND.NXT]. */
void tcp_ackin(struct tcb *t, const struct seg *seg, uint64_t now_ns);

/* SND.WND, SND.WL1 and SND.WL2 from a segment known to be newer than the last; scaled unless SYN.
 */
void tcp_ackin_window(struct tcb *t, const struct seg *seg);

/* SND.UNA moves over our SYN: the handshake's RTT sample, the timers. */
void tcp_ackin_syn_acked(struct tcb *t, const struct seg *seg, uint64_t now_ns);

/* Whether seg, which is older than what has come before by its timestamp (RFC 7323 5.3), is but a
 * duplicate ACK that later ones have overtaken on the way, by an RTO at most (the peer's ticks
 * taken for ms): what it SACKs is news still, and it can do no harm. As Linux has it. */
bool tcp_ackin_overtaken(const struct tcb *t, const struct seg *seg);

#endif
