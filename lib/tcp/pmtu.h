/* The path's MTU as one connection knows it (RFC 1191, RFC 8201), and what changes with it. */
#ifndef PMTU_H
#define PMTU_H

#include "tcb.h"

/* What is learned is forgotten after so long (RFC 1191 6.3): larger packets are then tried again.
 */
#define PMTU_AGE_NS (600 * NS_PER_S)

/*
 * A segment of ours that is in flight was too big for a link on the way, whose MTU is given; 0: an
 * IPv4 router from before RFC 1191 doesn't say, and packet_len, the octets of the packet it threw
 * away, is all there is to guess from. True when that was news: what is in flight is then sent
 * again in smaller segments, beginning with one (RFC 1191 6.4); not at once, but by the
 * retransmission timer, when there was much news of late. False when the message can't be true, as
 * when the packet was no larger than the MTU, or tells nothing new, or the user does not want it;
 * then nothing has changed.
 */
bool tcp_pmtu_too_big(struct tcb *t, uint32_t mtu, uint32_t packet_len, uint64_t now_ns);

/* R1 is reached (RFC 9293 3.8.3 (b)), or was before and the timer has run out once more: it is
 * taken for a black hole, a link on the way that drops what is too big for it and says nothing (RFC
 * 4821 7.7), whatever else ICMP has said: that may be long ago. Text goes in packets of 1024 octets
 * from then on, and when that was no help in smaller ones still; other connections are not told,
 * for it may as well have been something else. To be called before what is lost is sent again. */
void tcp_pmtu_full_stop(struct tcb *t, uint64_t now_ns);

/* What was sent before timeouts in a row that reached R1 has arrived after all: there is no black
 * hole, and the MTU is what it was before them. */
void tcp_pmtu_got_through(struct tcb *t);

/* Another connection to the same address has learned it, not long before this one is opened. */
void tcp_pmtu_known(struct tcb *t, uint32_t mtu, uint64_t until_ns);

/* The user has chosen anew what makes packets smaller (enum pmtudisc): what ICMP does not is
 * forgotten. */
void tcp_pmtu_discover(struct tcb *t);

/* The largest segment that peer and first link take is known: sets the effective send MSS (RFC 9293
 * 3.7.1, MUST-16). */
void tcp_pmtu_limit(struct tcb *t, uint32_t mss_max);

/* Every packet has so many octets of IP options from now on, which leave less room for text
 * (3.7.1). */
void tcp_pmtu_options(struct tcb *t, uint8_t len);

/* Forgets what is too old. To be called before new text is sent. */
void tcp_pmtu_age(struct tcb *t, uint64_t now_ns);

#endif
