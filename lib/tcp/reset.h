/* RST generation (RFC 9293 3.5.2) and the challenge ACK (RFC 5961 3.2, 4.2, 5.2, 7). */
#ifndef RESET_H
#define RESET_H

#include "tcb.h"

/* The RST that answers a segment for which there is no connection (3.10.7.1) or that none would
 * have sent. False for a RST, which is never answered. */
bool tcp_reset_answer(const struct seg *seg, struct seg *rst);

/* Whether one more may be sent that anybody can ask for by a forged packet; if so it is spent. */
bool tcp_budget_allows(struct budget *b, uint64_t now_ns);

/* Whether as many may be sent as ever. */
bool tcp_budget_unspent(const struct budget *b, uint64_t now_ns);

/* Asks for a challenge ACK, within this connection's rate limit. */
void tcp_reset_challenge(struct tcb *t, uint64_t now_ns);

/* Asks for the ACK that answers a keep-alive or a window probe without text. Its limit is its own:
 * who guesses wildly spends the challenges, and must not silence these. */
void tcp_reset_answer_probe(struct tcb *t, uint64_t now_ns);

#endif
